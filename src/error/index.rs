//! What can go wrong with an index.

use std::fmt;

use crate::names::{CollectionName, DocumentId, IndexName};

/// Why an index refuses something. Nothing was changed when it is returned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The definition is not one.
    #[error("invalid index at {pointer:?}: {reason}")]
    Invalid {
        /// JSON Pointer of the place in the definition.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },

    /// There is no index of this name.
    #[error("collection {collection} has no index {index}")]
    NotFound {
        /// The collection looked in.
        collection: CollectionName,
        /// The name looked for.
        index: IndexName,
    },

    /// There is an index of this name with another definition.
    #[error("index {index} of {collection} already exists with another definition")]
    Exists {
        /// The collection that has it.
        collection: CollectionName,
        /// The name that is taken.
        index: IndexName,
    },

    /// Two documents have the same key in a unique index.
    #[error("unique index {index} of {collection}: {}", OffenderList(offenders))]
    Unique {
        /// The collection written.
        collection: CollectionName,
        /// The index that is unique.
        index: IndexName,
        /// Keys that several documents have; the first of them where there are many.
        offenders: Vec<Offender>,
    },

    /// The index cannot hold the document.
    #[error("document {id} of {collection} does not fit index {index}: {reason}")]
    Unindexable {
        /// The collection written.
        collection: CollectionName,
        /// The index.
        index: IndexName,
        /// The document.
        id: DocumentId,
        /// Why not.
        reason: String,
    },

    /// A query is to use an index that cannot serve it.
    #[error("the hint {index:?} cannot serve the query: {reason}")]
    Hint {
        /// The index that the query names.
        index: String,
        /// Why it cannot.
        reason: String,
    },
}

/// A key that more than one document has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offender {
    /// The values of the index's paths in one of them, as a JSON array; `null` where one is
    /// missing.
    pub key: String,
    /// Two of the documents.
    pub ids: [DocumentId; 2],
}

struct OffenderList<'a>(&'a [Offender]);

impl fmt::Display for OffenderList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Offender { key, ids: [one, two] }) in self.0.iter().enumerate() {
            f.write_str(if place > 0 { "; " } else { "" })?;
            write!(f, "documents {one} and {two} have the key {key}")?;
        }
        Ok(())
    }
}

impl IndexError {
    /// A stable name of the kind of error, in the form of a slug.
    pub(super) fn code(&self) -> &'static str {
        match self {
            IndexError::Invalid { .. } => "invalid-index",
            IndexError::NotFound { .. } => "index-not-found",
            IndexError::Exists { .. } => "index-exists",
            IndexError::Unique { .. } => "unique-violation",
            IndexError::Unindexable { .. } => "unindexable-document",
            IndexError::Hint { .. } => "hint-refused",
        }
    }

    /// What to do about it, as a sentence for a person.
    pub(super) fn advice(&self) -> &'static str {
        match self {
            IndexError::Invalid { .. } => "Correct the definition and send it again.",
            IndexError::NotFound { .. } => "List the collection's indexes and check the name.",
            IndexError::Exists { .. } => "Drop it first, or choose another name.",
            IndexError::Unique { .. } => "Change one of the documents, or drop the index.",
            IndexError::Unindexable { .. } => "Change the document, or drop the index.",
            IndexError::Hint { .. } => "Leave the hint out, or name an index that fits.",
        }
    }
}
