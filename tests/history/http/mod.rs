//! A client over HTTP, and histories on a live server.
//!
//! A transaction is what one request does, and so are these:
//! - a question about one document or one collection: it reads one version;
//! - several questions at one version, that of a cursor;
//! - the write of one document, unseen or under a condition on the version that was read before;
//! - a batch. Of what was read for it only that is part of it which the batch requires to be as it
//!   was, by `if_version`. A document that is only to be looked at is required by a merge patch
//!   that changes nothing. What was read without being required is a transaction by itself.
//!
//! The server has no transactions yet that stay open between requests. When it has, they are one
//! more way to run a plan ([`Client::run`]).

mod connection;
mod question;

use monsterdb::{
    Database, Isolation,
    server::{ServeOptions, Server},
};
use serde_json::json;

pub(crate) use connection::{Connection, KEY};

use crate::{
    explanation::Explanation,
    plan::{COUNTERS, Operation, Plan},
    record::{Event, Outcome},
    recorder::{Begun, Notes, Recorder},
    seeds,
    shares::{self, Shares},
    workload::{Client, Gone, Workload},
};
use connection::{Condition, Found};
use question::{collection, document, note, note_document, padded, push, question};

pub(crate) struct Http(pub(crate) Connection);

/// What a run over HTTP has to meet besides.
pub(crate) const OVER_HTTP: &[&str] =
    &["get", "query", "put", "patch", "put under a condition", "batch", "queries at one version"];

#[test]
fn over_http() {
    let mut shares = Shares::default();
    for seed in 0..seeds(1) {
        let mut options = ServeOptions::new("127.0.0.1:0".parse().expect("an address"));
        options.admin_key = Some(KEY.to_owned());
        options.rate_limit = None;
        // With syncs others have the time to come in between.
        let folder = tempfile::tempdir().expect("a temporary directory");
        let db = Database::open(folder.path()).expect("an empty directory holds no damage");
        let server = Server::bind(db, options).expect("a port is free");
        let (address, stop) = (format!("http://{}", server.address()), server.handle());
        let serving = std::thread::spawn(move || server.run());
        let mut history = over_http_at(&address, seed);
        stop.stop();
        serving.join().expect("no panic").expect("the server ends well");
        let explanation = Explanation::of(&mut history);
        shares.add(&history, &explanation);
        explanation.assert_good();
    }
    shares.require("over HTTP", &[shares::ALWAYS, OVER_HTTP]);
}

fn over_http_at(address: &str, seed: u64) -> crate::record::History {
    let recorder = Recorder::default();
    make_counters(&Connection::new(address));
    let workload = Workload { seed, clients: 4, plans: 500 };
    workload.run(&recorder, || Http(Connection::new(address)));
    read_all(Connection::new(address), &recorder);
    recorder.into_history()
}

/// Makes the counters, before anybody else is there.
pub(crate) fn make_counters(connection: &Connection) {
    let make = |key| {
        json!({"op": "insert", "collection": "counters", "id": format!("{key}"),
                            "document": {"n": 0}})
    };
    let made = connection.batch((0..COUNTERS).map(make).collect());
    made.expect("the server is there").expect("nobody else is there");
}

/// Reads everything, once everybody else is gone.
pub(crate) fn read_all(connection: Connection, recorder: &Recorder) {
    let client = Http(connection);
    for key in 0..Operation::keys(recorder) {
        let operations = [
            Operation::ReadList { key },
            Operation::ReadRegister { key },
            Operation::ReadBag { bag: key, limit: None },
            Operation::CountBag { bag: key },
            Operation::ReadCounter { key: key % COUNTERS },
        ];
        client.at_one_version(&operations, recorder).expect("the server is there");
    }
}

impl Client for Http {
    fn run(&mut self, plan: &mut Plan, recorder: &Recorder) -> Result<(), Gone> {
        let operations: Vec<Operation> =
            plan.choices.iter().map(|choice| Operation::choose(*choice, recorder)).collect();
        match plan.style % 6 {
            0 => self.at_one_version(&operations, recorder),
            1 | 2 => operations.iter().try_for_each(|one| self.alone(*one, recorder)),
            _ => self.batch(&operations, recorder),
        }
    }
}

