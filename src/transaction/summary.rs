//! What a transaction makes of the documents that it sees: distinct values, groups.
//!
//! Every matching document has its part in these, so the transaction rests on the whole filter:
//! it is overtaken when a document that matches, before or after, has changed; by nothing else.

use super::Transaction;
use crate::{
    document::{Json, Path},
    error::Result,
    names::CollectionName,
    query::{Aggregate, Nothing, Query, Source, invalid},
};

impl Transaction {
    /// The distinct values at a path in the documents that a query matches, its limit, offset and
    /// order aside, with this transaction's own writes. The transaction now depends on the
    /// query's filter.
    ///
    /// # Errors
    ///
    /// As [`Query::distinct`], and when the path is none; else as [`Transaction::find`].
    pub fn distinct(
        &self,
        collection: &CollectionName,
        path: &str,
        query: &Query,
    ) -> Result<Vec<Json>> {
        let path = Path::parse(path).map_err(|reason| invalid(reason.to_string()))?;
        self.summarise(collection, query, |source| query.distinct(&path, source))
    }

    /// The groups of the documents that a query matches, with this transaction's own writes. The
    /// transaction now depends on the query's filter.
    ///
    /// # Errors
    ///
    /// As [`Query::aggregate`]; else as [`Transaction::find`].
    pub fn aggregate(
        &self,
        collection: &CollectionName,
        query: &Query,
        aggregate: &Aggregate,
    ) -> Result<Vec<Json>> {
        self.summarise(collection, query, |source| query.aggregate(aggregate, source))
    }

    fn summarise<R>(
        &self,
        collection: &CollectionName,
        query: &Query,
        summary: impl FnOnce(&dyn Source) -> Result<R>,
    ) -> Result<R> {
        if self.state.borrow().writes.drops(collection) {
            return summary(&Nothing);
        }
        self.settle_all(collection)?;
        let made = summary(&self.view(collection))?;
        self.state.borrow_mut().reads.predicate(collection, query.predicate());
        Ok(made)
    }
}
