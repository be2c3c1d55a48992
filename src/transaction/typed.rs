//! Documents as values of the program's own types, by way of serde.

use std::{marker::PhantomData, ops::Deref};

use serde::{Serialize, de::DeserializeOwned};

use super::Transaction;
use crate::{
    document::{Document, Draft, Json},
    error::{Error, Result},
    filter::Filter,
    names::{CollectionName, DocumentId},
    query::{Aggregate, Projection, Query, Sort},
    sync::Arc,
    update::{JsonPatch, MergePatch, Update},
    version::Version,
};

/// A stored document as a value, with its id and version.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<T> {
    /// The document's id.
    pub id: DocumentId,
    /// The commit that last wrote it; zero for a write of the own transaction.
    pub version: Version,
    /// The document.
    pub value: T,
}

impl<T> Deref for Entry<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A collection as one transaction sees it, its documents in the shape of `T`.
pub struct TransactionCollection<'t, T> {
    transaction: &'t Transaction,
    name: CollectionName,
    shape: PhantomData<fn() -> T>,
}

type Run<'a> = Box<dyn FnOnce(&Query) -> Result<Vec<(DocumentId, Arc<Document>)>> + 'a>;

/// A query being put together; [`Find::collect`] runs it.
pub struct Find<'a, T> {
    collection: CollectionName,
    query: Result<Query>,
    fields: Projection,
    run: Run<'a>,
    shape: PhantomData<fn() -> T>,
}

impl<'t, T> TransactionCollection<'t, T> {
    pub(super) fn new(transaction: &'t Transaction, name: CollectionName) -> Self {
        TransactionCollection { transaction, name, shape: PhantomData }
    }

    /// Deletes a document and says whether it was there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] for the id.
    pub fn delete(&self, id: &str) -> Result<bool> {
        self.transaction.delete(&self.name, &DocumentId::new(id)?)
    }

    /// Applies a merge patch (RFC 7396), given as JSON text.
    ///
    /// # Errors
    ///
    /// As [`Transaction::merge`], and when the text is no patch.
    pub fn merge(&self, id: &str, patch: &str) -> Result<()> {
        let patch = MergePatch::parse(patch.as_bytes())?;
        self.transaction.merge(&self.name, &DocumentId::new(id)?, &patch)
    }

    /// Applies update operators such as `{"$inc":{"n":1}}`, given as JSON text. Unless this
    /// transaction wrote the document, that reads nothing and conflicts with no other update.
    ///
    /// # Errors
    ///
    /// As [`Transaction::update`], and when the text is no update.
    pub fn update(&self, id: &str, update: &str) -> Result<()> {
        let update = Update::parse(update)?;
        self.transaction.update(&self.name, &DocumentId::new(id)?, update)
    }

