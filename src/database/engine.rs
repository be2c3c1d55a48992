//! What a database does by itself: checkpoints, maintenance, closing.

use std::time::Instant;

use super::{RecoveryReport, backup::Backup, history::History, options::Settings};
use crate::{
    checkpoint::{self, Checkpoint, Failure, Manifest},
    commit::{Committer, Logged},
    error::{Error, Result},
    histogram::Histogram,
    storage::Storage,
    sync::{Arc, Clock, Counter, Mutex, Published, lock, mutant, step},
    version::Version,
    wal::{self, Archive, Waypoints},
};

/// Everything but the handles, so that the maintenance thread does not keep the database open.
pub(super) struct Engine {
    pub(super) committer: Committer,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) settings: Settings,
    pub(super) checkpoint: Mutex<LastCheckpoint>,
    /// The version of that, to be read while the next one is written.
    pub(super) checkpointed: Published<Version>,
    /// How long those took that were written, in microseconds.
    pub(super) checkpoints: Histogram,
    /// Those that could not be written.
    pub(super) checkpoints_failed: Counter,
    pub(super) history: History,
    pub(super) waypoints: Arc<Waypoints>,
    pub(super) archive: Option<Archive>,
    pub(super) recovery: RecoveryReport,
    pub(super) opened: Instant,
}

/// The checkpoint on disk, and what had gone into the log when it was made.
pub(super) struct LastCheckpoint {
    pub(super) written: Checkpoint,
    pub(super) logged: Logged,
    pub(super) at: Instant,
}

impl Engine {
    pub(super) fn checkpoint(&self) -> Result<Version> {
        let written = self.write_checkpoint();
        if written.is_err() {
            self.checkpoints_failed.add(1);
        }
        written
    }

    fn write_checkpoint(&self) -> Result<Version> {
        let mut last = lock(&self.checkpoint);
        let group = self.committer.group();
        group.check_usable()?;
        let logged = group.logged();
        let snapshot = self.committer.published();
        if snapshot.version() == last.written.manifest.version {
            return Ok(snapshot.version());
        }
        let begun = Clock::instant();
        step("checkpoint_before_sync", || group.wait_synced(snapshot.version()))?;
        let written = checkpoint::write(&*self.storage, &snapshot, group.synced(), &last.written);
        let written = self.accept(written)?;
        self.checkpointed.store(Arc::new(written.manifest.version));
        let at = Clock::instant();
        self.checkpoints.note_time(at - begun);
        *last = LastCheckpoint { written, logged, at };
        self.remove_covered(&last.written.manifest)?;
        Ok(snapshot.version())
    }

    /// The files of a checkpoint of the latest committed state, or of a later one.
    pub(super) fn backup(&self) -> Result<Backup> {
        self.checkpoint()?;
        // Nobody removes them while they are opened.
        let last = lock(&self.checkpoint);
        Backup::open(&*self.storage, &last.written.manifest)
    }

    /// Copies what is safe of the log to its archive, if it has one.
    fn archive(&self) -> Result<()> {
        let Some(archive) = &self.archive else { return Ok(()) };
        let synced = self.committer.group().synced();
        let kept = step("log_unarchived", || archive.keep(&*self.storage, synced));
        kept.map_err(|error| Error::io("archive the log of", self.storage.path(""), error))
    }

    /// Takes the outcome of a checkpoint. One whose manifest is in doubt ends all writing.
    fn accept<T>(&self, written: Result<T, Failure>) -> Result<T> {
        written.map_err(|failure| match failure {
            Failure::Discarded(error) => error,
            Failure::Unknown(error) => {
                if !mutant("doubtful_manifest_forgiven") {
                    self.committer.group().poison(&error.to_string());
                }
                error
            }
        })
    }

    /// Removes the files that a checkpoint has made needless. One that stays does no harm.
    fn remove_covered(&self, manifest: &Manifest) -> Result<()> {
        let storage = &*self.storage;
        if let Err(error) = self.archive() {
            tracing::warn!(%error, "no segment is removed before it is in the archive");
            return Ok(());
        }
        let kept = match mutant("feed_retains_nothing") {
            true => 0,
            false => self.settings.feed_retain_bytes,
        };
        let needless = checkpoint::remove_unnamed(storage, manifest)
            .and_then(|()| wal::needless_segments(storage, manifest.version, kept));
        let removed = needless.and_then(|names| {
            for name in names {
                storage.remove(&name)?;
                if let Err(error) = self.sync_removal() {
                    return Ok(Err(error));
                }
            }
            Ok(Ok(()))
        });
        removed.unwrap_or_else(|error| {
            tracing::warn!(%error, "files that a checkpoint covers could not be removed");
            Ok(())
        })
    }

    /// Makes sure that a segment is gone before the next one goes: after a power cut the segments
    /// that are there have no hole, which is what those who follow the changes rest on.
    fn sync_removal(&self) -> Result<()> {
        let synced = step("removed_segment_unsynced", || self.storage.sync_folder(wal::FOLDER));
        synced.map_err(|error| {
            // The names of new segments are made safe in the same folder, and the system tells of a
            // failure once: nobody else may hear that all is well.
            let error = Error::io("sync", self.storage.path(wal::FOLDER), error);
            self.committer.group().poison(&error.to_string());
            error
        })
    }

    /// Looks after the versions that are kept, where no thread in the background does so.
    pub(super) fn look_back(&self) {
        if !self.settings.background {
            self.history.look(|| self.committer.published());
        }
    }

    pub(super) fn maintain(&self) -> Result<()> {
        self.history.look(|| self.committer.published());
        let group = self.committer.group();
        group.check_writable()?;
        // Each is done whatever becomes of the others: on a full device the next segment cannot be
        // made, but promised syncs are due all the same, and a checkpoint may make room.
        let synced = step("promised_sync_forgotten", || group.sync_if_due());
        let expired = self.expire().map(drop);
        let made = group.make_ahead();
        let checkpointed =
            if self.checkpoint_is_due() { self.checkpoint().map(drop) } else { Ok(()) };
        let archived = match &self.archive {
            Some(archive) => archive.keep_followed(&*self.storage),
            None => Ok(()),
        };
        let archived =
            archived.map_err(|error| Error::io("archive the log of", self.storage.path(""), error));
        synced.and(made).and(expired).and(checkpointed).and(archived)
    }

    fn checkpoint_is_due(&self) -> bool {
        let last = lock(&self.checkpoint);
        let logged = self.committer.group().logged();
        let bytes = logged.bytes - last.logged.bytes;
        let operations = logged.operations - last.logged.operations;
        self.settings.checkpoint.is_due(
            operations,
            bytes,
            Clock::instant() - last.at,
            self.committer.published().bytes(),
        )
    }

    /// Writes down what the next opening should find, after the last commit.
    pub(super) fn close(&self) -> Result<()> {
        // A checkpoint that failed may have ended all writing after the last commit was safe.
        self.committer.group().check_usable()?;
        if self.settings.checkpoint.on_close {
            self.checkpoint()?;
        }
        self.archive()?;
        self.state_synced()
    }

    /// Rewrites the manifest when the log is safe further than it says, so that damage to any of
    /// it is known to be damage.
    fn state_synced(&self) -> Result<()> {
        let mut last = lock(&self.checkpoint);
        let synced = self.committer.group().synced();
        let manifest = &mut last.written.manifest;
        if synced > manifest.synced && !mutant("close_states_nothing") {
            manifest.synced = synced;
            self.accept(checkpoint::write_manifest(&*self.storage, manifest))?;
        }
        Ok(())
    }
}
