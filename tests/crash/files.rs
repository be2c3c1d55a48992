//! The files of a database, read in another way than the engine's.

use std::collections::BTreeMap;

use monsterdb::{
    Version,
    checkpoint::{MANIFEST, Manifest},
    storage::MemoryStorage,
    wal::Record,
};

/// What the files prove by themselves.
pub(crate) fn provably_acknowledged(storage: &MemoryStorage) -> Version {
    let manifest = storage.contents(MANIFEST).and_then(|bytes| Manifest::decode(&bytes).ok());
    let mut highest = manifest.map_or(Version::ZERO, |m| m.synced.max(m.version));
    for (first, bytes) in segments_of(storage) {
        highest = highest.max(Version::new(first - 1));
        for line in bytes.split(|byte| *byte == b'\n') {
            if let Ok(record) = Record::parse(line) {
                highest = highest.max(record.synced);
            }
        }
    }
    highest
}

/// The segments by their numbers.
pub(crate) fn segments_of(storage: &MemoryStorage) -> BTreeMap<u64, Vec<u8>> {
    let names = storage.names();
    names.iter().filter_map(|name| Some((segment_number(name)?, storage.contents(name)?))).collect()
}

/// The number that a segment is named after.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("wal/")?.strip_suffix(".ndjson")?.parse().ok()
}

/// Every file.
pub(crate) fn contents(storage: &MemoryStorage) -> BTreeMap<String, Vec<u8>> {
    let names = storage.names();
    names.into_iter().filter_map(|name| Some((name.clone(), storage.contents(&name)?))).collect()
}

/// Losing a file.
pub(crate) trait Lose {
    fn remove_named(&self, name: &str);
}

impl Lose for MemoryStorage {
    fn remove_named(&self, name: &str) {
        use monsterdb::storage::Storage;
        self.remove(name).unwrap();
    }
}
