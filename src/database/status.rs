//! How a database is doing.

use std::time::Duration;

use super::{RecoveryReport, engine::Engine};
use crate::{
    commit::{CommitCounts, ConflictCounts, Durability, Logged},
    histogram::Distribution,
    version::Version,
};

/// Whether a database takes reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Both.
    Ready,
    /// Reads only; [`Status::reason`] says why.
    ReadOnly,
    /// Neither: it was closed.
    Closed,
}

/// How a database is doing, at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// Whether it takes reads and writes.
    pub health: Health,
    /// Why it is not ready.
    pub reason: Option<String>,
    /// The latest committed version.
    pub version: Version,
    /// The highest version known to be safe on the device.
    pub synced: Version,
    /// The version of the checkpoint on disk.
    pub checkpoint: Version,
    /// When commits are acknowledged.
    pub durability: Durability,
    /// Time since it was opened.
    pub uptime: Duration,
    /// Documents in all collections, the reserved ones left out.
    pub documents: u64,
    /// Bytes of memory that documents take, by estimate.
    pub bytes: u64,
    /// The limit of that.
    pub memory_limit: u64,
    /// What opening it found.
    pub recovery: RecoveryReport,
    /// What went into the log since it was opened.
    pub logged: Logged,
    /// How many commits went which way since it was opened.
    pub commits: CommitCounts,
    /// What refused commits ran into, by collection.
    pub conflicts: Vec<ConflictCounts>,
    /// How many commits went into each write of the log.
    pub writes: Distribution,
    /// How long the log's syncs took, in microseconds.
    pub syncs: Distribution,
    /// How long checkpoints took that were written since it was opened, in microseconds.
    pub checkpoints: Distribution,
    /// Checkpoints that could not be written.
    pub checkpoints_failed: u64,
    /// The versions that are kept to be read.
    pub retained: Retained,
}

/// The versions that are kept to be read besides the latest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// How many there are.
    pub versions: u64,
    /// Bytes of memory that they take beyond the latest one, by estimate.
    pub bytes: u64,
    /// Time since the oldest was kept first.
    pub oldest: Duration,
}

impl Engine {
    pub(super) fn status(&self) -> Status {
        let group = self.committer.group();
        let snapshot = self.committer.published();
        let reason = group.check_writable().err().map(|error| error.to_string());
        let health = match (&reason, group.check_usable()) {
            (None, _) => Health::Ready,
            (Some(_), Err(_)) => Health::ReadOnly,
            (Some(_), Ok(())) => Health::Closed,
        };
        let ordinary = snapshot.collections().filter(|(name, _)| !name.is_reserved());
        Status {
            health,
            reason,
            version: snapshot.version(),
            synced: group.synced(),
            checkpoint: *self.checkpointed.load(),
            durability: self.settings.durability,
            uptime: self.opened.elapsed(),
            documents: ordinary.map(|(_, collection)| collection.count() as u64).sum(),
            bytes: snapshot.bytes(),
            memory_limit: self.settings.memory_limit,
            recovery: self.recovery.clone(),
            logged: group.logged(),
            commits: self.committer.counts(),
            conflicts: self.committer.conflicts(),
            writes: group.written(),
            syncs: group.syncs(),
            checkpoints: self.checkpoints.distribution(),
            checkpoints_failed: self.checkpoints_failed.get(),
            retained: self.history.retained(),
        }
    }
}
