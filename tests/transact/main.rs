//! `Database::transact`: progress under any contention, and what it leaves behind however it ends.
//!
//! Losses are forced: the closure itself lets another thread commit what it has just read, as often
//! as the test wants.
#![allow(missing_docs)]

mod committing;
mod unpublished;

use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Barrier, mpsc},
    thread,
};

use monsterdb::{
    CollectionName, Database, Error, Isolation, Json, Query, Result, TransactOptions, Transaction,
    limits,
};

/// More losses than any transact should take before it locks; then the rival gives up, so that a
/// test fails instead of running on.
const LOSSES_MAX: usize = 12;

fn put(tx: &Transaction, collection: &str, id: &str, n: i64) -> Result<()> {
    tx.collection::<Json>(collection)?.put(id, &Json::parse(&format!(r#"{{"n":{n}}}"#))?)
}

fn number(tx: &Transaction, collection: &str, id: &str) -> Result<i64> {
    let found = tx.collection::<serde_json::Value>(collection)?.get(id)?;
    Ok(found.and_then(|entry| entry["n"].as_i64()).unwrap_or(0))
}

fn stored(db: &Database, collection: &str, id: &str) -> i64 {
    number(&db.begin(), collection, id).expect("reads succeed")
}

/// Another thread that commits when it is told to, and says when it has.
struct Rival {
    orders: Option<mpsc::Sender<()>>,
    done: mpsc::Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Rival {
    /// Each order is one more increment of document 1 of each collection.
    fn new(db: &Database, collections: &'static [&'static str]) -> Rival {
        let (orders, taken) = mpsc::channel();
        let (report, done) = mpsc::channel();
        let db = db.clone();
        let thread = thread::spawn(move || {
            for () in taken {
                let raised = db.transact(|tx| {
                    let raise = |name: &&str| put(tx, name, "1", number(tx, name, "1")? + 1);
                    collections.iter().try_for_each(raise)
                });
                raised.expect("a rival ends well");
                report.send(()).expect("somebody waits for it");
            }
        });
        Rival { orders: Some(orders), done, thread: Some(thread) }
    }

    /// Commits now. Not to be called by whoever holds the locks it needs.
    fn strike(&self) {
        self.orders.as_ref().expect("it lives").send(()).expect("it listens");
        self.done.recv().expect("it reports");
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a rival does not panic");
        }
    }
}

/// Runs a transaction that loses each time it could lose, so that its last run is under locks.
fn contended<R>(
    db: &Database,
    rival: &Rival,
    isolation: Isolation,
    mut work: impl FnMut(&Transaction) -> Result<R>,
) -> Result<(R, usize)> {
    let locked_before = db.status().commits.locked_runs;
    let mut runs = 0;
    let options = TransactOptions { isolation, durability: None };
    let committed = db.transact_with(options, |tx| {
        runs += 1;
        let value = work(tx);
        // Under locks a rival could not commit, and it must not be waited for.
        if db.status().commits.locked_runs == locked_before && runs <= LOSSES_MAX {
            rival.strike();
        }
        value
    });
    Ok((committed?.value, runs))
}

#[test]
fn whoever_always_loses_goes_on_under_locks() {
    let db = Database::in_memory();
    let rival = Rival::new(&db, &["c"]);
    for isolation in [Isolation::Serializable, Isolation::Snapshot] {
        let before = stored(&db, "c", "1");
        let raise = |tx: &Transaction| put(tx, "c", "1", number(tx, "c", "1")? + 1000);
        let ((), runs) = contended(&db, &rival, isolation, raise).expect("it ends well");
        assert!(runs > 2, "it lost only {} times", runs - 1);
        let strikes = runs as i64 - 1;
        assert_eq!(stored(&db, "c", "1"), before + strikes + 1000);
    }
    let counts = db.status().commits;
    assert_eq!(counts.locked_runs, 2);
    assert_eq!(counts.retries, counts.conflicts);
}

#[test]
fn collections_met_under_locks_are_added() {
    let db = Database::in_memory();
    let rival = Rival::new(&db, &["a"]);
    let names = ["a", "z", "m", "b"];
    let mut lost = 0;
    let ((), runs) = contended(&db, &rival, Isolation::Serializable, |tx| {
        let sum = number(tx, "a", "1")?;
        lost += 1;
        if lost > 5 {
            // Only now it goes to other places, each in another way.
            put(tx, "z", "1", sum)?;
            tx.collection::<Json>("m")?.count("{}".parse()?)?;
            let all = Query::new("{}".parse()?);
            tx.find(&CollectionName::new("b")?, &all)?;
        }
        put(tx, "a", "1", sum + 1000)
    })
    .expect("it ends well");
    // The last optimistic runs have met them already, so they are locked from the first.
    assert!(runs > 5);
    assert_eq!(stored(&db, "z", "1") + 1000, stored(&db, "a", "1"));

    // Each run under locks meets one more.
    let locked_before = db.status().commits.locked_runs;
    let mut met = BTreeSet::new();
    contended(&db, &rival, Isolation::Serializable, |tx| {
        let sum = number(tx, "a", "1")?;
        let is_locked = db.status().commits.locked_runs > locked_before;
        for name in names.iter().filter(|_| is_locked) {
            met.insert(*name);
            put(tx, name, "1", sum + 1)?;
        }
        put(tx, "a", "1", sum + 1)
    })
    .expect("it ends well");
    assert_eq!(met.len(), names.len());
    assert_eq!(db.status().commits.locked_runs, locked_before + names.len() as u64);
    assert!(names.iter().all(|name| stored(&db, name, "1") == stored(&db, "a", "1")));
}

/// A closure that goes on after it was refused a collection is run again all the same.
#[test]
fn a_refusal_under_locks_cannot_be_swallowed() {
    let db = Database::in_memory();
    let rival = Rival::new(&db, &["a"]);
    db.transact(|tx| put(tx, "b", "1", 7)).expect("nobody else is there");
    let locked_before = db.status().commits.locked_runs;
    let (seen, _) = contended(&db, &rival, Isolation::Serializable, |tx| {
        let is_locked = db.status().commits.locked_runs > locked_before;
        let n = number(tx, "a", "1")?;
        put(tx, "a", "1", n + 1)?;
        Ok(if is_locked { number(tx, "b", "1").unwrap_or(-1) } else { 0 })
    })
    .expect("it ends well");
    assert_eq!(seen, 7);
}

#[test]
fn sixteen_threads_raise_one_counter() {
    const THREADS: i64 = 16;
    const EACH: i64 = 40;
    let db = Database::in_memory();
    let start = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for number_of_thread in 0..THREADS {
            let (db, start) = (&db, &start);
            scope.spawn(move || {
                let isolation = match number_of_thread % 2 {
                    0 => Isolation::Serializable,
                    _ => Isolation::Snapshot,
                };
                start.wait();
                for _ in 0..EACH {
                    let options = TransactOptions { isolation, durability: None };
                    let raised = db.transact_with(options, |tx| {
                        let n = number(tx, "c", "1")?;
                        // Others get their chance between the read and the write.
                        thread::yield_now();
                        put(tx, "c", "1", n + 1)
                    });
                    raised.expect("transact ends well");
                }
            });
        }
    });
    assert_eq!(stored(&db, "c", "1"), THREADS * EACH);
    assert!(db.status().commits.conflicts > 0, "nobody met anybody");
    assert_eq!(db.status().commits.committed, (THREADS * EACH) as u64);
}

