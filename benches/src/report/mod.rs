//! The figures for people and for programs. Both are made from the same lines.

mod table;

use std::{io::Write, time::Duration};

use serde::Serialize;

use crate::{Result, plan::Row, targets::Comparison};

/// The median of some runs, and how far they reach.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// One line of the table.
#[derive(Serialize)]
struct Line {
    engine: &'static str,
    durability: &'static str,
    workload: &'static str,
    size: usize,
    threads: usize,
    unit: &'static str,
    figure: Spread,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    memory_bytes: u64,
    disk_bytes: u64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Spread {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Spread { median: (at(last / 2) + at(last.div_ceil(2))) / 2.0, min: at(0), max: at(last) }
    }
}

impl Line {
    fn new(row: &Row) -> Line {
        let runs = &row.measurements;
        let micros = |latency: fn(&crate::measure::Measurement) -> Duration| {
            let median = Spread::of(runs.iter().map(|run| latency(run).as_secs_f64() * 1e6)).median;
            (median > 0.0).then_some(median)
        };
        Line {
            engine: row.engine.name(),
            durability: row.durability(),
            workload: row.workload.name(),
            size: row.size,
            threads: row.threads,
            unit: row.workload.unit(),
            figure: Spread::of(runs.iter().map(|run| run.figure)),
            p50_us: micros(|run| run.p50),
            p99_us: micros(|run| run.p99),
            memory_bytes: Spread::of(runs.iter().map(|run| run.memory_bytes as f64)).median as u64,
            disk_bytes: Spread::of(runs.iter().map(|run| run.disk_bytes as f64)).median as u64,
        }
    }
}

/// Prints everything as one JSON object.
pub(crate) fn json(rows: &[Row], comparisons: &[Comparison]) -> Result<()> {
    let rows: Vec<Line> = rows.iter().map(Line::new).collect();
    let all = serde_json::json!({ "rows": rows, "comparisons": comparisons });
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&all)?)?)
}

/// Prints two tables: the rows, and the comparisons.
pub(crate) fn table(rows: &[Row], comparisons: &[Comparison]) -> Result<()> {
    let mut out = std::io::stdout();
    let lines: Vec<Line> = rows.iter().map(Line::new).collect();
    writeln!(out, "{}", table::rows(&lines))?;
    Ok(writeln!(out, "{}", table::comparisons(comparisons))?)
}
