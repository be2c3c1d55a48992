//! Evaluating a filter over a document's text, with MongoDB's documented semantics.
//!
//! A test holds when it holds for anything its path reaches; for an array that is each element and
//! the array as a whole. Comparison is within one kind of value: no string is greater than a number.
//! Equality with null holds for null and for missing, and so do `$gte` and `$lte`; nothing is
//! greater or less than null. `$ne` and `$nin` are the negations of `$eq` and `$in`, so they hold
//! for missing.

use std::cmp::Ordering;

use super::{Condition, Node, Operands, Test};
use crate::document::{Document, Json, Kind, Raw, compare, same};

pub(super) fn matches(node: &Node, document: &Document) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| matches(part, document)),
        Node::Condition(condition) => passes(condition, document),
        Node::Invalid(_) => false,
    }
}

fn passes(Condition { path, test }: &Condition, document: &Document) -> bool {
    let any = |holds: &mut dyn FnMut(Option<Raw<'_>>) -> bool| path.any(document, holds);
    match test {
        Test::Eq(operand) => any(&mut |value| equals(value, operand)),
        Test::Ne(operand) => !any(&mut |value| equals(value, operand)),
        Test::Gt(operand) => any(&mut |value| compares(value, operand, Ordering::is_gt)),
        Test::Gte(operand) => any(&mut |value| compares(value, operand, Ordering::is_ge)),
        Test::Lt(operand) => any(&mut |value| compares(value, operand, Ordering::is_lt)),
        Test::Lte(operand) => any(&mut |value| compares(value, operand, Ordering::is_le)),
        Test::In(operands) => any(&mut |value| equals_one(value, operands)),
        Test::Nin(operands) => !any(&mut |value| equals_one(value, operands)),
    }
}

fn equals(value: Option<Raw<'_>>, operand: &Json) -> bool {
    same(value.unwrap_or(Raw::NULL), operand.as_raw())
}

/// Values that are the same stand at one place of the order; what else stands there differs in the
/// order of members.
fn equals_one(value: Option<Raw<'_>>, Operands(operands): &Operands) -> bool {
    let wanted = value.unwrap_or(Raw::NULL);
    let to_wanted = |operand: &Json| compare(Some(operand.as_raw()), Some(wanted));
    let start = operands.partition_point(|operand| to_wanted(operand).is_lt());
    let candidates = operands.iter().skip(start).take_while(|operand| to_wanted(operand).is_eq());
    candidates.into_iter().any(|operand| same(wanted, operand.as_raw()))
}

fn compares(value: Option<Raw<'_>>, operand: &Json, fits: fn(Ordering) -> bool) -> bool {
    let operand = operand.as_raw();
    match value {
        Some(value) => value.kind() == operand.kind() && fits(compare(Some(value), Some(operand))),
        None => operand.kind() == Kind::Null && fits(Ordering::Equal),
    }
}
