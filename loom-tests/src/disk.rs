//! A disk whose syncs take their place among what the threads do.

use std::{io, ops::Deref, path::PathBuf, sync::Arc};

use loom::sync::atomic::{AtomicUsize, Ordering};
use monsterdb::storage::{MemoryStorage, Storage, StorageFile};

/// A [`MemoryStorage`] that loom sees. Every sync, and every look at what a crash would leave,
/// takes a turn first, so that loom explores both orders of a sync and such a look. Without that
/// a sync would happen together with the step before it, and a commit that is published too early
/// would always be safe by the time that somebody looks.
///
/// Turns are relaxed: they order no memory that the engine has not ordered itself.
#[derive(Clone)]
pub struct Disk {
    memory: MemoryStorage,
    turn: Arc<AtomicUsize>,
}

struct DiskFile {
    file: Box<dyn StorageFile>,
    disk: Disk,
}

impl Disk {
    /// An empty disk.
    #[allow(clippy::new_without_default, reason = "it can be made in a model only")]
    pub fn new() -> Disk {
        Disk { memory: MemoryStorage::new(), turn: Arc::new(AtomicUsize::new(0)) }
    }

    /// Takes a turn: others may go first, or not.
    pub fn take_turn(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    fn file(&self, file: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(DiskFile { file, disk: self.clone() })
    }
}

impl Deref for Disk {
    type Target = MemoryStorage;

    fn deref(&self) -> &MemoryStorage {
        &self.memory
    }
}

impl Storage for Disk {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.memory.list(folder)
    }

    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>> {
        self.memory.list_folders(folder)
    }

    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.memory.create_folder(folder)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.file(self.memory.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.file(self.memory.open(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.memory.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.memory.remove(name)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.take_turn();
        self.memory.sync_folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.memory.path(name)
    }
}

impl StorageFile for DiskFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.file.allocate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.take_turn();
        self.file.sync()
    }
}
