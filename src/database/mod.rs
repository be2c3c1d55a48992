//! The database as a program holds it: open, read, write, close.
//!
//! ```
//! use monsterdb::{Database, Json, field};
//!
//! let db = Database::in_memory();
//! let people = db.collection::<Json>("people")?;
//! people.insert(&Json::parse(r#"{"_id":"ada","age":36}"#)?)?;
//! people.insert(&Json::parse(r#"{"_id":"bob","age":17}"#)?)?;
//! let grown = people.find(field("age").gte(18))?.sort("-age").collect::<Vec<_>>()?;
//! assert_eq!(grown.len(), 1);
//! # Ok::<(), monsterdb::Error>(())
//! ```
//!
//! A [`Database`] is a handle: cloning it is cheap, every clone is the same database, and when the
//! last one is dropped the database is closed.

mod available_memory;
mod backup;
mod changes;
mod check;
mod collection;
mod commit_async;
mod engine;
mod expiry;
mod history;
#[cfg(not(loom))]
mod maintenance;
mod options;
mod page;
mod recovery;
mod repair;
mod restore;
mod status;
#[cfg(feature = "server")]
mod unpack;

pub use backup::{Backup, Written};
pub use changes::Changes;
pub use check::{CheckReport, Consequence};
pub use collection::Collection;
pub use commit_async::Committing;
pub use options::Builder;
pub use page::Page;
pub use recovery::RecoveryReport;
pub use repair::{Loss, LostOperation, Origin, RepairReport, RepairedCollection, Unproved, repair};
pub use restore::{Restored, restore, verify};
pub use status::{Health, Retained, Status};
#[cfg(feature = "server")]
pub use unpack::unpack_tar;

use std::path::Path;

#[cfg(doc)]
use crate::error::Error;
#[cfg(not(loom))]
use crate::sync::{Mutex, lock};
use crate::{
    commit::{Committed, Durability, IndexMade, IndexProgress, TransactOptions},
    error::Result,
    names::{CollectionName, IndexName},
    snapshot::{CollectionOptions, IndexDefinition, Snapshot},
    sync::Arc,
    transaction::{Isolation, Transaction},
    version::Version,
};
use engine::Engine;

/// An open database.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

/// What all clones of a handle share. Dropping it closes the database.
struct Shared {
    engine: Arc<Engine>,
    #[cfg(not(loom))]
    maintenance: Mutex<Option<maintenance::Maintenance>>,
    /// Each asynchronous commit under way holds another one.
    committing: Arc<()>,
}