#[test]
fn blind_counters_do_not_conflict() {
    let db = Database::in_memory();
    db.transact(|tx| put(tx, "c", "1", 0)).expect("nobody else is there");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let counters = db.collection::<Json>("c").expect("a good name");
                for _ in 0..50 {
                    counters.update("1", r#"{"$inc":{"n":1}}"#).expect("it is there");
                }
            });
        }
    });
    assert_eq!(stored(&db, "c", "1"), 400);
    assert_eq!(db.status().commits.conflicts, 0);
}

#[test]
fn another_commit_inside_a_closure_is_refused() {
    let db = Database::in_memory();
    let outer = db.begin();
    db.transact(|tx| {
        put(tx, "c", "1", 1)?;
        let inner = db.transact(|tx| put(tx, "c", "2", 2));
        assert!(matches!(inner, Err(Error::Nested)), "transact in transact");
        let clone = db.clone();
        assert!(matches!(clone.commit(clone.begin()), Err(Error::Nested)), "commit in transact");
        let users = db.collection::<Json>("c")?;
        assert!(matches!(users.delete("1"), Err(Error::Nested)), "a write in transact");
        assert!(matches!(db.drop_collection("c"), Err(Error::Nested)));
        assert!(users.get("1")?.is_none(), "reading what is published is no commit");
        Database::in_memory().transact(|tx| put(tx, "c", "1", 1))
    })
    .expect("another database, and reads, do no harm");
    db.commit(outer).expect("after the closure it is allowed again");
    db.transact(|tx| put(tx, "c", "2", 2)).expect("and so is transact");
    assert_eq!(db.snapshot().collection("c").expect("it was written").count(), 2);
}

