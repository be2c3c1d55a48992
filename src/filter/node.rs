//! What a filter is made of: a tree of conditions, each a test of what one path reaches.
//!
//! Invariant: the tree is in its canonical shape. No [`Node::And`] stands directly in an `And`, no
//! [`Node::Or`] in an `Or`, and neither has exactly one part; an `Or` has some, and so has a `Nor`.
//! [`Node::Invalid`] is only ever the root. The tree is no deeper than [`FILTER_DEPTH_MAX`], so that
//! recursion over it is safe.

use super::{Filter, pattern::Pattern, types::Types};
use crate::document::{InvalidPath, Json, Path, Raw, compare, push_pointer};
use crate::error::Error;
use crate::limits::{FILTER_DEPTH_MAX, FILTER_PATTERNS_MAX};
use crate::sync::Arc;

/// One part of a filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// All of them hold; with no parts, always.
    And(Vec<Node>),
    /// At least one of them holds.
    Or(Vec<Node>),
    /// None of them holds.
    Nor(Vec<Node>),
    /// What a path reaches passes a test. Shared with the filter's compiled form.
    Condition(Arc<Condition>),
    /// The builder was given what is no filter: matches nothing, and [`Filter::check`] says why.
    Invalid(Invalid),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) path: Path,
    pub(super) test: Test,
}

/// A test of what a path reaches.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Eq(Json),
    Ne(Json),
    Gt(Json),
    Gte(Json),
    Lt(Json),
    Lte(Json),
    In(Operands),
    Nin(Operands),
    /// Something is reached, or nothing is.
    Exists(bool),
    Type(Types),
    Regex(Pattern),
    /// A string that begins with this text.
    StartsWith(Box<str>),
    /// A number that, without its fraction, leaves this remainder, whose sign is the number's.
    Mod {
        divisor: i128,
        remainder: i128,
    },
    /// An array of exactly so many elements.
    Size(u64),
    /// All of these tests hold, each for any element; with no tests, never.
    All(Vec<Test>),
    /// An array one of whose elements passes all that is asked of it.
    ElemMatch(ElemMatch),
    /// Not all of these tests hold.
    Not(Vec<Test>),
}

/// What `$elemMatch` asks of one element.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ElemMatch {
    /// An object, or an array taken as one whose names are its indexes, that matches.
    Filter(Box<Filter>),
    /// A value that passes all tests as it stands: an array among them is not looked into.
    Tests(Vec<Test>),
}

/// The operands of a list operator.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operands {
    /// In the order of values, each once, so that a long list is searched fast.
    pub(super) values: Vec<Json>,
    pub(super) patterns: Vec<Pattern>,
}

/// Why what the builder was given is no filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Invalid {
    /// JSON Pointer of the place, in the JSON form of what was being built.
    pub(super) pointer: String,
    pub(super) reason: String,
}

impl Node {
    pub(super) fn all(parts: Vec<Node>) -> Node {
        let flat = flat(parts, |part| match part {
            Node::And(inner) => Ok(inner),
            other => Err(other),
        });
        flat.and_then(|flat| single(flat, Node::And)).unwrap_or_else(Node::Invalid)
    }

    /// Without parts nothing matches, which is the negation of what everything does.
    pub(super) fn any(parts: Vec<Node>) -> Node {
        if parts.is_empty() {
            return Node::none(vec![Node::And(parts)]);
        }
        let flat = flat(parts, |part| match part {
            Node::Or(inner) => Ok(inner),
            other => Err(other),
        });
        flat.and_then(|flat| single(flat, Node::Or)).unwrap_or_else(Node::Invalid)
    }

    pub(super) fn none(parts: Vec<Node>) -> Node {
        match flat(parts, Err) {
            Ok(parts) if parts.is_empty() => Node::And(parts),
            Ok(parts) => Node::Nor(parts).checked(),
            Err(invalid) => Node::Invalid(invalid),
        }
    }

    pub(super) fn condition(path: Path, test: Test) -> Node {
        Node::Condition(Arc::new(Condition { path, test })).checked()
    }

