//! A disk that lets a test act in the middle of one of its operations.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use monsterdb::storage::{MemoryStorage, Storage, StorageFile};

/// See the module's document.
#[derive(Clone)]
pub(crate) struct Hooked {
    disk: MemoryStorage,
    hook: Arc<Mutex<Option<Hook>>>,
}

struct Hook {
    /// The beginning of the operation: `sync wal/`, `rename MANIFEST.json`.
    before: &'static str,
    act: Box<dyn FnOnce() + Send>,
}

struct HookedFile {
    file: Box<dyn StorageFile>,
    name: String,
    storage: Hooked,
}

impl Hooked {
    pub(crate) fn over(disk: &MemoryStorage) -> Hooked {
        Hooked { disk: disk.clone(), hook: Arc::default() }
    }

    /// Acts once, before the next operation that begins so, on the thread that performs it.
    pub(crate) fn act_before(&self, before: &'static str, act: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some(Hook { before, act: Box::new(act) });
    }

    fn pass(&self, operation: &str, name: &str) {
        let operation = format!("{operation} {name}");
        let taken = self.hook.lock().unwrap().take_if(|hook| operation.starts_with(hook.before));
        if let Some(hook) = taken {
            (hook.act)();
        }
    }

    fn hooked(&self, name: &str, file: Box<dyn StorageFile>) -> Box<dyn StorageFile> {
        Box::new(HookedFile { file, name: name.to_owned(), storage: self.clone() })
    }
}

impl Storage for Hooked {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }

    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list_folders(folder)
    }

    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.disk.create_folder(folder)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.pass("create", name);
        Ok(self.hooked(name, self.disk.create(name)?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(self.hooked(name, self.disk.open(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.pass("rename", from);
        self.disk.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.pass("remove", name);
        self.disk.remove(name)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.pass("sync_folder", folder);
        self.disk.sync_folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk.path(name)
    }
}

impl StorageFile for HookedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.storage.pass("write", &self.name);
        self.file.write_at(offset, bytes)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.storage.pass("allocate", &self.name);
        self.file.allocate(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.storage.pass("sync", &self.name);
        self.file.sync()
    }
}
