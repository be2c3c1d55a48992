//! The faults that a [`MemoryStorage`](super::MemoryStorage) was told to have, and the count of
//! operations that they go by.
//!
//! Invariant: after the crash no operation has an effect.

use std::{collections::BTreeMap, fmt, io};

use super::random::Random;

/// The numbers of `EIO` and `ENOSPC`.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Something that goes wrong. Operations are numbered from 1, over the life of the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One operation fails without effect.
    FailAt {
        /// Its number.
        operation: u64,
        /// How it fails.
        failure: Failure,
    },
    /// Half of the bytes of a write land, then it fails as a device does. An operation that is no
    /// write fails without effect.
    ShortWrite {
        /// Its number.
        operation: u64,
    },
    /// Of a write every other sector of 512 bytes lands, the first one and so on, then it fails as
    /// a device does. An operation that is no write fails without effect.
    TornWrite {
        /// Its number.
        operation: u64,
    },
    /// One operation of a kind fails without effect.
    FailNth {
        /// The kind.
        kind: OperationKind,
        /// Its number among those of its kind, from 1, over the life of the storage (see
        /// [`MemoryStorage::operations_of`](super::MemoryStorage::operations_of)).
        nth: u64,
        /// How it fails.
        failure: Failure,
    },
    /// Every operation of a kind fails without effect, until
    /// [`MemoryStorage::clear_faults`](super::MemoryStorage::clear_faults).
    FailAll {
        /// The kind.
        kind: OperationKind,
        /// How they fail.
        failure: Failure,
    },
    /// The process dies in this operation: a write may be partly done, anything else is not done,
    /// and nothing after it has an effect. Look at the disk with
    /// [`MemoryStorage::crash`](super::MemoryStorage::crash).
    CrashAt {
        /// Its number. If that has passed, the next operation.
        operation: u64,
    },
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The device does not work (`EIO`).
    Device,
    /// The device is full (`ENOSPC`), an [`io::ErrorKind::StorageFull`].
    Full,
}

/// The operations that change something, and so count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "each is a function of Storage or StorageFile")]
pub enum OperationKind {
    CreateFolder,
    Create,
    Rename,
    Remove,
    SyncFolder,
    Write,
    Allocate,
    Sync,
}

/// One operation of a trace. Prints as `7 rename MANIFEST.json.tmp -> MANIFEST.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Its place in the order, from 1.
    pub number: u64,
    /// What it is.
    pub kind: OperationKind,
    /// The name of the file or folder; for an open file the name by which it was opened.
    pub name: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            OperationKind::CreateFolder => "create_folder",
            OperationKind::Create => "create",
            OperationKind::Rename => "rename",
            OperationKind::Remove => "remove",
            OperationKind::SyncFolder => "sync_folder",
            OperationKind::Write => "write",
            OperationKind::Allocate => "allocate",
            OperationKind::Sync => "sync",
        };
        write!(f, "{} {kind} {:?}", self.number, self.name)
    }
}

/// The plan of faults and the count of operations.
#[derive(Debug, Default)]
pub(super) struct Faults {
    count: u64,
    /// Absent where nobody asked for one: it grows with every operation.
    trace: Option<Vec<Operation>>,
    planned: Vec<Fault>,
    met: Vec<Fault>,
    counts: BTreeMap<OperationKind, u64>,
    crashed: bool,
}

/// An operation as faults go by it.
#[derive(Debug, Clone, Copy)]
struct Numbered {
    kind: OperationKind,
    /// Its place among all.
    number: u64,
    /// Its place among those of its kind.
    nth: u64,
}

/// What becomes of an operation.
pub(super) enum Verdict {
    /// It is done.
    Go,
    /// It has no effect and fails.
    Fail(io::Error),
    /// Of a write of so many bytes so many land, and it fails.
    Part { landed: fn(u64, usize) -> usize, error: io::Error },
    /// Of a write every other sector lands, and it fails.
    Torn(io::Error),
}

impl Faults {
    pub(super) fn traced() -> Faults {
        Faults { trace: Some(Vec::new()), ..Faults::default() }
    }

    /// Counts an operation and decides on it.
    pub(super) fn next(&mut self, operation: OperationKind, name: &str) -> (u64, Verdict) {
        if self.crashed {
            return (self.count, Verdict::Fail(crashed_error()));
        }
        self.count += 1;
        let entry = || Operation { number: self.count, kind: operation, name: name.to_owned() };
        if let Some(trace) = &mut self.trace {
            trace.push(entry());
        }
        let of_kind = self.counts.entry(operation).or_default();
        *of_kind += 1;
        let numbered = Numbered { kind: operation, number: self.count, nth: *of_kind };
        let met = self
            .planned
            .iter()
            .find_map(|fault| fault.verdict(numbered).map(|verdict| (*fault, verdict)));
        let crash = self.planned.iter().find(|fault| fault.has_crashed(self.count)).copied();
        self.crashed = crash.is_some();
        let first = met.as_ref().map(|(fault, _)| *fault);
        self.met.extend(first.into_iter().chain(crash.filter(|_| first != crash)));
        (self.count, met.map_or(Verdict::Go, |(_, verdict)| verdict))
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn count_of(&self, kind: OperationKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn met(&self) -> Vec<Fault> {
        self.met.clone()
    }

    pub(super) fn trace(&self) -> Vec<Operation> {
        self.trace.clone().unwrap_or_default()
    }

    pub(super) fn plan(&mut self, fault: Fault) {
        self.planned.push(fault);
    }

    /// Forgets the faults to come. A crash stays a crash.
    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    /// An error once the process has died.
    pub(super) fn check_alive(&self) -> io::Result<()> {
        if self.crashed { Err(crashed_error()) } else { Ok(()) }
    }
}

impl Fault {
    fn verdict(&self, at: Numbered) -> Option<Verdict> {
        let is_write = at.kind == OperationKind::Write;
        let device = || Failure::Device.error();
        match *self {
            Fault::FailAt { operation, failure } => {
                (at.number == operation).then(|| Verdict::Fail(failure.error()))
            }
            Fault::ShortWrite { operation } => (at.number == operation).then(|| match is_write {
                true => Verdict::Part { landed: |_, length| length / 2, error: device() },
                false => Verdict::Fail(device()),
            }),
            Fault::TornWrite { operation } => (at.number == operation).then(|| match is_write {
                true => Verdict::Torn(device()),
                false => Verdict::Fail(device()),
            }),
            Fault::FailNth { kind, nth, failure } => {
                (kind == at.kind && nth == at.nth).then(|| Verdict::Fail(failure.error()))
            }
            Fault::FailAll { kind, failure } => {
                (kind == at.kind).then(|| Verdict::Fail(failure.error()))
            }
            Fault::CrashAt { operation } => (at.number >= operation).then(|| match is_write {
                true => Verdict::Part { landed: any_part, error: crashed_error() },
                false => Verdict::Fail(crashed_error()),
            }),
        }
    }

    fn has_crashed(&self, number: u64) -> bool {
        matches!(*self, Fault::CrashAt { operation } if number >= operation)
    }
}

impl Failure {
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Failure::Device => EIO,
            Failure::Full => ENOSPC,
        })
    }
}

/// From nothing to everything, by the number of the operation.
fn any_part(operation: u64, length: usize) -> usize {
    Random::new(operation).below(length as u64 + 1) as usize
}

fn crashed_error() -> io::Error {
    io::Error::other("crashed: the process that used this storage is gone")
}
