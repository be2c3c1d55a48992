//! Running a history on the engine and on the model, side by side.

use std::collections::BTreeMap;

use monsterdb::{CollectionOptions, Conflict, Database, Error, Isolation, Savepoint, Transaction};

use super::{
    engine::{perform, read},
    operation::{COLLECTIONS, Content, IDS, Operation, Place, SERIALIZABLE_SLOTS, SLOTS, Step},
    reference::{Answer, Dependency, Own, Predicate, State, Writes},
};

/// How often what was met: a history that never conflicts proves little.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    pub(crate) committed: u64,
    pub(crate) conflicts: u64,
    pub(crate) limited: u64,
    pub(crate) limited_over_own_writes: u64,
    pub(crate) blind: u64,
    pub(crate) unchanged: u64,
    pub(crate) refused_at_commit: u64,
    pub(crate) snapshot_overtaken: u64,
    pub(crate) rolled_back_to: u64,
    pub(crate) replayed_reads: u64,
}

struct Run<'a> {
    db: Database,
    /// The state of each version, from the empty database on.
    states: Vec<State>,
    open: BTreeMap<usize, Open>,
    committed: Vec<Committed>,
    coverage: &'a mut Coverage,
}

struct Open {
    transaction: Transaction,
    savepoints: Vec<(Savepoint, Writes)>,
    start: u64,
    writes: Writes,
    rests: Vec<Dependency>,
    program: Vec<(Operation, Answer)>,
}

/// A serializable transaction that took effect.
struct Committed {
    /// The states before and after it; the same for one that changed nothing.
    before: u64,
    after: u64,
    program: Vec<(Operation, Answer)>,
}

/// Runs a history; an error says what differs.
pub(crate) fn check(steps: &[Step], coverage: &mut Coverage) -> Result<(), String> {
    let (db, states) = (Database::in_memory(), vec![State::default()]);
    let mut run = Run { db, states, open: BTreeMap::new(), committed: Vec::new(), coverage };
    run.furnish()?;
    for step in steps {
        run.step(step).map_err(|difference| format!("at {step:?}: {difference}"))?;
        same("the published state", &read(&run.db.snapshot()), run.tip())?;
    }
    for slot in 0..SLOTS {
        run.commit(slot).map_err(|difference| format!("at the last commits: {difference}"))?;
    }
    for (number, committed) in run.committed.iter().enumerate() {
        let reads = run
            .replay(committed)
            .map_err(|difference| format!("run alone, commit {number}: {difference}"))?;
        run.coverage.replayed_reads += reads;
    }
    Ok(())
}

