//! How often users do something.
//!
//! The rate is of writes; reads come in proportion, by the mix. Each user has its share of the
//! time: one operation in each of its intervals, at a random moment of it. All users begin with an
//! operation at once, which is the hardest moment that the rate can bring about.
//!
//! Invariant: what is due does not wait for what came before. A user that is held up does what it
//! has missed as soon as it can, and how late that is is measured, so that a slow server cannot
//! lower the load without its being seen.

use std::{fmt, str::FromStr, time::Duration};

use super::{dice::Dice, mix::Mix};

/// How many writes there are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many a minute, of all users together. Where the mix has no writes, so many operations.
    PerMinute(u32),
    /// As many as there can be.
    Unlimited,
}

/// The moments at which one user is to do something.
pub(super) struct Pace {
    /// None for one operation after the other.
    interval: Option<Duration>,
    next: u32,
}

impl Pace {
    /// The pace of each of so many users.
    pub(super) fn new(rate: Rate, mix: &Mix, users: u32) -> Pace {
        let interval = match rate {
            Rate::Unlimited => None,
            Rate::PerMinute(writes) => {
                let share = if mix.writes() > 0.0 { mix.writes() } else { 1.0 };
                let operations = f64::from(writes) / share;
                // A share may be so small that the next operation is never due.
                let interval = Duration::try_from_secs_f64(60.0 * f64::from(users) / operations);
                Some(interval.unwrap_or(Duration::MAX))
            }
        };
        Pace { interval, next: 0 }
    }

    /// When the next operation is due, from the beginning of the run.
    pub(super) fn due(&mut self, dice: &mut Dice) -> Duration {
        let Some(interval) = self.interval else { return Duration::ZERO };
        let place = self.next;
        self.next = self.next.saturating_add(1);
        match place {
            0 => Duration::ZERO,
            _ => {
                let within = interval.as_secs_f64() * dice.fraction();
                let within = Duration::try_from_secs_f64(within).unwrap_or(Duration::MAX);
                interval.saturating_mul(place).saturating_add(within)
            }
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        match (text, text.parse()) {
            ("unlimited", _) => Ok(Rate::Unlimited),
            (_, Ok(writes)) if writes > 0 => Ok(Rate::PerMinute(writes)),
            _ => Err("it is neither a number above 0 nor unlimited".to_owned()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rate::PerMinute(writes) => writes.fmt(f),
            Rate::Unlimited => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_together_keep_the_rate() {
        let mix: Mix = "read=70,insert=30".parse().expect("it is a good one");
        let minute = Duration::from_secs(60);
        let mut operations = 0;
        for user in 0..100 {
            let (mut dice, mut last) = (Dice::new(1, user), Duration::ZERO);
            let mut pace = Pace::new(Rate::PerMinute(1_200), &mix, 100);
            loop {
                let due = pace.due(&mut dice);
                assert!(due >= last, "time goes on");
                last = due;
                if due >= minute {
                    break;
                }
                operations += 1;
            }
        }
        assert_eq!(operations, 4_000);
    }

    #[test]
    fn without_a_limit_everything_is_due_at_once() {
        let mut pace = Pace::new(
            "unlimited".parse().expect("it is a good one"),
            &"read=1".parse().expect("it is a good one"),
            3,
        );
        let mut dice = Dice::new(1, 1);
        assert!((0..9).all(|_| pace.due(&mut dice) == Duration::ZERO));
        for refused in ["0", "-1", "1.5", "much", ""] {
            assert!(refused.parse::<Rate>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_share_of_next_to_nothing_is_no_failure() {
        let mix: Mix = "read=1000000,insert=1".parse().expect("it is a good one");
        let mut pace = Pace::new(Rate::PerMinute(1), &mix, 1);
        let mut dice = Dice::new(1, 1);
        assert_eq!(pace.due(&mut dice), Duration::ZERO);
        assert!(pace.due(&mut dice) > Duration::ZERO);
    }
}
