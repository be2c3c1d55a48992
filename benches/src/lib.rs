//! MonsterDB beside its peers and beside the bounds of device and memory.
//!
//! ```text
//! cargo bench -p benches --bench compare                     everything, about twenty minutes
//! cargo bench -p benches --bench compare -- insert --threads 1,16 --repetitions 9
//! cargo bench -p benches --bench compare -- --charts charts --json > figures.json
//! cargo test -p benches                                      everything once, with few documents
//! ```
//!
//! Every engine does the same work on the same documents in a directory beside the build, on the
//! device that holds it. Each measurement is a process of its own, this program run again with
//! `--measure`, so that memory is the engine's alone and none inherits another's state. The
//! repetitions of the engines alternate (A B A B …), so that a slow minute of the machine meets
//! all of them; what counts are medians, and the ratio of two engines is taken in each repetition
//! before its median is.
//!
//! An [`engine`] is one file. A [`Workload`] is one arm in the module `measure`. What is asked about
//! many documents is a [`question`]. What comes out is the package `bench-report`'s.

pub mod engine;

mod documents;
mod machine;
mod measure;
mod options;
mod plan;
mod process;
pub mod question;
mod targets;
mod workload;

pub use documents::Sample;
pub use workload::Workload;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
};

use bench_report::{Report, Row};
use options::{Command, Options};
use plan::Series;

/// What went wrong, in words for whoever runs it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let done = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            Ok(())
        }
        Ok(Command::Nothing) => Ok(()),
        Ok(Command::Measure(task)) => process::answer(&task),
        Ok(Command::Compare(options)) => compare(&options),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> Result<()> {
    let all = plan::run(options)?;
    let rows: Vec<Row> = all.iter().map(Series::row).collect();
    if let Some((row, figure)) = rows.iter().find_map(|row| Some((row, row.lacks()?))) {
        return Err(format!("{} on {} has no {figure}", row.workload, row.engine).into());
    }
    // The times of a test are too short for targets to mean anything.
    let comparisons = if options.is_test { Vec::new() } else { targets::compare(&all) };
    let report = Report { rows, comparisons };
    if let Some(directory) = &options.charts {
        fs::create_dir_all(directory)?;
        for chart in report.charts() {
            fs::write(directory.join(chart.workload).with_extension("svg"), chart.svg)?;
        }
    }
    let text = if options.json { report.json()? } else { report.table() };
    Ok(writeln!(io::stdout(), "{text}")?)
}
