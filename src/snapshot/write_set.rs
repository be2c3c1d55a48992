//! What one commit changes: contents, not instructions, so that applying it asks nothing and can
//! be repeated anywhere.
//!
//! In the log it is a JSON array, in the order of collection names and ids:
//!
//! ```text
//! [{"op":"create_collection","collection":"users","options":{"require_preconditions":false}},
//!  {"op":"put","collection":"users","id":"u1","doc":{"_id":"u1","name":"Ada"}},
//!  {"op":"delete","collection":"users","id":"u2"},
//!  {"op":"create_index","collection":"users","index":"by_name","definition":{"paths":["name"]}},
//!  {"op":"drop_index","collection":"users","index":"by_age"},
//!  {"op":"drop_collection","collection":"old"}]
//! ```

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CollectionOptions, Index, IndexDefinition};
use crate::{
    document::Document,
    names::{CollectionName, DocumentId, IndexName},
    sync::Arc,
    version::Version,
};

/// The writes of one commit. Each document and each collection appears once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteSet {
    collections: BTreeMap<CollectionName, CollectionWrites>,
}

/// The writes to one collection: first its catalog change, then those to its indexes, then its
/// documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CollectionWrites {
    /// It comes into being, or ceases to be.
    pub catalog: Option<CatalogChange>,
    /// The indexes that come into being, or cease to be.
    pub indexes: BTreeMap<IndexName, IndexChange>,
    /// The new content of each document written; none where it is deleted.
    pub documents: BTreeMap<DocumentId, Option<Arc<Document>>>,
}

/// A change to the list of collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogChange {
    /// The collection is made, empty.
    Create(CollectionOptions),
    /// The collection goes with all its documents.
    Drop,
}

/// A change to a collection's indexes.
#[derive(Debug, Clone)]
pub enum IndexChange {
    /// The index is made over the documents that are there. A commit carries it built, the log
    /// does not: replay builds it.
    Create(Arc<IndexDefinition>, Option<Box<Index>>),
    /// The index goes.
    Drop,
}

impl WriteSet {
    /// Adds the writes to one collection, unless there are none.
    pub fn insert(&mut self, name: CollectionName, writes: CollectionWrites) {
        if !writes.is_empty() {
            self.collections.insert(name, writes);
        }
    }

    /// Takes the writes to one collection out.
    pub fn take(&mut self, name: &CollectionName) -> Option<CollectionWrites> {
        self.collections.remove(name)
    }

    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    /// How many operations it is in the log.
    pub fn operations(&self) -> usize {
        self.collections.values().map(CollectionWrites::operations).sum()
    }

    /// The writes by collection, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&CollectionName, &CollectionWrites)> {
        self.collections.iter()
    }

    /// The operations as the log holds them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_bytes());
        out.push(b'[');
        for (name, writes) in &self.collections {
            if let Some(change) = &writes.catalog {
                encode_catalog(&mut out, name, change);
            }
            for (index, change) in &writes.indexes {
                encode_index(&mut out, name, index, change);
            }
            let put = head("put", name);
            let delete = head("delete", name);
            for (id, document) in &writes.documents {
                let head = if document.is_some() { &put } else { &delete };
                encode_document(&mut out, head, id, document.as_deref());
            }
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b']');
        out
    }

    /// About how many bytes the operations take in the log.
    fn encoded_bytes(&self) -> usize {
        let document = |document: &Option<Arc<Document>>| {
            OPERATION_BYTES + document.as_ref().map_or(0, |document| document.json().len())
        };
        let writes = |writes: &CollectionWrites| {
            OPERATION_BYTES + writes.documents.values().map(document).sum::<usize>()
        };
        self.collections.values().map(writes).sum()
    }

    /// Reads operations back from the log.
    ///
    /// # Errors
    ///
    /// What is wrong with them, as a sentence.
    pub fn decode(operations: &str) -> Result<WriteSet, String> {
        let operations: Vec<Operation<'_>> =
            serde_json::from_str(operations).map_err(|error| error.to_string())?;
        let mut writes = WriteSet::default();
        for operation in operations {
            writes.read(operation)?;
        }
        Ok(writes)
    }

    fn read(&mut self, operation: Operation<'_>) -> Result<(), String> {
        let name = CollectionName::stored(&operation.collection).map_err(|e| e.to_string())?;
        let writes = self.collections.entry(name).or_default();
        match &*operation.op {
            "put" => {
                let text = operation.doc.ok_or("a put without a document")?.get();
                let (id, document) = Document::trusted(text.into(), Version::ZERO)?;
                if operation.id.as_deref() != Some(id.as_str()) {
                    return Err(format!("a put of document {id} under another id"));
                }
                writes.documents.insert(id, Some(Arc::new(document)));
            }
            "delete" => {
                let id = operation.id.ok_or("a delete without an id")?;
                let id = DocumentId::new(&id).map_err(|error| error.to_string())?;
                writes.documents.insert(id, None);
            }
            "create_collection" => {
                writes.catalog = Some(CatalogChange::Create(operation.options.unwrap_or_default()));
            }
            "create_index" | "drop_index" => {
                let index = operation.index.ok_or("an index change without a name")?;
                let index = IndexName::new(&index).map_err(|error| error.to_string())?;
                let definition =
                    operation.definition.map(|text| IndexDefinition::parse(text.get()));
                let change = match definition.transpose().map_err(|error| error.to_string())? {
                    Some(definition) => IndexChange::Create(Arc::new(definition), None),
                    None => IndexChange::Drop,
                };
                writes.indexes.insert(index, change);
            }
            "drop_collection" => writes.catalog = Some(CatalogChange::Drop),
            other => return Err(format!("unknown operation {other:?}")),
        }
        Ok(())
    }
}

