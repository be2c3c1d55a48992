//! Property 33, load test integrity: on a good server a run passes; whatever is changed behind its
//! back before it checks, it names, and it ends with exit code 1.

use std::process::ExitCode;

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, TransactOptions, Transaction,
    cli::{Findings, Kind},
};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::{
    met::Met,
    server::{Server, plan},
};

/// What is done behind the back of a run.
#[derive(Debug, Clone, Copy)]
enum Plant {
    Nothing,
    /// A document, or a counter, is deleted.
    Delete,
    /// A document gets another content.
    Change,
    /// The same, and then its old content again: only its version tells.
    ChangeAndBack,
    /// A document is stored a second time, under another id.
    Copy,
    /// A document comes back that was deleted, or that nobody inserted.
    Appear,
    /// A counter stands one higher.
    Raise,
    /// Everything is gone.
    Drop,
}

const PLANTS: [Plant; 8] = [
    Plant::Nothing,
    Plant::Delete,
    Plant::Change,
    Plant::ChangeAndBack,
    Plant::Copy,
    Plant::Appear,
    Plant::Raise,
    Plant::Drop,
];

#[test]
fn p33_load_test_integrity() {
    let server = Server::start();
    let met = Met::new();
    let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
    let cases = (plan(), select(&PLANTS[..]), any::<Index>());
    let checked = TestRunner::new(config).run(&cases, |(plan, plant, place)| {
        let case = met.case();
        let mut planted = None;
        let report = plan.run(&server.url(), "", |collection| {
            planted = Field::new(&server.database, collection).plant(plant, place);
        });
        let Findings { lost, .. } = report.check.at_end;
        assert_eq!(report.check.while_running.count(), 0, "{report}");
        assert_eq!(report.total.success, u64::from(plan.users) * plan.operations, "{report}");
        match planted {
            None => {
                case.note("nothing planted", true);
                assert!(report.check.passed, "{report}");
                assert_eq!(report.check.found, report.check.expected, "{report}");
                assert!(report.verdict().is_ok() && !report.kept, "{report}");
                assert!(server.database.snapshot().collection(&report.collection).is_none());
                return Ok(());
            }
            Some((kind, Some(id))) => {
                case.note(&format!("{plant:?}"), true);
                assert_eq!(report.check.at_end.count(), 1, "{plant:?} of {id}: {report}");
                let found = &report.check.at_end.examples[0];
                assert_eq!((found.kind, &found.id), (kind, &id), "{plant:?}: {report}");
                assert!(report.to_string().contains(&format!("{} {id}:", kind.name())));
            }
            Some((kind, None)) => {
                case.note(&format!("{plant:?}"), true);
                assert_eq!((kind, lost), (Kind::Lost, report.check.expected), "{report}");
            }
        }
        let failure = report.verdict().unwrap_err();
        assert_eq!((failure.code(), failure.exit_code()), ("mismatch", ExitCode::from(1)));
        assert!(report.kept && report.to_string().ends_with("FAILED"), "{report}");
        Ok(())
    });
    checked.unwrap();
    let all: Vec<String> = PLANTS[1..].iter().map(|plant| format!("{plant:?}")).collect();
    let expected: Vec<&str> = all.iter().map(String::as_str).chain(["nothing planted"]).collect();
    met.report("p33", &expected);
}

/// What a run left in the database.
struct Field<'a> {
    database: &'a Database,
    collection: &'a CollectionName,
    ids: Vec<String>,
}

impl Field<'_> {
    fn new<'a>(database: &'a Database, collection: &'a CollectionName) -> Field<'a> {
        let snapshot = database.snapshot();
        let stored = snapshot.collection(collection.as_str()).unwrap();
        let ids = stored.documents().map(|(id, _)| id.as_str().to_owned()).collect();
        Field { database, collection, ids }
    }

    /// Does it, and returns what has to be found of which document; none where it cannot be done.
    fn plant(&self, plant: Plant, place: Index) -> Option<(Kind, Option<String>)> {
        let (counters, own): (Vec<_>, Vec<_>) =
            self.ids.iter().cloned().partition(|id| id.starts_with("counter-"));
        let one = (!own.is_empty()).then(|| own[place.index(own.len().max(1))].clone());
        let counter = counters[place.index(counters.len())].clone();
        match plant {
            Plant::Nothing => None,
            Plant::Delete => {
                let id = self.ids[place.index(self.ids.len())].clone();
                self.write(|tx, name| tx.delete(name, &document(&id)).map(drop));
                Some((Kind::Lost, Some(id)))
            }
            Plant::Change => {
                let id = one?;
                self.put(&id, &self.changed(&id));
                Some((Kind::Changed, Some(id)))
            }
            Plant::ChangeAndBack => {
                let id = one?;
                let before = self.content(&id);
                self.put(&id, &self.changed(&id));
                self.put(&id, &before);
                Some((Kind::Changed, Some(id)))
            }
            Plant::Copy => {
                let content = self.content(&one?);
                self.put("copy", &content);
                Some((Kind::Duplicated, Some("copy".to_owned())))
            }
            Plant::Appear => {
                let gone = (0..).map(|number| format!("user-0000-{number:06}"));
                let id = gone.into_iter().find(|id| !own.contains(id)).unwrap();
                self.put(&id, &serde_json::json!({ "user": 0 }));
                Some((Kind::Unexpected, Some(id)))
            }
            Plant::Raise => {
                let mut content = self.content(&counter);
                content["n"] = (content["n"].as_u64().unwrap() + 1).into();
                self.put(&counter, &content);
                Some((Kind::Duplicated, Some(counter)))
            }
            Plant::Drop => {
                self.database.drop_collection(self.collection.as_str()).unwrap();
                Some((Kind::Lost, None))
            }
        }
    }

    fn content(&self, id: &str) -> Value {
        let snapshot = self.database.snapshot();
        let document = snapshot.get(self.collection.as_str(), id).unwrap();
        let mut content: Value = serde_json::from_str(document.json()).unwrap();
        content.as_object_mut().unwrap().remove("_id");
        content
    }

    fn changed(&self, id: &str) -> Value {
        let mut content = self.content(id);
        content["place"]["floor"] = 99.into();
        content
    }

    fn put(&self, id: &str, content: &Value) {
        let draft = Draft::parse(content.to_string().as_bytes()).unwrap();
        self.write(|tx, name| tx.put(name, &document(id), draft.clone()));
    }

    fn write(&self, write: impl Fn(&Transaction, &CollectionName) -> monsterdb::Result<()>) {
        let write = |tx: &Transaction| write(tx, self.collection);
        self.database.transact_with(TransactOptions::default(), write).unwrap();
    }
}

fn document(id: &str) -> DocumentId {
    DocumentId::new(id).unwrap()
}
