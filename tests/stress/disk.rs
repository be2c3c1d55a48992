//! A disk on which every operation may lose its thread's turn, before and after it.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use monsterdb::storage::{Storage, StorageFile};

use crate::dice::Dice;

/// Any disk, with pauses.
pub(crate) struct Yielding<S> {
    disk: S,
    chance: Chance,
}

struct YieldingFile {
    file: Box<dyn StorageFile>,
    chance: Chance,
}

/// A source of chance for every thread that comes by.
#[derive(Clone)]
struct Chance(Arc<AtomicU64>);

impl<S: Storage> Yielding<S> {
    pub(crate) fn new(disk: S, seed: u64) -> Yielding<S> {
        Yielding { disk, chance: Chance(Arc::new(AtomicU64::new(seed << 32))) }
    }

    fn file(&self, file: io::Result<Box<dyn StorageFile>>) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(YieldingFile { file: file?, chance: self.chance.clone() }))
    }
}

impl Chance {
    fn around<T>(&self, operation: impl FnOnce() -> T) -> T {
        // Relaxed: it orders nothing, so that it hides no race from whoever looks for one.
        let mut dice = Dice::new(self.0.fetch_add(1, Ordering::Relaxed));
        dice.pause();
        let outcome = operation();
        dice.pause();
        outcome
    }
}

impl<S: Storage> Storage for Yielding<S> {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.chance.around(|| self.disk.list(folder))
    }

    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>> {
        self.chance.around(|| self.disk.list_folders(folder))
    }

    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.chance.around(|| self.disk.create_folder(folder))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.file(self.chance.around(|| self.disk.create(name)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.file(self.chance.around(|| self.disk.open(name)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.chance.around(|| self.disk.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.chance.around(|| self.disk.remove(name))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.chance.around(|| self.disk.sync_folder(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk.path(name)
    }
}

impl StorageFile for YieldingFile {
    fn len(&self) -> io::Result<u64> {
        self.chance.around(|| self.file.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.chance.around(|| self.file.read_at(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.chance.around(|| self.file.write_at(offset, bytes))
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.chance.around(|| self.file.allocate(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.chance.around(|| self.file.sync())
    }
}
