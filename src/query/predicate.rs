//! What a query's answer rests on: every document that it might have returned.

use std::{cmp::Ordering, fmt};

use super::{Position, Sort};
use crate::{
    document::Document,
    filter::{Filter, field},
    names::DocumentId,
};

/// A set of documents described by a filter and, for a query that began late or stopped early, by
/// the place behind which it began and by the last document that it consumed.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    filter: Filter,
    behind: Option<Boundary>,
    up_to: Option<Boundary>,
}

/// The place where a query began or stopped, in its own order.
#[derive(Debug, Clone, PartialEq)]
struct Boundary {
    sort: Sort,
    position: Position,
}

impl Predicate {
    /// Every document that a filter matches.
    pub fn whole(filter: Filter) -> Predicate {
        Predicate { filter, behind: None, up_to: None }
    }

    /// Those among them that do not come after the last one consumed.
    pub fn up_to(filter: Filter, sort: Sort, last: &Document, id: DocumentId) -> Predicate {
        let position = Position::of(&sort, id, last);
        Predicate { filter, behind: None, up_to: Some(Boundary { sort, position }) }
    }

    /// Those among them that come after a place.
    #[must_use]
    pub fn behind(mut self, sort: Sort, position: Position) -> Predicate {
        self.behind = Some(Boundary { sort, position });
        self
    }

    /// The part of the set that is one document, if that belongs to it.
    pub fn of_document(&self, id: &DocumentId) -> Predicate {
        let filter = self.filter.clone().and(field("_id").eq(id.as_str()));
        Predicate { filter, ..self.clone() }
    }

    /// The filter, which names the predicate to people.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// True when a document belongs to the set.
    pub fn matches(&self, id: &DocumentId, document: &Document) -> bool {
        let place = |boundary: &Boundary| boundary.place_of(id, document);
        self.filter.matches(document)
            && self.behind.as_ref().is_none_or(|boundary| place(boundary).is_gt())
            && self.up_to.as_ref().is_none_or(|boundary| place(boundary).is_le())
    }
}

impl Boundary {
    fn place_of(&self, id: &DocumentId, document: &Document) -> Ordering {
        self.position.compare(&self.sort, id, document)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}
