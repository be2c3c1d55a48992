//! A directory of the operating system as a [`Storage`].
//!
//! Invariant: while a [`FileStorage`] for writing lives, this process is the only one that changes
//! the directory (see the module `lock`), and nothing outside the directory is touched.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Component, Path, PathBuf},
};

use super::{Storage, StorageFile, lock::DirectoryLock, split_name};
use crate::{
    error::{Error, Result},
    sync::step,
};

/// Bytes of zeros that are written at once. Larger pieces are no faster.
const ZEROS_BYTES: usize = 256 * 1024;

/// Bytes of zeros that one sync makes safe. Commits go on while a segment is made: their own syncs
/// come between these, and would have to wait for one of the whole segment.
const ZEROS_SYNC_BYTES: u64 = 1024 * 1024;

/// A data directory, locked unless it is only watched.
#[derive(Debug)]
pub struct FileStorage {
    root: PathBuf,
    access: Access,
    /// Absent for one who only watches.
    _lock: Option<DirectoryLock>,
}

/// What a directory is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For a database: alone, and the directory is made when it is not there.
    Write,
    /// For tools that look at a database which nobody has open: together with other readers.
    /// Nothing is written, not even a LOCK file, so it works on a read-only device. Every
    /// operation that changes something is refused with [`io::ErrorKind::PermissionDenied`].
    Read,
    /// For tools that look on while a database may have the directory open: no lock is taken, so
    /// files may change, come and go between two looks. Changes are refused as for a reader.
    Watch,
}

