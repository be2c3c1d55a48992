//! A manifest made of the files, for a database that has lost its own.
//!
//! Files are named after their collection and version, and those of what changed name the file in
//! front of them. So the newest file of each collection leads to all of its chain; index files bear
//! their definitions. What the files do not tell is open: whether a collection was dropped since,
//! when it was made, and its options.

use std::{collections::BTreeMap, io};

use super::{
    FOLDER, FileEntry, Manifest, ManifestCollection,
    index_file::{folder, read_definition},
    line_file::Header,
};
use crate::{
    error::{Error, Result},
    names::{CollectionName, IndexName},
    snapshot::{CollectionOptions, IndexDefinition},
    storage::{Storage, read_all},
    sync::Arc,
    version::Version,
};

/// One file of a collection.
struct Found {
    entry: FileEntry,
    /// The file that it goes on from; none for one with all documents.
    base: Option<String>,
}

/// Makes a manifest of the files that are there. Its checksums are those that the files have, so they
/// say nothing.
///
/// # Errors
///
/// What the system says.
///
/// # Complexity
///
/// O(bytes of the files).
pub fn infer_manifest(storage: &dyn Storage) -> Result<Manifest> {
    let failed = |error| Error::io("list", storage.path(FOLDER), error);
    let names = match storage.list(FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(failed)?,
    };
    let mut collections: BTreeMap<CollectionName, BTreeMap<u64, Found>> = BTreeMap::new();
    for file in &names {
        if let Some((name, version, is_delta)) = parse_name(file) {
            let found = look_at(storage, format!("{FOLDER}/{file}"), version, is_delta)?;
            collections.entry(name).or_default().insert(version, found);
        }
    }
    let collections = collections.into_iter();
    let collections = collections.map(|(name, files)| collection(storage, name, &files));
    let collections = collections.collect::<Result<Vec<_>>>()?;
    let version = collections.iter().map(|collection| collection.changed).max();
    let version = version.unwrap_or_default();
    Ok(Manifest { version, synced: version, collections })
}

/// Takes apart `<name>-<version>.ndjson` and `<name>-<version>.delta.ndjson`.
fn parse_name(file: &str) -> Option<(CollectionName, u64, bool)> {
    let stem = file.strip_suffix(".ndjson")?;
    let (stem, is_delta) = match stem.strip_suffix(".delta") {
        Some(stem) => (stem, true),
        None => (stem, false),
    };
    let (name, version) = stem.rsplit_once('-')?;
    let version = version.parse().ok().filter(|version| *version <= Version::MAX.get())?;
    Some((CollectionName::stored(name).ok()?, version, is_delta))
}

fn look_at(storage: &dyn Storage, file: String, version: u64, is_delta: bool) -> Result<Found> {
    let bytes =
        read_all(storage, &file).map_err(|error| Error::io("read", storage.path(&file), error))?;
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let header = lines.next().and_then(|line| serde_json::from_slice::<Header>(line).ok());
    let count = header.as_ref().map_or_else(|| lines.count() as u64, |header| header.count);
    let base = header.and_then(|header| header.base).filter(|_| is_delta);
    let crc = format!("{:08x}", crc32fast::hash(&bytes));
    let bytes = bytes.len() as u64;
    let base = base.or(is_delta.then(String::new));
    Ok(Found { entry: FileEntry { file, version, crc, count, bytes }, base })
}

/// The chain that the newest file of a collection leads to.
fn collection(
    storage: &dyn Storage,
    name: CollectionName,
    files: &BTreeMap<u64, Found>,
) -> Result<ManifestCollection> {
    let mut chain: Vec<FileEntry> = Vec::new();
    let mut next = files.values().next_back();
    while let Some(found) = next {
        chain.push(found.entry.clone());
        let Some(base) = &found.base else { break };
        let version = found.entry.version;
        // A header that cannot be read names none: then it is the one of the version before.
        next = match base.is_empty() {
            true => files.range(..version).next_back().map(|(_, found)| found),
            false => files.range(..version).map(|(_, found)| found).find(|f| f.entry.file == *base),
        };
        if next.is_none() {
            chain.push(absent(&name, base));
        }
    }
    chain.reverse();
    let whole = chain.first().map_or(0, |file| file.version);
    let indexes = indexes(storage, &name, whole)?;
    let changed = Version::new(chain.last().map_or(0, |file| file.version));
    let (created, options) = (Version::new(1), CollectionOptions::default());
    Ok(ManifestCollection { name, created, changed, options, files: chain, indexes })
}

/// A file that another one goes on from, and that is not there.
fn absent(name: &CollectionName, base: &str) -> FileEntry {
    let version = base.rsplit_once('/').and_then(|(_, file)| parse_name(file));
    let version = version.map_or(0, |(_, version, _)| version);
    let file = match base {
        "" => format!("{FOLDER}/{name}-….ndjson"),
        base => base.to_owned(),
    };
    FileEntry { file, version, crc: String::new(), count: 0, bytes: 0 }
}

/// The indexes that have a file beside the whole of a collection.
fn indexes(
    storage: &dyn Storage,
    name: &CollectionName,
    whole: u64,
) -> Result<Vec<(IndexName, Arc<IndexDefinition>)>> {
    let folder = folder(name);
    let files = match storage.list(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(|error| Error::io("list", storage.path(&folder), error))?,
    };
    let files = files.iter().map(|file| format!("{folder}/{file}"));
    let mut found: Vec<_> =
        files.filter_map(|f| read_definition(storage, &f, name, whole)).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}
