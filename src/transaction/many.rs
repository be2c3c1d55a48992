//! Writes that look first: to every document that a filter matches, and to one that may be absent.
//!
//! Invariant: each takes effect as a whole or, when it returns an error, not at all. What it looked
//! at is a dependency either way: the filter's predicate, or the one document.

use super::{Overlay, Pending, Transaction};
use crate::{
    document::{Document, Draft},
    error::{Error, Result},
    filter::Filter,
    limits::BATCH_OPERATIONS_MAX,
    names::{CollectionName, DocumentId},
    query::Query,
    sync::Arc,
    update::Update,
};

/// One document and what shall become of it.
type Change = (DocumentId, Pending);

impl Transaction {
    /// Applies update operators to every document that matches the filter, own writes among them,
    /// and says how many match. The transaction now depends on the filter: it conflicts when
    /// another commit changes a document that matched, or makes one that would have.
    ///
    /// # Errors
    ///
    /// As [`Transaction::find`]; [`Error::InvalidUpdate`] that names the document which the update
    /// does not fit; [`Error::LimitExceeded`] when more than [`BATCH_OPERATIONS_MAX`] documents
    /// match: narrow the filter and go on in further transactions.
    pub fn update_many(
        &self,
        collection: &CollectionName,
        filter: Filter,
        update: &Update,
    ) -> Result<usize> {
        let found = self.find(collection, &at_most(filter))?;
        let change = |(id, document): (DocumentId, Arc<Document>)| match update.apply(&document) {
            Ok(updated) => Ok((id, Pending::Put(Arc::new(updated)))),
            Err(Error::InvalidUpdate { pointer, reason }) => {
                let reason = format!("{reason} (in document {id})");
                Err(Error::InvalidUpdate { pointer, reason })
            }
            Err(other) => Err(other),
        };
        check_count(found.len())?;
        self.write_all(collection, found.into_iter().map(change).collect::<Result<_>>()?)
    }

    /// Deletes every document that matches the filter, own writes among them, and says how many
    /// did. The transaction now depends on the filter, as with [`Transaction::update_many`].
    ///
    /// # Errors
    ///
    /// As [`Transaction::find`]; [`Error::LimitExceeded`] when more than [`BATCH_OPERATIONS_MAX`]
    /// documents match: narrow the filter and go on in further transactions.
    pub fn delete_many(&self, collection: &CollectionName, filter: Filter) -> Result<usize> {
        let found = self.find(collection, &at_most(filter))?;
        check_count(found.len())?;
        let changes = found.into_iter().map(|(id, _)| (id, Pending::Delete)).collect();
        self.write_all(collection, changes)
    }

    /// Applies update operators to a document or, where there is none, makes it of what they make
    /// of an empty one. True when it was made. The transaction now depends on the document, be it
    /// present or absent, so of two that make it at once one conflicts.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`], [`Error::LimitExceeded`].
    pub fn upsert(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        update: &Update,
    ) -> Result<bool> {
        let stored = self.get(collection, id)?;
        let updated = match &stored {
            Some(document) => update.apply(document)?,
            None => update.apply(&Draft::parse(b"{}")?.into_document(id)?)?,
        };
        self.write_all(collection, vec![(id.clone(), Pending::Put(Arc::new(updated)))])?;
        Ok(stored.is_none())
    }

    /// Notes all of the writes, or none when one is refused.
    fn write_all(&self, collection: &CollectionName, changes: Vec<Change>) -> Result<usize> {
        let writes = &mut self.state.borrow_mut().writes;
        let before: Overlay = writes.clone();
        let count = changes.len();
        for (id, pending) in changes {
            if let Err(error) = writes.write(collection, &id, pending) {
                *writes = before;
                return Err(error);
            }
        }
        Ok(count)
    }
}

/// One more than is allowed tells that there are too many, and a query that finds fewer rests on
/// its whole filter.
fn at_most(filter: Filter) -> Query {
    Query::new(filter).limit(BATCH_OPERATIONS_MAX + 1)
}

fn check_count(count: usize) -> Result<()> {
    if count <= BATCH_OPERATIONS_MAX {
        return Ok(());
    }
    Err(Error::LimitExceeded {
        what: "the number of documents that one filter changes (narrow it, and go on with the rest)",
        max: BATCH_OPERATIONS_MAX as u64,
        actual: count as u64,
    })
}
