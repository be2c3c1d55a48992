//! Token buckets: how often something may be done, counted for each one who does it.
//!
//! A bucket holds up to `burst` tokens and gets one back every so often. It is kept as one instant,
//! the one at which it is full again, as in the generic cell rate algorithm (ITU-T I.371): there is
//! nothing to fill by a clock, and a bucket that is full need not be kept at all.
//!
//! Invariant: at most [`BUCKETS_MAX`] are kept. While as many are not full, all others share one.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

use crate::{
    limits::BUCKETS_MAX,
    sync::{Mutex, lock},
};

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// So many times at once. With zero it may never be done.
    pub burst: u32,
    /// After that once in this time.
    pub every: Duration,
}

/// The buckets of all who do something.
pub(super) struct Buckets<K> {
    limit: RateLimit,
    /// When each bucket is full again; the one without a key is shared.
    full_at: Mutex<HashMap<Option<K>, Instant>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets that are all full.
    pub(super) fn new(limit: RateLimit) -> Buckets<K> {
        Buckets { limit, full_at: Mutex::default() }
    }

    /// How long there is no token for this one; none when there is one.
    pub(super) fn wait(&self, key: &K, now: Instant) -> Option<Duration> {
        let RateLimit { burst, every } = self.limit;
        let buckets = lock(&self.full_at);
        let is_shared = buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&Some(key.clone()));
        let bucket = if is_shared { None } else { Some(key.clone()) };
        let full_at = buckets.get(&bucket).copied().unwrap_or(now).max(now);
        // A token is there when the bucket lacks at most all but one.
        let lacking = full_at.duration_since(now).saturating_add(every);
        let wait = lacking.saturating_sub(every.saturating_mul(burst));
        (!wait.is_zero() || burst == 0).then_some(wait)
    }

    /// Takes a token, also one that is not there yet.
    pub(super) fn take(&self, key: K, now: Instant) {
        let mut buckets = lock(&self.full_at);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&Some(key.clone())) {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let is_shared = buckets.len() >= BUCKETS_MAX && !buckets.contains_key(&Some(key.clone()));
        let bucket = if is_shared { None } else { Some(key) };
        let full_at = buckets.entry(bucket).or_insert(now);
        *full_at = (*full_at).max(now).checked_add(self.limit.every).unwrap_or(*full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn buckets(burst: u32) -> Buckets<usize> {
        Buckets::new(RateLimit { burst, every: SECOND })
    }

    #[test]
    fn a_bucket_is_emptied_and_fills_again() {
        let (buckets, now) = (buckets(3), Instant::now());
        for _ in 0..3 {
            assert_eq!(buckets.wait(&1, now), None);
            buckets.take(1, now);
        }
        assert_eq!(buckets.wait(&1, now), Some(SECOND));
        assert_eq!(buckets.wait(&2, now), None, "another one's is full");
        assert_eq!(buckets.wait(&1, now + SECOND / 4), Some(SECOND * 3 / 4));
        assert_eq!(buckets.wait(&1, now + SECOND), None);
        buckets.take(1, now + SECOND);
        assert_eq!(buckets.wait(&1, now + SECOND), Some(SECOND));
        let later = now + SECOND * 3600;
        for _ in 0..3 {
            assert_eq!(buckets.wait(&1, later), None, "no more than full");
            buckets.take(1, later);
        }
        assert_eq!(buckets.wait(&1, later), Some(SECOND));
    }

    #[test]
    fn a_burst_of_none_lets_nothing_through() {
        assert!(buckets(0).wait(&1, Instant::now()).is_some());
    }

    #[test]
    fn many_who_come_at_once_share_what_is_left() {
        let (buckets, now) = (buckets(1), Instant::now());
        for key in 0..BUCKETS_MAX + 5 {
            buckets.take(key, now);
        }
        assert_eq!(lock(&buckets.full_at).len(), BUCKETS_MAX + 1);
        assert!(buckets.wait(&7, now).is_some() && buckets.wait(&(BUCKETS_MAX + 9), now).is_some());
        buckets.take(7, now + SECOND * 10);
        buckets.take(BUCKETS_MAX + 9, now + SECOND * 10);
        assert_eq!(lock(&buckets.full_at).len(), 2, "full ones are not kept");
    }
}
