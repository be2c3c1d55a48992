//! The group of committers: the tip, the batch that waits to be written, and who writes it.
//!
//! There is one short mutex. Under it a commit gets its version and goes into the batch, and the
//! tip moves. The writer of the log lies in the same place; whoever has to wait and finds it there
//! takes it and so becomes the *leader*: it takes the whole batch and the tip that goes with it,
//! writes and syncs them with the mutex released, publishes that tip, puts the writer back and
//! wakes those who are served, and one of those who came in the meantime, to lead next (see
//! `waiter`). So the log is written by one thread at a time, and a sync serves everyone who came
//! before it began.
//!
//! A leader that fails, or panics, does not put the writer back: nobody writes after it.

mod room;
mod state;
mod upkeep;
mod waiter;
mod watch;

pub use state::Logged;
pub use watch::Beyond;

use std::{io, time::Duration};

use super::Durability;
use crate::{
    error::{Error, Result},
    histogram::{Distribution, Histogram},
    snapshot::{Prepared, Snapshot},
    storage::Storage,
    sync::{Arc, Clock, Condvar, Mutex, MutexGuard, Published, lock, mutant, step},
    version::Version,
    wal::{EncodedOps, Placement, RecordHead, Writer},
};
use room::RECORD_FRAME_BYTES;
use state::{Goal, State};
use waiter::{Told, Woken};

/// How a group writes its log.
#[derive(Debug, Clone, Copy)]
pub struct GroupOptions {
    /// Bytes of one log segment.
    pub segment_bytes: u64,
    /// Bytes of the log that stay beside the segment being filled, in a database that nobody will
    /// open again; in others checkpoints decide.
    pub kept_bytes: Option<u64>,
}

/// See the module's document.
pub struct Group {
    state: Mutex<State>,
    /// There is work for the maintenance: a segment was used up.
    work: Condvar,
    /// Something was published, for those who only watch.
    watched: Condvar,
    published: Published<Snapshot>,
    /// Commits of each write, and how long syncs took, in microseconds.
    written: Histogram,
    syncs: Arc<Histogram>,
    storage: Arc<dyn Storage>,
    options: GroupOptions,
    /// Held by whoever makes a segment, so that two do not make one each.
    preparing: Mutex<u64>,
}

/// What sequencing made of a commit.
pub(super) enum Sequenced {
    /// It has this version.
    Version(Version),
    /// The log has too little room for so many bytes. Nothing was changed.
    NoRoom(u64),
}

impl Group {
    /// A group that goes on from a recovered state, all of it safe on the device.
    pub fn new(storage: Arc<dyn Storage>, state: Arc<Snapshot>, options: GroupOptions) -> Group {
        let writer = Writer::new(Arc::clone(&storage));
        let syncs = writer.syncs();
        Group {
            state: Mutex::new(State::new(&state, writer)),
            work: Condvar::new(),
            watched: Condvar::new(),
            published: Published::new(state),
            written: Histogram::default(),
            syncs,
            storage,
            options,
            preparing: Mutex::new(0),
        }
    }

    /// The state published last.
    pub fn published(&self) -> Arc<Snapshot> {
        self.published.load()
    }

    /// Looks at the state published last for a moment.
    pub fn peek<R>(&self, look: impl FnOnce(&Snapshot) -> R) -> R {
        self.published.peek(look)
    }

