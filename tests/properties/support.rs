//! What the properties of durability share: work to do, and the log as it stands on the disk.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../workload/mod.rs"]
pub(crate) mod workload;

use std::collections::BTreeMap;

use monsterdb::{
    Version,
    storage::MemoryStorage,
    wal::{Record, open_line},
};
pub(crate) use workload::random::{crash_kind, steps, transaction, transactions};

/// The numbers that the segments on a disk are named after, with their bytes.
pub(crate) fn segments(storage: &MemoryStorage) -> BTreeMap<u64, Vec<u8>> {
    let first = |name: &str| name.strip_prefix("wal/")?.strip_suffix(".ndjson")?.parse().ok();
    let names = storage.names();
    names.iter().filter_map(|name| Some((first(name)?, storage.contents(name)?))).collect()
}

/// The lines of the records that count, by the rule of the specification: a segment supersedes
/// what earlier ones hold from its name on, and the first line that is no record ends a segment.
pub(crate) fn record_lines(storage: &MemoryStorage) -> Vec<Vec<u8>> {
    let segments = segments(storage);
    let mut lines = Vec::new();
    for (first, bytes) in &segments {
        let next = segments.range(first + 1..).next().map(|(next, _)| *next);
        let mut in_order = bytes.split(|byte| *byte == b'\n');
        // A head that was torn ends the segment like any other line.
        if in_order.next().is_none_or(|head| open_line(head).is_err()) {
            continue;
        }
        for line in in_order {
            let Ok(record) = Record::parse(line) else { break };
            if next.is_some_and(|next| record.seq >= Version::new(next)) {
                break;
            }
            lines.push(line.to_vec());
        }
    }
    lines
}

/// The numbers of the records that count.
pub(crate) fn sequence(storage: &MemoryStorage) -> Vec<u64> {
    let lines = record_lines(storage);
    lines.iter().map(|line| Record::parse(line).unwrap().seq.get()).collect()
}

/// Takes a file away.
pub(crate) fn lose(storage: &MemoryStorage, name: &str) {
    use monsterdb::storage::Storage;
    storage.remove(name).unwrap();
}
