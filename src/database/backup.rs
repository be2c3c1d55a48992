//! A backup: the files of a checkpoint, and nothing else.
//!
//! A checkpoint's files never get other contents, so a backup is made by holding on to them: they are
//! opened under the lock that checkpoints are written under, and read while everybody goes on. That
//! later checkpoints remove their names does no harm to who has them open.
//!
//! What comes out is a database directory with an empty log. It is checked with what checks any
//! other, and opened as it is, or through [`super::restore`]. A directory that holds an earlier
//! backup of the same database gets the files that it lacks, since a file's name says what is in it:
//! with collections that mostly stay the same, those are few and small.
//!
//! Invariant: the manifest comes last, so that what was interrupted is no backup, or the one before.

use std::io;

use serde::Serialize;

use super::Database;
use crate::{
    checkpoint::{self, FOLDER, INDEX_FOLDER, Manifest},
    error::{Error, Result},
    storage::{Storage, StorageFile, read_all, split_name},
    sync::mutant,
    version::Version,
    wal,
};

/// Bytes that are copied at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A state of a database, ready to be written somewhere. While it lives, its files stay.
pub struct Backup {
    manifest: Manifest,
    files: Vec<OpenFile>,
}

/// A file of the checkpoint.
struct OpenFile {
    name: String,
    /// The commit after which it was written.
    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "archives alone leave files out")
    )]
    version: u64,
    bytes: u64,
    /// What the manifest says of it. An index's file bears its checksum itself.
    crc: Option<String>,
    file: Box<dyn StorageFile>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The version that the backup holds.
    pub version: u64,
    /// Its files, the manifest not counted.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files of an earlier backup that were there and stay.
    pub files_kept: u64,
    /// Their bytes.
    pub bytes_kept: u64,
}

impl Database {
    /// The latest committed state as files to be written somewhere else, or a later one. Reads and
    /// writes go on meanwhile.
    ///
    /// ```
    /// use monsterdb::{
    ///     Database, Json,
    ///     database::restore,
    ///     storage::{Access, FileStorage},
    /// };
    /// # let folder = tempfile::tempdir()?;
    /// # let [data, backup, restored] = ["a", "b", "c"].map(|name| folder.path().join(name));
    /// let db = Database::open(&data)?;
    /// db.collection::<Json>("notes")?.put("n1", &Json::parse(r#"{"text":"hello"}"#)?)?;
    /// db.backup()?.write_into(&FileStorage::open(&backup, Access::Write)?, |_bytes| {})?;
    ///
    /// let backup = FileStorage::open(&backup, Access::Read)?;
    /// restore(&backup, None, None, &FileStorage::open(&restored, Access::Write)?)?;
    /// assert_eq!(Database::open(&restored)?.snapshot(), db.snapshot());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Database::checkpoint`].
    ///
    /// # Complexity
    ///
    /// That of a checkpoint.
    pub fn backup(&self) -> Result<Backup> {
        self.shared.engine.backup()
    }
}

