//! Property 11, comparison: the result equals a naive reference evaluation.

use proptest::prelude::*;
use serde_json::json;

use crate::{
    filtered::{
        DOCUMENTS, Filtered,
        filter_cases::{documents, number, path, value},
        kind,
    },
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p11_comparison() {
    p11_comparison_cases();
    MET.report(
        "p11_comparison",
        &[
            "greater",
            "less",
            "equal",
            "equal and more",
            "nothing",
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

    fn p11_comparison_cases(
        bodies in documents(DOCUMENTS),
        path in path(),
        place in 0..DOCUMENTS,
        other in prop_oneof![value(), number()],
    ) {
        let filtered = Filtered::new(&bodies);
        let case = MET.case();
        for operand in [filtered.operand(path, place, &other), other] {
            let found = |operator: &str| filtered.find(&json!({ path: { operator: operand } }));
            let (greater, less) = (found("$gt")?, found("$lt")?);
            let (at_least, at_most) = (found("$gte")?, found("$lte")?);
            let equal = found("$eq")?;
            case.note("greater", !greater.is_empty());
            case.note("less", !less.is_empty());
            case.note("equal", !equal.is_empty());
            case.note("equal and more", !equal.is_empty() && at_least.len() > equal.len());
            case.note("nothing", at_least.is_empty() && at_most.is_empty());
            case.note(kind(&operand), !at_least.is_empty());
            case.note("of mixed kinds", filtered.is_mixed(path, &operand));
            for (strict, with_equal) in [(greater, at_least), (less, at_most)] {
                let either = |id: &&String| strict.contains(id) || equal.contains(id);
                let together: Vec<String> = filtered.ids().iter().filter(either).cloned().collect();
                prop_assert_eq!(together, with_equal);
            }
        }
    }
}
