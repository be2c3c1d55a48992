//! Every storage operation of a script fails once, and the process lives on. A commit is then
//! acknowledged and there, refused and absent, or unknown and either; and what was acknowledged
//! before or after outlives a restart and a power cut.

use std::sync::atomic::{AtomicU64, Ordering};

use monsterdb::{
    Database, Durability, Error, Health,
    storage::{CrashKind, Failure, Fault, MemoryStorage, OperationKind},
};

use crate::{
    every_operation::{Image, Sometimes, count},
    recovery::{interrupted, served_is_safe},
    scripts,
    workload::{
        History, Run, Step, Write, commit, depth, is_refusal, needless_file, open, script,
        undisturbed,
    },
};

/// Images of a power cut that are looked at after a failure, and at the end.
const SEEDS: u64 = 3;

/// What became of the steps.
#[derive(Debug, Default)]
struct Outcomes {
    images: Sometimes,
    refused: AtomicU64,
    unknown: AtomicU64,
    unnoticed: AtomicU64,
    checkpoint_failed: AtomicU64,
    read_only: AtomicU64,
    open_failed: AtomicU64,
}

/// A run with a fault in it, and a second database that takes the same steps without one.
struct Disturbed<'a> {
    run: Run,
    shadow: Database,
    history: History,
    outcomes: &'a Outcomes,
    what: String,
}

#[test]
fn always_durable() {
    fail_everywhere("ALWAYS", scripts::ALWAYS);
}

#[test]
fn mixed_durability() {
    fail_everywhere("MIXED", scripts::MIXED);
}

#[test]
fn collections_come_and_go() {
    fail_everywhere("CATALOG", scripts::CATALOG);
}

#[test]
fn indexes_come_and_go() {
    fail_everywhere("INDEXES", scripts::INDEXES);
}

#[test]
fn files_of_changes_come_and_go() {
    fail_everywhere("CHAINS", scripts::CHAINS);
}

fn fail_everywhere(name: &str, text: &str) {
    let steps = script(text);
    let whole = MemoryStorage::new();
    undisturbed(&whole, &steps);
    let outcomes = Outcomes::default();
    let trace = whole.trace();
    let first_sync = trace.iter().find(|done| done.kind == OperationKind::SyncFolder).unwrap();
    assert_eq!(first_sync.name, "");
    // The very first sync of the directory makes the folders' names safe. When it fails, on a
    // directory without a database in it, nothing that a second attempt can do is sure to mend that
    // (see the module `storage::memory` on syncs that fail), so there the attempt must be made
    // elsewhere.
    let made = |operation: &u64| *operation != first_sync.number;
    for operation in (1..=whole.operations()).filter(made) {
        for fault in [
            Fault::FailAt { operation, failure: Failure::Device },
            Fault::FailAt { operation, failure: Failure::Full },
            Fault::ShortWrite { operation },
        ] {
            let trace = whole.trace();
            let what = format!("{name}, {fault:?} in {}", trace[operation as usize - 1]);
            Disturbed::open(fault, &outcomes, what).run(&steps, operation);
        }
    }
    println!("{name}: {} operations, {outcomes:?}", whole.operations());
    let Outcomes { refused, unknown, unnoticed, checkpoint_failed, read_only, open_failed, .. } =
        &outcomes;
    for counter in [refused, unknown, unnoticed, checkpoint_failed, read_only, open_failed] {
        assert!(counter.load(Ordering::Relaxed) > 0, "{name}: something never happened");
    }
}

