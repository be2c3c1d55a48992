//! The few file operations that the engine needs, as a trait, so that the same engine runs on a
//! directory, in memory, and in tests that crash it at every operation.
//!
//! Names are relative to the data directory and use `/`: `MANIFEST.json`, `wal/1.ndjson`.
//!
//! What an implementation promises, and no more (it is what a journaling file system gives):
//! - bytes written are safe after [`StorageFile::sync`] returned, and may be lost, torn at sector
//!   borders or zeroed by a power cut before that;
//! - a name made, moved or removed is safe after [`Storage::sync_folder`] of its folder returned,
//!   and may be lost before that, alone or together with others;
//! - [`Storage::rename`] replaces its target as a whole: never a mixture, never neither.

mod file;
mod lock;
mod memory;

pub use file::{Access, FileStorage};
pub use memory::{CrashKind, Failure, Fault, MemoryStorage, Operation, OperationKind};

use std::{io, path::PathBuf};

use crate::sync::step;

/// A folder of files with the operations of a database directory.
pub trait Storage: Send + Sync + 'static {
    /// The names of the files directly in a folder (`""` is the root), sorted, without the
    /// folder's own name in front.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, [`io::ErrorKind::NotFound`] when it is not there.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// The names of the folders directly in a folder, sorted; as [`Storage::list`] else.
    ///
    /// # Errors
    ///
    /// As [`Storage::list`].
    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Makes a folder, unless it is there. Like a file's name, its name is safe after
    /// [`Storage::sync_folder`] of the folder it is in (`""` for `wal`, `indexes` for
    /// `indexes/users`).
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when the folder it would be in is not there; else what the
    /// system says.
    fn create_folder(&self, folder: &str) -> io::Result<()>;

    /// Makes an empty file for reading and writing, in place of any older one of that name, whose
    /// handles stay good. A crash may leave the older one, the new one or neither.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when its folder is not there; else what the system says.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when it is not there; else what the system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>>;

    /// Gives a file another name in the same folder, in one step, in place of any file that had
    /// it. Handles stay good.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] when the names are in two folders, since no single
    /// [`Storage::sync_folder`] would make that safe; [`io::ErrorKind::NotFound`] when there is no
    /// such file; else what the system says. Then neither name has changed.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file's name.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when it is not there; else what the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names in a folder safe (`""` is the root).
    ///
    /// # Errors
    ///
    /// When the device failed; which names are safe is then unknown.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// Where a name is, for messages to people.
    fn path(&self, name: &str) -> PathBuf;
}

/// An open file. Reads and writes name their place, so that a file may be shared.
#[allow(clippy::len_without_is_empty, reason = "nobody asks whether a file is empty")]
pub trait StorageFile: Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn len(&self) -> io::Result<u64>;

    /// Reads up to `buffer.len()` bytes from `offset` and returns how many; fewer only at the
    /// end of the file.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at `offset`, growing the file where they reach over its end.
    ///
    /// # Errors
    ///
    /// What the system says; some of the bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file `length` bytes of zeros whose place on the device is taken, so that
    /// writing into them needs no room and syncing them moves data alone.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::StorageFull`] when there is no room; else what the system says.
    fn allocate(&self, length: u64) -> io::Result<()>;

    /// Makes the bytes and the length safe.
    ///
    /// # Errors
    ///
    /// When the device failed. What is safe is then unknown, and trying again proves nothing.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a whole file.
///
/// # Errors
///
/// As [`Storage::open`] and [`StorageFile::read_at`].
pub fn read_all(storage: &dyn Storage, name: &str) -> io::Result<Vec<u8>> {
    let file = storage.open(name)?;
    let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Replaces a file as a whole: a temporary name, sync, rename, sync of the folder. After a crash
/// the name holds the old bytes or the new ones. `name` is the whole name, its folder included.
///
/// # Errors
///
/// What the system says. Then the old file may or may not have been replaced; no temporary file
/// is left behind, unless the system refuses to remove that too.
pub fn replace_file(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let temporary = format!("{name}.tmp");
    if let Err(error) =
        write_whole(storage, &temporary, bytes).and_then(|()| storage.rename(&temporary, name))
    {
        // The first error is the one to report; what stays is removed at the next open.
        let _ = storage.remove(&temporary);
        return Err(error);
    }
    // Sync the folder too: without it a crash may forget the new name, though not the file.
    step("replaced_name_unsynced", || storage.sync_folder(split_name(name).0))
}

/// The folder of a name and the name within it: `("wal", "1.ndjson")`, `("", "MANIFEST.json")`.
pub(crate) fn split_name(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

fn write_whole(storage: &dyn Storage, name: &str, bytes: &[u8]) -> io::Result<()> {
    let file = storage.create(name)?;
    file.write_at(0, bytes)?;
    step("replacement_unsynced", || file.sync())
}
