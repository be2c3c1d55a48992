//! Property 23, WAL sequence monotonicity: the numbers of the records rise by one without gaps,
//! under concurrency and across closes and crashes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{collections::BTreeSet, sync::Arc, thread};

use monsterdb::{
    Database, Version,
    storage::{CrashKind, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        crash_kind, segments, sequence, transactions,
        workload::{Step, Write, commit, options},
    },
};

/// One life of the database: what its writers do, and how it ends.
#[derive(Debug, Clone)]
struct Life {
    writers: Vec<Vec<Step>>,
    crash: Option<(CrashKind, u64)>,
}

static MET: Met = Met::new();

#[test]
fn p23_wal_sequence_monotonicity() {
    p23_wal_sequence_monotonicity_cases();
    MET.report(
        "p23_wal_sequence_monotonicity",
        &[
            "several writers",
            "several lives",
            "closed",
            "crashed",
            "the crash took commits",
            "several segments",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p23_wal_sequence_monotonicity_cases(lives in proptest::collection::vec(life(), 1..4)) {
        let case = MET.case();
        case.note("several lives", lives.len() > 1);
        let mut storage = MemoryStorage::new();
        let mut crashed = false;
        let mut last = Version::ZERO;
        for Life { writers, crash } in lives {
            // No checkpoint is written, so that the log keeps every record.
            let builder = options().checkpoint_on_close(false);
            let db = builder.open_in(Arc::new(storage.clone())).unwrap();
            let begin = db.snapshot().version();
            prop_assert!(begin == last || (crashed && begin < last));
            case.note("the crash took commits", begin < last);
            case.note("several writers", writers.len() > 1);
            case.note("indexes made beside", writers.len() > 1 && has_indexes(&writers));
            let versions = write(&db, &writers);
            last = db.snapshot().version();

            // A commit that changes nothing returns the version that has it so already.
            let given: BTreeSet<u64> = versions.into_iter().filter(|v| *v > begin.get()).collect();
            let expected: BTreeSet<u64> = (begin.get() + 1..=last.get()).collect();
            prop_assert_eq!(given, expected, "every number was given");
            // Indexes take numbers as well, and are counted elsewhere.
            let (committed, given) = (db.status().commits.committed, last.get() - begin.get());
            prop_assert!(committed == given || (committed < given && has_indexes(&writers)));
            let expected: Vec<u64> = (1..=last.get()).collect();
            prop_assert_eq!(sequence(&storage), expected, "the log holds them in order");

            case.note("several segments", segments(&storage).len() > 1);
            case.note("crashed", crash.is_some());
            case.note("closed", crash.is_none());
            crashed = crash.is_some();
            match crash {
                Some((kind, seed)) => storage = storage.crash(kind, seed),
                None => db.close().unwrap(),
            }
        }
    }
}

fn has_indexes(writers: &[Vec<Step>]) -> bool {
    let is_one = |write: &Write| matches!(write, Write::Index(..) | Write::Unindex(..));
    let steps = writers.iter().flatten();
    steps
        .into_iter()
        .any(|step| matches!(step, Step::Commit(_, writes) if writes.iter().any(is_one)))
}

fn life() -> impl Strategy<Value = Life> {
    let writers = proptest::collection::vec(transactions(10), 1..4);
    let crash = proptest::option::weighted(0.75, (crash_kind(), any::<u64>()));
    (writers, crash).prop_map(|(writers, crash)| Life { writers, crash })
}

/// Commits from several threads, and returns the versions that were given.
fn write(db: &Database, writers: &[Vec<Step>]) -> Vec<u64> {
    let work = |steps: &[Step]| {
        let mut versions = Vec::new();
        for step in steps {
            let Step::Commit(durability, writes) = step else { continue };
            // Conflicts and refusals are as good as commits here: they take no number.
            versions.extend(commit(db, *durability, writes).ok().map(Version::get));
        }
        versions
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            writers.iter().map(|steps| scope.spawn(move || work(steps))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