impl Database {
    /// Opens the database in a directory, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process has it open, [`Error::Damaged`],
    /// [`Error::NewerFormat`], [`Error::Io`], [`Error::StorageFull`].
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Database::builder().open(path)
    }

    /// Opens the database in a directory for reading: nothing is written, not even a lock file,
    /// and every write is refused. No other process may have it open for writing.
    ///
    /// Records whose safety is in doubt are shown; [`Status::recovery`] counts them.
    ///
    /// # Errors
    ///
    /// As [`Database::open`], and [`Error::Io`] when there is no database.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Database> {
        Database::builder().open_read_only(path)
    }

    /// A database without files. It is gone when the last handle is dropped.
    pub fn in_memory() -> Database {
        Database::builder().in_memory().expect("memory has no files that could fail")
    }

    /// Settings for a database to open.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A collection whose documents have the shape of `T`. It comes into being with its first
    /// document, and reads as empty until then.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`].
    pub fn collection<T>(&self, name: &str) -> Result<Collection<T>> {
        Ok(Collection::new(self.clone(), CollectionName::new(name)?))
    }

    /// The latest committed state. It never changes, and may be kept as long as it is of use.
    ///
    /// # Complexity
    ///
    /// One atomic load; it never waits and nobody waits for it.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.engine.committer.published()
    }

    /// Begins a serializable transaction on the latest committed state.
    pub fn begin(&self) -> Transaction {
        self.begin_with(Isolation::Serializable)
    }

    /// Begins a transaction with this isolation.
    pub fn begin_with(&self, isolation: Isolation) -> Transaction {
        Transaction::begin(self.snapshot(), isolation)
    }

    /// Commits a transaction, with the durability that the database was opened with, and returns
    /// the version of its writes; for one that wrote nothing, the version that it read.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] when another commit changed what it read: nothing has changed, and the
    /// same transaction may succeed on a new snapshot. [`Error::OutcomeUnknown`] when the device
    /// failed under it. Else what stands in [`Error`]; nothing has changed then.
    pub fn commit(&self, transaction: Transaction) -> Result<Version> {
        self.commit_with(transaction, self.shared.engine.settings.durability)
    }

    /// Commits a transaction with a durability of its own.
    ///
    /// # Errors
    ///
    /// As [`Database::commit`].
    pub fn commit_with(&self, transaction: Transaction, durability: Durability) -> Result<Version> {
        self.shared.engine.committer.commit(transaction, durability)
    }

    /// Runs a closure in a serializable transaction and commits it. When another commit overtakes
    /// it, it runs again on a new snapshot, so the closure may run more than once and should do
    /// nothing but read and write through the transaction it is given. It is certain to progress:
    /// after a few losses it runs while it holds its collections.
    ///
    /// ```
    /// # use monsterdb::{Database, Error, Json};
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Serialize, Deserialize)]
    /// struct Account { balance: i64 }
    ///
    /// # let db = Database::in_memory();
    /// # db.collection::<Account>("accounts")?.put("alice", &Account { balance: 30 })?;
    /// # db.collection::<Account>("accounts")?.put("bob", &Account { balance: 0 })?;
    /// db.transact(|tx| {
    ///     let accounts = tx.collection::<Account>("accounts")?;
    ///     let mut from = accounts.get("alice")?.ok_or(Error::NotFound)?.value;
    ///     let mut to = accounts.get("bob")?.ok_or(Error::NotFound)?.value;
    ///     from.balance -= 10;
    ///     to.balance += 10;
    ///     accounts.replace("alice", &from)?;
    ///     accounts.replace("bob", &to)
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What the closure returns, without committing. Else as [`Database::commit`], but for
    /// [`Error::Conflict`]; [`Error::Nested`] inside another closure of the same thread.
    pub fn transact<R>(&self, closure: impl FnMut(&Transaction) -> Result<R>) -> Result<R> {
        Ok(self.transact_with(TransactOptions::default(), closure)?.value)
    }

    /// As [`Database::transact`], with isolation and durability of its own, and with the version
    /// of the commit in the answer.
    ///
    /// # Errors
    ///
    /// As [`Database::transact`].
    pub fn transact_with<R>(
        &self,
        options: TransactOptions,
        closure: impl FnMut(&Transaction) -> Result<R>,
    ) -> Result<Committed<R>> {
        let engine = &self.shared.engine;
        let durability = options.durability.unwrap_or(engine.settings.durability);
        engine.committer.transact(options.isolation, durability, closure)
    }

    /// Makes a collection, and returns the version at which it is there. One that is there with
    /// the same options is left as it is.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], [`Error::CollectionExists`] when it has other options; else as
    /// [`Database::commit`].
    pub fn create_collection(&self, name: &str, options: CollectionOptions) -> Result<Version> {
        let name = CollectionName::new(name)?;
        let create = |tx: &Transaction| tx.create_collection(&name, options);
        Ok(self.transact_with(TransactOptions::default(), create)?.version)
    }

    /// Drops a collection with all its documents, and returns the version at which it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], [`Error::CollectionNotFound`]; else as [`Database::commit`].
    pub fn drop_collection(&self, name: &str) -> Result<Version> {
        let name = CollectionName::new(name)?;
        let drop = |tx: &Transaction| tx.drop_collection(&name);
        Ok(self.transact_with(TransactOptions::default(), drop)?.version)
    }

    /// Makes an index, and returns when it is there. Reads and writes go on meanwhile. One that is
    /// there with the same definition is left as it is.
    ///
    /// ```
    /// use monsterdb::{Database, IndexDefinition};
    /// # let db = Database::in_memory();
    /// let by_country = IndexDefinition::on(["country", "-name"])?.unique();
    /// db.create_index("cities", "by_country", by_country)?;
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], [`Error::Index`] when there is another index of that name, when two
    /// documents have one key in a unique one, or when a document does not fit it,
    /// [`Error::LimitExceeded`]; else as [`Database::commit`].
    ///
    /// # Complexity
    ///
    /// O(documents × log documents); the collection is locked only for what changed during the
    /// last part of that.
    pub fn create_index(
        &self,
        collection: &str,
        name: &str,
        definition: IndexDefinition,
    ) -> Result<IndexMade> {
        self.create_index_with(collection, name, definition, &mut |_| {})
    }

    /// As [`Database::create_index`], and tells how far it is.
    ///
    /// # Errors
    ///
    /// As [`Database::create_index`].
    pub fn create_index_with(
        &self,
        collection: &str,
        name: &str,
        definition: IndexDefinition,
        progress: &mut dyn FnMut(IndexProgress),
    ) -> Result<IndexMade> {
        let (collection, name) = (CollectionName::new(collection)?, IndexName::new(name)?);
        self.create_index_in(&collection, &name, definition, progress)
    }

    /// As [`Database::create_index_with`], also in a reserved collection.
    pub(crate) fn create_index_in(
        &self,
        collection: &CollectionName,
        name: &IndexName,
        definition: IndexDefinition,
        progress: &mut dyn FnMut(IndexProgress),
    ) -> Result<IndexMade> {
        let engine = &self.shared.engine;
        let (definition, durability) = (Arc::new(definition), engine.settings.durability);
        engine.committer.create_index(collection, name, &definition, durability, progress)
    }

    /// Drops an index, and returns the version at which it is gone.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`], [`Error::CollectionNotFound`], [`Error::Index`] when there is none
    /// of that name; else as [`Database::commit`].
    pub fn drop_index(&self, collection: &str, name: &str) -> Result<Version> {
        let (collection, name) = (CollectionName::new(collection)?, IndexName::new(name)?);
        let engine = &self.shared.engine;
        engine.committer.drop_index(&collection, &name, engine.settings.durability)
    }

    /// Writes a checkpoint of the latest committed state and returns its version. Reads and
    /// writes go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`], [`Error::StorageFull`] or [`Error::Io`]; the checkpoint from before
    /// stays in force.
    pub fn checkpoint(&self) -> Result<Version> {
        self.shared.engine.checkpoint()
    }

    /// Does now what the background thread does when it is due: makes the next log segment
    /// ahead, syncs what should be safe by now, writes a checkpoint. For databases opened with
    /// [`Builder::background`] off.
    ///
    /// # Errors
    ///
    /// As [`Database::checkpoint`].
    pub fn maintain(&self) -> Result<()> {
        self.shared.engine.maintain()
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        self.shared.engine.status()
    }

    /// Closes the database: refuses new commits, waits for those under way and writes a checkpoint.
    /// Other handles find it closed; snapshots go on to be good. The directory is free when the last
    /// handle is dropped, be it a [`Collection`].
    ///
    /// # Errors
    ///
    /// What kept the last commits or the checkpoint from being written. It is closed all the
    /// same, and everything acknowledged is in the log.
    pub fn close(self) -> Result<()> {
        self.shared.close()
    }
}

impl Shared {
    fn new(engine: Arc<Engine>) -> Shared {
        Shared {
            #[cfg(not(loom))]
            maintenance: Mutex::new(
                engine
                    .settings
                    .background
                    .then(|| maintenance::Maintenance::start(&engine))
                    .flatten(),
            ),
            engine,
            committing: Arc::default(),
        }
    }

    fn close(&self) -> Result<()> {
        let drained = self.engine.committer.group().close();
        #[cfg(not(loom))]
        if let Some(maintenance) = lock(&self.maintenance).take() {
            maintenance.stop();
        }
        if drained? { self.engine.close() } else { Ok(()) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "closing the database failed; what was acknowledged is in the log");
        }
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("status", &self.status()).finish()
    }
}