impl Backup {
    /// The files of a checkpoint that nobody removes meanwhile.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn open(storage: &dyn Storage, manifest: &Manifest) -> Result<Backup> {
        let failed = |name: &str, error| Error::io("read", storage.path(name), error);
        let mut files = Vec::new();
        for entry in manifest.files() {
            let file = storage.open(&entry.file).map_err(|error| failed(&entry.file, error))?;
            let (name, crc) = (entry.file.clone(), Some(entry.crc.clone()));
            files.push(OpenFile { name, version: entry.version, bytes: entry.bytes, crc, file });
        }
        for (name, version) in manifest.index_files() {
            match storage.open(&name).and_then(|file| Ok((file.len()?, file))) {
                Ok((bytes, file)) => files.push(OpenFile { name, version, bytes, crc: None, file }),
                // The index is built anew when the backup is opened, as here.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&name, error)),
            }
        }
        Ok(Backup { manifest: manifest.clone(), files })
    }

    /// The version that it holds.
    pub fn version(&self) -> Version {
        self.manifest.version
    }

    /// The bytes of its files, the manifest not counted.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Writes it into a storage that is empty or holds an earlier backup of the same database,
    /// which stays good until this one is whole. `progress` is told how many bytes are there.
    ///
    /// # Errors
    ///
    /// What the system says; [`Error::Damaged`] when a file is not what its checksum says;
    /// [`Error::Io`] when there is something else than an earlier backup of this database.
    pub fn write_into(
        &self,
        target: &dyn Storage,
        mut progress: impl FnMut(u64),
    ) -> Result<Written> {
        let earlier = self.check_target(target)?;
        let written = self.write_files(target, earlier, &mut progress)?;
        seal(target, &self.manifest)?;
        let removed = checkpoint::remove_unnamed(target, &self.manifest);
        removed.map_err(|error| Error::io("remove old files in", target.path(""), error))?;
        Ok(written)
    }

    /// Writes all but the manifest. Files that are there already stay where `earlier` says that they
    /// may be there.
    pub(super) fn write_files(
        &self,
        target: &dyn Storage,
        earlier: bool,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Written> {
        let failed = |error| Error::io("make folders in", target.path(""), error);
        make_folders(target, self.files.iter().map(|file| &*file.name)).map_err(failed)?;
        let mut written = Written {
            version: self.version().get(),
            files: self.files.len() as u64,
            bytes: self.bytes(),
            files_kept: 0,
            bytes_kept: 0,
        };
        let mut done = 0;
        for file in &self.files {
            if earlier && file.is_in(target)? {
                written.files_kept += 1;
                written.bytes_kept += file.bytes;
            } else {
                file.copy(target, |bytes| progress(done + bytes))?;
            }
            done += file.bytes;
            progress(done);
        }
        Ok(written)
    }

    /// True when a storage holds an earlier backup.
    fn check_target(&self, target: &dyn Storage) -> Result<bool> {
        let earlier = checkpoint::load_manifest(target)?;
        check_earlier(target, earlier.as_ref())?;
        match earlier {
            Some(earlier) if earlier.version > self.version() => {
                Err(refused(target, "it holds a later version than this one"))
            }
            earlier => Ok(earlier.is_some()),
        }
    }

    /// Writes it as a tar archive (POSIX.1-1988, ustar), the manifest last. Files that a backup of
    /// the version `since` has are left out; [`Version::ZERO`] leaves out none.
    ///
    /// # Errors
    ///
    /// What the system and `out` say; that a file is not what its checksum says.
    #[cfg(feature = "server")]
    pub fn write_tar(&self, since: Version, out: &mut dyn io::Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(out);
        for file in self.files.iter().filter(|file| file.version > since.get()) {
            let mut reader = Reader { file: &*file.file, offset: 0, hasher: Default::default() };
            archive.append_data(&mut header(file.bytes), &file.name, &mut reader)?;
            if let Err(reason) = file.check(&reader.hasher) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
            }
        }
        let manifest = self.manifest.encode();
        archive.append_data(
            &mut header(manifest.len() as u64),
            checkpoint::MANIFEST,
            &*manifest,
        )?;
        archive.finish()
    }
}

/// An earlier backup, or nothing.
pub(super) fn check_earlier(target: &dyn Storage, earlier: Option<&Manifest>) -> Result<()> {
    match earlier {
        None => check_empty(target),
        Some(_) if wal::list_segments(target).is_ok_and(|segments| segments.is_empty()) => Ok(()),
        Some(_) => Err(refused(target, "it holds a database that was written to")),
    }
}

/// Nothing but what a program leaves that was interrupted, and the lock.
pub(super) fn check_empty(target: &dyn Storage) -> Result<()> {
    let mut folders = vec![String::new(), wal::FOLDER.to_owned(), FOLDER.to_owned()];
    let failed = |error| Error::io("list", target.path(""), error);
    folders.extend(checkpoint::index_folders(target).map_err(failed)?);
    for folder in folders {
        let names = match target.list(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listed => listed.map_err(failed)?,
        };
        if names.iter().any(|name| !name.ends_with(".tmp") && name != "LOCK") {
            return Err(refused(target, "it is not empty"));
        }
    }
    Ok(())
}

