//! What an index is on, and the keys that a document has in it.
//!
//! ```text
//! {"paths":["country","-name"],"unique":true,"filter":{"country":{"$exists":true}},"ttl_seconds":3600}
//! ```

use std::{fmt, time::Duration};

use crate::{
    document::{Direction, Document, Json, KeyBytes, Kind, Path, Raw, key, push_pointer},
    error::{Error, IndexError, Result},
    filter::Filter,
    limits,
};

/// The definition of an index.
///
/// ```
/// use monsterdb::IndexDefinition;
/// let index = IndexDefinition::parse(r#"{"paths": ["country", "-name"], "unique": true}"#)?;
/// assert_eq!(index.to_json(), r#"{"paths":["country","-name"],"unique":true}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct IndexDefinition {
    /// What it is ordered by, first to last.
    pub(crate) paths: Vec<IndexPath>,
    /// No two documents have the same key.
    pub(crate) unique: bool,
    /// It holds only the documents that match.
    pub(crate) filter: Option<Filter>,
    /// Documents go when the time at the path is so long ago.
    pub(crate) expire_after: Option<Duration>,
}

/// One path of an index and its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexPath {
    pub(crate) path: Path,
    pub(crate) direction: Direction,
}

/// The keys of one document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DocumentKeys {
    /// In order, each once.
    pub(crate) keys: Vec<KeyBytes>,
    /// The place of the path that met an array, if one did.
    pub(crate) array: Option<usize>,
}

/// The part of a key that stands for an array: it is there, but cannot be looked up.
const ARRAY_PART: Option<Raw<'static>> = Some(Raw::EMPTY_ARRAY);

impl IndexDefinition {
    /// An index on some paths, each with a leading `-` where it descends.
    ///
    /// # Errors
    ///
    /// [`IndexError::Invalid`] when a path is not one, stands twice, or there are none or too
    /// many.
    pub fn on<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<IndexDefinition> {
        let paths: Vec<IndexPath> =
            paths.into_iter().enumerate().map(IndexPath::parse).collect::<Result<_>>()?;
        if paths.is_empty() {
            return invalid("/paths", "an index needs a path");
        }
        if paths.len() > limits::INDEX_PATHS_MAX {
            let reason = format!("an index has at most {} paths", limits::INDEX_PATHS_MAX);
            return invalid("/paths", reason);
        }
        for (place, one) in paths.iter().enumerate() {
            if paths.iter().take(place).any(|other| other.path == one.path) {
                return invalid(format!("/paths/{place}"), format!("{} stands twice", one.path));
            }
        }
        Ok(IndexDefinition { paths, unique: false, filter: None, expire_after: None })
    }

    /// No two documents may have the same key. Missing is not null here: a document in which
    /// every path is missing is not held to it, one with null is.
    #[must_use]
    pub fn unique(self) -> IndexDefinition {
        IndexDefinition { unique: true, ..self }
    }

    /// Holds only the documents that match a filter.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`]; [`IndexError::Invalid`] when it looks at `_version`, which a
    /// document gets only after its keys are made.
    pub fn filter(self, filter: Filter) -> Result<IndexDefinition> {
        filter.check()?;
        if filter.paths().iter().any(|path| is_version(path)) {
            return invalid("/filter", "_version cannot be indexed");
        }
        Ok(IndexDefinition { filter: Some(filter), ..self })
    }

    /// Documents go when the time at the path is this long ago: a string in the form of RFC 3339,
    /// or a number of milliseconds since 1970. Documents without such a time stay.
    ///
    /// # Errors
    ///
    /// [`IndexError::Invalid`] when the index has more than one path.
    pub fn expire_after(self, time: Duration) -> Result<IndexDefinition> {
        if self.paths.len() != 1 {
            return invalid("/ttl_seconds", "an index that lets documents expire has one path");
        }
        Ok(IndexDefinition { expire_after: Some(time), ..self })
    }

