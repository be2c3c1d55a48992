//! How long operations took, in a room that does not grow: memory that is measured is the engine's.
//!
//! Each doubling of time has as many buckets of one width (as in HdrHistogram by Tene). So a
//! percentile is told within one part of [`FINE`], rounded down; the longest latency exactly.

use std::time::Duration;

/// Buckets of each doubling.
const FINE: u64 = 1 << FINE_BITS;
const FINE_BITS: u32 = 7;

/// Every number of nanoseconds has one. Below the first doubling there are as many, a nanosecond
/// wide.
const BUCKETS: usize = (u64::BITS - FINE_BITS + 1) as usize * FINE as usize;

/// Latencies, counted.
pub(super) struct Latencies {
    counts: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies { counts: vec![0; BUCKETS], count: 0, max: Duration::ZERO }
    }
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(nanos)) {
            *count += 1;
        }
        self.count += 1;
        self.max = self.max.max(latency);
    }

    pub(super) fn merge(&mut self, other: &Latencies) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// The latency that so many of a hundred do not exceed.
    pub(super) fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent / 100).min(self.count.saturating_sub(1));
        let mut passed = 0;
        let reached = self.counts.iter().position(|count| {
            passed += count;
            passed > rank
        });
        Duration::from_nanos(reached.map_or(0, least))
    }
}

/// The bucket of a number of nanoseconds.
fn bucket(nanos: u64) -> usize {
    // How many of the last bits do not count: all but the first and those that tell buckets apart.
    let coarse = (nanos | FINE).ilog2() - FINE_BITS;
    (u64::from(coarse) * FINE + (nanos >> coarse)) as usize
}

/// The least number of nanoseconds in a bucket.
fn least(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let coarse = (bucket / FINE).saturating_sub(1);
    (bucket - coarse * FINE) << coarse
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Random;

    #[test]
    fn percentiles_are_those_of_the_sorted_ones() {
        let mut random = Random::new(3);
        for size in [1, 2, 99, 100, 5_000] {
            let mut latencies = Latencies::default();
            let mut sorted: Vec<u64> =
                (0..size).map(|_| (random.below(1_000) as u64 + 1) << random.below(40)).collect();
            let (one, other) = sorted.split_at(size / 3);
            for part in [one, other] {
                let mut counted = Latencies::default();
                part.iter().for_each(|nanos| counted.add(Duration::from_nanos(*nanos)));
                latencies.merge(&counted);
            }
            sorted.sort_unstable();
            assert_eq!(latencies.count(), size as u64);
            assert_eq!(Some(latencies.max()), sorted.last().copied().map(Duration::from_nanos));
            for percent in [0, 1, 50, 99, 100] {
                let exact = sorted[(size * percent / 100).min(size - 1)];
                let told = latencies.percentile(percent as u64).as_nanos() as u64;
                let error = exact.checked_sub(told).expect("it is rounded down");
                assert!(error * FINE <= exact, "{told} for {exact}");
            }
        }
    }

    #[test]
    fn every_number_has_a_bucket_and_buckets_are_in_order() {
        let edges = (0..u64::BITS).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for nanos in edges.chain([u64::MAX - 1, u64::MAX]) {
            let found = bucket(nanos);
            assert!(found < BUCKETS && least(found) <= nanos, "{nanos}");
            assert!(found + 1 == BUCKETS || bucket(nanos.saturating_add(1)) >= found, "{nanos}");
        }
    }
}
