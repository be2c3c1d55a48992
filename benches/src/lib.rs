//! MonsterDB beside SQLite and beside the bounds of the device.
//!
//! ```text
//! cargo bench -p benches --bench compare                     everything, about four minutes
//! cargo bench -p benches --bench compare -- insert --threads 1,16 --repetitions 9
//! cargo bench -p benches --bench compare -- --json > figures.json
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
//! many documents is a [`question`].

pub mod engine;

mod documents;
mod machine;
mod measure;
mod options;
mod plan;
mod process;
pub mod question;
mod report;
mod targets;
mod workload;

pub use documents::Sample;
pub use workload::Workload;

use std::{error::Error, process::ExitCode};

use options::{Command, Options};

/// What went wrong, in words for whoever runs it.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Runs what the arguments ask for.
pub fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let done = match options::parse(arguments) {
        Ok(Command::Help) => {
            println!("{}", options::HELP);
            Ok(())
        }
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
    let rows = plan::run(options)?;
    let comparisons = targets::compare(&rows);
    if options.json {
        report::json(&rows, &comparisons)
    } else {
        report::table(&rows, &comparisons)
    }
}
