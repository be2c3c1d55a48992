//! What the device allows many threads: they hand records to a leader, which appends all of them
//! with one write and syncs once.
//!
//! A record is as long as MonsterDB's for the same commit: a test measures it. The file's room is
//! written with zeros beforehand, so that a sync moves data alone.
//!
//! Invariant: a thread returns only when its record is synced; there is one leader at a time.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use super::{Change, End, Engine, Role, Safety, Session, Store};
use crate::{Result, Sample, Workload, machine::zeroed_file};

/// More than one batch; where it ends, writing begins at the beginning again, which costs the
/// device the same.
const ROOM_BYTES: usize = 64 * 1024 * 1024;

/// What MonsterDB's record holds around its operations.
const HEAD: &str = concat!(
    r#"{"crc":"6c60eb52","seq":100000,"synced":100000,"time":"2026-01-01T00:00:00.000000Z","#,
    r#""tx":"019b7680-0000-7000-8000-000000000000","ops":["#
);
const TAIL: &str = "]}\n";

/// What an operation holds around its document.
const OPERATION: &str = r#"{"op":"put","collection":"docs","id":"user-00000000","doc":},"#;

/// The appending threads.
pub(super) struct GroupAppend;

struct Open {
    /// None where nothing is measured: nobody reads what was filled in.
    file: Option<File>,
    state: Mutex<State>,
    /// Told when a leader has ended.
    synced: Condvar,
}

#[derive(Default)]
struct State {
    /// Records that no leader has taken.
    waiting: Vec<u8>,
    /// Generation of those records. A leader takes one generation.
    generation: u64,
    /// All generations below it are synced.
    synced: u64,
    has_leader: bool,
    /// A write or a sync failed: nobody is told that anything is safe from then on.
    has_failed: bool,
    /// Only the leader changes it.
    position: u64,
    /// An empty buffer to go on with.
    spare: Vec<u8>,
}

impl Engine for GroupAppend {
    fn name(&self) -> &'static str {
        "group append"
    }

    fn role(&self) -> Role {
        Role::Bound
    }

    fn durability(&self, _safety: Safety) -> &'static str {
        "fdatasync"
    }

    fn takes(&self, workload: Workload, _threads: usize) -> bool {
        match workload {
            Workload::Insert | Workload::Batch | Workload::Transaction => true,
            // Its threads know the document already, so a random one is like the same one.
            Workload::Update | Workload::UpdateOne => true,
            Workload::Rollback
            | Workload::Get
            | Workload::GetTyped
            | Workload::Mix
            | Workload::ReadsBesideWriter
            | Workload::Modify
            | Workload::ModifyOne
            | Workload::Ask(_)
            | Workload::AskBare(_)
            | Workload::IndexBuild
            | Workload::Checkpoint(_)
            | Workload::ReopenClean
            | Workload::ReopenKilled
            | Workload::MemoryWritten
            | Workload::MemoryIndexed
            | Workload::MemoryReopened
            | Workload::Disk => false,
        }
    }

    fn open(&'static self, directory: &Path, safety: Safety) -> Result<Box<dyn Store>> {
        let path = directory.join("group.ndjson");
        let file = match safety {
            Safety::Synced => Some(zeroed_file(&path, ROOM_BYTES)?),
            Safety::HandedOver => None,
        };
        Ok(Box::new(Open { file, state: Mutex::default(), synced: Condvar::new() }))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle { log: self, sample: Sample::new(0) }))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

struct Handle<'a> {
    log: &'a Open,
    sample: Sample,
}

impl Session for Handle<'_> {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        self.log.append(&record(samples))
    }

    fn insert_in_two(&mut self, samples: &[Sample], end: End) -> Result<()> {
        match end {
            End::Commit => self.log.append(&record(samples)),
            End::Rollback => Ok(()),
        }
    }

    fn change(&mut self, _id: &str, _change: Change) -> Result<()> {
        self.log.append(&record(std::slice::from_ref(&self.sample)))
    }
}

impl Open {
    /// Returns when the record is on the device.
    fn append(&self, record: &[u8]) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut state = self.lock();
        state.waiting.extend_from_slice(record);
        let own = state.generation;
        while state.synced <= own {
            if state.has_failed {
                return Err("a write of the group failed".into());
            }
            state = if state.has_leader {
                self.synced.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                self.lead(file, state)?
            };
        }
        Ok(())
    }

    /// Writes and syncs what waits.
    fn lead<'a>(
        &'a self,
        file: &File,
        mut state: MutexGuard<'a, State>,
    ) -> Result<MutexGuard<'a, State>> {
        state.has_leader = true;
        let spare = std::mem::take(&mut state.spare);
        let mut records = std::mem::replace(&mut state.waiting, spare);
        state.generation += 1;
        let taken = state.generation;
        if state.position + records.len() as u64 > ROOM_BYTES as u64 {
            state.position = 0;
        }
        let position = state.position;
        state.position += records.len() as u64;
        drop(state);

        let written = file.write_all_at(&records, position);
        let safe = written.and_then(|()| file.sync_data());
        records.clear();

        let mut state = self.lock();
        state.spare = records;
        state.has_leader = false;
        match safe {
            Ok(()) => state.synced = taken,
            Err(_) => state.has_failed = true,
        }
        self.synced.notify_all();
        safe.map(|()| state).map_err(Into::into)
    }

    /// Nobody panics with it half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many bytes as MonsterDB's log has for a commit of these.
pub(super) fn record(samples: &[Sample]) -> Vec<u8> {
    let texts: usize = samples.iter().map(|sample| sample.text.len() + OPERATION.len()).sum();
    let mut record = Vec::with_capacity(HEAD.len() + texts + TAIL.len());
    record.extend_from_slice(HEAD.as_bytes());
    for sample in samples {
        record.extend_from_slice(OPERATION.as_bytes());
        record.extend_from_slice(sample.text.as_bytes());
    }
    record.extend_from_slice(TAIL.as_bytes());
    record
}
