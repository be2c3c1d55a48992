//! Which changes are asked for.

use std::collections::BTreeSet;

use super::{Action, Old, Operation};
use crate::{error::Result, filter::Filter, names::CollectionName, sync::mutant};

/// Which changes are asked for, and whether with old contents.
///
/// ```
/// use monsterdb::{Selection, field};
/// let grown = Selection::all().collections(["people"])?.filter(field("age").gte(18)).old();
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Selection {
    collections: Option<BTreeSet<CollectionName>>,
    filter: Option<Filter>,
    old: bool,
}

impl Selection {
    /// Every change of every collection.
    pub fn all() -> Selection {
        Selection::default()
    }

    /// Changes of these collections alone, be they there or not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`](crate::Error::InvalidName).
    pub fn collections<'a>(self, names: impl IntoIterator<Item = &'a str>) -> Result<Selection> {
        let names = names.into_iter().map(CollectionName::new);
        let names = names.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(self.of(names))
    }

    /// As [`Selection::collections`], by names that were checked.
    #[must_use]
    pub fn of(mut self, names: impl IntoIterator<Item = CollectionName>) -> Selection {
        self.collections = Some(names.into_iter().collect());
        self
    }

    /// Only documents that match. What that means for a document that leaves the filter or is
    /// deleted stands in the [module](crate::feed)'s document.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Selection {
        self.filter = Some(filter);
        self
    }

    /// With the content of each document before the commit, where it is known.
    #[must_use]
    pub fn old(mut self) -> Selection {
        self.old = true;
        self
    }

    /// True when old contents are asked for.
    pub(super) fn asks_for_old(&self) -> bool {
        self.old
    }

    /// True for the operations on a collection that may be given out.
    pub(super) fn covers(&self, collection: &CollectionName) -> bool {
        (!collection.is_reserved() || mutant("feed_shows_reserved"))
            && self.collections.as_ref().is_none_or(|names| names.contains(collection))
    }

    /// True for an operation that is given out; its collection is covered.
    pub(super) fn passes(&self, operation: &Operation) -> bool {
        let Some(filter) = &self.filter else { return true };
        match &operation.action {
            Action::Put { document, old, .. } => {
                let left = match old {
                    Old::Document(old) => filter.matches(old),
                    Old::NotAsked | Old::Absent | Old::Unknown => false,
                };
                left || filter.matches(document)
            }
            Action::Delete { .. }
            | Action::CreateCollection(_)
            | Action::DropCollection
            | Action::CreateIndex(..)
            | Action::DropIndex(_) => true,
        }
    }
}
