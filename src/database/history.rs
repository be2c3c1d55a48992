//! Versions that are kept to be read for a while: one a second, and every one that a cursor named.
//!
//! A snapshot costs nothing to take, so keeping one is keeping an `Arc`; what it costs is the
//! memory of everything that has changed since. So each is kept for a time, and all of them within
//! a budget of bytes, the oldest going first: it is the one that holds the most.
//!
//! What a kept version costs beyond the next one is estimated by their difference: the text of
//! each document that the next one has not any more or has changed, and the nodes of the map that
//! lead to it. Documents that were added cost nothing, for it is the later version that has them;
//! the few nodes that their coming copied are left out. The newest one costs nothing until there
//! is a newer one.
//!
//! Nothing here is on the way of a commit: whoever makes a cursor keeps the snapshot that it holds
//! anyway, and the maintenance keeps the published one. Differences are looked for by the
//! maintenance, without the lock. Under loom nothing is kept.
//!
//! Invariant: a version is given out within its time only, whether or not it was removed yet; the
//! published one always.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::Retained;
use crate::{
    error::{Error, Result},
    limits,
    query::{Cursor, invalid},
    snapshot::Snapshot,
    sync::{Arc, Clock, Unseen},
    version::Version,
};

/// The least time between two versions that are kept for their own sake.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of a kept version besides what it holds: its place here, its list of collections.
const VERSION_BYTES: u64 = 1024;

/// Bytes of a node at the foot of a map, which a change to one of its documents copies: about.
const NODE_BYTES: u64 = 1024;

/// Documents that such a node holds, when it is half full.
const NODE_DOCUMENTS: usize = 12;

/// See the module's document.
pub(super) struct History {
    /// A number drawn when the database was opened.
    opening: u64,
    keep: Duration,
    budget: u64,
    kept: Unseen<Kept>,
}

#[derive(Default)]
struct Kept {
    versions: BTreeMap<Version, Entry>,
    /// When one was kept for its own sake.
    looked: Option<Instant>,
}

struct Entry {
    snapshot: Arc<Snapshot>,
    /// When it was kept first.
    since: Instant,
    until: Instant,
    /// What it costs beyond the next one; none while that was not estimated.
    bytes: Option<u64>,
}

impl History {
    pub(super) fn new(keep: Duration, budget: u64) -> History {
        let opening = Clock::id().as_u64_pair().1;
        History { opening, keep, budget, kept: Unseen::default() }
    }

    /// The number that stands in the cursors of this opening.
    pub(super) fn opening(&self) -> u64 {
        self.opening
    }

    /// Keeps a version from now on for its time, or anew.
    pub(super) fn keep(&self, snapshot: &Arc<Snapshot>) {
        self.keep_at(snapshot, Clock::instant());
    }

    /// Keeps the published version, if none was kept in the last second, and lets go what has had
    /// its time or is over the budget. What that frees is freed by the caller's thread.
    pub(super) fn look(&self, published: impl FnOnce() -> Arc<Snapshot>) {
        if !cfg!(loom) {
            self.look_at(published, Clock::instant());
        }
    }

    /// The state at a version.
    pub(super) fn at(&self, version: Version, published: Arc<Snapshot>) -> Result<Arc<Snapshot>> {
        self.find(version, published, Clock::instant())
    }

    /// The latest state that is kept of those up to a version.
    pub(super) fn up_to(&self, version: Version) -> Option<Arc<Snapshot>> {
        let (kept, now) = (self.kept.lock(), Clock::instant());
        let mut earlier = kept.versions.range(..=version).rev().map(|(_, entry)| entry);
        earlier.find(|entry| entry.until > now).map(|entry| Arc::clone(&entry.snapshot))
    }

    /// The state that a cursor's listing is read at.
    pub(super) fn of_cursor(
        &self,
        cursor: &Cursor,
        published: Arc<Snapshot>,
    ) -> Result<Arc<Snapshot>> {
        match cursor.opening == self.opening {
            true => self.at(cursor.version, published),
            false => self.gone(cursor.version, published.version(), Clock::instant()),
        }
    }

    /// What is kept, and what it costs.
    pub(super) fn retained(&self) -> Retained {
        self.retained_at(Clock::instant())
    }

    fn retained_at(&self, now: Instant) -> Retained {
        let kept = self.kept.lock();
        let oldest = kept.versions.values().map(|entry| entry.since).min();
        Retained {
            versions: kept.versions.len() as u64,
            bytes: kept.versions.values().map(Entry::bytes).sum(),
            oldest: oldest.map_or(Duration::ZERO, |since| now.saturating_duration_since(since)),
        }
    }

    fn keep_at(&self, snapshot: &Arc<Snapshot>, now: Instant) {
        if self.keep.is_zero() || cfg!(loom) {
            return;
        }
        self.kept.lock().insert(snapshot, now, now + self.keep);
    }

