//! A collection as a program holds it: each call is a transaction of its own.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::Database;
use crate::{
    document::{Document, Json, Path},
    error::Result,
    filter::Filter,
    names::{CollectionName, DocumentId},
    query::{Aggregate, Nothing, Query, Source, invalid},
    snapshot::Snapshot,
    sync::Arc,
    transaction::{Entry, Find, TransactionCollection, decode},
};

/// A collection whose documents have the shape of `T`. With [`Json`](crate::Json) for `T` any
/// document fits.
///
/// Each write is a transaction of its own, run again when another overtakes it, and safe when the
/// call returns. To write several documents as one, use [`Database::transact`].
pub struct Collection<T> {
    database: Database,
    name: CollectionName,
    shape: PhantomData<fn() -> T>,
}

impl<T> Collection<T> {
    pub(super) fn new(database: Database, name: CollectionName) -> Collection<T> {
        Collection { database, name, shape: PhantomData }
    }

    /// Its name.
    pub fn name(&self) -> &CollectionName {
        &self.name
    }

    /// One document's text, shared with the database: nothing is copied.
    ///
    /// # Complexity
    ///
    /// O(log documents), without waiting for anybody.
    pub fn get_text(&self, id: &str) -> Option<Arc<Document>> {
        let group = self.database.shared.engine.committer.group();
        group.peek(|snapshot| snapshot.get(self.name.as_str(), id).cloned())
    }

    /// How many documents it holds.
    ///
    /// # Complexity
    ///
    /// O(1).
    pub fn len(&self) -> usize {
        let snapshot = self.database.snapshot();
        snapshot.collection(self.name.as_str()).map_or(0, |collection| collection.count())
    }

    /// True when it holds no document, or does not exist.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many documents match a filter.
    ///
    /// # Errors
    ///
    /// When the filter is not one.
    ///
    /// # Complexity
    ///
    /// O(1) for [`Filter::all`]; else O(documents).
    pub fn count(&self, filter: Filter) -> Result<usize> {
        self.read(|source| Query::new(filter).count(source))
    }

    /// The distinct values at a path in the documents that a filter matches, in the total order
    /// of values; see [`Query::distinct`].
    ///
    /// # Errors
    ///
    /// As [`Query::distinct`], and when the path is none.
    pub fn distinct(&self, path: &str, filter: Filter) -> Result<Vec<Json>> {
        let path = Path::parse(path).map_err(|reason| invalid(reason.to_string()))?;
        self.read(|source| Query::new(filter).distinct(&path, source))
    }

    /// The groups of the documents that a filter matches, in the order of their values; see
    /// [`Query::aggregate`].
    ///
    /// # Errors
    ///
    /// As [`Query::aggregate`].
    pub fn aggregate(&self, filter: Filter, aggregate: &Aggregate) -> Result<Vec<Json>> {
        self.read(|source| Query::new(filter).aggregate(aggregate, source))
    }

    /// Deletes a document and says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`Database::commit`], but for conflicts.
    pub fn delete(&self, id: &str) -> Result<bool> {
        self.write(|collection| collection.delete(id))
    }

    /// Applies a merge patch (RFC 7396), given as JSON text, to a document that must be there.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`](crate::Error::DocumentNotFound),
    /// [`Error::InvalidUpdate`](crate::Error::InvalidUpdate); else as [`Database::commit`].
    pub fn merge(&self, id: &str, patch: &str) -> Result<()> {
        self.write(|collection| collection.merge(id, patch))
    }

    /// Applies update operators such as `{"$inc":{"n":1}}`, given as JSON text, to a document
    /// that must be there. It reads nothing, so concurrent counters do not get in each other's
    /// way.
    ///
    /// # Errors
    ///
    /// As [`Collection::merge`].
    pub fn update(&self, id: &str, update: &str) -> Result<()> {
        self.write(|collection| collection.update(id, update))
    }

    /// Applies a JSON Patch (RFC 6902), given as JSON text, to a document that must be there.
    ///
    /// ```
    /// # use monsterdb::{Database, Json};
    /// let notes = Database::in_memory().collection::<Json>("notes")?;
    /// notes.put("n", &Json::parse(r#"{"tags":["a"]}"#)?)?;
    /// notes.patch("n", r#"[{"op":"add","path":"/tags/-","value":"b"}]"#)?;
    /// let failed = notes.patch("n", r#"[{"op":"test","path":"/tags/0","value":"z"}]"#);
    /// assert_eq!(failed.unwrap_err().code(), "test-failed");
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Collection::merge`], and [`Error::TestFailed`](crate::Error::TestFailed).
    pub fn patch(&self, id: &str, patch: &str) -> Result<()> {
        self.write(|collection| collection.patch(id, patch))
    }

    /// Applies update operators to a document, or makes it of them where there is none. True when
    /// it was made.
    ///
    /// ```
    /// # use monsterdb::{Database, Json};
    /// let visits = Database::in_memory().collection::<Json>("visits")?;
    /// assert!(visits.upsert("ada", r#"{"$inc":{"n":1}}"#)?);
    /// assert!(!visits.upsert("ada", r#"{"$inc":{"n":1}}"#)?);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`](crate::Error::InvalidUpdate); else as [`Database::commit`].
    pub fn upsert(&self, id: &str, update: &str) -> Result<bool> {
        self.write(|collection| collection.upsert(id, update))
    }

