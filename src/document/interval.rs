//! Intervals of values, and the ranges of keys that they are in an index.
//!
//! Invariant: ranges are half-open, and a value lies in an interval when and only when its
//! encoding lies in the interval's range, whatever the direction and whatever parts follow.

use std::{cmp::Ordering, ops::Bound};

use super::{
    key::{
        ARRAY, END, MISSING, OBJECT, STRING, first_byte, invert, push_part, push_text, push_value,
        successor, value_end,
    },
    order::Direction,
    raw::{Kind, Raw},
};

/// Keys from the first, up to and without the second; without end where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Vec<u8>,
    /// The first key behind it.
    pub end: Option<Vec<u8>>,
}

/// Values from one bound to another, as ascending encodings. A bound stands for every encoding
/// that begins with its bytes, so that the first byte alone bounds a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The lower bound.
    pub lower: Bound<Vec<u8>>,
    /// The upper bound.
    pub upper: Bound<Vec<u8>>,
}

impl Interval {
    /// One value, which may be missing.
    pub fn point(value: Option<Raw<'_>>) -> Interval {
        let mut key = Vec::new();
        push_part(&mut key, value, Direction::Ascending);
        Interval { lower: Bound::Included(key.clone()), upper: Bound::Included(key) }
    }

    /// Every value of a kind.
    pub fn kind(kind: Kind) -> Interval {
        let first = first_byte(kind);
        Interval {
            lower: Bound::Included(vec![first]),
            upper: Bound::Excluded(vec![(first & 0xf0) + 0x10]),
        }
    }

    /// Every value but the missing one.
    pub fn present() -> Interval {
        Interval { lower: Bound::Excluded(vec![MISSING]), upper: Bound::Unbounded }
    }

    /// Everything, the missing value included.
    pub fn all() -> Interval {
        Interval { lower: Bound::Unbounded, upper: Bound::Unbounded }
    }

    /// The values of the operand's kind that stand so to it.
    pub fn compared(operand: Raw<'_>, wanted: Ordering, or_equal: bool) -> Interval {
        let mut key = Vec::new();
        push_value(&mut key, operand);
        let bound = if or_equal { Bound::Included(key) } else { Bound::Excluded(key) };
        let kind = Interval::kind(operand.kind());
        match wanted {
            Ordering::Greater => Interval { lower: bound, ..kind },
            Ordering::Less => Interval { upper: bound, ..kind },
            Ordering::Equal => Interval::point(Some(operand)),
        }
    }

    /// The strings that begin with a text.
    pub fn prefix(text: &str) -> Interval {
        let mut key = vec![STRING];
        push_text(&mut key, text);
        Interval { lower: Bound::Included(key.clone()), upper: Bound::Included(key) }
    }

    /// True when it holds one place of the order, so that the parts behind it are in order too.
    pub fn is_point(&self) -> bool {
        match (&self.lower, &self.upper) {
            (Bound::Included(one), Bound::Included(two)) => {
                one == two && value_end(one, 0, 0) == one.len() && is_whole(one)
            }
            _ => false,
        }
    }

    /// What both hold; none when that is nothing.
    pub fn intersection(&self, other: &Interval) -> Option<Interval> {
        let (one, two) =
            (self.range(&[], Direction::Ascending), other.range(&[], Direction::Ascending));
        let lower = if one.start >= two.start { &self.lower } else { &other.lower };
        let upper = match (&one.end, &two.end) {
            (None, _) => &other.upper,
            (_, None) => &self.upper,
            (Some(a), Some(b)) => {
                if a <= b {
                    &self.upper
                } else {
                    &other.upper
                }
            }
        };
        let both = Interval { lower: lower.clone(), upper: upper.clone() };
        (!both.range(&[], Direction::Ascending).is_empty()).then_some(both)
    }

    /// What both of two sets hold, in order.
    pub fn intersect(one: &[Interval], two: &[Interval]) -> Vec<Interval> {
        let pairs = one.iter().flat_map(|a| two.iter().filter_map(|b| a.intersection(b)));
        Interval::union(pairs.collect())
    }

    /// What any of them holds, in order; those that overlap become one.
    pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
        let range = |interval: &Interval| interval.range(&[], Direction::Ascending);
        intervals.retain(|interval| !range(interval).is_empty());
        intervals.sort_by_cached_key(|interval| range(interval).start);
        let mut united: Vec<Interval> = Vec::new();
        for interval in intervals {
            let next = range(&interval);
            match united.last_mut() {
                Some(last) if range(last).end.is_none_or(|end| next.start < end) => {
                    let end = range(last).end;
                    if next.end.is_none() || end.is_some() && next.end > end {
                        last.upper = interval.upper;
                    }
                }
                _ => united.push(interval),
            }
        }
        united
    }

    /// The keys whose parts are those of `prefix` followed by a value of this interval.
    pub fn range(&self, prefix: &[u8], direction: Direction) -> KeyRange {
        let place = |bytes: &[u8]| {
            let mut place = prefix.to_vec();
            place.extend_from_slice(bytes);
            if direction == Direction::Descending {
                invert(&mut place, prefix.len());
            }
            place
        };
        // Where a range begins and ends does not depend on the direction, but on which bound
        // comes first in it.
        let (first, last) = match direction {
            Direction::Ascending => (&self.lower, &self.upper),
            Direction::Descending => (&self.upper, &self.lower),
        };
        let start = match first {
            Bound::Included(bytes) => Some(place(bytes)),
            Bound::Excluded(bytes) => successor(place(bytes)),
            Bound::Unbounded => Some(prefix.to_vec()),
        };
        let end = match last {
            Bound::Included(bytes) => successor(place(bytes)),
            Bound::Excluded(bytes) => Some(place(bytes)),
            Bound::Unbounded => successor(prefix.to_vec()),
        };
        match start {
            Some(start) => KeyRange { start, end },
            None => KeyRange { start: Vec::new(), end: Some(Vec::new()) },
        }
    }
}

