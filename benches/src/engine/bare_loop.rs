//! What the device allows one thread: a bare loop that appends a document to a file and syncs it.
//!
//! The file's room is written with zeros beforehand, so that a sync moves data alone.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::{Engine, Role, Safety, Session, Store};
use crate::{Result, Sample, Workload, machine::zeroed_file};

/// More than one run fills.
const ROOM_BYTES: usize = 64 * 1024 * 1024;

/// The loop.
pub(super) struct BareLoop;

struct Open(File);

struct Handle<'a> {
    file: &'a File,
    position: u64,
}

impl Engine for BareLoop {
    fn name(&self) -> &'static str {
        "bare loop"
    }

    fn role(&self) -> Role {
        Role::Bound
    }

    fn durability(&self, _safety: Safety) -> &'static str {
        "fdatasync"
    }

    fn takes(&self, workload: Workload, threads: usize) -> bool {
        matches!(workload, Workload::Insert | Workload::Batch) && threads == 1
    }

    fn open(&'static self, directory: &Path, _safety: Safety) -> Result<Box<dyn Store>> {
        Ok(Box::new(Open(zeroed_file(&directory.join("bare.ndjson"), ROOM_BYTES)?)))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle { file: &self.0, position: 0 }))
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Session for Handle<'_> {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let mut lines = Vec::new();
        for sample in samples {
            lines.extend_from_slice(sample.text.as_bytes());
            lines.push(b'\n');
        }
        if self.position + lines.len() as u64 > ROOM_BYTES as u64 {
            // From the beginning again: it costs the device the same.
            self.position = 0;
        }
        self.file.write_all_at(&lines, self.position)?;
        self.position += lines.len() as u64;
        Ok(self.file.sync_data()?)
    }
}
