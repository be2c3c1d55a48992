//! What became of the transactions whose answer never came.
//!
//! One of whose values anybody has seen took effect, with the version of the document that showed
//! it. One that added to what only grows did not, if nothing was there when everything was read at
//! the end. Of the rest, which wrote only registers and counters, nobody can say.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Event, History, Key, Outcome, Record};

/// How many of them there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) there: usize,
    pub(crate) absent: usize,
    pub(crate) open: usize,
}

impl Fates {
    pub(crate) fn sum(self) -> usize {
        self.there + self.absent + self.open
    }
}

/// Decides as far as it can be known.
pub(crate) fn decide(history: &mut History) -> Fates {
    let versions: BTreeMap<(Key, u64), u64> =
        history.sightings.iter().map(|(key, value, version)| ((*key, *value), *version)).collect();
    let shown = shown(history);
    let mut fates = Fates::default();
    let is_read_whole = history.is_read_whole;
    let unanswered = history.records.iter_mut().filter(|r| r.outcome == Outcome::Unknown);
    for record in unanswered.filter(|record| record.writes()) {
        let version = record.written().find_map(|written| versions.get(&written));
        record.outcome = match version {
            Some(version) => Outcome::Committed(*version),
            None if record.written().any(|written| shown.contains(&written)) => Outcome::TookEffect,
            None if is_read_whole && adds(record) => Outcome::Aborted,
            None => Outcome::Unknown,
        };
        match record.outcome {
            Outcome::Committed(_) | Outcome::TookEffect => fates.there += 1,
            Outcome::Aborted => fates.absent += 1,
            Outcome::Unknown => fates.open += 1,
        }
    }
    fates
}

/// Every value that a transaction which took effect has seen.
fn shown(history: &History) -> BTreeSet<(Key, u64)> {
    let records = history.records.iter().filter(|record| record.took_effect());
    records.flat_map(|record| &record.events).flat_map(Event::seen).collect()
}

fn adds(record: &Record) -> bool {
    let adds = |event: &Event| matches!(event, Event::Append { .. } | Event::AddItem { .. });
    record.events.iter().any(adds)
}
