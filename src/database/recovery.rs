//! Opening: the checkpoint, the log after it, and making safe what is in doubt.
//!
//! Records above what is provably acknowledged may be in the page cache only: a failed sync or a
//! killed process leaves them so, and a later loss of power would take back what a reader saw. So
//! they are written again and synced before anything is served. The manifest is written again too,
//! and then says that the log is safe up to them.

use std::{io, time::Duration};

use crate::{
    checkpoint::{self, Checkpoint, Failure, Loaded, MANIFEST, Manifest},
    error::{Error, Result},
    snapshot::{Snapshot, WriteSet},
    storage::Storage,
    sync::{Clock, mutant, step},
    version::Version,
    wal::{self, Cut, Log, Proof},
};

/// What opening a database found.
#[derive(Debug, Clone, Default)]
pub struct RecoveryReport {
    /// The version of the checkpoint it began from.
    pub checkpoint: Version,
    /// Records of the log that were applied after it.
    pub replayed: u64,
    /// Records whose safety was in doubt and that were written again.
    pub in_doubt: u64,
    /// The torn tail that was cut, if there was one.
    pub cut: Option<Cut>,
    /// The indexes that were built anew, each with the reason why its file was of no use.
    pub rebuilt: Vec<String>,
    /// How long it took.
    pub time: Duration,
}

/// A database as it was found.
pub(super) struct Recovered {
    pub(super) snapshot: Snapshot,
    pub(super) checkpoint: Checkpoint,
    pub(super) report: RecoveryReport,
}

/// Brings the files into a state to go on from, and loads them.
pub(super) fn recover(storage: &dyn Storage) -> Result<Recovered> {
    make_folders(storage)?;
    remove_temporary_files(storage)?;
    let manifest = match checkpoint::load_manifest(storage)? {
        Some(manifest) => manifest,
        None => new_database(storage)?,
    };
    let (mut recovered, log) = load(storage, manifest)?;
    let doubted = log.in_doubt();
    if !doubted.is_empty() && !mutant("doubt_not_rewritten") {
        wal::rewrite(storage, log.acknowledged.next(), &doubted)
            .map_err(|error| Error::io("make records safe in", storage.path(wal::FOLDER), error))?;
    }
    // Write it even where it says the same: after a sync that failed the page cache may show a
    // manifest that the disk does not hold, and the files of the one before must not go yet.
    if !mutant("recovery_states_nothing") {
        recovered.checkpoint.manifest.synced = log.last;
    }
    step("manifest_not_rewritten", || write_manifest(storage, &recovered.checkpoint.manifest))?;
    step("old_files_kept_at_open", || {
        checkpoint::remove_unnamed(storage, &recovered.checkpoint.manifest)
    })
    .map_err(|error| Error::io("remove old files in", storage.path(checkpoint::FOLDER), error))?;
    report(&recovered.report);
    Ok(recovered)
}

/// Loads a database without changing anything.
pub(super) fn inspect(storage: &dyn Storage) -> Result<Recovered> {
    let Some(manifest) = checkpoint::load_manifest(storage)? else {
        new_database(storage)?;
        let source = io::ErrorKind::NotFound.into();
        return Err(Error::Io { action: "find a database in", path: storage.path(""), source });
    };
    Ok(load(storage, manifest)?.0)
}

fn load(storage: &dyn Storage, manifest: Manifest) -> Result<(Recovered, Log)> {
    let begun = Clock::instant();
    let Loaded { mut snapshot, rebuilt } = checkpoint::load(storage, &manifest)?;
    let documents = snapshot.without_indexes();
    let proof = Proof { checkpoint: manifest.version, synced: manifest.synced };
    let log = Log::read(storage, proof)?;
    let mut replayed = 0;
    let from = match mutant("last_record_not_replayed") {
        true => manifest.version.next(),
        false => manifest.version,
    };
    for (place, record) in log.records_after(from) {
        snapshot = WriteSet::decode(record.ops)
            .and_then(|writes| {
                snapshot.into_next(&writes, record.seq).map_err(|unfit| unfit.to_string())
            })
            .map_err(|reason| Error::damaged(place.file, place.offset, Some(record.seq), reason))?;
        replayed += 1;
    }
    assert!(snapshot.version() == log.last, "replay ends where the log does");
    let report = RecoveryReport {
        checkpoint: manifest.version,
        replayed,
        in_doubt: log.last.get() - log.acknowledged.get(),
        cut: log.cut.clone(),
        rebuilt,
        time: Clock::instant() - begun,
    };
    let checkpoint = Checkpoint { manifest, documents };
    Ok((Recovered { snapshot, checkpoint, report }, log))
}

/// The manifest of an empty database. Where there are files already, it is not new but has lost
/// its manifest. Temporary ones do not count: a first start may have been interrupted.
pub(super) fn new_database(storage: &dyn Storage) -> Result<Manifest> {
    let mut folders = checkpoint::index_folders(storage)
        .map_err(|error| Error::io("list", storage.path(checkpoint::INDEX_FOLDER), error))?;
    folders.extend([wal::FOLDER, checkpoint::FOLDER].map(str::to_owned));
    for folder in &folders {
        let names = match storage.list(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listed => listed.map_err(|error| Error::io("list", storage.path(folder), error))?,
        };
        if let Some(name) = names.iter().find(|name| !name.ends_with(".tmp"))
            && !mutant("lost_manifest_unnoticed")
        {
            let reason = format!("the file is missing, but {folder}/{name} is there");
            return Err(Error::damaged(MANIFEST, 0, None, reason));
        }
    }
    Ok(Manifest::default())
}

/// Their names become safe with the manifest's, before anything is served.
fn make_folders(storage: &dyn Storage) -> Result<()> {
    let made = [wal::FOLDER, checkpoint::FOLDER, checkpoint::INDEX_FOLDER]
        .into_iter()
        .try_for_each(|folder| storage.create_folder(folder));
    made.map_err(|error| Error::io("make folders in", storage.path(""), error))
}

/// Removes what an interrupted run left half written.
fn remove_temporary_files(storage: &dyn Storage) -> Result<()> {
    let remove = || {
        if mutant("temporary_files_kept") {
            return Ok(());
        }
        let mut folders = checkpoint::index_folders(storage)?;
        folders.extend(["", wal::FOLDER, checkpoint::FOLDER].map(str::to_owned));
        for folder in folders {
            for name in storage.list(&folder)?.iter().filter(|name| name.ends_with(".tmp")) {
                let separator = if folder.is_empty() { "" } else { "/" };
                storage.remove(&format!("{folder}{separator}{name}"))?;
            }
        }
        Ok(())
    };
    remove().map_err(|error| Error::io("remove temporary files in", storage.path(""), error))
}

fn write_manifest(storage: &dyn Storage, manifest: &Manifest) -> Result<()> {
    checkpoint::write_manifest(storage, manifest).map_err(Failure::into_error)
}

fn report(report: &RecoveryReport) {
    let RecoveryReport { checkpoint, replayed, in_doubt, cut, rebuilt, time } = report;
    tracing::info!(%checkpoint, replayed, in_doubt, rebuilt = rebuilt.len(), ?time, "recovered");
    if let Some(Cut { file, offset, bytes, reason }) = cut {
        tracing::warn!(
            file,
            offset,
            bytes,
            reason,
            "cut a torn tail, which was never acknowledged"
        );
    }
}