    fn look_at(&self, published: impl FnOnce() -> Arc<Snapshot>, now: Instant) {
        let mut kept = self.kept.lock();
        if kept.looked.is_some_and(|looked| now.saturating_duration_since(looked) < PAUSE) {
            return;
        }
        kept.looked = Some(now);
        let mut gone = kept.remove_expired(now);
        if !self.keep.is_zero() {
            kept.insert(&published(), now, now + self.keep);
        }
        let unknown = kept.without_estimate();
        drop(kept);

        let estimates: Vec<_> = unknown
            .iter()
            .map(|(earlier, later)| (earlier.version(), later.version(), cost(earlier, later)))
            .collect();
        let mut kept = self.kept.lock();
        estimates.into_iter().for_each(|(version, next, bytes)| kept.note(version, next, bytes));
        gone.extend(kept.remove_over(self.budget));
        drop(kept);
        // Freeing the last holder of many documents takes its time, and nobody should wait for it.
        drop(gone);
    }

    fn find(
        &self,
        version: Version,
        published: Arc<Snapshot>,
        now: Instant,
    ) -> Result<Arc<Snapshot>> {
        let latest = published.version();
        if version == latest {
            return Ok(published);
        }
        if version > latest {
            return Err(invalid(format!(
                "there is no version {version} yet: the latest is {latest}"
            )));
        }
        let kept = self.kept.lock();
        let found = kept.versions.get(&version).filter(|entry| entry.until > now);
        let found = found.map(|entry| Arc::clone(&entry.snapshot));
        drop(kept);
        found.map_or_else(|| self.gone(version, latest, now), Ok)
    }

    /// That a version cannot be read, and which ones can.
    fn gone(&self, version: Version, latest: Version, now: Instant) -> Result<Arc<Snapshot>> {
        let kept = self.kept.lock();
        let alive = || kept.versions.iter().filter(|(_, entry)| entry.until > now);
        let readable = || alive().map(|(kept, _)| *kept).chain([latest]);
        let distance = |other: &Version| other.get().abs_diff(version.get());
        Err(Error::VersionGone {
            requested: version,
            nearest: readable().min_by_key(distance).unwrap_or(latest),
            oldest: readable().min().unwrap_or(latest),
        })
    }
}

impl Kept {
    fn insert(&mut self, snapshot: &Arc<Snapshot>, since: Instant, until: Instant) {
        let version = snapshot.version();
        match self.versions.get_mut(&version) {
            Some(entry) => entry.until = entry.until.max(until),
            None => {
                let entry = Entry { snapshot: Arc::clone(snapshot), since, until, bytes: None };
                self.versions.insert(version, entry);
                self.forget_estimate_before(version);
            }
        }
    }

    /// The one before another has a new neighbour, so that its cost is not known any more.
    fn forget_estimate_before(&mut self, version: Version) {
        if let Some((_, before)) = self.versions.range_mut(..version).next_back() {
            before.bytes = None;
        }
    }

    fn remove_expired(&mut self, now: Instant) -> Vec<Entry> {
        let expired = self.versions.iter().filter(|(_, entry)| entry.until <= now);
        let expired: Vec<Version> = expired.map(|(version, _)| *version).collect();
        let mut gone = Vec::with_capacity(expired.len());
        for version in expired {
            gone.extend(self.versions.remove(&version));
            self.forget_estimate_before(version);
        }
        gone
    }

    /// Each version whose cost is not known, with the next one.
    fn without_estimate(&self) -> Vec<(Arc<Snapshot>, Arc<Snapshot>)> {
        let pairs = self.versions.values().zip(self.versions.values().skip(1));
        let unknown = pairs.filter(|(earlier, _)| earlier.bytes.is_none());
        unknown
            .map(|(earlier, later)| (Arc::clone(&earlier.snapshot), Arc::clone(&later.snapshot)))
            .collect()
    }

    /// Notes an estimate, if the two are still neighbours.
    fn note(&mut self, version: Version, next: Version, bytes: u64) {
        let mut neighbours = self.versions.range_mut(version..);
        if let (Some((first, entry)), Some((second, _))) = (neighbours.next(), neighbours.next())
            && (*first, *second) == (version, next)
        {
            entry.bytes = Some(bytes);
        }
    }

    /// Removes the oldest until the rest is within the budget.
    fn remove_over(&mut self, budget: u64) -> Vec<Entry> {
        let mut total: u64 = self.versions.values().map(Entry::bytes).sum();
        let mut gone = Vec::new();
        while total > budget {
            let Some((_, oldest)) = self.versions.pop_first() else { break };
            total -= oldest.bytes();
            gone.push(oldest);
        }
        gone
    }
}

impl Entry {
    /// What it costs, as far as that was estimated.
    fn bytes(&self) -> u64 {
        VERSION_BYTES + self.bytes.unwrap_or(0)
    }
}

