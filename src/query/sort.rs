//! An order of documents: any number of paths, each ascending or descending, ties broken by id.

use std::{fmt, str::FromStr};

use super::invalid;
use crate::{
    document::{Direction, Document, KeyBytes, Path, Raw, key},
    error::{Error, Result},
};

/// An order of documents, read from text such as `-age,name`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sort {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) path: Path,
    pub(super) direction: Direction,
}

/// The values that place one document in an order, encoded as index keys are (see
/// [`crate::document::key`]): keys of one order compare as bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(KeyBytes);

/// A sort names at most this many paths, each of which costs a pass over the document.
const PATHS_MAX: usize = 16;

impl Sort {
    /// The order of ids.
    pub fn by_id() -> Sort {
        Sort::default()
    }

    /// Reads paths, each with a leading `-` where it descends.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`] when a path is not one or there are too many.
    pub fn parse<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Sort> {
        let parts = paths.into_iter().map(Part::parse).collect::<Result<Vec<_>>>()?;
        if parts.len() > PATHS_MAX {
            return Err(invalid(format!("a sort names at most {PATHS_MAX} paths")));
        }
        Ok(Sort { parts })
    }

    /// True for the order of ids.
    pub fn is_by_id(&self) -> bool {
        self.parts.is_empty()
    }

    /// Its paths and their directions, the most important first.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&str, Direction)> {
        self.parts.iter().map(|part| (part.path.as_str(), part.direction))
    }

    /// The values that place a document.
    pub(crate) fn key(&self, document: &Document) -> SortKey {
        let mut key = Vec::with_capacity(32);
        self.write_key(document, &mut key);
        SortKey::from_bytes(&key)
    }

    /// [`Sort::key`] as bytes, into a buffer that is used again.
    pub(super) fn write_key(&self, document: &Document, key: &mut Vec<u8>) {
        key.clear();
        for part in &self.parts {
            let value = part.path.sort_value(document, part.direction);
            key::push_part(key, value.as_deref().map(Raw::trusted), part.direction);
        }
    }
}

impl SortKey {
    /// A key from its bytes.
    pub(crate) fn from_bytes(bytes: &[u8]) -> SortKey {
        SortKey(KeyBytes::new(bytes))
    }

    /// The bytes that it compares by.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<SortKey>() + self.0.heap_bytes()
    }
}

impl Part {
    fn parse(text: &str) -> Result<Part> {
        let text = text.trim();
        let (direction, path) = match text.strip_prefix('-') {
            Some(path) => (Direction::Descending, path),
            None => (Direction::Ascending, text.strip_prefix('+').unwrap_or(text)),
        };
        let path = Path::parse(path)
            .map_err(|reason| invalid(format!("cannot sort by {path:?}: {reason}")))?;
        Ok(Part { path, direction })
    }
}

impl FromStr for Sort {
    type Err = Error;

    /// Reads comma-separated paths: `-age,name`.
    fn from_str(text: &str) -> Result<Sort> {
        Sort::parse(text.split(','))
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let sign = if part.direction == Direction::Descending { "-" } else { "" };
            write!(f, "{comma}{sign}{}", part.path)?;
        }
        Ok(())
    }
}