    /// Reads a definition in its JSON form.
    ///
    /// # Errors
    ///
    /// [`IndexError::Invalid`] with the place, [`Error::InvalidFilter`] for the filter.
    pub fn parse(text: &str) -> Result<IndexDefinition> {
        let json = Json::parse(text).map_err(|error| match error {
            Error::InvalidDocument { pointer, reason } => {
                IndexError::Invalid { pointer, reason }.into()
            }
            other => other,
        })?;
        if json.as_raw().kind() != Kind::Object {
            return invalid("", "an index is defined by an object");
        }
        let paths = read_paths(json.as_raw().member("paths"))?;
        let mut definition = IndexDefinition::on(paths.iter().map(|path| &**path))?;
        for member in json.as_raw().members() {
            definition = definition.read(&member.name(), member.value)?;
        }
        Ok(definition)
    }

    /// Takes in one member of the JSON form.
    fn read(mut self, name: &str, value: Raw<'_>) -> Result<IndexDefinition> {
        let mut pointer = String::new();
        push_pointer(&mut pointer, name);
        match (name, value.text()) {
            ("paths", _) => Ok(self),
            ("unique", "true" | "false") => {
                self.unique = value.text() == "true";
                Ok(self)
            }
            ("unique", _) => invalid(pointer, "it must be true or false"),
            ("filter", text) => self.filter(Filter::parse(text).map_err(in_filter)?),
            ("ttl_seconds", text) => match text.parse() {
                Ok(seconds) => self.expire_after(Duration::from_secs(seconds)),
                Err(_) => invalid(pointer, "it must be an integer that is not negative"),
            },
            _ => invalid(
                pointer,
                format!("{name:?} is not known; there are paths, unique, filter and ttl_seconds"),
            ),
        }
    }

    /// The JSON form.
    pub fn to_json(&self) -> String {
        let paths = self.paths.iter().map(|path| Json::from(path.to_string()).to_string());
        let mut text = format!("{{\"paths\":[{}]", paths.collect::<Vec<_>>().join(","));
        if self.unique {
            text.push_str(",\"unique\":true");
        }
        if let Some(filter) = &self.filter {
            text.push_str(&format!(",\"filter\":{filter}"));
        }
        if let Some(time) = self.expire_after {
            text.push_str(&format!(",\"ttl_seconds\":{}", time.as_secs()));
        }
        text.push('}');
        text
    }

