//! Writing the JSON form of filters, such as `{"total":{"$gt":100}}`.
//!
//! Written with `{:#}` it is the filter's shape: a question mark stands for whatever is compared with,
//! so that it can be shown where contents of documents must not be.
//!
//! Invariant: reading what is written here gives the same filter again, but for shapes.

use std::{collections::BTreeSet, fmt};

use super::{
    node::{Condition, ElemMatch, Node, Operands, Test},
    operators,
    pattern::Pattern,
    types::Types,
};
use crate::document::Json;

/// Writes a node as an object.
pub(super) fn node(node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let parts = node.conjuncts();
    if fits_one_object(parts) {
        return object(parts, f);
    }
    f.write_str(r#"{"$and":"#)?;
    list(parts, f, |part, f| object(std::slice::from_ref(part), f))?;
    f.write_str("}")
}

/// True when no member would stand twice: conditions on one path stand together, none with an
/// operator that another has, and there is one `$or` and one `$nor` at most.
fn fits_one_object(parts: &[Node]) -> bool {
    let mut names = BTreeSet::new();
    by_path(parts).all(|group| {
        let tests = || group.iter().filter_map(condition).map(|c| &c.test);
        let is_new = group.first().is_some_and(|part| names.insert(name(part)));
        is_new && (group.len() == 1 || operators::distinct(tests()))
    })
}

fn object(parts: &[Node], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    for (index, group) in by_path(parts).enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        let Some(first) = group.first() else { continue };
        write!(f, "{}:", Json::from(name(first)))?;
        match first {
            Node::And(parts) | Node::Or(parts) | Node::Nor(parts) => list(parts, f, node)?,
            Node::Condition(first) => match (&first.test, group.len()) {
                (Test::Eq(_), 1) if f.alternate() => f.write_str("?")?,
                (Test::Eq(operand), 1) if !operators::among(operand.as_raw()) => {
                    write!(f, "{operand}")?;
                }
                _ => tests(group.iter().filter_map(condition).map(|c| &c.test), f)?,
            },
            // No filter reads like this, and so none is equal to it.
            Node::Invalid(_) if f.alternate() => f.write_str("?")?,
            Node::Invalid(invalid) => write!(f, "{}", Json::from(invalid.reason.as_str()))?,
        }
    }
    f.write_str("}")
}

/// Neighbours that test the same path; every other part for itself.
fn by_path(parts: &[Node]) -> impl Iterator<Item = &[Node]> {
    parts.chunk_by(|a, b| match (condition(a), condition(b)) {
        (Some(a), Some(b)) => a.path == b.path,
        (Some(_) | None, None) | (None, Some(_)) => false,
    })
}

fn condition(node: &Node) -> Option<&Condition> {
    match node {
        Node::Condition(condition) => Some(condition),
        Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Invalid(_) => None,
    }
}

/// The name of the member that a part is.
fn name(part: &Node) -> &str {
    match part {
        Node::And(_) => "$and",
        Node::Or(_) => "$or",
        Node::Nor(_) => "$nor",
        Node::Condition(condition) => condition.path.as_str(),
        Node::Invalid(_) => "$invalid",
    }
}

/// Writes tests as an object of operators.
fn tests<'a>(tests: impl IntoIterator<Item = &'a Test>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    for (index, test) in tests.into_iter().enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        write!(f, "\"{}\":", test.operator())?;
        operand(test, f)?;
    }
    f.write_str("}")
}

fn operand(test: &Test, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_whole = !matches!(test, Test::ElemMatch(_) | Test::Not(_));
    if f.alternate() && is_whole {
        return f.write_str("?");
    }
    match test {
        Test::Eq(operand)
        | Test::Ne(operand)
        | Test::Gt(operand)
        | Test::Gte(operand)
        | Test::Lt(operand)
        | Test::Lte(operand) => write!(f, "{operand}"),
        Test::In(list) | Test::Nin(list) => operands(list, f),
        Test::Exists(wanted) => write!(f, "{wanted}"),
        Test::Type(types) => type_names(*types, f),
        Test::Regex(pattern) => pattern_members(pattern, f),
        Test::StartsWith(prefix) => write!(f, "{}", Json::from(&**prefix)),
        Test::Mod { divisor, remainder } => write!(f, "[{divisor},{remainder}]"),
        Test::Size(size) => write!(f, "{size}"),
        Test::All(each) => list(each, f, |test, f| match test {
            Test::Eq(value) => write!(f, "{value}"),
            other => tests([other], f),
        }),
        Test::ElemMatch(ElemMatch::Filter(filter)) => node(&filter.root, f),
        Test::ElemMatch(ElemMatch::Tests(inner)) | Test::Not(inner) => tests(inner, f),
    }
}

fn operands(operands: &Operands, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("[")?;
    for (index, value) in operands.values.iter().enumerate() {
        write!(f, "{}{value}", if index > 0 { "," } else { "" })?;
    }
    for (index, pattern) in (operands.values.len()..).zip(&operands.patterns) {
        f.write_str(if index > 0 { "," } else { "" })?;
        f.write_str(r#"{"$regex":"#)?;
        pattern_members(pattern, f)?;
        f.write_str("}")?;
    }
    f.write_str("]")
}

/// What stands behind `"$regex":`.
fn pattern_members(pattern: &Pattern, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", Json::from(pattern.text()))?;
    match pattern.options() {
        "" => Ok(()),
        options => write!(f, r#","$options":"{options}""#),
    }
}

fn type_names(types: Types, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match *types.list() {
        [only] => write!(f, "\"{}\"", only.name()),
        ref types => list(types, f, |of, f| write!(f, "\"{}\"", of.name())),
    }
}

fn list<T>(
    items: &[T],
    f: &mut fmt::Formatter<'_>,
    each: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index > 0 { "," } else { "" })?;
        each(item, f)?;
    }
    f.write_str("]")
}