    /// The newest state, perhaps not written yet.
    pub fn tip(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.state).tip)
    }

    /// The newest state, for a commit to be validated against, and whether a record of so many
    /// bytes has room. One visit to the mutex for both: everybody has to pass it.
    ///
    /// # Errors
    ///
    /// As [`Group::check_writable`].
    pub(super) fn enter(&self, bytes: u64) -> Result<(Arc<Snapshot>, bool)> {
        let state = lock(&self.state);
        state.check_writable()?;
        Ok((Arc::clone(&state.tip), state.space.fits(bytes + RECORD_FRAME_BYTES)))
    }

    /// The highest version known to be safe on the device.
    pub fn synced(&self) -> Version {
        lock(&self.state).synced
    }

    /// What went into the log since the database was opened.
    pub fn logged(&self) -> Logged {
        lock(&self.state).logged
    }

    /// The commits of each write of the log.
    pub fn written(&self) -> Distribution {
        self.written.distribution()
    }

    /// How long the log's syncs took, in microseconds.
    pub fn syncs(&self) -> Distribution {
        self.syncs.distribution()
    }

    /// Why nothing is written any more, if so.
    pub fn failure(&self) -> Option<Arc<str>> {
        lock(&self.state).failed.clone()
    }

    /// Refuses when no commit can succeed any more.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`] after a failure, [`Error::Closed`].
    pub fn check_writable(&self) -> Result<()> {
        lock(&self.state).check_writable()
    }

    /// Refuses when the storage has failed.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`].
    pub fn check_usable(&self) -> Result<()> {
        lock(&self.state).check_usable()
    }

    /// Gives a prepared commit its version and its place in the log, and moves the tip.
    pub(super) fn sequence(
        &self,
        prepared: Prepared,
        operations: EncodedOps,
        count: usize,
        durability: Durability,
    ) -> Result<Sequenced> {
        let (time, tx) = (Clock::now(), Clock::id());
        let early = mutant("number_before_the_mutex").then(|| self.tip().version());
        let mut state = lock(&self.state);
        if !mutant("sequence_after_close") {
            state.check_writable()?;
        }
        let mut seq = early.unwrap_or(state.tip.version()).next();
        if mutant("sequence_skips_one") && seq.get().is_multiple_of(7) {
            seq = seq.next();
        }
        let head = RecordHead { seq, synced: state.synced, time, tx }.encode(&operations);
        let bytes = (head.len() + operations.len()) as u64;
        match state.space.take(bytes) {
            None => return Ok(Sequenced::NoRoom(bytes)),
            Some(Placement::Current) => {}
            Some(Placement::Next) => {
                let segment = state.prepared.take().expect("room made ahead has a segment");
                state.batch.begin_segment(segment, seq);
                self.work.notify_all();
            }
        }
        state.batch.push(head, operations);
        match durability {
            Durability::Always => state.batch.sync = true,
            Durability::Interval(time) => self.promise_sync(&mut state, time),
            Durability::None => {}
        }
        state.logged.operations += count as u64;
        state.logged.bytes += bytes;
        state.tip = Arc::new(state.tip.advance(prepared, seq));
        Ok(Sequenced::Version(seq))
    }

    /// Notes that what is sequenced now has to be safe after this time.
    fn promise_sync(&self, state: &mut State, time: Duration) {
        let due = Clock::instant() + time;
        if state.sync_due.is_none_or(|earlier| due < earlier) {
            state.sync_due = Some(due);
            self.work.notify_all();
        }
    }

    /// Waits until a version is published, leading the group where nobody does.
    ///
    /// # Errors
    ///
    /// [`Error::OutcomeUnknown`] when the device failed first.
    pub fn wait_published(&self, version: Version) -> Result<()> {
        self.wait_until(Goal::Published(version))
    }

    /// Waits until a version is safe on the device, whatever its durability asked for.
    ///
    /// # Errors
    ///
    /// As [`Group::wait_published`].
    pub fn wait_synced(&self, version: Version) -> Result<()> {
        self.wait_until(Goal::Synced(version))
    }

    /// Waits until a version is as safe as the commit of this durability that made it would be
    /// when it is acknowledged.
    ///
    /// # Errors
    ///
    /// As [`Group::wait_published`].
    pub fn wait_acknowledged(&self, version: Version, durability: Durability) -> Result<()> {
        match durability {
            Durability::Always => self.wait_synced(version),
            Durability::Interval(time) => {
                let mut state = lock(&self.state);
                if version > state.synced {
                    self.promise_sync(&mut state, time);
                }
                drop(state);
                self.wait_published(version)
            }
            Durability::None => self.wait_published(version),
        }
    }

    fn wait_until(&self, goal: Goal) -> Result<()> {
        loop {
            let mut state = lock(&self.state);
            if state.reached(goal) {
                return Ok(());
            }
            if let Some(reason) = &state.failed {
                return Err(Error::OutcomeUnknown { reason: reason.to_string() });
            }
            match state.writer.take() {
                Some(writer) => {
                    state.batch.sync |= matches!(goal, Goal::Synced(_));
                    if self.lead(state, writer, goal) {
                        return Ok(());
                    }
                }
                None => {
                    let waiter = state.join(goal);
                    drop(state);
                    if waiter.sleep() == Told::Done {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Writes the batch, publishes the tip that goes with it, and says whether that reached a goal.
    fn lead(&self, mut state: MutexGuard<'_, State>, mut writer: Writer, goal: Goal) -> bool {
        let batch = state.batch.take();
        let tip = Arc::clone(&state.tip);
        let (sync, records) = (batch.sync, batch.records());
        drop(state);

        let leading = Leading(self);
        if mutant("publish_before_sync") {
            self.published.store(Arc::clone(&tip));
        }
        let written = writer.write(batch);
        let mut state = leading.end(written);

        let of_now = mutant("publish_the_tip_of_now");
        let tip = if of_now { Arc::clone(&state.tip) } else { tip };
        let mut before = None;
        if state.failed.is_none() {
            assert!(state.published <= tip.version(), "publication only moves forward");
            state.published = tip.version();
            if records > 0 {
                self.written.note(records);
            }
            if sync || mutant("synced_without_sync") {
                state.synced = tip.version();
            }
            state.writer = Some(writer);
            if !(mutant("publish_every_other") && tip.version().get() % 2 == 1) {
                before = Some(self.published.replace(tip));
            }
        }
        let silent = match state.failed {
            None => mutant("lose_wake_up"),
            Some(_) => mutant("poison_wakes_nobody"),
        };
        let woken = if silent { Woken::default() } else { state.wake() };
        if !silent {
            self.wake_watchers(&state);
        }
        let reached = state.failed.is_none() && state.reached(goal);
        drop(state);
        woken.tell();
        // Everything that only the state before held is freed here, where nobody waits for it.
        drop(before);
        reached
    }

    /// Declares that the storage failed: nothing is written any more, everyone who waits is told.
    pub fn poison(&self, reason: &str) {
        let mut state = lock(&self.state);
        state.fail(reason);
        self.wake_watchers(&state);
        let woken = state.wake();
        drop(state);
        woken.tell();
        self.work.notify_all();
    }

    /// Refuses commits from now on, and waits until those under way are published and safe. False
    /// when it was closed before, or never took writes.
    ///
    /// # Errors
    ///
    /// As [`Group::wait_published`].
    pub fn close(&self) -> Result<bool> {
        let last = {
            let mut state = lock(&self.state);
            if state.closed || state.refused {
                return Ok(false);
            }
            state.closed = true;
            self.wake_watchers(&state);
            state.tip.version()
        };
        self.work.notify_all();
        step("closed_before_sync", || self.wait_synced(last))?;
        if let Some(unused) = lock(&self.state).prepared.take() {
            unused.discard(&*self.storage);
        }
        Ok(true)
    }

    /// Takes no writes, from the start and for a good reason.
    pub fn refuse_writes(&self, reason: &str) {
        let mut state = lock(&self.state);
        state.refused = true;
        state.failed = Some(reason.into());
    }
}

/// Somebody leads. Dropped by a panic, it poisons the group and wakes everyone.
struct Leading<'a>(&'a Group);

impl<'a> Leading<'a> {
    /// Ends the lead with the result of writing, and locks the state again.
    fn end(self, written: io::Result<()>) -> MutexGuard<'a, State> {
        let group = self.0;
        std::mem::forget(self);
        let mut state = lock(&group.state);
        if let Err(error) = written
            && !mutant("failed_write_forgiven")
        {
            state.fail(&format!("writing the log failed: {error}"));
        }
        state
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if !mutant("panic_forgiven") {
            self.0.poison("the thread that wrote the log panicked");
        }
    }
}
