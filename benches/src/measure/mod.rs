//! The work itself, inside the measuring process.

mod checkpoint;
mod latencies;
mod open;
mod read;
mod threads;
mod write;

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use self::threads::{Ran, run};
use crate::{
    Result, Sample, Workload,
    documents::Random,
    engine::{Change, End, Engine, Safety, Session, Store},
    machine::{directory_bytes, resident_bytes},
    workload::Beginning,
};

/// Documents of one batch.
const BATCH: usize = 1_000;

/// Documents written before inserts are measured, so that files have the size they keep.
const WARM_UP: usize = 10 * BATCH;

/// What one run found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// In the workload's unit.
    pub(crate) figure: f64,
    /// Operations a second.
    pub(crate) throughput: f64,
    /// Latencies of one operation.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// The longest one.
    pub(crate) max: Duration,
    /// Resident memory that the work added.
    pub(crate) memory_bytes: u64,
    /// All files at the end.
    pub(crate) disk_bytes: u64,
}

/// Where an engine works, and with how much.
pub(crate) struct Place<'a> {
    pub(crate) engine: &'static dyn Engine,
    pub(crate) directory: &'a Path,
    pub(crate) documents: usize,
    pub(crate) threads: usize,
    /// How long what is repeated goes on.
    pub(crate) time: Duration,
}

/// A run, and the store that it leaves open.
type Done = (Measurement, Option<Box<dyn Store>>);

/// Fills a database, document by document, and closes it where it shall be closed.
pub(crate) fn prepare(
    engine: &'static dyn Engine,
    directory: &Path,
    documents: usize,
    beginning: Beginning,
) -> Result<Option<Box<dyn Store>>> {
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
            store.hand_over()?;
            // What a session holds open stays open too.
            std::mem::forget(session);
            Ok(Some(store))
        }
    }
}

impl Place<'_> {
    /// Runs a workload once.
    pub(crate) fn measure(&self, workload: Workload) -> Result<Done> {
        match workload {
            Workload::Insert => self.insert(),
            Workload::Batch => self.batch(),
            Workload::Transaction => self.transaction(End::Commit),
            Workload::Rollback => self.transaction(End::Rollback),
            Workload::Get => self.get(),
            Workload::Mix => self.mix(),
            Workload::ReadsBesideWriter => self.reads_beside_writer(),
            Workload::Modify => self.change(Change::ReadWrite, self.documents),
            Workload::ModifyOne => self.change(Change::ReadWrite, 1),
            Workload::Update => self.change(Change::Operator, self.documents),
            Workload::UpdateOne => self.change(Change::Operator, 1),
            Workload::GetTyped => self.get_typed(),
            Workload::Ask(topic) | Workload::AskBare(topic) => self.ask(topic),
            Workload::IndexBuild => self.index_build(),
            Workload::Checkpoint(changes) => self.checkpoint(changes.count()),
            Workload::ReopenClean | Workload::ReopenKilled => self.reopen(),
            Workload::MemoryWritten => self.memory_written(false),
            Workload::MemoryIndexed => self.memory_written(true),
            Workload::MemoryReopened => self.memory_reopened(),
            Workload::Disk => self.disk(),
        }
    }

    fn open(&self) -> Result<Box<dyn Store>> {
        self.engine.open(self.directory, Safety::Synced)
    }

    /// Repeats a step in all threads; for a while first unseen, so that every page has been touched
    /// and files have the size that they keep.
    fn repeat(
        &self,
        store: &dyn Store,
        step: impl Fn(&mut dyn Session, &mut Random) -> Result<Option<()>> + Sync,
    ) -> Result<Ran> {
        run(store, self.threads, self.time / 4, &step)?;
        run(store, self.threads, self.time, &step)
    }

    /// What a run found whose figure is a rate: so many of its unit in each operation.
    fn rate(&self, ran: &Ran, each: usize, before: u64) -> Result<Measurement> {
        let per_second = ran.per_second();
        self.cost(ran, per_second * each as f64, before)
    }

    /// What a run found whose figure is another.
    fn cost(&self, ran: &Ran, figure: f64, before: u64) -> Result<Measurement> {
        let memory_bytes = resident_bytes()?.saturating_sub(before);
        let (throughput, latencies) = (ran.per_second(), ran.latencies());
        let (p50, p99) = (latencies.percentile(50), latencies.percentile(99));
        let max = latencies.max();
        let disk_bytes = directory_bytes(self.directory)?;
        Ok(Measurement { figure, throughput, p50, p99, max, memory_bytes, disk_bytes })
    }
}

fn fill(session: &mut dyn Session, samples: &[Sample]) -> Result<()> {
    samples.chunks(BATCH).try_for_each(|batch| session.insert_all(batch))
}