    /// Applies update operators to every document that matches a filter, all in one commit, and
    /// says how many do.
    ///
    /// ```
    /// # use monsterdb::{Database, Json, field};
    /// let accounts = Database::in_memory().collection::<Json>("accounts")?;
    /// accounts.put("a", &Json::parse(r#"{"balance":100}"#)?)?;
    /// assert_eq!(accounts.update_many(field("balance").gt(0), r#"{"$inc":{"balance":1}}"#)?, 1);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::update_many`](crate::Transaction::update_many); else as
    /// [`Database::commit`].
    pub fn update_many(&self, filter: Filter, update: &str) -> Result<usize> {
        self.write(|collection| collection.update_many(filter.clone(), update))
    }

    /// Deletes every document that matches a filter, all in one commit, and says how many did.
    ///
    /// ```
    /// # use monsterdb::{Database, Json, field};
    /// let tasks = Database::in_memory().collection::<Json>("tasks")?;
    /// tasks.put("a", &Json::parse(r#"{"done":true}"#)?)?;
    /// assert_eq!(tasks.delete_many(field("done").eq(true))?, 1);
    /// assert!(tasks.is_empty());
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::delete_many`](crate::Transaction::delete_many); else as
    /// [`Database::commit`].
    pub fn delete_many(&self, filter: Filter) -> Result<usize> {
        self.write(|collection| collection.delete_many(filter.clone()))
    }

    fn read<R>(&self, question: impl FnOnce(&dyn Source) -> Result<R>) -> Result<R> {
        read(&self.database.snapshot(), &self.name, question)
    }

    fn write<R>(&self, write: impl Fn(&TransactionCollection<'_, T>) -> Result<R>) -> Result<R> {
        self.database.transact(|tx| write(&tx.collection(self.name.as_str())?))
    }
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    /// Adds a document, whose id must be free. Its id is the value's `_id`, or a new one.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`](crate::Error::AlreadyExists),
    /// [`Error::InvalidDocument`](crate::Error::InvalidDocument); else as [`Database::commit`].
    pub fn insert(&self, value: &T) -> Result<DocumentId> {
        self.write(|collection| collection.insert(value))
    }

    /// Replaces a document that must be there.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`](crate::Error::DocumentNotFound); else as
    /// [`Collection::insert`].
    pub fn replace(&self, id: &str, value: &T) -> Result<()> {
        self.write(|collection| collection.replace(id, value))
    }

    /// Writes a document whether it is there or not.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidDocument`](crate::Error::InvalidDocument); else as [`Database::commit`].
    pub fn put(&self, id: &str, value: &T) -> Result<()> {
        self.write(|collection| collection.put(id, value))
    }

    /// One document.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`](crate::Error::InvalidName) for the id,
    /// [`Error::Decode`](crate::Error::Decode).
    ///
    /// # Complexity
    ///
    /// O(log documents), without waiting for anybody.
    pub fn get(&self, id: &str) -> Result<Option<Entry<T>>> {
        let id = DocumentId::new(id)?;
        let document = self.get_text(id.as_str());
        document.map(|document| decode(&self.name, id, &document)).transpose()
    }

    /// Begins a query over the latest committed state.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`](crate::Error::InvalidFilter).
    pub fn find(&self, filter: Filter) -> Result<Find<'_, T>> {
        let snapshot = self.database.snapshot();
        let run = move |query: &Query| read(&snapshot, &self.name, |source| query.find(source));
        Find::new(self.name.clone(), filter, Box::new(run))
    }
}

/// Asks a collection as it is in one state; one that does not exist is empty.
fn read<R>(
    snapshot: &Snapshot,
    name: &CollectionName,
    question: impl FnOnce(&dyn Source) -> Result<R>,
) -> Result<R> {
    match snapshot.collection(name.as_str()) {
        Some(collection) => question(&**collection),
        None => question(&Nothing),
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Collection<T> {
        Collection::new(self.database.clone(), self.name.clone())
    }
}