#[test]
fn a_failing_closure_commits_nothing_and_does_not_run_again() {
    let db = Database::in_memory();
    let rival = Rival::new(&db, &["c"]);
    let mut runs = 0;
    let failed = db.transact(|tx| -> Result<()> {
        runs += 1;
        put(tx, "c", "2", 1)?;
        Err(Error::aborted("no"))
    });
    assert!(matches!(failed, Err(Error::Aborted(_))));
    assert_eq!((runs, db.snapshot().version().get()), (1, 0));

    // Under locks as well.
    let locked_before = db.status().commits.locked_runs;
    let failed = contended(&db, &rival, Isolation::Serializable, |tx| {
        put(tx, "c", "1", number(tx, "c", "1")? + 1000)?;
        match db.status().commits.locked_runs > locked_before {
            true => Err(Error::aborted("no")),
            false => Ok(()),
        }
    });
    assert!(matches!(failed, Err(Error::Aborted(_))));
    assert!(stored(&db, "c", "1") < 1000);
    db.transact(|tx| put(tx, "c", "1", 5)).expect("the locks are free");
}

#[test]
fn a_panicking_closure_releases_everything() {
    let db = Database::in_memory();
    let rival = Rival::new(&db, &["c"]);
    let explode = |tx: &Transaction| -> Result<()> {
        put(tx, "c", "2", 1)?;
        resume_unwind(Box::new("the closure panics"))
    };
    let panicked = catch_unwind(AssertUnwindSafe(|| db.transact(explode)));
    assert!(panicked.is_err());
    db.transact(|tx| put(tx, "c", "1", 1)).expect("this thread is not inside any more");

    let locked_before = db.status().commits.locked_runs;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        contended(&db, &rival, Isolation::Serializable, |tx| {
            put(tx, "c", "1", number(tx, "c", "1")? + 1000)?;
            match db.status().commits.locked_runs > locked_before {
                true => explode(tx),
                false => Ok(()),
            }
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(db.status().commits.locked_runs, locked_before + 1);
    // The rival is another thread, and needs the lock.
    rival.strike();
    db.transact(|tx| put(tx, "c", "1", 1)).expect("the lock is free, and the database healthy");
    assert!(db.snapshot().get("c", "2").is_none());
}

/// A transaction is a value: it may be begun here, written there, and committed elsewhere.
#[test]
fn a_transaction_moves_between_threads() {
    let db = Database::in_memory();
    let begun = db.begin();
    let written = thread::scope(|scope| {
        let other = scope.spawn(move || put(&begun, "c", "1", 1).map(|()| begun));
        other.join().expect("no panic")
    });
    let version = db.commit(written.expect("puts succeed")).expect("nobody else is there");
    assert_eq!((version.get(), stored(&db, "c", "1")), (1, 1));
}

/// The limit counts collections, and one that is read and written is one.
#[test]
fn a_transaction_touches_so_many_collections_and_no_more() {
    let db = Database::in_memory();
    let tx = db.begin();
    let touch = |number: usize| {
        let name = format!("c{number}");
        number_and_put(&tx, &name)
    };
    for number in 0..limits::TRANSACTION_COLLECTIONS_MAX {
        touch(number).expect("the limit is not reached yet");
    }
    touch(0).expect("one that was met before is no new one");
    let refused = touch(limits::TRANSACTION_COLLECTIONS_MAX);
    assert!(matches!(refused, Err(Error::LimitExceeded { .. })), "{refused:?}");
    db.commit(tx).expect("what was touched is within the limit");
}

fn number_and_put(tx: &Transaction, collection: &str) -> Result<()> {
    let n = number(tx, collection, "1")?;
    put(tx, collection, "1", n + 1)
}
