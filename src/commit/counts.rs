//! How many commits went which way.
//!
//! Invariant: nothing here orders or delays a commit. Numbers are raised and not waited for; the
//! table of conflicts has a lock, which only a refused commit takes, for a moment.

use std::collections::BTreeMap;

use crate::{
    error::{Conflict, Dependency},
    limits::CONFLICT_NAMES_MAX,
    names::CollectionName,
    sync::{Counter, Unseen},
};

/// What is counted since the start.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) committed: Counter,
    pub(super) retries: Counter,
    pub(super) locked_runs: Counter,
    conflicts: Counter,
    /// By collection; the one without a name is for those beyond the bound.
    by_collection: Unseen<BTreeMap<Option<CollectionName>, Kinds>>,
}

/// How many commits went which way, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitCounts {
    /// Transactions that wrote something and took effect.
    pub committed: u64,
    /// Commits refused by validation.
    pub conflicts: u64,
    /// Runs of a `transact` closure after its first.
    pub retries: u64,
    /// Runs of a `transact` closure under locks, after too many losses.
    pub locked_runs: u64,
}

/// How many commits were refused for what they read of a collection. One that was refused for
/// several reasons counts once for each collection and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictCounts {
    /// The collection; none for all beyond the first [`CONFLICT_NAMES_MAX`].
    pub collection: Option<CollectionName>,
    /// For a document that was read.
    pub documents: u64,
    /// For a predicate that was read.
    pub predicates: u64,
    /// For the collection itself, which was dropped.
    pub collections: u64,
}

/// For documents, predicates, collections.
#[derive(Default, Clone, Copy)]
struct Kinds([u64; 3]);

impl Counts {
    /// Counts a commit that was refused for these conflicts.
    pub(super) fn refused(&self, conflicts: &[Conflict]) {
        self.conflicts.add(1);
        let mut met: BTreeMap<&CollectionName, Kinds> = BTreeMap::new();
        for Conflict { collection, dependency, .. } in conflicts {
            *met.entry(collection).or_default().of(dependency) = 1;
        }
        let mut counted = self.by_collection.lock();
        for (collection, Kinds(met)) in met {
            let is_known = counted.contains_key(&Some(collection.clone()));
            let has_room = counted.keys().flatten().count() < CONFLICT_NAMES_MAX;
            let place = (is_known || has_room).then(|| collection.clone());
            let Kinds(counts) = counted.entry(place).or_default();
            counts.iter_mut().zip(met).for_each(|(count, met)| *count += met);
        }
    }

    pub(super) fn commits(&self) -> CommitCounts {
        CommitCounts {
            committed: self.committed.get(),
            conflicts: self.conflicts.get(),
            retries: self.retries.get(),
            locked_runs: self.locked_runs.get(),
        }
    }

    pub(super) fn conflicts(&self) -> Vec<ConflictCounts> {
        let counted = self.by_collection.lock();
        let counts = |(collection, kinds): (&Option<CollectionName>, &Kinds)| {
            let Kinds([documents, predicates, collections]) = *kinds;
            ConflictCounts { collection: collection.clone(), documents, predicates, collections }
        };
        counted.iter().map(counts).collect()
    }
}

impl Kinds {
    fn of(&mut self, dependency: &Dependency) -> &mut u64 {
        let Kinds([documents, predicates, collections]) = self;
        match dependency {
            Dependency::Document(_) => documents,
            Dependency::Predicate(_) => predicates,
            Dependency::Collection => collections,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::{names::DocumentId, version::Version};

    fn conflict(collection: &str, dependency: Dependency) -> Conflict {
        let collection = CollectionName::new(collection).unwrap();
        let (read_version, overtaken_by) = (Version::new(1), Version::new(2));
        Conflict { collection, dependency, read_version, overtaken_by }
    }

    fn document(id: &str) -> Dependency {
        Dependency::Document(DocumentId::new(id).unwrap())
    }

    #[test]
    fn a_refused_commit_counts_once_for_each_collection_and_kind() {
        let counts = Counts::default();
        counts.refused(&[
            conflict("a", document("1")),
            conflict("a", document("2")),
            conflict("a", Dependency::Predicate("{}".to_owned())),
            conflict("b", Dependency::Collection),
        ]);
        counts.refused(&[conflict("a", document("1"))]);
        let name = |text| Some(CollectionName::new(text).unwrap());
        let expected = [
            ConflictCounts { collection: name("a"), documents: 2, predicates: 1, collections: 0 },
            ConflictCounts { collection: name("b"), documents: 0, predicates: 0, collections: 1 },
        ];
        assert_eq!(counts.conflicts(), expected);
        assert_eq!(counts.commits().conflicts, 2);
    }

    #[test]
    fn names_are_bounded_and_nothing_is_lost() {
        let counts = Counts::default();
        for n in 0..CONFLICT_NAMES_MAX + 50 {
            counts.refused(&[conflict(&format!("c{n:04}"), document("1"))]);
        }
        // One that is known goes on to be counted by its name.
        counts.refused(&[conflict("c0000", document("1"))]);
        let counted = counts.conflicts();
        assert_eq!(counted.len(), CONFLICT_NAMES_MAX + 1);
        let of = |name: Option<&str>| {
            let name = name.map(|text| CollectionName::new(text).unwrap());
            counted.iter().find(|counts| counts.collection == name).unwrap().documents
        };
        assert_eq!((of(None), of(Some("c0000")), of(Some("c0001"))), (50, 2, 1));
    }
}
