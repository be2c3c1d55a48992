//! Writing the JSON form of filters, such as `{"total":{"$gt":100}}`.
//!
//! Invariant: reading what is written here gives the same filter again.

use std::{collections::BTreeSet, fmt};

use super::{Condition, Node, Test};
use crate::document::{Json, Kind};

pub(super) fn write(parts: &[Node], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if fits_one_object(parts) {
        return write_object(parts, f);
    }
    f.write_str(r#"{"$and":["#)?;
    for (index, part) in parts.iter().enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        write_object(std::slice::from_ref(part), f)?;
    }
    f.write_str("]}")
}

/// True when no path meets the same operator twice, and conditions on one path stand together:
/// then each path is one member.
fn fits_one_object(parts: &[Node]) -> bool {
    let mut paths = BTreeSet::new();
    by_path(parts).all(|group| {
        let mut operators = BTreeSet::new();
        let (path, _) = describe(group.first());
        paths.insert(path) && group.iter().all(|part| operators.insert(describe(Some(part)).1))
    })
}

fn write_object(parts: &[Node], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    for (index, group) in by_path(parts).enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        write!(f, "{}:", Json::from(describe(group.first()).0))?;
        match group {
            [Node::Condition(Condition { test: Test::Eq(operand), .. })] if is_plain(operand) => {
                write!(f, "{operand}")?;
            }
            operators => write_operators(operators, f)?,
        }
    }
    f.write_str("}")
}

fn write_operators(parts: &[Node], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    for (index, part) in parts.iter().enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        write!(f, "{}:", Json::from(describe(Some(part)).1))?;
        if let Node::Condition(condition) = part {
            write_operand(&condition.test, f)?;
        } else {
            f.write_str("null")?;
        }
    }
    f.write_str("}")
}

fn write_operand(test: &Test, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match test {
        Test::Eq(operand)
        | Test::Ne(operand)
        | Test::Gt(operand)
        | Test::Gte(operand)
        | Test::Lt(operand)
        | Test::Lte(operand) => write!(f, "{operand}"),
        Test::In(operands) | Test::Nin(operands) => write!(f, "{}", Json::from(operands.0.clone())),
    }
}

/// Neighbours that test the same path.
fn by_path(parts: &[Node]) -> impl Iterator<Item = &[Node]> {
    parts.chunk_by(|a, b| describe(Some(a)).0 == describe(Some(b)).0)
}

/// A part's path and operator.
fn describe(part: Option<&Node>) -> (&str, &'static str) {
    match part {
        Some(Node::Condition(Condition { path, test })) => (path.as_str(), operator(test)),
        Some(Node::Invalid(invalid)) => (&invalid.path, "$invalid"),
        Some(Node::And(_)) | None => ("$and", "$and"),
    }
}

fn operator(test: &Test) -> &'static str {
    match test {
        Test::Eq(_) => "$eq",
        Test::Ne(_) => "$ne",
        Test::Gt(_) => "$gt",
        Test::Gte(_) => "$gte",
        Test::Lt(_) => "$lt",
        Test::Lte(_) => "$lte",
        Test::In(_) => "$in",
        Test::Nin(_) => "$nin",
    }
}

/// True when a value read without `$eq` would not be taken for operators.
fn is_plain(operand: &Json) -> bool {
    let raw = operand.as_raw();
    raw.kind() != Kind::Object || !raw.members().any(|member| member.name().starts_with('$'))
}
