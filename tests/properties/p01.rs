//! Property 1, concurrent write safety: after any interleaving of concurrent writers every
//! acknowledged write is there, once, whole; in the database that took it, and after a close or a
//! crash.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use monsterdb::{
    Database, Error, Result, Version,
    storage::{CrashKind, Fault, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::{Case, Met},
    support::workload::{Content, open, options},
};

/// Operations of one writer's transaction that the log is certain to hold: two documents and the
/// counter.
const OPERATIONS: u64 = 3;

/// What a writer was told: the document it wrote, and the version that it got.
type Acknowledged = BTreeMap<String, Version>;

/// How the database ends.
#[derive(Debug, Clone)]
enum End {
    Close,
    /// So many storage operations after all writers are under way.
    Crash(CrashKind, u64, u64),
}

static MET: Met = Met::new();

#[test]
fn p01_concurrent_write_safety() {
    p01_concurrent_write_safety_cases();
    MET.report("p01_concurrent_write_safety", &["closed", "crashed", "some were not acknowledged"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    fn p01_concurrent_write_safety_cases(
        writers in 2..5_u64,
        rounds in 1..8_u64,
        end in end(),
        in_files in prop::bool::weighted(0.06),
    ) {
        let case = MET.case();
        case.note("in files", in_files);
        if in_files {
            write_in_files(writers, rounds);
        } else {
            write_in_memory(writers, rounds, &end, &case);
        }
    }
}

fn end() -> impl Strategy<Value = End> {
    let kind = prop_oneof![Just(CrashKind::Process), Just(CrashKind::Power)];
    prop_oneof![
        1 => Just(End::Close),
        3 => (kind, 1..25_u64, any::<u64>()).prop_map(|(kind, at, seed)| End::Crash(kind, at, seed)),
    ]
}

fn write_in_memory(writers: u64, rounds: u64, end: &End, case: &Case<'_>) {
    let storage = MemoryStorage::new();
    let db = open(&storage).unwrap();
    begin(&db);
    // Everybody's first commit is numbered before the first sync ends, so that one batch holds
    // them all, and the crash hits it.
    storage.hold_syncs();
    let before = db.status().logged.operations;
    let acknowledged = thread::scope(|scope| {
        let db = &db;
        let threads: Vec<_> =
            (0..writers).map(|writer| scope.spawn(move || write(db, writer, rounds))).collect();
        while db.status().logged.operations < before + writers * OPERATIONS {
            thread::yield_now();
        }
        if let End::Crash(_, after, _) = end {
            storage.inject(Fault::CrashAt { operation: storage.operations() + after });
        }
        storage.release_syncs();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Acknowledged>()
    });
    check(&db, &acknowledged, false);
    let image = match *end {
        End::Close => {
            db.close().unwrap();
            storage
        }
        End::Crash(kind, _, seed) => storage.crash(kind, seed),
    };
    let complete = matches!(end, End::Close);
    let reopened = open(&image).unwrap();
    check(&reopened, &acknowledged, complete);
    case.note("closed", complete);
    case.note("crashed", !complete);
    case.note("some were not acknowledged", (acknowledged.len() as u64) < writers * rounds);
    let there = reopened.collection::<Content>("left").unwrap().len();
    case.note("unacknowledged and there", there > acknowledged.len());
}

fn write_in_files(writers: u64, rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let db = options().open(folder.path()).unwrap();
    begin(&db);
    let acknowledged: Acknowledged = thread::scope(|scope| {
        let db = &db;
        let threads: Vec<_> =
            (0..writers).map(|writer| scope.spawn(move || write(db, writer, rounds))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(acknowledged.len() as u64, writers * rounds);
    check(&db, &acknowledged, true);
    db.close().unwrap();
    check(&options().open(folder.path()).unwrap(), &acknowledged, true);
}

fn begin(db: &Database) {
    let zero = Content { n: 0, list: Vec::new(), pad: String::new() };
    db.collection::<Content>("counters").unwrap().put("all", &zero).unwrap();
}

/// Writes until it is done or the storage is gone: each time a document in two collections and a
/// count of them.
fn write(db: &Database, writer: u64, rounds: u64) -> Acknowledged {
    let mut acknowledged = Acknowledged::new();
    for round in 0..rounds {
        let id = format!("{writer}-{round}");
        match write_one(db, &id, round) {
            Ok(version) => {
                acknowledged.insert(id, version);
            }
            Err(error) => {
                let gone = matches!(
                    error,
                    Error::OutcomeUnknown { .. } | Error::ReadOnly { .. } | Error::Io { .. }
                );
                assert!(gone, "{error}");
                break;
            }
        }
    }
    acknowledged
}

fn write_one(db: &Database, id: &str, round: u64) -> Result<Version> {
    let content = Content { n: round, list: vec![round; 3], pad: "x".repeat(100) };
    let written = db.transact_with(Default::default(), |tx| {
        tx.collection::<Content>("left")?.put(id, &content)?;
        tx.collection::<Content>("right")?.put(id, &content)?;
        tx.collection::<Content>("counters")?.update("all", r#"{"$inc":{"n":1}}"#)
    })?;
    Ok(written.version)
}

fn check(db: &Database, acknowledged: &Acknowledged, complete: bool) {
    let snapshot = db.snapshot();
    let left = db.collection::<Content>("left").unwrap();
    let right = db.collection::<Content>("right").unwrap();
    for (id, version) in acknowledged {
        let entry = left.get(id).unwrap().unwrap_or_else(|| panic!("{id} is gone"));
        assert_eq!(entry.version, *version);
        let twin = right.get(id).unwrap().expect("the other half of the transaction is gone");
        assert_eq!((entry.value, entry.version), (twin.value, twin.version));
    }
    let count = snapshot.collection("left").map_or(0, |collection| collection.count());
    let twins = snapshot.collection("right").map_or(0, |collection| collection.count());
    let counter = db.collection::<Content>("counters").unwrap().get("all").unwrap().unwrap();
    assert_eq!((count, twins), (counter.n as usize, counter.n as usize), "each once, each whole");
    assert!(!complete || count == acknowledged.len(), "something was never acknowledged");
    let versions: BTreeSet<_> = acknowledged.values().collect();
    assert_eq!(versions.len(), acknowledged.len(), "two commits have one version");
}
