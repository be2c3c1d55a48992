//! What a repair saved, what it lost, and what it cannot prove.

use std::fmt;

use crate::{
    checkpoint::Gap,
    error::Damage,
    names::{CollectionName, DocumentId, IndexName},
    snapshot::Operation,
    version::Version,
    wal::Cut,
};

/// What a repair did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The version whose state was saved.
    pub state: Version,
    /// The version that the new database goes on from: behind all that are known to have been.
    pub version: Version,
    /// Every version up to here was provably acknowledged.
    pub acknowledged: Version,
    /// What is in the new database.
    pub collections: Vec<RepairedCollection>,
    /// What is lost.
    pub losses: Vec<Loss>,
    /// What may not be as it was.
    pub unproved: Vec<Unproved>,
    /// The torn tail that was left behind, if there was one: it was never acknowledged.
    pub cut: Option<Cut>,
}

/// A collection of the new database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairedCollection {
    /// Its name.
    pub name: CollectionName,
    /// How many documents it has.
    pub documents: usize,
    /// How it was brought back.
    pub origin: Origin,
}

/// How a collection was brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From good files, and the log behind them.
    Files,
    /// Exactly, but with the log in place of damaged files.
    Log,
    /// Line by line, as far as its files can be read.
    Salvaged,
}

/// Something that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Commits that cannot be read.
    Commits {
        /// The version of the first.
        first: Version,
        /// The version of the last.
        last: Version,
        /// The file where the log breaks off.
        file: String,
        /// Bytes before the place.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A commit that can be read, and rests on one that cannot. Where it is not after the state, the
    /// manifest is lost, and these are the operations on collections that have no file as new.
    Commit {
        /// Its version.
        version: Version,
        /// When it was made, RFC 3339.
        time: String,
        /// True when it was provably acknowledged.
        acknowledged: bool,
        /// What it did.
        operations: Vec<LostOperation>,
    },
    /// So many lines of a collection's files, each with a document or a deletion, cannot be read.
    Documents {
        /// The collection.
        collection: CollectionName,
        /// How many.
        count: u64,
    },
    /// Where such lines stood.
    Lines {
        /// The collection.
        collection: CollectionName,
        /// The place in the file.
        gap: Gap,
    },
    /// An index that cannot be built over what was salvaged.
    Index {
        /// The collection.
        collection: CollectionName,
        /// The index.
        index: IndexName,
        /// Why not.
        reason: String,
    },
}

/// One operation of a commit that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostOperation {
    /// What it did, as the log says it: `put`, `delete`, `create_index`.
    pub op: String,
    /// To which collection.
    pub collection: String,
    /// To which document or index of it.
    pub target: Option<String>,
}

/// Something that may not be as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// The manifest is lost: that the last version was the last.
    Manifest {
        /// What happened to it.
        damage: Damage,
        /// True when the log does not tell which collections there were, so that some may be missing,
        /// or there though they were dropped.
        collections: bool,
        /// Versions of which nothing is known, from the first to the last: the files may hold them.
        unknown: Option<(Version, Version)>,
    },
    /// When a collection was made, its options, and whether there were other indexes.
    Catalog {
        /// The collection.
        collection: CollectionName,
        /// Commits that may have changed it after its last file, and that cannot be read, from the
        /// first to the last of each row. Documents that they put may be missing.
        commits: Vec<(Version, Version)>,
    },
    /// Documents that were read from damaged files, or that may have been changed or deleted by what
    /// cannot be read.
    Documents {
        /// The collection.
        collection: CollectionName,
        /// Their ids, sorted. Some of them may not be there.
        ids: Vec<DocumentId>,
    },
}

impl RepairReport {
    /// True when nothing is lost, and nothing in doubt.
    pub fn is_whole(&self) -> bool {
        self.losses.is_empty() && self.unproved.is_empty()
    }

    /// Notes how a collection was brought back.
    pub(super) fn set_origin(&mut self, name: &CollectionName, origin: Origin) {
        self.collections.push(RepairedCollection { name: name.clone(), documents: 0, origin });
    }

    /// Notes what is there in the end.
    pub(super) fn set_counts<'a>(
        &mut self,
        counts: impl Iterator<Item = (&'a CollectionName, usize)>,
    ) {
        let noted = std::mem::take(&mut self.collections);
        let origin = |name: &CollectionName| {
            noted.iter().find(|noted| noted.name == *name).map(|noted| noted.origin)
        };
        self.collections = counts
            .map(|(name, documents)| {
                let origin = origin(name).unwrap_or(Origin::Files);
                RepairedCollection { name: name.clone(), documents, origin }
            })
            .collect();
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Commits { first, last, file, offset, reason } => {
                match first == last {
                    true => write!(f, "commit {first}")?,
                    false => write!(f, "commits {first} to {last}")?,
                }
                write!(f, ", which cannot be read: at byte {offset} of {file}: {reason}")
            }
            Loss::Commit { version, time, acknowledged, operations } => {
                write!(f, "commit {version} of {time}, which can be read")?;
                if !acknowledged {
                    f.write_str(" and may not have been acknowledged")?;
                }
                let operations: Vec<String> = operations.iter().map(|o| o.to_string()).collect();
                write!(f, ": {}", operations.join(", "))
            }
            Loss::Documents { collection, count } => {
                let lines = if *count == 1 { "line" } else { "lines" };
                write!(f, "{count} {lines} of collection {collection}, a document each")
            }
            Loss::Lines { collection, gap } => {
                let Gap { damage, bytes, after, before } = gap;
                let Damage { file, offset, reason, .. } = damage;
                write!(
                    f,
                    "of collection {collection} {bytes} bytes of {file} from byte {offset} on"
                )?;
                match (after, before) {
                    (None, None) => {}
                    (Some(after), None) => write!(f, ", behind document {after}")?,
                    (None, Some(before)) => write!(f, ", before document {before}")?,
                    (Some(after), Some(before)) => {
                        write!(f, ", between documents {after} and {before}")?;
                    }
                }
                write!(f, ": {reason}")
            }
            Loss::Index { collection, index, reason } => {
                write!(f, "index {index} of collection {collection}: {reason}")
            }
        }
    }
}

impl From<&Operation<'_>> for LostOperation {
    fn from(operation: &Operation<'_>) -> LostOperation {
        LostOperation {
            op: operation.op.to_string(),
            collection: operation.collection.to_string(),
            target: operation.id.as_ref().or(operation.index.as_ref()).map(|id| id.to_string()),
        }
    }
}

impl fmt::Display for LostOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LostOperation { op, collection, target } = self;
        write!(f, "{op} {collection}")?;
        target.as_ref().map_or(Ok(()), |target| write!(f, "/{target}"))
    }
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unproved::Manifest { damage, collections, unknown } => {
                f.write_str(match collections {
                    true => "what the last version was, and which collections there were: ",
                    false => "what the last version was: ",
                })?;
                damage.fmt(f)?;
                unknown.map_or(Ok(()), |(first, last)| {
                    write!(f, "; of versions {first} to {last} nothing is known")
                })
            }
            Unproved::Catalog { collection, commits } => {
                write!(
                    f,
                    "of collection {collection} when it was made, its options, and whether it had \
                     other indexes"
                )?;
                commits.iter().try_for_each(|(first, last)| match first == last {
                    true => write!(f, "; what commit {first} changed in it"),
                    false => write!(f, "; what commits {first} to {last} changed in it"),
                })
            }
            Unproved::Documents { collection, ids } => {
                let documents = if ids.len() == 1 { "document" } else { "documents" };
                write!(f, "{} {documents} of collection {collection}", ids.len())
            }
        }
    }
}