    /// Applies a JSON Patch (RFC 6902), given as JSON text.
    ///
    /// ```
    /// # use monsterdb::{Database, Json};
    /// # let db = Database::in_memory();
    /// # db.collection::<Json>("c")?.put("a", &Json::parse(r#"{"n":1}"#)?)?;
    /// db.transact(|tx| {
    ///     let patch = r#"[{"op":"test","path":"/n","value":1},{"op":"add","path":"/m","value":2}]"#;
    ///     tx.collection::<Json>("c")?.patch("a", patch)
    /// })?;
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::patch`], and when the text is no patch.
    pub fn patch(&self, id: &str, patch: &str) -> Result<()> {
        let patch = JsonPatch::parse(patch)?;
        self.transaction.patch(&self.name, &DocumentId::new(id)?, &patch)
    }

    /// Applies update operators to a document, or makes it of them where there is none. True when
    /// it was made.
    ///
    /// ```
    /// # use monsterdb::{Database, Json};
    /// # let db = Database::in_memory();
    /// let count = |name: &str| {
    ///     db.transact(|tx| tx.collection::<Json>("visits")?.upsert(name, r#"{"$inc":{"n":1}}"#))
    /// };
    /// assert!(count("ada")?, "made by the first visit");
    /// assert!(!count("ada")?, "changed by the second");
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::upsert`], and when the text is no update.
    pub fn upsert(&self, id: &str, update: &str) -> Result<bool> {
        let update = Update::parse(update)?;
        self.transaction.upsert(&self.name, &DocumentId::new(id)?, &update)
    }

    /// Applies update operators to every document that matches a filter, and says how many do.
    ///
    /// ```
    /// # use monsterdb::{Database, Json, field};
    /// # let db = Database::in_memory();
    /// # db.collection::<Json>("accounts")?.put("a", &Json::parse(r#"{"balance":1}"#)?)?;
    /// let raised = db.transact(|tx| {
    ///     let rich = field("balance").gt(0);
    ///     tx.collection::<Json>("accounts")?.update_many(rich, r#"{"$mul":{"balance":1.01}}"#)
    /// })?;
    /// assert_eq!(raised, 1);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::update_many`], and when the text is no update.
    pub fn update_many(&self, filter: Filter, update: &str) -> Result<usize> {
        self.transaction.update_many(&self.name, filter, &Update::parse(update)?)
    }

    /// Deletes every document that matches a filter, and says how many did.
    ///
    /// ```
    /// # use monsterdb::{Database, Json, field};
    /// # let db = Database::in_memory();
    /// # db.collection::<Json>("tasks")?.put("a", &Json::parse(r#"{"done":true}"#)?)?;
    /// let done = db.transact(|tx| {
    ///     tx.collection::<Json>("tasks")?.delete_many(field("done").eq(true))
    /// })?;
    /// assert_eq!(done, 1);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Transaction::delete_many`].
    pub fn delete_many(&self, filter: Filter) -> Result<usize> {
        self.transaction.delete_many(&self.name, filter)
    }

    /// How many documents match a filter. The transaction now depends on it.
    ///
    /// # Errors
    ///
    /// When the filter is not one.
    pub fn count(&self, filter: Filter) -> Result<usize> {
        self.transaction.count(&self.name, &Query::new(filter))
    }

    /// The distinct values at a path in the documents that a filter matches. The transaction now
    /// depends on the filter.
    ///
    /// # Errors
    ///
    /// As [`Transaction::distinct`].
    pub fn distinct(&self, path: &str, filter: Filter) -> Result<Vec<Json>> {
        self.transaction.distinct(&self.name, path, &Query::new(filter))
    }

    /// The groups of the documents that a filter matches. The transaction now depends on the
    /// filter.
    ///
    /// # Errors
    ///
    /// As [`Transaction::aggregate`].
    pub fn aggregate(&self, filter: Filter, aggregate: &Aggregate) -> Result<Vec<Json>> {
        self.transaction.aggregate(&self.name, &Query::new(filter), aggregate)
    }
}

impl<'t, T: Serialize + DeserializeOwned> TransactionCollection<'t, T> {
    /// Adds a document that must be absent. Its `_id` is the value's, or a new one.
    ///
    /// # Errors
    ///
    /// As [`Transaction::insert`], and [`Error::Encode`].
    pub fn insert(&self, value: &T) -> Result<DocumentId> {
        self.transaction.insert(&self.name, encode(value)?)
    }

    /// Replaces a document that must be present.
    ///
    /// # Errors
    ///
    /// As [`Transaction::replace`], and [`Error::Encode`].
    pub fn replace(&self, id: &str, value: &T) -> Result<()> {
        self.transaction.replace(&self.name, &DocumentId::new(id)?, encode(value)?)
    }

    /// Writes a document whether it is there or not.
    ///
    /// # Errors
    ///
    /// As [`Transaction::put`], and [`Error::Encode`].
    pub fn put(&self, id: &str, value: &T) -> Result<()> {
        self.transaction.put(&self.name, &DocumentId::new(id)?, encode(value)?)
    }

