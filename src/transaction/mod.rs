//! A transaction: a snapshot to read from, what was read, and what shall be written.
//!
//! It is a value that knows nothing of the database. `begin` makes one, `commit` takes it, and
//! between the two it may move to another thread, be kept across requests, or be dropped, which
//! forgets it. What it reads is its snapshot with its own writes laid over it.
//!
//! Invariant: whatever the outcome of the transaction rests on is in its read set when the method
//! that looked at it returns: a document by its version, present or absent, a query by its
//! predicate. Rolling back to a savepoint takes writes back, never reads.

mod many;
mod overlay;
mod read_set;
mod resolve;
mod summary;
mod typed;
mod write;

pub use overlay::{Overlay, Pending};
pub use read_set::ReadSet;
pub(crate) use typed::decode;
pub use typed::{Entry, Find, TransactionCollection};

use std::{cell::RefCell, collections::BTreeSet};

use crate::{
    document::Document,
    error::{Error, Result},
    filter::Filter,
    limits,
    names::{CollectionName, DocumentId},
    query::{Predicate, Query},
    snapshot::Snapshot,
    sync::{Arc, mutant},
    version::Version,
};
use overlay::View;

/// What a transaction is protected from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// From everything: committed transactions are equivalent to running one after the other in
    /// the order of their versions, which agrees with real time.
    #[default]
    Serializable,
    /// From everything but write skew: only the documents it writes must not have changed, and of
    /// those it updates unseen (`$inc` and its kin) only what it has read.
    Snapshot,
}

/// Reads and buffered writes against one snapshot.
///
/// ```
/// # use monsterdb::{Database, Json};
/// let db = Database::in_memory();
/// let tx = db.begin();
/// tx.collection::<Json>("notes")?.insert(&Json::parse(r#"{"_id":"n1","text":"hello"}"#)?)?;
/// assert!(db.collection::<Json>("notes")?.get("n1")?.is_none(), "not committed yet");
/// db.commit(tx)?;
/// assert!(db.collection::<Json>("notes")?.get("n1")?.is_some());
/// # Ok::<(), monsterdb::Error>(())
/// ```
pub struct Transaction {
    snapshot: Arc<Snapshot>,
    isolation: Isolation,
    confined: Option<BTreeSet<CollectionName>>,
    state: RefCell<State>,
}

/// A place in a transaction to which its writes can be rolled back.
#[derive(Debug)]
pub struct Savepoint(u64);

/// What a transaction asks of a commit.
pub struct Intention {
    /// What it read from.
    pub snapshot: Arc<Snapshot>,
    /// What must not have changed since, for this to take effect.
    pub reads: ReadSet,
    /// What it writes.
    pub writes: Overlay,
}

#[derive(Default)]
struct State {
    reads: ReadSet,
    writes: Overlay,
    savepoints: Vec<(u64, Overlay)>,
    savepoints_made: u64,
    touched: BTreeSet<CollectionName>,
    strayed: Option<CollectionName>,
}

impl Transaction {
    /// A transaction that reads this snapshot.
    pub fn begin(snapshot: Arc<Snapshot>, isolation: Isolation) -> Transaction {
        Transaction { snapshot, isolation, confined: None, state: RefCell::default() }
    }

    /// A transaction that may touch only these collections. The first one it meets beside them
    /// is remembered ([`Transaction::strayed`]) and refused.
    pub(crate) fn confined(
        snapshot: Arc<Snapshot>,
        isolation: Isolation,
        collections: BTreeSet<CollectionName>,
    ) -> Transaction {
        Transaction { confined: Some(collections), ..Transaction::begin(snapshot, isolation) }
    }

    /// The version that it reads.
    pub fn version(&self) -> Version {
        self.snapshot.version()
    }

