//! An index is made from a snapshot while four writers go on: it is never stale, and nobody is kept
//! waiting for it but at its last step.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use monsterdb::{
    Database, Durability, Error, Filter, IndexDefinition, IndexMade, Json, Query, Transaction,
};

use crate::indexed::check_indexes;

/// Documents that each writer goes round.
const DOCUMENTS: u64 = 400;

/// Builds after which one must have met a writer.
const BUILDS_MAX: usize = 500;

fn write(db: &Database, writer: u64, round: u64) -> Result<(), Error> {
    let id = format!("w{writer}-{}", round % DOCUMENTS);
    db.transact(|tx: &Transaction| {
        let documents = tx.collection::<Json>("c")?;
        match round % 7 {
            0 => documents.delete(&id).map(drop),
            1 => {
                let body = format!(r#"{{"n":[{round},{}],"w":{writer}}}"#, round / 2);
                documents.put(&id, &Json::parse(&body)?)
            }
            _ => documents.put(&id, &Json::parse(&format!(r#"{{"n":{round},"w":{writer}}}"#))?),
        }
    })
}

/// Makes and drops an index until one took in what was written while it was built.
fn build_until_met(db: &Database) -> (usize, IndexMade) {
    for number in 1..=BUILDS_MAX {
        let definition = IndexDefinition::on(["n", "-w"]).expect("these are paths");
        let made = db.create_index("c", "by_n", definition).expect("every document fits");
        check_indexes(&db.snapshot());
        if made.caught_up > 0 {
            return (number, made);
        }
        db.drop_index("c", "by_n").expect("it is there");
    }
    panic!("{BUILDS_MAX} builds met no writer");
}

/// Enough documents that a build takes a while.
fn fill(db: &Database) {
    let filled = db.transact(|tx| {
        let documents = tx.collection::<Json>("c")?;
        (0..5000).try_for_each(|number| {
            documents.put(&format!("p{number}"), &Json::parse(&format!(r#"{{"n":{number}}}"#))?)
        })
    });
    filled.expect("it fits");
}

/// Tells the writers to end when it is dropped.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn build_during_writes(db: &Database) {
    fill(db);
    let done = AtomicBool::new(false);
    let written = AtomicU64::new(0);
    let (builds, made) = thread::scope(|scope| {
        // Also when something here fails.
        let _done = Done(&done);
        for writer in 0..4 {
            let (done, written) = (&done, &written);
            scope.spawn(move || {
                for round in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    write(db, writer, round).expect("writers are not refused");
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let found = build_until_met(db);
        // Writers go on over the index that is there now.
        let target = written.load(Ordering::Relaxed) + 500;
        while written.load(Ordering::Relaxed) < target {
            check_indexes(&db.snapshot());
        }
        found
    });
    let snapshot = db.snapshot();
    check_indexes(&snapshot);
    let collection = snapshot.collection("c").expect("it was written");
    let all = Query::new(Filter::parse(r#"{"n":{"$gte":0}}"#).expect("it is a filter"));
    let by_index = all.clone().hint("by_n").count(&**collection).expect("the index serves");
    assert_eq!(by_index, all.hint("_id").count(&**collection).expect("a scan serves"));
    let written = written.into_inner();
    println!("{builds} builds beside {written} commits; the last: {made:?}");
}

#[test]
fn in_memory() {
    build_during_writes(&Database::in_memory());
}

#[test]
fn in_files() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("data");
    let db = Database::builder().durability(Durability::None).open(&path).expect("it is new");
    build_during_writes(&db);
    let before = db.snapshot();
    db.close().expect("nothing fails");
    let reopened = Database::open(&path).expect("nothing is damaged");
    assert_eq!(reopened.snapshot(), before);
}

/// A key that two writers race for belongs to one of them, whether the index is there before, after
/// or in the middle of their race.
#[test]
fn a_unique_index_races_with_writers() {
    let mut refused_index = 0;
    let mut refused_writer = 0;
    for _ in 0..200 {
        let db = Database::in_memory();
        let (index, one, two) = thread::scope(|scope| {
            let put = |id: &'static str| {
                let db = &db;
                move || {
                    let body = Json::parse(r#"{"k":"same"}"#).expect("it is JSON");
                    db.collection::<Json>("c").expect("it is a name").put(id, &body)
                }
            };
            let (one, two) = (scope.spawn(put("1")), scope.spawn(put("2")));
            let definition = IndexDefinition::on(["k"]).expect("it is a path").unique();
            let index = db.create_index("c", "by_k", definition);
            (index, one.join().expect("no panic"), two.join().expect("no panic"))
        });
        let snapshot = db.snapshot();
        let count = snapshot.collection("c").map_or(0, |collection| collection.count());
        match index {
            Ok(_) => {
                assert!(count <= 1, "two documents have one key");
                assert!(one.is_err() || two.is_err());
                refused_writer += 1;
            }
            Err(Error::Index(_)) => {
                assert_eq!(count, 2, "the index was refused for nothing");
                refused_index += 1;
            }
            Err(error) => panic!("{error}"),
        }
        check_indexes(&snapshot);
    }
    println!("{refused_index} times the index was refused, {refused_writer} times a writer");
}
