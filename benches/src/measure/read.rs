//! Reads, alone and beside writes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{Done, Place, threads::run};
use crate::{
    Result, Sample,
    documents::{DOCUMENT_BYTES, Random},
    engine::{Session, Store},
    machine::resident_bytes,
    question::Topic,
};

/// Operations of the mix of which one is an insert.
const MIX: usize = 10;

impl Place<'_> {
    pub(super) fn get(&self) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        self.read_through(&*store)?;
        let step = |session: &mut dyn Session, random: &mut Random| self.get_one(session, random);
        let ran = self.repeat(&*store, step)?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    pub(super) fn get_typed(&self) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        self.read_through(&*store)?;
        let step = |session: &mut dyn Session, random: &mut Random| {
            let id = Sample::id_of(random.below(self.documents));
            let person = session.get_typed(&id)?.ok_or("a document is missing")?;
            std::hint::black_box(person);
            Ok(Some(()))
        };
        let ran = self.repeat(&*store, step)?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    pub(super) fn mix(&self) -> Result<Done> {
        let samples = self.new_samples();
        let before = resident_bytes()?;
        let store = self.open()?;
        self.read_through(&*store)?;
        let next = AtomicUsize::new(0);
        let step = |session: &mut dyn Session, random: &mut Random| match random.below(MIX) {
            0 => insert_next(session, &samples, &next),
            _ => self.get_one(session, random),
        };
        let ran = self.repeat(&*store, step)?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    pub(super) fn reads_beside_writer(&self) -> Result<Done> {
        let samples = self.new_samples();
        let before = resident_bytes()?;
        let store = self.open()?;
        self.read_through(&*store)?;
        let next = AtomicUsize::new(0);
        let read = |session: &mut dyn Session, random: &mut Random| self.get_one(session, random);
        let write =
            |session: &mut dyn Session, _: &mut Random| insert_next(session, &samples, &next);
        // The first commits may find more to do than those that follow.
        run(&*store, 1, self.time / 4, write)?;
        let ran = thread::scope(|scope| {
            let writer = scope.spawn(|| run(&*store, 1, self.time, write));
            let ran = run(&*store, self.threads, self.time, read)?;
            writer.join().map_err(|_| "the writer panicked")??;
            Result::Ok(ran)
        })?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    pub(super) fn ask(&self, topic: Topic) -> Result<Done> {
        let before = resident_bytes()?;
        let store = self.open()?;
        let step = |session: &mut dyn Session, random: &mut Random| {
            let answer = session.answer(topic.ask(random))?;
            assert!(answer.rows > 0, "every question has an answer");
            Ok(Some(()))
        };
        let ran = self.repeat(&*store, step)?;
        Ok((self.rate(&ran, 1, before)?, Some(store)))
    }

    fn get_one(&self, session: &mut dyn Session, random: &mut Random) -> Result<Option<()>> {
        // Made, not looked up in a list: that would cost each engine the same cache misses, and
        // so tell less of the difference between them.
        let id = Sample::id_of(random.below(self.documents));
        let length = session.get(&id)?.ok_or("a document is missing")?;
        assert_eq!(length, DOCUMENT_BYTES, "the whole text was read");
        Ok(Some(()))
    }

    /// Reads everything once, so that every page has been touched.
    fn read_through(&self, store: &dyn Store) -> Result<()> {
        let mut session = store.session()?;
        for id in (0..self.documents).map(Sample::id_of) {
            session.get(&id)?;
        }
        Ok(())
    }

    /// As many documents as there are, and not the same.
    fn new_samples(&self) -> Vec<Sample> {
        (self.documents..2 * self.documents).map(Sample::new).collect()
    }
}

fn insert_next(
    session: &mut dyn Session,
    samples: &[Sample],
    next: &AtomicUsize,
) -> Result<Option<()>> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    samples.get(place).map(|sample| session.insert(sample)).transpose()
}
