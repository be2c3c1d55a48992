//! Property 18, isolation: uncommitted writes are invisible, and histories are serializable.
//!
//! The model looks at the published state after every step, so that a write that is seen too early
//! shows at once; what serializable means it says itself. More histories, and concurrent ones:
//! `tests/model` and `tests/history`.

#[path = "../support/model/mod.rs"]
mod model;

use model::{Coverage, check, steps};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p18_isolation(steps in steps(120)) {
        let mut coverage = Coverage::default();
        check(&steps, &mut coverage).map_err(TestCaseError::fail)?;
    }
}
