//! Listings page by page: every page is read at the version of the first one.

use super::Database;
use crate::{
    document::Document,
    error::Result,
    names::{CollectionName, DocumentId},
    query::{Cursor, Nothing, Position, Query, Source, invalid},
    snapshot::Snapshot,
    sync::Arc,
    version::Version,
};

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page {
    /// The version that it was read at.
    pub version: Version,
    /// The documents, in the query's order.
    pub documents: Vec<(DocumentId, Arc<Document>)>,
    /// Where the next page begins; none when this is the last one.
    pub cursor: Option<Cursor>,
}

impl Database {
    /// The state at a version that is kept: one a second and every one that a cursor named, for
    /// the time of [`Builder::retain`](super::Builder::retain) and within the bytes of
    /// [`Builder::retain_bytes`](super::Builder::retain_bytes), since the database was opened.
    ///
    /// # Errors
    ///
    /// [`Error::VersionGone`](crate::Error::VersionGone) with the nearest one that is kept,
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when there is no such version yet.
    pub fn snapshot_at(&self, version: Version) -> Result<Arc<Snapshot>> {
        self.shared.engine.look_back();
        self.shared.engine.history.at(version, self.snapshot())
    }

    /// The first page of what a query finds in a collection: as many documents as its limit says,
    /// of the latest committed state.
    ///
    /// ```
    /// # use monsterdb::{CollectionName, Database, Filter, Json, Query};
    /// # let db = Database::in_memory();
    /// let (people, name) = (db.collection::<Json>("people")?, CollectionName::new("people")?);
    /// for id in ["a", "b", "c"] {
    ///     people.put(id, &Json::parse("{}")?)?;
    /// }
    /// let query = Query::new(Filter::all()).limit(2);
    /// let first = db.page(&name, &query)?;
    /// people.delete("c")?;
    /// let second = db.next_page(&name, &query, &first.cursor.expect("there is more"))?;
    /// assert_eq!((first.documents.len(), second.documents.len()), (2, 1));
    /// assert!(second.cursor.is_none() && second.version == first.version);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Query::execute`].
    pub fn page(&self, collection: &CollectionName, query: &Query) -> Result<Page> {
        self.read_page(self.snapshot(), collection, query)
    }

    /// As [`Database::page`], of the state at a version that is kept.
    ///
    /// # Errors
    ///
    /// As [`Database::snapshot_at`] and [`Query::execute`].
    pub fn page_at(
        &self,
        version: Version,
        collection: &CollectionName,
        query: &Query,
    ) -> Result<Page> {
        self.read_page(self.snapshot_at(version)?, collection, query)
    }

    /// The page that comes after another one. Collection, filter and sort must be those that the
    /// page was asked for with; the limit is the page's own.
    ///
    /// # Errors
    ///
    /// [`Error::VersionGone`](crate::Error::VersionGone) when the version of the listing is not
    /// kept any more, or the cursor is from before the database was opened;
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when it is of another listing, or the
    /// query has an offset. Else as [`Query::execute`].
    pub fn next_page(
        &self,
        collection: &CollectionName,
        query: &Query,
        cursor: &Cursor,
    ) -> Result<Page> {
        if query.offset > 0 {
            return Err(invalid("an offset goes with the first page, and not with a cursor"));
        }
        let history = &self.shared.engine.history;
        let snapshot = history.of_cursor(cursor, self.snapshot())?;
        let last = snapshot.get(collection.as_str(), cursor.last.as_str());
        let (true, Some(last)) = (cursor.listing == query.fingerprint(collection), last) else {
            return Err(invalid(
                "the cursor is of another listing: collection, filter and sort must be those of \
                 the page that it came with",
            ));
        };
        let position = Position::of(&query.sort, cursor.last.clone(), last);
        self.read_page(snapshot, collection, &query.clone().after(position))
    }

    fn read_page(
        &self,
        snapshot: Arc<Snapshot>,
        collection: &CollectionName,
        query: &Query,
    ) -> Result<Page> {
        let engine = &self.shared.engine;
        engine.look_back();
        // One more than asked for tells whether there is more.
        let limit = query.limit.filter(|limit| *limit > 0);
        let asked = limit.map(|limit| query.clone().limit(limit.saturating_add(1)));
        let source: &dyn Source = match snapshot.collection(collection.as_str()) {
            Some(collection) => &**collection,
            None => &Nothing,
        };
        let mut documents = asked.as_ref().unwrap_or(query).find(source)?;
        let is_cut = limit.is_some_and(|limit| documents.len() > limit);
        documents.truncate(limit.unwrap_or(usize::MAX));
        let last = documents.last().filter(|_| is_cut);
        let cursor = last.map(|(last, _)| {
            engine.history.keep(&snapshot);
            Cursor {
                opening: engine.history.opening(),
                version: snapshot.version(),
                listing: query.fingerprint(collection),
                last: last.clone(),
            }
        });
        Ok(Page { version: snapshot.version(), documents, cursor })
    }
}
