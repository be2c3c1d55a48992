//! The commit protocol: lock, validate, prepare, sequence, sync, publish.
//!
//! Optimistic concurrency control with backward validation after Kung and Robinson (1981), group
//! commit after DeWitt et al. (1984).
//!
//! ```text
//! 0  nothing written: done; a snapshot is a serial point by itself
//! 1  validate against the tip without locks                    the long part, in parallel
//! 2  make sure the log has room                                wait for the disk or refuse here
//! 3  lock the collections read (shared) or written (exclusive), in the order of their names
//! 4  validate what changed between step 1 and now              usually nothing
//! 5  prepare: resolve updates, drop what changes nothing, encode, make the next maps
//! 6  sequence, short: take room and version, stamp, append to the batch, move the tip
//! 7  unlock
//! 8  wait until published; whoever finds no leader becomes it  (see `group`)
//! 9  acknowledge
//! ```
//!
//! The *tip* is the newest state: validated, perhaps not yet on the device. Committers work
//! against it. Readers see the *published* state, which with durability `always` is on the
//! device: nobody reads what a crash could take back.
//!
//! # Why it is serializable
//!
//! Let T read the snapshot *s* and be given version *v*. Steps 1 and 4 compare everything T read
//! with the tip as it is at step 4: what differs from *s* in a way that T could have seen is a
//! conflict. From step 3 to step 6 T holds a lock on every collection it read, and every writer
//! of such a collection needs it exclusively between its own steps 3 and 6. So nothing that T
//! read changes between step 4 and the moment it gets *v*: at *v* − 1 T would have read just what
//! it read at *s*. Hence T is equivalent to running alone between *v* − 1 and *v*, and all
//! committed transactions are equivalent to the order of their versions. A transaction that only
//! reads is equivalent to running at its snapshot's version. Commits are acknowledged after they
//! are published, and a snapshot is the one published last, so that order agrees with real time.
//!
//! # Invariants
//!
//! - The order of records in the log, of versions, of tips and of publication is one order: all
//!   four are moved by whoever holds the group's mutex.
//! - published ≤ written ≤ tip, and each only grows. A batch that holds a commit with durability
//!   `always` is published only after it was synced.
//! - Locks are taken in the order of names, and nothing waits for a disk while it holds one.
//! - After step 5 nothing fails but the device. If that fails, the database is poisoned: tip and
//!   disk may differ, the published state does not. Everyone who waits is told that the outcome
//!   is unknown, and nothing is written any more.
//! - An error that rests on the tip is returned when that tip is published, so that whoever tries
//!   again sees its cause.

mod counts;
mod group;
mod index;
mod locks;
mod transact;
mod validation;

pub use counts::{CommitCounts, ConflictCounts};
pub use group::{Group, GroupOptions, Logged};
pub use index::{IndexMade, IndexProgress};
pub use transact::{Committed, TransactOptions};
pub use validation::validate;

use std::time::Duration;

use dashmap::DashMap;

use crate::{
    error::{Error, Result},
    limits,
    names::CollectionName,
    snapshot::{Prepared, Snapshot, Unfit, WriteSet},
    sync::{Arc, ThreadId, mutant, thread},
    transaction::{Intention, Transaction},
    version::Version,
    wal::EncodedOps,
};
use counts::Counts;
use group::Sequenced;
use locks::{LockMode, Locks};

/// When a commit is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When it is safe on the device.
    #[default]
    Always,
    /// When it was handed to the operating system; it is safe at most this much later. A crash of
    /// the machine loses at most that time's commits, a crash of the process none.
    Interval(Duration),
    /// When it was handed to the operating system. For tests and caches.
    None,
}

/// Commits transactions, one database's worth of them.
pub struct Committer {
    group: Group,
    locks: Locks,
    /// Threads that are inside a `transact` closure, where another commit could wait for itself.
    inside: DashMap<ThreadId, ()>,
    memory_limit: u64,
    counts: Counts,
}

/// How the part of a commit under its locks ended.
enum Outcome {
    /// It has its version, and waits to be published.
    Sequenced(Version),
    /// Its writes change nothing in the state of this version.
    Unchanged(Version),
    /// The log has too little room for a record of so many bytes.
    NoRoom(u64),
}

impl Committer {
    /// A committer over the state that a database was opened with.
    pub fn new(group: Group, memory_limit: u64) -> Committer {
        Committer {
            group,
            locks: Locks::default(),
            inside: DashMap::new(),
            memory_limit,
            counts: Counts::default(),
        }
    }

    /// The committed state that readers see.
    pub fn published(&self) -> Arc<Snapshot> {
        if mutant("read_the_tip") {
            return self.group.tip();
        }
        self.group.published()
    }

    /// The log and its group of committers.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// How many commits went which way.
    pub fn counts(&self) -> CommitCounts {
        self.counts.commits()
    }

    /// What refused commits ran into, by collection.
    pub fn conflicts(&self) -> Vec<ConflictCounts> {
        self.counts.conflicts()
    }

    /// Commits a transaction and returns its version.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when something it read has changed, what resolving its updates finds
    /// ([`Error::DocumentNotFound`], [`Error::InvalidUpdate`], …), [`Error::StorageFull`],
    /// [`Error::ReadOnly`], [`Error::Closed`], [`Error::Nested`]: nothing has changed then.
    /// [`Error::OutcomeUnknown`] when the device failed under it.
    pub fn commit(&self, transaction: Transaction, durability: Durability) -> Result<Version> {
        self.check_not_inside()?;
        self.commit_intention(transaction.into_intention(), durability)
    }