impl Http {
    /// One operation by requests about one document or one collection.
    fn alone(&self, operation: Operation, recorder: &Recorder) -> Result<(), Gone> {
        match operation {
            Operation::ReadList { .. }
            | Operation::ReadRegister { .. }
            | Operation::ReadCounter { .. } => drop(self.read(operation, recorder)?),
            Operation::ReadBag { .. } | Operation::CountBag { .. } => {
                self.ask(operation, recorder)?;
            }
            Operation::Append { key, value } => {
                let read = self.read(Operation::ReadList { key }, recorder)?;
                let mut values = read.values();
                values.push(value);
                let events = vec![read.event.clone(), Event::Append { key, value }];
                let begun = begin("put under a condition", recorder);
                let condition = Condition::Has(read.version());
                let body = json!({ "values": values });
                let put = self.0.put("lists", &key.to_string(), condition, &body);
                end(begun, events, put, recorder)?;
            }
            Operation::WriteRegister { key, value } if value % 2 == 0 => {
                let read = self.read(Operation::ReadRegister { key }, recorder)?;
                let events = vec![read.event.clone(), Event::WriteRegister { key, value }];
                let begun = begin("put under a condition", recorder);
                let condition = Condition::Has(read.version());
                let body = json!({ "value": value });
                let put = self.0.put("registers", &key.to_string(), condition, &body);
                end(begun, events, put, recorder)?;
            }
            Operation::WriteRegister { key, value } => {
                let begun = begin("put", recorder);
                let body = json!({ "value": value });
                let put = self.0.put("registers", &key.to_string(), Condition::Nothing, &body);
                end(begun, vec![Event::WriteRegister { key, value }], put, recorder)?;
            }
            Operation::AddItem { bag, item } => {
                let begun = begin("put", recorder);
                let body = json!({ "bag": bag });
                let put = self.0.put("items", &padded(item), Condition::Nothing, &body);
                end(begun, vec![Event::AddItem { bag, item }], put, recorder)?;
            }
            Operation::Push { key, value } => {
                if self.read(Operation::ReadList { key }, recorder)?.version().is_some() {
                    let begun = begin("patch", recorder);
                    let patched = self.0.update("lists", key, &push(value));
                    end(begun, vec![Event::Append { key, value }], patched, recorder)?;
                }
            }
            Operation::Increment { key } => {
                let begun = begin("patch", recorder);
                let patched = self.0.update("counters", key, &json!({"$inc": {"n": 1}}));
                end(begun, vec![Event::Increment { key }], patched, recorder)?;
            }
        }
        Ok(())
    }

