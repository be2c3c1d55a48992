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
//! each other as well. A child process has the open files too until it begins its own program, so
//! the locks are given back by name when they end, not only by closing.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use crate::{
    error::{Error, Result},
    sync::{mutant, step},
};

/// The name of the file in the data directory.
pub(super) const LOCK_FILE: &str = "LOCK";

/// How often a LOCK file that is deleted under our hands is tried again. Somebody who does that
/// more often is not a person.
const TRIES_MAX: usize = 100;

/// The hold on a data directory; it ends with the value or with the process.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    directory: File,
    /// Absent for a reader of a directory that has no LOCK file.
    lock_file: Option<File>,
    hold: Hold,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Exclusive,
    Shared,
}

impl DirectoryLock {
    /// Takes the directory for one writer and writes the pid of this process into LOCK.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another holder lives, else [`Error::Io`].
    pub(super) fn exclusive(directory: &Path) -> Result<DirectoryLock> {
        let hold = Hold::Exclusive;
        let handle = lock_directory(directory, hold)?;
        let file = exclusive_lock_file(directory)?;
        write_pid(&file).map_err(|e| Error::io("write", directory.join(LOCK_FILE), e))?;
        Ok(DirectoryLock { directory: handle, lock_file: Some(file), hold })
    }

    /// Takes the directory for reading, together with other readers. Writes nothing, so it works
    /// on a read-only device.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when a writer lives, else [`Error::Io`].
    pub(super) fn shared(directory: &Path) -> Result<DirectoryLock> {
        let hold = Hold::Shared;
        let handle = lock_directory(directory, hold)?;
        let path = directory.join(LOCK_FILE);
        let lock_file = match File::open(&path) {
            Ok(file) => {
                take(&file, hold, directory, &path)?;
                Some(file)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io("open", path, e)),
        };
        Ok(DirectoryLock { directory: handle, lock_file, hold })
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // What fails here the system does itself when the files are closed.
        if let Some(file) = &self.lock_file {
            if self.hold == Hold::Exclusive {
                // A pid that nobody has any more would mislead; that it stays does no other harm.
                let _ = file.set_len(0);
            }
            let _ = fs2::FileExt::unlock(file);
        }
        // Last, since it is what keeps others out.
        let _ = fs2::FileExt::unlock(&self.directory);
    }
}

fn lock_directory(directory: &Path, hold: Hold) -> Result<File> {
    let handle = File::open(directory).map_err(|e| Error::io("open", directory.into(), e))?;
    step("directory_unlocked", || take(&handle, hold, directory, directory))?;
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
        step("lock_file_unlocked", || take(&file, Hold::Exclusive, directory, &path))?;
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
        Ok(_) if mutant("lock_name_unchecked") => Ok(true),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The race itself cannot be brought about on purpose; the question it turns on can.
    #[test]
    fn a_file_that_lost_its_name_is_known() -> io::Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join(LOCK_FILE);
        let file = File::create(&path)?;
        assert!(is_named(&file, &path)?);
        fs::remove_file(&path)?;
        assert!(!is_named(&file, &path)?, "deleted");
        File::create(&path)?;
        assert!(!is_named(&file, &path)?, "replaced");
        Ok(())
    }
}
