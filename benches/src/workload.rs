//! What is measured.

use serde::{Deserialize, Serialize};

use crate::question::Topic;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Durable inserts, one document each.
    Insert,
    /// Durable transactions that insert 1,000 documents each.
    Batch,
    /// Reads of one document's text by id, in random order.
    Get,
    /// Questions to many documents.
    Ask(Topic),
    /// Opening a database that was closed in the orderly way.
    ReopenClean,
    /// Opening a database whose process ended without closing it.
    ReopenKilled,
    /// Resident memory after writing documents into an empty database.
    MemoryWritten,
    /// Resident memory after opening a database that was closed.
    MemoryReopened,
}

impl Workload {
    /// Every one, in the order of their rows.
    pub const ALL: [Workload; 13] = [
        Workload::Insert,
        Workload::Batch,
        Workload::Get,
        Workload::Ask(Topic::Equality),
        Workload::Ask(Topic::Range),
        Workload::Ask(Topic::Scan),
        Workload::Ask(Topic::Top),
        Workload::Ask(Topic::Count),
        Workload::Ask(Topic::Aggregate),
        Workload::ReopenClean,
        Workload::ReopenKilled,
        Workload::MemoryWritten,
        Workload::MemoryReopened,
    ];

    /// Its name, in arguments and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Insert => "insert",
            Workload::Batch => "batch",
            Workload::Get => "get",
            Workload::Ask(Topic::Equality) => "equality",
            Workload::Ask(Topic::Range) => "range",
            Workload::Ask(Topic::Scan) => "scan",
            Workload::Ask(Topic::Top) => "top",
            Workload::Ask(Topic::Count) => "count",
            Workload::Ask(Topic::Aggregate) => "aggregate",
            Workload::ReopenClean => "reopen-clean",
            Workload::ReopenKilled => "reopen-killed",
            Workload::MemoryWritten => "memory-written",
            Workload::MemoryReopened => "memory-reopened",
        }
    }

    /// The unit of its figure.
    pub fn unit(self) -> &'static str {
        match self {
            Workload::Insert | Workload::Batch => "documents/s",
            Workload::Get => "gets/s",
            Workload::Ask(_) => "queries/s",
            Workload::ReopenClean | Workload::ReopenKilled => "ms",
            Workload::MemoryWritten | Workload::MemoryReopened => "bytes/document",
        }
    }

    /// From how many threads it is run.
    pub(crate) fn threads(self) -> &'static [usize] {
        match self {
            Workload::Insert => &[1, 4, 16, 64],
            Workload::Get => &[1, 2],
            Workload::Batch
            | Workload::Ask(_)
            | Workload::ReopenClean
            | Workload::ReopenKilled
            | Workload::MemoryWritten
            | Workload::MemoryReopened => &[1],
        }
    }

    /// The database that it begins with.
    pub(crate) fn begins_with(self) -> Beginning {
        match self {
            Workload::Insert | Workload::Batch | Workload::MemoryWritten => Beginning::Empty,
            Workload::Get | Workload::ReopenClean | Workload::MemoryReopened => Beginning::Closed,
            Workload::ReopenKilled => Beginning::Killed,
            Workload::Ask(_) => Beginning::Indexed,
        }
    }
}

/// The state of a database before it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Beginning {
    /// Nothing is there.
    Empty,
    /// Its documents were written one by one, and it was closed.
    Closed,
    /// Closed, and it has the indexes that questions rely on.
    Indexed,
    /// Its documents were written one by one, and the process ended.
    Killed,
}
