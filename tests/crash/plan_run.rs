//! Performs a plan: a run with faults in it, beside a shadow that takes the same steps without one.

use monsterdb::{
    Database, Durability, Error, Health, Snapshot, Version,
    storage::{CrashKind, Fault, MemoryStorage, OperationKind},
};

use crate::{
    plans::{Action, Trouble},
    tally::{Tally, label},
    together::Together,
    workload::{
        History, Place, Promise, Run, Step, Write, commit, is_refusal, needless_file, open,
    },
};

/// Images of a power cut that are looked at after a failure and at the end.
const SEEDS: u64 = 1;

/// A database with the same content, on a disk of its own that never fails.
pub(crate) struct Shadow {
    storage: MemoryStorage,
    pub(crate) db: Database,
}

/// A plan at work.
struct Planned<'a> {
    run: Run,
    shadow: Shadow,
    /// What may have happened: one history, or several while the order of commits is unknown.
    histories: Vec<History>,
    /// How the process ends if it dies in an operation.
    end: (CrashKind, u64),
    /// Versions that somebody was told nothing certain of.
    unknown: Vec<Version>,
    planned: u64,
    met: u64,
    /// There was no room since the last restart; and whether this device's end was met already.
    was_full: bool,
    end_met: bool,
    tally: &'a Tally,
}

/// Performs a plan, and panics where something is not as it was told.
pub(crate) fn perform(actions: &[Action], tally: &Tally) {
    let run = Run::open(&MemoryStorage::new()).unwrap();
    let mut planned = Planned {
        shadow: Shadow::of(&run.storage),
        run,
        histories: vec![History::default()],
        end: (CrashKind::Power, 0),
        unknown: Vec::new(),
        planned: 0,
        met: 0,
        was_full: false,
        end_met: false,
        tally,
    };
    planned.note_state();
    let furniture = "counters/n a/1 a/2 a/3 b/1 b/2 b/3 c/1 c/2 c/3".split(' ');
    let furniture = furniture.map(|place| Write::Put(Place::named(place), 0)).collect();
    planned.step(&Step::Commit(Durability::Always, furniture));
    for (number, action) in (0..).zip(actions) {
        planned.act(action, number);
    }
    planned.look_at_images(actions.len() as u64);
    planned.count_faults();
    tally.event("several faults in one plan", planned.met > 1);
}

