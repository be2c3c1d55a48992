//! What the properties of durability share: work to do, and the log as it stands on the disk.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../workload/mod.rs"]
pub(crate) mod workload;

use std::{collections::BTreeMap, time::Duration};

use monsterdb::{
    Durability, Version,
    storage::{CrashKind, MemoryStorage},
    wal::{Record, open_line},
};
use proptest::prelude::*;
use workload::{Place, Step, Write};

/// Steps of every kind, in any order; some transactions will be refused.
pub(crate) fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        16 => transaction(),
        1 => catalog(),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Maintain),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..length)
}

/// Transactions alone, each of which succeeds on the state that the ones before it make.
pub(crate) fn transactions(length: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(prop_oneof![8 => transaction(), 1 => catalog()], 1..length)
}

/// One to four writes of documents.
pub(crate) fn transaction() -> impl Strategy<Value = Step> {
    let writes = proptest::collection::vec(write(), 1..5);
    (durability(), writes).prop_map(|(durability, writes)| Step::Commit(durability, writes))
}

pub(crate) fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![
        3 => Just(Durability::Always),
        1 => Just(Durability::Interval(Duration::ZERO)),
        2 => Just(Durability::None),
    ]
}

pub(crate) fn crash_kind() -> impl Strategy<Value = CrashKind> {
    prop_oneof![1 => Just(CrashKind::Process), 3 => Just(CrashKind::Power)]
}

fn catalog() -> impl Strategy<Value = Step> {
    let name = "[abc]";
    let change = prop_oneof![name.prop_map(Write::Create), name.prop_map(Write::Drop)];
    (durability(), change).prop_map(|(durability, change)| Step::Commit(durability, vec![change]))
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        4 => (place(), 0..1500_usize).prop_map(|(place, bytes)| Write::Put(place, bytes)),
        2 => place().prop_map(Write::Append),
        2 => place().prop_map(Write::Double),
        2 => place().prop_map(Write::Increment),
        1 => place().prop_map(Write::Delete),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    ("[abc]", "[1-3]").prop_map(|(collection, id)| Place { collection, id })
}

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
