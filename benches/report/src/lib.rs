//! What a benchmark found, for people and for programs: a table, JSON and charts.
//!
//! Invariant: all three are made from the same rows, and a row has every figure.
//!
//! A package of its own, which knows nothing of the engines: so its properties are tested with
//! everything else, and nobody who runs those tests builds the engines that are compared.

mod chart;
mod comparison;
mod table;

pub use chart::Chart;
pub use comparison::{Comparison, Expected};

use serde::Serialize;

/// Everything that a benchmark found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// One for each engine under each workload.
    pub rows: Vec<Row>,
    /// What was expected, beside what came out.
    pub comparisons: Vec<Comparison>,
}

/// One engine under one workload. Medians of its runs, where nothing else is said.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was done.
    pub workload: String,
    /// Documents in the database.
    pub size: usize,
    /// Threads that did it.
    pub threads: usize,
    /// Who did it.
    pub engine: String,
    /// What the engine promises of a write that has returned.
    pub durability: String,
    /// What the workload is about, in its unit.
    pub figure: Spread,
    /// Of the figure.
    pub unit: String,
    /// Operations a second.
    pub throughput: f64,
    /// Microseconds within which half of the operations were done.
    pub p50_us: f64,
    /// Microseconds within which 99 of 100 operations were done.
    pub p99_us: f64,
    /// Microseconds of the longest operation in any run.
    pub max_us: f64,
    /// Resident memory that the work added.
    pub memory_bytes: u64,
    /// All files at the end.
    pub disk_bytes: u64,
}

/// The median of some runs, and how far they reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are below it.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Report {
    /// Two tables: the rows, and the comparisons if there are any.
    pub fn table(&self) -> String {
        let rows = table::rows(&self.rows);
        match &*self.comparisons {
            [] => rows,
            comparisons => format!("{rows}\n{}", table::comparisons(comparisons)),
        }
    }

    /// One JSON object with the members `rows` and `comparisons`.
    ///
    /// # Errors
    ///
    /// None that a caller could cause: what is in a report can be written.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// One chart for each workload, in the order of the rows.
    pub fn charts(&self) -> Vec<Chart> {
        chart::of(&self.rows)
    }
}

impl Row {
    /// The first figure that is missing: it is zero, or no number. Memory may be nothing: an
    /// engine can give back more than it takes.
    pub fn lacks(&self) -> Option<&'static str> {
        let figures = [
            ("figure", self.figure.median),
            ("throughput", self.throughput),
            ("p50", self.p50_us),
            ("p99", self.p99_us),
            ("max", self.max_us),
        ];
        let missing = |value: f64| !value.is_finite() || value <= 0.0;
        figures.into_iter().find(|(_, value)| missing(*value)).map(|(name, _)| name)
    }
}

impl Spread {
    /// Of at least one value.
    ///
    /// ```
    /// let spread = bench_report::Spread::of([3.0, 1.0, 2.0, 10.0]);
    /// assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.5, 10.0));
    /// ```
    pub fn of(values: impl IntoIterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Spread { median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, min: at(0), max: at(last) }
    }
}
