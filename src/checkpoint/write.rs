//! Writing a checkpoint.

use std::{collections::BTreeSet, io};

use super::{
    Checkpoint, FOLDER, INDEX_FOLDER, MANIFEST, Manifest, ManifestCollection, chain::write_chain,
};
use crate::{
    error::Error,
    names::CollectionName,
    snapshot::{Change, Collection, Snapshot},
    storage::Storage,
    sync::{mutant, step},
    version::Version,
};

/// Why a checkpoint was not written.
#[derive(Debug)]
pub enum Failure {
    /// Nothing has changed: the manifest is the one from before.
    Discarded(Error),
    /// The manifest was renamed but its folder could not be synced: which one a crash would leave
    /// is unknown, so nothing may be removed and nothing written any more.
    Unknown(Error),
}

impl Failure {
    /// The error alone, for whoever gives up in both cases.
    pub fn into_error(self) -> Error {
        match self {
            Failure::Discarded(error) | Failure::Unknown(error) => error,
        }
    }
}

/// Writes what changed in a snapshot's collections and then the manifest that names the files.
///
/// The log must be safe up to the snapshot's version by now, and `synced` is how far it is.
///
/// # Errors
///
/// [`Failure`] says what holds after it.
///
/// # Complexity
///
/// O(bytes of the documents that changed since `previous`, times the logarithm of the number of
/// checkpoints), amortized: now and then a collection of which a quarter has changed is written as a
/// whole.
pub fn write(
    storage: &dyn Storage,
    snapshot: &Snapshot,
    synced: Version,
    previous: &Checkpoint,
) -> Result<Checkpoint, Failure> {
    assert!(snapshot.version() <= synced, "a checkpoint holds nothing that the log might lose");
    let mut collections = Vec::new();
    for (name, collection) in snapshot.collections() {
        let changes = previous.documents.changes(snapshot, name.as_str());
        let entry = write_changed(storage, (name, collection), &previous.manifest, changes);
        let entry = entry.map_err(|error| discard(storage, &previous.manifest, error))?;
        collections.push(entry);
    }
    step("collection_names_unsynced", || storage.sync_folder(FOLDER))
        .map_err(|error| discard(storage, &previous.manifest, error))?;
    let manifest = Manifest { version: snapshot.version(), synced, collections };
    if mutant("old_files_removed_early") {
        remove_written(storage, &manifest);
    }
    match write_manifest(storage, &manifest) {
        Ok(()) => Ok(Checkpoint { manifest, documents: snapshot.without_indexes() }),
        Err(Failure::Discarded(error)) => {
            remove_written(storage, &previous.manifest);
            Err(Failure::Discarded(error))
        }
        // Which manifest is on the disk is open, so the files of both stay.
        Err(Failure::Unknown(error)) => Err(Failure::Unknown(error)),
    }
}

/// Replaces the manifest.
///
/// # Errors
///
/// [`Failure`] says what holds after it.
pub fn write_manifest(storage: &dyn Storage, manifest: &Manifest) -> Result<(), Failure> {
    let temporary = format!("{MANIFEST}.tmp");
    let replace = || {
        let file = storage.create(&temporary)?;
        file.write_at(0, &manifest.encode())?;
        step("manifest_unsynced", || file.sync())?;
        storage.rename(&temporary, MANIFEST)
    };
    let failed = |error| Error::io("write", storage.path(MANIFEST), error);
    replace().map_err(|error| {
        // The first error is the one to report; what stays is removed at the next open.
        let _ = storage.remove(&temporary);
        Failure::Discarded(failed(error))
    })?;
    // Sync the folder too: without it a crash may bring the old manifest back, after the files
    // that it names were removed.
    step("manifest_name_unsynced", || storage.sync_folder(""))
        .map_err(|error| Failure::Unknown(failed(error)))
}

/// Removes the collection and index files that a manifest does not name.
///
/// # Errors
///
/// What the system says; then some of them remain, which does no harm.
pub fn remove_unnamed(storage: &dyn Storage, manifest: &Manifest) -> io::Result<()> {
    let named: BTreeSet<&str> = manifest.files().map(|entry| entry.file.as_str()).collect();
    let indexes: BTreeSet<String> = manifest.index_files().map(|(name, _)| name).collect();
    for folder in [FOLDER.to_owned()].into_iter().chain(index_folders(storage)?) {
        for name in storage.list(&folder)? {
            let name = format!("{folder}/{name}");
            if !named.contains(name.as_str()) && !indexes.contains(&name) {
                storage.remove(&name)?;
            }
        }
    }
    Ok(())
}

/// The folders that may hold index files; none where there is no database yet.
///
/// # Errors
///
/// What the system says.
pub fn index_folders(storage: &dyn Storage) -> io::Result<Vec<String>> {
    let folders = match storage.list_folders(INDEX_FOLDER) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    Ok(folders.iter().map(|folder| format!("{INDEX_FOLDER}/{folder}")).collect())
}

fn write_changed<'a>(
    storage: &dyn Storage,
    (name, collection): (&CollectionName, &Collection),
    previous: &Manifest,
    changes: impl Iterator<Item = Change<'a>>,
) -> io::Result<ManifestCollection> {
    let before = previous.collection(name);
    let files = match before.filter(|before| before.changed == collection.changed()) {
        Some(before) => before.files.clone(),
        None => write_chain(storage, name, collection, before, changes)?,
    };
    let indexes = collection.indexes().iter();
    Ok(ManifestCollection {
        name: name.clone(),
        created: collection.created(),
        changed: collection.changed(),
        options: collection.options(),
        files,
        indexes: indexes.map(|index| (index.name().clone(), index.definition().clone())).collect(),
    })
}

fn discard(storage: &dyn Storage, previous: &Manifest, error: io::Error) -> Failure {
    remove_written(storage, previous);
    Failure::Discarded(Error::io("write a checkpoint in", storage.path(FOLDER), error))
}

/// Takes back what was written, as far as the device lets it; the next opening does the rest.
fn remove_written(storage: &dyn Storage, previous: &Manifest) {
    if mutant("failed_checkpoint_left") {
        return;
    }
    if let Err(error) = remove_unnamed(storage, previous) {
        tracing::warn!(%error, "files of a failed checkpoint remain until the next opening");
    }
}
