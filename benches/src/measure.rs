//! The work itself, inside the measuring process.

use std::{
    path::Path,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    Result, Sample, Workload,
    documents::{Random, samples},
    engine::{Engine, Safety, Session, Store},
    machine::{directory_bytes, resident_bytes},
    question::Topic,
    workload::Beginning,
};

/// Documents of one batch.
const BATCH: usize = 1_000;

/// Documents written before inserts are measured, so that files have the size they keep.
const WARM_UP: usize = 10 * BATCH;

/// The latencies of one thread that are kept; more do not change a percentile.
const LATENCIES_MAX: usize = 1_000_000;

/// What one run found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// In the workload's unit.
    pub(crate) figure: f64,
    /// Latencies of one operation.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Resident memory that the work added.
    pub(crate) memory_bytes: u64,
    /// All files at the end.
    pub(crate) disk_bytes: u64,
}

/// Where an engine works.
pub(crate) struct Place<'a> {
    pub(crate) engine: &'static dyn Engine,
    pub(crate) directory: &'a Path,
}

/// The store, if the run leaves one open.
type Left = Option<Box<dyn Store>>;

/// Fills a database, document by document, and closes it where it shall be closed.
pub(crate) fn prepare(
    engine: &'static dyn Engine,
    directory: &Path,
    documents: usize,
    beginning: Beginning,
) -> Result<Left> {
    let store = engine.open(directory, Safety::HandedOver)?;
    let mut session = store.session()?;
    for number in 0..documents {
        session.insert(&Sample::new(number))?;
    }
    match beginning {
        Beginning::Empty => Err("an empty database needs no preparation".into()),
        Beginning::Closed | Beginning::Indexed => {
            if beginning == Beginning::Indexed {
                store.make_indexes()?;
            }
            drop(session);
            store.close()?;
            Ok(None)
        }
        Beginning::Killed => {
            // What a session holds open stays open too.
            std::mem::forget(session);
            Ok(Some(store))
        }
    }
}

impl Place<'_> {
    /// Runs a workload once.
    pub(crate) fn measure(
        &self,
        workload: Workload,
        threads: usize,
        documents: usize,
        time: Duration,
    ) -> Result<(Measurement, Left)> {
        match workload {
            Workload::Insert => self.insert(threads, documents, time),
            Workload::Batch => self.batch(documents, time),
            Workload::Get => self.get(threads, documents, time),
            Workload::Ask(topic) => self.ask(topic, time),
            Workload::ReopenClean | Workload::ReopenKilled => self.reopen(documents),
            Workload::MemoryWritten => self.memory_written(documents),
            Workload::MemoryReopened => self.memory_reopened(documents),
        }
    }

    fn insert(
        &self,
        threads: usize,
        documents: usize,
        time: Duration,
    ) -> Result<(Measurement, Left)> {
        let samples = samples(WARM_UP + documents);
        let (warm_up, samples) = samples.split_at(WARM_UP);
        let before = resident_bytes()?;
        let store = self.engine.open(self.directory, Safety::Synced)?;
        warm(&*store, warm_up)?;
        let next = AtomicUsize::new(0);
        let step = |session: &mut dyn Session, _: &mut Random| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            samples.get(place).map(|sample| session.insert(sample)).transpose()
        };
        let measured = run(&*store, threads, time, step)?;
        Ok((self.measured(measured, 1, before)?, Some(store)))
    }

    fn batch(&self, documents: usize, time: Duration) -> Result<(Measurement, Left)> {
        let samples = samples(WARM_UP + documents);
        let (warm_up, samples) = samples.split_at(WARM_UP);
        let before = resident_bytes()?;
        let store = self.engine.open(self.directory, Safety::Synced)?;
        warm(&*store, warm_up)?;
        let next = AtomicUsize::new(0);
        let batches: Vec<_> = samples.chunks_exact(BATCH).collect();
        let step = |session: &mut dyn Session, _: &mut Random| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            batches.get(place).map(|batch| session.insert_all(batch)).transpose()
        };
        let measured = run(&*store, 1, time, step)?;
        Ok((self.measured(measured, BATCH, before)?, Some(store)))
    }

    fn get(&self, threads: usize, documents: usize, time: Duration) -> Result<(Measurement, Left)> {
        let before = resident_bytes()?;
        let store = self.engine.open(self.directory, Safety::Synced)?;
        let step = |session: &mut dyn Session, random: &mut Random| {
            // Made, not looked up in a list: that would cost each engine the same cache misses, and
            // so tell less of the difference between them.
            let id = Sample::id_of(random.below(documents));
            let length = session.get(&id)?.ok_or("a document is missing")?;
            assert_eq!(length, crate::documents::DOCUMENT_BYTES, "the whole text was read");
            Ok(Some(()))
        };
        // Once through, so that every page has been touched.
        let mut session = store.session()?;
        for id in (0..documents).map(Sample::id_of) {
            session.get(&id)?;
        }
        drop(session);
        let measured = run(&*store, threads, time, step)?;
        Ok((self.measured(measured, 1, before)?, Some(store)))
    }

    fn ask(&self, topic: Topic, time: Duration) -> Result<(Measurement, Left)> {
        let before = resident_bytes()?;
        let store = self.engine.open(self.directory, Safety::Synced)?;
        let step = |session: &mut dyn Session, random: &mut Random| {
            let answer = session.answer(topic.ask(random))?;
            assert!(answer.rows > 0, "every question has an answer");
            Ok(Some(()))
        };
        // Some first, so that every page has been touched.
        run(&*store, 1, time / 4, step)?;
        let measured = run(&*store, 1, time, step)?;
        Ok((self.measured(measured, 1, before)?, Some(store)))
    }

    /// Opening ends with the first document read: an engine may put its work off until then.
    fn reopen(&self, documents: usize) -> Result<(Measurement, Left)> {
        let last = Sample::new(documents - 1);
        let before = resident_bytes()?;
        let begun = Instant::now();
        let store = self.engine.open(self.directory, Safety::Synced)?;
        let found = store.session()?.get(&last.id)?;
        let elapsed = begun.elapsed();
        if found.is_none() {
            return Err("the last document is missing".into());
        }
        let measured = Measurement {
            figure: elapsed.as_secs_f64() * 1e3,
            p50: elapsed,
            p99: elapsed,
            memory_bytes: resident_bytes()?.saturating_sub(before),
            disk_bytes: directory_bytes(self.directory)?,
        };
        Ok((measured, Some(store)))
    }

    fn memory_written(&self, documents: usize) -> Result<(Measurement, Left)> {
        let store = self.engine.open(self.directory, Safety::Synced)?;
        let mut session = store.session()?;
        session.insert(&Sample::new(documents))?;
        let before = resident_bytes()?;
        for first in (0..documents).step_by(BATCH) {
            let batch: Vec<_> = (first..documents.min(first + BATCH)).map(Sample::new).collect();
            session.insert_all(&batch)?;
        }
        let measured = self.memory(documents, before)?;
        drop(session);
        Ok((measured, Some(store)))
    }

    fn memory_reopened(&self, documents: usize) -> Result<(Measurement, Left)> {
        let before = resident_bytes()?;
        let store = self.engine.open(self.directory, Safety::Synced)?;
        let mut session = store.session()?;
        for number in 0..documents {
            session.get(&Sample::new(number).id)?.ok_or("a document is missing")?;
        }
        let measured = self.memory(documents, before)?;
        drop(session);
        Ok((measured, Some(store)))
    }

    fn memory(&self, documents: usize, before: u64) -> Result<Measurement> {
        let memory_bytes = resident_bytes()?.saturating_sub(before);
        Ok(Measurement {
            figure: memory_bytes as f64 / documents as f64,
            memory_bytes,
            disk_bytes: directory_bytes(self.directory)?,
            ..Measurement::default()
        })
    }

    fn measured(&self, ran: Ran, documents: usize, before: u64) -> Result<Measurement> {
        let Ran { operations, elapsed, mut latencies } = ran;
        latencies.sort_unstable();
        Ok(Measurement {
            figure: (operations * documents) as f64 / elapsed.as_secs_f64(),
            p50: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            memory_bytes: resident_bytes()?.saturating_sub(before),
            disk_bytes: directory_bytes(self.directory)?,
        })
    }
}