/// What an earlier version holds that a later one does not, in bytes.
fn cost(earlier: &Snapshot, later: &Snapshot) -> u64 {
    let mut bytes = 0;
    for (name, collection) in earlier.collections() {
        let name = name.as_str();
        if earlier.shares_collection(later, name) {
            continue;
        }
        if later.collection(name).is_none() {
            bytes += collection.bytes();
            continue;
        }
        let mut changed = 0;
        for change in earlier.changes(later, name) {
            if let Some(old) = change.old {
                let text = change.id.as_str().len() + old.json().len();
                bytes += text as u64 + limits::DOCUMENT_OVERHEAD_BYTES;
                changed += 1;
            }
        }
        bytes += changed.min(collection.count() / NODE_DOCUMENTS + 1) as u64 * NODE_BYTES;
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::snapshot::WriteSet;

    /// One state after the other, each with the document `x` in other words.
    fn states(count: u64, words: usize) -> Vec<Arc<Snapshot>> {
        let mut states = vec![Arc::new(Snapshot::empty())];
        for version in 1..=count {
            let create = r#"{"op":"create_collection","collection":"c"},"#;
            let create = if version == 1 { create } else { "" };
            let text = "x".repeat(words) + &version.to_string();
            let put = format!(
                r#"{{"op":"put","collection":"c","id":"x","doc":{{"_id":"x","t":"{text}"}}}}"#
            );
            let writes = WriteSet::decode(&format!("[{create}{put}]")).unwrap();
            let next = states.last().unwrap().apply(&writes, Version::new(version)).unwrap();
            states.push(Arc::new(next));
        }
        states
    }

    const MINUTE: Duration = Duration::from_secs(60);

    fn nearest(found: Result<Arc<Snapshot>>) -> u64 {
        match found {
            Err(Error::VersionGone { nearest, .. }) => nearest.get(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_version_is_kept_for_its_time() {
        let (states, begun) = (states(9, 1), Clock::instant());
        let history = History::new(MINUTE, u64::MAX);
        let latest = || Arc::clone(&states[9]);
        let find = |version, now| history.find(Version::new(version), latest(), now);
        history.keep_at(&states[3], begun);
        assert_eq!(find(3, begun).unwrap().version(), Version::new(3));
        assert_eq!(nearest(find(2, begun)), 3);
        assert_eq!(nearest(find(7, begun)), 9);
        // Whoever names it anew begins its time anew.
        history.keep_at(&states[3], begun + MINUTE / 2);
        assert!(find(3, begun + MINUTE).is_ok());
        assert_eq!(nearest(find(3, begun + MINUTE * 2)), 9, "over, though nobody has looked");
        assert_eq!(find(9, begun).unwrap().version(), Version::new(9));
        assert!(matches!(find(10, begun), Err(Error::InvalidQuery { .. })));
        history.look_at(latest, begun + MINUTE * 2);
        assert_eq!(history.kept.lock().versions.keys().map(|v| v.get()).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn the_published_version_is_kept_once_a_second() {
        let (states, begun) = (states(9, 1), Clock::instant());
        let history = History::new(MINUTE, u64::MAX);
        for (tick, state) in states.iter().enumerate().skip(1) {
            history.look_at(|| Arc::clone(state), begun + Duration::from_millis(400) * tick as u32);
        }
        let kept = history.kept.lock();
        assert_eq!(kept.versions.keys().map(|v| v.get()).collect::<Vec<_>>(), [1, 4, 7]);
    }

    #[test]
    fn the_oldest_go_when_the_budget_is_used_up() {
        let (states, begun) = (states(9, 10_000), Clock::instant());
        let each = cost(&states[1], &states[2]) + VERSION_BYTES;
        assert!((10_000..16_000).contains(&each), "{each}");
        let history = History::new(MINUTE, 3 * each);
        for state in &states[1..] {
            history.keep_at(state, begun);
        }
        history.look_at(|| Arc::clone(&states[9]), begun);
        // The newest costs next to nothing: three others and it would be over.
        let kept = history.kept.lock();
        assert_eq!(kept.versions.keys().map(|v| v.get()).collect::<Vec<_>>(), [7, 8, 9]);
        let costs: Vec<_> = kept.versions.values().map(|entry| entry.bytes.is_some()).collect();
        assert_eq!(costs, [true, true, false]);
        drop(kept);
        let retained = history.retained_at(begun + MINUTE / 2);
        assert_eq!((retained.versions, retained.oldest), (3, MINUTE / 2));
        assert_eq!(retained.bytes, 2 * each + VERSION_BYTES);
    }

    #[test]
    fn no_time_or_no_budget_keeps_nothing() {
        let (states, begun) = (states(2, 1), Clock::instant());
        for history in [History::new(Duration::ZERO, u64::MAX), History::new(MINUTE, 0)] {
            history.keep_at(&states[1], begun);
            history.look_at(|| Arc::clone(&states[1]), begun);
            assert_eq!(nearest(history.find(Version::new(1), Arc::clone(&states[2]), begun)), 2);
        }
    }

    #[test]
    fn what_a_dropped_collection_held_is_counted() {
        let states = states(1, 5_000);
        let writes = WriteSet::decode(r#"[{"op":"drop_collection","collection":"c"}]"#).unwrap();
        let dropped = states[1].apply(&writes, Version::new(2)).unwrap();
        assert_eq!(cost(&states[1], &dropped), states[1].bytes());
        assert_eq!(cost(&states[0], &states[1]), 0);
    }
}
