//! Why a transaction could not take effect: what it read, and what overtook that.

use std::fmt;

use crate::{
    names::{CollectionName, DocumentId},
    version::Version,
};

/// One read of a transaction that another commit overtook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The collection that was read.
    pub collection: CollectionName,
    /// What was read in it.
    pub dependency: Dependency,
    /// The version at which it was read.
    pub read_version: Version,
    /// The version that changed it; for a deletion, the collection's last change.
    pub overtaken_by: Version,
}

/// What a transaction's outcome rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// One document, present or absent.
    Document(DocumentId),
    /// All documents that a filter matches, as its JSON text.
    Predicate(String),
    /// The collection itself: it was dropped.
    Collection,
}

/// Conflicts as a sentence: the first, and how many more.
pub(super) struct ConflictList<'a>(pub(super) &'a [Conflict]);

impl fmt::Display for ConflictList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("conflict"),
            [only] => only.fmt(f),
            [first, rest @ ..] => write!(f, "{first}, and {} more", rest.len()),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { collection, dependency, read_version, overtaken_by } = self;
        write!(f, "conflict in {collection}: ")?;
        match dependency {
            Dependency::Document(id) => write!(f, "document {id} changed")?,
            Dependency::Predicate(filter) => write!(f, "filter {filter} changed")?,
            Dependency::Collection => f.write_str("the collection was dropped")?,
        }
        write!(f, " after version {read_version} (by version {overtaken_by})")
    }
}