    /// Refuses inside a `transact` closure of this thread, where a commit could wait for itself.
    fn check_not_inside(&self) -> Result<()> {
        match self.inside.contains_key(&thread::current().id()) {
            true => Err(Error::Nested),
            false => Ok(()),
        }
    }

    fn commit_intention(&self, intention: Intention, durability: Durability) -> Result<Version> {
        if intention.writes.is_empty() {
            return Ok(intention.snapshot.version());
        }
        let mut validated = Arc::clone(&intention.snapshot);
        let mut bytes = intention.writes.bytes();
        loop {
            let (tip, room) = self.group.enter(bytes)?;
            self.validate(&mut validated, tip, &intention)?;
            if !room {
                self.group.make_room(bytes)?;
            }
            match self.commit_locked(&mut validated, &intention, durability)? {
                Outcome::NoRoom(needed) => bytes = needed,
                Outcome::Sequenced(version) => {
                    self.group.wait_published(version)?;
                    self.counts.committed.add(1);
                    return Ok(version);
                }
                Outcome::Unchanged(version) => {
                    // Somebody else wrote what it asked for, perhaps with a weaker promise.
                    if !mutant("acknowledge_no_change_at_once") {
                        self.group.wait_acknowledged(version, durability)?;
                    }
                    return Ok(version);
                }
            }
        }
    }

    /// Steps 3 to 7.
    fn commit_locked(
        &self,
        validated: &mut Arc<Snapshot>,
        intention: &Intention,
        durability: Durability,
    ) -> Result<Outcome> {
        let wanted = self.locks.collect(lock_modes(intention));
        let held = wanted.acquire();
        let tip = self.group.tip();
        let skip = mutant("skip_validation_under_locks");
        let unchanged = skip || Arc::ptr_eq(validated, &tip);
        let outcome = if unchanged { Ok(()) } else { self.check(validated, &tip, intention) }
            .and_then(|()| self.sequence(&tip, intention, durability));
        drop(held);
        *validated = Arc::clone(&tip);
        outcome.or_else(|error| self.refuse(&tip, error))
    }

    /// Steps 5 and 6. The caller holds the locks of everything read or written.
    fn sequence(
        &self,
        tip: &Snapshot,
        intention: &Intention,
        durability: Durability,
    ) -> Result<Outcome> {
        let snapshot = &*intention.snapshot;
        // Only where no collection has come meanwhile, which would be noticed at once.
        let early = mutant("resolve_against_the_snapshot")
            && snapshot.collections().count() == tip.collections().count();
        let writes = intention.writes.resolve(if early { snapshot } else { tip })?;
        if writes.is_empty() {
            return Ok(Outcome::Unchanged(tip.version()));
        }
        self.sequence_writes(tip, &writes, durability)
    }

    /// Steps 5 and 6 for writes that were resolved against the tip.
    fn sequence_writes(
        &self,
        tip: &Snapshot,
        writes: &WriteSet,
        durability: Durability,
    ) -> Result<Outcome> {
        let prepared = tip.prepare(writes).map_err(unfit)?;
        self.check_memory(tip, &prepared)?;
        let operations = EncodedOps::new(writes.encode());
        Ok(match self.group.sequence(prepared, operations, writes.operations(), durability)? {
            Sequenced::Version(version) => Outcome::Sequenced(version),
            Sequenced::NoRoom(bytes) => Outcome::NoRoom(bytes),
        })
    }

    /// Validates what changed since the transaction was last valid.
    fn validate(
        &self,
        validated: &mut Arc<Snapshot>,
        tip: Arc<Snapshot>,
        intention: &Intention,
    ) -> Result<()> {
        let outcome = self.check(validated, &tip, intention);
        outcome.or_else(|error| self.refuse(&tip, error))?;
        *validated = tip;
        Ok(())
    }

    fn check(&self, from: &Snapshot, tip: &Snapshot, intention: &Intention) -> Result<()> {
        let read_version = intention.snapshot.version();
        let conflicts = validate(from, tip, read_version, &intention.reads);
        if conflicts.is_empty() {
            return Ok(());
        }
        self.counts.refused(&conflicts);
        Err(Error::Conflict(conflicts))
    }

    /// Returns an error that rests on a tip, once that tip is published.
    fn refuse<T>(&self, tip: &Snapshot, error: Error) -> Result<T> {
        if mutant("refuse_at_once") {
            return Err(error);
        }
        match self.group.wait_published(tip.version()) {
            Ok(()) => Err(error),
            Err(_) => self.group.check_writable().and(Err(error)),
        }
    }

    fn check_memory(&self, tip: &Snapshot, prepared: &Prepared) -> Result<()> {
        let actual = tip.bytes_with(prepared);
        // What makes the database smaller always passes: it is the way back below the limit.
        match actual > self.memory_limit && actual > tip.bytes() {
            true => Err(Error::MemoryLimit { max: self.memory_limit, actual }),
            false => Ok(()),
        }
    }
}

/// Every collection that a transaction read or wrote, with the lock that it needs.
fn lock_modes(intention: &Intention) -> Vec<(CollectionName, LockMode)> {
    let read = intention.reads.collections().map(|name| (name.clone(), LockMode::Shared));
    let written = intention.writes.collections().map(|name| (name.clone(), LockMode::Exclusive));
    read.chain(written).collect()
}

/// What a write set that was made for the tip can still run into.
fn unfit(unfit: Unfit) -> Error {
    match unfit {
        Unfit::Index(error) => error.into(),
        Unfit::CollectionsFull => Error::LimitExceeded {
            what: "the number of collections",
            max: limits::COLLECTIONS_MAX as u64,
            actual: limits::COLLECTIONS_MAX as u64 + 1,
        },
        Unfit::Mismatch(reason) => unreachable!("writes resolved against the tip fit it: {reason}"),
    }
}
