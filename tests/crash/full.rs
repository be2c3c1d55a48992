//! The device is full: writes are refused, reads go on, and when there is room again writes do
//! too, without a restart. Nothing acknowledged is lost, wherever it crashes.

use std::{sync::Arc, time::Duration};

use monsterdb::{
    Durability, Error, Health,
    storage::{CrashKind, Failure, Fault, MemoryStorage, OperationKind},
};

use crate::{
    every_operation::{Image, Sometimes},
    scripts,
    workload::{
        History, Promise, Run, Step, Write, commit, depth, is_refusal, open, options, script,
    },
};

/// Bytes by which the room is made larger from run to run.
const ROOM_STEP: u64 = 700;

/// A database on a device that fills up.
struct Filling {
    run: Run,
    history: History,
    refused: usize,
    what: String,
}

#[test]
fn room_runs_out_and_comes_back() {
    let mut refused = 0;
    for (name, text) in [("ALWAYS", scripts::ALWAYS), ("CATALOG", scripts::CATALOG)] {
        let steps = steps_without_reopening(text);
        for begin in (0..steps.len()).step_by(3) {
            for room in (0..24).map(|n| n * ROOM_STEP) {
                let what = format!("{name}, {room} bytes left before step {begin}");
                let mut filling = Filling::new(what);
                filling.perform(&steps[..begin]);
                assert_eq!(filling.refused, 0);
                let used = filling.used();
                filling.run.storage.set_capacity(Some(used + room));
                filling.perform(&steps[begin..]);
                filling.check_crashes(begin as u64 + room);
                filling.run.storage.set_capacity(None);
                filling.check_recovered();
                refused += filling.refused;
            }
        }
    }
    println!("{refused} steps refused");
    assert!(refused > 0, "the device was never full");
}

#[test]
fn no_segment_can_be_made_for_a_while() {
    let steps = steps_without_reopening(scripts::ALWAYS);
    for begin in 0..steps.len() {
        let mut filling = Filling::new(format!("no room for segments from step {begin}"));
        filling.perform(&steps[..begin]);
        let fault = Fault::FailAll { kind: OperationKind::Allocate, failure: Failure::Full };
        filling.run.storage.inject(fault);
        filling.perform(&steps[begin..]);
        filling.check_crashes(begin as u64);
        filling.run.storage.clear_faults();
        filling.check_recovered();
    }
}

/// The maintenance cannot make a segment; what it owes besides is done all the same.
#[test]
fn promised_syncs_and_checkpoints_need_no_room_for_segments() {
    let storage = MemoryStorage::new();
    let builder = options().checkpoint_operations(8);
    let db = builder.open_in(Arc::new(storage.clone())).unwrap();
    let fault = Fault::FailAll { kind: OperationKind::Allocate, failure: Failure::Full };
    for number in 0..12 {
        let name = format!("c{number}");
        let write = [Write::Create(name)];
        let version = commit(&db, Durability::Interval(Duration::ZERO), &write).unwrap();
        storage.inject(fault);
        let maintained = db.maintain();
        storage.clear_faults();
        assert!(matches!(maintained, Err(Error::StorageFull { .. })), "{maintained:?}");
        assert_eq!(db.status().synced, version);
        let reopened = open(&storage.crash(CrashKind::Power, number)).unwrap();
        assert_eq!(reopened.snapshot(), db.snapshot());
    }
    assert_eq!(db.status().checkpoint.get(), 8, "a checkpoint was due");
}

impl Filling {
    fn new(what: String) -> Filling {
        let run = Run::open(&MemoryStorage::new()).unwrap();
        let mut history = History::default();
        history.note(run.snapshot());
        Filling { run, history, refused: 0, what }
    }

    fn perform(&mut self, steps: &[Step]) {
        for step in steps {
            let before = self.run.snapshot();
            match self.run.step(step) {
                Ok(_) => self.history.note(self.run.snapshot()),
                Err(Error::StorageFull { .. }) => {
                    self.refused += 1;
                    assert_eq!(*before, *self.run.snapshot(), "{}", self.what);
                }
                Err(error) => {
                    let rests_on_refused = is_refusal(&error) && self.refused > 0;
                    assert!(rests_on_refused, "{}: {step:?}: {error}", self.what);
                }
            }
            assert_eq!(self.run.db().status().health, Health::Ready, "{}", self.what);
        }
    }

    fn used(&self) -> u64 {
        let storage = &self.run.storage;
        storage.names().iter().map(|name| storage.contents(name).unwrap().len() as u64).sum()
    }

    fn check_crashes(&self, seed: u64) {
        let powers = (0..2 * depth()).map(|n| (CrashKind::Power, seed * 17 + n));
        for (kind, seed) in powers.chain([(CrashKind::Process, 0)]) {
            let image = Image {
                storage: self.run.storage.crash(kind, seed),
                history: &self.history,
                promise: self.run.promise.after(kind),
                what: format!("{}, {kind:?}, seed {seed}", self.what),
            };
            image.reopen(&Sometimes::default());
        }
    }

    /// There is room again: the same database goes on.
    fn check_recovered(&mut self) {
        let large = Write::Put(crate::workload::Place::named("z/1"), 3000);
        let steps = [
            Step::Commit(Durability::Always, vec![large.clone()]),
            Step::Maintain,
            Step::Checkpoint,
        ];
        let refused = self.refused;
        self.perform(&steps);
        assert_eq!(self.refused, refused, "{}: there is room", self.what);
        assert_eq!(self.run.promise.power, Promise::of(self.run.snapshot().version()).power);
        self.check_crashes(1);
    }
}

fn steps_without_reopening(text: &str) -> Vec<Step> {
    script(text).into_iter().filter(|step| *step != Step::Reopen).collect()
}
