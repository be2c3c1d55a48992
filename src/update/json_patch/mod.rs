//! JSON Patch (RFC 6902) over text.
//!
//! The crate `json-patch` works on `serde_json::Value`, which would lose the spelling of numbers
//! and strings and with it the promise of an update: what it does not name stays byte for byte.
//!
//! A patch sees the document as reads show it, with `_id` and `_version`. Both may be tested and
//! copied; neither may be changed.
//!
//! Invariant: either all operations take effect or none does.

mod pointer;
mod tree;

use super::{invalid, invalid_update, operators::json};
use crate::document::{Document, Draft, Json, Kind, Raw, push_pointer};
use crate::error::{Error, Result};
use crate::limits::BATCH_OPERATIONS_MAX;
use crate::names::DocumentId;
use pointer::Pointer;
use tree::{Node, Refusal, Tree};

/// A list of operations on places of a document, of which some may be tests.
///
/// ```
/// use monsterdb::{DocumentId, Draft, JsonPatch};
/// let document = Draft::parse(br#"{"a": [1, 2.50]}"#)?.into_document(&DocumentId::new("x")?)?;
/// let patch = JsonPatch::parse(
///     r#"[{"op": "test", "path": "/a/0", "value": 1}, {"op": "move", "from": "/a/1", "path": "/b"}]"#,
/// )?;
/// assert_eq!(patch.apply(&document)?.json(), r#"{"_id":"x","a":[1],"b":2.50}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPatch {
    operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq)]
struct Operation {
    path: Pointer,
    action: Action,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Add(Json),
    Remove,
    Replace(Json),
    Move(Pointer),
    Copy(Pointer),
    Test(Json),
}

impl JsonPatch {
    /// Reads a patch. Members of an operation that the standard does not name are passed over, as
    /// it asks.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] when it is not JSON; [`Error::InvalidUpdate`] with the place when an
    /// operation is not one or would change `_id` or `_version`; [`Error::LimitExceeded`] when it
    /// is too long.
    pub fn parse(text: &str) -> Result<JsonPatch> {
        let json = Json::parse(text).map_err(invalid_update)?;
        let list = json.as_raw();
        if list.kind() != Kind::Array {
            return Err(invalid("", "a JSON Patch is an array of operations"));
        }
        let mut operations = Vec::new();
        for (place, operation) in list.elements().enumerate() {
            if place == BATCH_OPERATIONS_MAX {
                return Err(Error::LimitExceeded {
                    what: "the number of operations of a JSON Patch",
                    max: BATCH_OPERATIONS_MAX as u64,
                    actual: list.elements().count() as u64,
                });
            }
            let read = Operation::read(operation);
            operations.push(read.map_err(|(member, reason)| invalid(at(place, member), reason))?);
        }
        Ok(JsonPatch { operations })
    }

    /// The patched document, not stamped yet.
    ///
    /// # Errors
    ///
    /// [`Error::TestFailed`] when a test does; [`Error::InvalidUpdate`] with the place in the patch
    /// when an operation names a place that is not there, or the result breaks a rule;
    /// [`Error::LimitExceeded`] when the document would become too large at any step, or the patch
    /// takes too much work.
    pub fn apply(&self, document: &Document) -> Result<Document> {
        let text = document.to_json_with_version();
        let mut tree = Tree::new(Raw::trusted(&text));
        for (place, operation) in self.operations.iter().enumerate() {
            operation.run(place, &mut tree)?;
        }
        let text = tree.into_text();
        let id = DocumentId::new(&document.id())?;
        let draft = Draft::parse(text.as_bytes()).map_err(super::broken_result)?;
        if draft.id().is_some_and(|own| *own != id) {
            return Err(invalid("", "_id never changes"));
        }
        if draft.expected().is_some_and(|version| version != document.version()) {
            return Err(invalid("", "_version is the engine's to change"));
        }
        draft.into_document(&id)
    }
}

impl std::str::FromStr for JsonPatch {
    type Err = Error;

    fn from_str(text: &str) -> Result<JsonPatch> {
        JsonPatch::parse(text)
    }
}

