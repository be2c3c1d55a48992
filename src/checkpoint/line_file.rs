//! A file of lines: a header, then a document or a deletion a line.
//!
//! Its checksum is the manifest's, and covers all of it. So what is read here was written here, and
//! its documents are not validated again.

use std::io;

use serde::{Deserialize, Serialize};

use super::{FORMAT, FileEntry};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    storage::{Storage, StorageFile, read_all},
    sync::{mutant, step},
    version::Version,
};

/// Bytes gathered before they are written.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u64,
    pub(super) name: String,
    pub(super) version: u64,
    /// The file whose documents this one changes, where it does not hold all of them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<String>,
    pub(super) count: u64,
}

/// A file being written under a temporary name, chunk by chunk, and what the manifest will say of
/// it.
pub(super) struct LineWriter<'a> {
    storage: &'a dyn Storage,
    name: String,
    file: Box<dyn StorageFile>,
    chunk: Vec<u8>,
    written: u64,
    checksum: crc32fast::Hasher,
}

impl<'a> LineWriter<'a> {
    /// Begins a file that will have this name.
    pub(super) fn create(
        storage: &'a dyn Storage,
        name: String,
        header: &Header,
    ) -> io::Result<LineWriter<'a>> {
        let mut chunk = serde_json::to_vec(header)?;
        chunk.push(b'\n');
        let file = storage.create(&temporary(&name))?;
        Ok(LineWriter {
            storage,
            name,
            file,
            chunk,
            written: 0,
            checksum: crc32fast::Hasher::new(),
        })
    }

    /// `{"v":17,"doc":{…}}`
    pub(super) fn document(&mut self, document: &Document) -> io::Result<()> {
        let head = format!("{{\"v\":{},\"doc\":", document.version());
        self.line([head.as_bytes(), document.json().as_bytes()])
    }

    /// `{"v":19,"delete":"id"}`
    pub(super) fn deletion(&mut self, version: Version, id: &DocumentId) -> io::Result<()> {
        let head = format!("{{\"v\":{version},\"delete\":");
        self.line([head.as_bytes(), &serde_json::to_vec(id.as_str())?])
    }

    fn line(&mut self, parts: [&[u8]; 2]) -> io::Result<()> {
        for part in parts.into_iter().chain([&b"}\n"[..]]) {
            self.chunk.extend_from_slice(part);
        }
        self.flush_beyond(CHUNK_BYTES)
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

    /// Syncs the file and gives it its name. The folder is not synced yet: one sync serves all
    /// files.
    pub(super) fn finish(mut self, header: &Header) -> io::Result<FileEntry> {
        self.flush_beyond(0)?;
        step("collection_unsynced", || self.file.sync())?;
        self.storage.rename(&temporary(&self.name), &self.name)?;
        Ok(FileEntry {
            file: self.name,
            version: header.version,
            crc: format!("{:08x}", self.checksum.finalize()),
            count: header.count,
            bytes: self.written,
        })
    }
}

fn temporary(name: &str) -> String {
    format!("{name}.tmp")
}

/// Reads a file, which must be what the manifest says of it, and makes something of each line
/// after the header.
pub(super) fn read_lines<T>(
    storage: &dyn Storage,
    (collection, base): (&CollectionName, Option<&FileEntry>),
    entry: &FileEntry,
    line: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>> {
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
    check_header(lines.next().unwrap_or_default(), (collection, base), entry)?;
    let read: Result<Vec<T>, String> = lines.map(line).collect();
    let read = read.map_err(|reason| damaged(0, reason))?;
    match read.len() as u64 == entry.count {
        true => Ok(read),
        false => Err(damaged(0, "it does not hold what its header counts".to_owned())),
    }
}

/// Whether a file's first line is what the manifest says of it.
pub(super) fn check_header(
    line: &str,
    (collection, base): (&CollectionName, Option<&FileEntry>),
    entry: &FileEntry,
) -> Result<()> {
    let header: Header = serde_json::from_str(line)
        .map_err(|error| Error::damaged(&entry.file, 0, None, error.to_string()))?;
    if header.format > FORMAT && !mutant("newer_collection_accepted") {
        let file = entry.file.clone();
        return Err(Error::NewerFormat { file, found: header.format, supported: FORMAT });
    }
    let base = match mutant("base_unchecked") {
        true => header.base.as_deref(),
        false => base.map(|base| base.file.as_str()),
    };
    let expected = (collection.as_str(), entry.version, base, entry.count);
    let found = (header.name.as_str(), header.version, header.base.as_deref(), header.count);
    if found != expected {
        return Err(Error::damaged(&entry.file, 0, None, "it belongs to another checkpoint"));
    }
    Ok(())
}

/// What a line says of one document: its content, or that it is gone.
pub(super) fn parse_line(line: &str) -> Result<(DocumentId, Option<Document>), String> {
    let parts = line
        .strip_prefix("{\"v\":")
        .and_then(|rest| rest.strip_suffix('}')?.split_once(','))
        .and_then(|(version, rest)| Some((version.parse().ok()?, rest.split_once(':')?)));
    match parts {
        Some((version, ("\"doc\"", text))) => {
            let (id, document) = Document::trusted(text.into(), Version::new(version))?;
            Ok((id, Some(document)))
        }
        Some((_, ("\"delete\"", text))) => {
            let id: String = serde_json::from_str(text).map_err(|error| error.to_string())?;
            Ok((DocumentId::new(&id).map_err(|error| error.to_string())?, None))
        }
        _ => Err("a line is neither a document nor a deletion".to_owned()),
    }
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
