//! What can be read of a file whose checksum does not hold, or that no manifest vouches for.
//!
//! Lines have no checksum of their own. A line is taken when it is what the engine could have
//! written there: a document whose text has passed the border, or a deletion; of a version that the
//! file may hold; its id not taken in the file before. So what is taken can be served, but it is not
//! proved: damage may have changed a text or an id into another one.
//!
//! The header has no checksum of its own either. Only where one vouches for the whole file is a newer
//! format in it taken for that; else it is a line that cannot be read, like any other.

use std::{collections::BTreeSet, io, ops::RangeInclusive};

use super::{
    FileEntry, ManifestCollection,
    collection_file::read_collection,
    delta_file::read_delta,
    line_file::{check_header, parse_line},
};
use crate::{
    document::{Document, Draft},
    error::{Damage, Error, Result},
    names::DocumentId,
    storage::{Storage, read_all},
    sync::Arc,
};

/// One file of a chain, as far as it can be read.
#[derive(Debug, Default)]
pub struct Layer {
    /// Its documents; none where one is deleted.
    pub lines: Vec<(DocumentId, Option<Arc<Document>>)>,
    /// True when a checksum vouches for every line, and there are all of them.
    pub proved: bool,
    /// Lines that it had and that cannot be read.
    pub missing: u64,
    /// Where they were.
    pub gaps: Vec<Gap>,
}

/// Some bytes of a file that are no lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where it begins, and why it is no line.
    pub damage: Damage,
    /// How many bytes it has.
    pub bytes: u64,
    /// The document of the line before; lines are sorted by id.
    pub after: Option<DocumentId>,
    /// The document of the line behind.
    pub before: Option<DocumentId>,
}

impl Gap {
    /// True when a document of this id may have stood there.
    pub fn may_hold(&self, id: &DocumentId) -> bool {
        self.after.as_ref().is_none_or(|after| after < id)
            && self.before.as_ref().is_none_or(|before| id < before)
    }
}

/// Reads a file of a collection's chain behind the file `base`: as a whole where `vouched` for and
/// sound, else line by line.
///
/// # Errors
///
/// [`Error::NewerFormat`] of a file whose checksum holds, or what the system says.
pub fn read_layer(
    storage: &dyn Storage,
    collection: &ManifestCollection,
    base: Option<&FileEntry>,
    entry: &FileEntry,
    vouched: bool,
) -> Result<Layer> {
    let reason = match vouched.then(|| read_whole(storage, collection, base, entry)) {
        Some(Ok(lines)) => return Ok(Layer { lines, proved: true, ..Layer::default() }),
        Some(Err(Error::Damaged(damage))) => damage.reason,
        Some(Err(error)) => return Err(error),
        None => "no manifest vouches for it".to_owned(),
    };
    match read_all(storage, &entry.file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut layer = Layer { missing: entry.count, ..Layer::default() };
            layer.widen_gap(&entry.file, 0, entry.bytes, "the file is missing".to_owned());
            Ok(layer)
        }
        Err(error) => Err(Error::io("read", storage.path(&entry.file), error)),
        Ok(bytes) => Ok(read_lines(&bytes, (collection, base, entry), reason, vouched)),
    }
}

fn read_whole(
    storage: &dyn Storage,
    ManifestCollection { name, .. }: &ManifestCollection,
    base: Option<&FileEntry>,
    entry: &FileEntry,
) -> Result<Vec<(DocumentId, Option<Arc<Document>>)>> {
    Ok(match base {
        Some(base) => read_delta(storage, name, base, entry)?.into_iter().collect(),
        None => {
            let documents = read_collection(storage, name, entry)?.into_iter();
            documents.map(|(id, document)| (id, Some(Arc::new(document)))).collect()
        }
    })
}

/// Takes every line that may be one.
fn read_lines(
    bytes: &[u8],
    (collection, base, entry): (&ManifestCollection, Option<&FileEntry>, &FileEntry),
    reason: String,
    vouched: bool,
) -> Layer {
    // What was written before is in the file in front, or there was no collection yet.
    let first = base.map_or(collection.created.get(), |base| base.version + 1);
    let mut layer = Layer::default();
    let (mut offset, mut bad, mut seen) = (0, 0, BTreeSet::new());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let taken = match offset {
            0 => header(line, (collection, base, entry)).map(|()| None),
            _ => document(line, first..=entry.version, base.is_some(), &seen).map(Some),
        };
        match taken {
            Ok(Some((id, document))) => {
                layer.close_gap(&id);
                seen.insert(id.clone());
                layer.lines.push((id, document.map(Arc::new)));
            }
            Ok(None) => {}
            Err(reason) => {
                layer.widen_gap(&entry.file, offset, line.len() as u64, reason);
                bad += 1;
            }
        }
        offset += line.len() as u64;
    }
    layer.missing = entry.count.saturating_sub(layer.lines.len() as u64);
    let gone = entry.bytes.saturating_sub(offset);
    // Its length says whether it was cut, or else, where nothing vouches for that, its count.
    if gone > 0 || (!vouched && layer.missing > bad) {
        layer.widen_gap(&entry.file, offset, gone, reason);
    }
    if layer.missing == 0 && (vouched || !layer.lines.is_empty()) {
        // What was damaged were no documents.
        layer.gaps.clear();
    }
    layer
}

impl Layer {
    /// Notes bytes that are no line; those that follow one another are one gap.
    fn widen_gap(&mut self, file: &str, offset: u64, bytes: u64, reason: String) {
        if let Some(gap) =
            self.gaps.last_mut().filter(|gap| gap.damage.offset + gap.bytes == offset)
        {
            gap.bytes += bytes;
            return;
        }
        let after = self.lines.last().map(|(id, _)| id.clone());
        let damage = Damage { file: file.to_owned(), offset, version: None, reason };
        self.gaps.push(Gap { damage, bytes, after, before: None });
    }

    /// Notes the first document behind a gap.
    fn close_gap(&mut self, id: &DocumentId) {
        let after = self.lines.last().map(|(id, _)| id);
        if let Some(gap) = self.gaps.last_mut()
            && gap.before.is_none()
            && gap.after.as_ref() == after
        {
            gap.before = Some(id.clone());
        }
    }
}

/// Whether the first line is the header that it should be.
fn header(
    line: &[u8],
    (collection, base, entry): (&ManifestCollection, Option<&FileEntry>, &FileEntry),
) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    check_header(text, (&collection.name, base), entry).map_err(|error| match error {
        Error::Damaged(damage) => damage.reason,
        // Nothing vouches for its number.
        error => error.to_string(),
    })
}

/// The document of a line, where it may stand in this file.
fn document(
    line: &[u8],
    versions: RangeInclusive<u64>,
    is_delta: bool,
    seen: &BTreeSet<DocumentId>,
) -> Result<(DocumentId, Option<Document>), String> {
    let line = line.strip_suffix(b"\n").ok_or("the line has no end")?;
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
    let (id, document) = parse_line(text)?;
    if seen.contains(&id) {
        return Err(format!("document {id} stands there twice"));
    }
    match &document {
        None if !is_delta => {
            return Err("a document is deleted where all are listed".to_owned());
        }
        Some(document) => {
            if !versions.contains(&document.version().get()) {
                return Err(format!("version {} cannot stand there", document.version()));
            }
            let checked = Draft::parse(document.json().as_bytes())
                .and_then(|draft| draft.into_document(&id))
                .map_err(|error| error.to_string())?;
            if checked.json() != document.json() {
                return Err("its text is not the compact one".to_owned());
            }
        }
        None => {}
    }
    Ok((id, document))
}
