//! Update operators: `$set`, `$unset` and `$inc`, as MongoDB documents them.
//!
//! An update is read once into a tree of its paths, so that applying it is one pass over the text.
//!
//! Invariant: no path of an update is the beginning of another. Members that it does not name keep
//! their place and their spelling; those it creates are added in the order of their names, and
//! elements in the order of their indexes, whatever the order in the update.

use std::collections::BTreeMap;

use super::{
    Document, Draft, Json,
    fault::push_pointer,
    number::Number,
    path::Path,
    raw::{Kind, Raw},
    rewrite::rewrite,
};
use crate::error::{Error, Result};
use crate::limits::FILTER_BYTES_MAX;
use crate::names::DocumentId;

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
    let id = DocumentId::new(&before.id())?;
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn updated(body: &str, update: &str) -> Result<String> {
        let id = DocumentId::new("x")?;
        let document = Draft::parse(body.as_bytes())?.into_document(&id)?;
        let updated = Update::parse(update)?.apply(&document)?;
        Ok(updated.json().replacen(r#""_id":"x","#, "", 1).replacen(r#""_id":"x""#, "", 1))
    }

    fn refusal(body: &str, update: &str) -> (String, String) {
        match updated(body, update).unwrap_err() {
            Error::InvalidUpdate { pointer, reason } => (pointer, reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operators() {
        for (body, update, result) in [
            (r#"{"b":1.50,"a":2}"#, r#"{"$set":{"a":{"c":[]}}}"#, r#"{"b":1.50,"a":{"c":[]}}"#),
            ("{}", r#"{"$set":{"a.b.c":1,"a.b.d":2}}"#, r#"{"a":{"b":{"c":1,"d":2}}}"#),
            ("{}", r#"{"$set":{"a.0":1}}"#, r#"{"a":{"0":1}}"#),
            (r#"{"a":[1,2]}"#, r#"{"$set":{"a.0":9,"a.4":5}}"#, r#"{"a":[9,2,null,null,5]}"#),
            (r#"{"a":[{"b":1}]}"#, r#"{"$set":{"a.0.c":2}}"#, r#"{"a":[{"b":1,"c":2}]}"#),
            (r#"{"a":[]}"#, r#"{"$set":{"a.1.b":2}}"#, r#"{"a":[null,{"b":2}]}"#),
            (r#"{"\u0061":1}"#, r#"{"$set":{"a":2}}"#, r#"{"\u0061":2}"#),
            (r#"{"a":1,"b":2}"#, r#"{"$unset":{"a":"","z":""}}"#, r#"{"b":2}"#),
            (r#"{"a":[1,2]}"#, r#"{"$unset":{"a.0":"","a.7":"","a.b":""}}"#, r#"{"a":[null,2]}"#),
            (r#"{"a":1}"#, r#"{"$unset":{"a.b.c":""}}"#, r#"{"a":1}"#),
            (r#"{"a":{"b":1}}"#, r#"{"$unset":{"a.b":"","c.d":""}}"#, r#"{"a":{}}"#),
            (r#"{"n":1}"#, r#"{"$inc":{"n":2,"m.k":1.50}}"#, r#"{"n":3,"m":{"k":1.50}}"#),
            (r#"{"n":1}"#, r#"{"$inc":{"n":0.5}}"#, r#"{"n":1.5}"#),
            (r#"{"n":9223372036854775807}"#, r#"{"$inc":{"n":1}}"#, r#"{"n":9223372036854775808}"#),
            (r#"{"a":1}"#, r#"{"$set":{}}"#, r#"{"a":1}"#),
        ] {
            assert_eq!(updated(body, update).unwrap(), result, "{body} {update}");
        }
    }

    #[test]
    fn what_does_not_fit_the_document() {
        for (body, update, pointer) in [
            (r#"{"a":1}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":null}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":[]}"#, r#"{"$set":{"a.b":1}}"#, "/$set/a.b"),
            (r#"{"a":[]}"#, r#"{"$set":{"a.10001":1}}"#, "/$set/a.10001"),
            (r#"{"n":"1"}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":null}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":18446744073709551615}"#, r#"{"$inc":{"n":1}}"#, "/$inc/n"),
            (r#"{"n":-9223372036854775808}"#, r#"{"$inc":{"n":-1}}"#, "/$inc/n"),
            (r#"{"n":1e308}"#, r#"{"$inc":{"n":1e308}}"#, "/$inc/n"),
        ] {
            assert_eq!(refusal(body, update).0, pointer, "{body} {update}");
        }
    }

    #[test]
    fn what_is_no_update() {
        for (update, pointer) in [
            ("[]", ""),
            ("{}", ""),
            (r#"{"a":1}"#, "/a"),
            (r#"{"$push":{"a":1}}"#, "/$push"),
            (r#"{"$set":1}"#, "/$set"),
            (r#"{"$inc":{"n":"1"}}"#, "/$inc/n"),
            (r#"{"$set":{"_id":"y"}}"#, "/$set/_id"),
            (r#"{"$set":{"_version":1}}"#, "/$set/_version"),
            (r#"{"$set":{"_x.y":1}}"#, "/$set/_x.y"),
            (r#"{"$set":{"$x":1}}"#, "/$set/$x"),
            (r#"{"$set":{"":1}}"#, "/$set/"),
            (r#"{"$set":{"a":1},"$inc":{"a":1}}"#, "/$inc/a"),
            (r#"{"$set":{"a.b":1},"$unset":{"a":1}}"#, "/$unset/a"),
            (r#"{"$set":{"a":1},"$unset":{"a.b":1}}"#, "/$unset/a.b"),
            (r#"{"$set":{"a":{"b":1e999}}}"#, "/$set/a/b"),
        ] {
            assert_eq!(refusal("{}", update).0, pointer, "{update}");
        }
        assert!(refusal("{}", r#"{"$push":{}}"#).1.contains("$push"));
    }

    #[test]
    fn limits_hold_for_results() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let set = |path: &str, levels| format!(r#"{{"$set":{{"{path}":{}}}}}"#, deep(levels));
        assert!(updated("{}", &set("a", 61)).is_ok());
        assert!(updated("{}", &set("a.b.c", 61)).is_ok());
        assert_eq!(refusal("{}", &set("a.b.c.d", 61)).0, "");
        let arrays = "[],".repeat(4_000);
        let body = format!(r#"{{"a":[{}]}}"#, arrays.trim_end_matches(','));
        let paths: Vec<_> = (0..4_000).map(|i| format!(r#""a.{i}.9999":0"#)).collect();
        let update = format!(r#"{{"$set":{{{}}}}}"#, paths.join(","));
        assert_eq!(updated(&body, &update).unwrap_err().code(), "limit-exceeded");
    }
}
