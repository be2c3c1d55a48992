//! A client in the database's own process: `transact`, and begin and commit by hand, with
//! savepoints, at both isolations.

use std::thread;

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, Error, Filter, Isolation, Query, Result,
    TransactOptions, Transaction, Update,
};
use serde_json::Value;

use super::{
    plan::{COUNTERS, Operation, Plan},
    record::{Event, Key, Outcome},
    recorder::{Notes, Recorder},
    workload::{Client, Gone},
};

pub(crate) struct Embedded<'a> {
    pub(crate) db: &'a Database,
    /// Whoever writes adds an item too, so that at the end it is known whether it took effect.
    pub(crate) marks: bool,
}

/// Reads of a client after the storage has failed, when reading goes on.
const LAST_READS: u64 = 3;

impl Client for Embedded<'_> {
    fn run(&mut self, plan: &mut Plan, recorder: &Recorder) -> Result<(), Gone> {
        if self.marks {
            plan.mark();
        }
        let plan = &*plan;
        let alive = match plan.style % 12 {
            0..4 => self.by_transact(plan, recorder),
            4 => self.give_up(plan, recorder),
            5 | 6 => self.with_savepoint(plan, recorder),
            _ => self.by_hand(plan, recorder),
        };
        if alive == Err(Gone) {
            (0..LAST_READS).for_each(|key| self.read_on(key, recorder));
        }
        alive
    }
}

