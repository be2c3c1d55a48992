//! Changes to documents: update operators as MongoDB documents them ([`Update`]), merge patches
//! (RFC 7396, [`MergePatch`]) and JSON Patch (RFC 6902, [`JsonPatch`]).
//!
//! Each copies a document's text once and changes it where it is told to. What it makes passes the
//! border again, as any other document.
//!
//! The module stands above `filter`, because the conditions of `$pull` are filters, and below
//! `snapshot`, because an update is a function of one document and knows of no others.
//!
//! Invariant: no path of an update is the beginning of another. Members that it does not name keep
//! their place and their spelling; those it creates are added in the order of their names, and
//! elements in the order of their indexes, whatever the order in the update.

mod add_to_set;
mod json_patch;
mod members;
mod operators;
mod patch;
mod pull;
mod push;
mod rename;
mod rewrite;
mod tree;

pub use json_patch::JsonPatch;
pub use patch::MergePatch;

use crate::document::{Document, Draft, Json, Kind, Path, Raw, push_pointer};
use crate::error::{Error, Result};
use crate::limits::FILTER_BYTES_MAX;
use crate::names::DocumentId;
use rename::Rename;
use rewrite::rewrite;
use tree::{Branch, Change};

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
    renames: Vec<Rename>,
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
        let mut update = Update { root: Branch::default(), renames: Vec::new() };
        for operator in json.as_raw().members() {
            read_operator(&operator.name(), operator.value, &mut update)?;
        }
        if json.as_raw().members().next().is_none() {
            return Err(invalid("", "an update needs an operator"));
        }
        rename::check(&update.renames, &update.root)?;
        Ok(update)
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
        let root = rename::resolve(&self.renames, &self.root, document.raw())?;
        rewrite(&root, document.raw(), &mut text)?;
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
    let id = DocumentId::new(&before.id())?;
    Draft::parse(text.as_bytes()).and_then(|draft| draft.into_document(&id)).map_err(broken_result)
}

/// What the border says of a result, as a fault of the update.
fn broken_result(error: Error) -> Error {
    match error {
        Error::InvalidDocument { pointer, reason } => {
            invalid("", format!("the result breaks a rule at {pointer:?}: {reason}"))
        }
        other => other,
    }
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

fn read_operator(name: &str, operand: Raw<'_>, update: &mut Update) -> Result<()> {
    let mut pointer = String::new();
    push_pointer(&mut pointer, name);
    let read = operators::reader(name);
    if read.is_none() && name != "$rename" {
        return Err(invalid(pointer, format!("the operator {name:?} is not known")));
    }
    if operand.kind() != Kind::Object {
        return Err(invalid(pointer, format!("{name} needs an object of paths and values")));
    }
    for member in operand.members() {
        let mut pointer = pointer.clone();
        push_pointer(&mut pointer, &member.name());
        let path = read_path(&member.name());
        let path = path.map_err(|reason| invalid(&*pointer, reason))?;
        match read {
            Some(read) => {
                let operation = read(member.value).map_err(|reason| invalid(&*pointer, reason))?;
                update.root.insert(&path, Change { pointer, operation })?;
            }
            None => update.renames.push(Rename::read(path, member.value, pointer)?),
        }
    }
    Ok(())
}

fn read_path(text: &str) -> Result<Path, String> {
    let path = Path::parse(text).map_err(|invalid| invalid.to_string())?;
    match path.as_str().split('.').next() {
        Some("_id") => Err("_id never changes".to_owned()),
        Some(name) if name.starts_with('_') => Err(format!("{name} is reserved")),
        Some(_) | None => Ok(path),
    }
}

#[cfg(test)]
mod tests;
