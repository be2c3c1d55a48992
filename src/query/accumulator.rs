//! What a group keeps of the documents seen so far.
//!
//! Floats are summed with the rounding errors kept aside, after Neumaier (1974), so that many small
//! numbers are not lost beside a large one.

use std::cmp::Ordering;

use super::{aggregate::Metric, value::Value};
use crate::document::{Document, Json, Kind, Number, Path};

/// One metric of one group, so far.
#[derive(Debug)]
pub(super) enum Accumulator<'a, 'q> {
    Count(u64),
    Sum(&'q Path, Sum),
    Mean(&'q Path, Sum),
    /// The value that is `Ordering` from all others.
    Extreme(&'q Path, Ordering, Option<Value<'a>>),
    First(&'q Path, Option<Value<'a>>),
    Last(&'q Path, Option<Value<'a>>),
}

/// A sum of numbers: integers exactly, floats with what rounding took from them.
#[derive(Debug, Default)]
pub(super) struct Sum {
    integers: i128,
    floats: f64,
    rounded_away: f64,
    has_floats: bool,
    count: u64,
}

impl<'a, 'q> Accumulator<'a, 'q> {
    pub(super) fn new(metric: &'q Metric) -> Accumulator<'a, 'q> {
        match metric {
            Metric::Count => Accumulator::Count(0),
            Metric::Sum(path) => Accumulator::Sum(path, Sum::default()),
            Metric::Avg(path) => Accumulator::Mean(path, Sum::default()),
            Metric::Min(path) => Accumulator::Extreme(path, Ordering::Less, None),
            Metric::Max(path) => Accumulator::Extreme(path, Ordering::Greater, None),
            Metric::First(path) => Accumulator::First(path, None),
            Metric::Last(path) => Accumulator::Last(path, None),
        }
    }

    /// Takes in one document.
    pub(super) fn add(&mut self, document: &'a Document) {
        let at = |path: &Path| Value::at(path, document);
        match self {
            Accumulator::Count(count) => *count += 1,
            Accumulator::Sum(path, sum) | Accumulator::Mean(path, sum) => {
                if let Some(number) = at(path).and_then(|value| value.number()) {
                    sum.add(number);
                }
            }
            Accumulator::Extreme(path, wanted, best) => {
                let value = at(path).filter(|value| value.raw().kind() != Kind::Null);
                let is_better =
                    |value: &Value<'a>| best.as_ref().is_none_or(|best| value.cmp(best) == *wanted);
                if let Some(value) = value.filter(is_better) {
                    *best = Some(value);
                }
            }
            Accumulator::First(path, first) => {
                first.get_or_insert_with(|| at(path).unwrap_or(Value::NULL));
            }
            Accumulator::Last(path, last) => *last = Some(at(path).unwrap_or(Value::NULL)),
        }
    }

    /// What it comes to.
    pub(super) fn end(self) -> Value<'a> {
        match self {
            Accumulator::Count(count) => Value::trusted(count.to_string()),
            Accumulator::Sum(_, sum) => Value::trusted(sum.total().to_string()),
            Accumulator::Mean(_, sum) => Value::trusted(sum.mean().to_string()),
            Accumulator::Extreme(_, _, value)
            | Accumulator::First(_, value)
            | Accumulator::Last(_, value) => value.unwrap_or(Value::NULL),
        }
    }
}

impl Sum {
    fn add(&mut self, number: Number) {
        self.count += 1;
        match number {
            // 2^64 documents of 2^63 are less than 2^127.
            Number::Int(integer) => self.integers += integer,
            Number::Float(float) => {
                self.has_floats = true;
                let sum = self.floats + float;
                self.rounded_away += match self.floats.abs() >= float.abs() {
                    true => (self.floats - sum) + float,
                    false => (float - sum) + self.floats,
                };
                self.floats = sum;
            }
        }
    }

    fn as_f64(&self) -> f64 {
        match self.has_floats {
            true => self.integers as f64 + (self.floats + self.rounded_away),
            false => self.integers as f64,
        }
    }

    fn total(&self) -> Json {
        let integer = match self.has_floats {
            true => None,
            false => i64::try_from(self.integers)
                .map(Json::from)
                .or_else(|_| u64::try_from(self.integers).map(Json::from))
                .ok(),
        };
        integer.unwrap_or_else(|| Json::from(self.as_f64()))
    }

    fn mean(&self) -> Json {
        match self.count {
            0 => Json::from(None::<i64>),
            count => Json::from(self.as_f64() / count as f64),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn sum(numbers: &[&str]) -> (String, String) {
        let mut sum = Sum::default();
        numbers.iter().for_each(|text| sum.add(Number::parse(text).unwrap()));
        (sum.total().to_string(), sum.mean().to_string())
    }

    #[test]
    fn sums_are_exact_while_they_can_be() {
        let of = |total: &str, mean: &str| (total.to_owned(), mean.to_owned());
        assert_eq!(sum(&[]), of("0", "null"));
        assert_eq!(sum(&["40", "43"]), of("83", "41.5"));
        assert_eq!(sum(&["40", "42"]), of("82", "41.0"));
        assert_eq!(sum(&["1", "0.5"]), of("1.5", "0.75"));
        assert_eq!(sum(&["1.5", "1.5"]), of("3.0", "1.5"));
        let max = u64::MAX.to_string();
        assert_eq!(sum(&[&max, "-1", "1"]).0, max);
        // Over and back: what lies between need not fit.
        assert_eq!(sum(&[&max, &max, "-18446744073709551615.0"]).0, "1.8446744073709552e+19");
        assert_eq!(sum(&[&max, "1"]).0, "1.8446744073709552e+19");
        let least = i64::MIN.to_string();
        assert_eq!(sum(&[&least, &max, &least]).0, "-1");
        assert_eq!(sum(&["1.7e308", "1.7e308"]), of("null", "null"));
        // A float alone would forget the one.
        assert_eq!(sum(&["1e100", "1.0", "-1e100"]).0, "1.0");
    }
}
