//! What one transaction did and saw.

use monsterdb::Isolation;

/// A history: the transactions in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) isolation: Isolation,
    /// Places in the one sequence of all beginnings and ends.
    pub(crate) start: u64,
    pub(crate) finish: u64,
    pub(crate) events: Vec<Event>,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With this version; for one that wrote nothing, the version that it read.
    Committed(u64),
    Aborted,
}

/// Values are never written twice, so that a value names its writer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    ReadList {
        key: u64,
        values: Vec<u64>,
    },
    Append {
        key: u64,
        value: u64,
    },
    ReadRegister {
        key: u64,
        value: Option<u64>,
    },
    WriteRegister {
        key: u64,
        value: u64,
    },
    /// The items of a bag in the order of ids, at most so many. Items are never taken out.
    ReadBag {
        bag: u64,
        limit: Option<usize>,
        items: Vec<u64>,
    },
    CountBag {
        bag: u64,
        count: usize,
    },
    AddItem {
        bag: u64,
        item: u64,
    },
    ReadCounter {
        key: u64,
        value: u64,
    },
    /// Blind.
    Increment {
        key: u64,
    },
}

impl Record {
    pub(crate) fn version(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Committed(version) => Some(version),
            Outcome::Aborted => None,
        }
    }

    pub(crate) fn writes(&self) -> bool {
        self.events.iter().any(|event| {
            matches!(
                event,
                Event::Append { .. }
                    | Event::WriteRegister { .. }
                    | Event::AddItem { .. }
                    | Event::Increment { .. }
            )
        })
    }
}
