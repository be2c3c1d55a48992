//! What is given out and when: in order, once, only what is published; waiting for it, and the end.

use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use monsterdb::{
    CollectionName, Database, Durability, Error, IndexDefinition, Json, Version,
    feed::Action,
    storage::{Failure, Fault, MemoryStorage, OperationKind},
};

use crate::{lines, put, workload::options};

const SOON: Duration = Duration::from_secs(60);

#[test]
fn every_commit_is_given_out_once_with_all_that_it_did() {
    let db = Database::in_memory();
    put(&db, "c", "x", r#"{"n":1}"#);
    db.create_index("c", "by_n", IndexDefinition::on(["n"]).unwrap()).unwrap();
    db.transact(|tx| {
        tx.collection::<Json>("c")?.delete("x")?;
        tx.collection::<Json>("b")?.put("y", &Json::parse(r#"{"n":2}"#)?)
    })
    .unwrap();
    db.drop_index("c", "by_n").unwrap();
    db.drop_collection("c").unwrap();
    let all = [
        r#"1: create c; put c/x {"_id":"x","n":1}"#,
        r#"2: index c by_n {"paths":["n"]}"#,
        r#"3: create b; put b/y {"_id":"y","n":2}; delete c/x"#,
        "4: unindex c by_n",
        "5: drop c",
    ];
    assert_eq!(lines(&db, 0), all);
    assert_eq!(lines(&db, 3), all[3..], "since is exclusive");
    assert_eq!(lines(&db, 5), [""; 0]);
    let refused = db.changes(Version::new(6)).err();
    assert!(matches!(refused, Some(Error::InvalidQuery { .. })), "{refused:?}");
}

#[test]
fn changes_have_the_time_and_the_version_of_their_commit() {
    let db = Database::in_memory();
    let before = std::time::SystemTime::now() - Duration::from_secs(1);
    put(&db, "c", "x", "{}");
    let change = db.changes(Version::ZERO).unwrap().try_next().unwrap().unwrap();
    assert!(change.time > before && change.time < before + SOON);
    let Action::Put { document, .. } = &change.operations[1].action else { panic!("{change:?}") };
    assert_eq!(document.version(), change.version);
}

#[test]
fn one_who_waits_gets_the_next_commit_and_the_end() {
    let db = Database::in_memory();
    let follower = {
        let changes = db.changes(Version::ZERO).unwrap();
        thread::spawn(move || changes.map(|change| change.unwrap().version.get()).collect())
    };
    let versions: Vec<u64> = (0..50).map(|n| put(&db, "c", &n.to_string(), "{}").get()).collect();
    // This handle stays, so what is still to be read can be read.
    db.clone().close().unwrap();
    let seen: Vec<u64> = follower.join().unwrap();
    assert_eq!(seen, versions);
}

#[test]
fn one_who_waits_for_a_time_goes_away_with_nothing() {
    let db = Database::in_memory();
    let mut changes = db.changes(Version::ZERO).unwrap();
    assert_eq!(changes.try_next().unwrap(), None);
    assert_eq!(changes.next_within(Duration::from_millis(1)).unwrap(), None);
    put(&db, "c", "x", "{}");
    assert_eq!(changes.next_within(SOON).unwrap().unwrap().version.get(), 1);
    assert_eq!(changes.position().get(), 1);
}

#[test]
fn one_who_waits_is_woken_by_every_commit() {
    let db = Database::in_memory();
    let mut changes = db.changes(Version::ZERO).unwrap();
    let (told, seen) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(Some(change)) = changes.next_within(60 * SOON) {
            if told.send(change.version).is_err() {
                break;
            }
        }
    });
    for n in 0..50 {
        // The one before was seen, so that it waits by now, or is about to.
        let version = put(&db, "c", "x", &format!(r#"{{"n":{n}}}"#));
        assert_eq!(seen.recv_timeout(SOON), Ok(version), "it sleeps on");
    }
}

#[test]
fn what_is_not_published_is_not_given_out() {
    let storage = MemoryStorage::new();
    let db = options().open_in(Arc::new(storage.clone())).unwrap();
    put(&db, "c", "x", "{}");
    storage.hold_syncs();
    let writer = {
        let db = db.clone();
        thread::spawn(move || put(&db, "c", "y", "{}"))
    };
    storage.wait_for_held_sync();
    // The record is in the file by now.
    let written = storage.contents("wal/1.ndjson").unwrap();
    assert!(String::from_utf8_lossy(&written).contains(r#""id":"y""#));
    let mut changes = db.changes(Version::ZERO).unwrap();
    let seen = || changes.try_next().unwrap().map(|change| change.version.get());
    let seen: Vec<u64> = std::iter::from_fn(seen).collect();
    storage.release_syncs();
    assert_eq!(seen, [1]);
    assert_eq!(writer.join().unwrap().get(), 2);
    assert_eq!(changes.next_within(SOON).unwrap().unwrap().version.get(), 2);
}

#[test]
fn it_does_not_keep_the_database_open() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path()).unwrap();
    put(&db, "c", "x", "{}");
    let mut changes = db.changes(Version::ZERO).unwrap();
    assert_eq!(changes.next().unwrap().unwrap().version.get(), 1);
    put(&db, "c", "y", "{}");
    drop(db);
    let again = Database::open(folder.path()).unwrap();
    // It cannot know whether there is more.
    assert!(matches!(changes.next(), Some(Err(Error::Closed))));
    assert!(changes.next().is_none());
    let left = again.changes(changes.position()).unwrap().try_next().unwrap().unwrap();
    assert_eq!(left.version.get(), 2);
}

#[test]
fn when_the_storage_fails_it_ends_behind_what_was_published() {
    let storage = MemoryStorage::new();
    let db = options().open_in(Arc::new(storage.clone())).unwrap();
    put(&db, "c", "x", "{}");
    let changes = db.changes(Version::ZERO).unwrap();
    let follower = thread::spawn(move || changes.collect::<Vec<_>>());
    storage.inject(Fault::FailAll { kind: OperationKind::Sync, failure: Failure::Device });
    let tx = db.begin();
    tx.create_collection(&CollectionName::new("d").unwrap(), Default::default()).unwrap();
    let failed = db.commit_with(tx, Durability::Always);
    assert!(matches!(failed, Err(Error::OutcomeUnknown { .. })), "{failed:?}");
    let seen = follower.join().unwrap();
    let [Ok(first), Err(Error::ReadOnly { .. })] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(first.version.get(), 1);
}

#[test]
fn a_database_that_is_read_alone_gives_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path()).unwrap();
    put(&db, "c", "x", "{}");
    db.close().unwrap();
    let db = Database::open_read_only(folder.path()).unwrap();
    let seen: Vec<u64> =
        db.changes(Version::ZERO).unwrap().map(|change| change.unwrap().version.get()).collect();
    assert_eq!(seen, [1]);
}
