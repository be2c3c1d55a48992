//! What MonsterDB is expected to reach, beside what it reached.
//!
//! Ratios are medians of the ratios of each repetition, and above one where MonsterDB is the better.
//! The best peer is the one with the best median. Targets are for two processors and, where nothing
//! else is said, 100,000 documents.

use bench_report::{Comparison, Expected, Spread};

use crate::{
    Workload, documents::DOCUMENT_BYTES, engine::Role, plan::Series, question::Topic,
    workload::Changes,
};

/// Documents for which most targets are set.
const SIZE: usize = 100_000;

/// Documents for which the targets of large databases are set.
const LARGE: usize = 1_000_000;

/// Compares MonsterDB with every engine that did the same, with the best of its peers, and with its
/// own bounds.
pub(crate) fn compare(all: &[Series]) -> Vec<Comparison> {
    let own = all.iter().filter(|series| series.engine.role() == Role::Own);
    own.flat_map(|own| {
        let same = |other: &&Series| {
            other.workload == own.workload
                && other.size == own.size
                && other.threads == own.threads
                && other.engine.role() != Role::Own
        };
        let others: Vec<&Series> = all.iter().filter(same).collect();
        let best = best_peer(&others).map(|best| {
            let name = format!("best peer ({})", best.engine.name());
            ratio(own, best, &name, to_best_peer(own))
        });
        let each = others.into_iter().map(|other| {
            let name = other.engine.name();
            ratio(own, other, name, to_engine(own, name))
        });
        absolute(own).into_iter().chain(each).chain(best)
    })
    .collect()
}

/// At least how many times as good as the best peer.
fn to_best_peer(own: &Series) -> Option<f64> {
    if own.size != SIZE {
        return None;
    }
    match (own.workload, own.threads) {
        (Workload::Insert, 1) => Some(1.3),
        (Workload::Insert, 16 | 64) => Some(1.5),
        (Workload::Get, _) => Some(1.4),
        (Workload::Mix, _) => Some(1.4),
        (Workload::ReadsBesideWriter, _) => Some(3.0),
        (Workload::Ask(Topic::Equality), _) => Some(2.5),
        (Workload::Ask(Topic::Range), _) => Some(8.0),
        _ => None,
    }
}

/// At least how many times as good as an engine: what is below one is a share of a bound.
fn to_engine(own: &Series, other: &str) -> Option<f64> {
    if own.size != SIZE {
        let is_get = own.size == LARGE && own.workload == Workload::Get;
        return (is_get && other == "sqlite").then_some(5.0);
    }
    match (own.workload, own.threads, other) {
        (Workload::Insert, 1, "group append") => Some(0.85),
        (Workload::Insert, 16 | 64, "group append") => Some(0.8),
        (Workload::Insert, 16 | 64, "sqlite") => Some(7.0),
        (Workload::Batch, _, "fjall") => Some(1.3),
        (Workload::Batch, _, "sqlite") => Some(2.0),
        (Workload::Get, _, "sqlite") => Some(7.0),
        (Workload::Get, _, "dashmap") => Some(0.6),
        (Workload::ModifyOne, _, "sqlite") => Some(1.0),
        (Workload::UpdateOne, _, "group append") => Some(0.7),
        (Workload::Ask(Topic::Scan | Topic::Top), _, "sqlite-jsonb") => Some(1.5),
        _ => None,
    }
}

/// The bound of a figure by itself, where there is one.
fn absolute(own: &Series) -> Option<Comparison> {
    let texts = |times: f64| times * DOCUMENT_BYTES as f64;
    let bound = match (own.workload, own.size) {
        (Workload::ReopenClean, SIZE) => 120.0,
        (Workload::ReopenClean, LARGE) => 1_200.0,
        (Workload::ReopenKilled, SIZE) => 250.0,
        (Workload::Checkpoint(Changes::Few), LARGE) => 50.0,
        (Workload::MemoryIndexed, SIZE) => texts(1.9),
        (Workload::MemoryWritten | Workload::MemoryReopened, SIZE) => 520.0,
        (Workload::Disk, SIZE) => texts(1.35),
        _ => return None,
    };
    Some(Comparison {
        what: title(own),
        unit: own.workload.measure().unit().to_owned(),
        measured: Spread::of(figures(own)),
        expected: Some(Expected::Below(bound)),
    })
}

fn best_peer<'a>(others: &[&'a Series]) -> Option<&'a Series> {
    let peers = others.iter().copied().filter(|series| series.engine.role() == Role::Peer);
    peers.reduce(|best, peer| {
        let median = |series| Spread::of(figures(series)).median;
        let gain = best.workload.measure().ratio(median(peer), median(best));
        if gain > 1.0 { peer } else { best }
    })
}

/// The ratio of two engines, taken repetition by repetition.
fn ratio(own: &Series, other: &Series, name: &str, expected: Option<f64>) -> Comparison {
    let measure = own.workload.measure();
    let pairs = figures(own).zip(figures(other));
    Comparison {
        what: format!("{} / {name}", title(own)),
        unit: "times".to_owned(),
        measured: Spread::of(pairs.map(|(own, other)| measure.ratio(own, other))),
        expected: expected.map(Expected::AtLeast),
    }
}

fn figures(series: &Series) -> impl Iterator<Item = f64> {
    series.measurements.iter().map(|measurement| measurement.figure)
}

fn title(series: &Series) -> String {
    let threads = series.threads;
    let noun = if threads == 1 { "thread" } else { "threads" };
    let size = match series.size {
        SIZE => String::new(),
        size => format!(" of {size}"),
    };
    format!("{}{size}, {threads} {noun}", series.workload.name())
}
