//! A disk in memory that can fail, stall and crash: for databases that live only as long as their
//! process, and for tests that ask what a program loses when the power goes.
//!
//! What a [`MemoryStorage`] stands for is a disk below a page cache, with a journaling file system:
//! - every file has the bytes that reading shows and the bytes that are safe; a sync makes the
//!   first the second. A power cut keeps the safe ones, and of each 512-byte sector that has
//!   unsynced writes an old state, the new one, or one in between. The bytes that were being
//!   written may also come out as zeros, or altered. Bytes that nobody wrote since the last sync
//!   stay, also in such a sector (SQLite's documents call that *powersafe overwrite*);
//! - every folder has the names that it shows and the names that are safe. A power cut loses the
//!   changes since the last sync of the folder from some point on, or any of them; each of them,
//!   a rename too, wholly or not at all. Syncing a file does not make its name safe;
//! - a sync that fails makes nothing safe, and the next one does not make up for it: reading goes
//!   on showing bytes that no sync will write any more, as Linux does (Rebello et al., *Can
//!   Applications Recover from fsync Failures?*, 2020);
//! - everything that happens follows from the operations and the seeds, on every machine.
//!
//! ```
//! use monsterdb::storage::{CrashKind, MemoryStorage, Storage, StorageFile, read_all};
//!
//! // A program that forgets to sync the folder...
//! let disk = MemoryStorage::new();
//! let file = disk.create("greeting")?;
//! file.write_at(0, b"hello")?;
//! file.sync()?;
//!
//! // ...loses its file in some power cuts, but never half of it.
//! let after = |seed| disk.crash(CrashKind::Power, seed).contents("greeting");
//! assert!((0..100).any(|seed| after(seed).is_none()));
//! assert!((0..100).all(|seed| after(seed).is_none_or(|bytes| bytes == b"hello")));
//!
//! disk.sync_folder("")?;
//! assert!((0..100).all(|seed| after(seed).is_some()));
//! # Ok::<(), std::io::Error>(())
//! ```

mod bytes;
mod disk;
mod faults;
mod file_state;
mod folder;
mod random;

pub use disk::CrashKind;
pub use faults::{Failure, Fault, Operation, OperationKind};

use std::{fmt, io, path::PathBuf};

use disk::{Disk, Memory};
use folder::{FileId, Folder};

use super::{Storage, StorageFile};
use crate::sync::{Arc, Unseen, UnseenGuard};

/// A disk in memory. Clones are the same disk.
#[derive(Clone)]
pub struct MemoryStorage(Arc<Unseen<Disk>>);

impl MemoryStorage {
    /// An empty disk that keeps everything, and remembers what was synced and what was not. It
    /// takes memory for every operation since the last sync, and a little for every operation.
    pub fn new() -> MemoryStorage {
        MemoryStorage::over(Disk::new(Memory::Everything))
    }

    /// An empty disk that keeps names and lengths and drops the bytes: reading gives zeros. For a
    /// database that nobody will open again, so that its log takes no memory.
    pub fn forgetful() -> MemoryStorage {
        MemoryStorage::over(Disk::new(Memory::Lengths(None)))
    }

    /// As [`MemoryStorage::forgetful`], but the bytes of the files in this folder are kept as long
    /// as these are: with `wal`, for a database whose log is read while it is open.
    pub fn forgetful_but(folder: &'static str) -> MemoryStorage {
        MemoryStorage::over(Disk::new(Memory::Lengths(Some(folder))))
    }

    /// How many operations that change something were tried so far, failed ones included.
    pub fn operations(&self) -> u64 {
        self.0.lock().faults.count()
    }

    /// How many of them were of one kind.
    pub fn operations_of(&self, kind: OperationKind) -> u64 {
        self.0.lock().faults.count_of(kind)
    }

    /// Those operations in order; empty for a forgetful disk.
    pub fn trace(&self) -> Vec<Operation> {
        self.0.lock().faults.trace()
    }

    /// Plans a fault. Of several that meet, the one planned first happens.
    pub fn inject(&self, fault: Fault) {
        self.0.lock().faults.plan(fault);
    }

    /// The planned faults that happened so far, in order, each as often as it did.
    pub fn met(&self) -> Vec<Fault> {
        self.0.lock().faults.met()
    }

    /// Takes back every planned fault. What has failed stays failed, and what has crashed stays
    /// crashed.
    pub fn clear_faults(&self) {
        self.0.lock().faults.clear();
    }

