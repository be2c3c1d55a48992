//! Loading the state that a manifest names.

use std::io;

use super::{
    FileEntry, MANIFEST, Manifest, ManifestCollection, collection_file::read_collection,
    delta_file::read_delta, index_file::read_index,
};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DocumentId, IndexName},
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

/// Looks at every file of a collection by itself and returns what is wrong with it.
///
/// # Complexity
///
/// O(bytes of the files).
pub fn check_files(storage: &dyn Storage, entry: &ManifestCollection) -> Vec<Error> {
    let mut wrong = Vec::new();
    let mut base: Option<&FileEntry> = None;
    for file in &entry.files {
        let read = match base.replace(file) {
            None => read_collection(storage, &entry.name, file).map(drop),
            Some(base) => read_delta(storage, &entry.name, base, file).map(drop),
        };
        wrong.extend(read.err());
    }
    wrong
}

/// Loads the whole of a collection with its indexes, and then takes in what changed. Of indexes that
/// are built anew, `rebuilt` gets the names with the reasons.
///
/// # Errors
///
/// As [`load_manifest`].
pub fn load_collection(
    storage: &dyn Storage,
    entry: &ManifestCollection,
    rebuilt: &mut Vec<String>,
) -> Result<Collection> {
    let ManifestCollection { name, created, changed, options, files, indexes } = entry;
    let Some(whole) = files.first() else {
        let reason = format!("it names no file of collection {name}");
        return Err(Error::damaged(MANIFEST, 0, None, reason));
    };
    let documents = read_collection(storage, name, whole)?;
    let mut collection = Collection::from_checkpoint(*options, *created, *changed, documents);
    if !indexes.is_empty() {
        let documents: Vec<(&DocumentId, &Arc<Document>)> = collection.documents().collect();
        let load = |(index, definition): &(IndexName, Arc<IndexDefinition>)| {
            load_index(storage, (name, whole), (index, definition), &documents, rebuilt)
        };
        let indexes = indexes.iter().map(load).collect::<Result<Vec<_>>>()?;
        collection = collection.with_indexes(indexes);
    }
    for (base, file) in files.iter().zip(files.iter().skip(1)) {
        let differences = read_delta(storage, name, base, file)?;
        let taken = collection.write_all(name, &differences);
        taken.map_err(|unfit| Error::damaged(&file.file, 0, None, unfit.to_string()))?;
    }
    Ok(collection)
}

/// Loads an index, or builds it where its file is missing, damaged or of another version.
fn load_index(
    storage: &dyn Storage,
    (collection, whole): (&CollectionName, &FileEntry),
    (name, definition): (&IndexName, &Arc<IndexDefinition>),
    documents: &[(&DocumentId, &Arc<Document>)],
    rebuilt: &mut Vec<String>,
) -> Result<Index> {
    let index = (name, definition);
    let reason = match read_index(storage, collection, whole.version, index, documents) {
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
