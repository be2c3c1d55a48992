//! Property 21, truncation after replay: what a checkpoint covers is no longer replayed; of its
//! segments the newest stay as far as the change feed's bytes reach, the others go; nothing else goes.
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

/// What the settings of the workload keep for the change feed.
const FEED_BYTES: u64 = 2 * 4096;

#[test]
fn p21_truncation_after_replay() {
    p21_truncation_after_replay_cases();
    let expected =
        ["segments removed", "segments kept for the feed", "segments in all", "replayed"];
    MET.report("p21_truncation_after_replay", &expected);
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
        let before = run.db().status().checkpoint;
        let version = run.db().checkpoint().unwrap();

        // A segment whose successor begins no later than the next version is covered.
        let begins: Vec<u64> = older.keys().copied().collect();
        let covered = begins.windows(2).filter(|pair| pair[1] <= version.get() + 1);
        let covered: Vec<u64> = covered.map(|pair| pair[0]).collect();
        let newer = segments(&storage);
        let stays = |first: &u64| newer.contains_key(first);
        prop_assert!(begins.iter().all(|first| covered.contains(first) || stays(first)));
        // Of those that are, the newest stay as long as all of them together have few bytes.
        let mut bytes = 0;
        let kept = covered.iter().rev().take_while(|first| {
            bytes += older[first].len() as u64;
            bytes <= FEED_BYTES
        });
        let kept = kept.count();
        let (gone, left) = covered.split_at(covered.len() - kept);
        let case = MET.case();
        // Without a commit since the last checkpoint there is none to write, and nothing goes.
        if version > before {
            prop_assert!(!gone.iter().any(stays), "of {covered:?}, {gone:?} should go");
            case.note("segments removed", !gone.is_empty());
            case.note("segments kept for the feed", !left.is_empty());
        }
        prop_assert!(left.iter().all(stays), "of {covered:?}, {left:?} should stay");
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
