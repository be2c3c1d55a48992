//! Threads that work on one database and note what they see.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, Error, Filter, Isolation, Query, Result,
    TransactOptions, Transaction, Update,
};
use serde_json::Value;

use super::record::{Event, History, Outcome, Record};

pub(crate) struct Workload {
    pub(crate) seed: u64,
    pub(crate) threads: u64,
    /// Transactions of each thread.
    pub(crate) transactions: u64,
}

/// What threads share: the sequence of beginnings and ends, and the source of new values.
struct Shared<'a> {
    db: &'a Database,
    moments: AtomicU64,
    values: AtomicU64,
    records: Mutex<Vec<Record>>,
}

/// Lists, registers and bags are left behind after so many values, so that they stay short.
const VALUES_PER_KEY: u64 = 150;

impl Workload {
    pub(crate) fn run(&self, db: &Database) -> History {
        for counter in 0..2 {
            db.transact(|tx| tx.put(&name("counters"), &id(counter), draft(r#"{"n":0}"#)))
                .expect("nobody else is there");
        }
        let shared = Shared {
            db,
            moments: AtomicU64::new(0),
            values: AtomicU64::new(0),
            records: Mutex::new(Vec::new()),
        };
        thread::scope(|scope| {
            for number in 0..self.threads {
                let mut random = Random(self.seed * 1000 + number + 1);
                let shared = &shared;
                scope.spawn(move || {
                    for _ in 0..self.transactions {
                        shared.transaction(&mut random);
                    }
                });
            }
        });
        let mut records = shared.records.into_inner().expect("nobody panicked");
        records.sort_by_key(|record| record.start);
        History { records }
    }
}

impl Shared<'_> {
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn transaction(&self, random: &mut Random) {
        let isolation = match random.below(4) {
            0 => Isolation::Snapshot,
            _ => Isolation::Serializable,
        };
        let plan: Vec<u64> = (0..=random.below(5)).map(|_| random.next()).collect();
        match random.below(3) {
            0 => self.by_transact(isolation, &plan),
            _ => self.by_hand(isolation, &plan, random.below(12) == 0),
        }
    }

    fn by_transact(&self, isolation: Isolation, plan: &[u64]) {
        let start = self.moment();
        let options = TransactOptions { isolation, durability: None };
        let mut lost = Vec::new();
        let mut events = Vec::new();
        let committed = self.db.transact_with(options, |tx| {
            lost.extend((!events.is_empty()).then(|| std::mem::take(&mut events)));
            self.operate_all(tx, plan, &mut events)
        });
        let outcome = Outcome::Committed(committed.expect("transact ends well").version.get());
        let finish = self.moment();
        self.note(Record { isolation, start, finish, events, outcome });
        // The values of runs that lost must be seen by nobody.
        for events in lost {
            self.note(Record { isolation, start, finish, events, outcome: Outcome::Aborted });
        }
    }

    fn by_hand(&self, isolation: Isolation, plan: &[u64], gives_up: bool) {
        let start = self.moment();
        let tx = self.db.begin_with(isolation);
        let mut events = Vec::new();
        self.operate_all(&tx, plan, &mut events).expect("the operations fit");
        let outcome = if gives_up {
            tx.rollback();
            Outcome::Aborted
        } else {
            match self.db.commit(tx) {
                Ok(version) => Outcome::Committed(version.get()),
                Err(Error::Conflict(_)) => Outcome::Aborted,
                Err(error) => panic!("a commit fails: {error}"),
            }
        };
        let finish = self.moment();
        self.note(Record { isolation, start, finish, events, outcome });
    }

    fn note(&self, record: Record) {
        self.records.lock().expect("nobody panicked").push(record);
    }

    fn operate_all(&self, tx: &Transaction, plan: &[u64], events: &mut Vec<Event>) -> Result<()> {
        plan.iter().try_for_each(|choice| {
            thread::yield_now();
            self.operate(tx, *choice, events)
        })
    }

    fn operate(&self, tx: &Transaction, choice: u64, events: &mut Vec<Event>) -> Result<()> {
        let value = self.values.fetch_add(1, Ordering::Relaxed);
        let key = value / VALUES_PER_KEY * 3 + (choice >> 8) % 3;
        let event = match choice % 12 {
            0 => Event::ReadList { key, values: read_list(tx, key)? },
            1..=3 => {
                let values = read_list(tx, key)?;
                let appended: Vec<u64> = values.iter().copied().chain([value]).collect();
                events.push(Event::ReadList { key, values });
                tx.put(&name("lists"), &id(key), draft(&format!(r#"{{"values":{appended:?}}}"#)))?;
                Event::Append { key, value }
            }
            4 => {
                let found = tx.get(&name("registers"), &id(key))?;
                Event::ReadRegister {
                    key,
                    value: found.and_then(|doc| number(doc.json(), "value")),
                }
            }
            5 => {
                tx.put(&name("registers"), &id(key), draft(&format!(r#"{{"value":{value}}}"#)))?;
                Event::WriteRegister { key, value }
            }
            6 | 7 => {
                let limit = [None, Some(1), Some(3), Some(10)][(choice >> 16) as usize % 4];
                let mut query = Query::new(Filter::parse(&format!(r#"{{"bag":{key}}}"#))?);
                query = limit.map_or(query.clone(), |limit| query.limit(limit));
                let found = tx.find(&name("items"), &query)?;
                let items = found.iter().map(|(id, _)| id.as_str().parse().expect("a number"));
                Event::ReadBag { bag: key, limit, items: items.collect() }
            }
            8 => {
                let query = Query::new(Filter::parse(&format!(r#"{{"bag":{key}}}"#))?);
                Event::CountBag { bag: key, count: tx.count(&name("items"), &query)? }
            }
            9 => {
                // Ids in no order, so that new items come before and behind a limit's boundary.
                let item = value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
                tx.put(&name("items"), &padded(item), draft(&format!(r#"{{"bag":{key}}}"#)))?;
                Event::AddItem { bag: key, item }
            }
            10 => {
                let found = tx.get(&name("counters"), &id(key % 2))?;
                let value = found.and_then(|doc| number(doc.json(), "n")).expect("it was made");
                Event::ReadCounter { key: key % 2, value }
            }
            _ => {
                let update = Update::parse(r#"{"$inc":{"n":1}}"#)?;
                tx.update(&name("counters"), &id(key % 2), update)?;
                Event::Increment { key: key % 2 }
            }
        };
        events.push(event);
        Ok(())
    }
}

fn read_list(tx: &Transaction, key: u64) -> Result<Vec<u64>> {
    let Some(document) = tx.get(&name("lists"), &id(key))? else { return Ok(Vec::new()) };
    let value: Value = serde_json::from_str(document.json()).expect("documents are JSON");
    let values = value["values"].as_array().expect("lists hold arrays");
    Ok(values.iter().map(|value| value.as_u64().expect("of numbers")).collect())
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

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
