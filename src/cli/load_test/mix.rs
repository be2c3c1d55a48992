//! Which operations there are, and how often each is to come.

use std::{fmt, str::FromStr};

use super::dice::Dice;

/// What a user does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Reads a document, a few neighbouring ones, or a counter.
    Read,
    /// Inserts a document of its own.
    Insert,
    /// Changes a document of its own, or raises a counter that all users share.
    Update,
    /// Deletes a document of its own.
    Delete,
}

/// How often each operation is to come, in shares of their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix([u32; 4]);

/// A share above this is no share but a slip, and sums stay far from overflowing.
const SHARE_MAX: u32 = 1_000_000;

impl Operation {
    /// All of them, in the order of reports.
    pub const ALL: [Operation; 4] =
        [Operation::Read, Operation::Insert, Operation::Update, Operation::Delete];

    /// Its name in mixes and reports.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Read => "read",
            Operation::Insert => "insert",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

impl Mix {
    /// The share of an operation, from zero to one.
    pub fn share(&self, operation: Operation) -> f64 {
        f64::from(self.0[operation as usize]) / self.sum() as f64
    }

    /// The share of all that is not a read.
    pub fn writes(&self) -> f64 {
        1.0 - self.share(Operation::Read)
    }

    /// An operation by chance.
    pub(super) fn draw(&self, dice: &mut Dice) -> Operation {
        self.at(dice.below(self.sum()))
    }

    /// The operations of the smallest hand that has the shares exactly, if it is one of at most so
    /// many.
    pub(super) fn hand(&self, most: u64) -> Option<Vec<Operation>> {
        let divisor = self.0.iter().fold(0, |divisor, share| common(divisor, u64::from(*share)));
        let count = self.sum() / divisor;
        (count <= most).then(|| (0..count).map(|place| self.at(place * divisor)).collect())
    }

    /// The operation that a number below the sum of the shares falls on.
    fn at(&self, mut at: u64) -> Operation {
        let drawn = Operation::ALL.into_iter().find(|operation| {
            let share = u64::from(self.0[*operation as usize]);
            let is_reached = at < share;
            at = at.saturating_sub(share);
            is_reached
        });
        drawn.expect("the number is below the sum of the shares")
    }

    fn sum(&self) -> u64 {
        self.0.iter().map(|share| u64::from(*share)).sum()
    }
}

/// The greatest common divisor (Euclid).
fn common(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common(b, a % b) }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Mix, String> {
        let mut shares = [None; 4];
        for part in text.split(',') {
            let (name, share) =
                part.split_once('=').ok_or_else(|| format!("{part:?} is not OPERATION=SHARE"))?;
            let operation = Operation::ALL.into_iter().find(|known| known.name() == name.trim());
            let operation = operation.ok_or_else(|| {
                format!("there is no operation {name:?}: they are read, insert, update, delete")
            })?;
            let read = share.trim().parse::<u32>().ok().filter(|share| *share <= SHARE_MAX);
            let share =
                read.ok_or_else(|| format!("{share:?} is not a number from 0 to {SHARE_MAX}"))?;
            if shares[operation as usize].replace(share).is_some() {
                return Err(format!("{} is given twice", operation.name()));
            }
        }
        let mix = Mix(shares.map(Option::unwrap_or_default));
        if mix.sum() == 0 {
            return Err("no operation has a share above 0".to_owned());
        }
        Ok(mix)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}={}", operation.name(), self.0[operation as usize])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_and_written_alike() {
        let mix: Mix = "insert=15, read=70,delete=5".parse().expect("it is a good one");
        assert_eq!(mix.to_string(), "read=70,insert=15,update=0,delete=5");
        assert_eq!(mix.to_string().parse(), Ok(mix.clone()));
        assert!((mix.writes() - 20.0 / 90.0).abs() < 1e-9);
        let all = ["", "read", "read=x", "read=-1", "read=0", "scan=1", "read=1,read=1"];
        for refused in all.into_iter().chain(["read=4294967296", "read=1,"]) {
            assert!(refused.parse::<Mix>().is_err(), "{refused}");
        }
    }

    #[test]
    fn operations_come_in_their_shares() {
        let mix: Mix = "read=70,insert=15,update=10,delete=5".parse().expect("it is a good one");
        let mut dice = Dice::new(1, 2);
        let mut counts = [0_i32; 4];
        for _ in 0..100_000 {
            counts[mix.draw(&mut dice) as usize] += 1;
        }
        for (count, expected) in counts.into_iter().zip([70_000, 15_000, 10_000, 5_000]) {
            assert!((count - expected).abs() < 1_000, "{counts:?}");
        }
        let only: Mix = "delete=1".parse().expect("it is a good one");
        assert!((0..100).all(|_| only.draw(&mut dice) == Operation::Delete));
    }
}
