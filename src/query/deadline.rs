//! When a query has to be answered.
//!
//! Whoever reads on behalf of a query asks from time to time whether there is time left, and stops
//! reading when there is none; what was read until then is no answer, so the query fails. Looking at
//! the clock costs about as much as testing a small document, so it is done once in a while.

use std::time::{Duration, Instant};

use super::Query;
use crate::{
    error::{Error, Result},
    sync::{Clock, Counter, mutant},
};

/// What was published as limited.
const WHAT: &str = "a query's time in milliseconds";

/// Documents or keys that are read between two looks at the clock.
const READS_PER_LOOK: u64 = 64;

/// The time of one answer.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    begun: Option<(Instant, Duration)>,
    late: Counter,
}

impl Deadline {
    /// The time that a query has, from now on.
    pub(super) fn of(query: &Query) -> Deadline {
        let begun = query.time.map(|time| (Clock::instant(), time));
        Deadline { begun, late: Counter::default() }
    }

    /// True while there is time left, as far as is known after so many reads. Once it is over it
    /// stays so.
    pub(super) fn is_open(&self, reads: u64) -> bool {
        let Some((begun, time)) = self.begun else { return true };
        if reads.is_multiple_of(READS_PER_LOOK)
            && begun.elapsed() > time
            && !mutant("query_endless")
        {
            self.late.add(1);
        }
        self.late.get() == 0
    }

    /// Lets items pass while there is time left.
    pub(super) fn guard<T>(&self) -> impl FnMut(&T) -> bool {
        let mut reads = 0;
        move |_| {
            reads += 1;
            self.is_open(reads)
        }
    }

    /// Refuses what was read when the time was over before its end.
    pub(super) fn check(&self) -> Result<()> {
        match self.begun {
            Some((begun, time)) if self.late.get() > 0 => Err(Error::LimitExceeded {
                what: WHAT,
                max: time.as_millis() as u64,
                actual: begun.elapsed().as_millis() as u64,
            }),
            _ => Ok(()),
        }
    }
}