    /// Sets how many bytes all files together may have, `None` for any number. An operation that
    /// needs more fails with [`io::ErrorKind::StorageFull`]; removing files makes room again.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().set_capacity(bytes);
    }

    /// Makes every sync wait from now on, as a slow device does.
    pub fn hold_syncs(&self) {
        self.0.lock().syncs_held = true;
    }

    /// Waits until some thread waits in a sync.
    pub fn wait_for_held_sync(&self) {
        let mut disk = self.0.lock();
        while disk.syncs_waiting == 0 {
            disk = self.0.wait(disk);
        }
    }

    /// Lets the waiting syncs go, and later ones.
    pub fn release_syncs(&self) {
        self.0.lock().syncs_held = false;
        self.0.notify_all();
    }

    /// Another disk, as this one might look after a crash now: the same one for the same
    /// operations, kind and seed. This one is not changed, and the new one has no faults.
    pub fn crash(&self, kind: CrashKind, seed: u64) -> MemoryStorage {
        MemoryStorage::over(self.0.lock().crash(kind, seed))
    }

    /// The bytes of a file, `None` when there is none of that name. Works after a crash too.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.0.lock();
        let id = disk.find(name).ok()?;
        Some(disk.file(id).current.to_vec())
    }

    /// The names of all files, with their folders, sorted by folder.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().names()
    }

    /// Damages a file: flips the bits of `xor` in the byte at `offset`. Not an operation that
    /// counts.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such file, or no such byte in it.
    pub fn alter(&self, name: &str, offset: u64, xor: u8) -> io::Result<()> {
        let mut disk = self.0.lock();
        let id = disk.find(name)?;
        let altered = disk.file_mut(id).alter(offset, xor);
        if altered { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Puts a file there as if it had always been, in place of any other: to cut one short, to
    /// bring an old one back, to start from a fixture. Not an operation that counts.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when its folder is not there.
    pub fn plant(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().plant(name, bytes)
    }

    fn over(disk: Disk) -> MemoryStorage {
        MemoryStorage(Arc::new(Unseen::new(disk)))
    }

    /// The disk, once it is sure that the process has not crashed.
    fn alive(&self) -> io::Result<UnseenGuard<'_, Disk>> {
        let disk = self.0.lock();
        disk.faults.check_alive()?;
        Ok(disk)
    }

    fn handle(&self, id: FileId, name: &str, writable: bool) -> Box<dyn StorageFile> {
        Box::new(MemoryFile { storage: self.clone(), id, name: name.to_owned(), writable })
    }

    /// Waits while syncs are held.
    fn pass_hold<'a>(&'a self, mut disk: UnseenGuard<'a, Disk>) -> UnseenGuard<'a, Disk> {
        disk.syncs_waiting += 1;
        self.0.notify_all();
        while disk.syncs_held {
            disk = self.0.wait(disk);
        }
        disk.syncs_waiting -= 1;
        disk
    }

    /// The course of every sync: what was done before it began is made safe, or given up.
    fn sync_with(
        &self,
        kind: OperationKind,
        name: &str,
        make_safe: impl FnOnce(&mut Disk, u64),
        give_up: impl FnOnce(&mut Disk, u64),
    ) -> io::Result<()> {
        let mut disk = self.0.lock();
        let counted = disk.count(kind, name);
        let before = disk.faults.count();
        let mut disk = self.pass_hold(disk);
        disk.faults.check_alive()?;
        match counted {
            Ok(_) => make_safe(&mut disk, before),
            Err(_) => give_up(&mut disk, before),
        }
        disk.collect_files();
        counted.map(|_| ())
    }
}

impl Default for MemoryStorage {
    fn default() -> MemoryStorage {
        MemoryStorage::new()
    }
}

impl fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStorage").field("names", &self.names()).finish_non_exhaustive()
    }
}

impl Storage for MemoryStorage {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let disk = self.alive()?;
        let folder = disk.folder(folder)?;
        Ok(folder.current.keys().filter(|name| folder.file(name).is_ok()).cloned().collect())
    }

    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>> {
        let disk = self.alive()?;
        let folder = disk.folder(folder)?;
        Ok(folder.current.keys().filter(|name| folder.file(name).is_err()).cloned().collect())
    }

    fn create_folder(&self, folder: &str) -> io::Result<()> {
        self.0.lock().create_folder(folder)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let id = self.0.lock().create(name)?;
        Ok(self.handle(id, name, true))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut disk = self.alive()?;
        let id = disk.find(name)?;
        disk.file_mut(id).handles += 1;
        Ok(self.handle(id, name, false))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.lock().rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.lock().remove(name)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.0.lock().folder(folder)?;
        let apply = |change: fn(&mut Folder, u64)| {
            move |disk: &mut Disk, before| {
                if let Ok(folder) = disk.folder_mut(folder) {
                    change(folder, before);
                }
            }
        };
        let (make_safe, give_up) = (apply(Folder::sync), apply(Folder::fail_sync));
        self.sync_with(OperationKind::SyncFolder, folder, make_safe, give_up)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("memory").join(name)
    }
}

/// A file of a [`MemoryStorage`].
struct MemoryFile {
    storage: MemoryStorage,
    id: FileId,
    name: String,
    writable: bool,
}

impl MemoryFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl StorageFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.storage.alive()?.file(self.id).current.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.storage.alive()?.file(self.id).current.read(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.check_writable()?;
        self.storage.0.lock().write(self.id, &self.name, offset, bytes)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.check_writable()?;
        self.storage.0.lock().allocate(self.id, &self.name, length)
    }

    fn sync(&self) -> io::Result<()> {
        self.storage.sync_with(
            OperationKind::Sync,
            &self.name,
            |disk, before| disk.file_mut(self.id).sync(before),
            |disk, before| disk.file_mut(self.id).fail_sync(before),
        )
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        self.storage.0.lock().release(self.id);
    }
}
