//! Property 21, truncation after replay: what a checkpoint covers is no longer replayed, and its
//! segments go; nothing else goes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::thread;

use monsterdb::{
    Durability,
    storage::{CrashKind, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        segments, sequence, steps, transactions,
        workload::{Place, Run, Step, Write, commit, is_refusal, open},
    },
};

static MET: Met = Met::new();

#[test]
fn p21_truncation_after_replay() {
    p21_truncation_after_replay_cases();
    MET.report("p21_truncation_after_replay", &["segments removed", "segments in all", "replayed"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p21_truncation_after_replay_cases(
        before in steps(30),
        after in transactions(30),
        seed: u64,
    ) {
        let storage = MemoryStorage::new();
        // It stays open: closing it would leave the checkpoint nothing to cover.
        let mut run = Run::open(&storage).unwrap();
        perform(&mut run, &before)?;
        let older = segments(&storage);
        let version = run.db().checkpoint().unwrap();

        // A segment whose successor begins no later than the next version is covered.
        let newer = segments(&storage);
        let begins: Vec<u64> = newer.keys().copied().collect();
        for pair in begins.windows(2) {
            prop_assert!(pair[1] > version.get() + 1, "segment {} is covered and stays", pair[0]);
        }
        let last = older.keys().last();
        prop_assert_eq!(newer.keys().last(), last, "the last segment stays");
        let needless = older.keys().filter(|first| !newer.contains_key(first));
        for first in needless {
            let next = older.range(first + 1..).next().map(|(next, _)| *next).unwrap();
            prop_assert!(next <= version.get() + 1, "segment {first} went and is not covered");
        }

        let case = MET.case();
        case.note("segments removed", newer.len() < older.len());
        perform(&mut run, &after)?;
        let state = run.snapshot();
        let expected: Vec<u64> = (version.get() + 1..=state.version().get()).collect();
        let logged = sequence(&storage);
        let behind: Vec<u64> = logged.into_iter().filter(|seq| *seq > version.get()).collect();
        prop_assert_eq!(behind, expected, "what the checkpoint does not hold is in the log");

        let image = storage.crash(CrashKind::Process, seed);
        let reopened = open(&image).unwrap();
        prop_assert_eq!(reopened.snapshot(), state.clone());
        let recovery = reopened.status().recovery;
        prop_assert_eq!(recovery.checkpoint, version);
        case.note("segments in all", segments(&storage).len() > 1);
        case.note("replayed", recovery.replayed > 0);
        prop_assert_eq!(recovery.replayed, state.version().get() - version.get());
    }

}

static MET_UNDER_WRITERS: Met = Met::new();

#[test]
fn p21_truncation_after_replay_under_writers() {
    p21_truncation_after_replay_under_writers_cases();
    MET_UNDER_WRITERS
        .report("p21_truncation_after_replay_under_writers", &["overtaken", "segments removed"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A checkpoint that is overtaken by commits removes no segment that they are in.
    fn p21_truncation_after_replay_under_writers_cases(
        sizes in proptest::collection::vec(0..4000_usize, 20..60),
        seed: u64,
    ) {
        let storage = MemoryStorage::new();
        let run = Run::open(&storage).unwrap();
        let db = run.db();
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for (number, size) in sizes.iter().enumerate() {
                    let place = Place { collection: "a".to_owned(), id: number.to_string() };
                    commit(db, Durability::None, &[Write::Put(place, *size)]).unwrap();
                }
            });
            let case = MET_UNDER_WRITERS.case();
            while !writer.is_finished() {
                let version = db.checkpoint().unwrap().get();
                let logged = sequence(&storage);
                case.note("overtaken", db.snapshot().version().get() > version);
                case.note("segments removed", !segments(&storage).contains_key(&1));
                let behind = logged.iter().skip_while(|seq| **seq <= version);
                assert!((version + 1..).zip(behind).all(|(expected, seq)| expected == *seq));
            }
        });
        let reopened = open(&storage.crash(CrashKind::Process, seed)).unwrap();
        prop_assert_eq!(reopened.snapshot(), run.snapshot());
    }
}

/// Takes steps, of which some are refused by the content.
fn perform(run: &mut Run, steps: &[Step]) -> Result<(), TestCaseError> {
    for step in steps {
        if let Err(error) = run.step(step) {
            prop_assert!(is_refusal(&error), "{}", error);
        }
    }
    Ok(())
}
