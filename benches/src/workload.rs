//! What is measured.

use serde::{Deserialize, Serialize};

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
    pub const ALL: [Workload; 7] = [
        Workload::Insert,
        Workload::Batch,
        Workload::Get,
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
    /// Its documents were written one by one, and the process ended.
    Killed,
}
