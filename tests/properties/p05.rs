//! Property 5, concurrent read availability: reads complete while writers, checkpoints and syncs
//! are stalled, and show what was published before.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{sync::mpsc, thread, time::Duration};

use monsterdb::{Database, Result, Version, field, storage::MemoryStorage};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        transactions,
        workload::{Content, Run, Step, commit, undisturbed},
    },
};

/// A reader that takes longer than this waits for somebody.
const FOREVER: Duration = Duration::from_secs(10);

static MET: Met = Met::new();

#[test]
fn p05_concurrent_read_availability() {
    p05_concurrent_read_availability_cases();
    MET.report(
        "p05_concurrent_read_availability",
        &[
            "documents to read",
            "checkpoint and maintenance stalled",
            "several commits stalled",
            "several readers",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 0, ..Default::default() })]

    fn p05_concurrent_read_availability_cases(
        steps in transactions(20),
        stalled in transactions(4),
        checkpoint: bool,
        readers in 1..4_usize,
    ) {
        let case = MET.case();
        case.note("checkpoint and maintenance stalled", checkpoint);
        case.note("several commits stalled", stalled.len() > 1);
        case.note("several readers", readers > 1);
        let storage = MemoryStorage::new();
        undisturbed(&storage, &steps);
        let run = Run::open(&storage).unwrap();
        let db = run.db();
        // The log has begun and has room, so that what is stalled first is the sync of a commit:
        // the newest state is ahead of the published one from then on.
        let content = Content { n: 1, list: Vec::new(), pad: String::new() };
        db.collection::<Content>("z").unwrap().put("y", &content).unwrap();
        let published = db.snapshot();
        let documents: usize = published.collections().map(|(_, c)| c.count()).sum();
        case.note("documents to read", documents > 1);
        let indexes = published.collections().any(|(_, c)| !c.indexes().is_empty());
        case.note("indexes to read", indexes);
        storage.hold_syncs();
        thread::scope(|scope| {
            scope.spawn(|| db.collection::<Content>("z").unwrap().put("z", &content).unwrap());
            let stalled_in_time = wait_for_stall(&storage);
            if !stalled_in_time {
                storage.release_syncs();
            }
            assert!(stalled_in_time, "a durable commit needs no sync");
            if checkpoint {
                scope.spawn(|| drop(db.checkpoint()));
                scope.spawn(|| drop(db.maintain()));
            }
            for step in &stalled {
                let Step::Commit(durability, writes) = step else { continue };
                scope.spawn(move || drop(commit(db, *durability, writes)));
            }
            let (done, finished) = mpsc::channel();
            for _ in 0..readers {
                let done = done.clone();
                scope.spawn(move || done.send(read(db)).unwrap());
            }
            let read: Vec<_> = (0..readers).map(|_| finished.recv_timeout(FOREVER)).collect();
            storage.release_syncs();
            for version in read {
                assert_eq!(version.expect("a reader waits").unwrap(), published.version());
            }
        });
        prop_assert!(db.snapshot().version() > published.version(), "the writers went on");
    }
}

/// Waits until the first writer is in its sync; false when it never gets there.
fn wait_for_stall(storage: &MemoryStorage) -> bool {
    let (stalled, first) = mpsc::channel();
    let storage = storage.clone();
    thread::spawn(move || {
        storage.wait_for_held_sync();
        let _ = stalled.send(());
    });
    first.recv_timeout(FOREVER).is_ok()
}

/// Reads in every way there is, and returns the version that all of it showed.
fn read(db: &Database) -> Result<Version> {
    let snapshot = db.snapshot();
    for (name, collection) in snapshot.collections() {
        let handle = db.collection::<Content>(name.as_str())?;
        assert_eq!(handle.len(), collection.count());
        assert_eq!(handle.find(field("n").gte(0))?.collect::<Vec<_>>()?.len(), collection.count());
        for (id, document) in collection.documents() {
            assert_eq!(handle.get(id.as_str())?.map(|e| e.version), Some(document.version()));
        }
    }
    let tx = db.begin();
    tx.collection::<Content>("a")?.get("1")?;
    tx.collection::<Content>("b")?.count(field("n").gte(0))?;
    assert_eq!(db.commit(tx)?, snapshot.version(), "a transaction that only reads never waits");
    assert_eq!(db.status().version, snapshot.version());
    Ok(db.snapshot().version())
}
