//! What a query's answer rests on: every document that it might have returned.

use std::{cmp::Ordering, fmt};

use super::{Sort, SortKey};
use crate::{
    document::Document,
    filter::{Filter, field},
    names::DocumentId,
};

/// A set of documents described by a filter and, for a query that stopped early, by the last
/// document that it consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    filter: Filter,
    up_to: Option<Boundary>,
}

/// The place where a limited query stopped, in its own order.
#[derive(Debug, Clone, PartialEq)]
struct Boundary {
    sort: Sort,
    key: SortKey,
    id: DocumentId,
}

impl Predicate {
    /// Every document that a filter matches.
    pub fn whole(filter: Filter) -> Predicate {
        Predicate { filter, up_to: None }
    }

    /// Those among them that do not come after the last one consumed.
    pub fn up_to(filter: Filter, sort: Sort, last: &Document, id: DocumentId) -> Predicate {
        let key = sort.key(last);
        Predicate { filter, up_to: Some(Boundary { sort, key, id }) }
    }

    /// The part of the set that is one document, if that belongs to it.
    pub fn of_document(&self, id: &DocumentId) -> Predicate {
        let filter = self.filter.clone().and(field("_id").eq(id.as_str()));
        Predicate { filter, up_to: self.up_to.clone() }
    }

    /// The filter, which names the predicate to people.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// True when a document belongs to the set.
    pub fn matches(&self, id: &DocumentId, document: &Document) -> bool {
        self.filter.matches(document)
            && self.up_to.as_ref().is_none_or(|boundary| boundary.admits(id, document))
    }
}

impl Boundary {
    fn admits(&self, id: &DocumentId, document: &Document) -> bool {
        let ordering = self.sort.key(document).cmp(&self.key);
        ordering.then_with(|| id.cmp(&self.id)) != Ordering::Greater
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}