fn warm(store: &dyn Store, samples: &[Sample]) -> Result<()> {
    let mut session = store.session()?;
    samples.chunks(BATCH).try_for_each(|batch| session.insert_all(batch))
}

/// What the threads of a run did.
struct Ran {
    operations: usize,
    elapsed: Duration,
    latencies: Vec<Duration>,
}

/// Repeats a step in every thread until the time is up or there is nothing left to do.
fn run(
    store: &dyn Store,
    threads: usize,
    time: Duration,
    step: impl Fn(&mut dyn Session, &mut Random) -> Result<Option<()>> + Sync,
) -> Result<Ran> {
    let start = Barrier::new(threads + 1);
    let work = |thread: usize| {
        let session = store.session();
        start.wait();
        repeat(session?, Random::new(thread as u64), time, &step)
    };
    let work = &work;
    std::thread::scope(|scope| {
        let started: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        start.wait();
        let begun = Instant::now();
        let mut ran = Ran { operations: 0, elapsed: Duration::ZERO, latencies: Vec::new() };
        let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
        ran.elapsed = begun.elapsed();
        for thread in ended {
            let (operations, latencies) = thread.map_err(|_| "a thread panicked")??;
            ran.operations += operations;
            ran.latencies.extend(latencies);
        }
        Ok(ran)
    })
}

/// The steps of one thread: how many, and how long each took.
fn repeat(
    mut session: Box<dyn Session + '_>,
    mut random: Random,
    time: Duration,
    step: impl Fn(&mut dyn Session, &mut Random) -> Result<Option<()>>,
) -> Result<(usize, Vec<Duration>)> {
    let mut operations = 0;
    let mut latencies = Vec::with_capacity(1024);
    let begun = Instant::now();
    let mut at = begun;
    while at - begun < time && step(&mut *session, &mut random)?.is_some() {
        let now = Instant::now();
        if latencies.len() < LATENCIES_MAX {
            latencies.push(now - at);
        }
        operations += 1;
        at = now;
    }
    Ok((operations, latencies))
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}
