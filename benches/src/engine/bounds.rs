//! What the device allows: a bare loop that appends a document to a file and syncs it.
//!
//! The file's room is written with zeros beforehand, so that a sync moves data alone.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
};

use super::{Engine, Safety, Session, Store};
use crate::{
    Result, Sample, Workload,
    question::{Answer, Question},
};

/// More than one run fills.
const ROOM_BYTES: usize = 64 * 1024 * 1024;

const NO_READS: &str = "the bare loop cannot read";

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

    fn durability(&self, _safety: Safety) -> &'static str {
        "fdatasync"
    }

    fn takes(&self, workload: Workload, threads: usize) -> bool {
        matches!(workload, Workload::Insert | Workload::Batch) && threads == 1
    }

    fn open(&'static self, directory: &Path, _safety: Safety) -> Result<Box<dyn Store>> {
        let path = directory.join("bare.ndjson");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        file.write_all_at(&vec![0; ROOM_BYTES], 0)?;
        file.sync_all()?;
        Ok(Box::new(Open(file)))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle { file: &self.0, position: 0 }))
    }

    fn make_indexes(&self) -> Result<()> {
        Err(NO_READS.into())
    }

    fn close(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl Session for Handle<'_> {
    fn insert(&mut self, sample: &Sample) -> Result<()> {
        self.insert_all(std::slice::from_ref(sample))
    }

    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        let mut lines = Vec::new();
        for sample in samples {
            lines.extend_from_slice(sample.text.as_bytes());
            lines.push(b'\n');
        }
        self.file.write_all_at(&lines, self.position)?;
        self.position += lines.len() as u64;
        assert!(self.position <= ROOM_BYTES as u64, "the room is enough for a run");
        Ok(self.file.sync_data()?)
    }

    fn get(&mut self, _id: &str) -> Result<Option<usize>> {
        Err(NO_READS.into())
    }

    fn answer(&mut self, _question: Question) -> Result<Answer> {
        Err(NO_READS.into())
    }
}
