//! An order of documents: any number of paths, each ascending or descending, ties broken by id.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::invalid;
use crate::{
    document::{Document, Json, Path, Raw, order},
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
    descending: bool,
}

/// The values that place one document in an order, kept beyond the document's own life.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey(Vec<Option<Json>>);

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

    /// The values that place a document, borrowed from it.
    pub(crate) fn values<'a>(&self, document: &'a Document) -> Vec<Option<Raw<'a>>> {
        self.parts.iter().map(|part| part.path.sort_value(document, part.descending)).collect()
    }

    /// Compares two documents' values in this order.
    pub(crate) fn compare(&self, one: &[Option<Raw<'_>>], two: &[Option<Raw<'_>>]) -> Ordering {
        for (part, (one, two)) in self.parts.iter().zip(one.iter().zip(two)) {
            let ordering = order::compare(*one, *two);
            if ordering != Ordering::Equal {
                return if part.descending { ordering.reverse() } else { ordering };
            }
        }
        Ordering::Equal
    }

    pub(crate) fn key(&self, document: &Document) -> SortKey {
        SortKey(self.values(document).iter().map(|value| value.map(Json::from)).collect())
    }
}

impl SortKey {
    pub(crate) fn values(&self) -> Vec<Option<Raw<'_>>> {
        self.0.iter().map(|value| value.as_ref().map(Json::as_raw)).collect()
    }
}

impl Part {
    fn parse(text: &str) -> Result<Part> {
        let text = text.trim();
        let (descending, path) = match text.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let path = Path::parse(path)
            .map_err(|reason| invalid(format!("cannot sort by {path:?}: {reason}")))?;
        Ok(Part { path, descending })
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
            let sign = if part.descending { "-" } else { "" };
            write!(f, "{comma}{sign}{}", part.path)?;
        }
        Ok(())
    }
}
