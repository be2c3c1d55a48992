//! The model's operations on the engine, and the engine's states as the model has them.

use monsterdb::{
    CollectionName, Document, DocumentId, Draft, MergePatch, Query, Snapshot, Transaction,
    Update as EngineUpdate,
};

use super::{
    operation::{COLLECTIONS, Content, IDS, Operation, Place},
    reference::{Answer, Collection, State, Stored},
};

/// The operation on the engine.
pub(crate) fn perform(transaction: &Transaction, operation: &Operation) -> Answer {
    let at = |place: &Place| (name(place.0), DocumentId::new(IDS[place.1]).expect("a good id"));
    let draft = |content: &Content| Draft::parse(content.json().as_bytes()).expect("a good body");
    let update = |place: &Place, text: String| {
        let (collection, id) = at(place);
        transaction.update(&collection, &id, EngineUpdate::parse(&text).expect("a good update"))
    };
    let answer = match operation {
        Operation::Get(place) | Operation::SnapshotRead(place) => {
            let (collection, id) = at(place);
            let found = match operation {
                Operation::Get(_) => transaction.get(&collection, &id),
                _ => transaction.snapshot_read(&collection, &id),
            };
            found.map(|found| {
                Answer::Documents(found.iter().map(|document| seen(document)).collect())
            })
        }
        Operation::Find(collection, find) => {
            let filter = find.filter.json().parse().expect("a good filter");
            let mut query = Query::new(filter).offset(find.offset);
            if !find.sort.paths().is_empty() {
                query = query.sort(find.sort.paths().parse().expect("a good sort"));
            }
            if let Some(limit) = find.limit {
                query = query.limit(limit);
            }
            let found = transaction.find(&name(*collection), &query);
            found.map(|found| {
                Answer::Documents(found.iter().map(|(_, document)| seen(document)).collect())
            })
        }
        Operation::Count(collection, filter) => {
            let filter = filter.json().parse().expect("a good filter");
            transaction.count(&name(*collection), &Query::new(filter)).map(Answer::Count)
        }
        Operation::Insert(place, content) => {
            let body = content.json().replacen('{', &format!(r#"{{"_id":"{}","#, IDS[place.1]), 1);
            let draft = Draft::parse(body.as_bytes()).expect("a good body");
            transaction.insert(&name(place.0), draft).map(|_| Answer::Done)
        }
        Operation::Replace(place, content) => {
            let (collection, id) = at(place);
            transaction.replace(&collection, &id, draft(content)).map(|()| Answer::Done)
        }
        Operation::Put(place, content) => {
            let (collection, id) = at(place);
            transaction.put(&collection, &id, draft(content)).map(|()| Answer::Done)
        }
        Operation::Delete(place) => {
            let (collection, id) = at(place);
            transaction.delete(&collection, &id).map(Answer::WasThere)
        }
        Operation::Merge(place, number) => {
            let (collection, id) = at(place);
            let patch =
                format!(r#"{{"n":{}}}"#, number.map_or("null".to_owned(), |n| n.to_string()));
            let patch = MergePatch::parse(patch.as_bytes()).expect("a good patch");
            transaction.merge(&collection, &id, &patch).map(|()| Answer::Done)
        }
        Operation::Increment(place, by) => {
            update(place, format!(r#"{{"$inc":{{"n":{by}}}}}"#)).map(|()| Answer::Done)
        }
        Operation::SetGroup(place, group) => {
            update(place, format!(r#"{{"$set":{{"g":{group}}}}}"#)).map(|()| Answer::Done)
        }
        Operation::Savepoint | Operation::RollbackTo(_) | Operation::Release(_) => {
            unreachable!("savepoints were seen to before")
        }
    };
    answer.unwrap_or_else(|error| Answer::Refused(error.code()))
}

fn name(collection: usize) -> CollectionName {
    CollectionName::new(COLLECTIONS[collection]).expect("a good name")
}

/// A document of the engine as the model has it.
fn seen(document: &Document) -> (usize, Stored) {
    let value: serde_json::Value =
        serde_json::from_str(document.json()).expect("documents are JSON");
    let id = IDS.iter().position(|id| value["_id"] == **id).expect("only these ids are written");
    let group = value["g"].as_i64().expect("every document has a group");
    let content = Content { group, number: value["n"].as_i64() };
    (id, Stored { version: document.version().get(), content })
}

/// A state of the engine as the model has it.
pub(crate) fn read(snapshot: &Snapshot) -> State {
    let collections = COLLECTIONS.iter().enumerate().filter_map(|(number, name)| {
        let collection = snapshot.collection(name)?;
        let documents = collection.documents().map(|(_, document)| seen(document)).collect();
        let created = collection.created().get();
        Some((number, Collection { created, documents }))
    });
    State { collections: collections.collect() }
}
