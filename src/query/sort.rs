//! An order of documents: any number of paths, each ascending or descending, ties broken by id.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

use super::invalid;
use crate::{
    document::{Direction, Document, Path, Raw, compare},
    error::{Error, Result},
};

/// An order of documents, read from text such as `-age,name`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sort {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    path: Path,
    direction: Direction,
}

/// The values that place one document in an order, as JSON text; none for a missing one.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey<'a>(Vec<Option<Cow<'a, str>>>);

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

    /// The values that place a document, borrowed from it.
    pub(crate) fn key<'a>(&self, document: &'a Document) -> SortKey<'a> {
        let values = self.parts.iter().map(|part| part.path.sort_value(document, part.direction));
        SortKey(values.collect())
    }

    /// Compares two documents' values in this order.
    pub(crate) fn compare(&self, one: &SortKey<'_>, two: &SortKey<'_>) -> Ordering {
        for (part, (one, two)) in self.parts.iter().zip(one.0.iter().zip(&two.0)) {
            let [one, two] = [one, two].map(|value| value.as_deref().map(Raw::trusted));
            let ordering = part.direction.apply(compare(one, two));
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    }
}

impl SortKey<'_> {
    /// The same values, kept beyond the document's own life.
    pub(crate) fn into_owned(self) -> SortKey<'static> {
        SortKey(self.0.into_iter().map(|value| value.map(|v| Cow::Owned(v.into_owned()))).collect())
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
