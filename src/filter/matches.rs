//! Whether what a path reaches passes a test.
//!
//! A test holds when it holds for anything its path reaches; for an array that is each element and
//! the array as a whole. Comparison is within one kind of value: no string is greater than a number.
//! Equality with null holds for null and for missing, and so do `$gte` and `$lte`; nothing is
//! greater or less than null. `$ne`, `$nin` and `$not` are negations, so they hold for missing.
//! `$size` and `$elemMatch` ask the array itself.

use std::cmp::Ordering;

use super::node::{ElemMatch, Operands, Test};
use crate::document::{Json, Kind, Leaf, Raw, Tail, compare, same};

/// Where a test looks.
#[derive(Clone, Copy)]
pub(super) enum Place<'p, 'a> {
    /// What the rest of a path reaches from a value.
    Below(Tail<'p>, Raw<'a>),
    /// A value to which the whole path led, or missing.
    At(Option<Raw<'a>>),
    /// One element as it stands: an array is not looked into.
    Element(Raw<'a>),
}

impl<'a> Place<'_, 'a> {
    /// True for something that is reached, be it an element.
    #[inline]
    fn any(self, mut holds: impl FnMut(Option<Raw<'a>>) -> bool) -> bool {
        match self {
            Place::At(Some(array)) if array.kind() == Kind::Array => {
                array.elements().any(|element| holds(Some(element))) || holds(Some(array))
            }
            Place::At(value) => holds(value),
            Place::Element(value) => holds(Some(value)),
            Place::Below(tail, value) => tail.any(value, Leaf::Elements, &mut holds),
        }
    }

    /// True for something that is reached, arrays being asked as a whole.
    #[inline]
    fn any_whole(self, mut holds: impl FnMut(Raw<'a>) -> bool) -> bool {
        match self {
            Place::At(value) => value.is_some_and(holds),
            Place::Element(value) => holds(value),
            Place::Below(tail, value) => {
                tail.any(value, Leaf::Whole, &mut |value| value.is_some_and(&mut holds))
            }
        }
    }
}

pub(super) fn passes(test: &Test, place: Place<'_, '_>) -> bool {
    match test {
        Test::Eq(operand) => place.any(|value| equals(value, operand)),
        Test::Ne(operand) => !place.any(|value| equals(value, operand)),
        Test::Gt(operand) => place.any(|value| compares(value, operand, Ordering::is_gt)),
        Test::Gte(operand) => place.any(|value| compares(value, operand, Ordering::is_ge)),
        Test::Lt(operand) => place.any(|value| compares(value, operand, Ordering::is_lt)),
        Test::Lte(operand) => place.any(|value| compares(value, operand, Ordering::is_le)),
        Test::In(operands) => place.any(|value| is_among(value, operands)),
        Test::Nin(operands) => !place.any(|value| is_among(value, operands)),
        Test::Exists(wanted) => place.any_whole(|_| true) == *wanted,
        Test::Type(types) => place.any(|value| value.is_some_and(|value| types.contain(value))),
        Test::Regex(pattern) => place.any(|value| is_text(value, |text| pattern.matches(text))),
        Test::StartsWith(prefix) => {
            place.any(|value| is_text(value, |text| text.starts_with(&**prefix)))
        }
        Test::Mod { divisor, remainder } => {
            place.any(|value| value.and_then(whole).is_some_and(|n| n % divisor == *remainder))
        }
        Test::Size(size) => place.any_whole(|value| has_size(value, *size)),
        Test::All(tests) => !tests.is_empty() && tests.iter().all(|test| passes(test, place)),
        Test::ElemMatch(asked) => place.any_whole(|value| {
            value.kind() == Kind::Array && value.elements().any(|element| fits(element, asked))
        }),
        Test::Not(tests) => !tests.iter().all(|test| passes(test, place)),
    }
}

fn equals(value: Option<Raw<'_>>, operand: &Json) -> bool {
    same(value.unwrap_or(Raw::NULL), operand.as_raw())
}

fn is_among(value: Option<Raw<'_>>, operands: &Operands) -> bool {
    let wanted = value.unwrap_or(Raw::NULL);
    operands.near(wanted).any(|operand| same(wanted, operand.as_raw()))
        || operands.patterns.iter().any(|pattern| is_text(value, |text| pattern.matches(text)))
}

fn compares(value: Option<Raw<'_>>, operand: &Json, fits: fn(Ordering) -> bool) -> bool {
    let operand = operand.as_raw();
    match value {
        Some(value) => value.kind() == operand.kind() && fits(compare(Some(value), Some(operand))),
        None => operand.kind() == Kind::Null && fits(Ordering::Equal),
    }
}

fn is_text(value: Option<Raw<'_>>, fits: impl Fn(&str) -> bool) -> bool {
    value.and_then(Raw::as_str).is_some_and(|text| fits(&text))
}

fn whole(value: Raw<'_>) -> Option<i128> {
    value.number()?.truncated()
}

fn has_size(value: Raw<'_>, size: u64) -> bool {
    let counted = |count: usize| value.elements().take(count.saturating_add(1)).count() == count;
    value.kind() == Kind::Array && usize::try_from(size).is_ok_and(counted)
}

fn fits(element: Raw<'_>, asked: &ElemMatch) -> bool {
    match asked {
        ElemMatch::Filter(filter) => filter.matches_value(element),
        ElemMatch::Tests(tests) => tests.iter().all(|test| passes(test, Place::Element(element))),
    }
}
