//! Reading the JSON form of filters.
//!
//! ```text
//! filter     = { entry* }
//! entry      = ("$and" "$or" "$nor"): [ filter+ ]  |  path: operand
//! operand    = { operator+ }  |  value                      a value means equality
//! ```
//!
//! The operators are read in `operators`.
//!
//! Invariant: what is not understood is an error that names it and its place; nothing is skipped.

use std::cell::Cell;

use super::{
    Filter,
    node::{Node, Test},
    operators,
};
use crate::document::{Json, Kind, Member, Path, Raw, push_pointer};
use crate::error::{Error, Result};
use crate::limits::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_PATTERNS_MAX, NESTING_DEPTH_MAX};

/// Levels of JSON text that a filter takes at most in its canonical form: none of its operators
/// takes more than four (`{"$and":[{"a":{"$all":[…]}}]}` are five for two), and the innermost holds
/// a value of a document.
const TEXT_DEPTH_MAX: usize = 4 * FILTER_DEPTH_MAX + NESTING_DEPTH_MAX;

pub(super) fn filter(text: &str) -> Result<Filter> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(Error::LimitExceeded {
            what: "the size of a filter in bytes",
            max: FILTER_BYTES_MAX as u64,
            actual: text.len() as u64,
        });
    }
    let json = Json::parse_nested(text, TEXT_DEPTH_MAX).map_err(|error| match error {
        Error::InvalidDocument { pointer, reason } => Error::InvalidFilter { pointer, reason },
        other => other,
    })?;
    let patterns = Cell::new(0);
    object(json.as_raw(), &Place::root(&patterns)).map(Filter::new)
}

/// A place in the filter, as a JSON Pointer, and what was met on the way to it.
pub(super) struct Place<'a> {
    pointer: String,
    /// Patterns compiled so far: the limit on them must hold before there are too many.
    patterns: &'a Cell<usize>,
}

impl<'a> Place<'a> {
    pub(super) fn root(patterns: &'a Cell<usize>) -> Place<'a> {
        Place { pointer: String::new(), patterns }
    }

    pub(super) fn step(&self, step: &str) -> Place<'a> {
        let mut pointer = self.pointer.clone();
        push_pointer(&mut pointer, step);
        Place { pointer, patterns: self.patterns }
    }

    pub(super) fn error<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::InvalidFilter { pointer: self.pointer.clone(), reason: reason.into() })
    }

    /// Refuses what is no value of a document, because it is too deep.
    pub(super) fn value(&self, raw: Raw<'_>) -> Result<Json> {
        if raw.depth() > NESTING_DEPTH_MAX {
            let reason = format!("the value is nested deeper than {NESTING_DEPTH_MAX} levels");
            return self.error(reason);
        }
        Ok(Json::trusted(raw.text()))
    }

    pub(super) fn count_pattern(&self) -> Result<()> {
        self.patterns.set(self.patterns.get() + 1);
        if self.patterns.get() > FILTER_PATTERNS_MAX {
            return self.error(format!("a filter holds at most {FILTER_PATTERNS_MAX} patterns"));
        }
        Ok(())
    }

    /// A node as its constructor made it, unless a limit forbids it.
    fn node(&self, node: Node) -> Result<Node> {
        match node {
            Node::Invalid(invalid) => self.error(invalid.reason),
            Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Condition(_) => Ok(node),
        }
    }
}

/// The filter that an object is.
pub(super) fn object(raw: Raw<'_>, place: &Place<'_>) -> Result<Node> {
    if raw.kind() != Kind::Object {
        return place.error("a filter must be an object");
    }
    let mut parts = Vec::new();
    for entry in raw.members() {
        let name = entry.name();
        let place = place.step(&name);
        let part = match &*name {
            "$and" => Node::all(list(&name, entry.value, &place)?),
            "$or" => Node::any(list(&name, entry.value, &place)?),
            "$nor" => Node::none(list(&name, entry.value, &place)?),
            operator if operator.starts_with('$') => return operators::misplaced(operator, &place),
            path => match Path::parse(path) {
                Ok(path) => conditions(&path, entry.value, &place)?,
                Err(invalid) => return place.error(invalid.to_string()),
            },
        };
        parts.push(place.node(part)?);
    }
    place.node(Node::all(parts))
}

/// The filters in the array of a logical operator.
fn list(operator: &str, operand: Raw<'_>, place: &Place<'_>) -> Result<Vec<Node>> {
    if operand.kind() != Kind::Array || operand.elements().next().is_none() {
        return place.error(format!("{operator} needs an array with at least one filter"));
    }
    let filters = operand.elements().enumerate();
    filters.map(|(i, element)| object(element, &place.step(&i.to_string()))).collect()
}

/// The conditions on one path: those of the operators, or equality with the value.
fn conditions(path: &Path, operand: Raw<'_>, place: &Place<'_>) -> Result<Node> {
    let tests = if operators::among(operand) {
        operators::tests(operand, place)?
    } else {
        vec![Test::Eq(place.value(operand)?)]
    };
    let condition = |test| place.node(Node::condition(path.clone(), test));
    Ok(Node::all(tests.into_iter().map(condition).collect::<Result<_>>()?))
}

/// True for the members that are operators.
pub(super) fn is_operator(member: &Member<'_>) -> bool {
    member.key().starts_with("\"$") || member.name().starts_with('$')
}