    /// One document. The transaction now depends on it, be it present or absent.
    ///
    /// # Errors
    ///
    /// As [`Transaction::get`], and [`Error::Decode`].
    pub fn get(&self, id: &str) -> Result<Option<Entry<T>>> {
        let id = DocumentId::new(id)?;
        let document = self.transaction.get(&self.name, &id)?;
        document.map(|document| decode(&self.name, id, &document)).transpose()
    }

    /// One document, without depending on it.
    ///
    /// # Errors
    ///
    /// As [`TransactionCollection::get`].
    pub fn snapshot_read(&self, id: &str) -> Result<Option<Entry<T>>> {
        let id = DocumentId::new(id)?;
        let document = self.transaction.snapshot_read(&self.name, &id)?;
        document.map(|document| decode(&self.name, id, &document)).transpose()
    }

    /// Begins a query. The transaction will depend on what it consumes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`].
    pub fn find(&self, filter: Filter) -> Result<Find<'_, T>> {
        let run = |query: &Query| self.transaction.find(&self.name, query);
        Find::new(self.name.clone(), filter, Box::new(run))
    }
}

impl<'a, T> Find<'a, T> {
    pub(crate) fn new(collection: CollectionName, filter: Filter, run: Run<'a>) -> Result<Self> {
        filter.check()?;
        let query = Ok(Query::new(filter));
        Ok(Find { collection, query, fields: Projection::all(), run, shape: PhantomData })
    }

    /// In the order of these paths, e.g. `-age,name`. One that is not understood is reported by
    /// [`Find::collect`].
    #[must_use]
    pub fn sort(mut self, paths: &str) -> Self {
        self.query = self.query.and_then(|query| Ok(query.sort(paths.parse::<Sort>()?)));
        self
    }

    /// With these members only, e.g. `name,address.city`, or without, e.g. `-secret`: the shape is
    /// that of what is left (see [`Projection`]). Fields that are not understood are reported by
    /// [`Find::collect`].
    #[must_use]
    pub fn fields(mut self, fields: &str) -> Self {
        match fields.parse() {
            Ok(fields) => self.fields = fields,
            Err(error) => self.query = self.query.and(Err(error)),
        }
        self
    }

    /// At most so many.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.query = self.query.map(|query| query.limit(limit));
        self
    }

    /// Without the first so many.
    #[must_use]
    pub fn offset(mut self, offset: usize) -> Self {
        self.query = self.query.map(|query| query.offset(offset));
        self
    }
}

impl<T: DeserializeOwned> Find<'_, T> {
    /// Runs the query.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`], and [`Error::Decode`] for a document that is no `T`.
    pub fn collect<B: FromIterator<Entry<T>>>(self) -> Result<B> {
        let Find { collection, query, fields, run, .. } = self;
        let found = run(&query?)?.into_iter();
        match fields.is_all() {
            true => found.map(|(id, document)| decode(&collection, id, &document)).collect(),
            false => found
                .map(|(id, document)| {
                    let text = fields.stored_text(&document);
                    decode_text(&collection, id, document.version(), &text)
                })
                .collect(),
        }
    }
}

/// A value as a document body.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Draft> {
    let text = serde_json::to_vec(value).map_err(|source| Error::Encode { source })?;
    Draft::parse(&text)
}

/// A document as a value.
pub(crate) fn decode<T: DeserializeOwned>(
    collection: &CollectionName,
    id: DocumentId,
    document: &Document,
) -> Result<Entry<T>> {
    decode_text(collection, id, document.version(), document.json())
}

fn decode_text<T: DeserializeOwned>(
    collection: &CollectionName,
    id: DocumentId,
    version: Version,
    text: &str,
) -> Result<Entry<T>> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(Entry { id, version, value }),
        Err(source) => Err(Error::Decode { collection: collection.clone(), id, source }),
    }
}
