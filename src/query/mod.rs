//! A question to one collection: which documents, in which order, how many.
//!
//! ```text
//! Query::new(filter).sort("-age").limit(20).execute(source)
//! ```
//!
//! The source is a snapshot's collection, or a transaction's view of it with its own writes; the
//! same code answers over both. What a query's answer rests on is its [`Predicate`]: with a limit
//! only the documents up to the last one consumed, so that a change behind it disturbs nobody.
//!
//! What is shown of the documents is a [`Projection`]'s to say; what is made of them,
//! [`Query::count`], [`Query::distinct`] and [`Query::aggregate`]. A listing is gone through page
//! by page with a [`Cursor`].

mod access;
mod accumulator;
mod aggregate;
mod cursor;
mod deadline;
mod distinct;
mod execute;
mod explain;
mod plan;
mod predicate;
mod projection;
mod scan;
mod sort;
mod source;
mod top;
mod value;
mod work;

pub use aggregate::{Aggregate, Metric};
pub use cursor::{Cursor, Position};
pub use execute::Matches;
pub use explain::{Considered, Explanation, Stage};
pub use predicate::Predicate;
pub use projection::Projection;
pub use sort::{Sort, SortKey};
pub(crate) use source::Nothing;
pub use source::Source;
pub use work::Work;

use std::time::Duration;

use crate::{
    error::{Error, Result},
    filter::Filter,
    limits,
    sync::Arc,
};
use work::Notes;

/// Which documents of a collection, in which order, how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) hint: Option<String>,
    pub(crate) sort_bytes: usize,
    pub(crate) time: Option<Duration>,
    pub(crate) after: Option<Position>,
    pub(crate) notes: Notes,
}

impl Query {
    /// Every document that the filter matches, in the order of ids.
    pub fn new(filter: Filter) -> Query {
        Query {
            filter,
            sort: Sort::by_id(),
            limit: None,
            offset: 0,
            hint: None,
            sort_bytes: limits::SORT_BYTES_MAX,
            time: None,
            after: None,
            notes: Notes::default(),
        }
    }

    /// The same query, which writes down what answering it takes.
    #[must_use]
    pub fn noted_in(mut self, work: &Arc<Work>) -> Query {
        self.notes = Notes(Some(Arc::clone(work)));
        self
    }

    /// The shape of its filter ([`Filter::shape`]).
    pub fn shape(&self) -> String {
        self.filter.shape()
    }

    /// All matches of its filter, in the order of ids, by the same index.
    fn all_matches(&self) -> Query {
        let (hint, notes) = (self.hint.clone(), self.notes.clone());
        Query { hint, notes, time: self.time, ..Query::new(self.filter.clone()) }
    }

    /// In this order.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Query {
        self.sort = sort;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Query {
        self.limit = Some(limit);
        self
    }

    /// Without the first so many.
    #[must_use]
    pub fn offset(mut self, offset: usize) -> Query {
        self.offset = offset;
        self
    }

    /// By this index, or `_id` for the documents themselves: a query that it cannot serve is an
    /// error.
    #[must_use]
    pub fn hint(mut self, index: impl Into<String>) -> Query {
        self.hint = Some(index.into());
        self
    }

    /// With at most so many bytes of keys held for its order.
    #[must_use]
    pub fn sort_bytes(mut self, bytes: usize) -> Query {
        self.sort_bytes = bytes;
        self
    }

    /// In at most this time, as far as reading goes: a query that takes longer is refused. Without
    /// it, a query may take as long as it likes.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Query {
        self.time = Some(time);
        self
    }

    /// How many matches the answer consumes: those skipped and those returned.
    fn consumption(&self) -> Option<usize> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }

    /// What its count rests on.
    pub(crate) fn predicate(&self) -> Predicate {
        Predicate::whole(self.filter.clone())
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.filter.check()
    }
}

/// A query's limit, offset or order that cannot be served.
pub(crate) fn invalid(reason: impl Into<String>) -> Error {
    Error::InvalidQuery { reason: reason.into() }
}