/// Makes the counters, before anybody else is there.
pub(crate) fn make_counters(db: &Database) {
    for counter in 0..COUNTERS {
        db.transact(|tx| tx.put(&name("counters"), &id(counter), draft(r#"{"n":0}"#)))
            .expect("nobody else is there");
    }
}

/// Reads everything in one transaction, once everybody else is gone.
pub(crate) fn read_all(db: &Database, recorder: &Recorder) {
    let begun = recorder.begin("read everything", Isolation::Serializable);
    let tx = db.begin();
    let mut notes = Notes::default();
    for key in 0..Operation::keys(recorder) {
        for operation in [
            Operation::ReadList { key },
            Operation::ReadRegister { key },
            Operation::ReadBag { bag: key, limit: None },
            Operation::CountBag { bag: key },
        ] {
            operate(&tx, operation, &mut notes).expect("the operations fit");
        }
    }
    for key in 0..COUNTERS {
        operate(&tx, Operation::ReadCounter { key }, &mut notes).expect("the operations fit");
    }
    let version = db.commit(tx).expect("reading commits").get();
    recorder.end(begun, notes, Outcome::Committed(version));
}

impl Embedded<'_> {
    fn by_transact(&self, plan: &Plan, recorder: &Recorder) -> Result<(), Gone> {
        let begun = recorder.begin("transact", plan.isolation);
        let options = TransactOptions { isolation: plan.isolation, durability: None };
        let mut lost = Vec::new();
        let mut notes = Notes::default();
        let committed = self.db.transact_with(options, |tx| {
            lost.push(std::mem::take(&mut notes));
            operate_all(tx, &plan.choices, recorder, &mut notes)
        });
        let (outcome, alive) = outcome(committed.map(|committed| committed.version.get()));
        assert!(outcome != Outcome::Aborted || alive.is_err(), "transact ends well");
        recorder.end(begun, notes, outcome);
        // The values of runs that lost must be seen by nobody.
        for notes in lost.into_iter().skip(1) {
            recorder.end(begun, notes, Outcome::Aborted);
        }
        alive
    }

    fn by_hand(&self, plan: &Plan, recorder: &Recorder) -> Result<(), Gone> {
        let begun = recorder.begin("begin and commit", plan.isolation);
        let tx = self.db.begin_with(plan.isolation);
        let mut notes = Notes::default();
        operate_all(&tx, &plan.choices, recorder, &mut notes).expect("the operations fit");
        let (outcome, alive) = outcome(self.db.commit(tx).map(|version| version.get()));
        recorder.end(begun, notes, outcome);
        alive
    }

    fn give_up(&self, plan: &Plan, recorder: &Recorder) -> Result<(), Gone> {
        let begun = recorder.begin("begin and give up", plan.isolation);
        let tx = self.db.begin_with(plan.isolation);
        let mut notes = Notes::default();
        operate_all(&tx, &plan.choices, recorder, &mut notes).expect("the operations fit");
        tx.rollback();
        recorder.end(begun, notes, Outcome::Aborted);
        Ok(())
    }

    /// The middle of it is taken back, and must be seen by nobody.
    fn with_savepoint(&self, plan: &Plan, recorder: &Recorder) -> Result<(), Gone> {
        let begun = recorder.begin("savepoint", plan.isolation);
        let tx = self.db.begin_with(plan.isolation);
        let (before, rest) = plan.choices.split_at(plan.choices.len() / 3);
        let (between, after) = rest.split_at(rest.len().div_ceil(2));
        let mut notes = Notes::default();
        operate_all(&tx, before, recorder, &mut notes).expect("the operations fit");
        let savepoint = tx.savepoint();
        let kept = notes.events.len();
        operate_all(&tx, between, recorder, &mut notes).expect("the operations fit");
        tx.rollback_to(&savepoint).expect("the savepoint is set");
        let taken_back = notes.events.split_off(kept);
        notes.events.extend(still_true(&taken_back));
        operate_all(&tx, after, recorder, &mut notes).expect("the operations fit");
        let (outcome, alive) = outcome(self.db.commit(tx).map(|version| version.get()));
        recorder.end(begun, notes, outcome);
        let taken_back = Notes { events: taken_back, ..Notes::default() };
        recorder.end(begun, taken_back, Outcome::Aborted);
        alive
    }

    /// What was published before the storage failed can be read, and nothing else.
    fn read_on(&self, key: u64, recorder: &Recorder) {
        let begun = recorder.begin("read after the failure", Isolation::Serializable);
        let tx = self.db.begin();
        let mut notes = Notes::default();
        let key = Operation::keys(recorder) - 1 - key;
        for operation in [Operation::ReadList { key }, Operation::ReadBag { bag: key, limit: None }]
        {
            operate(&tx, operation, &mut notes).expect("the operations fit");
        }
        let version = self.db.commit(tx).expect("reading commits").get();
        recorder.end(begun, notes, Outcome::Committed(version));
    }
}

/// The reads among what was taken back, but for those that saw what the transaction itself wrote.
fn still_true(taken_back: &[Event]) -> Vec<Event> {
    let written: Vec<Key> =
        taken_back.iter().filter(|event| event.is_write()).map(Event::key).collect();
    let is_still_true = |event: &&Event| !event.is_write() && !written.contains(&event.key());
    taken_back.iter().filter(is_still_true).cloned().collect()
}

/// What came of a commit, and whether there will be another one.
fn outcome(result: Result<u64>) -> (Outcome, Result<(), Gone>) {
    match result {
        Ok(version) => (Outcome::Committed(version), Ok(())),
        Err(Error::Conflict(_)) => (Outcome::Aborted, Ok(())),
        Err(Error::OutcomeUnknown { .. }) => (Outcome::Unknown, Err(Gone)),
        Err(Error::ReadOnly { .. } | Error::Io { .. }) => (Outcome::Aborted, Err(Gone)),
        Err(error) => panic!("a commit fails: {error}"),
    }
}

fn operate_all(
    tx: &Transaction,
    choices: &[u64],
    recorder: &Recorder,
    notes: &mut Notes,
) -> Result<()> {
    notes.snapshot = Some(tx.version().get());
    choices.iter().try_for_each(|choice| {
        thread::yield_now();
        operate(tx, Operation::choose(*choice, recorder), notes)
    })
}

fn operate(tx: &Transaction, operation: Operation, notes: &mut Notes) -> Result<()> {
    match operation {
        Operation::ReadList { key } => drop(read_list(tx, key, notes)?),
        Operation::Append { key, value } => {
            let mut values = read_list(tx, key, notes)?;
            values.push(value);
            tx.put(&name("lists"), &id(key), draft(&format!(r#"{{"values":{values:?}}}"#)))?;
            notes.events.push(Event::Append { key, value });
        }
        Operation::Push { key, value } => {
            if tx.snapshot_read(&name("lists"), &id(key))?.is_some() {
                let update = Update::parse(&format!(r#"{{"$push":{{"values":{value}}}}}"#))?;
                tx.update(&name("lists"), &id(key), update)?;
                notes.events.push(Event::Append { key, value });
            }
        }
        Operation::ReadRegister { key } => {
            let found = tx.get(&name("registers"), &id(key))?;
            let value = found.as_ref().and_then(|document| number(document.json(), "value"));
            if let (Some(document), Some(value)) = (found, value) {
                notes.saw(("register", key), value, document.version().get());
            }
            notes.events.push(Event::ReadRegister { key, value });
        }
        Operation::WriteRegister { key, value } => {
            tx.put(&name("registers"), &id(key), draft(&format!(r#"{{"value":{value}}}"#)))?;
            notes.events.push(Event::WriteRegister { key, value });
        }
        Operation::ReadBag { bag, limit } => {
            let mut query = Query::new(Filter::parse(&format!(r#"{{"bag":{bag}}}"#))?);
            query = limit.map_or(query.clone(), |limit| query.limit(limit));
            let mut items = Vec::new();
            for (id, document) in tx.find(&name("items"), &query)? {
                let item = id.as_str().parse().expect("ids of items are numbers");
                notes.saw(("bag", bag), item, document.version().get());
                items.push(item);
            }
            notes.events.push(Event::ReadBag { bag, limit, items });
        }
        Operation::CountBag { bag } => {
            let query = Query::new(Filter::parse(&format!(r#"{{"bag":{bag}}}"#))?);
            let count = tx.count(&name("items"), &query)?;
            notes.events.push(Event::CountBag { bag, count });
        }
        Operation::AddItem { bag, item } => {
            tx.put(&name("items"), &padded(item), draft(&format!(r#"{{"bag":{bag}}}"#)))?;
            notes.events.push(Event::AddItem { bag, item });
        }
        Operation::ReadCounter { key } => {
            let found = tx.get(&name("counters"), &id(key))?;
            let value = found.and_then(|document| number(document.json(), "n"));
            notes.events.push(Event::ReadCounter { key, value: value.expect("it was made") });
        }
        Operation::Increment { key } => {
            let update = Update::parse(r#"{"$inc":{"n":1}}"#)?;
            tx.update(&name("counters"), &id(key), update)?;
            notes.events.push(Event::Increment { key });
        }
    }
    Ok(())
}

fn read_list(tx: &Transaction, key: u64, notes: &mut Notes) -> Result<Vec<u64>> {
    let mut values = Vec::new();
    if let Some(document) = tx.get(&name("lists"), &id(key))? {
        values = numbers(document.json());
        if let Some(last) = values.last() {
            notes.saw(("list", key), *last, document.version().get());
        }
    }
    notes.events.push(Event::ReadList { key, values: values.clone() });
    Ok(values)
}

fn numbers(json: &str) -> Vec<u64> {
    let value: Value = serde_json::from_str(json).expect("documents are JSON");
    let values = value["values"].as_array().expect("lists hold arrays");
    values.iter().map(|value| value.as_u64().expect("of numbers")).collect()
}

fn number(json: &str, member: &str) -> Option<u64> {
    serde_json::from_str::<Value>(json).expect("documents are JSON")[member].as_u64()
}

fn draft(body: &str) -> Draft {
    Draft::parse(body.as_bytes()).expect("a good body")
}

fn name(collection: &str) -> CollectionName {
    CollectionName::new(collection).expect("a good name")
}

fn id(key: u64) -> DocumentId {
    DocumentId::new(&key.to_string()).expect("a good id")
}

fn padded(item: u64) -> DocumentId {
    DocumentId::new(&format!("{item:020}")).expect("a good id")
}
