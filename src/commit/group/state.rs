//! What the group's mutex guards.
//!
//! Invariant: published ≤ tip and synced ≤ tip, and each only grows.

use std::time::Instant;

use super::waiter::Waiter;
use crate::{
    error::{Error, Result},
    snapshot::Snapshot,
    sync::Arc,
    version::Version,
    wal::{Batch, Segment, Space, Writer},
};

pub(super) struct State {
    pub(super) tip: Arc<Snapshot>,
    pub(super) published: Version,
    pub(super) synced: Version,
    pub(super) batch: Batch,
    pub(super) space: Space,
    /// The segment made ahead, counted in `space`.
    pub(super) prepared: Option<Segment>,
    /// The writer; none while somebody leads.
    pub(super) writer: Option<Writer>,
    /// When somebody was promised that what is written is safe.
    pub(super) sync_due: Option<Instant>,
    pub(super) failed: Option<Arc<str>>,
    /// It was opened for reading: not a failure, but it takes no writes.
    pub(super) refused: bool,
    pub(super) closed: bool,
    /// Those who wait for their goal while somebody leads.
    pub(super) waiters: Vec<(Goal, Arc<Waiter>)>,
    /// How many wait for a publication without having committed.
    pub(super) watchers: usize,
    pub(super) logged: Logged,
}

/// What went into the log since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logged {
    /// Operations in all records.
    pub operations: u64,
    /// Bytes of all records.
    pub bytes: u64,
}

/// How far the log must be.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    Published(Version),
    Synced(Version),
}

impl State {
    /// The state of a group that goes on from a recovered snapshot, all of it safe.
    pub(super) fn new(recovered: &Arc<Snapshot>, writer: Writer) -> State {
        State {
            published: recovered.version(),
            synced: recovered.version(),
            tip: Arc::clone(recovered),
            batch: Batch::default(),
            space: Space::default(),
            prepared: None,
            writer: Some(writer),
            sync_due: None,
            failed: None,
            refused: false,
            closed: false,
            waiters: Vec::new(),
            watchers: 0,
            logged: Logged::default(),
        }
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        self.check_usable()?;
        if self.closed { Err(Error::Closed) } else { Ok(()) }
    }

    pub(super) fn check_usable(&self) -> Result<()> {
        match &self.failed {
            Some(reason) => Err(Error::ReadOnly { reason: reason.to_string() }),
            None => Ok(()),
        }
    }

    pub(super) fn reached(&self, goal: Goal) -> bool {
        match goal {
            Goal::Published(version) => version <= self.published,
            Goal::Synced(version) => version <= self.synced,
        }
    }

    pub(super) fn fail(&mut self, reason: &str) {
        tracing::error!(reason, "the storage failed: the database is read-only from now on");
        self.failed.get_or_insert_with(|| reason.into());
    }
}
