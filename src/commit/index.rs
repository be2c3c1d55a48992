//! Making and dropping an index while writers go on.
//!
//! ```text
//! 1  build over a snapshot, without locks                       the long part
//! 2  catch up: take in what changed between that state and the tip, again and again until little
//!    is left
//! 3  lock the collection, take in the rest, check `unique`, sequence a commit that links the index
//! ```
//!
//! # Why it is never stale
//!
//! The index is linked by a commit like any other: under the collection's exclusive lock, over the
//! tip, which it has caught up with. Every commit before that one is in the index, and every one
//! after it finds the index in the state it rests on and writes its keys (see
//! [`crate::snapshot`]). A transaction that began before the index was there is no exception: what
//! it writes is resolved against the tip.
//!
//! What is done under the lock grows with what changed since the last round, not with the
//! collection.

use std::{collections::BTreeMap, time::Duration};

use super::{Committer, Durability, Outcome, locks::LockMode};
use crate::{
    error::{Error, IndexError, Result},
    limits,
    names::{CollectionName, IndexName},
    snapshot::{
        CatalogChange, CollectionOptions, CollectionWrites, Index, IndexChange, IndexDefinition,
        Snapshot, WriteSet,
    },
    sync::{Arc, Clock, mutant},
    version::Version,
};

/// Changes that are taken in under the lock rather than in another round before it.
const CHANGES_LEFT: usize = 64;

/// Rounds after which the lock is taken however much is left, so that writers that outrun the
/// build cannot keep it from ending.
const ROUNDS_MAX: usize = if cfg!(loom) { 1 } else { 64 };

/// Documents between two reports of progress.
const PROGRESS_EVERY: usize = 4096;

/// How far the build of an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexProgress {
    /// Documents that are in it.
    pub done: usize,
    /// Documents that there are.
    pub total: usize,
}

/// An index that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexMade {
    /// The version from which on it is there.
    pub version: Version,
    /// How many entries it has.
    pub entries: usize,
    /// Changes by others that it took in while it was built.
    pub caught_up: usize,
    /// How long the collection was locked.
    pub locked: Duration,
}

/// An index that is being built, and the state that it is the index of.
struct Building {
    index: Index,
    state: Arc<Snapshot>,
    caught_up: usize,
}

impl Committer {
    /// Makes an index, and the collection where that is not there. One that is there with the same
    /// definition is left as it is.
    ///
    /// # Errors
    ///
    /// [`IndexError::Exists`], [`IndexError::Unique`] with the first offenders,
    /// [`IndexError::Unindexable`], [`Error::LimitExceeded`]; else as [`Committer::commit`].
    pub fn create_index(
        &self,
        collection: &CollectionName,
        name: &IndexName,
        definition: &Arc<IndexDefinition>,
        durability: Durability,
        progress: &mut dyn FnMut(IndexProgress),
    ) -> Result<IndexMade> {
        self.check_not_inside()?;
        let state = self.published();
        check_free(&state, collection, name, definition)?;
        let mut building = Building::over(state, collection, name, definition, progress)?;
        for _ in 0..ROUNDS_MAX {
            let (tip, _) = self.group.enter(0)?;
            let outcome = building.catch_up(collection, &tip);
            if outcome.or_else(|error| self.refuse(&tip, error.into()))? <= CHANGES_LEFT {
                break;
            }
        }
        let unique = building.index.check_all_unique(collection);
        unique.or_else(|error| self.refuse(&building.state, error.into()))?;
        // About what its record takes; what is really needed is told under the locks.
        let mut bytes = definition.to_json().len() as u64;
        loop {
            self.group.make_room(bytes)?;
            let (outcome, locked) = self.link(&mut building, collection, durability)?;
            let version = match outcome {
                Outcome::NoRoom(needed) => {
                    bytes = needed;
                    continue;
                }
                Outcome::Sequenced(version) => version,
                Outcome::Unchanged(version) => version,
            };
            self.group.wait_published(version)?;
            let (entries, caught_up) = (building.index.len(), building.caught_up);
            return Ok(IndexMade { version, entries, caught_up, locked });
        }
    }

    /// Drops an index, and returns the version at which it is gone.
    ///
    /// # Errors
    ///
    /// [`IndexError::NotFound`], [`Error::CollectionNotFound`]; else as [`Committer::commit`].
    pub fn drop_index(
        &self,
        collection: &CollectionName,
        name: &IndexName,
        durability: Durability,
    ) -> Result<Version> {
        self.check_not_inside()?;
        loop {
            self.group.make_room(0)?;
            let wanted = self.locks.collect([(collection.clone(), LockMode::Exclusive)]);
            let held = wanted.acquire();
            let tip = self.group.tip();
            let writes = drop_writes(&tip, collection, name);
            let outcome = writes.and_then(|writes| self.sequence_writes(&tip, &writes, durability));
            drop(held);
            match outcome {
                Ok(Outcome::NoRoom(bytes)) => self.group.make_room(bytes)?,
                Ok(Outcome::Sequenced(version) | Outcome::Unchanged(version)) => {
                    self.group.wait_published(version)?;
                    return Ok(version);
                }
                Err(error) => return self.refuse(&tip, error),
            }
        }
    }