impl Run<'_> {
    fn tip(&self) -> &State {
        self.states.last().expect("the empty state is always there")
    }

    /// One collection full and one half full to begin with.
    fn furnish(&mut self) -> Result<(), String> {
        for (collection, count) in [(0, IDS.len()), (1, IDS.len() / 2)] {
            for id in 0..count {
                let content = Content { group: id as i64 % 3, number: Some(id as i64 % 5) };
                self.operate(0, &Operation::Put((collection, id), content))?;
            }
        }
        self.commit(0)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Operation(slot, operation) => self.operate(*slot, operation),
            Step::Commit(slot) => self.commit(*slot),
            Step::Rollback(slot) => {
                if let Some(open) = self.open.remove(slot) {
                    open.transaction.rollback();
                }
                Ok(())
            }
            Step::Create(collection) => {
                let made = self
                    .db
                    .create_collection(COLLECTIONS[*collection], CollectionOptions::default());
                made.map_err(|error| error.to_string())?;
                let version = self.states.len() as u64;
                let mut next = self.tip().clone();
                if !next.collections.contains_key(collection) {
                    next.collections.entry(*collection).or_default().created = version;
                    self.states.push(next);
                }
                Ok(())
            }
            Step::Drop(collection) => {
                let dropped = self.db.drop_collection(COLLECTIONS[*collection]);
                let mut next = self.tip().clone();
                let was_there = next.collections.remove(collection).is_some();
                if was_there {
                    self.states.push(next);
                }
                same("dropping", &dropped.is_ok(), &was_there)
            }
        }
    }

    fn operate(&mut self, slot: usize, operation: &Operation) -> Result<(), String> {
        let db = &self.db;
        let open = self.open.entry(slot).or_insert_with(|| Open::begin(db, slot));
        let state = &self.states[open.start as usize];
        self.coverage.note(operation, &open.writes);
        if open.at_savepoint(operation) {
            return Ok(());
        }
        let (expected, rests) = open.writes.run(state, operation);
        let answer = perform(&open.transaction, operation);
        open.rests.extend(rests);
        open.program.push((operation.clone(), answer.clone()));
        same("the answer", &answer, &expected)
    }

    fn commit(&mut self, slot: usize) -> Result<(), String> {
        let Some(open) = self.open.remove(&slot) else { return Ok(()) };
        let (start, tip) = (&self.states[open.start as usize], self.tip());
        let tip_version = self.states.len() as u64 - 1;
        let rests = open.rests_on(start);
        let overtaken = rests.iter().any(|one| one.is_overtaken(start, tip));
        let all_overtaken = open.rests.iter().any(|one| one.is_overtaken(start, tip));
        let serializable = open.transaction.isolation() == Isolation::Serializable;
        let outcome = self.db.commit(open.transaction);
        if open.writes.0.is_empty() {
            let version = outcome.map_err(|error| format!("it only reads, and yet: {error}"))?;
            same("the version of a reader", &version.get(), &open.start)?;
            let program = open.program;
            self.committed.extend(serializable.then_some(Committed {
                before: open.start,
                after: open.start,
                program,
            }));
            return Ok(());
        }
        let next = tip.apply(&open.writes, tip_version + 1);
        match (outcome, overtaken, next) {
            (Err(Error::Conflict(conflicts)), true, _) => {
                self.coverage.conflicts += 1;
                conflicts
                    .iter()
                    .try_for_each(|conflict| check_conflict(conflict, open.start, tip_version))
            }
            (Err(Error::DocumentNotFound { .. }), false, None) => {
                self.coverage.refused_at_commit += 1;
                Ok(())
            }
            (Ok(version), false, Some((next, changed))) => {
                same("the version", &version.get(), &(tip_version + u64::from(changed)))?;
                self.coverage.committed += 1;
                self.coverage.unchanged += u64::from(!changed);
                self.coverage.snapshot_overtaken += u64::from(!serializable && all_overtaken);
                if changed {
                    self.states.push(next);
                }
                same("the committed state", &read(&self.db.snapshot()), self.tip())?;
                let (before, after, program) = (tip_version, version.get(), open.program);
                self.committed.extend(serializable.then_some(Committed { before, after, program }));
                Ok(())
            }
            (outcome, overtaken, next) => Err(format!(
                "the commit ended with {outcome:?}; overtaken: {overtaken}, applicable: {}; it rests on {rests:?}, at {start:?}, and meets {tip:?}",
                next.is_some()
            )),
        }
    }

    /// Runs a committed transaction alone on the state before its version. Returns how many reads
    /// were compared.
    fn replay(&self, committed: &Committed) -> Result<u64, String> {
        let (mut writes, mut savepoints, mut reads) = (Writes::default(), Vec::new(), 0);
        let state = &self.states[committed.before as usize];
        for (operation, answer) in &committed.program {
            match operation {
                Operation::Savepoint => savepoints.push(writes.clone()),
                Operation::RollbackTo(place) => {
                    savepoints.truncate(place + 1);
                    writes = savepoints[*place].clone();
                }
                Operation::Release(place) => savepoints.truncate(*place),
                Operation::SnapshotRead(_) => {}
                _ => {
                    same(&format!("{operation:?}"), answer, &writes.run(state, operation).0)?;
                    reads += 1;
                }
            }
        }
        let (after, _) =
            state.apply(&writes, committed.before + 1).ok_or("an update of nothing")?;
        same("the state after it", &after, &self.states[committed.after as usize])?;
        Ok(reads)
    }
}

