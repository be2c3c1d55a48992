//! The manifest: which files make up which version.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{FORMAT, MANIFEST, index_file::file_name};
use crate::{
    error::{Error, Result},
    names::{CollectionName, IndexName},
    snapshot::{CollectionOptions, IndexDefinition},
    sync::{Arc, mutant},
    version::Version,
    wal::{frame_line, open_line},
};

/// The checkpoint that a database begins from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Manifest {
    /// The snapshot that the files hold.
    pub version: Version,
    /// The highest version known to be safe in the log when this was written.
    pub synced: Version,
    /// The collections, in the order of their names.
    pub collections: Vec<ManifestCollection>,
}

/// One collection of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestCollection {
    /// Its name.
    pub name: CollectionName,
    /// The commit that created it.
    pub created: Version,
    /// The last commit that changed it.
    pub changed: Version,
    /// What its creator decided.
    pub options: CollectionOptions,
    /// The files that hold its documents: the first holds all that were there at its version, the
    /// others what changed since the one in front of them.
    pub files: Vec<FileEntry>,
    /// Its indexes, in the order of their names.
    pub indexes: Vec<(IndexName, Arc<IndexDefinition>)>,
}

/// One file of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name, relative to the data directory.
    pub file: String,
    /// The version whose documents the files up to this one hold.
    pub version: u64,
    /// The CRC-32 of its bytes, in hexadecimal.
    pub crc: String,
    /// How many lines it has after its header.
    pub count: u64,
    /// Its length.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct ManifestText {
    format: u64,
    version: u64,
    synced: u64,
    collections: Vec<CollectionText>,
}

#[derive(Serialize, Deserialize)]
struct CollectionText {
    name: String,
    created: u64,
    changed: u64,
    options: CollectionOptions,
    files: Vec<FileEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexText>,
}

#[derive(Serialize, Deserialize)]
struct IndexText {
    name: String,
    definition: Box<RawValue>,
}

/// Read before the rest, so that a newer format is told from damage.
#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

impl Manifest {
    /// The manifest as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let text = ManifestText {
            format: FORMAT,
            version: self.version.get(),
            synced: self.synced.get(),
            collections: self.collections.iter().map(CollectionText::from).collect(),
        };
        let text = serde_json::to_string(&text).expect("a manifest is JSON");
        let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        frame_line(members.expect("a manifest is an object"))
    }

    /// Reads a manifest back.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] or [`Error::NewerFormat`].
    pub fn decode(bytes: &[u8]) -> Result<Manifest> {
        let damaged = |reason: String| Error::damaged(MANIFEST, 0, None, reason);
        let line = bytes.strip_suffix(b"\n").ok_or_else(|| damaged("it has no end".into()))?;
        let text = open_line(line).map_err(damaged)?;
        let format =
            serde_json::from_str::<FormatText>(text).map_err(|e| damaged(e.to_string()))?;
        if format.format > FORMAT && !mutant("newer_manifest_accepted") {
            let file = MANIFEST.to_owned();
            return Err(Error::NewerFormat { file, found: format.format, supported: FORMAT });
        }
        let text: ManifestText = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
        let collections = text.collections.into_iter().map(ManifestCollection::try_from);
        let manifest = Manifest {
            version: Version::new(text.version),
            synced: Version::new(text.synced),
            collections: collections.collect::<Result<_, _>>().map_err(damaged)?,
        };
        match manifest.is_sound() {
            true => Ok(manifest),
            false => Err(damaged("its versions or its names are in no order".to_owned())),
        }
    }

    /// What whoever reads a manifest relies on, and a checksum does not say: the order of versions,
    /// and that every name stands once and in its place.
    fn is_sound(&self) -> bool {
        let versions = self.version.max(self.synced) <= Version::MAX;
        let names = self.collections.is_sorted_by(|one, two| one.name < two.name);
        let collections = self.collections.iter().all(|collection| {
            let ManifestCollection { created, changed, files, indexes, .. } = collection;
            let versions = created <= changed && *changed <= self.version;
            let files = files.is_sorted_by(|one, two| one.version < two.version)
                && files.iter().all(|file| file.version <= changed.get());
            versions && files && indexes.is_sorted_by(|one, two| one.0 < two.0)
        });
        versions && names && collections
    }

    /// A collection by its name.
    ///
    /// # Complexity
    ///
    /// O(log collections).
    pub fn collection(&self, name: &CollectionName) -> Option<&ManifestCollection> {
        let place = self.collections.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
        self.collections.get(place)
    }

    /// The files that its indexes have when nothing is wrong with them, each with its version; it
    /// does not name them.
    pub fn index_files(&self) -> impl Iterator<Item = (String, u64)> {
        self.collections.iter().flat_map(|collection| {
            let whole = collection.files.iter().take(1);
            whole.flat_map(|file| {
                let names = collection.indexes.iter().map(|(index, _)| index);
                names.map(|index| (file_name(&collection.name, index, file.version), file.version))
            })
        })
    }

    /// Every file that it names.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.collections.iter().flat_map(|collection| &collection.files)
    }
}

