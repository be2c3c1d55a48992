//! What changed in a collection as a file: a line for each document that was written or deleted
//! since the file before it.

use std::{collections::BTreeMap, io};

use super::{
    FOLDER, FORMAT, FileEntry,
    line_file::{Header, LineWriter, parse_line, read_lines},
};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    storage::Storage,
    sync::{Arc, step},
    version::Version,
};

/// The documents that differ, each as it is now; none where it is gone.
pub(super) type Differences = BTreeMap<DocumentId, Option<Arc<Document>>>;

/// Writes the differences between what the files up to `base` hold and a collection at the version
/// of its last change. That is also what a deletion is dated: it came no later.
pub(super) fn write_delta(
    storage: &dyn Storage,
    name: &CollectionName,
    (base, version): (&FileEntry, Version),
    differences: &Differences,
) -> io::Result<FileEntry> {
    let header = Header {
        format: FORMAT,
        name: name.to_string(),
        version: version.get(),
        base: Some(base.file.clone()),
        count: differences.len() as u64,
    };
    let file = format!("{FOLDER}/{name}-{version}.delta.ndjson");
    let mut writer = LineWriter::create(storage, file, &header)?;
    for (id, document) in differences {
        match document {
            Some(document) => writer.document(document)?,
            None => step("deletions_not_written", || writer.deletion(version, id))?,
        }
    }
    writer.finish(&header)
}

/// Reads differences, which must be what the manifest says of them and follow the file `base`.
pub(super) fn read_delta(
    storage: &dyn Storage,
    name: &CollectionName,
    base: &FileEntry,
    entry: &FileEntry,
) -> Result<Differences> {
    let lines = read_lines(storage, (name, Some(base)), entry, parse_line)?;
    let versions = base.version + 1..=entry.version;
    let is_sound = lines.is_sorted_by(|a, b| a.0 < b.0)
        && lines.iter().flat_map(|(_, document)| document).all(|document| {
            // What was written before the file in front is a difference to one that this replaces.
            versions.contains(&document.version().get())
        });
    match is_sound {
        true => Ok(lines.into_iter().map(|(id, document)| (id, document.map(Arc::new))).collect()),
        false => {
            Err(Error::damaged(&entry.file, 0, None, "its documents are in no order".to_owned()))
        }
    }
}
