//! Which measurements are made, in which order.

use std::{
    collections::HashMap,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use bench_report::{Row, Spread};
use tempfile::TempDir;

use crate::{
    Result, Workload,
    engine::{self, Engine, Safety},
    machine::copy_directory,
    measure::Measurement,
    options::Options,
    process::{self, Task, Work},
    workload::Beginning,
};

/// One engine under one workload.
pub(crate) struct Series {
    pub(crate) engine: &'static dyn Engine,
    pub(crate) workload: Workload,
    pub(crate) size: usize,
    pub(crate) threads: usize,
    /// One for each repetition, in their order.
    pub(crate) measurements: Vec<Measurement>,
}

/// The directory that everything happens in, and the databases that were prepared there.
struct Site {
    directory: TempDir,
    prepared: HashMap<(&'static str, &'static str), PathBuf>,
    size: usize,
}

impl Series {
    /// Its row in the report: the medians of its repetitions.
    pub(crate) fn row(&self) -> Row {
        let of = |value: fn(&Measurement) -> f64| Spread::of(self.measurements.iter().map(value));
        Row {
            workload: self.workload.name().to_owned(),
            size: self.size,
            threads: self.threads,
            engine: self.engine.name().to_owned(),
            durability: self.engine.durability(Safety::Synced).to_owned(),
            figure: of(|run| run.figure),
            unit: self.workload.measure().unit().to_owned(),
            throughput: of(|run| run.throughput).median,
            p50_us: of(|run| micros(run.p50)).median,
            p99_us: of(|run| micros(run.p99)).median,
            max_us: of(|run| micros(run.max)).max,
            memory_bytes: of(|run| run.memory_bytes as f64).median as u64,
            disk_bytes: of(|run| run.disk_bytes as f64).median as u64,
        }
    }
}

/// Makes all measurements.
pub(crate) fn run(options: &Options) -> Result<Vec<Series>> {
    let mut all = Vec::new();
    for size in &options.sizes {
        run_with(&mut Site::new(*size)?, options, &mut all)?;
    }
    // One workload's sizes are read one below the other.
    let place = |series: &Series| options.workloads.iter().position(|w| *w == series.workload);
    all.sort_by_key(place);
    Ok(all)
}

/// Makes the measurements with one number of documents.
fn run_with(site: &mut Site, options: &Options, all: &mut Vec<Series>) -> Result<()> {
    for workload in &options.workloads {
        let numbers = workload.threads();
        // What is run from one number of threads alone is not chosen by it.
        let wanted = |threads: &usize| {
            options.threads.is_empty() || options.threads.contains(threads) || numbers.len() == 1
        };
        for threads in numbers.iter().copied().filter(wanted) {
            all.extend(alternate(site, options, *workload, threads)?);
        }
    }
    Ok(())
}

/// Runs one workload on all engines in turn, as often as there are repetitions.
fn alternate(
    site: &mut Site,
    options: &Options,
    workload: Workload,
    threads: usize,
) -> Result<Vec<Series>> {
    let named = |engine: &&dyn Engine| {
        options.engines.is_empty() || options.engines.iter().any(|name| name == engine.name())
    };
    let mut all: Vec<Series> = engine::ALL
        .into_iter()
        .filter(|engine| named(engine) && engine.takes(workload, threads))
        .map(|engine| Series {
            engine,
            workload,
            size: site.size,
            threads,
            measurements: Vec::new(),
        })
        .collect();
    for repetition in 1..=options.repetitions {
        for series in &mut all {
            progress(series, repetition, options.repetitions);
            let work = Work::Measure { workload, threads, time: options.time };
            series.measurements.push(site.measure(series.engine, workload, work)?);
        }
    }
    Ok(all)
}

/// On a terminal, one line that is written over by the next.
fn progress(series: &Series, repetition: usize, repetitions: usize) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let Series { engine, workload, size, threads, .. } = series;
    let text = format!(
        "{} of {size} with {threads} threads on {}, {repetition} of {repetitions}",
        workload.name(),
        engine.name()
    );
    eprint!("{text:<72}\r");
    // Nothing depends on progress being seen.
    let _ = std::io::stderr().flush();
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

impl Site {
    /// A directory beside the running program: on the device of the build, not in memory.
    fn new(size: usize) -> Result<Site> {
        let program = std::env::current_exe()?;
        let beside = program.parent().ok_or("the program lies in no directory")?;
        let directory = tempfile::Builder::new().prefix("compare-").tempdir_in(beside)?;
        Ok(Site { directory, prepared: HashMap::new(), size })
    }

    /// Measures once, on a copy of what the workload begins with.
    fn measure(
        &mut self,
        engine: &'static dyn Engine,
        workload: Workload,
        work: Work,
    ) -> Result<Measurement> {
        let copy = tempfile::Builder::new().prefix("run-").tempdir_in(&self.directory)?;
        match workload.begins_with() {
            Beginning::Empty => {}
            beginning => {
                copy_directory(&self.prepared(engine, beginning)?, copy.path())?;
            }
        }
        process::ask(&self.task(engine, copy.path(), work))
    }

    /// A database to begin with, made when it is first needed.
    fn prepared(&mut self, engine: &'static dyn Engine, beginning: Beginning) -> Result<PathBuf> {
        let kind = match beginning {
            Beginning::Empty => "empty",
            Beginning::Closed => "closed",
            Beginning::Indexed => "indexed",
            Beginning::Killed => "killed",
        };
        if let Some(path) = self.prepared.get(&(engine.name(), kind)) {
            return Ok(path.clone());
        }
        let path = self.directory.path().join(format!("{}-{kind}", engine.name()));
        std::fs::create_dir(&path)?;
        process::ask(&self.task(engine, &path, Work::Prepare(beginning)))?;
        self.prepared.insert((engine.name(), kind), path.clone());
        Ok(path)
    }

    fn task(&self, engine: &dyn Engine, directory: &Path, work: Work) -> Task {
        Task {
            engine: engine.name().to_owned(),
            directory: directory.to_owned(),
            documents: self.size,
            work,
        }
    }
}