    /// The parts that all have to hold.
    pub(super) fn conjuncts(&self) -> &[Node] {
        match self {
            Node::And(parts) => parts,
            Node::Or(_) | Node::Nor(_) | Node::Condition(_) | Node::Invalid(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    /// All conditions, of which `$elemMatch` is one.
    pub(super) fn collect_conditions<'a>(&'a self, into: &mut Vec<&'a Condition>) {
        match self {
            Node::And(parts) | Node::Or(parts) | Node::Nor(parts) => {
                parts.iter().for_each(|part| part.collect_conditions(into));
            }
            Node::Condition(condition) => into.push(condition),
            Node::Invalid(_) => {}
        }
    }

    /// Refuses what the limits of filters forbid. Every constructor asks, so that no tree grows
    /// beyond one level too many.
    fn checked(self) -> Node {
        let Measure { depth, patterns } = self.measure();
        let refused = |reason| Node::Invalid(Invalid { pointer: String::new(), reason });
        if depth > FILTER_DEPTH_MAX {
            return refused(format!("operators are nested deeper than {FILTER_DEPTH_MAX} levels"));
        }
        if patterns > FILTER_PATTERNS_MAX {
            return refused(format!("it holds more than {FILTER_PATTERNS_MAX} patterns"));
        }
        self
    }

    fn measure(&self) -> Measure {
        match self {
            Node::And(parts) | Node::Or(parts) | Node::Nor(parts) => {
                Measure::around(parts.iter().map(Node::measure))
            }
            Node::Condition(condition) => condition.test.measure(),
            Node::Invalid(_) => Measure::default(),
        }
    }
}

impl Test {
    /// The operator's name.
    pub(super) fn operator(&self) -> &'static str {
        match self {
            Test::Eq(_) => "$eq",
            Test::Ne(_) => "$ne",
            Test::Gt(_) => "$gt",
            Test::Gte(_) => "$gte",
            Test::Lt(_) => "$lt",
            Test::Lte(_) => "$lte",
            Test::In(_) => "$in",
            Test::Nin(_) => "$nin",
            Test::Exists(_) => "$exists",
            Test::Type(_) => "$type",
            Test::Regex(_) => "$regex",
            Test::StartsWith(_) => "$startsWith",
            Test::Mod { .. } => "$mod",
            Test::Size(_) => "$size",
            Test::All(_) => "$all",
            Test::ElemMatch(_) => "$elemMatch",
            Test::Not(_) => "$not",
        }
    }

    fn measure(&self) -> Measure {
        match self {
            Test::All(tests) | Test::Not(tests) | Test::ElemMatch(ElemMatch::Tests(tests)) => {
                Measure::around(tests.iter().map(Test::measure))
            }
            Test::ElemMatch(ElemMatch::Filter(filter)) => {
                Measure::around([filter.root.measure()].into_iter())
            }
            Test::Regex(_) => Measure { depth: 0, patterns: 1 },
            Test::In(operands) | Test::Nin(operands) => {
                Measure { depth: 0, patterns: operands.patterns.len() }
            }
            Test::Eq(_)
            | Test::Ne(_)
            | Test::Gt(_)
            | Test::Gte(_)
            | Test::Lt(_)
            | Test::Lte(_)
            | Test::Exists(_)
            | Test::Type(_)
            | Test::StartsWith(_)
            | Test::Mod { .. }
            | Test::Size(_) => Measure::default(),
        }
    }
}

impl Operands {
    pub(super) fn new(mut values: Vec<Json>, patterns: Vec<Pattern>) -> Operands {
        values.sort_by(|a, b| {
            compare(Some(a.as_raw()), Some(b.as_raw())).then_with(|| a.as_str().cmp(b.as_str()))
        });
        values.dedup();
        Operands { values, patterns }
    }

    /// The values that stand where this one does in the order of values. One that is the same is
    /// among them; the others differ in the order of members.
    pub(super) fn near(&self, wanted: Raw<'_>) -> impl Iterator<Item = &Json> {
        let to_wanted = move |operand: &Json| compare(Some(operand.as_raw()), Some(wanted));
        let start = self.values.partition_point(|operand| to_wanted(operand).is_lt());
        self.values.iter().skip(start).take_while(move |operand| to_wanted(operand).is_eq())
    }
}

impl Invalid {
    pub(super) fn path(invalid: &InvalidPath) -> Invalid {
        let mut pointer = String::new();
        push_pointer(&mut pointer, &invalid.path);
        Invalid { pointer, reason: invalid.to_string() }
    }

    pub(super) fn to_error(&self) -> Error {
        Error::InvalidFilter { pointer: self.pointer.clone(), reason: self.reason.clone() }
    }
}

/// What the limits of filters count.
#[derive(Default)]
struct Measure {
    depth: usize,
    patterns: usize,
}

impl Measure {
    fn around(parts: impl Iterator<Item = Measure>) -> Measure {
        parts.fold(Measure { depth: 1, patterns: 0 }, |whole, part| Measure {
            depth: whole.depth.max(part.depth + 1),
            patterns: whole.patterns + part.patterns,
        })
    }
}

/// The parts, with those that `open` opens replaced by what is in them. One that is invalid makes
/// the whole so: negated, it must not match everything.
fn flat(
    parts: Vec<Node>,
    open: impl Fn(Node) -> Result<Vec<Node>, Node>,
) -> Result<Vec<Node>, Invalid> {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match open(part) {
            Ok(inner) if flat.is_empty() => flat = inner,
            Ok(inner) => flat.extend(inner),
            Err(Node::Invalid(invalid)) => return Err(invalid),
            Err(part) => flat.push(part),
        }
    }
    Ok(flat)
}

fn single(mut parts: Vec<Node>, wrap: fn(Vec<Node>) -> Node) -> Result<Node, Invalid> {
    let only = if parts.len() == 1 { parts.pop() } else { None };
    Ok(only.unwrap_or_else(|| wrap(parts).checked()))
}
