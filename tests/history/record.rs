//! What one transaction did and saw.

use std::collections::BTreeSet;

use monsterdb::Isolation;

/// What is read and written: its kind and its number.
pub(crate) type Key = (&'static str, u64);

/// A history: the transactions in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) records: Vec<Record>,
    /// Values that were found in documents, with the versions of these documents. The document of
    /// a list has the version of its last value's writer.
    pub(crate) sightings: BTreeSet<(Key, u64, u64)>,
    /// When everything was over, everything was read.
    pub(crate) is_read_whole: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// How it was run, in a few words.
    pub(crate) kind: &'static str,
    pub(crate) isolation: Isolation,
    /// Places in the one sequence of all beginnings and ends.
    pub(crate) start: u64,
    /// Without an end when the answer never came.
    pub(crate) finish: u64,
    /// The version that it read, where that is known and it also writes.
    pub(crate) snapshot: Option<u64>,
    pub(crate) events: Vec<Event>,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With this version; for one that wrote nothing, the version that it read.
    Committed(u64),
    /// It took effect, at a version that nobody was told.
    TookEffect,
    Aborted,
    /// The answer never came: it took effect, or it did not.
    Unknown,
}

/// The finish of what has none: it may take effect at any time.
pub(crate) const NEVER: u64 = u64::MAX;

/// Values are never written twice, so that a value names its writer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    ReadList {
        key: u64,
        values: Vec<u64>,
    },
    /// Values are never taken out of a list.
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
            Outcome::TookEffect | Outcome::Aborted | Outcome::Unknown => None,
        }
    }

    pub(crate) fn took_effect(&self) -> bool {
        match self.outcome {
            Outcome::Committed(_) | Outcome::TookEffect => true,
            Outcome::Aborted | Outcome::Unknown => false,
        }
    }

    pub(crate) fn writes(&self) -> bool {
        self.events.iter().any(Event::is_write)
    }

    pub(crate) fn writes_to(&self, key: Key) -> bool {
        self.events.iter().any(|event| event.is_write() && event.key() == key)
    }

    /// The values that it wrote, but for counters, which have none.
    pub(crate) fn written(&self) -> impl Iterator<Item = (Key, u64)> {
        self.events.iter().filter_map(|event| Some((event.key(), event.written()?)))
    }
}

impl Event {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Event::ReadList { .. } => "read a list",
            Event::Append { .. } => "append",
            Event::ReadRegister { .. } => "read a register",
            Event::WriteRegister { .. } => "write a register",
            Event::ReadBag { limit: None, .. } => "read a bag",
            Event::ReadBag { limit: Some(_), .. } => "read a bag's beginning",
            Event::CountBag { .. } => "count a bag",
            Event::AddItem { .. } => "add an item",
            Event::ReadCounter { .. } => "read a counter",
            Event::Increment { .. } => "increment",
        }
    }

    pub(crate) fn key(&self) -> Key {
        match self {
            Event::ReadList { key, .. } | Event::Append { key, .. } => ("list", *key),
            Event::ReadRegister { key, .. } | Event::WriteRegister { key, .. } => {
                ("register", *key)
            }
            Event::ReadBag { bag, .. }
            | Event::CountBag { bag, .. }
            | Event::AddItem { bag, .. } => ("bag", *bag),
            Event::ReadCounter { key, .. } | Event::Increment { key } => ("counter", *key),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        self.written().is_some() || matches!(self, Event::Increment { .. })
    }

    /// The values that it shows, with their key.
    pub(crate) fn seen(&self) -> Vec<(Key, u64)> {
        let values = match self {
            Event::ReadList { values, .. } => &values[..],
            Event::ReadRegister { value, .. } => value.as_slice(),
            Event::ReadBag { items, .. } => items,
            Event::Append { .. }
            | Event::WriteRegister { .. }
            | Event::CountBag { .. }
            | Event::AddItem { .. }
            | Event::ReadCounter { .. }
            | Event::Increment { .. } => &[],
        };
        values.iter().map(|value| (self.key(), *value)).collect()
    }

    fn written(&self) -> Option<u64> {
        match self {
            Event::Append { value, .. } | Event::WriteRegister { value, .. } => Some(*value),
            Event::AddItem { item, .. } => Some(*item),
            Event::ReadList { .. }
            | Event::ReadRegister { .. }
            | Event::ReadBag { .. }
            | Event::CountBag { .. }
            | Event::ReadCounter { .. }
            | Event::Increment { .. } => None,
        }
    }
}
