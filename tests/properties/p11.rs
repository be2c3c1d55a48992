//! Property 11, comparison: the result equals a naive reference evaluation.

use proptest::prelude::*;
use serde_json::json;

use crate::filtered::{
    DOCUMENTS, Filtered,
    filter_cases::{documents, number, path, value},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn p11_comparison(
        bodies in documents(DOCUMENTS),
        path in path(),
        place in 0..DOCUMENTS,
        other in prop_oneof![value(), number()],
    ) {
        let filtered = Filtered::new(&bodies);
        for operand in [filtered.operand(path, place, &other), other] {
            let found = |operator: &str| filtered.find(&json!({ path: { operator: operand } }));
            let (greater, less) = (found("$gt")?, found("$lt")?);
            let (at_least, at_most) = (found("$gte")?, found("$lte")?);
            let equal = found("$eq")?;
            for (strict, with_equal) in [(greater, at_least), (less, at_most)] {
                let either = |id: &&String| strict.contains(id) || equal.contains(id);
                let together: Vec<String> = filtered.ids().iter().filter(either).cloned().collect();
                prop_assert_eq!(together, with_equal);
            }
        }
    }
}
