//! Projections: which members of documents an answer shows.
//!
//! ```text
//! fields   = path, …                 only these                      ["name", "address.city"]
//!          | "-" path, …             all but these                   ["-secret"]
//! ```
//!
//! Paths name members, and reach through arrays as MongoDB's projections do: every object in an
//! array is projected by itself, at any depth of arrays; a number in a path is a name like any
//! other. What is shown keeps its order and its spelling.
//!
//! - An absent child leaves nothing, neither null nor a parent made up for it. A parent that is
//!   there stays: of `{"a":{"x":1},"b":[{"x":1},7]}` the fields `a.c` and `b.c` leave
//!   `{"a":{},"b":[{}]}`. A scalar where a path goes on is not shown by an inclusion, and is left
//!   as it is by an exclusion.
//! - `_id` and `_version` stay unless `-_id` and `-_version` say otherwise, which both kinds may.
//! - Including and excluding do not mix, and no path stands twice or within another.
//!
//! Invariant: the text is passed over once, from its beginning to its end.

use std::{collections::BTreeMap, str::FromStr};

use super::invalid;
use crate::{
    document::{Document, Json, Kind, Path, Raw},
    error::{Error, Result},
    limits::PROJECTION_PATHS_MAX,
    version::Version,
};

/// Which members of documents an answer shows.
///
/// ```
/// use monsterdb::{DocumentId, Draft, Projection};
/// let text = br#"{"name": "Ada", "address": {"city": "London", "zip": 1}, "age": 36}"#;
/// let document = Draft::parse(text)?.into_document(&DocumentId::new("ada")?)?;
/// let fields: Projection = "name,address.city,-_id".parse()?;
/// assert_eq!(fields.apply(&document).as_str(), r#"{"name":"Ada","address":{"city":"London"}}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    kind: ProjectionKind,
    paths: Branch,
    id: bool,
    version: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProjectionKind {
    Include,
    Exclude,
}

/// The paths that begin in one object, by the names that they begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Branch(BTreeMap<Box<str>, Node>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    /// A path ends here.
    Leaf,
    /// Paths go on from here.
    Branch(Branch),
}

/// What is being read: the signs of `_id` and `_version`, and of all other paths.
#[derive(Default)]
struct Reading {
    kind: Option<ProjectionKind>,
    paths: Branch,
    id: Option<ProjectionKind>,
    version: Option<ProjectionKind>,
}

impl Projection {
    /// Whole documents.
    pub fn all() -> Projection {
        Projection {
            kind: ProjectionKind::Exclude,
            paths: Branch::default(),
            id: true,
            version: true,
        }
    }

    /// Reads fields, each with a leading `-` where it is left out. Without any, documents are
    /// shown whole.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`] that names the field when it is no path, stands twice or within
    /// another, or excludes while others include; and when there are too many.
    pub fn parse<'a>(fields: impl IntoIterator<Item = &'a str>) -> Result<Projection> {
        let mut reading = Reading::default();
        for (place, field) in fields.into_iter().enumerate() {
            if place == PROJECTION_PATHS_MAX {
                return Err(invalid(format!("at most {PROJECTION_PATHS_MAX} fields are named")));
            }
            reading.take(field.trim())?;
        }
        Ok(reading.end())
    }

    /// True when it shows documents as they are.
    pub fn is_all(&self) -> bool {
        *self == Projection::all()
    }

    /// What it shows of a document, with `_version` after `_id` as reads show it.
    pub fn apply(&self, document: &Document) -> Json {
        let mut text = String::new();
        self.write(document, &mut text);
        Json::trusted(text)
    }

    /// Writes what it shows of a document, with `_version` after `_id` as reads show it.
    pub fn write(&self, document: &Document, out: &mut String) {
        match self.is_all() {
            true => document.write_with_version(out),
            false => self.write_members(document, document.version(), out),
        }
    }

    /// What it shows of a document's own text, in which there is no `_version`.
    pub(crate) fn stored_text(&self, document: &Document) -> String {
        let mut text = String::new();
        self.write_members(document, Version::ZERO, &mut text);
        text
    }

    fn write_members(&self, document: &Document, version: Version, out: &mut String) {
        let mut object = List::open(out, '{');
        for (place, member) in document.raw().members().enumerate() {
            // The id stands first in every document.
            if place == 0 {
                if self.id {
                    object.next().push_str(member.key());
                    object.more(":").push_str(member.value.text());
                }
                if self.version && version > Version::ZERO {
                    object.next().push_str(r#""_version":"#);
                    object.more("").push_str(&version.to_string());
                }
                continue;
            }
            self.kind.member(&self.paths, &member.name(), member.key(), member.value, &mut object);
        }
        object.close('}');
    }
}

