//! The files of one collection: all of its documents at some version, and then what changed, file
//! after file.
//!
//! # When what is written
//!
//! A checkpoint writes what changed since the one before. It takes in the files at the end of the
//! chain that are not [`ABSORBED`] times as large, as the logarithmic method does (Bentley and Saxe,
//! 1980): so their sizes fall geometrically from the front to the end, there are at most as many as
//! the logarithm of the collection's size, and each change is written again at most as often.
//!
//! When the changes since the whole are more than a quarter of it (and a page), the whole is written
//! anew. So an opening reads at most a quarter more than the documents, and over the long run four
//! bytes of wholes are written for each byte that changed; a checkpoint in between costs what
//! changed.
//!
//! The whole is also written where there is none, and where an index is new: index files list the
//! documents of the whole.

use std::io;

use super::{
    FileEntry, ManifestCollection,
    collection_file::write_collection,
    delta_file::{Differences, read_delta, write_delta},
    index_file::write_indexes,
};
use crate::{
    error::Result,
    names::CollectionName,
    snapshot::{Change, Collection, Index},
    storage::Storage,
    sync::{Arc, mutant},
};

/// Files up to this many times the size of what is written are taken into it.
const ABSORBED: u64 = 2;

/// The part of the whole that the changes may be.
const CHANGED_PART: u64 = 4;

/// Changes of up to this many bytes never make it worth while to write the whole.
const SMALL_BYTES: u64 = 4096;

/// What a line has beside the document, or the id of one that is gone: about.
const LINE_BYTES: u64 = 24;

/// Writes what changed since the chain `before` was written, or the whole.
pub(super) fn write_chain<'a>(
    storage: &dyn Storage,
    name: &CollectionName,
    collection: &Collection,
    before: Option<&ManifestCollection>,
    changes: impl Iterator<Item = Change<'a>>,
) -> io::Result<Vec<FileEntry>> {
    if let Some(before) = before.filter(|before| lists_indexes(before, collection))
        && let Some(files) = write_changes(storage, name, collection, &before.files, changes)?
    {
        return Ok(files);
    }
    let file = write_collection(storage, name, collection)?;
    write_indexes(storage, name, collection)?;
    Ok(vec![file])
}

/// True when every index of a collection has a file beside the first of the chain.
fn lists_indexes(before: &ManifestCollection, collection: &Collection) -> bool {
    let listed = |index: &Index| {
        let named = before.indexes.iter().find(|(name, _)| name == index.name());
        named.is_some_and(|(_, definition)| definition == index.definition())
    };
    collection.indexes().iter().all(listed) || mutant("new_index_without_file")
}

/// The chain with what changed at its end; none where the whole should be written.
fn write_changes<'a>(
    storage: &dyn Storage,
    name: &CollectionName,
    collection: &Collection,
    files: &[FileEntry],
    changes: impl Iterator<Item = Change<'a>>,
) -> io::Result<Option<Vec<FileEntry>>> {
    let [whole, earlier @ ..] = files else {
        return Ok(None);
    };
    let most = whole.bytes / CHANGED_PART + SMALL_BYTES;
    let earlier: u64 = earlier.iter().map(|file| file.bytes).sum();
    let (mut differences, mut bytes) = (Differences::new(), 0);
    for change in changes {
        let text = change.new.map_or(change.id.as_str(), |new| new.json());
        bytes += text.len() as u64 + LINE_BYTES;
        if earlier + bytes > most {
            return Ok(None);
        }
        differences.insert(change.id.clone(), change.new.cloned());
    }
    let mut files = files.to_vec();
    if differences.is_empty() {
        return Ok(Some(files));
    }
    if let Err(error) = absorb(storage, (name, collection), &mut files, (&mut differences, bytes)) {
        tracing::warn!(collection = %name, %error, "what changed cannot be read: writing the whole");
        return Ok(None);
    }
    let base = files.last().expect("the first file is never taken in");
    let file = write_delta(storage, name, (base, collection.changed()), &differences)?;
    files.push(file);
    Ok(Some(files))
}

/// Takes the last files of a chain into differences of so many bytes, as long as they are small.
fn absorb(
    storage: &dyn Storage,
    (name, collection): (&CollectionName, &Collection),
    files: &mut Vec<FileEntry>,
    (differences, mut bytes): (&mut Differences, u64),
) -> Result<()> {
    while let [.., base, last] = files.as_slice()
        && last.bytes <= bytes * ABSORBED
    {
        bytes += last.bytes;
        for (id, _) in read_delta(storage, name, base, last)? {
            if mutant("absorbed_changes_forgotten") {
                break;
            }
            let now = collection.get_by_id(&id).map(Arc::clone);
            differences.entry(id).or_insert(now);
        }
        files.pop();
    }
    Ok(())
}
