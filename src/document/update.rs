//! Update operators: `$set`, `$unset` and `$inc`, as MongoDB documents them.
//!
//! An update is read once into a tree of its paths, so that applying it is one pass over the text.
//!
//! Invariant: no path of an update is the beginning of another, so the order in which its changes
//! are made does not matter. Members that it does not name keep their place and their spelling;
//! those it creates are added in the order of their names.

use std::collections::BTreeMap;

use super::{
    Document, Draft, Json,
    json::push_pointer,
    number::Number,
    path::Path,
    raw::{Kind, Raw},
    rewrite::rewrite,
};
use crate::error::{Error, Result};
use crate::limits::FILTER_BYTES_MAX;

/// Changes to a document, by path.
///
/// ```
/// use monsterdb::{DocumentId, Draft, Update};
/// let document = Draft::parse(br#"{"n": 1, "tags": ["a"]}"#)?.into_document(&DocumentId::new("x")?)?;
/// let update = Update::parse(r#"{"$inc": {"n": 2}, "$set": {"tags.1": "b"}}"#)?;
/// assert_eq!(update.apply(&document)?.json(), r#"{"_id":"x","n":3,"tags":["a","b"]}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    root: Branch,
}

/// All changes below one place, by the next step.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Branch {
    pub(super) children: BTreeMap<Box<str>, Node>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Branch(Branch),
    Leaf(Change),
}

/// One change, and its place in the update.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) pointer: String,
    pub(super) operation: Operation,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    Set(Json),
    Unset,
    Inc(Json, Number),
}

impl Update {
    /// Reads an update such as `{"$set":{"a.b":1},"$inc":{"n":-2}}`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] when it is not JSON; [`Error::InvalidUpdate`] with the place when an
    /// operator is unknown, an operand does not fit it, a path is not one, names `_id` or another
    /// reserved member, or is the beginning of another path; [`Error::LimitExceeded`] when the text
    /// is too long.
    pub fn parse(text: &str) -> Result<Update> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(Error::LimitExceeded {
                what: "the size of an update in bytes",
                max: FILTER_BYTES_MAX as u64,
                actual: text.len() as u64,
            });
        }
        let json = Json::parse(text).map_err(invalid_update)?;
        if json.as_raw().kind() != Kind::Object {
            return Err(invalid("", "an update must be an object of operators"));
        }
        let mut root = Branch::default();
        for operator in json.as_raw().members() {
            read_operator(&operator.name(), operator.value, &mut root)?;
        }
        if json.as_raw().members().next().is_none() {
            return Err(invalid("", "an update needs an operator"));
        }
        Ok(Update { root })
    }

    /// The changed document, not stamped yet.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`] with the place in the update when a change does not fit the
    /// document (a path through a scalar, `$inc` of what is no number, a sum out of range) or makes
    /// it break a rule; [`Error::LimitExceeded`] when it makes it too large.
    pub fn apply(&self, document: &Document) -> Result<Document> {
        let mut text = String::with_capacity(document.json().len() + 64);
        rewrite(&self.root, document.raw(), &mut text)?;
        finish(&text, document)
    }
}

impl std::str::FromStr for Update {
    type Err = Error;

    fn from_str(text: &str) -> Result<Update> {
        Update::parse(text)
    }
}

/// The document that this text makes, checked again as any other: there is one border.
pub(super) fn finish(text: &str, before: &Document) -> Result<Document> {
    let id = crate::names::DocumentId::new(&before.id())?;
    Draft::parse(text.as_bytes()).and_then(|draft| draft.into_document(&id)).map_err(|error| {
        match error {
            Error::InvalidDocument { pointer, reason } => {
                invalid("", format!("the result breaks a rule at {pointer:?}: {reason}"))
            }
            other => other,
        }
    })
}

pub(super) fn invalid(pointer: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::InvalidUpdate { pointer: pointer.into(), reason: reason.into() }
}

fn invalid_update(error: Error) -> Error {
    match error {
        Error::InvalidDocument { pointer, reason } => Error::InvalidUpdate { pointer, reason },
        other => other,
    }
}

fn read_operator(name: &str, operand: Raw<'_>, root: &mut Branch) -> Result<()> {
    let mut pointer = String::new();
    push_pointer(&mut pointer, name);
    let read: fn(Raw<'_>) -> Result<Operation, String> = match name {
        "$set" => |value| Ok(Operation::Set(Json::trusted(value.text()))),
        "$unset" => |_| Ok(Operation::Unset),
        "$inc" => |value| match value.number() {
            Some(number) => Ok(Operation::Inc(Json::trusted(value.text()), number)),
            None => Err("$inc needs a number".to_owned()),
        },
        unknown => return Err(invalid(pointer, format!("the operator {unknown:?} is not known"))),
    };
    if operand.kind() != Kind::Object {
        return Err(invalid(pointer, format!("{name} needs an object of paths and values")));
    }
    for member in operand.members() {
        let mut pointer = pointer.clone();
        push_pointer(&mut pointer, &member.name());
        let operation = match read(member.value) {
            Ok(operation) => operation,
            Err(reason) => return Err(invalid(pointer, reason)),
        };
        let path = match read_path(&member.name()) {
            Ok(path) => path,
            Err(reason) => return Err(invalid(pointer, reason)),
        };
        root.insert(&path, Change { pointer, operation })?;
    }
    Ok(())
}

fn read_path(text: &str) -> Result<Path, String> {
    let path = Path::parse(text).map_err(|invalid| invalid.to_string())?;
    match path.parts().first().map(|part| &*part.name) {
        Some("_id") => Err("_id never changes".to_owned()),
        Some(name) if name.starts_with('_') => Err(format!("{name} is reserved")),
        Some(_) | None => Ok(path),
    }
}

impl Branch {
    /// Hangs a change into the tree. Where two paths meet, one is the beginning of the other.
    fn insert(&mut self, path: &Path, change: Change) -> Result<()> {
        let conflict = |pointer: String| {
            Err(invalid(
                pointer,
                format!("{path} is, or lies on the way to, another path of the update"),
            ))
        };
        let Some((last, way)) = path.parts().split_last() else { return Ok(()) };
        let mut branch = self;
        for part in way {
            let deeper = || Node::Branch(Branch::default());
            match branch.children.entry(part.name.clone()).or_insert_with(deeper) {
                Node::Branch(next) => branch = next,
                Node::Leaf(_) => return conflict(change.pointer),
            }
        }
        if branch.children.contains_key(&last.name) {
            return conflict(change.pointer);
        }
        branch.children.insert(last.name.clone(), Node::Leaf(change));
        Ok(())
    }
}
