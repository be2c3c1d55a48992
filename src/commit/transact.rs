//! Running a transaction until it commits.
//!
//! First optimistically, backing off after each loss for a random time whose bound doubles
//! (exponential backoff with full jitter). After a number of losses the closure runs while it
//! holds its collections exclusively, reading the tip: nothing can overtake it then, so it is
//! certain to progress. If it meets a collection that it does not hold, everything is released,
//! that one is added, and it runs again; the set only grows, so that ends too.
//!
//! Under locks the closure reads what is not published yet. Whatever its result, it is returned
//! only when that is published, and a failure of the device is returned in its place.

use std::{collections::BTreeSet, time::Duration};

use super::{Committer, Durability, Outcome, locks::LockMode};
use crate::{
    error::{Error, Result},
    names::CollectionName,
    sync::{Clock, ThreadId, back_off, mutant, thread},
    transaction::{Intention, Isolation, Transaction},
    version::Version,
};

/// Losses after which a transaction runs under locks.
const OPTIMISTIC_RUNS: u32 = if cfg!(loom) { 1 } else { 8 };

/// The first backoff is at most this long; each loss doubles it.
const BACKOFF_FIRST: Duration = Duration::from_micros(50);

/// How `transact` runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransactOptions {
    /// What the transaction is protected from.
    pub isolation: Isolation,
    /// When it is acknowledged, if not as the database was told.
    pub durability: Option<Durability>,
}

/// What a committed closure returned, and the version that its writes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed<R> {
    /// The commit's version; for one that wrote nothing, the version that it read.
    pub version: Version,
    /// The closure's value.
    pub value: R,
}

/// A thread is inside a `transact` closure of a database for as long as this lives.
struct Inside<'a>(&'a Committer, ThreadId);

impl Committer {
    /// Runs a closure in a transaction and commits it, again until nothing overtakes it.
    ///
    /// # Errors
    ///
    /// What the closure returns, at once and without committing; what [`Committer::commit`]
    /// returns, but for [`Error::Conflict`]; [`Error::Nested`] inside another closure of the same
    /// thread.
    pub fn transact<R>(
        &self,
        isolation: Isolation,
        durability: Durability,
        mut closure: impl FnMut(&Transaction) -> Result<R>,
    ) -> Result<Committed<R>> {
        let _inside = self.enter()?;
        let mut touched = BTreeSet::new();
        let mut bytes = 0;
        for run in 0..OPTIMISTIC_RUNS {
            let transaction = Transaction::begin(self.published(), isolation);
            let value = closure(&transaction)?;
            touched = transaction.touched();
            let intention = transaction.into_intention();
            bytes = intention.writes.bytes();
            match self.commit_intention(intention, durability) {
                Ok(version) => return Ok(Committed { version, value }),
                Err(Error::Conflict(_)) => {
                    self.counts.retries.add(1);
                    back_off(jitter(BACKOFF_FIRST * 2_u32.pow(run)));
                }
                Err(error) => return Err(error),
            }
        }
        self.transact_locked(isolation, durability, closure, touched, bytes)
    }

    /// Runs the closure under the locks of every collection it touches.
    fn transact_locked<R>(
        &self,
        isolation: Isolation,
        durability: Durability,
        mut closure: impl FnMut(&Transaction) -> Result<R>,
        mut collections: BTreeSet<CollectionName>,
        mut bytes: u64,
    ) -> Result<Committed<R>> {
        loop {
            self.counts.locked_runs.add(1);
            self.group.make_room(bytes)?;
            let modes = collections.iter().map(|name| (name.clone(), LockMode::Exclusive));
            let wanted = self.locks.collect(modes);
            let held = (!mutant("transact_without_locks")).then(|| wanted.acquire());
            let tip = self.group.tip();
            let transaction = Transaction::confined(tip.clone(), isolation, collections.clone());
            let result = closure(&transaction);
            if let Some(strayed) = transaction.strayed() {
                collections.insert(strayed);
                continue;
            }
            let outcome = result.and_then(|value| {
                let intention = transaction.into_intention();
                Ok((self.sequence_exclusive(&intention, durability)?, value))
            });
            drop(held);
            match outcome {
                Ok((Outcome::NoRoom(needed), _)) => bytes = needed,
                Ok((Outcome::Sequenced(version), value)) => {
                    self.group.wait_published(version)?;
                    self.counts.committed.add(1);
                    return Ok(Committed { version, value });
                }
                Ok((Outcome::Unchanged(version), value)) => {
                    self.group.wait_acknowledged(version, durability)?;
                    return Ok(Committed { version, value });
                }
                Err(error) => return self.refuse(&tip, error),
            }
        }
    }

    /// Steps 5 and 6 for a transaction that read the tip under exclusive locks, so that there is
    /// nothing to validate.
    fn sequence_exclusive(&self, intention: &Intention, durability: Durability) -> Result<Outcome> {
        if intention.writes.is_empty() {
            return Ok(Outcome::Unchanged(intention.snapshot.version()));
        }
        self.sequence(&intention.snapshot, intention, durability)
    }

    fn enter(&self) -> Result<Inside<'_>> {
        let thread = thread::current().id();
        match self.inside.insert(thread, ()) {
            None => Ok(Inside(self, thread)),
            Some(()) => Err(Error::Nested),
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.remove(&self.1);
    }
}

/// A random part of a bound. A new id's random bits are chance enough.
fn jitter(bound: Duration) -> Duration {
    let (_, random) = Clock::id().as_u64_pair();
    bound.mul_f64((random % 1024) as f64 / 1024.0)
}
