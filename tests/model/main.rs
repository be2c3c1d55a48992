//! Random histories of interleaved transactions against a naive model: what is read, what
//! conflicts, and that the serial order of versions explains it all.
#![allow(missing_docs)]

mod difference;
#[path = "../support/model/mod.rs"]
mod model;

use std::sync::Mutex;

use model::{Coverage, check, steps};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Histories tried, each of up to [`STEPS`] steps.
const HISTORIES: u32 = 3000;
const STEPS: usize = 60;

#[test]
fn histories_are_those_of_the_serial_order() {
    let coverage = Mutex::new(Coverage::default());
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(STEPS), |steps| {
        let mut coverage = coverage.lock().expect("nobody panicked");
        check(&steps, &mut coverage).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert_covered(&coverage.into_inner().expect("nobody panicked"));
}

/// A history in which nothing happens proves nothing.
fn assert_covered(coverage: &Coverage) {
    let Coverage {
        committed,
        conflicts,
        limited,
        limited_over_own_writes,
        blind,
        unchanged,
        refused_at_commit,
        snapshot_overtaken,
        rolled_back_to,
        replayed_reads,
    } = *coverage;
    println!("{coverage:?}");
    assert!(conflicts * 10 > committed, "few conflicts: {coverage:?}");
    assert!(committed > conflicts, "few commits: {coverage:?}");
    let rest = [
        limited,
        limited_over_own_writes,
        blind,
        unchanged,
        refused_at_commit,
        snapshot_overtaken,
        rolled_back_to,
        replayed_reads,
    ];
    assert!(rest.into_iter().all(|count| count > 100), "something is hardly met: {coverage:?}");
}
