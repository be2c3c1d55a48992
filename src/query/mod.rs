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

mod accumulator;
mod aggregate;
mod cursor;
mod distinct;
mod execute;
mod predicate;
mod projection;
mod sort;
mod value;

pub use aggregate::{Aggregate, Metric};
pub use cursor::{Cursor, Position};
pub(crate) use execute::Nothing;
pub use execute::{Matches, Source};
pub use predicate::Predicate;
pub use projection::Projection;
pub use sort::{Sort, SortKey};

use crate::{
    error::{Error, Result},
    filter::Filter,
};

/// Which documents of a collection, in which order, how many.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) after: Option<Position>,
}

impl Query {
    /// Every document that the filter matches, in the order of ids.
    pub fn new(filter: Filter) -> Query {
        Query { filter, sort: Sort::by_id(), limit: None, offset: 0, after: None }
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
