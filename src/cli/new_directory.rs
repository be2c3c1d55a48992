//! A directory that a command makes a database in.
//!
//! Invariant: when the command is refused or fails, nothing is there that was not there before. Where an
//! earlier backup was, that one is still good, and what was written beside it goes with the next one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::Failure;
use crate::{
    checkpoint::{FOLDER, INDEX_FOLDER, MANIFEST},
    error::{Error, Result},
    storage::{Access, FileStorage},
    wal,
};

/// A directory to be filled, locked.
pub(super) struct NewDirectory {
    path: PathBuf,
    storage: FileStorage,
    /// Directories that were made for it, from the lowest up.
    made: Vec<PathBuf>,
    /// Whether it had a lock file.
    had_lock: bool,
    /// Whether nothing but that was in it.
    was_empty: bool,
}

impl NewDirectory {
    /// Makes it where it is not there.
    pub(super) fn make(path: &Path) -> Result<NewDirectory, Failure> {
        let missing = path.ancestors().take_while(|above| !is_there(above));
        let made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        let had_lock = path.join("LOCK").exists();
        let was_empty = fs::read_dir(path).map_or(!is_there(path), |mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == "LOCK"))
        });
        let opened = FileStorage::open(path, Access::Write);
        let storage = opened.inspect_err(|_| remove(&made))?;
        Ok(NewDirectory { path: path.to_owned(), storage, made, had_lock, was_empty })
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
        let NewDirectory { path, storage, made, had_lock, was_empty } = self;
        if result.is_err() && was_empty {
            remove_database(&path);
        }
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

/// Removes what a command that failed wrote into a directory that was empty. That something stays does
/// no harm but to the next command, which says so.
fn remove_database(path: &Path) {
    for folder in [wal::FOLDER, FOLDER, INDEX_FOLDER] {
        let _ = fs::remove_dir_all(path.join(folder));
    }
    for file in [MANIFEST.to_owned(), format!("{MANIFEST}.tmp")] {
        let _ = fs::remove_file(path.join(file));
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::storage::Storage;

    fn write(directory: &NewDirectory) {
        directory.storage().create_folder(FOLDER).unwrap();
        directory.storage().create(&format!("{FOLDER}/c-1.ndjson")).unwrap();
        directory.storage().create(&format!("{MANIFEST}.tmp")).unwrap();
    }

    fn names(path: &Path) -> Vec<String> {
        let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_failure_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        let directory = NewDirectory::make(&new).unwrap();
        write(&directory);
        assert_eq!(directory.end(Err::<(), _>("failed")), Err("failed"));
        assert_eq!(names(folder.path()), [""; 0]);

        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let directory = NewDirectory::make(&empty).unwrap();
        write(&directory);
        assert_eq!(directory.end(Err::<(), _>("failed")), Err("failed"));
        assert_eq!(names(&empty), [""; 0]);

        fs::write(empty.join("mine"), "mine").unwrap();
        let directory = NewDirectory::make(&empty).unwrap();
        write(&directory);
        assert_eq!(directory.end(Err::<(), _>("failed")), Err("failed"));
        assert!(names(&empty).contains(&"mine".to_owned()) && names(&empty).len() > 1);

        let directory = NewDirectory::make(&new).unwrap();
        write(&directory);
        assert_eq!(directory.end(Ok::<_, ()>(1)), Ok(1));
        assert!(names(&new).contains(&FOLDER.to_owned()));
    }
}
