//! Durable writes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use super::{
    BATCH, Done, Place, WARM_UP, fill,
    threads::{Ran, run},
};
use crate::{
    Result, Sample,
    documents::{Random, samples},
    engine::{Change, End, Session},
    machine::resident_bytes,
};

/// Documents of one transaction into two collections.
const TRANSACTION: usize = 10;

impl Place<'_> {
    pub(super) fn insert(&self) -> Result<Done> {
        self.write(1, |session, samples| samples.iter().try_for_each(|one| session.insert(one)))
    }

    pub(super) fn batch(&self) -> Result<Done> {
        self.write(BATCH, |session, batch| session.insert_all(batch))
    }

    /// Transactions count here, not their documents.
    pub(super) fn transaction(&self, end: End) -> Result<Done> {
        let (mut measured, store) =
            self.write(TRANSACTION, |session, samples| session.insert_in_two(samples, end))?;
        measured.figure = measured.throughput;
        Ok((measured, store))
    }

    /// Writes new documents, so many at once.
    fn write(
        &self,
        at_once: usize,
        write: impl Fn(&mut dyn Session, &[Sample]) -> Result<()> + Sync,
    ) -> Result<Done> {
        let samples = samples(WARM_UP + self.documents);
        let (warm_up, samples) = samples.split_at(WARM_UP);
        let before = resident_bytes()?;
        let store = self.open()?;
        fill(&mut *store.session()?, warm_up)?;
        let next = AtomicUsize::new(0);
        let step = |session: &mut dyn Session, _: &mut Random| {
            let begin = next.fetch_add(at_once, Ordering::Relaxed);
            let end = begin.saturating_add(at_once);
            samples.get(begin..end).map(|samples| write(session, samples)).transpose()
        };
        let ran = run(&*store, self.threads, self.time, step)?;
        Ok((self.rate(&ran, at_once, before)?, Some(store)))
    }

    /// Adds one to documents by chance among the first so many.
    pub(super) fn change(&self, change: Change, among: usize) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        let step = |session: &mut dyn Session, random: &mut Random| {
            let id = Sample::id_of(random.below(among));
            session.change(&id, change).map(Some)
        };
        let ran = self.repeat(&*store, step)?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    pub(super) fn index_build(&self) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        // A commit first: an engine may put off until then what belongs to opening.
        store.session()?.insert(&Sample::new(self.documents))?;
        let begun = Instant::now();
        store.make_indexes()?;
        let elapsed = begun.elapsed();
        let measured = self.cost(&Ran::once(elapsed), elapsed.as_secs_f64() * 1e3, before)?;
        Ok((measured, Some(store)))
    }
}
