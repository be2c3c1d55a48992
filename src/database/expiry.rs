//! Letting documents expire: those whose time, at the path of an index with a time to live, is long
//! enough ago.
//!
//! They leave by ordinary commits, in the log and in every snapshot like any other deletion. Each
//! rests on the version that was seen, so a document that is changed meanwhile stays: its commit
//! conflicts, and the next round looks again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::engine::Engine;
use crate::{
    document::{Direction, Document, Interval, Json, Kind, Raw},
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    snapshot::{Index, Snapshot},
    sync::{Arc, Clock},
    transaction::{Isolation, Transaction},
};

/// Documents that one commit lets go, so that it is short.
const BATCH: usize = 1000;

/// The offsets of RFC 3339 are less than a day, so times are ordered as their texts but for that.
const OFFSET_MAX: Duration = Duration::from_secs(24 * 60 * 60);

impl Engine {
    /// Deletes what has expired by now, and says how much that was.
    pub(super) fn expire(&self) -> Result<usize> {
        let snapshot = self.committer.published();
        let mut expired = 0;
        for (name, collection) in snapshot.collections() {
            for index in collection.indexes() {
                let ids = expired_at(index, Clock::now());
                for batch in ids.chunks(BATCH) {
                    expired += self.delete_unchanged(&snapshot, name, batch)?;
                }
            }
        }
        Ok(expired)
    }

    /// Deletes documents in one commit or, where one of them was changed meanwhile, the others in
    /// commits of their own.
    fn delete_unchanged(
        &self,
        snapshot: &Arc<Snapshot>,
        collection: &CollectionName,
        ids: &[DocumentId],
    ) -> Result<usize> {
        let transaction = Transaction::begin(Arc::clone(snapshot), Isolation::Serializable);
        for id in ids {
            transaction.delete(collection, id)?;
        }
        match self.committer.commit(transaction, self.settings.durability) {
            Ok(_) => Ok(ids.len()),
            Err(Error::Conflict(_)) if ids.len() > 1 => {
                let each = ids.iter().map(|id| {
                    self.delete_unchanged(snapshot, collection, std::slice::from_ref(id))
                });
                each.sum()
            }
            Err(Error::Conflict(_)) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// The ids of the documents whose time is up.
fn expired_at(index: &Index, now: SystemTime) -> Vec<DocumentId> {
    let Some(latest) = index.definition().expire_after.and_then(|age| now.checked_sub(age)) else {
        return Vec::new();
    };
    let Some(part) = index.definition().paths.first() else { return Vec::new() };
    let text = Json::from(humantime::format_rfc3339_millis(latest + OFFSET_MAX).to_string());
    let number = Json::from(milliseconds(latest));
    let is_due = |document: &Document| {
        let value = part.path.sort_value(document, Direction::Ascending);
        value.and_then(|value| time_of(Raw::trusted(&value))).is_some_and(|time| time <= latest)
    };
    let intervals = [text, number].map(|bound| {
        let interval = Interval::compared(bound.as_raw(), std::cmp::Ordering::Less, true);
        interval.range(&[], part.direction)
    });
    let entries = intervals.iter().flat_map(|range| index.range(range));
    let mut due: Vec<DocumentId> =
        entries.filter(|entry| is_due(entry.document)).map(|entry| entry.id.clone()).collect();
    due.sort_unstable();
    due.dedup();
    due
}

/// The time that a value stands for: RFC 3339, or milliseconds since 1970.
fn time_of(value: Raw<'_>) -> Option<SystemTime> {
    match value.kind() {
        Kind::Number => {
            let milliseconds = value.number()?.as_f64();
            let since = Duration::try_from_secs_f64(milliseconds.max(0.0) / 1000.0).ok()?;
            UNIX_EPOCH.checked_add(since)
        }
        Kind::String => rfc3339(&value.as_str()?),
        Kind::Null | Kind::Bool | Kind::Array | Kind::Object => None,
    }
}

/// Reads a time with `Z` or an offset such as `+02:00`.
fn rfc3339(text: &str) -> Option<SystemTime> {
    if let Ok(time) = humantime::parse_rfc3339(text) {
        return Some(time);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let time = humantime::parse_rfc3339(&format!("{local}Z")).ok()?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes = hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?;
    let offset_time = Duration::from_secs(minutes * 60);
    match offset.chars().next()? {
        '+' => time.checked_sub(offset_time),
        '-' => time.checked_add(offset_time),
        _ => None,
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_offsets() {
        let seconds = |text: &str| {
            rfc3339(text).map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(seconds("1970-01-02T00:00:00Z"), Some(86_400));
        assert_eq!(seconds("1970-01-02T02:00:00+02:00"), Some(86_400));
        assert_eq!(seconds("1970-01-01T22:30:00-01:30"), Some(86_400));
        for text in ["", "1970-01-02", "yesterday", "1970-01-02T00:00:00*02:00", "é02:00"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
