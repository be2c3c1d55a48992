//! What operations are in the server's words, and what its answers show.

use serde_json::{Value, json};

use super::connection::Answer;
use crate::{plan::Operation, record::Event, recorder::Notes};

/// The most that a server gives at once, and more than there is.
const ALL: usize = 1000;

/// The collection that an operation is about.
pub(super) fn collection(operation: &Operation) -> &'static str {
    match operation {
        Operation::ReadList { .. } | Operation::Append { .. } | Operation::Push { .. } => "lists",
        Operation::ReadRegister { .. } | Operation::WriteRegister { .. } => "registers",
        Operation::ReadBag { .. } | Operation::CountBag { .. } | Operation::AddItem { .. } => {
            "items"
        }
        Operation::ReadCounter { .. } | Operation::Increment { .. } => "counters",
    }
}

/// The document that an operation is about, if it is one.
pub(super) fn document(operation: &Operation) -> Option<(&'static str, String)> {
    let id = match operation {
        Operation::ReadList { key }
        | Operation::Append { key, .. }
        | Operation::Push { key, .. }
        | Operation::ReadRegister { key }
        | Operation::WriteRegister { key, .. }
        | Operation::ReadCounter { key }
        | Operation::Increment { key } => key.to_string(),
        Operation::AddItem { item, .. } => padded(*item),
        Operation::ReadBag { .. } | Operation::CountBag { .. } => return None,
    };
    Some((collection(operation), id))
}

/// The question that an operation is, and the collection that is asked; none for a write.
pub(super) fn question(operation: &Operation) -> Option<(&'static str, Value)> {
    let question = match operation {
        Operation::ReadList { key }
        | Operation::ReadRegister { key }
        | Operation::ReadCounter { key } => json!({"filter": {"_id": key.to_string()}}),
        Operation::ReadBag { bag, limit } => {
            json!({"filter": {"bag": bag}, "limit": limit.unwrap_or(ALL)})
        }
        Operation::CountBag { bag } => json!({"filter": {"bag": bag}, "count": true}),
        Operation::Append { .. }
        | Operation::Push { .. }
        | Operation::WriteRegister { .. }
        | Operation::AddItem { .. }
        | Operation::Increment { .. } => return None,
    };
    Some((collection(operation), question))
}

/// Notes what a question was answered with.
pub(super) fn note(operation: &Operation, answer: &Answer, notes: &mut Notes) {
    if let Operation::CountBag { bag } = *operation {
        let count = usize::try_from(answer.number("count")).expect("it is small");
        notes.events.push(Event::CountBag { bag, count });
        return;
    }
    let documents = answer.body["documents"].as_array().expect("documents were asked for");
    let version = |document: &Value| document["_version"].as_u64().expect("all have a version");
    if let Operation::ReadBag { bag, limit } = *operation {
        let mut items = Vec::new();
        for document in documents {
            let id = document["_id"].as_str().expect("all have an id");
            let item = id.parse().expect("ids of items are numbers");
            notes.saw(("bag", bag), item, version(document));
            items.push(item);
        }
        notes.events.push(Event::ReadBag { bag, limit, items });
        return;
    }
    let found = documents.first().map(|document| (version(document), document.clone()));
    note_document(operation, found.as_ref(), notes);
}

/// Notes what the document of a list, a register or a counter holds.
pub(super) fn note_document(
    operation: &Operation,
    found: Option<&(u64, Value)>,
    notes: &mut Notes,
) {
    let number = |member: &str| found.and_then(|(_, document)| document[member].as_u64());
    let event = match *operation {
        Operation::ReadList { key } => {
            let values = found.map_or(Vec::new(), |(_, document)| {
                let values = document["values"].as_array().expect("lists hold arrays");
                values.iter().map(|value| value.as_u64().expect("of numbers")).collect()
            });
            Event::ReadList { key, values }
        }
        Operation::ReadRegister { key } => Event::ReadRegister { key, value: number("value") },
        Operation::ReadCounter { key } => {
            Event::ReadCounter { key, value: number("n").expect("it was made") }
        }
        other => panic!("{other:?} reads no document"),
    };
    // The version of a list is that of its last value.
    if let (Some((key, value)), Some((version, _))) = (event.seen().last(), found) {
        notes.saw(*key, *value, *version);
    }
    notes.events.push(event);
}

pub(super) fn push(value: u64) -> Value {
    json!({"$push": {"values": value}})
}

pub(super) fn padded(item: u64) -> String {
    format!("{item:020}")
}
