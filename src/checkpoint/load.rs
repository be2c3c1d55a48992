//! Loading the state that a manifest names.

use std::io;

use super::{MANIFEST, Manifest, ManifestCollection, collection_file::read_collection};
use crate::{
    error::{Error, Result},
    snapshot::{Collection, Snapshot},
    storage::{Storage, read_all},
};

/// Loads the manifest; none where there is none.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::NewerFormat`], or what the system says.
pub fn load_manifest(storage: &dyn Storage) -> Result<Option<Manifest>> {
    match read_all(storage, MANIFEST) {
        Ok(bytes) => Manifest::decode(&bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", storage.path(MANIFEST), error)),
    }
}

/// Loads the snapshot that a manifest names.
///
/// # Errors
///
/// As [`load_manifest`].
pub fn load(storage: &dyn Storage, manifest: &Manifest) -> Result<Snapshot> {
    let load =
        |entry: &ManifestCollection| Ok((entry.name.clone(), load_collection(storage, entry)?));
    let collections = manifest.collections.iter().map(load).collect::<Result<Vec<_>>>()?;
    Ok(Snapshot::from_checkpoint(manifest.version, collections))
}

fn load_collection(storage: &dyn Storage, entry: &ManifestCollection) -> Result<Collection> {
    let mut documents = Vec::new();
    for file in &entry.files {
        documents.extend(read_collection(storage, entry, file)?);
    }
    Ok(Collection::from_checkpoint(entry.options, entry.created, entry.changed, documents))
}
