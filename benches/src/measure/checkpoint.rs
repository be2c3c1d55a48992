//! A checkpoint, and what commits notice of it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{Done, Place, fill, threads::run};
use crate::{
    Result, Sample,
    documents::{Random, samples},
    engine::Session,
    machine::resident_bytes,
};

impl Place<'_> {
    /// The time of one checkpoint that finds so many documents added to those of the last one. The
    /// latencies are of commits that one thread makes from just before it to just behind it.
    pub(super) fn checkpoint(&self, changes: usize) -> Result<Done> {
        let samples: Vec<Sample> =
            samples(self.documents + changes).into_iter().skip(self.documents).collect();
        let before = resident_bytes()?;
        let store = self.open()?;
        store.checkpoint()?;
        fill(&mut *store.session()?, &samples)?;

        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let commit = |session: &mut dyn Session, _: &mut Random| {
            // Asked before the commit: so one commit at least begins and ends beside it.
            let was_over = is_over.load(Ordering::Acquire);
            let number = self.documents + changes + next.fetch_add(1, Ordering::AcqRel);
            session.insert(&Sample::new(number))?;
            Ok((!was_over).then_some(()))
        };
        let (ran, elapsed) = thread::scope(|scope| {
            let writer = scope.spawn(|| run(&*store, 1, Duration::MAX, commit));
            while next.load(Ordering::Acquire) < 2 && !writer.is_finished() {
                thread::yield_now();
            }
            let begun = Instant::now();
            let written = store.checkpoint();
            let elapsed = begun.elapsed();
            is_over.store(true, Ordering::Release);
            let ran = writer.join().map_err(|_| "the writer panicked")??;
            written?;
            Result::Ok((ran, elapsed))
        })?;
        Ok((self.cost(&ran, elapsed.as_secs_f64() * 1e3, before)?, Some(store)))
    }
}
