//! Random work crossed with random plans of faults: several of them in one run, of every kind, and
//! crashes between them. Every commit is acknowledged and there, refused and absent, or unknown and
//! either; every restart finds a state that was committed and holds what was promised; and the
//! database works on after it.
//!
//! A long run, which prints its seed, and how often which fault was planned and met and what came
//! of the commits:
//!
//! ```text
//! PROPTEST_CASES=5000 cargo test --test crash plans -- --nocapture
//! ```
//!
//! `FAULTS_SEED=…` (64 hexadecimal digits, as printed) with the same number of cases repeats a run,
//! but for the order in which threads commit.

use std::{env, time::Instant};

use monsterdb::{
    Durability,
    storage::{CrashKind, Failure, OperationKind},
};
use proptest::{collection::vec, prelude::*, test_runner::Config};

use crate::{
    plan_run::perform,
    seeded::seeded,
    tally::Tally,
    workload::{
        Step,
        random::{crash_kind, durability, step},
    },
};

/// Plans of an ordinary run.
const CASES: u32 = 256;

/// Steps and faults of one plan, at most.
const LENGTH: usize = 48;

/// One thing that is done, or that is going to go wrong.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Step(Step),
    /// Commits of several threads at once.
    Together(Vec<Durability>),
    /// The so-manieth operation from here, or the so-manieth of a kind.
    Fault(Trouble, u64),
    /// From here on there is room for so many bytes more.
    Room(u64),
    /// There is room for everything again.
    RoomAgain,
    /// The process or the power ends between two steps.
    Crash(CrashKind, u64),
}

/// What goes wrong in an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    Fail(Failure),
    FailOf(OperationKind, Failure),
    ShortWrite,
    TornWrite,
    /// The process dies in it; and the power, if so it is.
    Crash(CrashKind, u64),
}

/// What an ordinary run has to meet.
const FAULTS: [&str; 13] = [
    "device error",
    "device full",
    "short write",
    "torn write",
    "failing Sync",
    "failing SyncFolder",
    "failing Rename",
    "failing Create",
    "failing Write",
    "full Write",
    "full Allocate",
    "no room",
    "crash in an operation",
];
const OUTCOMES: [&str; 5] =
    ["acknowledged", "refused", "refused by the content", "unknown", "together: unknown"];
const EVENTS: [&str; 11] = [
    "several faults in one plan",
    "several commits in one write",
    "room came back and the work went on",
    "checkpoint failed",
    "maintenance failed",
    "read-only",
    "opening failed, and then did not",
    "unknown and there",
    "unknown and absent",
    "torn tail cut",
    "unsynced commits lost",
];

#[test]
fn every_outcome_is_told_as_it_is() {
    let mut config = Config { source_file: Some(file!()), ..Config::default() };
    if env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let cases = config.cases;
    let (mut runner, seed) = seeded("FAULTS_SEED", config);
    let (begun, tally) = (Instant::now(), Tally::default());
    let outcome = runner.run(&vec(action(), 1..LENGTH), |actions| {
        perform(&actions, &tally);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}\n{seed}"));
    println!("{cases} plans from {seed}, in {:.1?}\n{tally}", begun.elapsed());
    // Fewer cases than usual need not meet all of it.
    if cases >= CASES {
        tally.check(&FAULTS, &OUTCOMES, &EVENTS);
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        24 => step().prop_map(Action::Step),
        3 => vec(durability(), 2..5).prop_map(Action::Together),
        4 => (trouble(), 1..16_u64).prop_map(|(trouble, after)| Action::Fault(trouble, after)),
        3 => (of_a_kind(), 1..4_u64).prop_map(|(trouble, after)| Action::Fault(trouble, after)),
        1 => (0..6000_u64).prop_map(Action::Room),
        1 => Just(Action::RoomAgain),
        1 => (crash_kind(), any::<u64>()).prop_map(|(kind, seed)| Action::Crash(kind, seed)),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        1 => Just(Trouble::Fail(Failure::Device)),
        1 => Just(Trouble::Fail(Failure::Full)),
        1 => Just(Trouble::ShortWrite),
        1 => Just(Trouble::TornWrite),
        1 => (crash_kind(), any::<u64>()).prop_map(|(kind, seed)| Trouble::Crash(kind, seed)),
    ]
}

fn of_a_kind() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::FailOf(OperationKind::Sync, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::SyncFolder, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::Rename, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::Create, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::Remove, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::Write, Failure::Device)),
        Just(Trouble::FailOf(OperationKind::Write, Failure::Full)),
        Just(Trouble::FailOf(OperationKind::Allocate, Failure::Full)),
    ]
}
