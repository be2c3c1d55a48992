//! Token buckets: how often something may be done, counted for each one who does it.
//!
//! A bucket holds up to `burst` tokens and gets one back every so often. It is kept as one instant,
//! the one at which it is full again, as in the generic cell rate algorithm (ITU-T I.371): there is
//! nothing to fill by a clock, and a bucket that is full need not be kept at all. So a bucket knows
//! nothing of its limit, and one whose limit is another from now on is the same bucket.
//!
//! The crates that do this (`governor` is the well-kept one) bind a table of buckets to one limit,
//! look at a bucket only by taking from it, and keep a bucket for every key until they are told to
//! clean up. Here each API key may have a limit of its own, wrong keys are counted without a cost
//! for right ones, and the table is bounded; what is left of the algorithm is ten lines.
//!
//! Invariant: at most [`BUCKETS_MAX`] are kept. While as many are not full, all others share one.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    str::FromStr,
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

/// How often something may be done, as it is written: `100/s`, `30/m`, `5/h` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many times in a time: a second, a minute or an hour.
    Times(u32, Duration),
    /// As often as anybody likes.
    Unlimited,
}

/// The buckets of all who do something.
pub(super) struct Buckets<K> {
    /// When each bucket is full again; the one without a key is shared.
    full_at: Mutex<HashMap<Option<K>, Instant>>,
}

/// How somebody stands to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: RateLimit,
    /// Tokens that are left.
    pub(super) remaining: u32,
    /// Time until all of them are there again.
    pub(super) full_in: Duration,
    /// Time until there is one, when none was.
    pub(super) wait: Option<Duration>,
}

impl Rate {
    /// The limit of this rate; none when there is no bound.
    pub fn with_burst(self, burst: u32) -> Option<RateLimit> {
        match self {
            Rate::Times(times, time) => Some(RateLimit { burst, every: time / times.max(1) }),
            Rate::Unlimited => None,
        }
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Rate, &'static str> {
        let rate = || {
            let (times, unit) = text.split_once('/')?;
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            let times = times.parse::<u32>().ok().filter(|n| (1..=1_000_000).contains(n))?;
            Some(Rate::Times(times, Duration::from_secs(seconds)))
        };
        match text {
            "off" => Ok(Rate::Unlimited),
            _ => rate().ok_or("it is a rate such as 100/s, 30/m or 5/h, or off"),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::Unlimited => f.write_str("off"),
            Rate::Times(times, time) => match time.as_secs() {
                60 => write!(f, "{times}/m"),
                3600 => write!(f, "{times}/h"),
                _ => write!(f, "{times}/s"),
            },
        }
    }
}

impl RateLimit {
    /// The limit as a quota: so many in so many seconds.
    pub(super) fn quota(&self) -> (u64, u64) {
        let every = self.every.as_nanos().max(1);
        let windows = [1, 60, 3600];
        let fits =
            windows.into_iter().find(|seconds| every <= Duration::from_secs(*seconds).as_nanos());
        let window = fits.unwrap_or_else(|| self.every.as_secs_f64().ceil() as u64);
        // Rounded: the time between two is that of a rate, cut to nanoseconds.
        let quota = (Duration::from_secs(window).as_nanos() + every / 2) / every;
        (quota as u64, window)
    }
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets that are all full.
    pub(super) fn new() -> Buckets<K> {
        Buckets { full_at: Mutex::default() }
    }

    /// How this one stands to a limit, without taking anything.
    pub(super) fn look(&self, key: &K, limit: RateLimit, now: Instant) -> Standing {
        let buckets = lock(&self.full_at);
        let bucket = place(&buckets, key);
        limit.standing(buckets.get(&bucket).copied(), now)
    }

    /// Takes a token, also one that is not there yet.
    pub(super) fn take(&self, key: &K, limit: RateLimit, now: Instant) {
        let mut buckets = lock(&self.full_at);
        take(&mut buckets, key, limit, now);
    }

    /// Takes a token if there is one, and says how this one stands then.
    pub(super) fn admit(&self, key: &K, limit: RateLimit, now: Instant) -> Standing {
        let mut buckets = lock(&self.full_at);
        let bucket = place(&buckets, key);
        let before = limit.standing(buckets.get(&bucket).copied(), now);
        if before.wait.is_some() {
            return before;
        }
        let full_at = take(&mut buckets, key, limit, now);
        Standing { wait: None, ..limit.standing(Some(full_at), now) }
    }
}

