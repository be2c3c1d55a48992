//! What a run is told as: to programs as JSON, to people as a table that is made of the same numbers.
//!
//! Invariant: the numbers add up. The operations are the sum of successes, errors and timeouts, in
//! all and of each kind, and each has one time.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{
    check::Checked,
    counters::Counters,
    finding::Findings,
    mix::{Mix, Operation},
    pace::Rate,
    tally::{Counts, Flights, OperationCounts},
};

/// A run, told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The server.
    pub url: String,
    /// The collection that the run was in.
    pub collection: String,
    /// The collection is still there.
    pub kept: bool,
    /// The seed of everything random, with which the run can be repeated.
    pub seed: u64,
    /// Seconds that were asked for.
    pub duration_s: f64,
    /// Seconds until the last user had ended.
    pub elapsed_s: f64,
    /// All operations together.
    pub total: Row,
    /// Those of each kind, by its name.
    pub operations: BTreeMap<&'static str, Row>,
    /// How much there was in how long.
    pub throughput: Throughput,
    /// How many did something at once.
    pub concurrency: Concurrency,
    /// Writes that another one overtook.
    pub conflicts: u64,
    /// Requests that were sent again, after a conflict or because the server asked to wait.
    pub retries: u64,
    /// Times that the server asked to wait.
    pub held_back: u64,
    /// Writes of which nobody knows whether they took effect.
    pub unknown: u64,
    /// Why operations did not succeed, and how often.
    pub failures: BTreeMap<String, u64>,
    /// What was found at the end.
    pub check: Check,
}

/// Some operations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Their share of all that was asked for, from zero to one.
    pub share_asked: f64,
    /// Their share of all.
    pub share: f64,
    /// How many there were.
    pub operations: u64,
    /// Those that succeeded.
    pub success: u64,
    /// Those that failed.
    pub error: u64,
    /// Those whose answer did not come in time.
    pub timeout: u64,
    /// The same three as shares of these operations.
    pub success_rate: f64,
    /// Errors.
    pub error_rate: f64,
    /// Timeouts.
    pub timeout_rate: f64,
    /// How long they took.
    pub latency_us: Latency,
}

/// How long something took, in microseconds, to three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// How many times were noted.
    pub count: u64,
    /// Half of them are no longer than this.
    pub p50: u64,
    /// Nine in ten.
    pub p90: u64,
    /// Ninety-nine in a hundred.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// How much there was in how long.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Throughput {
    /// Writes a minute that were asked for; none for as many as there can be.
    pub writes_per_minute_asked: Option<u32>,
    /// Writes a minute that succeeded.
    pub writes_per_minute: f64,
    /// Operations a second.
    pub operations_per_second: f64,
    /// Requests, of which an operation may take several.
    pub requests: u64,
    /// How much later than they were due operations began: the longest of them, in microseconds.
    pub late_max_us: u64,
}

/// How many did something at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Concurrency {
    /// Users, each on a connection of its own.
    pub users: u32,
    /// Requests that were under way at once: the mean over the whole time.
    pub in_flight_mean: f64,
    /// The most that there were.
    pub in_flight_max: u64,
}

/// What was found at the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Everything is as it must be, and was whenever it was read.
    pub passed: bool,
    /// Why the server could not be asked at the end; then nothing else here says anything.
    pub unasked: Option<String>,
    /// Documents that must be there.
    pub expected: u64,
    /// Documents that may be there or not, since a write's outcome is unknown.
    pub uncertain: u64,
    /// Documents that are there.
    pub found: u64,
    /// Raises of shared counters that were acknowledged.
    pub increments: u64,
    /// Raises whose outcome is unknown.
    pub increments_unknown: u64,
    /// What is otherwise at the end.
    pub at_end: Findings,
    /// What users read otherwise than it must be, while the run went on.
    pub while_running: Findings,
}

/// What a report is made of.
pub(super) struct Material<'a> {
    pub(super) url: &'a str,
    pub(super) collection: &'a str,
    pub(super) seed: u64,
    pub(super) users: u32,
    pub(super) rate: Rate,
    pub(super) mix: &'a Mix,
    pub(super) duration: Duration,
    pub(super) elapsed: Duration,
    pub(super) counters: &'a Counters,
}

impl Report {
    pub(super) fn new(
        material: Material<'_>,
        counts: Counts,
        flights: Flights,
        checked: Checked,
    ) -> Report {
        let Material { url, collection, seed, users, rate, mix, duration, elapsed, counters } =
            material;
        let all: u64 = counts.operations.iter().map(OperationCounts::operations).sum();
        let total = total(&counts.operations);
        let row = |operation: Operation| {
            let of = &counts.operations[operation as usize];
            (operation.name(), Row::new(of, mix.share(operation), all))
        };
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let writes = |(operation, of): (Operation, &OperationCounts)| match operation {
            Operation::Read => 0,
            Operation::Insert | Operation::Update | Operation::Delete => of.success,
        };
        let writes: u64 = Operation::ALL.into_iter().zip(&counts.operations).map(writes).sum();
        let in_flight_mean = flights.flown.as_secs_f64() / seconds;
        Report {
            url: url.to_owned(),
            collection: collection.to_owned(),
            kept: true,
            seed,
            duration_s: duration.as_secs_f64(),
            elapsed_s: elapsed.as_secs_f64(),
            total: Row::new(&total, 1.0, all),
            operations: Operation::ALL.into_iter().map(row).collect(),
            throughput: Throughput {
                writes_per_minute_asked: match rate {
                    Rate::PerMinute(writes) => Some(writes),
                    Rate::Unlimited => None,
                },
                writes_per_minute: writes as f64 * 60.0 / seconds,
                operations_per_second: all as f64 / seconds,
                requests: flights.requests,
                late_max_us: counts.late.max(),
            },
            concurrency: Concurrency { users, in_flight_mean, in_flight_max: flights.max },
            conflicts: counts.conflicts,
            retries: counts.retries,
            held_back: counts.held_back,
            unknown: counts.unknown,
            failures: counts.reasons,
            check: Check {
                passed: checked.unasked.is_none()
                    && checked.findings.count() + counts.findings.count() == 0,
                unasked: checked.unasked,
                expected: checked.expected,
                uncertain: checked.uncertain,
                found: checked.found,
                increments: counters.acknowledged(),
                increments_unknown: counters.unknown(),
                at_end: checked.findings,
                while_running: counts.findings,
            },
        }
    }

    /// The report as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it holds numbers and texts only")
    }
}

impl Row {
    fn new(of: &OperationCounts, share_asked: f64, all: u64) -> Row {
        let operations = of.operations();
        let rate = |count: u64| share(count, operations);
        Row {
            share_asked,
            share: share(operations, all),
            operations,
            success: of.success,
            error: of.error,
            timeout: of.timeout,
            success_rate: rate(of.success),
            error_rate: rate(of.error),
            timeout_rate: rate(of.timeout),
            latency_us: Latency::of(&of.times),
        }
    }
}

impl Latency {
    fn of(times: &Histogram<u64>) -> Latency {
        let at = |share| times.value_at_quantile(share);
        Latency { count: times.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: times.max() }
    }
}

fn total(operations: &[OperationCounts; 4]) -> OperationCounts {
    let mut times = Histogram::new_from(&operations[0].times);
    times.auto(true);
    let (mut success, mut error, mut timeout) = (0, 0, 0);
    for of in operations {
        (success, error, timeout) = (success + of.success, error + of.error, timeout + of.timeout);
        times.add(&of.times).expect("a histogram that grows takes every value");
    }
    OperationCounts { success, error, timeout, times }
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}