impl FileStorage {
    /// Opens a directory and locks it until the value is dropped, unless it is only watched.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] with the holder's pid when another process, or another value in this
    /// one, has it open; [`Error::Io`] when it is no directory, cannot be made, or cannot be
    /// written to although that was asked for; [`Error::StorageFull`] when there is no room.
    ///
    /// # Examples
    ///
    /// ```
    /// use monsterdb::storage::{Access, FileStorage};
    ///
    /// # let parent = tempfile::tempdir()?;
    /// # let path = parent.path().join("data");
    /// let storage = FileStorage::open(&path, Access::Write)?;
    /// assert!(FileStorage::open(&path, Access::Read).is_err(), "a writer is alone");
    /// drop(storage);
    /// assert!(FileStorage::open(&path, Access::Read).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<FileStorage> {
        let root = path.as_ref().to_path_buf();
        let lock = match access {
            Access::Write => {
                make_directory(&root, &mut sync_directory)?;
                let lock = DirectoryLock::exclusive(&root)?;
                check_writable(&root)?;
                Some(lock)
            }
            Access::Read => {
                check_directory(&root)?;
                Some(DirectoryLock::shared(&root)?)
            }
            Access::Watch => {
                check_directory(&root)?;
                None
            }
        };
        Ok(FileStorage { root, access, _lock: lock })
    }

    /// The path below the root, for a name that cannot lead out of it.
    fn resolve(&self, name: &str) -> io::Result<PathBuf> {
        let inside = Path::new(name).components().all(|c| matches!(c, Component::Normal(_)));
        if inside { Ok(self.root.join(name)) } else { Err(invalid("the name leads elsewhere")) }
    }

    /// The names in a folder that are of one type, sorted. Names that are not UTF-8 are none of
    /// ours.
    fn names(&self, folder: &str, fits: fn(&fs::FileType) -> bool) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.resolve(folder)?)? {
            let entry = entry?;
            if let (true, Ok(name)) = (fits(&entry.file_type()?), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The path of something that is about to change.
    fn resolve_for_change(&self, name: &str) -> io::Result<PathBuf> {
        match self.access {
            Access::Write => self.resolve(name),
            Access::Read | Access::Watch => {
                Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading only"))
            }
        }
    }
}

impl Storage for FileStorage {
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.names(folder, fs::FileType::is_file)
    }

    fn list_folders(&self, folder: &str) -> io::Result<Vec<String>> {
        self.names(folder, fs::FileType::is_dir)
    }

    fn create_folder(&self, folder: &str) -> io::Result<()> {
        let path = self.resolve_for_change(folder)?;
        match fs::create_dir(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result,
        }
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let path = self.resolve_for_change(name)?;
        // Truncating an older file would change it under those who have it open.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Box::new(DiskFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(DiskFile(File::open(self.resolve(name)?)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        if split_name(from).0 != split_name(to).0 {
            return Err(invalid("the names are in two folders"));
        }
        fs::rename(self.resolve_for_change(from)?, self.resolve_for_change(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.resolve_for_change(name)?)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync_directory(&self.resolve_for_change(folder)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// A file of a [`FileStorage`].
struct DiskFile(File);

impl StorageFile for DiskFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        if self.len()? > length {
            self.0.set_len(length)?;
        }
        // Taking the room in one piece keeps it together. Where that fails the zeros below take
        // it, or say why not: fs2 reports `posix_fallocate`, which returns its error, by the
        // error number of some earlier call.
        let _ = fs2::FileExt::allocate(&self.0, length);
        // Room that was never written is marked so, and the first write into it would change the
        // mark: a sync of the journal, not of data alone.
        write_zeros(&self.0, length)
    }

    fn sync(&self) -> io::Result<()> {
        // Of the metadata fdatasync leaves out only what reading does not need; a changed length
        // is written.
        step("file_unsynced", || self.0.sync_data())
    }
}

fn write_zeros(file: &File, length: u64) -> io::Result<()> {
    let zeros = vec![0; ZEROS_BYTES];
    let mut offset = 0;
    while offset < length {
        let piece = usize::try_from(length - offset).map_or(ZEROS_BYTES, |n| n.min(ZEROS_BYTES));
        file.write_all_at(zeros.get(..piece).unwrap_or(&zeros), offset)?;
        offset += piece as u64;
        if offset.is_multiple_of(ZEROS_SYNC_BYTES) {
            file.sync_data()?;
        }
    }
    Ok(())
}

/// Makes the directory and those above it where they are missing, and makes their names safe: a
/// commit is not durable in a directory that a power cut forgets.
fn make_directory(root: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> Result<()> {
    if root.exists() {
        return check_directory(root);
    }
    let missing: Vec<&Path> = root.ancestors().take_while(|path| !path.exists()).collect();
    fs::create_dir_all(root).map_err(|e| Error::io("make the directory", root.into(), e))?;
    for made in missing.into_iter().filter(|path| !path.as_os_str().is_empty()) {
        let above = match made.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        step("directory_name_unsynced", || sync(above))
            .map_err(|e| Error::io("sync", above.into(), e))?;
    }
    Ok(())
}

fn check_directory(root: &Path) -> Result<()> {
    let kind = fs::metadata(root).map_err(|e| Error::io("open", root.into(), e))?;
    if kind.is_dir() {
        return Ok(());
    }
    Err(Error::io("open", root.into(), io::ErrorKind::NotADirectory.into()))
}

/// Makes a file and removes it: permissions and read-only devices are told now, not at the first
/// commit.
fn check_writable(root: &Path) -> Result<()> {
    let path = root.join("writable.tmp");
    File::create(&path)
        .and_then(|_| fs::remove_file(&path))
        .map_err(|e| Error::io("write to the directory", root.into(), e))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    step("folder_unsynced", || File::open(path)?.sync_all())
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_new_directories_are_made_safe_from_the_lowest_up() -> Result<()> {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let root = parent.path().join("a/b/data");
        let mut synced = Vec::new();
        let mut note = |path: &Path| {
            synced.push(path.to_owned());
            Ok(())
        };
        make_directory(&root, &mut note)?;
        make_directory(&root, &mut note)?;
        let expected = ["a/b", "a", ""].map(|path| parent.path().join(path));
        assert_eq!(synced, expected);
        Ok(())
    }
}
