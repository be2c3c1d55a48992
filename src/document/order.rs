//! The one total order over JSON values, used by comparison, sort and every index.
//!
//! | rank | values | among themselves |
//! |---|---|---|
//! | 0 | missing | all equal |
//! | 1 | `null` | all equal |
//! | 2 | `false`, `true` | in this order |
//! | 3 | numbers | by exact numeric value, integers and floats alike |
//! | 4 | strings | by code point of the unescaped text |
//! | 5 | arrays | element by element, then the shorter first |
//! | 6 | objects | by sorted member: name, then value, then the one with fewer members first |
//!
//! Invariant: the order is total over all values that pass the border. Two objects that differ only
//! in the order of their members are equal in it; [`same`] tells them apart.
//!
//! Comparison recurses; the limit on nesting bounds the stack it takes.

use std::{borrow::Cow, cmp::Ordering};

use super::raw::{Kind, Raw};

/// Which end of the order comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Direction {
    /// Least first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

impl Direction {
    /// The order of two values in this direction, given their ascending one.
    pub fn apply(self, ascending: Ordering) -> Ordering {
        match self {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    }
}

/// Compares two values, either of which may be missing.
///
/// ```
/// use monsterdb::{Json, document::compare};
/// let (two, ten) = (Json::parse("2")?, Json::parse("1e1")?);
/// assert!(compare(Some(two.as_raw()), Some(ten.as_raw())).is_lt());
/// assert!(compare(None, Some(two.as_raw())).is_lt());
/// # Ok::<(), monsterdb::Error>(())
/// ```
pub fn compare(a: Option<Raw<'_>>, b: Option<Raw<'_>>) -> Ordering {
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare_present(a, b),
    }
}

/// Equality as filters mean it: numbers by value, strings by what they stand for, arrays element
/// by element, and objects member by member *in their order*.
pub fn same(a: Raw<'_>, b: Raw<'_>) -> bool {
    if a.text() == b.text() {
        return true;
    }
    a.kind() == b.kind()
        && match a.kind() {
            // Had they been equal, so would have been their texts.
            Kind::Null | Kind::Bool => false,
            Kind::Number => a.number() == b.number(),
            Kind::String => a.as_str() == b.as_str(),
            Kind::Array => pairwise(a.elements(), b.elements(), same),
            Kind::Object => pairwise(a.members(), b.members(), |a, b| {
                a.name() == b.name() && same(a.value, b.value)
            }),
        }
}

fn compare_present(a: Raw<'_>, b: Raw<'_>) -> Ordering {
    a.kind().cmp(&b.kind()).then_with(|| match a.kind() {
        Kind::Null => Ordering::Equal,
        // The words stand in the alphabet as their values do in the order.
        Kind::Bool => a.text().cmp(b.text()),
        Kind::Number => a.number().cmp(&b.number()),
        // The order of UTF-8 bytes is that of code points.
        Kind::String => a.as_str().cmp(&b.as_str()),
        Kind::Array => lexicographic(a.elements(), b.elements(), compare_present),
        Kind::Object => {
            let (a, b) = (sorted_members(a), sorted_members(b));
            lexicographic(a.into_iter(), b.into_iter(), |(a_name, a), (b_name, b)| {
                a_name.cmp(&b_name).then_with(|| compare_present(a, b))
            })
        }
    })
}

pub(super) fn sorted_members(object: Raw<'_>) -> Vec<(Cow<'_, str>, Raw<'_>)> {
    let mut members: Vec<_> = object.members().map(|m| (m.name(), m.value)).collect();
    members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    members
}

fn lexicographic<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    each: impl Fn(T, T) -> Ordering,
) -> Ordering {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match each(a, b) {
                Ordering::Equal => {}
                different => return different,
            },
        }
    }
}

fn pairwise<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    each: impl Fn(T, T) -> bool,
) -> bool {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (None, Some(_)) | (Some(_), None) => return false,
            (Some(a), Some(b)) => {
                if !each(a, b) {
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let ascending = [
            "null",
            "false",
            "true",
            "-1e9",
            "-1",
            "-0.5",
            "0",
            "1",
            "1.5",
            "9007199254740993",
            "9007199254740994.0",
            r#""""#,
            r#""A""#,
            r#""a""#,
            r#""a\u0000""#,
            r#""ab""#,
            r#""\uffff""#,
            r#""😀""#,
            "[]",
            "[null]",
            "[1]",
            "[1,1]",
            "[2]",
            r#"[""]"#,
            "[[]]",
            "[{}]",
            "{}",
            r#"{"a":1}"#,
            r#"{"b":9,"a":1}"#,
            r#"{"a":1,"c":0}"#,
            r#"{"a":2}"#,
            r#"{"b":0}"#,
        ];
        for (i, a) in ascending.iter().enumerate() {
            assert!(compare(None, Some(Raw::trusted(a))).is_lt());
            for (j, b) in ascending.iter().enumerate() {
                let found = compare(Some(Raw::trusted(a)), Some(Raw::trusted(b)));
                assert_eq!(found, i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn sameness_minds_the_order_of_members_only() {
        let check = |a, b| same(Raw::trusted(a), Raw::trusted(b));
        assert!(check(r#"{"a":1,"b":["x"]}"#, r#"{"\u0061":1.0,"b":["\u0078"]}"#));
        assert!(!check(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#));
        assert!(
            compare(Some(Raw::trusted(r#"{"a":1,"b":2}"#)), Some(Raw::trusted(r#"{"b":2,"a":1}"#)))
                .is_eq()
        );
        assert!(!check("[1,2]", "[2,1]"));
        assert!(!check("[1]", "[1,1]"));
        assert!(!check("1", "\"1\""));
        assert!(!check("true", "false"));
    }
}
