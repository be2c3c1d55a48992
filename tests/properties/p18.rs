//! Property 18, isolation: uncommitted writes are invisible, and histories are serializable.
//!
//! The model looks at the published state after every step, so that a write that is seen too early
//! shows at once; what serializable means it says itself. More histories, and concurrent ones:
//! `tests/model` and `tests/history`.

#[path = "../support/model/mod.rs"]
mod model;

use model::{Coverage, check, steps};
use proptest::prelude::*;

use crate::met::Met;

static MET: Met = Met::new();

#[test]
fn p18_isolation() {
    p18_isolation_cases();
    MET.report(
        "p18_isolation",
        &[
            "committed",
            "conflicts",
            "refused at commit",
            "snapshot overtaken",
            "limited over own writes",
            "blind",
            "rolled back to",
            "unchanged",
            "read again alone",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    fn p18_isolation_cases(steps in steps(120)) {
        let mut coverage = Coverage::default();
        check(&steps, &mut coverage).map_err(TestCaseError::fail)?;
        let case = MET.case();
        for (what, count) in [
            ("committed", coverage.committed),
            ("conflicts", coverage.conflicts),
            ("limited over own writes", coverage.limited_over_own_writes),
            ("blind", coverage.blind),
            ("unchanged", coverage.unchanged),
            ("refused at commit", coverage.refused_at_commit),
            ("snapshot overtaken", coverage.snapshot_overtaken),
            ("rolled back to", coverage.rolled_back_to),
            ("read again alone", coverage.replayed_reads),
        ] {
            case.note(what, count > 0);
        }
    }
}
