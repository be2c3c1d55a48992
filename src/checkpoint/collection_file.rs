//! One collection as a file.

use std::io;

use serde::{Deserialize, Serialize};

use super::{FOLDER, FORMAT, FileEntry, ManifestCollection};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    snapshot::Collection,
    storage::{Storage, StorageFile, read_all},
    sync::{mutant, step},
    version::Version,
};

/// Bytes gathered before they are written.
const CHUNK_BYTES: usize = 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Header {
    format: u64,
    name: String,
    version: u64,
    count: u64,
}

/// A file being written chunk by chunk, and what the manifest will say of it.
struct FileWriter {
    file: Box<dyn StorageFile>,
    chunk: Vec<u8>,
    written: u64,
    checksum: crc32fast::Hasher,
}

/// Writes a collection under a temporary name, syncs it and gives it its name. The folder is not
/// synced yet: one sync serves all files.
pub(super) fn write_collection(
    storage: &dyn Storage,
    name: &CollectionName,
    collection: &Collection,
) -> io::Result<FileEntry> {
    let version = collection.changed();
    let file = format!("{FOLDER}/{name}-{version}.ndjson");
    let temporary = format!("{file}.tmp");
    let mut writer = FileWriter::create(storage, &temporary)?;
    let count = collection.count() as u64;
    let header = Header { format: FORMAT, name: name.to_string(), version: version.get(), count };
    serde_json::to_writer(&mut writer.chunk, &header)?;
    writer.chunk.push(b'\n');
    for (_, document) in collection.documents() {
        let head = format!("{{\"v\":{},\"doc\":", document.version());
        for part in [head.as_bytes(), document.json().as_bytes(), b"}\n"] {
            writer.chunk.extend_from_slice(part);
        }
        writer.flush_beyond(CHUNK_BYTES)?;
    }
    writer.flush_beyond(0)?;
    step("collection_unsynced", || writer.file.sync())?;
    storage.rename(&temporary, &file)?;
    let crc = format!("{:08x}", writer.checksum.finalize());
    Ok(FileEntry { file, crc, count, bytes: writer.written })
}

/// Reads a collection's file, which must be what the manifest says of it.
pub(super) fn read_collection(
    storage: &dyn Storage,
    collection: &ManifestCollection,
    entry: &FileEntry,
) -> Result<Vec<(DocumentId, Document)>> {
    let damaged =
        |offset: usize, reason: String| Error::damaged(&entry.file, offset as u64, None, reason);
    let bytes = read_all(storage, &entry.file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => damaged(0, "the file is missing".to_owned()),
        _ => Error::io("read", storage.path(&entry.file), error),
    })?;
    if bytes.len() as u64 != entry.bytes {
        let place = bytes.len().min(usize::try_from(entry.bytes).unwrap_or(usize::MAX));
        let reason = format!("it has {} bytes, not {}", bytes.len(), entry.bytes);
        return Err(damaged(place, reason));
    }
    let found = format!("{:08x}", crc32fast::hash(&bytes));
    if found != entry.crc && !mutant("collection_checksum_unchecked") {
        let reason = format!("its checksum is {found}, and the manifest states {}", entry.crc);
        return Err(damaged(first_bad_line(&bytes), reason));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|e| damaged(e.valid_up_to(), "it is not UTF-8".into()))?;
    let mut lines = text.lines();
    check_header(lines.next().unwrap_or_default(), collection, entry)?;
    let documents: Result<Vec<_>, String> = lines.map(parse_line).collect();
    let documents = documents.map_err(|reason| damaged(0, reason))?;
    let is_whole = documents.len() as u64 == entry.count
        && documents.is_sorted_by(|a, b| a.0 < b.0)
        && documents.iter().all(|(_, document)| document.version() <= collection.changed);
    match is_whole {
        true => Ok(documents),
        false => Err(damaged(0, "its documents are not those of its header".to_owned())),
    }
}

fn check_header(line: &str, collection: &ManifestCollection, entry: &FileEntry) -> Result<()> {
    let header: Header = serde_json::from_str(line)
        .map_err(|error| Error::damaged(&entry.file, 0, None, error.to_string()))?;
    if header.format > FORMAT && !mutant("newer_collection_accepted") {
        let file = entry.file.clone();
        return Err(Error::NewerFormat { file, found: header.format, supported: FORMAT });
    }
    let expected = (collection.name.as_str(), collection.changed.get(), entry.count);
    if (header.name.as_str(), header.version, header.count) != expected {
        return Err(Error::damaged(&entry.file, 0, None, "it belongs to another checkpoint"));
    }
    Ok(())
}

/// Reads `{"v":17,"doc":{…}}`. The file's checksum vouches for it, so nothing is validated again.
fn parse_line(line: &str) -> Result<(DocumentId, Document), String> {
    let parts = line
        .strip_prefix("{\"v\":")
        .and_then(|rest| rest.split_once(",\"doc\":"))
        .and_then(|(version, rest)| Some((version.parse().ok()?, rest.strip_suffix('}')?)));
    let (version, text) = parts.ok_or("a line is not a document")?;
    Document::trusted(text.into(), Version::new(version))
}

/// Where the first line begins that is no JSON, to help whoever looks for the damage.
fn first_bad_line(bytes: &[u8]) -> usize {
    let mut offset = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err() {
            return offset;
        }
        offset += line.len();
    }
    0
}

impl FileWriter {
    fn create(storage: &dyn Storage, name: &str) -> io::Result<FileWriter> {
        Ok(FileWriter {
            file: storage.create(name)?,
            chunk: Vec::new(),
            written: 0,
            checksum: crc32fast::Hasher::new(),
        })
    }

    /// Writes the chunk when it is longer than `bytes`.
    fn flush_beyond(&mut self, bytes: usize) -> io::Result<()> {
        if self.chunk.len() > bytes {
            self.file.write_at(self.written, &self.chunk)?;
            self.checksum.update(&self.chunk);
            self.written += self.chunk.len() as u64;
            self.chunk.clear();
        }
        Ok(())
    }
}
