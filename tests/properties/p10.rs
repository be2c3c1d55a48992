//! Property 10, equality: the result equals a naive reference evaluation.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    filtered::{
        DOCUMENTS, Filtered,
        filter_cases::{documents, path, value},
        kind,
    },
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p10_equality() {
    p10_equality_cases();
    MET.report(
        "p10_equality",
        &[
            "found",
            "not all found",
            "of mixed kinds",
            "null",
            "number",
            "string",
            "array",
            "object",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    fn p10_equality_cases(
        bodies in documents(DOCUMENTS),
        path in path(),
        place in 0..DOCUMENTS,
        other in value(),
    ) {
        let filtered = Filtered::new(&bodies);
        let operand = filtered.operand(path, place, &other);
        let found = filtered.find(&json!({ path: operand }))?;
        let case = MET.case();
        case.note(kind(&operand), !found.is_empty());
        case.note("found", !found.is_empty());
        case.note("not all found", found.len() < filtered.ids().len());
        case.note("of mixed kinds", filtered.is_mixed(path, &operand));
        prop_assert_eq!(&filtered.find(&json!({ path: { "$eq": operand } }))?, &found);
        prop_assert_eq!(&filtered.find(&json!({ path: { "$in": [operand] } }))?, &found);
        // Unequal is every other document.
        let mut others = filtered.ids();
        others.retain(|id| !found.contains(id));
        prop_assert_eq!(&filtered.find(&json!({ path: { "$ne": operand } }))?, &others);
        prop_assert_eq!(&filtered.find(&json!({ path: { "$nin": [operand] } }))?, &others);

        let either = filtered.find(&json!({ path: { "$in": [operand, other] } }))?;
        prop_assert!(found.iter().all(|id| either.contains(id)));
    }
}
