//! One index as a file.
//!
//! It belongs to the collection's first file and holds the order of the entries and nothing else: for
//! each entry, in the order of keys, the place of its document in that file. Keys are made from the documents again when it is
//! loaded, and their order is checked, so a file can be of no use but never make an index wrong:
//! what does not fit is built anew.

use std::{collections::HashMap, io};

use serde::{Deserialize, Serialize};

use super::{FORMAT, INDEX_FOLDER};
use crate::{
    document::Document,
    names::{CollectionName, DocumentId, IndexName},
    snapshot::{Collection, Index, IndexDefinition},
    storage::{Storage, read_all},
    sync::{Arc, step},
    wal::{frame_line, open_line},
};

#[derive(Serialize, Deserialize)]
struct IndexText {
    format: u64,
    collection: String,
    index: String,
    version: u64,
    definition: String,
    order: Vec<u32>,
}

/// The folder of a collection's index files.
pub(super) fn folder(collection: &CollectionName) -> String {
    format!("{INDEX_FOLDER}/{collection}")
}

/// The name of an index's file at a version of its collection.
pub(super) fn file_name(collection: &CollectionName, index: &IndexName, version: u64) -> String {
    format!("{}/{index}-{version}.json", folder(collection))
}

/// Writes the files of a collection's indexes, each under a temporary name that is then changed.
pub(super) fn write_indexes(
    storage: &dyn Storage,
    name: &CollectionName,
    collection: &Collection,
) -> io::Result<()> {
    if collection.indexes().is_empty() {
        return Ok(());
    }
    storage.create_folder(&folder(name))?;
    step("index_folder_unsynced", || storage.sync_folder(INDEX_FOLDER))?;
    let documents = collection.documents().map(|(_, document)| Arc::as_ptr(document));
    let places: HashMap<*const Document, u32> = documents.zip(0..).collect();
    for index in collection.indexes() {
        let order = index.entries().map(|entry| places.get(&Arc::as_ptr(entry.document)).copied());
        let text = IndexText {
            format: FORMAT,
            collection: name.to_string(),
            index: index.name().to_string(),
            version: collection.changed().get(),
            definition: index.definition().to_json(),
            order: order.collect::<Option<_>>().expect("entries hold the collection's documents"),
        };
        let text = serde_json::to_string(&text)?;
        let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let bytes = frame_line(members.expect("an index file is an object"));
        let file = file_name(name, index.name(), collection.changed().get());
        let temporary = format!("{file}.tmp");
        let handle = storage.create(&temporary)?;
        handle.write_at(0, &bytes)?;
        step("index_unsynced", || handle.sync())?;
        storage.rename(&temporary, &file)?;
    }
    step("index_name_unsynced", || storage.sync_folder(&folder(name)))
}

/// The name and the definition of the index that a file of this collection and version holds; none
/// where the file is of no use.
pub(super) fn read_definition(
    storage: &dyn Storage,
    file: &str,
    collection: &CollectionName,
    version: u64,
) -> Option<(IndexName, Arc<IndexDefinition>)> {
    let bytes = read_all(storage, file).ok()?;
    let text = open_line(bytes.strip_suffix(b"\n")?).ok()?;
    let text: IndexText = serde_json::from_str(text).ok()?;
    let name = IndexName::new(&text.index).ok()?;
    let is_one = text.collection == collection.as_str()
        && text.version == version
        && file == file_name(collection, &name, version);
    let definition = IndexDefinition::parse(&text.definition).ok()?;
    is_one.then(|| (name, Arc::new(definition)))
}

/// Loads an index, or says why its file is of no use.
pub(super) fn read_index(
    storage: &dyn Storage,
    collection: &CollectionName,
    version: u64,
    (name, definition): (&IndexName, &Arc<IndexDefinition>),
    documents: &[(&DocumentId, &Arc<Document>)],
) -> Result<Index, String> {
    let file = file_name(collection, name, version);
    let bytes = read_all(storage, &file).map_err(|error| error.to_string())?;
    let line = bytes.strip_suffix(b"\n").ok_or("it has no end")?;
    let text: IndexText =
        serde_json::from_str(open_line(line)?).map_err(|error| error.to_string())?;
    if text.format != FORMAT {
        return Err(format!("it has format {}", text.format));
    }
    let found = (&*text.collection, &*text.index, text.version, &*text.definition);
    let wanted = (collection.as_str(), name.as_str(), version, &*definition.to_json());
    if found != wanted {
        return Err("it belongs to another index or version".to_owned());
    }
    Index::from_order(name.clone(), Arc::clone(definition), collection, documents, &text.order)
}