impl CollectionWrites {
    /// True when nothing changes.
    pub fn is_empty(&self) -> bool {
        self.operations() == 0
    }

    fn operations(&self) -> usize {
        usize::from(self.catalog.is_some()) + self.indexes.len() + self.documents.len()
    }
}

/// Two are equal when they do the same: whether an index was built already makes no difference.
impl PartialEq for IndexChange {
    fn eq(&self, other: &IndexChange) -> bool {
        match (self, other) {
            (IndexChange::Create(one, _), IndexChange::Create(two, _)) => one == two,
            (IndexChange::Drop, IndexChange::Drop) => true,
            (IndexChange::Create(..), IndexChange::Drop)
            | (IndexChange::Drop, IndexChange::Create(..)) => false,
        }
    }
}

/// What an operation commonly takes besides its document's text.
const OPERATION_BYTES: usize = 96;

/// One operation as the log holds it.
#[derive(Debug, Deserialize)]
pub struct Operation<'a> {
    /// What is done: `put`, `delete`, or `create_` or `drop_` with `collection` or `index`.
    #[serde(borrow)]
    pub op: Cow<'a, str>,
    /// To which collection.
    #[serde(borrow)]
    pub collection: Cow<'a, str>,
    /// To which document, where it is one.
    #[serde(borrow)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    doc: Option<&'a RawValue>,
    options: Option<CollectionOptions>,
    /// To which index, where it is one.
    #[serde(borrow)]
    pub index: Option<Cow<'a, str>>,
    #[serde(borrow)]
    definition: Option<&'a RawValue>,
}

fn encode_catalog(out: &mut Vec<u8>, name: &CollectionName, change: &CatalogChange) {
    match change {
        CatalogChange::Create(options) => {
            out.extend_from_slice(&head("create_collection", name));
            out.extend_from_slice(b",\"options\":");
            serde_json::to_writer(&mut *out, options).expect("memory takes every write");
        }
        CatalogChange::Drop => out.extend_from_slice(&head("drop_collection", name)),
    }
    out.extend_from_slice(b"},");
}

/// Index names need no escapes.
fn encode_index(out: &mut Vec<u8>, name: &CollectionName, index: &IndexName, change: &IndexChange) {
    let (operation, definition) = match change {
        IndexChange::Create(definition, _) => ("create_index", Some(definition.to_json())),
        IndexChange::Drop => ("drop_index", None),
    };
    out.extend_from_slice(&head(operation, name));
    out.extend_from_slice(format!(",\"index\":\"{index}\"").as_bytes());
    if let Some(definition) = definition {
        out.extend_from_slice(format!(",\"definition\":{definition}").as_bytes());
    }
    out.extend_from_slice(b"},");
}

fn encode_document(out: &mut Vec<u8>, head: &[u8], id: &DocumentId, document: Option<&Document>) {
    out.extend_from_slice(head);
    out.extend_from_slice(b",\"id\":");
    match document {
        Some(document) => {
            // The id stands in the document's text as it has to stand here.
            out.extend_from_slice(document.quoted_id().as_bytes());
            out.extend_from_slice(b",\"doc\":");
            out.extend_from_slice(document.json().as_bytes());
        }
        None => {
            serde_json::to_writer(&mut *out, id.as_str()).expect("memory takes every write");
        }
    }
    out.extend_from_slice(b"},");
}

/// What an operation on a collection begins with. Collection names need no escapes.
fn head(operation: &str, name: &CollectionName) -> Vec<u8> {
    ["{\"op\":\"", operation, "\",\"collection\":\"", name.as_str(), "\""].concat().into_bytes()
}
