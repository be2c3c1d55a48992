//! The lock of a data directory: one writer, or any number of readers, across all processes.
//!
//! Two locks are held, because each alone has a hole.
//! - **The LOCK file** is what people and other tools look at; it names the holder's pid. But a
//!   lock belongs to the file and not to its name: when somebody deletes LOCK, the next process
//!   makes a new one and locks that. Comparing inodes keeps a process from *taking* a file that
//!   has lost its name, yet the holder of the old file cannot be seen any more.
//! - **The directory itself**, which Linux lets a process lock like a file. Its name is the path
//!   that was asked for, so a deleted LOCK changes nothing.
//!
//! Invariant: while a [`DirectoryLock`] for writing lives, no other lives for the same directory,
//! whatever happens to the LOCK file. The operating system gives both locks back when their
//! holder ends in whatever way. LOCK itself stays, empty, when its holder ends properly.
//!
//! These are `flock(2)` locks: they belong to the open file, so two holders in one process exclude
//! each other as well, and a child process does not inherit them (handles are closed on exec).

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use crate::error::{Error, Result};

/// The name of the file in the data directory.
pub(super) const LOCK_FILE: &str = "LOCK";

/// How often a LOCK file that is deleted under our hands is tried again. Somebody who does that
/// more often is not a person.
const TRIES_MAX: usize = 100;

/// The hold on a data directory; it ends with the value or with the process.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    /// Held for nothing but its lock.
    _directory: File,
    /// Absent for a reader of a directory that has no LOCK file.
    _lock_file: Option<LockFile>,
}

impl DirectoryLock {
    /// Takes the directory for one writer and writes the pid of this process into LOCK.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another holder lives, else [`Error::Io`].
    pub(super) fn exclusive(directory: &Path) -> Result<DirectoryLock> {
        let handle = lock_directory(directory, Hold::Exclusive)?;
        let file = exclusive_lock_file(directory)?;
        write_pid(&file).map_err(|e| Error::io("write", directory.join(LOCK_FILE), e))?;
        Ok(DirectoryLock { _directory: handle, _lock_file: Some(LockFile::Writer(file)) })
    }

    /// Takes the directory for reading, together with other readers. Writes nothing, so it works
    /// on a read-only device.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when a writer lives, else [`Error::Io`].
    pub(super) fn shared(directory: &Path) -> Result<DirectoryLock> {
        let handle = lock_directory(directory, Hold::Shared)?;
        let path = directory.join(LOCK_FILE);
        let lock_file = match File::open(&path) {
            Ok(file) => {
                take(&file, Hold::Shared, directory, &path)?;
                Some(LockFile::Reader(file))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io("open", path, e)),
        };
        Ok(DirectoryLock { _directory: handle, _lock_file: lock_file })
    }
}

/// The locked LOCK file. A writer's forgets the pid when it goes.
#[derive(Debug)]
enum LockFile {
    Writer(File),
    Reader(#[expect(dead_code, reason = "held for its lock")] File),
}

impl Drop for LockFile {
    fn drop(&mut self) {
        match self {
            // A pid that nobody has any more would mislead; that it stays does no other harm.
            LockFile::Writer(file) => drop(file.set_len(0)),
            LockFile::Reader(_) => {}
        }
    }
}

#[derive(Clone, Copy)]
enum Hold {
    Exclusive,
    Shared,
}

fn lock_directory(directory: &Path, hold: Hold) -> Result<File> {
    let handle = File::open(directory).map_err(|e| Error::io("open", directory.into(), e))?;
    take(&handle, hold, directory, directory)?;
    Ok(handle)
}

/// Locks the file that has the name LOCK, and that still has it once it is locked.
fn exclusive_lock_file(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    for _ in 0..TRIES_MAX {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| Error::io("open", path.clone(), e))?;
        take(&file, Hold::Exclusive, directory, &path)?;
        if is_named(&file, &path).map_err(|e| Error::io("look at", path.clone(), e))? {
            return Ok(file);
        }
    }
    Err(Error::Locked { path: directory.into(), pid: None })
}

/// Takes one lock or says at once who has it.
fn take(file: &File, hold: Hold, directory: &Path, path: &Path) -> Result<()> {
    // In full, since the standard library has methods of the same names.
    let taken = match hold {
        Hold::Exclusive => fs2::FileExt::try_lock_exclusive(file),
        Hold::Shared => fs2::FileExt::try_lock_shared(file),
    };
    taken.map_err(|e| {
        if e.raw_os_error() == fs2::lock_contended_error().raw_os_error() {
            Error::Locked { path: directory.into(), pid: read_pid(directory) }
        } else {
            Error::io("lock", path.into(), e)
        }
    })
}

/// Whether the path still leads to this very file.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

fn write_pid(file: &File) -> io::Result<()> {
    // A longer pid may stand there from a process that was killed.
    file.set_len(0)?;
    file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)
}

fn read_pid(directory: &Path) -> Option<u32> {
    fs::read_to_string(directory.join(LOCK_FILE)).ok()?.trim().parse().ok()
}
