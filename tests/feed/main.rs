//! The change feed of the engine: what it gives out, when it waits and ends, what it does when the
//! log behind it goes, and that folding it makes the database.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod fold;
mod horizon;
#[path = "../support/met.rs"]
mod met;
mod old;
mod selection;
mod waiting;
#[path = "../workload/mod.rs"]
mod workload;

use monsterdb::{
    Change, Database, Document, Json, Version,
    feed::{Action, Old, Operation},
};

/// Stores a document.
fn put(db: &Database, collection: &str, id: &str, text: &str) -> Version {
    let (tx, text) = (db.begin(), Json::parse(text).unwrap());
    tx.collection::<Json>(collection).unwrap().put(id, &text).unwrap();
    db.commit(tx).unwrap()
}

/// Every change after a version, as lines.
fn lines(db: &Database, since: u64) -> Vec<String> {
    let mut changes = db.changes(Version::new(since)).unwrap();
    std::iter::from_fn(|| changes.try_next().unwrap()).map(|change| line(&change)).collect()
}

/// A change in a line: `3: put c/x {"_id":"x"} was {…}; drop c`.
fn line(change: &Change) -> String {
    let operations: Vec<String> = change.operations.iter().map(operation).collect();
    format!("{}: {}", change.version, operations.join("; "))
}

fn operation(operation: &Operation) -> String {
    let Operation { collection, action } = operation;
    match action {
        Action::Put { id, document, old } => {
            format!("put {collection}/{id} {}{}", document.json(), was(old))
        }
        Action::Delete { id, old } => format!("delete {collection}/{id}{}", was(old)),
        Action::CreateCollection(_) => format!("create {collection}"),
        Action::DropCollection => format!("drop {collection}"),
        Action::CreateIndex(index, definition) => {
            format!("index {collection} {index} {}", definition.to_json())
        }
        Action::DropIndex(index) => format!("unindex {collection} {index}"),
    }
}

fn was(old: &Old) -> String {
    let text = |document: &Document| document.json().to_owned();
    match old {
        Old::NotAsked => String::new(),
        Old::Absent => " was absent".to_owned(),
        Old::Document(document) => format!(" was {}", text(document)),
        Old::Unknown => " was unknown".to_owned(),
    }
}