impl RateLimit {
    /// What a bucket holds that is full again at this instant.
    fn standing(self, full_at: Option<Instant>, now: Instant) -> Standing {
        let RateLimit { burst, every } = self;
        let full_in = full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let lacking = full_in.as_nanos().div_ceil(every.as_nanos().max(1));
        let remaining = burst.saturating_sub(u32::try_from(lacking).unwrap_or(u32::MAX));
        // A token is there when the bucket lacks at most all but one.
        let wait = full_in.saturating_add(every).saturating_sub(every.saturating_mul(burst));
        let wait = (!wait.is_zero() || burst == 0).then_some(wait);
        Standing { limit: self, remaining, full_in, wait }
    }
}

fn place<K: Hash + Eq + Clone>(buckets: &HashMap<Option<K>, Instant>, key: &K) -> Option<K> {
    let own = Some(key.clone());
    if buckets.len() < BUCKETS_MAX || buckets.contains_key(&own) { own } else { None }
}

/// Takes a token, and returns when the bucket is full again.
fn take<K: Hash + Eq + Clone>(
    buckets: &mut HashMap<Option<K>, Instant>,
    key: &K,
    limit: RateLimit,
    now: Instant,
) -> Instant {
    if place(buckets, key).is_none() {
        buckets.retain(|_, full_at| *full_at > now);
    }
    let bucket = place(buckets, key);
    let full_at = buckets.entry(bucket).or_insert(now);
    *full_at = (*full_at).max(now).checked_add(limit.every).unwrap_or(*full_at);
    *full_at
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limit(burst: u32) -> RateLimit {
        RateLimit { burst, every: SECOND }
    }

    #[test]
    fn a_bucket_is_emptied_and_fills_again() {
        let (buckets, limit, now) = (Buckets::new(), limit(3), Instant::now());
        let wait = |key, now| buckets.look(&key, limit, now).wait;
        for remaining in [2, 1, 0] {
            assert_eq!(wait(1, now), None);
            let standing = buckets.admit(&1, limit, now);
            let full_in = SECOND * (3 - remaining);
            assert_eq!(standing, Standing { limit, remaining, full_in, wait: None });
        }
        let refused = buckets.admit(&1, limit, now);
        assert_eq!((refused.wait, refused.remaining), (Some(SECOND), 0));
        assert_eq!(wait(1, now), Some(SECOND), "what was refused took nothing");
        assert_eq!(wait(2, now), None, "another one's is full");
        assert_eq!(wait(1, now + SECOND / 4), Some(SECOND * 3 / 4));
        assert_eq!(wait(1, now + SECOND), None);
        buckets.take(&1, limit, now + SECOND);
        assert_eq!(wait(1, now + SECOND), Some(SECOND));
        let later = now + SECOND * 3600;
        for _ in 0..3 {
            assert_eq!(buckets.admit(&1, limit, later).wait, None, "no more than full");
        }
        assert_eq!(wait(1, later), Some(SECOND));
    }

    #[test]
    fn a_burst_of_none_lets_nothing_through() {
        assert!(Buckets::new().admit(&1, limit(0), Instant::now()).wait.is_some());
    }

    #[test]
    fn a_bucket_keeps_its_level_when_its_limit_changes() {
        let (buckets, now) = (Buckets::new(), Instant::now());
        for _ in 0..3 {
            buckets.admit(&1, limit(3), now);
        }
        assert!(buckets.look(&1, limit(3), now).wait.is_some());
        assert_eq!(buckets.look(&1, limit(10), now).remaining, 7);
    }

    #[test]
    fn many_who_come_at_once_share_what_is_left() {
        let (buckets, limit, now) = (Buckets::new(), limit(1), Instant::now());
        for key in 0..BUCKETS_MAX + 5 {
            buckets.take(&key, limit, now);
        }
        assert_eq!(lock(&buckets.full_at).len(), BUCKETS_MAX + 1);
        let waits = |key: usize| buckets.look(&key, limit, now).wait.is_some();
        assert!(waits(7) && waits(BUCKETS_MAX + 9));
        buckets.take(&7, limit, now + SECOND * 10);
        buckets.take(&(BUCKETS_MAX + 9), limit, now + SECOND * 10);
        assert_eq!(lock(&buckets.full_at).len(), 2, "full ones are not kept");
    }

    #[test]
    fn rates_are_read_and_written() {
        for (text, quota) in
            [("100/s", (100, 1)), ("30/m", (30, 60)), ("90/m", (2, 1)), ("7/h", (7, 3600))]
        {
            let rate: Rate = text.parse().expect(text);
            assert_eq!(rate.to_string(), text);
            assert_eq!(rate.with_burst(9).map(|limit| limit.quota()), Some(quota), "{text}");
        }
        assert_eq!("off".parse(), Ok(Rate::Unlimited));
        assert_eq!(Rate::Unlimited.with_burst(9), None);
        for wrong in ["", "5", "0/s", "1000001/s", "-1/s", "5/d", "5/", "/s", "OFF"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
