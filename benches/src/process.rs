//! A measurement in a process of its own: this program, run again with `--measure`.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    Result, Workload, engine,
    measure::{self, Measurement},
    workload::Beginning,
};

/// What the started process does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) engine: String,
    pub(crate) directory: PathBuf,
    pub(crate) documents: usize,
    pub(crate) work: Work,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// Make the database that measurements begin with.
    Prepare(Beginning),
    /// Measure.
    Measure { workload: Workload, threads: usize, time: Duration },
}

/// Has a task done by a process of its own.
pub(crate) fn ask(task: &Task) -> Result<Measurement> {
    let output = Command::new(std::env::current_exe()?)
        .arg("--measure")
        .arg(serde_json::to_string(task)?)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} failed at {:?}", task.engine, task.work).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Does a task and answers on the standard output.
///
/// It ends the process there and then, with whatever is open: that is how a database is left
/// that nobody closed.
pub(crate) fn answer(task: &Task) -> Result<()> {
    let engine = engine::by_name(&task.engine)?;
    let measurement = match task.work {
        Work::Prepare(beginning) => {
            let store = measure::prepare(engine, &task.directory, task.documents, beginning)?;
            let measured = Measurement::default();
            std::mem::forget(store);
            measured
        }
        Work::Measure { workload, threads, time } => {
            let (directory, documents) = (&*task.directory, task.documents);
            let place = measure::Place { engine, directory, documents, threads, time };
            let (measured, store) = place.measure(workload)?;
            std::mem::forget(store);
            measured
        }
    };
    println!("{}", serde_json::to_string(&measurement)?);
    std::process::exit(0)
}