/// True for bytes that are a value, and not only the beginning of strings.
fn is_whole(value: &[u8]) -> bool {
    match value.first() {
        Some(&(STRING | ARRAY | OBJECT)) => value.len() > 1 && value.last() == Some(&END),
        Some(_) => true,
        None => false,
    }
}

impl KeyRange {
    /// Every key.
    pub fn all() -> KeyRange {
        KeyRange { start: Vec::new(), end: None }
    }

    /// True when it holds no key.
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::order::compare;

    const VALUES: [&str; 15] = [
        "null", "false", "true", "-1e300", "-1", "0", "2.5", "7", r#""""#, r#""a""#, r#""ab""#,
        r#""b""#, "[]", "[7]", "{}",
    ];

    fn holds(interval: &Interval, value: Option<&str>) -> bool {
        let mut verdicts = [Direction::Ascending, Direction::Descending].map(|direction| {
            let mut key = b"before".to_vec();
            let range = interval.range(&key, direction);
            push_part(&mut key, value.map(Raw::trusted), direction);
            key.extend_from_slice(b"behind");
            range.start <= key && range.end.is_none_or(|end| key < end)
        });
        assert_eq!(verdicts[0], verdicts[1], "{interval:?} {value:?}");
        std::mem::take(&mut verdicts[0])
    }

    fn values() -> impl Iterator<Item = Option<&'static str>> {
        VALUES.iter().copied().map(Some).chain([None])
    }

    #[test]
    fn intervals_hold_what_they_say() {
        for operand in VALUES {
            let raw = Raw::trusted(operand);
            for value in values() {
                let ordering = compare(value.map(Raw::trusted), Some(raw));
                let of_kind = value.is_some_and(|value| Raw::trusted(value).kind() == raw.kind());
                for (wanted, or_equal) in [
                    (Ordering::Less, false),
                    (Ordering::Less, true),
                    (Ordering::Greater, false),
                    (Ordering::Greater, true),
                ] {
                    let fits = ordering == wanted || (or_equal && ordering.is_eq());
                    let interval = Interval::compared(raw, wanted, or_equal);
                    assert_eq!(holds(&interval, value), of_kind && fits, "{operand} {value:?}");
                }
                assert_eq!(holds(&Interval::point(Some(raw)), value), ordering.is_eq());
                assert_eq!(holds(&Interval::kind(raw.kind()), value), of_kind);
            }
        }
        for value in values() {
            assert_eq!(holds(&Interval::present(), value), value.is_some());
            assert_eq!(holds(&Interval::point(None), value), value.is_none());
            assert!(holds(&Interval::all(), value));
            let begins = value.is_some_and(|value| value.starts_with("\"a"));
            assert_eq!(holds(&Interval::prefix("a"), value), begins);
        }
    }

    #[test]
    fn points_are_single_values() {
        assert!(values().all(|value| Interval::point(value.map(Raw::trusted)).is_point()));
        assert!(!Interval::prefix("a").is_point() && !Interval::prefix("").is_point());
        assert!(!Interval::kind(Kind::Null).is_point() && !Interval::all().is_point());
    }

    #[test]
    fn unions() {
        let intervals = some_intervals();
        for group in intervals.chunks(3).chain(intervals.windows(2)) {
            let union = Interval::union(group.to_vec());
            for value in values() {
                let holding = union.iter().filter(|interval| holds(interval, value)).count();
                let expected = group.iter().any(|interval| holds(interval, value));
                assert_eq!(holding, usize::from(expected), "{group:?} {value:?}");
            }
        }
    }

    #[test]
    fn intersections() {
        let intervals = some_intervals();
        for one in &intervals {
            for two in &intervals {
                let both = one.intersection(two);
                for value in values() {
                    let found = both.as_ref().is_some_and(|both| holds(both, value));
                    assert_eq!(found, holds(one, value) && holds(two, value), "{one:?} {two:?}");
                }
            }
        }
    }

    fn some_intervals() -> Vec<Interval> {
        VALUES
            .iter()
            .flat_map(|value| {
                let raw = Raw::trusted(value);
                [
                    Interval::point(Some(raw)),
                    Interval::compared(raw, Ordering::Less, true),
                    Interval::compared(raw, Ordering::Greater, false),
                ]
            })
            .chain([Interval::all(), Interval::present(), Interval::prefix("a")])
            .collect()
    }
}
