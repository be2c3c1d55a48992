//! What comes in the middle of something else: commits while a checkpoint is written, and a panic
//! of the thread that writes the log.

use std::{sync::Arc, thread};

use monsterdb::{
    Database, Durability, Error, Health,
    storage::{CrashKind, MemoryStorage},
};

use crate::{
    hooked::Hooked,
    workload::{Step, Write, commit, open, options, script},
};

fn database(storage: &Hooked) -> Database {
    options().open_in(Arc::new(storage.clone())).unwrap()
}

fn perform(db: &Database, work: &str) {
    for step in script(work) {
        let Step::Commit(durability, writes) = step else { panic!("no commit: {step:?}") };
        commit(db, durability, &writes).unwrap();
    }
}

/// The first of two commits ends a segment, the second begins the next one. The checkpoint that
/// is written meanwhile holds neither, so it must leave both segments.
#[test]
fn commits_beside_a_checkpoint_keep_their_segments() {
    let disk = MemoryStorage::new();
    let storage = Hooked::over(&disk);
    let db = database(&storage);
    perform(&db, "always: put a/1 2000");
    let beside = db.clone();
    let work = "always: put a/2 1000\nalways: put a/3 2000";
    storage.act_before("rename MANIFEST.json", move || perform(&beside, work));
    assert_eq!(db.checkpoint().unwrap().get(), 1);
    let segments = disk.names().into_iter().filter(|name| name.ends_with(".ndjson"));
    let expected = ["collections/a-1.ndjson", "wal/1.ndjson", "wal/3.ndjson"];
    assert_eq!(segments.collect::<Vec<_>>(), expected);
    let reopened = open(&disk.crash(CrashKind::Process, 0)).unwrap();
    assert_eq!(reopened.snapshot(), db.snapshot());
    assert_eq!(reopened.status().recovery.replayed, 2);
}

/// The thread that leads the group panics in the sync of its commit, while another waits for it.
#[test]
fn a_panic_of_the_leader_ends_all_writing_and_wakes_who_waits() {
    let disk = MemoryStorage::new();
    let storage = Hooked::over(&disk);
    let db = database(&storage);
    perform(&db, "always: create begun");
    let watched = db.clone();
    storage.act_before("sync wal/", move || {
        while watched.status().logged.operations < 3 {
            thread::yield_now();
        }
        panic!("the leader panics, as it is told to");
    });
    let create = |name: &str| {
        let (db, name) = (db.clone(), name.to_owned());
        thread::spawn(move || commit(&db, Durability::Always, &[Write::Create(name)]))
    };
    let threads = [create("one"), create("two")];
    while !threads.iter().any(thread::JoinHandle::is_finished) {
        thread::yield_now();
    }
    // Where nobody took notice of the panic, the other one would wait for ever.
    assert_eq!(db.status().health, Health::ReadOnly);
    let outcomes = threads.map(thread::JoinHandle::join);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_err()).count(), 1, "one panics");
    for outcome in outcomes.into_iter().flatten() {
        assert!(matches!(outcome, Err(Error::OutcomeUnknown { .. })), "{outcome:?}");
    }
    let refused = commit(&db, Durability::Always, &[Write::Create("late".to_owned())]);
    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
    assert_eq!(db.snapshot().version().get(), 1, "what was published stays to be read");
}