impl Planned<'_> {
    fn act(&mut self, action: &Action, number: u64) {
        match action {
            Action::Step(step) => self.step(step),
            Action::Together(durabilities) => self.together(number, durabilities),
            Action::Fault(trouble, after) => self.inject(*trouble, *after),
            Action::Room(bytes) => {
                let storage = &self.run.storage;
                let length = |name: &String| storage.contents(name).unwrap().len() as u64;
                let used: u64 = storage.names().iter().map(length).sum();
                storage.set_capacity(Some(used + bytes));
                self.end_met = false;
                self.planned += 1;
                self.tally.faults.borrow_mut().note("no room", false);
            }
            Action::RoomAgain => self.run.storage.set_capacity(None),
            Action::Crash(kind, seed) => {
                self.tally.event(&format!("{kind:?} crash between steps"), true);
                self.crash(*kind, *seed);
            }
        }
    }

    fn inject(&mut self, trouble: Trouble, after: u64) {
        let storage = &self.run.storage;
        let operation = storage.operations() + after;
        let fault = match trouble {
            Trouble::Fail(failure) => Fault::FailAt { operation, failure },
            Trouble::FailOf(kind, failure) => {
                Fault::FailNth { kind, nth: storage.operations_of(kind) + after, failure }
            }
            Trouble::ShortWrite => Fault::ShortWrite { operation },
            Trouble::TornWrite => Fault::TornWrite { operation },
            Trouble::Crash(kind, seed) => {
                self.end = (kind, seed);
                Fault::CrashAt { operation }
            }
        };
        storage.inject(fault);
        self.planned += 1;
        self.tally.faults.borrow_mut().note(&label(&fault), false);
    }

    fn step(&mut self, step: &Step) {
        let (before, promise) = (self.run.snapshot(), self.run.promise);
        match (self.run.step(step), step) {
            (Ok(_), Step::Reopen) => self.follow(promise.process),
            (Ok(_), Step::Commit(durability, writes)) => {
                self.tally.outcome("acknowledged", *durability);
                let room_again = std::mem::take(&mut self.was_full);
                self.tally.event("room came back and the work went on", room_again);
                commit(&self.shadow.db, Durability::Always, writes).unwrap();
                assert_eq!(self.run.snapshot(), self.shadow.db.snapshot(), "acknowledged");
                self.note_state();
            }
            (Ok(_), Step::Checkpoint | Step::Maintain) => {}
            (Err(error), Step::Commit(durability, writes)) if is_refusal(&error) => {
                self.tally.outcome("refused by the content", *durability);
                let refused = commit(&self.shadow.db, Durability::Always, writes);
                assert!(refused.is_err_and(|e| e.code() == error.code()), "{step:?}: {error}");
            }
            (Err(error), _) => {
                if !matches!(step, Step::Reopen) {
                    assert_eq!(*before, *self.run.snapshot(), "{step:?} failed: {error}");
                }
                self.judge(step, &error);
                self.look_at_images(before.version().get());
            }
        }
        self.go_on();
    }

    /// What an error may mean.
    fn judge(&mut self, step: &Step, error: &Error) {
        let health = self.run.db.as_ref().map(|db| db.status().health);
        match (step, error) {
            (Step::Commit(durability, writes), Error::OutcomeUnknown { .. }) => {
                self.tally.outcome("unknown", *durability);
                let version = commit(&self.shadow.db, Durability::Always, writes).unwrap();
                self.unknown.push(version);
                self.note_state();
                assert_eq!(health, Some(Health::ReadOnly), "{error}");
            }
            (Step::Commit(durability, _), Error::Io { .. } | Error::StorageFull { .. }) => {
                self.tally.outcome("refused", *durability);
                assert!(self.has_crashed() || health == Some(Health::Ready), "{health:?}: {error}");
            }
            (Step::Checkpoint, _) => self.tally.event("checkpoint failed", true),
            (Step::Maintain, _) => self.tally.event("maintenance failed", true),
            (Step::Reopen, _) => self.tally.event("opening failed, and then did not", true),
            (Step::Commit(..), error) => panic!("{step:?}: {error}"),
        }
        self.note_full(error);
    }

    /// Commits of several threads: which of the possible orders it was, the versions tell, or
    /// what a restart finds.
    fn together(&mut self, number: u64, durabilities: &[Durability]) {
        let before = self.run.snapshot();
        let done = Together::perform(&self.run, number, durabilities);
        for (durability, outcome) in durabilities.iter().zip(&done.outcomes) {
            let told = match outcome {
                Ok(version) => {
                    self.run.acknowledge(*durability, *version);
                    "together: acknowledged"
                }
                Err(Error::OutcomeUnknown { .. }) => "together: unknown",
                Err(Error::Io { .. } | Error::StorageFull { .. } | Error::ReadOnly { .. }) => {
                    "together: refused"
                }
                Err(error) => panic!("together: {error}"),
            };
            self.tally.outcome(told, *durability);
            if let Err(error) = outcome {
                self.note_full(error);
            }
        }
        self.tally.event("several commits in one write", done.shared_a_write);
        let orders = done.orders(before.version());
        let base = self.histories[0].clone();
        self.histories.clear();
        let unshadowed = Shadow::of(&self.shadow.storage);
        for order in &orders {
            self.shadow = Shadow::of(&unshadowed.storage);
            self.histories.push(base.clone());
            for place in order {
                let write = Together::writes(number, *place);
                commit(&self.shadow.db, Durability::Always, &write).unwrap();
                self.histories.last_mut().unwrap().note(self.shadow.db.snapshot());
            }
        }
        let last = self.shadow.db.snapshot().version();
        let published = self.run.snapshot();
        self.fitting(&published, done.acknowledged());
        if done.is_known() {
            assert_eq!(orders.len(), 1);
            assert_eq!(published.version(), last, "all that was acknowledged, and no more");
        } else {
            let unknown = (before.version().get() + 1..=last.get()).map(Version::new);
            self.unknown.extend(unknown.filter(|version| *version > done.acknowledged()));
            assert_eq!(self.run.db().status().health, Health::ReadOnly);
            self.look_at_images(number);
        }
        self.go_on();
    }

    /// Works on where that is promised, and restarts where it is not.
    fn go_on(&mut self) {
        let promise = self.run.promise;
        let mut attempts = 0;
        loop {
            if self.has_crashed() {
                let (kind, seed) = self.end;
                return self.crash(kind, seed);
            }
            match &self.run.db {
                Some(db) if db.status().health == Health::Ready => break,
                Some(db) => {
                    self.tally.event("read-only", true);
                    let write = [Write::Create("more".to_owned())];
                    let refused = commit(db, Durability::None, &write);
                    assert!(matches!(refused, Err(Error::ReadOnly { .. })), "{refused:?}");
                    assert!(db.checkpoint().is_err());
                }
                None => {}
            }
            attempts += 1;
            match self.run.reopen() {
                Ok(()) => self.follow(promise.process),
                Err(error) => {
                    assert!(attempts <= self.planned, "nothing fails any more: {error}");
                    self.tally.event("opening failed, and then did not", true);
                    self.note_full(&error);
                    // A device that stays full is not opened.
                    self.run.storage.set_capacity(None);
                }
            }
        }
    }

    fn has_crashed(&self) -> bool {
        self.run.storage.met().iter().any(|fault| matches!(fault, Fault::CrashAt { .. }))
    }

    /// The process or the power ends, and the database goes on from what is left.
    fn crash(&mut self, kind: CrashKind, seed: u64) {
        self.count_faults();
        let promise = self.run.promise.after(kind);
        let image = self.run.storage.crash(kind, seed);
        self.run.db = None;
        self.run = Run::open(&image).unwrap();
        self.follow(promise.process);
    }

    /// Takes up what a restart found, which must be a state that was committed.
    fn follow(&mut self, promised: Version) {
        let state = self.run.snapshot();
        let history = self.fitting(&state, promised);
        self.histories = vec![self.histories[history].up_to(state.version())];
        for version in self.unknown.drain(..) {
            let there = version <= state.version();
            self.tally.event(if there { "unknown and there" } else { "unknown and absent" }, true);
        }
        self.was_full = false;
        self.note_opening(self.run.db());
        self.shadow = Shadow::of(&self.run.storage);
        assert_eq!(state, self.shadow.db.snapshot());
    }

    /// Which of the histories holds a state and what was promised.
    fn fitting(&self, state: &Snapshot, promised: Version) -> usize {
        let objections: Vec<Option<String>> =
            self.histories.iter().map(|history| history.objection(state, promised)).collect();
        let fits = objections.iter().position(Option::is_none);
        fits.unwrap_or_else(|| panic!("{objections:#?}"))
    }

    /// Whatever a crash would leave now opens, holds what it should, and works on.
    fn look_at_images(&self, seed: u64) {
        let powers = (0..SEEDS).map(|n| (CrashKind::Power, seed * 13 + n));
        for (kind, seed) in powers.chain([(CrashKind::Process, 0)]) {
            let image = self.run.storage.crash(kind, seed);
            let Promise { process: promised, .. } = self.run.promise.after(kind);
            let db = open(&image).unwrap();
            let served = db.snapshot();
            self.fitting(&served, promised);
            assert_eq!(needless_file(&image), None);
            self.note_opening(&db);
            let lost = served.version() < self.run.promise.process;
            self.tally.event("unsynced commits lost", lost);
            let again = open(&image.crash(CrashKind::Power, seed)).unwrap();
            assert_eq!(again.snapshot(), served, "what was served is safe");
            let write = [Write::Increment(Place::named("counters/n"))];
            let version = commit(&db, Durability::Always, &write).unwrap();
            assert_eq!(version, served.version().next());
            let again = open(&image.crash(CrashKind::Power, seed + 1)).unwrap();
            assert_eq!(again.snapshot(), db.snapshot(), "the work went on");
        }
    }

    fn note_state(&mut self) {
        let state = self.shadow.db.snapshot();
        self.histories.iter_mut().for_each(|history| history.note(state.clone()));
    }

    fn note_opening(&self, db: &Database) {
        let recovery = db.status().recovery;
        self.tally.event("torn tail cut", recovery.cut.is_some());
        self.tally.event("index rebuilt", !recovery.rebuilt.is_empty());
    }

    fn note_full(&mut self, error: &Error) {
        let full = |fault: &Fault| label(fault).contains("full");
        if matches!(error, Error::StorageFull { .. }) && !self.run.storage.met().iter().any(full) {
            self.was_full = true;
            if !std::mem::replace(&mut self.end_met, true) {
                self.met += 1;
                self.tally.faults.borrow_mut().note_match("no room");
            }
        }
    }

    /// Counts the faults that this disk has met.
    fn count_faults(&mut self) {
        let (met, trace) = (self.run.storage.met(), self.run.storage.trace());
        self.met += met.len() as u64;
        for fault in &met {
            let name = match fault {
                // Nothing was written there: it failed as a whole.
                Fault::ShortWrite { operation } | Fault::TornWrite { operation }
                    if trace[*operation as usize - 1].kind != OperationKind::Write =>
                {
                    "device error".to_owned()
                }
                fault => label(fault),
            };
            self.tally.faults.borrow_mut().note_match(&name);
        }
    }
}

impl Shadow {
    pub(crate) fn of(storage: &MemoryStorage) -> Shadow {
        let storage = storage.crash(CrashKind::Process, 0);
        let db = open(&storage).unwrap();
        Shadow { storage, db }
    }
}