    /// Step 3, and how long the lock was held.
    fn link(
        &self,
        building: &mut Building,
        collection: &CollectionName,
        durability: Durability,
    ) -> Result<(Outcome, Duration)> {
        let shared = mutant("link_under_shared_lock");
        let mode = if shared { LockMode::Shared } else { LockMode::Exclusive };
        let wanted = self.locks.collect([(collection.clone(), mode)]);
        let held = wanted.acquire();
        let begun = Clock::instant();
        let tip = self.group.tip();
        let outcome = building.create_writes(collection, &tip).and_then(|writes| match writes {
            Some(writes) => self.sequence_writes(&tip, &writes, durability),
            None => Ok(Outcome::Unchanged(tip.version())),
        });
        drop(held);
        let locked = Clock::instant() - begun;
        match outcome {
            Ok(outcome) => Ok((outcome, locked)),
            Err(error) => self.refuse(&tip, error),
        }
    }
}

impl Building {
    /// Step 1.
    fn over(
        state: Arc<Snapshot>,
        collection: &CollectionName,
        name: &IndexName,
        definition: &Arc<IndexDefinition>,
        progress: &mut dyn FnMut(IndexProgress),
    ) -> Result<Building> {
        let (name, definition) = (name.clone(), Arc::clone(definition));
        let index = match state.collection(collection.as_str()) {
            Some(documents) => {
                let total = documents.count();
                let counted = documents.documents().enumerate().map(|(done, entry)| {
                    if done % PROGRESS_EVERY == 0 {
                        progress(IndexProgress { done, total });
                    }
                    entry
                });
                let index = Index::build(name, definition, collection, counted)?;
                progress(IndexProgress { done: total, total });
                index
            }
            None => Index::new(name, definition),
        };
        Ok(Building { index, state, caught_up: 0 })
    }

    /// Takes in what changed up to a later state, and says how much that was.
    fn catch_up(
        &mut self,
        collection: &CollectionName,
        later: &Arc<Snapshot>,
    ) -> Result<usize, IndexError> {
        let changes: Vec<_> = self.state.changes(later, collection.as_str()).collect();
        self.index.take_in(collection, &changes)?;
        let count = changes.len();
        self.state = Arc::clone(later);
        self.caught_up += count;
        Ok(count)
    }

    /// What links the index into a state; nothing where it is there already.
    fn create_writes(
        &mut self,
        collection: &CollectionName,
        tip: &Arc<Snapshot>,
    ) -> Result<Option<WriteSet>> {
        let definition = Arc::clone(self.index.definition());
        let name = self.index.name().clone();
        if check_free(tip, collection, &name, &definition)? {
            return Ok(None);
        }
        // What is taken in here was checked when it was committed, but not against this index.
        let from = if mutant("skip_last_catch_up") { tip } else { &self.state };
        let changes: Vec<_> = from.changes(tip, collection.as_str()).collect();
        let added = self.index.take_in(collection, &changes)?;
        self.caught_up += changes.len();
        self.state = Arc::clone(tip);
        if !mutant("link_without_unique") {
            self.index.check_unique(collection, &added)?;
        }
        let is_new = tip.collection(collection.as_str()).is_none();
        let catalog = is_new.then(|| CatalogChange::Create(CollectionOptions::default()));
        let built = Some(Box::new(self.index.clone()));
        let indexes = BTreeMap::from([(name, IndexChange::Create(definition, built))]);
        let mut writes = WriteSet::default();
        let documents = BTreeMap::new();
        writes.insert(collection.clone(), CollectionWrites { catalog, indexes, documents });
        Ok(Some(writes))
    }
}

/// True when the very index is there; an error when there is another of its name, or no room.
fn check_free(
    state: &Snapshot,
    collection: &CollectionName,
    name: &IndexName,
    definition: &Arc<IndexDefinition>,
) -> Result<bool> {
    let Some(current) = state.collection(collection.as_str()) else { return Ok(false) };
    match current.index(name.as_str()) {
        Some(existing) if existing.definition() == definition => Ok(true),
        Some(_) => {
            let (collection, index) = (collection.clone(), name.clone());
            Err(IndexError::Exists { collection, index }.into())
        }
        None if current.indexes().len() >= limits::INDEXES_MAX => Err(Error::LimitExceeded {
            what: "the number of indexes of a collection",
            max: limits::INDEXES_MAX as u64,
            actual: limits::INDEXES_MAX as u64 + 1,
        }),
        None => Ok(false),
    }
}

fn drop_writes(
    state: &Snapshot,
    collection: &CollectionName,
    name: &IndexName,
) -> Result<WriteSet> {
    let Some(current) = state.collection(collection.as_str()) else {
        return Err(Error::CollectionNotFound { collection: collection.clone() });
    };
    if current.index(name.as_str()).is_none() {
        let (collection, index) = (collection.clone(), name.clone());
        return Err(IndexError::NotFound { collection, index }.into());
    }
    let indexes = BTreeMap::from([(name.clone(), IndexChange::Drop)]);
    let mut writes = WriteSet::default();
    writes.insert(collection.clone(), CollectionWrites { indexes, ..CollectionWrites::default() });
    Ok(writes)
}
