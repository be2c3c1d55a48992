//! How often which sizes occur: the time of syncs, the commits of one write.
//!
//! The bounds of the buckets double, from one to a billion and more. So one form fits every unit,
//! nothing has to be configured, and noting a value is two additions to numbers that nobody waits
//! for.
//!
//! Invariant: every value noted is in exactly one bucket.

use std::time::Duration;

use crate::sync::Counter;

/// Buckets of a histogram. The last but one is for values up to 2³⁰, the last for all above.
const BUCKETS: usize = 32;

/// Counts values that any thread may note.
#[derive(Default)]
pub(crate) struct Histogram {
    buckets: [Counter; BUCKETS],
    sum: Counter,
}

/// What a histogram held at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Distribution {
    buckets: [u64; BUCKETS],
    sum: u64,
}

impl Histogram {
    /// Notes a value.
    pub(crate) fn note(&self, value: u64) {
        if let Some(bucket) = self.buckets.get(bucket(value)) {
            bucket.add(1);
        }
        self.sum.add(value);
    }

    /// Notes a time in microseconds.
    pub(crate) fn note_time(&self, time: Duration) {
        self.note(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// What it holds.
    pub(crate) fn distribution(&self) -> Distribution {
        Distribution { buckets: self.buckets.each_ref().map(Counter::get), sum: self.sum.get() }
    }
}

impl Distribution {
    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Their mean, rounded down; zero where there was none.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.count()).unwrap_or(0)
    }

    /// Each bucket's upper bound, which belongs to it, and the values in it; the last one has no
    /// bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bound = |at: usize| (at + 1 < BUCKETS).then_some(1 << at);
        self.buckets.into_iter().enumerate().map(move |(at, count)| (bound(at), count))
    }

    /// A bound that this share of the values does not exceed, from zero to one: the next power of
    /// two. None where there was no value, or where it lies above all bounds.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut passed = 0;
        let reached = self.buckets().find(|(_, count)| {
            passed += count;
            passed >= wanted && passed > 0
        });
        reached.and_then(|(bound, _)| bound)
    }
}

/// The bucket of a value: the first whose bound it does not exceed.
fn bucket(value: u64) -> usize {
    let bits = u64::BITS - value.saturating_sub(1).leading_zeros();
    (bits as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_in_the_first_bucket_that_is_large_enough() {
        let cases = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 30, 30)];
        for (value, expected) in cases.into_iter().chain([((1 << 30) + 1, 31), (u64::MAX, 31)]) {
            let histogram = Histogram::default();
            histogram.note(value);
            let found = histogram.distribution();
            let at = found.buckets().position(|(_, count)| count == 1);
            assert_eq!((at, found.count(), found.sum()), (Some(expected), 1, value), "{value}");
            let bound = found.buckets().nth(expected).and_then(|(bound, _)| bound);
            assert_eq!(bound, (expected < 31).then(|| 1 << expected));
        }
    }

    #[test]
    fn mean_and_quantiles_are_those_of_all_values() {
        let histogram = Histogram::default();
        let none = histogram.distribution();
        assert_eq!((none.count(), none.mean(), none.quantile(0.5)), (0, 0, None));
        for value in 1..=100 {
            histogram.note(value);
        }
        histogram.note_time(Duration::from_millis(2));
        let found = histogram.distribution();
        assert_eq!((found.count(), found.mean()), (101, 69));
        assert_eq!(found.quantile(0.5), Some(64));
        assert_eq!(found.quantile(0.0), Some(1));
        assert_eq!(found.quantile(1.0), Some(2048));
    }
}
