//! A directory that a command makes a database in.
//!
//! Invariant: when the command is refused, nothing is there that was not there before.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Failure;
use crate::{
    error::{Error, Result},
    storage::{Access, FileStorage},
};

/// A directory to be filled, locked.
pub(super) struct NewDirectory {
    path: PathBuf,
    storage: FileStorage,
    /// Directories that were made for it, from the lowest up.
    made: Vec<PathBuf>,
    /// Whether it had a lock file.
    had_lock: bool,
}

impl NewDirectory {
    /// Makes it where it is not there.
    pub(super) fn make(path: &Path) -> Result<NewDirectory, Failure> {
        let missing = path.ancestors().take_while(|above| !is_there(above));
        let made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        let had_lock = path.join("LOCK").exists();
        let opened = FileStorage::open(path, Access::Write);
        let storage = opened.inspect_err(|_| remove(&made))?;
        Ok(NewDirectory { path: path.to_owned(), storage, made, had_lock })
    }

    /// As [`NewDirectory::make`], but not inside of another directory, which nothing may change.
    pub(super) fn make_outside(path: &Path, other: &Path) -> Result<NewDirectory, Failure> {
        let existing = path.ancestors().find(|above| is_there(above));
        // The path that leads nowhere yet is the working directory's.
        let existing = existing.filter(|above| !above.as_os_str().is_empty());
        let existing = fs::canonicalize(existing.unwrap_or(Path::new(".")));
        let other = fs::canonicalize(other);
        if let (Ok(existing), Ok(other)) = (existing, other)
            && existing.starts_with(&other)
        {
            let reason = "it is inside of the damaged one, which stays as it is";
            let source = io::Error::new(io::ErrorKind::InvalidInput, reason);
            return Err(Error::Io { action: "write into", path: path.into(), source }.into());
        }
        NewDirectory::make(path)
    }

    /// Where the files go.
    pub(super) fn storage(&self) -> &FileStorage {
        &self.storage
    }

    /// Ends, and takes the directory away again when what was to be in it is not.
    pub(super) fn end<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        let NewDirectory { path, storage, made, had_lock } = self;
        if result.is_err() && !had_lock {
            // While it is held, so that nobody else's goes. That it stays does no harm.
            let _ = fs::remove_file(path.join("LOCK"));
        }
        drop(storage);
        if result.is_err() {
            remove(&made);
        }
        result
    }
}

fn is_there(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.exists()
}

/// Removes directories as far as they are empty.
fn remove(made: &[PathBuf]) {
    for path in made {
        if fs::remove_dir(path).is_err() {
            return;
        }
    }
}
