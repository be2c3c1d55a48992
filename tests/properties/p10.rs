//! Property 10, equality: the result equals a naive reference evaluation.

use proptest::prelude::*;
use serde_json::json;

use crate::filtered::{
    DOCUMENTS, Filtered,
    filter_cases::{documents, path, value},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn p10_equality(
        bodies in documents(DOCUMENTS),
        path in path(),
        place in 0..DOCUMENTS,
        other in value(),
    ) {
        let filtered = Filtered::new(&bodies);
        let operand = filtered.operand(path, place, &other);
        let found = filtered.find(&json!({ path: operand }))?;
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
