//! What the command line asks for.

use std::{path::PathBuf, time::Duration};

use crate::{Result, Workload, process::Task};

/// The help text.
pub(crate) const HELP: &str = "\
Compares MonsterDB with its peers and with the bounds of device and memory.

cargo bench -p benches --bench compare -- [workload…] [options]

workloads (all): insert batch transaction rollback
                 get get-typed mix reads-beside-writer
                 modify modify-one update update-one
                 equality range count and, without their index,
                 equality-bare range-bare count-bare
                 scan top aggregate index-build
                 checkpoint-0 checkpoint-1000 checkpoint-100000
                 reopen-clean reopen-killed
                 memory-written memory-indexed memory-reopened disk
options:
  --threads N,…        only these numbers of threads
  --size N,…           documents, one number after the other (100000)
  --repetitions N      runs of each, alternating between the engines (5)
  --seconds S          time of each run of what is repeated (0.8)
  --engines NAME,…     only these: monsterdb, sqlite, sqlite-text, sqlite-jsonb,
                       redb, fjall, bare loop, group append, dashmap
  --json               figures as JSON
  --charts DIRECTORY   a chart of each workload, too, as SVG
  --test               everything once with few documents: does it work?";

/// What to do.
pub(crate) enum Command {
    Help,
    Nothing,
    Compare(Options),
    /// Measure once in this process, for the one that started it.
    Measure(Task),
}

/// What to compare.
pub(crate) struct Options {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) engines: Vec<String>,
    pub(crate) threads: Vec<usize>,
    pub(crate) sizes: Vec<usize>,
    pub(crate) repetitions: usize,
    pub(crate) time: Duration,
    pub(crate) json: bool,
    pub(crate) charts: Option<PathBuf>,
    pub(crate) is_test: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            workloads: Vec::new(),
            engines: Vec::new(),
            threads: Vec::new(),
            sizes: vec![100_000],
            repetitions: 5,
            time: Duration::from_millis(800),
            json: false,
            charts: None,
            is_test: false,
        }
    }
}

impl Options {
    /// Enough to see that everything works.
    pub(crate) fn test() -> Options {
        let time = Duration::from_millis(20);
        Options { sizes: vec![2_000], repetitions: 1, time, is_test: true, ..Options::default() }
    }
}

/// `cargo bench` says `--bench`. `cargo test` does not: it wants a test, and with a filter or an
/// option of its own, it wants other tests.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command> {
    let arguments: Vec<String> = arguments.collect();
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let mut options = Options::default();
    match arguments.first().map(String::as_str) {
        None => options = Options::test(),
        Some("--measure" | "--test" | "--help") => {}
        Some(_) if is_bench => {}
        Some(_) => return Ok(Command::Nothing),
    }
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--measure" => return Ok(Command::Measure(serde_json::from_str(&value()?)?)),
            "--bench" => {}
            "--test" => options = Options::test(),
            "--json" => options.json = true,
            "--charts" => options.charts = Some(value()?.into()),
            "--size" => options.sizes = numbers(&value()?)?,
            "--repetitions" => options.repetitions = value()?.parse()?,
            "--seconds" => options.time = Duration::try_from_secs_f64(value()?.parse()?)?,
            "--engines" => options.engines = value()?.split(',').map(str::to_owned).collect(),
            "--threads" => options.threads = numbers(&value()?)?,
            name => options.workloads.push(workload(name)?),
        }
    }
    if options.workloads.is_empty() {
        options.workloads = Workload::ALL.to_vec();
    }
    if options.repetitions == 0 || options.sizes.contains(&0) {
        return Err("there must be at least one repetition and one document".into());
    }
    Ok(Command::Compare(options))
}

fn numbers(list: &str) -> Result<Vec<usize>> {
    let numbers = list.split(',').map(str::parse);
    Ok(numbers.collect::<std::result::Result<_, _>>()?)
}

fn workload(name: &str) -> Result<Workload> {
    let found = Workload::ALL.into_iter().find(|workload| workload.name() == name);
    found.ok_or_else(|| format!("there is no workload or option {name:?}; see --help").into())
}
