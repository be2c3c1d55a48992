//! Numbers as JSON documents hold them: integers of 64 bits, signed or not, and floats.
//!
//! Invariant: comparison is by exact numeric value, so `2^53 + 1` and `2^53 + 1.0` differ as their
//! values do, `1` equals `1.0`, and `-0.0` equals `0`.

use std::cmp::Ordering;

/// 2^64: above every integer a document holds, and exact as a float.
const INTEGERS_END: f64 = 18_446_744_073_709_551_616.0;
/// -2^63: the least integer a document holds, and exact as a float.
const INTEGERS_BEGIN: f64 = -9_223_372_036_854_775_808.0;

/// A number of a document.
///
/// ```
/// use monsterdb::document::Number;
/// assert_eq!(Number::parse("1"), Number::parse("1.0"));
/// assert!(Number::parse("9007199254740993") > Number::parse("9007199254740992.0"));
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer of `i64` or `u64`.
    Int(i128),
    /// Any number with a fraction or an exponent; finite.
    Float(f64),
}

impl Number {
    /// Reads the text of a JSON number; none when it is not one that a document may hold.
    pub fn parse(text: &str) -> Option<Number> {
        if let Some(integer) = short_integer(text.as_bytes()) {
            return Some(Number::Int(integer.into()));
        }
        if text.bytes().any(|b| matches!(b, b'.' | b'e' | b'E')) {
            return text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float);
        }
        match text.parse::<i64>() {
            Ok(integer) => Some(Number::Int(integer.into())),
            Err(_) => text.parse::<u64>().ok().map(|integer| Number::Int(integer.into())),
        }
    }

    /// The nearest float.
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Int(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }

    /// The integer without the fraction; none when it fits neither `i64` nor `u64`.
    pub fn truncated(self) -> Option<i128> {
        match self {
            Number::Int(integer) => Some(integer),
            Number::Float(float) => (INTEGERS_BEGIN..INTEGERS_END)
                .contains(&float.trunc())
                .then_some(float.trunc() as i128),
        }
    }

    /// The product; none when it is not a number that a document may hold. Integers stay integers.
    pub fn checked_mul(self, other: Number) -> Option<Number> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Number::integer(a.checked_mul(b)?),
            (a, b) => Number::float(a.as_f64() * b.as_f64()),
        }
    }

    /// The sum; none when it is not a number that a document may hold. Integers stay integers.
    pub fn checked_add(self, other: Number) -> Option<Number> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Number::integer(a.checked_add(b)?),
            (a, b) => Number::float(a.as_f64() + b.as_f64()),
        }
    }

    fn integer(integer: i128) -> Option<Number> {
        let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
        range.contains(&integer).then_some(Number::Int(integer))
    }

    fn float(float: f64) -> Option<Number> {
        float.is_finite().then_some(Number::Float(float))
    }
}

/// The shortest text that reads back as the same number.
impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Int(integer) => integer.fmt(f),
            Number::Float(float) => serde_json::Value::from(*float).fmt(f),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(b),
            // No document holds NaN, so two floats always compare.
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Number::Int(a), Number::Float(b)) => compare_exactly(*a, *b),
            (Number::Float(a), Number::Int(b)) => compare_exactly(*b, *a).reverse(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

/// An integer of so few digits that no sum of them overflows: what most numbers are, read in one go.
fn short_integer(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut integer = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        integer = integer * 10 + i64::from(digit - b'0');
    }
    Some(if digits.len() < text.len() { -integer } else { integer })
}

/// Within the range of integers the whole part of a float is an integer itself, exactly.
fn compare_exactly(integer: i128, float: f64) -> Ordering {
    if float >= INTEGERS_END {
        return Ordering::Less;
    }
    if float < INTEGERS_BEGIN {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    let by_fraction = || 0.0_f64.partial_cmp(&(float - whole)).unwrap_or(Ordering::Equal);
    integer.cmp(&(whole as i128)).then_with(by_fraction)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn comparison_is_exact() {
        let ascending = [
            "-1e300",
            "-9223372036854775809.0e1",
            "-9223372036854775808",
            "-1.5",
            "-1",
            "-0.5",
            "0",
            "5e-324",
            "0.5",
            "1",
            "1.5",
            "9007199254740992",
            "9007199254740993",
            "9007199254740994.0",
            "9223372036854775807",
            "9223372036854775808.0",
            "9223372036854775809",
            "18446744073709551615",
            "18446744073709551616.0",
            "1e300",
        ];
        let numbers: Vec<Number> = ascending.iter().map(|t| Number::parse(t).unwrap()).collect();
        for (i, a) in numbers.iter().enumerate() {
            for (j, b) in numbers.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{} {}", ascending[i], ascending[j]);
            }
        }
        for (a, b) in [("1", "1.0"), ("-0.0", "0"), ("-0", "0.0"), ("1e2", "100"), ("-2.0", "-2")] {
            assert_eq!(Number::parse(a), Number::parse(b));
        }
    }

    #[test]
    fn integers_of_any_length_are_read() {
        let texts = ["0", "-0", "-7", "999999999999999999", "-999999999999999999"];
        for text in texts.into_iter().chain(["1000000000000000000", "-9223372036854775808"]) {
            let Some(Number::Int(read)) = Number::parse(text) else { panic!("{text}") };
            assert_eq!(read, text.parse::<i128>().unwrap());
        }
        for text in ["-", "--1", "1-", " 1"] {
            assert_eq!(Number::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_no_document_holds_is_none() {
        for text in ["1e999", "18446744073709551616", "-9223372036854775809", "", "x", "1.x"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_cut_towards_zero() {
        let cut = |text| Number::parse(text).unwrap().truncated();
        for (text, whole) in [("7", 7), ("7.9", 7), ("-7.9", -7), ("-0.5", 0), ("1e2", 100)] {
            assert_eq!(cut(text), Some(whole), "{text}");
        }
        assert_eq!(cut("-9223372036854775808.0"), Some(i64::MIN.into()));
        assert_eq!(cut("18446744073709549568.0"), Some(i128::from(u64::MAX) - 2047));
        assert_eq!((cut("18446744073709551616.0"), cut("-1e300")), (None, None));
    }

    #[test]
    fn sums_stay_in_range() {
        let add = |a, b| {
            let sum = Number::parse(a).unwrap().checked_add(Number::parse(b).unwrap());
            sum.map(|sum| sum.to_string())
        };
        assert_eq!(add("1", "2").as_deref(), Some("3"));
        assert_eq!(add("1", "0.5").as_deref(), Some("1.5"));
        assert_eq!(add("1", "2.0").as_deref(), Some("3.0"));
        assert_eq!(add("9223372036854775807", "1").as_deref(), Some("9223372036854775808"));
        assert_eq!(add("18446744073709551615", "1"), None);
        assert_eq!(add("-9223372036854775808", "-1"), None);
        assert_eq!(add("1.7e308", "1.7e308"), None);
    }
}