    /// Operations as one batch, after what has to be read for it.
    fn batch(&self, operations: &[Operation], recorder: &Recorder) -> Result<(), Gone> {
        let (mut required, mut written, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        let mut met: Vec<(&str, String)> = Vec::new();
        for operation in operations {
            // A batch requires versions from before it, so it meets every document once.
            let document = document(operation);
            if document.as_ref().is_some_and(|document| met.contains(document)) {
                continue;
            }
            met.extend(document);
            match *operation {
                Operation::ReadList { key }
                | Operation::ReadRegister { key }
                | Operation::ReadCounter { key } => {
                    let read = self.read(*operation, recorder)?;
                    // What is absent cannot be required without being written.
                    if let Some(version) = read.version() {
                        steps.push(json!({"op": "merge", "collection": collection(operation),
                            "id": key.to_string(), "merge": {}, "if_version": version}));
                        required.push(read.event);
                    }
                }
                Operation::ReadBag { .. } | Operation::CountBag { .. } => {
                    self.ask(*operation, recorder)?;
                }
                Operation::Append { key, value } => {
                    let read = self.read(Operation::ReadList { key }, recorder)?;
                    let mut values = read.values();
                    values.push(value);
                    steps.push(json!({"op": "put", "collection": "lists", "id": key.to_string(),
                        "document": {"values": values}, "if_version": read.version().unwrap_or(0)}));
                    required.push(read.event);
                    written.push(Event::Append { key, value });
                }
                Operation::Push { key, value } => {
                    if self.read(Operation::ReadList { key }, recorder)?.version().is_some() {
                        steps.push(json!({"op": "update", "collection": "lists",
                            "id": key.to_string(), "update": push(value)}));
                        written.push(Event::Append { key, value });
                    }
                }
                Operation::WriteRegister { key, value } => {
                    steps.push(json!({"op": "put", "collection": "registers",
                        "id": key.to_string(), "document": {"value": value}}));
                    written.push(Event::WriteRegister { key, value });
                }
                Operation::AddItem { bag, item } => {
                    steps.push(json!({"op": "insert", "collection": "items", "id": padded(item),
                        "document": {"bag": bag}}));
                    written.push(Event::AddItem { bag, item });
                }
                Operation::Increment { key } => {
                    steps.push(json!({"op": "update", "collection": "counters",
                        "id": key.to_string(), "update": {"$inc": {"n": 1}}}));
                    written.push(Event::Increment { key });
                }
            }
        }
        if written.is_empty() {
            return Ok(());
        }
        let begun = begin("batch", recorder);
        required.extend(written);
        let committed = self.0.batch(steps);
        end(begun, required, committed, recorder)
    }

    /// Every question that is among the operations, at the version of the first.
    fn at_one_version(&self, operations: &[Operation], recorder: &Recorder) -> Result<(), Gone> {
        let begun = begin("queries at one version", recorder);
        // The first of several documents comes with a cursor, so its version is kept.
        let first = self.0.query("counters", &json!({"limit": 1}))?;
        assert!(first.body["cursor"].is_string(), "there is more: {}", first.body);
        let version = first.number("version");
        let mut notes = Notes::default();
        for operation in operations {
            if let Some((collection, mut question)) = question(operation) {
                question["at"] = json!(version);
                let answer = self.0.query(collection, &question)?;
                assert_eq!(answer.number("version"), version);
                note(operation, &answer, &mut notes);
            }
        }
        recorder.end(begun, notes, Outcome::Committed(version));
        Ok(())
    }

    /// One question to the latest state.
    fn ask(&self, operation: Operation, recorder: &Recorder) -> Result<(), Gone> {
        let begun = begin("query", recorder);
        let (collection, question) = question(&operation).expect("it asks");
        let answer = self.0.query(collection, &question)?;
        let mut notes = Notes::default();
        note(&operation, &answer, &mut notes);
        recorder.end(begun, notes, Outcome::Committed(answer.number("version")));
        Ok(())
    }

    /// Reads one document, as a transaction by itself.
    fn read(&self, operation: Operation, recorder: &Recorder) -> Result<Read, Gone> {
        let begun = begin("get", recorder);
        let key = match operation {
            Operation::ReadList { key }
            | Operation::ReadRegister { key }
            | Operation::ReadCounter { key } => key,
            other => panic!("{other:?} reads no document"),
        };
        let found = self.0.get(collection(&operation), key)?;
        let outcome = found.read_at.map_or(Outcome::TookEffect, Outcome::Committed);
        let mut notes = Notes::default();
        note_document(&operation, found.document.as_ref(), &mut notes);
        let event = notes.events.last().cloned().expect("it was noted");
        recorder.end(begun, notes, outcome);
        Ok(Read { event, found })
    }
}

/// A document that was read, and the event that it is.
struct Read {
    event: Event,
    found: Found,
}

impl Read {
    fn version(&self) -> Option<u64> {
        self.found.document.as_ref().map(|(version, _)| *version)
    }

    fn values(&self) -> Vec<u64> {
        match &self.event {
            Event::ReadList { values, .. } => values.clone(),
            other => panic!("{other:?} is not the read of a list"),
        }
    }
}

fn begin(kind: &'static str, recorder: &Recorder) -> Begun {
    recorder.begin(kind, Isolation::Serializable)
}

/// Notes how a write ended: at a version, refused, or without an answer.
fn end(
    begun: Begun,
    events: Vec<Event>,
    written: Result<Option<u64>, Gone>,
    recorder: &Recorder,
) -> Result<(), Gone> {
    let outcome = match written {
        Ok(Some(version)) => Outcome::Committed(version),
        Ok(None) => Outcome::Aborted,
        Err(Gone) => Outcome::Unknown,
    };
    recorder.end(begun, Notes { events, ..Notes::default() }, outcome);
    written.map(drop)
}
