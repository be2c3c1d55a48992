//! What a filter says of single paths, as intervals of values: what an index can look up.
//!
//! A filter is a conjunction. Each part of it that tests one path is a set of intervals: a document
//! that matches reaches, at that path, a value in one of them. So the documents that an index finds
//! in the intervals are a superset of those that match. Where the intervals say just what the test
//! does they are *exact*, and a document found there need not be tested again.

use std::cmp::Ordering;

use super::{
    Filter, Type,
    node::{ElemMatch, Node, Test},
    pattern::Pattern,
};
use crate::document::{Interval, Json, Kind, Path, Raw};

/// One part of a filter's conjunction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conjunct<'a>(&'a Node);

/// The intervals that a test admits, in order and without overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) intervals: Vec<Interval>,
    pub(crate) exact: Exactness,
}

/// Whether a value in the intervals passes the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exactness {
    /// It does.
    Exact,
    /// It does where the path meets no array: with one, what is reached is not all that counts.
    WithoutArrays,
    /// It may not.
    Superset,
}

impl Filter {
    /// The parts that all have to hold.
    pub(crate) fn conjuncts(&self) -> impl Iterator<Item = Conjunct<'_>> {
        self.root.conjuncts().iter().map(Conjunct)
    }
}

impl<'a> Conjunct<'a> {
    /// The part as a filter of its own.
    pub(crate) fn to_filter(self) -> Filter {
        Filter::new(self.0.clone())
    }

    /// The path that it tests, if it is a test of one path.
    pub(crate) fn path(self) -> Option<&'a Path> {
        match self.0 {
            Node::Condition(condition) => Some(&condition.path),
            Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Invalid(_) => None,
        }
    }

    /// The branches of an `$or`, those of a branch that is one itself among them.
    pub(crate) fn branches(self) -> Option<Vec<Filter>> {
        let of_part =
            |part| Conjunct(part).branches().unwrap_or_else(|| vec![Conjunct(part).to_filter()]);
        match self.0 {
            Node::Or(parts) => Some(parts.iter().flat_map(of_part).collect()),
            Node::And(_) | Node::Nor(_) | Node::Condition(_) | Node::Invalid(_) => None,
        }
    }

    /// True when it is the very same test.
    pub(crate) fn is_same(self, other: &Conjunct<'_>) -> bool {
        self.0 == other.0
    }

    /// True when every document that passes this passes the other; false where that is not clear.
    pub(crate) fn implies(self, other: &Conjunct<'_>) -> bool {
        if self.is_same(other) {
            return true;
        }
        let (Some(own), Some(wanted)) = (self.admitted(), other.admitted()) else { return false };
        let within = |interval: &Interval| {
            wanted
                .intervals
                .iter()
                .any(|wanted| interval.intersection(wanted).as_ref() == Some(interval))
        };
        self.path() == other.path()
            && wanted.exact == Exactness::Exact
            && own.intervals.iter().all(within)
    }

    /// True when no value passes it, missing ones included.
    pub(crate) fn admits_nothing(self) -> bool {
        self.admitted().is_some_and(|admitted| admitted.intervals.is_empty())
    }

    /// True when it admits one value.
    pub(crate) fn is_point(self) -> bool {
        self.admitted().is_some_and(|admitted| match &*admitted.intervals {
            [only] => only.is_point(),
            _ => false,
        })
    }

    /// What it admits at its path; none when that is no help.
    pub(crate) fn admitted(self) -> Option<Admitted> {
        match self.0 {
            Node::Condition(condition) => admitted(&condition.test),
            Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Invalid(_) => None,
        }
    }
}