pub(super) fn refused(target: &dyn Storage, reason: &str) -> Error {
    let source = io::Error::new(io::ErrorKind::AlreadyExists, reason.to_owned());
    Error::Io { action: "write into", path: target.path(""), source }
}

/// The folders of a database, and those that files of these names are in.
pub(super) fn make_folders<'a>(
    target: &dyn Storage,
    names: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    for folder in [wal::FOLDER, FOLDER, INDEX_FOLDER] {
        target.create_folder(folder)?;
    }
    for name in names {
        let (folder, _) = split_name(name);
        if !folder.is_empty() {
            target.create_folder(folder)?;
        }
    }
    Ok(())
}

/// Makes everything safe that was written, and then what names it.
pub(super) fn seal(target: &dyn Storage, manifest: &Manifest) -> Result<()> {
    let folders = || {
        for folder in [wal::FOLDER, FOLDER, INDEX_FOLDER] {
            target.sync_folder(folder)?;
        }
        checkpoint::index_folders(target)?.iter().try_for_each(|folder| target.sync_folder(folder))
    };
    folders().map_err(|error| Error::io("sync", target.path(""), error))?;
    checkpoint::write_manifest(target, manifest).map_err(checkpoint::Failure::into_error)
}

impl OpenFile {
    /// True when a storage has this very file.
    fn is_in(&self, target: &dyn Storage) -> Result<bool> {
        let failed = |error| Error::io("read", target.path(&self.name), error);
        let kept = match target.open(&self.name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(failed)?,
        };
        let Some(crc) = &self.crc else { return Ok(kept.len().map_err(failed)? == self.bytes) };
        let found =
            format!("{:08x}", crc32fast::hash(&read_all(target, &self.name).map_err(failed)?));
        match found == *crc || mutant("backup_of_another") {
            true => Ok(true),
            false => Err(refused(target, "it holds a backup of another database")),
        }
    }

    /// Copies it under a temporary name, and gives it its name when it is what it should be.
    fn copy(&self, target: &dyn Storage, mut progress: impl FnMut(u64)) -> Result<()> {
        let failed = |error| Error::io("write", target.path(&self.name), error);
        let temporary = format!("{}.tmp", self.name);
        let copy = target.create(&temporary).map_err(failed)?;
        let mut hasher = crc32fast::Hasher::new();
        let (mut offset, mut piece) = (0, vec![0; PIECE_BYTES]);
        loop {
            let read = self.file.read_at(offset, &mut piece);
            let read = read.map_err(|error| Error::io("read", self.name.clone().into(), error))?;
            let bytes = piece.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            hasher.update(bytes);
            copy.write_at(offset, bytes).map_err(failed)?;
            offset += read as u64;
            progress(offset);
        }
        self.check(&hasher).map_err(|reason| Error::damaged(&self.name, 0, None, reason))?;
        copy.sync().and_then(|()| target.rename(&temporary, &self.name)).map_err(failed)
    }

    /// What was read must be what the manifest names.
    fn check(&self, hasher: &crc32fast::Hasher) -> std::result::Result<(), String> {
        let found = format!("{:08x}", hasher.clone().finalize());
        match &self.crc {
            Some(crc) if found != *crc && !mutant("backup_unchecked") => {
                Err(format!("its checksum is {found}, and the manifest states {crc}"))
            }
            _ => Ok(()),
        }
    }
}

/// A file as a stream.
#[cfg(feature = "server")]
struct Reader<'a> {
    file: &'a dyn StorageFile,
    offset: u64,
    hasher: crc32fast::Hasher,
}

#[cfg(feature = "server")]
impl io::Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(self.offset, buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(feature = "server")]
fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes);
    header.set_mode(0o644);
    header
}
