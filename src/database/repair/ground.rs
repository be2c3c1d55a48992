//! What a repair begins from: the manifest, or what the files say in its place.

use std::collections::BTreeSet;
use std::io;

use crate::{
    checkpoint::{self, Manifest, ManifestCollection},
    database::recovery::new_database,
    error::{Damage, Error, Result},
    names::CollectionName,
    snapshot::{CollectionOptions, WriteSet},
    storage::Storage,
    version::Version,
    wal::Remains,
};

/// What is known of the checkpoint.
pub(super) struct Ground {
    pub(super) manifest: Manifest,
    /// True when it is the database's own, so that its checksums say something.
    pub(super) vouched: bool,
    /// What happened to the database's own, if it is another one.
    pub(super) damage: Option<Damage>,
    /// Versions between the newest file and the first record, of which nothing is known.
    pub(super) unknown: Option<(Version, Version)>,
}

impl Ground {
    /// Finds it.
    pub(super) fn find(storage: &dyn Storage, remains: &Remains) -> Result<Ground> {
        let damage = match checkpoint::load_manifest(storage) {
            Ok(Some(manifest)) => {
                return Ok(Ground { manifest, vouched: true, damage: None, unknown: None });
            }
            Err(Error::Damaged(damage)) => *damage,
            Err(error) => return Err(error),
            Ok(None) => match new_database(storage) {
                Err(Error::Damaged(damage)) => *damage,
                Err(error) => return Err(error),
                Ok(_) => {
                    let (source, path) = (io::ErrorKind::NotFound.into(), storage.path(""));
                    return Err(Error::Io { action: "find a database in", path, source });
                }
            },
        };
        let mut manifest = checkpoint::infer_manifest(storage)?;
        let newest = manifest.version;
        let first = remains.first().map_or(Version::ZERO, |first| Version::new(first.get() - 1));
        let unknown = (first > newest).then(|| (newest.next(), first));
        manifest.version = newest.max(first);
        add_logged(&mut manifest, remains);
        Ok(Ground { manifest, vouched: false, damage: Some(damage), unknown })
    }
}

/// Adds the collections that the log knows of by then, and that have no file any more, or none yet.
fn add_logged(manifest: &mut Manifest, remains: &Remains) {
    let end = manifest.version;
    let mut names: BTreeSet<CollectionName> = BTreeSet::new();
    for (_, record) in remains.records(Version::ZERO, end) {
        let writes = WriteSet::decode(record.ops).unwrap_or_default();
        names.extend(writes.iter().map(|(name, _)| name.clone()));
    }
    names.retain(|name| manifest.collection(name).is_none());
    manifest.collections.extend(names.into_iter().map(|name| ManifestCollection {
        name,
        created: Version::new(1),
        changed: Version::ZERO,
        options: CollectionOptions::default(),
        files: Vec::new(),
        indexes: Vec::new(),
    }));
    manifest.collections.sort_by(|one, other| one.name.cmp(&other.name));
}
