//! How a database is opened.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    Database, Shared,
    available_memory::available_memory,
    engine::{Engine, LastCheckpoint},
    history::History,
    recovery,
};
use crate::{
    commit::{Committer, Durability, Group, GroupOptions, Logged},
    error::{Error, Result},
    histogram::Histogram,
    limits,
    storage::{Access, FileStorage, MemoryStorage, Storage},
    sync::{Arc, Clock, Counter, Mutex, Published},
    wal::{self, Archive},
};

/// Settings for a database to open.
///
/// ```
/// use monsterdb::{Database, Durability};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("data");
/// let db = Database::builder().durability(Durability::None).open(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    settings: Settings,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    pub(super) segment_bytes: u64,
    pub(super) checkpoint: CheckpointPolicy,
    pub(super) memory_limit: u64,
    pub(super) background: bool,
    pub(super) retain: Duration,
    pub(super) retain_bytes: u64,
    pub(super) feed_retain_bytes: u64,
    pub(super) wal_archive: Option<PathBuf>,
    /// Nobody will open it again, so its log is there for the change feed alone.
    in_memory: bool,
}

/// When a checkpoint is written by itself.
#[derive(Debug, Clone)]
pub(super) struct CheckpointPolicy {
    pub(super) operations: u64,
    pub(super) bytes: u64,
    pub(super) interval: Duration,
    pub(super) on_close: bool,
}

impl Builder {
    /// When a commit is acknowledged, unless it says so itself. By default when it is safe.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Builder {
        self.settings.durability = durability;
        self
    }

    /// Bytes of one log segment; 8 MiB by default, at least 4 KiB.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> Builder {
        self.settings.segment_bytes = bytes.max(4096);
        self
    }

    /// Operations in the log after which a checkpoint is written; 1,000,000 by default.
    #[must_use]
    pub fn checkpoint_operations(mut self, operations: u64) -> Builder {
        self.settings.checkpoint.operations = operations;
        self
    }

    /// Bytes in the log after which a checkpoint is written; 64 MiB by default. In a database of
    /// more than twice that size it is half the size, so that writing checkpoints stays in
    /// proportion to writing the log.
    #[must_use]
    pub fn checkpoint_bytes(mut self, bytes: u64) -> Builder {
        self.settings.checkpoint.bytes = bytes;
        self
    }

    /// Time after which a checkpoint is written if there were commits; 5 minutes by default.
    #[must_use]
    pub fn checkpoint_interval(mut self, interval: Duration) -> Builder {
        self.settings.checkpoint.interval = interval;
        self
    }

    /// Whether closing writes a checkpoint, which makes the next opening fast; it does by
    /// default.
    #[must_use]
    pub fn checkpoint_on_close(mut self, on_close: bool) -> Builder {
        self.settings.checkpoint.on_close = on_close;
        self
    }

    /// Bytes of memory that documents may take, by estimate; by default three quarters of what
    /// the machine or its control group has.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Builder {
        self.settings.memory_limit = bytes;
        self
    }

    /// Whether a thread in the background makes log segments ahead, syncs and writes checkpoints.
    /// Without it [`Database::maintain`] does so when it is called.
    #[must_use]
    pub fn background(mut self, background: bool) -> Builder {
        self.settings.background = background;
        self
    }

    /// How long a version can be read after a cursor named it, or after it was kept as the one of
    /// its second; 5 minutes by default. With no time at all only the latest version can be read.
    #[must_use]
    pub fn retain(mut self, time: Duration) -> Builder {
        self.settings.retain = time;
        self
    }

    /// Bytes of memory that versions may take which are kept to be read, by estimate; 256 MiB by
    /// default. The oldest go first, whatever is left of their time.
    #[must_use]
    pub fn retain_bytes(mut self, bytes: u64) -> Builder {
        self.settings.retain_bytes = bytes;
        self
    }

    /// Bytes of log segments that are kept behind a checkpoint for those who follow the changes, as
    /// they lie on the device; 64 MiB by default. With none at all a follower must not fall behind
    /// the last checkpoint.
    #[must_use]
    pub fn feed_retain_bytes(mut self, bytes: u64) -> Builder {
        self.settings.feed_retain_bytes = bytes;
        self
    }

    /// A directory that the log is copied to before any of it is removed, so that a backup can be
    /// brought to every version after it (see [`restore`](super::restore)). None by default.
    ///
    /// A segment is there when the next one has begun, and all of the log after each checkpoint and
    /// after closing. What is in it stays: removing what no backup needs is left to its owner.
    #[must_use]
    pub fn wal_archive(mut self, directory: impl Into<PathBuf>) -> Builder {
        self.settings.wal_archive = Some(directory.into());
        self
    }

    /// A database without files.
    pub(super) fn in_memory(mut self) -> Result<Database> {
        self.settings.background = false;
        self.settings.in_memory = true;
        self.settings.segment_bytes = limits::SEGMENT_BYTES_IN_MEMORY;
        self.settings.feed_retain_bytes = limits::FEED_RETAINED_BYTES_IN_MEMORY;
        self.open_in(Arc::new(MemoryStorage::forgetful_but(wal::FOLDER)))
    }

    /// Opens the database in a directory, which is made when it is missing.
    ///
    /// # Errors
    ///
    /// As [`Database::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        let storage = FileStorage::open(path, Access::Write)?;
        self.open_in(Arc::new(storage))
    }

    /// Opens the database in a directory for reading.
    ///
    /// # Errors
    ///
    /// As [`Database::open_read_only`].
    pub fn open_read_only(mut self, path: impl AsRef<Path>) -> Result<Database> {
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::open(path, Access::Read)?);
        self.settings.background = false;
        let recovered = recovery::inspect(&*storage)?;
        let database = self.start(storage, recovered, None);
        database.shared.engine.committer.group().refuse_writes("it was opened for reading");
        Ok(database)
    }

    /// Opens the database in any [`Storage`]. It takes no lock: that is the storage's to do.
    ///
    /// # Errors
    ///
    /// As [`Database::open`], but for [`Error::Locked`](crate::Error::Locked).
    pub fn open_in(self, storage: Arc<dyn Storage>) -> Result<Database> {
        let archive = self.settings.wal_archive.as_deref().map(open_archive).transpose()?;
        let recovered = recovery::recover(&*storage)?;
        Ok(self.start(storage, recovered, archive))
    }

    fn start(
        self,
        storage: Arc<dyn Storage>,
        recovered: recovery::Recovered,
        archive: Option<Archive>,
    ) -> Database {
        let recovery::Recovered { snapshot, checkpoint, report } = recovered;
        let Settings { segment_bytes, in_memory, feed_retain_bytes, .. } = self.settings;
        let kept_bytes = in_memory.then_some(feed_retain_bytes);
        let options = GroupOptions { segment_bytes, kept_bytes };
        let group = Group::new(Arc::clone(&storage), Arc::new(snapshot), options);
        let engine = Arc::new(Engine {
            committer: Committer::new(group, self.settings.memory_limit),
            storage,
            checkpointed: Published::new(Arc::new(checkpoint.manifest.version)),
            checkpoints: Histogram::default(),
            checkpoints_failed: Counter::default(),
            checkpoint: Mutex::new(LastCheckpoint {
                written: checkpoint,
                logged: Logged::default(),
                at: Clock::instant(),
            }),
            history: History::new(self.settings.retain, self.settings.retain_bytes),
            waypoints: Arc::default(),
            archive,
            recovery: report,
            opened: Clock::instant(),
            settings: self.settings,
        });
        Database { shared: Arc::new(Shared::new(engine)) }
    }
}