/// The member of an operation that is wrong, and why.
type Fault = (&'static str, String);

impl Operation {
    fn read(operation: Raw<'_>) -> std::result::Result<Operation, Fault> {
        if operation.kind() != Kind::Object {
            return Err(("", "an operation must be an object".to_owned()));
        }
        let text = |member: &'static str| {
            let text = operation.member(member).and_then(Raw::as_str);
            text.ok_or_else(|| (member, "a string is needed".to_owned()))
        };
        let pointer = |member: &'static str| {
            Pointer::parse(&text(member)?).map_err(|rule| (member, rule.to_owned()))
        };
        let value = || {
            let value = operation.member("value").map(json);
            value.ok_or_else(|| ("value", "a value is needed".to_owned()))
        };
        let name = text("op")?;
        let path = pointer("path")?;
        let action = match &*name {
            "add" => Action::Add(value()?),
            "remove" => Action::Remove,
            "replace" => Action::Replace(value()?),
            "move" => Action::Move(pointer("from")?),
            "copy" => Action::Copy(pointer("from")?),
            "test" => Action::Test(value()?),
            unknown => return Err(("op", format!("the operation {unknown:?} is not known"))),
        };
        let operation = Operation { path, action };
        operation.check()?;
        Ok(operation)
    }

    /// Refuses what no document can be taken through.
    fn check(&self) -> std::result::Result<(), Fault> {
        let kept = |member, pointer: &Pointer| match pointer.kept_member() {
            Some(name) => Err((member, format!("{name} is the engine's to change"))),
            None => Ok(()),
        };
        match &self.action {
            Action::Test(_) => Ok(()),
            Action::Remove if self.path.steps().is_empty() => {
                Err(("path", "the document itself cannot be removed by a patch".to_owned()))
            }
            Action::Move(from) if from.holds(&self.path) => {
                Err(("path", "a value cannot be moved into itself".to_owned()))
            }
            Action::Move(from) => kept("from", from).and(kept("path", &self.path)),
            Action::Add(_) | Action::Remove | Action::Replace(_) | Action::Copy(_) => {
                kept("path", &self.path)
            }
        }
    }

    fn run<'a>(&'a self, place: usize, tree: &mut Tree<'a>) -> Result<()> {
        let refused = |member, refusal| match refusal {
            Refusal::Place(reason) => invalid(at(place, member), reason),
            Refusal::Limit(error) => error,
        };
        let in_path = |refusal| refused("path", refusal);
        let in_from = |refusal| refused("from", refusal);
        match &self.action {
            Action::Add(value) => self.add(tree, Node::Text(value.as_raw())).map_err(in_path),
            Action::Remove => match self.path.split_last() {
                Some((way, last)) => tree.take(way, last).map(drop).map_err(in_path),
                None => Ok(()),
            },
            Action::Replace(value) => {
                let value = Node::Text(value.as_raw());
                tree.replace(self.path.steps(), value).map_err(in_path)
            }
            Action::Copy(from) => {
                let value = tree.copy(from.steps()).map_err(in_from)?;
                self.add(tree, value).map_err(in_path)
            }
            Action::Move(from) if *from == self.path => {
                tree.copy(from.steps()).map(drop).map_err(in_from)
            }
            Action::Move(from) => match from.split_last() {
                Some((way, last)) => {
                    let value = tree.take(way, last).map_err(in_from)?;
                    self.add(tree, value).map_err(in_path)
                }
                None => Ok(()),
            },
            Action::Test(value) => {
                match tree.is_equal(self.path.steps(), value.as_raw()).map_err(in_path)? {
                    true => Ok(()),
                    false => Err(Error::TestFailed {
                        pointer: at(place, ""),
                        path: self.path.as_str().to_owned(),
                    }),
                }
            }
        }
    }

    fn add<'a>(&self, tree: &mut Tree<'a>, value: Node<'a>) -> std::result::Result<(), Refusal> {
        match self.path.split_last() {
            Some((way, last)) => tree.insert(way, last, value),
            None => tree.replace(&[], value),
        }
    }
}

/// A place in the patch: an operation, or a member of one.
fn at(place: usize, member: &str) -> String {
    let mut pointer = format!("/{place}");
    if !member.is_empty() {
        push_pointer(&mut pointer, member);
    }
    pointer
}

#[cfg(test)]
mod tests;
