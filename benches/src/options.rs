//! What the command line asks for.

use std::time::Duration;

use crate::{Result, Workload, process::Task};

/// The help text.
pub(crate) const HELP: &str = "\
Compares MonsterDB with SQLite and with the bounds of the device.

cargo bench -p benches --bench compare -- [workload…] [options]

workloads (all): insert batch get equality range scan top count aggregate
                 reopen-clean reopen-killed memory-written memory-reopened
options:
  --threads N,…        only these numbers of threads
  --size N             documents (100000)
  --repetitions N      runs of each, alternating between the engines (5)
  --seconds S          time of each run of those before reopen-clean (0.8)
  --engines NAME,…     only these: monsterdb, sqlite, sqlite-text,
                       sqlite-jsonb, bare loop
  --json               figures as JSON";

/// What to do.
pub(crate) enum Command {
    Help,
    Compare(Options),
    /// Measure once in this process, for the one that started it.
    Measure(Task),
}

/// What to compare.
pub(crate) struct Options {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) engines: Vec<String>,
    pub(crate) threads: Vec<usize>,
    pub(crate) size: usize,
    pub(crate) repetitions: usize,
    pub(crate) time: Duration,
    pub(crate) json: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            workloads: Vec::new(),
            engines: Vec::new(),
            threads: Vec::new(),
            size: 100_000,
            repetitions: 5,
            time: Duration::from_millis(800),
            json: false,
        }
    }
}

pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--measure" => return Ok(Command::Measure(serde_json::from_str(&value()?)?)),
            "--json" => options.json = true,
            "--size" => options.size = value()?.parse()?,
            "--repetitions" => options.repetitions = value()?.parse()?,
            "--seconds" => options.time = Duration::try_from_secs_f64(value()?.parse()?)?,
            "--engines" => options.engines = value()?.split(',').map(str::to_owned).collect(),
            "--threads" => {
                options.threads =
                    value()?.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
            }
            name => options.workloads.push(workload(name)?),
        }
    }
    if options.workloads.is_empty() {
        options.workloads = Workload::ALL.to_vec();
    }
    if options.repetitions == 0 || options.size == 0 {
        return Err("there must be at least one repetition and one document".into());
    }
    Ok(Command::Compare(options))
}

fn workload(name: &str) -> Result<Workload> {
    let found = Workload::ALL.into_iter().find(|workload| workload.name() == name);
    found.ok_or_else(|| format!("there is no workload or option {name:?}; see --help").into())
}
