//! What the users did, counted while they do it.
//!
//! An operation is what a user wants; it may take several requests, when another user was faster
//! or the server asks to wait. Its time is from the first request to the last answer. Each ends in
//! one of three ways: it succeeded, it failed, or an answer did not come in time.
//!
//! Invariant: every operation is counted once, under its kind, its end and its time.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;

use super::{
    connection::Miss,
    finding::{Finding, Findings},
    mix::Operation,
};

/// Kinds of failures that are told one by one; a server has some fifty.
const REASONS_MAX: usize = 100;

/// Significant digits of the times.
const DIGITS: u8 = 3;

/// Counts that all users share.
pub(super) struct Tally {
    counts: Mutex<Counts>,
    in_flight: AtomicU64,
    in_flight_max: AtomicU64,
    /// Microseconds that requests took, all together.
    flown: AtomicU64,
    requests: AtomicU64,
}

/// What was counted.
pub(super) struct Counts {
    pub(super) operations: [OperationCounts; 4],
    /// How late operations began, in microseconds.
    pub(super) late: Histogram<u64>,
    /// Why operations did not succeed, and how often.
    pub(super) reasons: BTreeMap<String, u64>,
    /// Writes of which nobody knows whether they took effect.
    pub(super) unknown: u64,
    pub(super) conflicts: u64,
    pub(super) retries: u64,
    pub(super) held_back: u64,
    /// Answers that were otherwise than they must be.
    pub(super) findings: Findings,
}

/// What was counted of one kind of operation.
pub(super) struct OperationCounts {
    pub(super) success: u64,
    pub(super) error: u64,
    pub(super) timeout: u64,
    /// Microseconds.
    pub(super) times: Histogram<u64>,
}

/// How many requests were under way.
pub(super) struct Flights {
    pub(super) requests: u64,
    pub(super) max: u64,
    /// The time of all of them together.
    pub(super) flown: Duration,
}

/// A request that is under way, until it is dropped.
pub(super) struct Flight<'a> {
    tally: &'a Tally,
    begun: std::time::Instant,
}

impl Tally {
    pub(super) fn new() -> Tally {
        let operations = Operation::ALL.map(|_| OperationCounts {
            success: 0,
            error: 0,
            timeout: 0,
            times: histogram(),
        });
        let counts = Counts {
            operations,
            late: histogram(),
            reasons: BTreeMap::new(),
            unknown: 0,
            conflicts: 0,
            retries: 0,
            held_back: 0,
            findings: Findings::default(),
        };
        Tally {
            counts: Mutex::new(counts),
            in_flight: AtomicU64::new(0),
            in_flight_max: AtomicU64::new(0),
            flown: AtomicU64::new(0),
            requests: AtomicU64::new(0),
        }
    }

    /// An operation ended.
    pub(super) fn note(
        &self,
        operation: Operation,
        time: Duration,
        late: Duration,
        done: &Result<(), Miss>,
    ) {
        let mut counts = self.lock();
        note_time(&mut counts.late, late);
        let of = &mut counts.operations[operation as usize];
        note_time(&mut of.times, time);
        match done {
            Ok(()) => of.success += 1,
            Err(miss) if miss.is_timeout => of.timeout += 1,
            Err(_) => of.error += 1,
        }
        if let Err(miss) = done {
            counts.unknown += u64::from(miss.may_have_effect && operation != Operation::Read);
            let is_known = counts.reasons.contains_key(&miss.reason);
            let is_told = is_known || counts.reasons.len() < REASONS_MAX;
            let reason = if is_told { miss.reason.clone() } else { "others".to_owned() };
            *counts.reasons.entry(reason).or_default() += 1;
        }
    }

    /// Another write was faster.
    pub(super) fn note_conflict(&self) {
        self.lock().conflicts += 1;
    }

    /// Something is sent again.
    pub(super) fn note_retry(&self) {
        self.lock().retries += 1;
    }

    /// The server asked to wait.
    pub(super) fn note_held_back(&self) {
        self.lock().held_back += 1;
    }

    /// An answer is otherwise than it must be.
    pub(super) fn note_finding(&self, finding: Finding) {
        self.lock().findings.add(finding);
    }

    /// A request is sent now.
    pub(super) fn depart(&self) -> Flight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight_max.fetch_max(now, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Flight { tally: self, begun: std::time::Instant::now() }
    }

    /// All that was counted.
    pub(super) fn finish(self) -> (Counts, Flights) {
        let flights = Flights {
            requests: self.requests.into_inner(),
            max: self.in_flight_max.into_inner(),
            flown: Duration::from_micros(self.flown.into_inner()),
        };
        (self.counts.into_inner().unwrap_or_else(PoisonError::into_inner), flights)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OperationCounts {
    /// All of them.
    pub(super) fn operations(&self) -> u64 {
        self.success + self.error + self.timeout
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.tally.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.tally.flown.fetch_add(micros(self.begun.elapsed()), Ordering::Relaxed);
    }
}

/// Times of any length: it grows with the largest.
fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).expect("so many digits are allowed")
}

/// Notes a time in microseconds.
fn note_time(times: &mut Histogram<u64>, time: Duration) {
    // The variant that saturates would not grow.
    times.record(micros(time)).expect("a histogram that grows takes every value");
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_counted_once_with_its_time() {
        let tally = Tally::new();
        let timeout = || Miss { reason: "timeout".into(), is_timeout: true, may_have_effect: true };
        let note = |operation, millis, done| {
            tally.note(operation, Duration::from_millis(millis), Duration::from_secs(1), &done);
        };
        note(Operation::Read, 1, Ok(()));
        note(Operation::Read, 3_000, Err(timeout()));
        note(Operation::Insert, 60_000, Err(timeout()));
        note(Operation::Insert, 2, Err(Miss::refused("read-only")));
        let (counts, _) = tally.finish();
        let [read, insert, update, _] = &counts.operations;
        assert_eq!((read.success, read.error, read.timeout), (1, 0, 1));
        assert_eq!((insert.success, insert.error, insert.timeout), (0, 1, 1));
        assert_eq!((read.operations(), read.times.len(), update.operations()), (2, 2, 0));
        let near = |found: u64, expected: u64| found.abs_diff(expected) * 500 < expected;
        assert!(near(read.times.max(), 3_000_000) && near(read.times.min(), 1_000));
        assert!(near(insert.times.max(), 60_000_000) && near(counts.late.max(), 1_000_000));
        assert_eq!(counts.unknown, 1, "a read leaves nothing in doubt");
        assert_eq!((counts.reasons["timeout"], counts.reasons["read-only"]), (2, 1));
    }

    #[test]
    fn requests_are_in_flight_from_departure_to_arrival() {
        let tally = Tally::new();
        let first = tally.depart();
        drop((tally.depart(), tally.depart()));
        drop(first);
        drop(tally.depart());
        let (_, flights) = tally.finish();
        assert_eq!((flights.requests, flights.max), (4, 3));
    }
}
