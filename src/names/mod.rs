//! Names that have been checked once: of collections and of documents.
//!
//! Invariant: whoever holds a name may build a path, a log line or a URL from it without another
//! check.

mod id;

pub(crate) use id::Sought;
pub use id::{DOCUMENT_ID_MAX, DocumentId};

use std::{borrow::Borrow, fmt, str::FromStr};

use crate::sync::Arc;

/// A collection's name has at most this many bytes, so that a file named after it fits any
/// file system's 255.
pub const COLLECTION_NAME_MAX: usize = 128;

/// A name that breaks the rules, and which rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} {name:?}: {rule}")]
pub struct InvalidName {
    /// What was to be named, e.g. "collection name".
    pub what: &'static str,
    /// The name as given, cut to 64 characters.
    pub name: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

/// The name of a collection: `[A-Za-z0-9][A-Za-z0-9_.-]{0,127}`.
///
/// ```
/// use monsterdb::CollectionName;
/// assert!(CollectionName::new("users").is_ok());
/// assert!(CollectionName::new("../users").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionName(Arc<str>);

impl CollectionName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] when it is empty, too long or holds a character outside the set.
    pub fn new(name: &str) -> Result<CollectionName, InvalidName> {
        let invalid = |rule| Err(InvalidName::new("collection name", name, rule));
        match name.as_bytes().first() {
            None => return invalid("it is empty"),
            Some(first) if !first.is_ascii_alphanumeric() => {
                return invalid("it must begin with a letter or digit of ASCII");
            }
            Some(_) => {}
        }
        if name.len() > COLLECTION_NAME_MAX {
            return invalid("it is longer than 128 characters");
        }
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            return invalid("only letters and digits of ASCII and _ . - may stand in it");
        }
        Ok(CollectionName(name.into()))
    }

    /// Checks a name met in a file of the database, where the reserved collections stand too.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] as [`CollectionName::new`], but for one leading underscore.
    pub fn stored(name: &str) -> Result<CollectionName, InvalidName> {
        CollectionName::new(name.strip_prefix('_').unwrap_or(name))?;
        Ok(CollectionName(name.into()))
    }

    /// True for the database's own collections, which no request can name.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('_')
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an index within its collection; the rules are those for collections.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName(Arc<str>);

impl IndexName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] as [`CollectionName::new`].
    pub fn new(name: &str) -> Result<IndexName, InvalidName> {
        match CollectionName::new(name) {
            Ok(CollectionName(name)) => Ok(IndexName(name)),
            Err(invalid) => Err(InvalidName { what: "index name", ..invalid }),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl InvalidName {
    fn new(what: &'static str, name: &str, rule: &'static str) -> InvalidName {
        InvalidName { what, name: name.chars().take(64).collect(), rule }
    }
}

impl Borrow<str> for CollectionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for CollectionName {
    type Err = InvalidName;

    fn from_str(name: &str) -> Result<CollectionName, InvalidName> {
        CollectionName::new(name)
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}
