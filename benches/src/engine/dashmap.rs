//! What memory allows: a concurrent hash map from ids to shared texts. Nothing in it is durable.
//!
//! Closing writes it to a file and opening reads that, so that it can begin with the documents that
//! everyone begins with.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::dashmap::DashMap;

use super::{Engine, Role, Safety, Session, Store};
use crate::{Result, Sample, Workload};

/// Bytes of an id, which a line of the file begins with.
const ID_BYTES: usize = "user-00000000".len();

/// The map.
pub(super) struct Map;

struct Open {
    texts: DashMap<String, Arc<str>>,
    file: PathBuf,
}

struct Handle<'a>(&'a Open);

impl Engine for Map {
    fn name(&self) -> &'static str {
        "dashmap"
    }

    fn role(&self) -> Role {
        Role::Bound
    }

    fn durability(&self, _safety: Safety) -> &'static str {
        "none"
    }

    fn takes(&self, workload: Workload, _threads: usize) -> bool {
        match workload {
            // No durable writes: beside them its figures would mean nothing.
            Workload::Get
            | Workload::GetTyped
            | Workload::ReadsBesideWriter
            | Workload::MemoryWritten => true,
            Workload::Insert
            | Workload::Batch
            | Workload::Mix
            | Workload::Transaction
            | Workload::Rollback
            | Workload::Modify
            | Workload::ModifyOne
            | Workload::Update
            | Workload::UpdateOne
            | Workload::Ask(_)
            | Workload::AskBare(_)
            | Workload::IndexBuild
            | Workload::Checkpoint(_)
            | Workload::ReopenClean
            | Workload::ReopenKilled
            | Workload::MemoryIndexed
            | Workload::MemoryReopened
            | Workload::Disk => false,
        }
    }

    fn open(&'static self, directory: &Path, _safety: Safety) -> Result<Box<dyn Store>> {
        let file = directory.join("map.txt");
        let texts = DashMap::new();
        if file.exists() {
            for line in fs::read_to_string(&file)?.lines() {
                let (id, text) = line.split_at_checked(ID_BYTES).ok_or("a line is too short")?;
                texts.insert(id.to_owned(), text.into());
            }
        }
        Ok(Box::new(Open { texts, file }))
    }
}

impl Store for Open {
    fn session(&self) -> Result<Box<dyn Session + '_>> {
        Ok(Box::new(Handle(self)))
    }

    fn close(self: Box<Self>) -> Result<()> {
        let mut lines = String::new();
        for entry in &self.texts {
            lines.push_str(entry.key());
            lines.push_str(entry.value());
            lines.push('\n');
        }
        Ok(fs::write(&self.file, lines)?)
    }
}

impl Session for Handle<'_> {
    fn insert_all(&mut self, samples: &[Sample]) -> Result<()> {
        for sample in samples {
            self.0.texts.insert(sample.id.clone(), sample.text.as_str().into());
        }
        Ok(())
    }

    fn read(&mut self, id: &str, take: &mut dyn FnMut(&[u8])) -> Result<()> {
        let text = self.0.texts.get(id).map(|entry| Arc::clone(entry.value()));
        text.into_iter().for_each(|text| take(text.as_bytes()));
        Ok(())
    }
}