fn open_archive(path: &Path) -> Result<Archive> {
    let storage = FileStorage::open(path, Access::Write)?;
    Archive::open(Arc::new(storage))
        .map_err(|error| Error::io("make an archive in", path.into(), error))
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            durability: Durability::Always,
            segment_bytes: limits::SEGMENT_BYTES,
            checkpoint: CheckpointPolicy {
                operations: 1_000_000,
                bytes: 64 * 1024 * 1024,
                interval: Duration::from_secs(300),
                on_close: true,
            },
            memory_limit: memory_limit(),
            background: true,
            retain: Duration::from_secs(300),
            retain_bytes: limits::RETAINED_BYTES,
            feed_retain_bytes: limits::FEED_RETAINED_BYTES,
            wal_archive: None,
            in_memory: false,
        }
    }
}

impl CheckpointPolicy {
    pub(super) fn is_due(
        &self,
        operations: u64,
        bytes: u64,
        elapsed: Duration,
        database_bytes: u64,
    ) -> bool {
        operations >= self.operations
            || bytes >= self.bytes.max(database_bytes / 2)
            || (operations > 0 && elapsed >= self.interval)
    }
}

/// Three quarters of the memory of the machine or of the control group, whichever is less.
fn memory_limit() -> u64 {
    if cfg!(loom) {
        return u64::MAX;
    }
    available_memory().map_or(u64::MAX, |bytes| bytes / 4 * 3)
}