impl Open {
    fn begin(db: &Database, slot: usize) -> Open {
        let isolation =
            if slot < SERIALIZABLE_SLOTS { Isolation::Serializable } else { Isolation::Snapshot };
        let transaction = db.begin_with(isolation);
        Open {
            start: transaction.version().get(),
            transaction,
            savepoints: Vec::new(),
            writes: Writes::default(),
            rests: Vec::new(),
            program: Vec::new(),
        }
    }

    /// True when the operation was one of savepoints. The program notes which one was meant.
    fn at_savepoint(&mut self, operation: &Operation) -> bool {
        let noted = match operation {
            Operation::Savepoint => {
                self.savepoints.push((self.transaction.savepoint(), self.writes.clone()));
                Some(Operation::Savepoint)
            }
            Operation::RollbackTo(place) if *place < self.savepoints.len() => {
                self.savepoints.truncate(place + 1);
                let (savepoint, writes) = &self.savepoints[*place];
                self.transaction.rollback_to(savepoint).expect("it is set");
                self.writes = writes.clone();
                Some(operation.clone())
            }
            Operation::Release(place) if *place < self.savepoints.len() => {
                let (savepoint, _) = self.savepoints.drain(place..).next().expect("it is set");
                self.transaction.release(savepoint).expect("it is set");
                Some(operation.clone())
            }
            Operation::RollbackTo(_) | Operation::Release(_) => None,
            _ => return false,
        };
        self.program.extend(noted.map(|operation| (operation, Answer::Done)));
        true
    }

    /// What the commit must find as it was. At snapshot isolation that is what is written, and of
    /// documents updated unseen what the transaction has looked at.
    fn rests_on(&self, start: &State) -> Vec<Dependency> {
        let mut rests = match self.transaction.isolation() {
            Isolation::Serializable => self.rests.clone(),
            Isolation::Snapshot => {
                let written = self.writes.0.iter();
                written.flat_map(|(place, own)| self.rests_of_write(start, *place, own)).collect()
            }
        };
        for (collection, _) in self.writes.0.keys() {
            if let Some(existing) = start.collections.get(collection) {
                rests.push(Dependency::Created(*collection, existing.created));
            }
        }
        rests
    }

    fn rests_of_write(&self, start: &State, place: Place, own: &Own) -> Vec<Dependency> {
        if !matches!(own, Own::Updates(_)) {
            return vec![Dependency::Document(place, start.version_of(place))];
        }
        let about_it = |one: &Dependency| match one {
            Dependency::Document(seen, _) => (*seen == place).then(|| one.clone()),
            Dependency::Predicate(asked) => (asked.collection == place.0)
                .then(|| Dependency::Predicate(Predicate { only: Some(place.1), ..asked.clone() })),
            Dependency::Created(..) => None,
        };
        self.rests.iter().filter_map(about_it).collect()
    }
}

impl Coverage {
    fn note(&mut self, operation: &Operation, writes: &Writes) {
        match operation {
            Operation::Find(collection, find) if find.limit.is_some() => {
                self.limited += 1;
                let own = writes.0.keys().any(|(written, _)| written == collection);
                self.limited_over_own_writes += u64::from(own);
            }
            Operation::Increment(..) | Operation::SetGroup(..) => self.blind += 1,
            Operation::RollbackTo(_) => self.rolled_back_to += 1,
            _ => {}
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, should: &T) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{what} is {is:?} and should be {should:?}")) }
}

fn check_conflict(conflict: &Conflict, start: u64, tip: u64) -> Result<(), String> {
    let (read, overtaken_by) = (conflict.read_version.get(), conflict.overtaken_by.get());
    same("the version read", &read, &start)?;
    if (start + 1..=tip).contains(&overtaken_by) {
        return Ok(());
    }
    Err(format!("{conflict} names a version outside {} to {tip}", start + 1))
}
