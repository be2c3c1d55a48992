//! What a database takes: time to open, memory, room on the device.

use std::time::Instant;

use super::{BATCH, Done, Place, threads::Ran};
use crate::{
    Result, Sample,
    engine::{Session, Store},
    machine::{directory_bytes, resident_bytes},
};

impl Place<'_> {
    /// Opening ends with the first document read: an engine may put its work off until then.
    pub(super) fn reopen(&self) -> Result<Done> {
        let last = Sample::new(self.documents - 1);
        let before = resident_bytes()?;
        let begun = Instant::now();
        let store = self.open()?;
        let found = store.session()?.get(&last.id)?;
        let elapsed = begun.elapsed();
        if found.is_none() {
            return Err("the last document is missing".into());
        }
        let measured = self.cost(&Ran::once(elapsed), elapsed.as_secs_f64() * 1e3, before)?;
        Ok((measured, Some(store)))
    }

    pub(super) fn memory_written(&self, is_indexed: bool) -> Result<Done> {
        let store = self.open()?;
        let mut session = store.session()?;
        session.insert(&Sample::new(self.documents))?;
        if is_indexed {
            store.make_indexes()?;
        }
        let before = resident_bytes()?;
        let ran = self.write_batches(&mut *session)?;
        let memory = resident_bytes()?.saturating_sub(before);
        let measured = self.cost(&ran, memory as f64 / self.documents as f64, before)?;
        drop(session);
        Ok((measured, Some(store)))
    }

    /// An operation is here as many reads as a batch has documents.
    pub(super) fn memory_reopened(&self) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        let mut session = store.session()?;
        let ran = Ran::each(self.batches(), |batch| {
            batch.iter().try_for_each(|sample| {
                session.get(&sample.id)?.ok_or("a document is missing")?;
                Ok(())
            })
        })?;
        let memory = resident_bytes()?.saturating_sub(before);
        let measured = self.cost(&ran, memory as f64 / self.documents as f64, before)?;
        drop(session);
        Ok((measured, Some(store)))
    }

    pub(super) fn disk(&self, store: Box<dyn Store>) -> Result<Done> {
        let before = resident_bytes()?;
        let ran = self.write_batches(&mut *store.session()?)?;
        store.close()?;
        let bytes = directory_bytes(self.directory)?;
        Ok((self.cost(&ran, bytes as f64 / self.documents as f64, before)?, None))
    }

    fn write_batches(&self, session: &mut dyn Session) -> Result<Ran> {
        Ran::each(self.batches(), |batch| session.insert_all(&batch))
    }

    /// All documents, made batch by batch, so that only the engine keeps them.
    fn batches(&self) -> impl Iterator<Item = Vec<Sample>> {
        let documents = self.documents;
        let batch = move |first: usize| first..documents.min(first + BATCH);
        (0..documents).step_by(BATCH).map(move |first| batch(first).map(Sample::new).collect())
    }
}
