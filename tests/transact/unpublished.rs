//! What rests on a state that is not published yet is answered only when it is, or when it is known
//! that it never will be.
//!
//! A commit is held in its sync, so that it is in the tip and nobody sees it. Then the device
//! fails, or it does not.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use monsterdb::{
    Database, Error, Json, Result, Transaction,
    storage::{Failure, Fault, MemoryStorage},
};

use super::{Rival, number, put};

/// A database whose next commit can be held in its sync.
struct Stage {
    storage: MemoryStorage,
    db: Database,
    device_fails: bool,
}

impl Stage {
    fn new(device_fails: bool) -> Stage {
        let storage = MemoryStorage::new();
        let builder = Database::builder().background(false);
        let db = builder.open_in(Arc::new(storage.clone())).expect("an empty disk");
        db.transact(|tx| put(tx, "c", "1", 0)).expect("nobody else is there");
        Stage { storage, db, device_fails }
    }

    /// Begins a commit in another thread and returns when it hangs in its sync.
    fn hang<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        collection: &'static str,
    ) {
        self.storage.hold_syncs();
        if self.device_fails {
            // One operation writes the record, the next one syncs it.
            let operation = self.storage.operations() + 2;
            self.storage.inject(Fault::FailAt { operation, failure: Failure::Device });
        }
        scope.spawn(move || {
            let written = self.db.transact(|tx| put(tx, collection, "1", 1));
            assert_eq!(written.is_err(), self.device_fails, "{written:?}");
        });
        self.storage.wait_for_held_sync();
        let seen = self.db.snapshot().get(collection, "1").map(|doc| doc.json().to_owned());
        assert_ne!(seen.as_deref(), Some(r#"{"_id":"1","n":1}"#), "seen before it is safe");
    }

    fn assert_answer<T: std::fmt::Debug>(
        &self,
        answer: Result<T>,
        good: impl Fn(&Result<T>) -> bool,
    ) {
        if self.device_fails {
            let code = answer.as_ref().err().map(Error::code);
            let fits = matches!(code, Some("read-only" | "outcome-unknown"));
            assert!(fits, "it rests on what was never published: {answer:?}");
        } else {
            assert!(good(&answer), "{answer:?}");
        }
    }
}

/// How a closure under locks ends that has read what is not published.
#[derive(Clone, Copy)]
enum End {
    Reads,
    ChangesNothing,
    Writes,
    Fails,
}

#[test]
fn an_answer_from_under_locks() {
    for device_fails in [false, true] {
        for end in [End::Reads, End::ChangesNothing, End::Writes, End::Fails] {
            from_under_locks(&Stage::new(device_fails), end);
        }
    }
}

fn from_under_locks(stage: &Stage, end: End) {
    let db = &stage.db;
    let rival = Rival::new(db, &["c"]);
    let mut runs_under_locks = 0;
    let answer = thread::scope(|scope| {
        let (released, release) = mpsc::channel::<()>();
        scope.spawn(move || {
            if release.recv().is_ok() {
                stage.storage.release_syncs();
            }
        });
        db.transact(|tx| {
            let n = number(tx, "c", "1")?;
            if db.status().commits.locked_runs == 0 {
                put(tx, "c", "1", n + 1)?;
                rival.strike();
                return Ok(n);
            }
            runs_under_locks += 1;
            if runs_under_locks == 1 {
                stage.hang(scope, "d");
            }
            // The first run strays here; the second one meets the tip as it is now.
            let unpublished = number(tx, "d", "1")?;
            assert_eq!((unpublished, runs_under_locks), (1, 2));
            released.send(()).expect("somebody waits for it");
            end_by(tx, end)?;
            Ok(unpublished)
        })
    });
    let version = db.snapshot().get("d", "1").map(|document| document.version().get());
    stage.assert_answer(answer, |answer| {
        assert!(version.is_some(), "the answer came before what it rests on");
        match end {
            End::Reads | End::ChangesNothing | End::Writes => matches!(answer, Ok(1)),
            End::Fails => matches!(answer, Err(Error::Aborted(_))),
        }
    });
}

fn end_by(tx: &Transaction, end: End) -> Result<()> {
    match end {
        End::Reads => Ok(()),
        End::ChangesNothing => tx.collection::<Json>("d")?.merge("1", r#"{"n":1}"#),
        End::Writes => put(tx, "c", "2", 2),
        End::Fails => Err(Error::aborted("no")),
    }
}

/// Whoever is told of a conflict finds its cause when it tries again.
#[test]
fn a_conflict() {
    for device_fails in [false, true] {
        let stage = Stage::new(device_fails);
        let db = &stage.db;
        let tx = db.begin();
        let n = number(&tx, "c", "1").expect("reads succeed");
        put(&tx, "c", "1", n + 5).expect("puts succeed");
        thread::scope(|scope| {
            stage.hang(scope, "c");
            scope.spawn(|| {
                // The conflict is counted when it is found, which is before it is told.
                while db.status().commits.conflicts == 0 {
                    thread::yield_now();
                }
                stage.storage.release_syncs();
            });
            stage.assert_answer(db.commit(tx), |answer| {
                let Err(Error::Conflict(conflicts)) = answer else { return false };
                conflicts.iter().all(|conflict| conflict.overtaken_by <= db.snapshot().version())
            });
        });
    }
}

/// A write that changes nothing is compared with the tip, and is true only once that is published.
#[test]
fn a_write_that_changes_nothing() {
    for device_fails in [false, true] {
        let stage = Stage::new(device_fails);
        let db = &stage.db;
        thread::scope(|scope| {
            stage.hang(scope, "c");
            let (begun, is_under_way) = mpsc::channel();
            let storage = &stage.storage;
            scope.spawn(move || {
                is_under_way.recv().expect("it begins");
                // Nothing tells when it waits. If it does not, it has all the chances to end.
                for _ in 0..10_000 {
                    thread::yield_now();
                }
                storage.release_syncs();
            });
            let tx = db.begin();
            put(&tx, "c", "1", 1).expect("puts succeed");
            begun.send(()).expect("somebody waits for it");
            let answer = db.commit(tx);
            let published = db.snapshot().version();
            stage.assert_answer(
                answer,
                |answer| matches!(answer, Ok(version) if *version <= published),
            );
        });
    }
}
