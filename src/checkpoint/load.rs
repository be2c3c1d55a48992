//! Loading the state that a manifest names.

use std::io;

use super::{
    MANIFEST, Manifest, ManifestCollection, collection_file::read_collection,
    index_file::read_index,
};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{DocumentId, IndexName},
    snapshot::{Collection, Index, IndexDefinition, Snapshot},
    storage::{Storage, read_all},
    sync::Arc,
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

/// The state that a checkpoint holds.
#[derive(Debug)]
pub struct Loaded {
    /// The state.
    pub snapshot: Snapshot,
    /// The indexes that were built anew, each with the reason why its file was of no use.
    pub rebuilt: Vec<String>,
}

/// Loads the snapshot that a manifest names.
///
/// # Errors
///
/// As [`load_manifest`].
pub fn load(storage: &dyn Storage, manifest: &Manifest) -> Result<Loaded> {
    let mut rebuilt = Vec::new();
    let load = |entry: &ManifestCollection| {
        Ok((entry.name.clone(), load_collection(storage, entry, &mut rebuilt)?))
    };
    let collections = manifest.collections.iter().map(load).collect::<Result<Vec<_>>>()?;
    Ok(Loaded { snapshot: Snapshot::from_checkpoint(manifest.version, collections), rebuilt })
}

fn load_collection(
    storage: &dyn Storage,
    entry: &ManifestCollection,
    rebuilt: &mut Vec<String>,
) -> Result<Collection> {
    let mut documents = Vec::new();
    for file in &entry.files {
        documents.extend(read_collection(storage, entry, file)?);
    }
    let collection =
        Collection::from_checkpoint(entry.options, entry.created, entry.changed, documents);
    if entry.indexes.is_empty() {
        return Ok(collection);
    }
    let documents: Vec<(&DocumentId, &Arc<Document>)> = collection.documents().collect();
    let load = |(name, definition): &(IndexName, Arc<IndexDefinition>)| {
        load_index(storage, entry, (name, definition), &documents, rebuilt)
    };
    let indexes = entry.indexes.iter().map(load).collect::<Result<Vec<_>>>()?;
    Ok(collection.with_indexes(indexes))
}

/// Loads an index, or builds it where its file is missing, damaged or of another version.
fn load_index(
    storage: &dyn Storage,
    entry: &ManifestCollection,
    (name, definition): (&IndexName, &Arc<IndexDefinition>),
    documents: &[(&DocumentId, &Arc<Document>)],
    rebuilt: &mut Vec<String>,
) -> Result<Index> {
    let (collection, changed) = (&entry.name, entry.changed);
    let reason = match read_index(storage, collection, changed, (name, definition), documents) {
        Ok(index) => return Ok(index),
        Err(reason) => reason,
    };
    tracing::warn!(%collection, index = %name, reason, "an index file is of no use: building it");
    rebuilt.push(format!("{collection}/{name}: {reason}"));
    let documents = documents.iter().copied();
    let built = Index::build(name.clone(), Arc::clone(definition), collection, documents);
    // An index that exists holds every document, so one that it cannot hold is damage.
    built.map_err(|error| Error::damaged(MANIFEST, 0, None, error.to_string()))
}