impl Reading {
    fn take(&mut self, field: &str) -> Result<()> {
        let (kind, name) = match field.strip_prefix('-') {
            Some(name) => (ProjectionKind::Exclude, name),
            None => (ProjectionKind::Include, field),
        };
        let own = match name {
            "_id" => Some(&mut self.id),
            "_version" => Some(&mut self.version),
            _ => None,
        };
        if let Some(own) = own {
            return match own.replace(kind) {
                None => Ok(()),
                Some(_) => Err(invalid(format!("the field {name:?} stands twice"))),
            };
        }
        let path = Path::parse(name)
            .map_err(|reason| invalid(format!("cannot show the field {name:?}: {reason}")))?;
        if *self.kind.get_or_insert(kind) != kind {
            return Err(invalid(format!(
                "the field {field:?} does not go with the others: fields include or exclude, but \
                 for _id and _version"
            )));
        }
        match self.paths.insert(path.as_str()) {
            true => Ok(()),
            false => {
                Err(invalid(format!("the field {name:?} stands twice, or one within the other")))
            }
        }
    }

    /// Where nothing but `_id` and `_version` is named, naming one without `-` asks for it alone.
    fn end(self) -> Projection {
        let Reading { kind, paths, id, version } = self;
        let own = [id, version].into_iter().flatten();
        let least = own.fold(ProjectionKind::Exclude, |kind, own| match own {
            ProjectionKind::Include => own,
            ProjectionKind::Exclude => kind,
        });
        let shown = |own: Option<ProjectionKind>| own != Some(ProjectionKind::Exclude);
        Projection { kind: kind.unwrap_or(least), paths, id: shown(id), version: shown(version) }
    }
}

impl Branch {
    /// Adds a path; false when it meets another one.
    fn insert(&mut self, path: &str) -> bool {
        let (name, rest) = match path.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        match (self.0.get_mut(name), rest) {
            (None, None) => {
                self.0.insert(name.into(), Node::Leaf);
                true
            }
            (None, Some(rest)) => {
                let mut branch = Branch::default();
                branch.insert(rest);
                self.0.insert(name.into(), Node::Branch(branch));
                true
            }
            (Some(Node::Branch(branch)), Some(rest)) => branch.insert(rest),
            (Some(Node::Leaf), _) | (Some(Node::Branch(_)), None) => false,
        }
    }
}

impl ProjectionKind {
    /// Writes what is shown of one member of an object.
    fn member(self, paths: &Branch, name: &str, key: &str, value: Raw<'_>, object: &mut List<'_>) {
        let shown = match paths.0.get(name) {
            None => self == ProjectionKind::Exclude,
            Some(Node::Leaf) => self == ProjectionKind::Include,
            Some(Node::Branch(rest)) => {
                if self.shows(value) {
                    object.next().push_str(key);
                    self.value(rest, value, object.more(":"));
                }
                false
            }
        };
        if shown {
            object.next().push_str(key);
            object.more(":").push_str(value.text());
        }
    }

    /// Whether anything is shown of a value that paths go on from.
    fn shows(self, value: Raw<'_>) -> bool {
        self == ProjectionKind::Exclude || matches!(value.kind(), Kind::Object | Kind::Array)
    }

    /// Writes what is shown of a value that paths go on from.
    fn value(self, paths: &Branch, value: Raw<'_>, out: &mut String) {
        match value.kind() {
            Kind::Object => {
                let mut object = List::open(out, '{');
                for member in value.members() {
                    self.member(paths, &member.name(), member.key(), member.value, &mut object);
                }
                object.close('}');
            }
            Kind::Array => {
                let mut array = List::open(out, '[');
                for element in value.elements().filter(|element| self.shows(*element)) {
                    self.value(paths, element, array.next());
                }
                array.close(']');
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => out.push_str(value.text()),
        }
    }
}

/// An object or array being written, its commas minded.
struct List<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> List<'a> {
    fn open(out: &'a mut String, bracket: char) -> List<'a> {
        out.push(bracket);
        List { out, empty: true }
    }

    /// Where the next item is written.
    fn next(&mut self) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out
    }

    /// Where the item goes on after `text`.
    fn more(&mut self, text: &str) -> &mut String {
        self.out.push_str(text);
        self.out
    }

    fn close(self, bracket: char) {
        self.out.push(bracket);
    }
}

impl FromStr for Projection {
    type Err = Error;

    /// Reads comma-separated fields: `name,address.city`.
    fn from_str(text: &str) -> Result<Projection> {
        Projection::parse(text.split(','))
    }
}

impl Default for Projection {
    fn default() -> Projection {
        Projection::all()
    }
}