impl From<&ManifestCollection> for CollectionText {
    fn from(collection: &ManifestCollection) -> CollectionText {
        CollectionText {
            name: collection.name.to_string(),
            created: collection.created.get(),
            changed: collection.changed.get(),
            options: collection.options,
            files: collection.files.clone(),
            indexes: collection.indexes.iter().map(IndexText::from).collect(),
        }
    }
}

impl TryFrom<CollectionText> for ManifestCollection {
    type Error = String;

    fn try_from(text: CollectionText) -> Result<ManifestCollection, String> {
        Ok(ManifestCollection {
            name: CollectionName::stored(&text.name).map_err(|error| error.to_string())?,
            created: Version::new(text.created),
            changed: Version::new(text.changed),
            options: text.options,
            files: text.files,
            indexes: text.indexes.into_iter().map(IndexText::read).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&(IndexName, Arc<IndexDefinition>)> for IndexText {
    fn from((name, definition): &(IndexName, Arc<IndexDefinition>)) -> IndexText {
        let definition = RawValue::from_string(definition.to_json());
        IndexText { name: name.to_string(), definition: definition.expect("a definition is JSON") }
    }
}

impl IndexText {
    fn read(self) -> Result<(IndexName, Arc<IndexDefinition>), String> {
        let name = IndexName::new(&self.name).map_err(|error| error.to_string())?;
        let definition = IndexDefinition::parse(self.definition.get());
        Ok((name, Arc::new(definition.map_err(|error| error.to_string())?)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    /// A manifest of these collections, each with the versions that created and changed it.
    fn manifest(version: u64, collections: &[(&str, u64, u64, &[&str])]) -> Manifest {
        let definition = Arc::new(IndexDefinition::on(["n"]).unwrap());
        let index = |name: &&str| (IndexName::new(name).unwrap(), Arc::clone(&definition));
        let collection =
            |(name, created, changed, indexes): &(&str, u64, u64, &[&str])| ManifestCollection {
                name: CollectionName::new(name).unwrap(),
                created: Version::new(*created),
                changed: Version::new(*changed),
                options: CollectionOptions::default(),
                files: Vec::new(),
                indexes: indexes.iter().map(index).collect(),
            };
        let collections = collections.iter().map(collection).collect();
        Manifest { version: Version::new(version), synced: Version::ZERO, collections }
    }

    #[test]
    fn what_is_in_order_is_read_back() {
        let last = Version::MAX.get();
        for manifest in
            [manifest(0, &[]), manifest(last, &[("a", 1, last, &[]), ("b", 2, 2, &["i", "j"])])]
        {
            assert_eq!(Manifest::decode(&manifest.encode()).unwrap(), manifest);
        }
    }

    #[test]
    fn what_is_in_no_order_is_damage() {
        for manifest in [
            manifest(u64::MAX, &[]),
            manifest(2, &[("b", 1, 1, &[]), ("a", 1, 1, &[])]),
            manifest(2, &[("a", 1, 1, &[]), ("a", 1, 1, &[])]),
            manifest(2, &[("a", 2, 1, &[])]),
            manifest(2, &[("a", 1, 3, &[])]),
            manifest(2, &[("a", 1, 1, &["j", "i"])]),
            manifest(2, &[("a", 1, 1, &["i", "i"])]),
            Manifest { synced: Version::new(u64::MAX), ..manifest(2, &[]) },
        ] {
            let decoded = Manifest::decode(&manifest.encode());
            assert!(matches!(decoded, Err(Error::Damaged(_))), "{manifest:?}: {decoded:?}");
        }
    }
}