fn admitted(test: &Test) -> Option<Admitted> {
    match test {
        Test::Eq(operand) => equal(operand),
        Test::Gt(operand) => compared(operand, Ordering::Greater, false),
        Test::Gte(operand) => compared(operand, Ordering::Greater, true),
        Test::Lt(operand) => compared(operand, Ordering::Less, false),
        Test::Lte(operand) => compared(operand, Ordering::Less, true),
        Test::In(operands) => {
            let mut each = operands.values.iter().map(equal).collect::<Option<Vec<_>>>()?;
            each.extend(operands.patterns.iter().map(pattern));
            Some(union(each))
        }
        Test::Exists(true) => Some(Admitted::new(Interval::present(), Exactness::Exact)),
        Test::Exists(false) => Some(Admitted::new(Interval::point(None), Exactness::Superset)),
        Test::Type(types) => {
            types.list().into_iter().map(of_type).collect::<Option<_>>().map(union)
        }
        Test::Regex(of) => Some(pattern(of)),
        Test::StartsWith(text) => Some(Admitted::new(Interval::prefix(text), Exactness::Exact)),
        Test::Mod { .. } => Some(Admitted::new(Interval::kind(Kind::Number), Exactness::Superset)),
        // Each has to hold, so any of them will do.
        Test::All(tests) => tests.iter().find_map(admitted).map(Admitted::superset),
        // One element passes all of them.
        Test::ElemMatch(ElemMatch::Tests(tests)) => {
            let each = tests.iter().filter_map(admitted).map(|admitted| admitted.intervals);
            let intervals = each.reduce(|one, two| Interval::intersect(&one, &two))?;
            Some(Admitted { intervals, exact: Exactness::Superset })
        }
        // What these exclude is mostly little, and what they leave no few intervals; lengths and
        // members of elements are not in the index.
        Test::Ne(_)
        | Test::Nin(_)
        | Test::Not(_)
        | Test::Size(_)
        | Test::ElemMatch(ElemMatch::Filter(_)) => None,
    }
}

fn of_type(of: Type) -> Option<Admitted> {
    let whole = |kind| Some(Admitted::new(Interval::kind(kind), Exactness::Exact));
    match of {
        Type::Null => whole(Kind::Null),
        Type::Bool => whole(Kind::Bool),
        Type::Number => whole(Kind::Number),
        Type::Int | Type::Double => whole(Kind::Number).map(Admitted::superset),
        Type::String => whole(Kind::String),
        Type::Object => whole(Kind::Object),
        Type::Array => None,
    }
}

/// The strings that a pattern can match: those that begin with what it begins with, if it says so.
fn pattern(pattern: &Pattern) -> Admitted {
    let interval = match pattern.prefix() {
        Some(prefix) => Interval::prefix(prefix),
        None => Interval::kind(Kind::String),
    };
    Admitted::new(interval, Exactness::Superset)
}

/// Arrays are not looked up: an index holds their elements.
fn equal(operand: &Json) -> Option<Admitted> {
    let raw = operand.as_raw();
    match raw.kind() {
        Kind::Array => None,
        Kind::Null => Some(null()),
        // Objects that differ in the order of their members have one key.
        Kind::Object => Some(Admitted::new(Interval::point(Some(raw)), Exactness::Superset)),
        Kind::Bool | Kind::Number | Kind::String => {
            Some(Admitted::new(Interval::point(Some(raw)), Exactness::Exact))
        }
    }
}

/// Null is equal to missing.
fn null() -> Admitted {
    Admitted {
        intervals: vec![Interval::point(None), Interval::point(Some(Raw::NULL))],
        exact: Exactness::WithoutArrays,
    }
}

fn compared(operand: &Json, wanted: Ordering, or_equal: bool) -> Option<Admitted> {
    let raw = operand.as_raw();
    match raw.kind() {
        Kind::Array => None,
        Kind::Null if or_equal => Some(null()),
        Kind::Null => Some(Admitted { intervals: Vec::new(), exact: Exactness::Exact }),
        Kind::Bool | Kind::Number | Kind::String | Kind::Object => {
            Some(Admitted::new(Interval::compared(raw, wanted, or_equal), Exactness::Exact))
        }
    }
}

fn union(each: Vec<Admitted>) -> Admitted {
    let exact = each.iter().map(|admitted| admitted.exact).max_by_key(|exact| *exact as u8);
    let intervals = each.into_iter().flat_map(|admitted| admitted.intervals).collect();
    Admitted { intervals: Interval::union(intervals), exact: exact.unwrap_or(Exactness::Exact) }
}

impl Admitted {
    fn new(interval: Interval, exact: Exactness) -> Admitted {
        Admitted { intervals: vec![interval], exact }
    }

    fn superset(self) -> Admitted {
        Admitted { exact: Exactness::Superset, ..self }
    }
}
