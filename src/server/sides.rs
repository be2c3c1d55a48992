//! The three sides of a conflict, for who has to settle it: the document as the transaction read
//! it, as it stands now, and as the transaction wanted it.
//!
//! Invariant: all three are told only of documents that the transaction itself read or wrote, which
//! its key was checked for then.

use super::problem::Problem;
use crate::{
    database::Database,
    document::Document,
    error::{Conflict, Dependency, Error},
    snapshot::Snapshot,
    sync::Arc,
    transaction::{Overlay, Transaction},
};

/// What a transaction knows of its documents, kept while it is committed.
pub(super) struct Sides {
    snapshot: Arc<Snapshot>,
    writes: Overlay,
}

/// A document's three sides; none where it is absent.
pub(super) struct Contents {
    pub(super) base: Option<Arc<Document>>,
    pub(super) theirs: Option<Arc<Document>>,
    pub(super) mine: Option<Arc<Document>>,
}

impl Sides {
    /// Those of a transaction. Its writes are shared, not copied.
    pub(super) fn of(transaction: &Transaction) -> Sides {
        Sides { snapshot: Arc::clone(transaction.snapshot()), writes: transaction.writes() }
    }

    /// The problem of a commit that failed, with the sides of each document in it.
    pub(super) fn tell(&self, error: Error, database: &Database) -> Problem {
        let Error::Conflict(conflicts) = &error else { return error.into() };
        let latest = database.snapshot();
        let contents = conflicts.iter().map(|conflict| self.contents(conflict, &latest)).collect();
        Problem::from(error).with_contents(contents)
    }

    fn contents(&self, conflict: &Conflict, latest: &Snapshot) -> Option<Contents> {
        let collection = &conflict.collection;
        let id = match &conflict.dependency {
            Dependency::Document(id) => id,
            Dependency::Predicate(_) | Dependency::Collection => return None,
        };
        let base = self.snapshot.get_by_id(collection, id);
        Some(Contents {
            base: base.cloned(),
            theirs: latest.get_by_id(collection, id).cloned(),
            mine: self.writes.over(collection, id, base),
        })
    }
}
