//! Reading the JSON form of filters.
//!
//! ```text
//! filter     = { entry* }
//! entry      = "$and": [ filter+ ]  |  path: operand
//! operand    = { operator+ }  |  value                      a value means equality
//! operator   = ("$eq" "$ne" "$gt" "$gte" "$lt" "$lte"): value  |  ("$in" "$nin"): [ value* ]
//! ```
//!
//! Invariant: what is not understood is an error that names it and its place; nothing is skipped.

use super::{Condition, Filter, Node, Operands, Test};
use crate::document::{Json, Kind, Member, Path, Raw, push_pointer};
use crate::error::{Error, Result};
use crate::limits::FILTER_BYTES_MAX;

pub(super) fn filter(text: &str) -> Result<Filter> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(Error::LimitExceeded {
            what: "the size of a filter in bytes",
            max: FILTER_BYTES_MAX as u64,
            actual: text.len() as u64,
        });
    }
    let json = Json::parse(text).map_err(|error| match error {
        Error::InvalidDocument { pointer, reason } => Error::InvalidFilter { pointer, reason },
        other => other,
    })?;
    object(json.as_raw(), &Place::default())
}

/// A place in the filter, as a JSON Pointer.
#[derive(Default)]
struct Place(String);

impl Place {
    fn step(&self, step: &str) -> Place {
        let mut pointer = self.0.clone();
        push_pointer(&mut pointer, step);
        Place(pointer)
    }

    fn error<T>(&self, reason: impl Into<String>) -> Result<T> {
        Err(Error::InvalidFilter { pointer: self.0.clone(), reason: reason.into() })
    }
}

fn object(raw: Raw<'_>, place: &Place) -> Result<Filter> {
    if raw.kind() != Kind::Object {
        return place.error("a filter must be an object");
    }
    let mut parts = Vec::new();
    for entry in raw.members() {
        let name = entry.name();
        let place = place.step(&name);
        match &*name {
            "$and" => parts.push(and(entry.value, &place)?),
            operator if operator.starts_with('$') => return unknown(operator, &place),
            path => match Path::parse(path) {
                Ok(path) => parts.push(conditions(&path, entry.value, &place)?),
                Err(invalid) => return place.error(invalid.to_string()),
            },
        }
    }
    Ok(Filter::all_of(parts))
}

fn and(operand: Raw<'_>, place: &Place) -> Result<Filter> {
    if operand.kind() != Kind::Array || operand.elements().next().is_none() {
        return place.error("$and needs an array with at least one filter");
    }
    let filters = operand.elements().enumerate();
    let parts: Result<Vec<_>> =
        filters.map(|(i, element)| object(element, &place.step(&i.to_string()))).collect();
    Ok(Filter::all_of(parts?))
}

/// The conditions on one path: those of the operators, or equality with the value.
fn conditions(path: &Path, operand: Raw<'_>, place: &Place) -> Result<Filter> {
    let is_operator = |member: &Member<'_>| member.name().starts_with('$');
    if !operand.members().any(|member| is_operator(&member)) {
        return Ok(condition(path, Test::Eq(json(operand))));
    }
    let mut parts = Vec::new();
    for member in operand.members() {
        let place = place.step(&member.name());
        if !is_operator(&member) {
            return place.error("a plain member stands among operators; use $eq for an object");
        }
        parts.push(condition(path, test(&member, &place)?));
    }
    Ok(Filter::all_of(parts))
}

fn test(operator: &Member<'_>, place: &Place) -> Result<Test> {
    let name = operator.name();
    let value = || json(operator.value);
    let list = || {
        if operator.value.kind() != Kind::Array {
            return place.error(format!("{name} needs an array of values"));
        }
        Ok(Operands::new(operator.value.elements().map(json)))
    };
    Ok(match &*name {
        "$eq" => Test::Eq(value()),
        "$ne" => Test::Ne(value()),
        "$gt" => Test::Gt(value()),
        "$gte" => Test::Gte(value()),
        "$lt" => Test::Lt(value()),
        "$lte" => Test::Lte(value()),
        "$in" => Test::In(list()?),
        "$nin" => Test::Nin(list()?),
        unknown_name => return unknown(unknown_name, place),
    })
}

fn condition(path: &Path, test: Test) -> Filter {
    Filter { root: Node::Condition(Condition { path: path.clone(), test }) }
}

fn json(raw: Raw<'_>) -> Json {
    Json::trusted(raw.text())
}

fn unknown<T>(operator: &str, place: &Place) -> Result<T> {
    place.error(format!("the operator {operator:?} is not known"))
}
