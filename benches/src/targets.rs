//! What MonsterDB is expected to reach, beside what it reached.

use serde::Serialize;

use crate::{Workload, plan::Row, question::Topic, report::Spread};

/// MonsterDB's figure, alone or as a ratio to another engine's.
#[derive(Serialize)]
pub(crate) struct Comparison {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) measured: Spread,
    pub(crate) expected: Option<Expected>,
}

/// The bound that the median is expected to keep.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expected {
    AtLeast(f64),
    Below(f64),
}

impl Comparison {
    /// Whether the median keeps the bound; none where nothing is expected.
    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(match self.expected? {
            Expected::AtLeast(bound) => self.measured.median >= bound,
            Expected::Below(bound) => self.measured.median < bound,
        })
    }
}

/// Compares MonsterDB with every engine that did the same, and with its own bounds.
pub(crate) fn compare(rows: &[Row]) -> Vec<Comparison> {
    let own = rows.iter().filter(|row| row.engine.name() == "monsterdb");
    own.flat_map(|own| {
        let same = |row: &&Row| row.workload == own.workload && row.threads == own.threads;
        let others = rows.iter().filter(same).filter(|row| row.engine.name() != "monsterdb");
        absolute(own).into_iter().chain(others.map(|other| ratio(own, other)))
    })
    .collect()
}

/// The ratio of two engines, taken repetition by repetition.
fn ratio(own: &Row, other: &Row) -> Comparison {
    let pairs = own.measurements.iter().zip(&other.measurements);
    let expected = match (own.workload, own.threads, other.engine.name()) {
        (Workload::Insert, 1, "bare loop") => Some(Expected::AtLeast(0.75)),
        (Workload::Insert, 16, "sqlite") => Some(Expected::AtLeast(4.0)),
        (Workload::Batch, _, "sqlite") => Some(Expected::AtLeast(1.0)),
        (Workload::Get, _, "sqlite") => Some(Expected::AtLeast(5.0)),
        (Workload::Ask(Topic::Equality), ..) => Some(Expected::AtLeast(2.5)),
        (Workload::Ask(Topic::Range), ..) => Some(Expected::AtLeast(5.0)),
        (Workload::Ask(Topic::Scan | Topic::Top), _, "sqlite-jsonb") => {
            Some(Expected::AtLeast(1.3))
        }
        _ => None,
    };
    Comparison {
        what: format!("{} / {}", title(own), other.engine.name()),
        unit: "times",
        measured: Spread::of(pairs.map(|(own, other)| own.figure / other.figure)),
        expected,
    }
}

/// The bound of a figure by itself, where there is one.
fn absolute(own: &Row) -> Option<Comparison> {
    let bound = match own.workload {
        Workload::ReopenClean | Workload::ReopenKilled => 250.0,
        Workload::MemoryWritten | Workload::MemoryReopened => 520.0,
        Workload::Insert | Workload::Batch | Workload::Get | Workload::Ask(_) => return None,
    };
    Some(Comparison {
        what: title(own),
        unit: own.workload.unit(),
        measured: Spread::of(own.measurements.iter().map(|measurement| measurement.figure)),
        // The bounds were set for this many documents.
        expected: (own.size == 100_000).then_some(Expected::Below(bound)),
    })
}

fn title(row: &Row) -> String {
    format!("{}, {} threads", row.workload.name(), row.threads)
}