    /// The keys that a document has: one, or for an array one an element. None when the index
    /// does not hold it.
    pub(super) fn keys(&self, document: &Document) -> Result<DocumentKeys, String> {
        if self.filter.as_ref().is_some_and(|filter| !filter.matches(document)) {
            return Ok(DocumentKeys::default());
        }
        let mut keys = vec![Vec::new()];
        let mut array = None;
        for (place, part) in self.paths.iter().enumerate() {
            let (values, is_array) = part.values(document)?;
            if is_array && let Some(other) = array.replace(place) {
                let other = self.paths.get(other).map_or_else(String::new, IndexPath::to_string);
                return Err(format!("{other} and {part} both hold arrays, and only one path may"));
            }
            keys = combine(keys, &values);
        }
        if keys.iter().any(|key| key.len() > limits::INDEX_KEY_BYTES_MAX) {
            return Err(format!("its key is longer than {} bytes", limits::INDEX_KEY_BYTES_MAX));
        }
        let mut keys: Vec<KeyBytes> = keys.iter().map(|key| KeyBytes::new(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(DocumentKeys { keys, array })
    }

    /// True for a key that a unique index allows several times: of missing values and arrays
    /// without elements alone.
    pub(super) fn is_exempt(&self, key: &KeyBytes) -> bool {
        let mut exempt = Vec::new();
        let mut rest = key.as_bytes();
        self.paths.iter().all(|part| {
            let (value, behind) =
                rest.split_at(key::part_end(rest, part.direction).min(rest.len()));
            rest = behind;
            [None, ARRAY_PART].iter().any(|allowed| {
                exempt.clear();
                key::push_part(&mut exempt, *allowed, part.direction);
                exempt == value
            })
        })
    }

    /// The values of the paths in a document, as a JSON array.
    pub(super) fn describe(&self, document: &Document) -> String {
        let values = self.paths.iter().map(|part| {
            let value = part.path.sort_value(document, part.direction);
            value.map_or_else(|| "null".to_owned(), |value| value.into_owned())
        });
        format!("[{}]", values.collect::<Vec<_>>().join(","))
    }
}

impl IndexPath {
    fn parse((place, text): (usize, &str)) -> Result<IndexPath> {
        let (direction, text) = match text.strip_prefix('-') {
            Some(path) => (Direction::Descending, path),
            None => (Direction::Ascending, text),
        };
        match Path::parse(text) {
            Ok(path) if is_version(&path) => {
                invalid(format!("/paths/{place}"), "_version cannot be indexed")
            }
            Ok(path) => Ok(IndexPath { path, direction }),
            Err(reason) => invalid(format!("/paths/{place}"), reason.to_string()),
        }
    }

    /// The encodings of what the path reaches, and whether it met an array. Arrays themselves
    /// are not encoded, only their elements.
    fn values(&self, document: &Document) -> Result<(Vec<Vec<u8>>, bool), String> {
        let mut values = Vec::new();
        let mut arrays = 0;
        self.path.any(document, &mut |value| {
            let mut part = Vec::new();
            match value.map(Raw::kind) {
                Some(Kind::Array) => arrays += 1,
                _ => {
                    key::push_part(&mut part, value, self.direction);
                    values.push(part);
                }
            }
            values.len() > limits::INDEX_KEYS_MAX
        });
        if values.len() > limits::INDEX_KEYS_MAX {
            return Err(format!("{self} has more than {} elements", limits::INDEX_KEYS_MAX));
        }
        let is_array = arrays > 0 || values.len() != 1;
        if values.is_empty() {
            let mut part = Vec::new();
            key::push_part(&mut part, ARRAY_PART.filter(|_| arrays > 0), self.direction);
            values.push(part);
        }
        Ok((values, is_array))
    }
}

impl DocumentKeys {
    /// True when this is one of them.
    pub(crate) fn has(&self, key: &KeyBytes) -> bool {
        self.keys.binary_search(key).is_ok()
    }
}

/// Every key with every value behind it. At most one of the two has more than one.
fn combine(keys: Vec<Vec<u8>>, values: &[Vec<u8>]) -> Vec<Vec<u8>> {
    keys.iter().flat_map(|key| values.iter().map(|value| [&**key, value].concat())).collect()
}

fn is_version(path: &Path) -> bool {
    path.as_str() == "_version" || path.as_str().starts_with("_version.")
}

fn invalid<T>(pointer: impl Into<String>, reason: impl Into<String>) -> Result<T> {
    Err(IndexError::Invalid { pointer: pointer.into(), reason: reason.into() }.into())
}

fn read_paths(value: Option<Raw<'_>>) -> Result<Vec<String>> {
    let Some(value) = value.filter(|value| value.kind() == Kind::Array) else {
        return invalid("/paths", "an array of paths is needed");
    };
    let paths = value.elements().enumerate().map(|(place, path)| match path.as_str() {
        Some(path) => Ok(path.into_owned()),
        None => invalid(format!("/paths/{place}"), "a path is a string"),
    });
    paths.collect()
}

fn in_filter(error: Error) -> Error {
    match error {
        Error::InvalidFilter { pointer, reason } => {
            Error::InvalidFilter { pointer: format!("/filter{pointer}"), reason }
        }
        other => other,
    }
}

impl fmt::Display for IndexPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.direction == Direction::Descending { "-" } else { "" };
        write!(f, "{sign}{}", self.path)
    }
}
