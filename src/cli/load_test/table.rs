//! A report for people.

use std::fmt;

use super::{
    finding::Findings,
    mix::Operation,
    report::{Check, Report, Row},
};

/// The names of a row's columns.
const HEAD: &str = "         operations    share    asked    success   error  timeout    p50 ms    \
                    p90 ms    p99 ms    max ms";

impl fmt::Display for Report {
    /// The table for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { total, throughput, concurrency, .. } = self;
        writeln!(
            f,
            "{} users on {} for {:.1} s, seed {}",
            concurrency.users, self.url, self.elapsed_s, self.seed
        )?;
        writeln!(f)?;
        writeln!(f, "{HEAD}")?;
        for operation in Operation::ALL {
            if let Some(row) = self.operations.get(operation.name()) {
                writeln!(f, "{}", row.line(operation.name()))?;
            }
        }
        writeln!(f, "{}", total.line("all"))?;
        writeln!(f)?;
        let [success, error, timeout] =
            [total.success_rate, total.error_rate, total.timeout_rate].map(percent);
        line(f, "rates", format!("success {success}, error {error}, timeout {timeout}"))?;
        let asked = throughput.writes_per_minute_asked;
        let asked = asked.map_or_else(|| "as many as possible".to_owned(), |n| n.to_string());
        line(
            f,
            "throughput",
            format!(
                "{:.1} operations/s in {} requests; {:.0} writes/min, asked {asked}; at most {} ms \
                 late",
                throughput.operations_per_second,
                throughput.requests,
                throughput.writes_per_minute,
                milliseconds(throughput.late_max_us)
            ),
        )?;
        line(
            f,
            "in flight",
            format!(
                "{:.2} requests on average, at most {}",
                concurrency.in_flight_mean, concurrency.in_flight_max
            ),
        )?;
        line(
            f,
            "conflicts",
            format!(
                "{}, retries {}, held back {}, unknown outcomes {}",
                self.conflicts, self.retries, self.held_back, self.unknown
            ),
        )?;
        for (reason, count) in &self.failures {
            line(f, "failed", format!("{count} by {reason}"))?;
        }
        self.check.fmt(f)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents = match &self.unasked {
            Some(reason) => format!("NOT CHECKED, {reason}"),
            None => format!(
                "{} must be there, {} may be, {} are; {} raises of counters, {} more possible",
                self.expected, self.uncertain, self.found, self.increments, self.increments_unknown
            ),
        };
        line(f, "documents", documents)?;
        for (when, findings) in [("at the end", &self.at_end), ("meanwhile", &self.while_running)] {
            let Findings { lost, duplicated, changed, unexpected, examples } = findings;
            line(
                f,
                when,
                format!(
                    "{lost} lost, {duplicated} duplicated, {changed} changed, {unexpected} \
                     unexpected"
                ),
            )?;
            for finding in examples {
                writeln!(f, "  {} {}: {}", finding.kind.name(), finding.id, finding.detail)?;
            }
        }
        write!(f, "{}", if self.passed { "passed" } else { "FAILED" })
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, text: String) -> fmt::Result {
    writeln!(f, "{name:<12}{text}")
}

impl Row {
    fn line(&self, name: &str) -> String {
        let Row { operations, success, error, timeout, latency_us: latency, .. } = self;
        let [share, asked] = [self.share, self.share_asked].map(percent);
        let [p50, p90, p99, max] =
            [latency.p50, latency.p90, latency.p99, latency.max].map(milliseconds);
        format!(
            "{name:<8} {operations:>10} {share:>8} {asked:>8} {success:>10} {error:>7} {timeout:>8} \
             {p50:>9} {p90:>9} {p99:>9} {max:>9}"
        )
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

fn milliseconds(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1e3)
}
