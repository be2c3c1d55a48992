//! Collection locks, by name, taken in the order of the names.
//!
//! A lock exists while somebody wants it. The registry's own guard is never held across anything
//! that can wait.

use std::collections::BTreeMap;

use dashmap::DashMap;

use crate::{
    names::CollectionName,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard, mutant, read, write},
};

/// How a collection is locked; the stronger one is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LockMode {
    /// Beside other readers: it is read, and must not change.
    Shared,
    /// Alone: it is written.
    Exclusive,
}

/// The locks that somebody holds or waits for.
#[derive(Default)]
pub(super) struct Locks {
    registry: DashMap<CollectionName, Arc<RwLock<()>>>,
}

/// Locks that are wanted, in order, and not yet taken.
pub(super) struct Wanted<'a> {
    registry: &'a DashMap<CollectionName, Arc<RwLock<()>>>,
    locks: Vec<(CollectionName, Arc<RwLock<()>>, LockMode)>,
}

/// Locks that are held.
#[expect(dead_code, reason = "guards are held, never read")]
pub(super) struct Held<'a>(Vec<Guard<'a>>);

#[expect(dead_code, reason = "guards are held, never read")]
enum Guard<'a> {
    Shared(RwLockReadGuard<'a, ()>),
    Exclusive(RwLockWriteGuard<'a, ()>),
}

impl Locks {
    /// Finds the locks of some collections. A name given twice is locked once, in the stronger
    /// mode.
    pub(super) fn collect(
        &self,
        wanted: impl IntoIterator<Item = (CollectionName, LockMode)>,
    ) -> Wanted<'_> {
        let mut modes = BTreeMap::new();
        for (name, mode) in wanted {
            let strongest = modes.entry(name).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
        let locks = modes.into_iter().map(|(name, mode)| (name.clone(), self.lock_of(name), mode));
        let mut locks: Vec<_> = locks.collect();
        if mutant("lock_out_of_order") {
            locks.sort_by_key(|(_, _, mode)| *mode);
        }
        Wanted { registry: &self.registry, locks }
    }

    fn lock_of(&self, name: CollectionName) -> Arc<RwLock<()>> {
        Arc::clone(&self.registry.entry(name).or_insert_with(|| Arc::new(RwLock::new(()))))
    }
}

impl Wanted<'_> {
    /// Takes the locks, waiting for each.
    pub(super) fn acquire(&self) -> Held<'_> {
        let guards = self.locks.iter().map(|(_, lock, mode)| match mode {
            LockMode::Exclusive if mutant("share_exclusive_locks") => Guard::Shared(read(lock)),
            LockMode::Shared => Guard::Shared(read(lock)),
            LockMode::Exclusive => Guard::Exclusive(write(lock)),
        });
        Held(guards.collect())
    }
}

impl Drop for Wanted<'_> {
    /// Takes those locks out of the registry that nobody else wants. References are made only
    /// under the registry's guard, so a count of one is the registry's own.
    fn drop(&mut self) {
        for (name, lock, _) in self.locks.drain(..) {
            drop(lock);
            let forget = mutant("forget_wanted_locks");
            self.registry.remove_if(&name, |_, lock| forget || Arc::strong_count(lock) == 1);
        }
    }
}
