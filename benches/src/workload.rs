//! What is measured.

use serde::{Deserialize, Serialize};

use crate::question::Topic;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Durable inserts, one document each.
    Insert,
    /// Durable transactions that insert 1,000 documents each.
    Batch,
    /// Durable transactions that insert 10 documents each, in turn into two collections.
    Transaction,
    /// The same, given up in place of committed.
    Rollback,
    /// Reads of one document's text by id, in random order.
    Get,
    /// Reads of one document as a value of a type by id, in random order.
    GetTyped,
    /// Nine reads of text in ten operations, and one durable insert.
    Mix,
    /// Reads of text while one thread more inserts durably. What counts are the reads.
    ReadsBesideWriter,
    /// Random documents read, changed and written in durable transactions.
    Modify,
    /// The same, always with the same document: a counter.
    ModifyOne,
    /// Random documents changed by the engine's own operator, durably.
    Update,
    /// The same, always with the same document: a counter.
    UpdateOne,
    /// Questions to many documents.
    Ask(Topic),
    /// Those of them that have an index, without it.
    AskBare(Topic),
    /// Making the two indexes that questions rely on.
    IndexBuild,
    /// A checkpoint after some changes, while one thread commits. The latencies are the commits'.
    Checkpoint(Changes),
    /// Opening a database that was closed in the orderly way.
    ReopenClean,
    /// Opening a database whose process ended without closing it.
    ReopenKilled,
    /// Resident memory after writing documents into an empty database.
    MemoryWritten,
    /// The same, in a database that has two indexes.
    MemoryIndexed,
    /// Resident memory after opening a database that was closed.
    MemoryReopened,
    /// All files after writing documents into an empty database and closing it.
    Disk,
}

/// Documents added between two checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changes {
    /// None but those that are committed beside it.
    None,
    /// 1,000.
    Few,
    /// 100,000.
    Many,
}

impl Changes {
    /// How many.
    pub(crate) fn count(self) -> usize {
        match self {
            Changes::None => 0,
            Changes::Few => 1_000,
            Changes::Many => 100_000,
        }
    }
}

impl Workload {
    /// Every one, in the order of their rows.
    pub const ALL: [Workload; 31] = [
        Workload::Insert,
        Workload::Batch,
        Workload::Transaction,
        Workload::Rollback,
        Workload::Get,
        Workload::GetTyped,
        Workload::Mix,
        Workload::ReadsBesideWriter,
        Workload::Modify,
        Workload::ModifyOne,
        Workload::Update,
        Workload::UpdateOne,
        Workload::Ask(Topic::Equality),
        Workload::AskBare(Topic::Equality),
        Workload::Ask(Topic::Range),
        Workload::AskBare(Topic::Range),
        Workload::Ask(Topic::Scan),
        Workload::Ask(Topic::Top),
        Workload::Ask(Topic::Count),
        Workload::AskBare(Topic::Count),
        Workload::Ask(Topic::Aggregate),
        Workload::IndexBuild,
        Workload::Checkpoint(Changes::None),
        Workload::Checkpoint(Changes::Few),
        Workload::Checkpoint(Changes::Many),
        Workload::ReopenClean,
        Workload::ReopenKilled,
        Workload::MemoryWritten,
        Workload::MemoryIndexed,
        Workload::MemoryReopened,
        Workload::Disk,
    ];