    /// What it is protected from.
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// The snapshot that it reads, without its own writes. Reading from it leaves no dependency.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// A collection whose documents have the shape of `T`, as this transaction sees it. One that
    /// does not exist reads as empty.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn collection<T>(&self, name: &str) -> Result<TransactionCollection<'_, T>> {
        Ok(TransactionCollection::new(self, CollectionName::new(name)?))
    }

    /// One document, with this transaction's own writes. The transaction now depends on it, be it
    /// present or absent.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`] when an own update that was not applied yet does not fit the
    /// document.
    pub fn get(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<Option<Arc<Document>>> {
        self.touch(collection)?;
        let state = &mut *self.state.borrow_mut();
        if state.writes.drops(collection) {
            return Ok(None);
        }
        let unsettled = match state.writes.get(collection, id) {
            Some(pending @ (Pending::Put(_) | Pending::Delete)) => {
                return Ok(pending.document().cloned());
            }
            Some(Pending::Updates(_)) => true,
            None => false,
        };
        let stored = self.snapshot.get_by_id(collection, id);
        state.reads.document(collection, id, stored.map(|document| document.version()));
        if unsettled {
            state.writes.settle(collection, id, stored)?;
            let settled = state.writes.get(collection, id);
            return Ok(settled.and_then(Pending::document).cloned());
        }
        Ok(stored.cloned())
    }

    /// One document as the snapshot and the own writes have it, without depending on it.
    ///
    /// # Errors
    ///
    /// As [`Transaction::get`].
    pub fn snapshot_read(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Result<Option<Arc<Document>>> {
        self.touch(collection)?;
        let state = self.state.borrow();
        if state.writes.drops(collection) {
            return Ok(None);
        }
        let stored = self.snapshot.get_by_id(collection, id);
        match state.writes.get(collection, id) {
            Some(pending) => pending.over(stored),
            None => Ok(stored.cloned()),
        }
    }

    /// The documents that a query finds, with this transaction's own writes. The transaction now
    /// depends on what the query consumed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] or [`Error::InvalidQuery`] for the query,
    /// [`Error::InvalidUpdate`] as in [`Transaction::get`].
    pub fn find(
        &self,
        collection: &CollectionName,
        query: &Query,
    ) -> Result<Vec<(DocumentId, Arc<Document>)>> {
        query.check()?;
        if query.limit == Some(0) || self.state.borrow().writes.drops(collection) {
            return Ok(Vec::new());
        }
        if let Some(id) = query.filter.id_equality() {
            return self.find_one(collection, &id, query);
        }
        self.settle_all(collection)?;
        let matches = query.execute(&self.view(collection))?;
        self.state.borrow_mut().reads.predicate(collection, matches.predicate);
        Ok(matches.documents)
    }

    /// A query that names one id rests on that document and on nothing else: on its version where
    /// it is found, else only on its not being what the filter asks for.
    fn find_one(
        &self,
        collection: &CollectionName,
        id: &str,
        query: &Query,
    ) -> Result<Vec<(DocumentId, Arc<Document>)>> {
        // What no document can be called is never found.
        let Ok(id) = DocumentId::new(id) else { return Ok(Vec::new()) };
        self.touch(collection)?;
        let is_missed = match self.snapshot.get_by_id(collection, &id) {
            Some(stored) => !query.filter.matches(stored),
            None => query.filter.paths().len() > 1,
        };
        if is_missed && self.state.borrow().writes.get(collection, &id).is_none() {
            self.state.borrow_mut().reads.predicate(collection, query.predicate());
            return Ok(Vec::new());
        }
        self.get(collection, &id)?;
        query.find(&self.view(collection))
    }

    /// How many documents a query matches, with this transaction's own writes. The transaction
    /// now depends on its filter.
    ///
    /// # Errors
    ///
    /// As [`Transaction::find`].
    pub fn count(&self, collection: &CollectionName, query: &Query) -> Result<usize> {
        if self.state.borrow().writes.drops(collection) {
            return Ok(0);
        }
        self.settle_all(collection)?;
        let count = query.count(&self.view(collection))?;
        self.state.borrow_mut().reads.predicate(collection, query.predicate());
        Ok(count)
    }

    /// True when there is something to commit.
    pub fn has_writes(&self) -> bool {
        !self.state.borrow().writes.is_empty()
    }

    /// What it writes, shared with it.
    pub fn writes(&self) -> Overlay {
        self.state.borrow().writes.clone()
    }

    /// Marks a place to roll back to.
    pub fn savepoint(&self) -> Savepoint {
        let state = &mut *self.state.borrow_mut();
        state.savepoints_made += 1;
        state.savepoints.push((state.savepoints_made, state.writes.clone()));
        Savepoint(state.savepoints_made)
    }

    /// Takes back every write since the savepoint, which stays set. Reads stay dependencies:
    /// what the program saw may have steered it.
    ///
    /// # Errors
    ///
    /// [`Error::SavepointGone`].
    pub fn rollback_to(&self, savepoint: &Savepoint) -> Result<()> {
        let state = &mut *self.state.borrow_mut();
        let place = state.place_of(savepoint)?;
        state.savepoints.truncate(place + 1);
        if let Some((_, writes)) = state.savepoints.last()
            && !mutant("roll_back_nothing")
        {
            state.writes = writes.clone();
        }
        Ok(())
    }

    /// Forgets a savepoint and those set after it; the writes stay.
    ///
    /// # Errors
    ///
    /// [`Error::SavepointGone`].
    pub fn release(&self, savepoint: Savepoint) -> Result<()> {
        let state = &mut *self.state.borrow_mut();
        let place = state.place_of(&savepoint)?;
        state.savepoints.truncate(place);
        Ok(())
    }

    /// Forgets the transaction. Dropping it does the same.
    pub fn rollback(self) {}

    /// What it asks of a commit.
    pub fn into_intention(self) -> Intention {
        let State { mut reads, writes, .. } = self.state.into_inner();
        reads.sort();
        if self.isolation == Isolation::Snapshot || mutant("commit_at_snapshot_isolation") {
            reads = first_committer_wins(&self.snapshot, &reads, &writes);
        }
        for name in writes.collections() {
            if let Some(collection) = self.snapshot.collection(name.as_str()) {
                reads.collection(name, collection.created());
            }
        }
        Intention { snapshot: self.snapshot, reads, writes }
    }

    /// The collection that a confined transaction would have needed besides its own.
    pub(crate) fn strayed(&self) -> Option<CollectionName> {
        self.state.borrow().strayed.clone()
    }

    /// Every collection that it read or wrote.
    pub(crate) fn touched(&self) -> BTreeSet<CollectionName> {
        self.state.borrow().touched.clone()
    }

    fn touch(&self, collection: &CollectionName) -> Result<()> {
        let state = &mut *self.state.borrow_mut();
        if self.confined.as_ref().is_some_and(|allowed| !allowed.contains(collection)) {
            state.strayed.get_or_insert_with(|| collection.clone());
            // The closure's caller sees that it strayed and runs it again with this one locked.
            return Err(Error::CollectionNotFound { collection: collection.clone() });
        }
        if state.touched.contains(collection) {
            return Ok(());
        }
        if state.touched.len() >= limits::TRANSACTION_COLLECTIONS_MAX {
            return Err(Error::LimitExceeded {
                what: "the number of collections that a transaction touches",
                max: limits::TRANSACTION_COLLECTIONS_MAX as u64,
                actual: state.touched.len() as u64 + 1,
            });
        }
        state.touched.insert(collection.clone());
        Ok(())
    }

    /// Applies every own update of a collection that still waits, which makes each a read.
    fn settle_all(&self, collection: &CollectionName) -> Result<()> {
        self.touch(collection)?;
        let waiting = self.state.borrow().writes.unsettled(collection);
        for id in waiting {
            self.get(collection, &id)?;
        }
        Ok(())
    }

    fn view(&self, collection: &CollectionName) -> View<'_> {
        View {
            base: self.snapshot.collection(collection.as_str()).map(|collection| &**collection),
            writes: self.state.borrow().writes.documents(collection),
        }
    }
}

/// What a transaction at snapshot isolation rests on: what it writes must be as it was. An update
/// that was not applied yet has looked at nothing by itself; it rests on what the transaction has
/// read of that same document, by its id or by a query, or else an update would be lost.
fn first_committer_wins(snapshot: &Snapshot, seen: &ReadSet, writes: &Overlay) -> ReadSet {
    let mut reads = ReadSet::default();
    if mutant("last_committer_wins") {
        return reads;
    }
    for (collection, id, pending) in writes.iter_documents() {
        match pending {
            Pending::Put(_) | Pending::Delete => {
                let stored = snapshot.get_by_id(collection, id);
                reads.document(collection, id, stored.map(|document| document.version()));
            }
            Pending::Updates(_) => reads.take_over(seen, collection, id),
        }
    }
    // Dropping a collection writes each of its documents.
    for collection in writes.collections().filter(|collection| writes.drops(collection)) {
        reads.predicate(collection, Predicate::whole(Filter::all()));
    }
    reads
}

impl State {
    fn place_of(&self, savepoint: &Savepoint) -> Result<usize> {
        let place = self.savepoints.iter().position(|(number, _)| *number == savepoint.0);
        place.ok_or(Error::SavepointGone)
    }
}