impl<'a> Disturbed<'a> {
    /// Opens an empty disk that will have a fault. When that makes opening fail, the second
    /// attempt succeeds.
    fn open(fault: Fault, outcomes: &'a Outcomes, what: String) -> Disturbed<'a> {
        let storage = MemoryStorage::new();
        storage.inject(fault);
        let run = Run::open(&storage).unwrap_or_else(|_| {
            count(&outcomes.open_failed, true);
            Run::open(&storage).unwrap_or_else(|error| panic!("{what}: {error}"))
        });
        let shadow = shadow_of(&storage);
        let mut history = History::default();
        history.note(run.snapshot());
        Disturbed { run, shadow, history, outcomes, what }
    }

    fn run(mut self, steps: &[Step], seed: u64) {
        let mut noticed = false;
        for step in steps {
            let before = self.run.snapshot();
            match (self.run.step(step), step) {
                (Ok(_), Step::Reopen) => self.follow_reopening(),
                (Ok(_), Step::Commit(_, writes)) => {
                    commit(&self.shadow, Durability::Always, writes).unwrap();
                    assert_eq!(self.run.snapshot(), self.shadow.snapshot(), "{}", self.what);
                    self.history.note(self.run.snapshot());
                }
                (Ok(_), Step::Checkpoint | Step::Maintain) => {}
                (Err(error), Step::Commit(_, writes)) if is_refusal(&error) => {
                    // It rests on a commit that failed before.
                    assert!(noticed, "{}: {step:?}: {error}", self.what);
                    let refused = commit(&self.shadow, Durability::Always, writes);
                    assert!(refused.is_err_and(|e| e.code() == error.code()), "{}", self.what);
                }
                (Err(error), _) => {
                    noticed = true;
                    if !matches!(step, Step::Reopen) {
                        assert_eq!(*before, *self.run.snapshot(), "{}", self.what);
                    }
                    self.judge(step, &error);
                    self.check_nothing_is_left();
                    self.try_images(seed);
                    self.interrupt_restart(step, seed);
                    self.go_on(step);
                }
            }
        }
        count(&self.outcomes.unnoticed, !noticed);
        self.try_images(seed + 1);
    }

    /// What an error may mean.
    fn judge(&mut self, step: &Step, error: &Error) {
        let Disturbed { what, outcomes, .. } = self;
        match (step, error) {
            (Step::Commit(_, writes), Error::OutcomeUnknown { .. }) => {
                count(&outcomes.unknown, true);
                commit(&self.shadow, Durability::Always, writes).unwrap();
                self.history.note(self.shadow.snapshot());
                assert_eq!(self.run.db().status().health, Health::ReadOnly, "{what}");
            }
            (Step::Commit(..), Error::Io { .. } | Error::StorageFull { .. }) => {
                count(&outcomes.refused, true);
                assert_eq!(self.run.db().status().health, Health::Ready, "{what}");
            }
            (Step::Checkpoint | Step::Maintain, _) => count(&outcomes.checkpoint_failed, true),
            (Step::Reopen, _) => count(&outcomes.open_failed, true),
            (Step::Commit(..), error) => panic!("{what}: {step:?}: {error}"),
        }
    }

    /// After a checkpoint that failed, the disk may hold another manifest than reading shows; the
    /// restart that sorts that out may crash as well.
    fn interrupt_restart(&self, step: &Step, seed: u64) {
        let goes_on = |db: &Database| db.status().health == Health::Ready;
        if matches!(step, Step::Commit(..)) || self.run.db.as_ref().is_some_and(goes_on) {
            return;
        }
        let image = Image {
            storage: self.run.storage.crash(CrashKind::Process, 0),
            history: &self.history,
            promise: self.run.promise,
            what: format!("{}, then a restart", self.what),
        };
        interrupted(&image, seed, &self.outcomes.images);
    }

    /// A checkpoint that failed takes its files back, so that a full device does not stay full.
    fn check_nothing_is_left(&self) {
        if self.run.db.as_ref().is_none_or(|db| db.status().health != Health::Ready) {
            return;
        }
        assert_eq!(needless_file(&self.run.storage), None, "{}", self.what);
    }

    /// Works on where that is promised, and restarts where it is not.
    fn go_on(&mut self, step: &Step) {
        let closed = matches!(step, Step::Reopen);
        if !closed && self.run.db().status().health == Health::Ready {
            return;
        }
        if !closed {
            count(&self.outcomes.read_only, true);
            let published = self.run.snapshot();
            let write = [Write::Create("more".to_owned())];
            let refused = commit(self.run.db(), Durability::None, &write);
            assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{}: {refused:?}", self.what);
            assert!(self.run.db().checkpoint().is_err(), "{}", self.what);
            assert_eq!(published, self.run.snapshot(), "{}", self.what);
        }
        let promise = self.run.promise;
        self.run.reopen().unwrap_or_else(|error| panic!("{}: {error}", self.what));
        let objection = self.history.objection(&self.run.snapshot(), promise.process);
        assert_eq!(objection, None, "{}, after a restart", self.what);
        self.follow_reopening();
    }

    fn follow_reopening(&mut self) {
        self.shadow = shadow_of(&self.run.storage);
        assert_eq!(self.run.snapshot(), self.shadow.snapshot(), "{}", self.what);
        self.history = self.history.up_to(self.shadow.snapshot().version());
    }

    fn try_images(&self, seed: u64) {
        let powers = (0..SEEDS * depth()).map(|n| (CrashKind::Power, seed * 13 + n));
        for (kind, seed) in powers.chain([(CrashKind::Process, 0)]) {
            let image = Image {
                storage: self.run.storage.crash(kind, seed),
                history: &self.history,
                promise: self.run.promise.after(kind),
                what: format!("{}, then {kind:?}, seed {seed}", self.what),
            };
            let version = image.reopen(&self.outcomes.images);
            served_is_safe(&image, version, seed, &self.outcomes.images);
        }
    }
}

/// Another database with the same content, on a disk of its own.
fn shadow_of(storage: &MemoryStorage) -> Database {
    open(&storage.crash(CrashKind::Process, 0)).unwrap()
}
