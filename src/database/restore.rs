//! From a backup to a database, at the backup's version or, with an archive of the log, at any later
//! one.
//!
//! Invariant: nothing is restored from a backup that is damaged, and the target is a database only
//! when everything is in it and safe.

use std::io;

use serde::Serialize;

use super::{
    CheckReport,
    backup::{Backup, check_empty, make_folders, seal},
};
use crate::{
    checkpoint::{self, Manifest},
    error::{Error, Result},
    storage::Storage,
    sync::mutant,
    version::Version,
    wal::{self, Log, Proof},
};

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The version of the backup.
    pub backup: u64,
    /// The version of the database now.
    pub version: u64,
    /// Records of the archive that lead from one to the other.
    pub records: u64,
}

/// Makes a database in an empty storage of a backup and, up to the version `to`, of the records of an
/// archive. Without `to`, everything in the archive is taken.
///
/// # Errors
///
/// [`Error::Damaged`] when backup or archive is; [`Error::OutOfReach`] when the version is not
/// among those that they lead to; [`Error::Io`] when the target is not
/// empty, or what the system says.
pub fn restore(
    backup: &dyn Storage,
    archive: Option<&dyn Storage>,
    to: Option<Version>,
    target: &dyn Storage,
) -> Result<Restored> {
    check_empty(target)?;
    let manifest = verify(backup)?;
    let begin = manifest.version;
    let (lines, last) = match archive {
        Some(archive) => records(archive, begin, to)?,
        None => (Vec::new(), begin),
    };
    if let Some(requested) = to.filter(|to| *to != last) {
        return Err(Error::OutOfReach { requested, first: begin, last });
    }
    let failed = |error| Error::io("write", target.path(wal::FOLDER), error);
    Backup::open(backup, &manifest)?.write_files(target, false, &mut |_| {})?;
    if last > begin {
        make_folders(target, []).map_err(failed)?;
        wal::rewrite(target, begin.next(), &lines).map_err(failed)?;
    }
    // Everything is safe, and so all of it is acknowledged.
    seal(target, &Manifest { synced: last, ..manifest })?;
    let records = last.get() - begin.get();
    Ok(Restored { backup: begin.get(), version: last.get(), records })
}

/// Checks a backup as a whole, and returns its manifest.
///
/// # Errors
///
/// [`Error::Damaged`] with the first damage; [`Error::Io`] when there is no backup, or when there is
/// a database that was written to.
pub fn verify(backup: &dyn Storage) -> Result<Manifest> {
    let report = CheckReport::of(backup)?;
    if let Some(damage) = report.damage.into_iter().next()
        && !mutant("damaged_backup_restored")
    {
        return Err(Error::Damaged(Box::new(damage)));
    }
    let manifest = checkpoint::load_manifest(backup)?.unwrap_or_default();
    if report.version > manifest.version {
        let source =
            io::Error::new(io::ErrorKind::InvalidInput, "its log goes on behind its files");
        return Err(Error::Io { action: "take for a backup", path: backup.path(""), source });
    }
    Ok(manifest)
}

/// The log of an archive behind a version.
fn read(archive: &dyn Storage, begin: Version) -> Result<Log> {
    Log::read(archive, Proof { checkpoint: begin, synced: Version::ZERO })
}

/// The lines of the records after one version up to another, and the version they lead to.
fn records(
    archive: &dyn Storage,
    begin: Version,
    to: Option<Version>,
) -> Result<(Vec<u8>, Version)> {
    if let Some(requested) = to.filter(|to| *to < begin) {
        let last = read(archive, begin)?.last;
        return Err(Error::OutOfReach { requested, first: begin, last });
    }
    let log = read(archive, begin)?;
    let (mut lines, mut last) = (Vec::new(), begin);
    for (_, line) in log.lines_after(begin) {
        if to == Some(last) && !mutant("restored_too_far") {
            break;
        }
        lines.extend_from_slice(line);
        lines.push(b'\n');
        last = last.next();
    }
    Ok((lines, last))
}
