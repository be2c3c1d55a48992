//! From an archive to a backup in a directory.
//!
//! A directory that holds an earlier backup of the same database goes on from it: the archive may
//! leave out the files that are there (see [`Backup::write_tar`](super::Backup::write_tar)), and what
//! is there is good until all of the new one is. That what stays is what the new manifest means is
//! looked at, byte for byte: nobody has to be believed who left something out.

use std::{collections::BTreeSet, io};

use super::backup::{check_earlier, make_folders, refused, seal};
use crate::{
    checkpoint::{self, FileEntry, MANIFEST, Manifest},
    error::{Error, Result},
    storage::{Storage, read_all},
    sync::mutant,
    version::Version,
};

/// Bytes that are taken from the archive at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Unpacks what [`Backup::write_tar`](super::Backup::write_tar) wrote into a storage that is empty or
/// holds an earlier backup of the same database, and returns the version that is there now.
///
/// # Errors
///
/// What the system says; [`Error::Damaged`] when it is no whole archive, or when a file is neither in
/// it nor in the storage; [`Error::Io`] when there is something else than an earlier backup of this
/// database.
pub fn unpack_tar(input: &mut dyn io::Read, target: &dyn Storage) -> Result<Version> {
    let earlier = checkpoint::load_manifest(target)?;
    check_earlier(target, earlier.as_ref())?;
    let earlier = earlier.unwrap_or_default();
    let (mut manifest, mut unpacked) = (None, BTreeSet::new());
    let mut archive = tar::Archive::new(input);
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let name = entry.path().map_err(wrong)?.to_str().map(str::to_owned);
        let name = name.ok_or_else(|| damaged("a name is not UTF-8".to_owned()))?;
        if name == MANIFEST {
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut entry, &mut bytes).map_err(wrong)?;
            manifest = Some(Manifest::decode(&bytes)?);
            continue;
        }
        unpack_file(&mut entry, &name, target, &earlier)?;
        unpacked.insert(name);
    }
    let manifest = manifest.ok_or_else(|| damaged("it ends before its manifest".to_owned()))?;
    if manifest.version < earlier.version {
        return Err(refused(target, "it holds a later version than this one"));
    }
    for entry in manifest.files().filter(|entry| !unpacked.contains(&entry.file)) {
        if !is_there(target, entry)? && !mutant("backup_lacks_files") {
            return Err(damaged(format!("{} is neither in it nor there already", entry.file)));
        }
    }
    seal(target, &manifest)?;
    let removed = checkpoint::remove_unnamed(target, &manifest);
    removed.map_err(|error| Error::io("remove old files in", target.path(""), error))?;
    Ok(manifest.version)
}

/// Writes a file of the archive under a temporary name, and gives it its name when it is whole. What
/// the earlier backup has under that name it only ever replaces by the same.
fn unpack_file(
    input: &mut dyn io::Read,
    name: &str,
    target: &dyn Storage,
    earlier: &Manifest,
) -> Result<()> {
    let failed = |error| Error::io("write", target.path(name), error);
    make_folders(target, [name]).map_err(failed)?;
    let temporary = format!("{name}.tmp");
    let file = target.create(&temporary).map_err(failed)?;
    let mut hasher = crc32fast::Hasher::new();
    let (mut offset, mut piece) = (0, vec![0; PIECE_BYTES]);
    loop {
        let read = input.read(&mut piece).map_err(wrong)?;
        let bytes = piece.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        hasher.update(bytes);
        file.write_at(offset, bytes).map_err(failed)?;
        offset += read as u64;
    }
    let crc = format!("{:08x}", hasher.finalize());
    if earlier.files().any(|entry| entry.file == name && entry.crc != crc) {
        target.remove(&temporary).map_err(failed)?;
        return Err(refused(target, "it holds a backup of another database"));
    }
    file.sync().and_then(|()| target.rename(&temporary, name)).map_err(failed)
}

/// True when a storage has the file that a manifest means.
fn is_there(target: &dyn Storage, entry: &FileEntry) -> Result<bool> {
    match read_all(target, &entry.file) {
        Ok(bytes) => Ok(format!("{:08x}", crc32fast::hash(&bytes)) == entry.crc),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("read", target.path(&entry.file), error)),
    }
}

fn damaged(reason: String) -> Error {
    Error::damaged("the archive", 0, None, reason)
}

fn wrong(error: io::Error) -> Error {
    damaged(error.to_string())
}
