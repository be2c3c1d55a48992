//! Property 20, replay completeness: every durable record is applied after a crash, in order, and
//! replaying twice equals replaying once.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use monsterdb::{
    Version,
    storage::{CrashKind, Fault, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        crash_kind, segments, sequence, steps,
        workload::{Step, open, script, undisturbed, until_it_stops},
    },
};

static MET: Met = Met::new();

#[test]
fn p20_replay_completeness() {
    p20_replay_completeness_cases();
    MET.report(
        "p20_replay_completeness",
        &[
            "torn tail cut",
            "records in doubt",
            "replayed",
            "over a checkpoint",
            "several segments",
            "unacknowledged and there",
            "indexes",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    fn p20_replay_completeness_cases(
        steps in steps(40),
        place in 0.0..1.0_f64,
        kind in crash_kind(),
        seed: u64,
    ) {
        replay(&steps, place, kind, seed)?;
    }
}

/// Two runs that failed once.
#[test]
fn p20_what_failed_once() {
    let first = "
        soon: put b/3 679
        soon: put a/1 0
        soon: put a/1 240; put c/1 1160
        always: append b/3
    ";
    let second = "
        always: put a/1 0
        soon: create a
        none: put c/1 0; put b/3 0
        maintain
        reopen
        reopen
        always: inc a/2
    ";
    for (text, place, seed) in [
        (first, 0.408_636_173_797_351_84, 2_752_488_231_124_429_506),
        (second, 0.334_433_548_556_592_9, 5_792_760_453_696_753_601),
    ] {
        replay(&script(text), place, CrashKind::Power, seed).unwrap();
    }
}

/// Crashes at a place of the steps, and replays what is left.
fn replay(steps: &[Step], place: f64, kind: CrashKind, seed: u64) -> Result<(), TestCaseError> {
    let whole = MemoryStorage::new();
    let history = undisturbed(&whole, steps);
    let storage = MemoryStorage::new();
    let operation = 1 + (whole.operations() as f64 * place) as u64;
    storage.inject(Fault::CrashAt { operation });
    let promise = until_it_stops(&storage, steps).after(kind);

    let image = storage.crash(kind, seed);
    let before = segments(&image).len();
    let db = open(&image).unwrap();
    let state = db.snapshot();
    prop_assert_eq!(history.objection(&state, promise.process), None);

    // Everything that stands in the log was applied: it is not ahead of the state.
    let recovery = db.status().recovery;
    prop_assert_eq!(recovery.checkpoint.get() + recovery.replayed, state.version().get());
    let logged = sequence(&image);
    let case = MET.case();
    case.note("torn tail cut", recovery.cut.is_some());
    case.note("records in doubt", recovery.in_doubt > 0);
    case.note("replayed", recovery.replayed > 1);
    case.note("over a checkpoint", recovery.replayed > 0 && recovery.checkpoint > Version::ZERO);
    case.note("several segments", before > 1);
    case.note("unacknowledged and there", state.version() > promise.process);
    case.note("indexes", state.collections().any(|(_, c)| !c.indexes().is_empty()));
    prop_assert!(logged.last().is_none_or(|last| *last <= state.version().get()));
    drop(db);

    let again = open(&image.crash(CrashKind::Power, seed)).unwrap();
    prop_assert_eq!(again.snapshot(), state);
    Ok(())
}
