//! What the clients of one history share: the sequence of beginnings and ends, the source of new
//! values, and the records. It outlives the databases that it is about.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use monsterdb::Isolation;

use super::record::{Event, History, Key, NEVER, Outcome, Record};

#[derive(Default)]
pub(crate) struct Recorder {
    moments: AtomicU64,
    values: AtomicU64,
    written: Mutex<History>,
}

/// What a transaction has seen and done so far.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) events: Vec<Event>,
    /// As in [`History::sightings`].
    pub(crate) sightings: Vec<(Key, u64, u64)>,
    /// The version that it reads.
    pub(crate) snapshot: Option<u64>,
}

/// A transaction that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    pub(crate) kind: &'static str,
    pub(crate) isolation: Isolation,
    pub(crate) start: u64,
}

impl Notes {
    /// A value was found in a document of this version. What the transaction itself wrote there
    /// has none yet.
    pub(crate) fn saw(&mut self, key: Key, value: u64, version: u64) {
        if version > 0 {
            self.sightings.push((key, value, version));
        }
    }
}

impl Recorder {
    pub(crate) fn begin(&self, kind: &'static str, isolation: Isolation) -> Begun {
        Begun { kind, isolation, start: self.moments.fetch_add(1, Ordering::SeqCst) }
    }

    /// Notes how a transaction ended, at the moment of its end.
    pub(crate) fn end(&self, begun: Begun, notes: Notes, outcome: Outcome) {
        let Begun { kind, isolation, start } = begun;
        let now = self.moments.fetch_add(1, Ordering::SeqCst);
        let finish = if outcome == Outcome::Unknown { NEVER } else { now };
        let Notes { events, sightings, snapshot } = notes;
        let record = Record { kind, isolation, start, finish, snapshot, events, outcome };
        let mut written = self.written.lock().expect("nobody panicked");
        // What a transaction saw that was not told that it is well may never have been.
        if record.took_effect() {
            written.sightings.extend(sightings);
        }
        written.records.push(record);
    }

    /// A value that nobody has had before.
    pub(crate) fn value(&self) -> u64 {
        self.values.fetch_add(1, Ordering::Relaxed)
    }

    /// How many values there have been.
    pub(crate) fn values(&self) -> u64 {
        self.values.load(Ordering::Relaxed)
    }

    /// Everything, once all has been read again.
    pub(crate) fn into_history(self) -> History {
        let mut history = self.written.into_inner().expect("nobody panicked");
        history.records.sort_by_key(|record| record.start);
        History { is_read_whole: true, ..history }
    }
}
