//! One collection as a file: every document a line.

use std::io;

use super::{
    FOLDER, FORMAT, FileEntry,
    line_file::{Header, LineWriter, parse_line, read_lines},
};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    snapshot::Collection,
    storage::Storage,
};

/// Writes a collection.
pub(super) fn write_collection(
    storage: &dyn Storage,
    name: &CollectionName,
    collection: &Collection,
) -> io::Result<FileEntry> {
    let version = collection.changed();
    let header = Header {
        format: FORMAT,
        name: name.to_string(),
        version: version.get(),
        base: None,
        count: collection.count() as u64,
    };
    let file = format!("{FOLDER}/{name}-{version}.ndjson");
    let mut writer = LineWriter::create(storage, file, &header)?;
    for (_, document) in collection.documents() {
        writer.document(document)?;
    }
    writer.finish(&header)
}

/// Reads a collection's file, which must be what the manifest says of it.
pub(super) fn read_collection(
    storage: &dyn Storage,
    name: &CollectionName,
    entry: &FileEntry,
) -> Result<Vec<(DocumentId, Document)>> {
    let documents = read_lines(storage, (name, None), entry, |line| {
        let (id, document) = parse_line(line)?;
        Ok((id, document.ok_or("a document is deleted where all are listed")?))
    })?;
    let is_sound = documents.is_sorted_by(|a, b| a.0 < b.0)
        && documents.iter().all(|(_, document)| document.version().get() <= entry.version);
    match is_sound {
        true => Ok(documents),
        false => {
            Err(Error::damaged(&entry.file, 0, None, "its documents are in no order".to_owned()))
        }
    }
}