    /// Its name, in arguments and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Insert => "insert",
            Workload::Batch => "batch",
            Workload::Transaction => "transaction",
            Workload::Rollback => "rollback",
            Workload::Get => "get",
            Workload::GetTyped => "get-typed",
            Workload::Mix => "mix",
            Workload::ReadsBesideWriter => "reads-beside-writer",
            Workload::Modify => "modify",
            Workload::ModifyOne => "modify-one",
            Workload::Update => "update",
            Workload::UpdateOne => "update-one",
            Workload::Ask(Topic::Equality) => "equality",
            Workload::Ask(Topic::Range) => "range",
            Workload::Ask(Topic::Scan) => "scan",
            Workload::Ask(Topic::Top) => "top",
            Workload::Ask(Topic::Count) => "count",
            Workload::Ask(Topic::Aggregate) => "aggregate",
            Workload::AskBare(Topic::Equality) => "equality-bare",
            Workload::AskBare(Topic::Range) => "range-bare",
            Workload::AskBare(Topic::Scan) => "scan-bare",
            Workload::AskBare(Topic::Top) => "top-bare",
            Workload::AskBare(Topic::Count) => "count-bare",
            Workload::AskBare(Topic::Aggregate) => "aggregate-bare",
            Workload::IndexBuild => "index-build",
            Workload::Checkpoint(Changes::None) => "checkpoint-0",
            Workload::Checkpoint(Changes::Few) => "checkpoint-1000",
            Workload::Checkpoint(Changes::Many) => "checkpoint-100000",
            Workload::ReopenClean => "reopen-clean",
            Workload::ReopenKilled => "reopen-killed",
            Workload::MemoryWritten => "memory-written",
            Workload::MemoryIndexed => "memory-indexed",
            Workload::MemoryReopened => "memory-reopened",
            Workload::Disk => "disk",
        }
    }

    /// What its figure is.
    pub(crate) fn measure(self) -> Measure {
        match self {
            Workload::Insert | Workload::Batch => Measure::Rate("documents/s"),
            Workload::Transaction | Workload::Rollback => Measure::Rate("transactions/s"),
            Workload::Get | Workload::GetTyped => Measure::Rate("gets/s"),
            Workload::Mix => Measure::Rate("operations/s"),
            Workload::ReadsBesideWriter => Measure::Rate("gets/s"),
            Workload::Modify | Workload::ModifyOne => Measure::Rate("changes/s"),
            Workload::Update | Workload::UpdateOne => Measure::Rate("changes/s"),
            Workload::Ask(_) | Workload::AskBare(_) => Measure::Rate("queries/s"),
            Workload::IndexBuild | Workload::Checkpoint(_) => Measure::Cost("ms"),
            Workload::ReopenClean | Workload::ReopenKilled => Measure::Cost("ms"),
            Workload::MemoryWritten | Workload::MemoryIndexed | Workload::MemoryReopened => {
                Measure::Cost("bytes/document")
            }
            Workload::Disk => Measure::Cost("bytes/document"),
        }
    }

    /// From how many threads it is run.
    pub(crate) fn threads(self) -> &'static [usize] {
        match self {
            Workload::Insert => &[1, 4, 16, 64],
            Workload::Get | Workload::GetTyped => &[1, 2],
            Workload::Mix => &[4],
            Workload::ReadsBesideWriter => &[2],
            Workload::Modify | Workload::ModifyOne => &[16],
            Workload::Update | Workload::UpdateOne => &[16],
            Workload::Batch
            | Workload::Transaction
            | Workload::Rollback
            | Workload::Ask(_)
            | Workload::AskBare(_)
            | Workload::IndexBuild
            | Workload::Checkpoint(_)
            | Workload::ReopenClean
            | Workload::ReopenKilled
            | Workload::MemoryWritten
            | Workload::MemoryIndexed
            | Workload::MemoryReopened
            | Workload::Disk => &[1],
        }
    }

    /// The database that it begins with.
    pub(crate) fn begins_with(self) -> Beginning {
        match self {
            Workload::Insert | Workload::Batch | Workload::Transaction | Workload::Rollback => {
                Beginning::Empty
            }
            Workload::MemoryWritten | Workload::MemoryIndexed | Workload::Disk => Beginning::Empty,
            Workload::Get | Workload::GetTyped | Workload::Mix => Beginning::Closed,
            Workload::ReadsBesideWriter | Workload::AskBare(_) => Beginning::Closed,
            Workload::Modify | Workload::ModifyOne => Beginning::Closed,
            Workload::Update | Workload::UpdateOne => Beginning::Closed,
            Workload::IndexBuild | Workload::Checkpoint(_) => Beginning::Closed,
            Workload::ReopenClean | Workload::MemoryReopened => Beginning::Closed,
            Workload::ReopenKilled => Beginning::Killed,
            Workload::Ask(_) => Beginning::Indexed,
        }
    }
}

/// What a figure is, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// The more the better.
    Rate(&'static str),
    /// The less the better.
    Cost(&'static str),
}

impl Measure {
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Measure::Rate(unit) | Measure::Cost(unit) => unit,
        }
    }

    /// How many times as good one figure is as another.
    pub(crate) fn ratio(self, one: f64, other: f64) -> f64 {
        match self {
            Measure::Rate(_) => one / other,
            Measure::Cost(_) => other / one,
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
