//! `check`: every checksum and every invariant of a data directory, without changing anything (see
//! [`CheckReport`] for what it finds beyond what an opening refuses).

use clap::Args;
use serde_json::{Value, json};

use super::{DataArgs, Failure, output::Output};
use crate::{
    database::CheckReport,
    storage::{Access, FileStorage},
};

/// Verify every checksum and invariant of a data directory.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Checks and reports.
pub(super) fn run(args: &CheckArgs, json: bool) -> Result<(), Failure> {
    let report = CheckReport::of(&FileStorage::open(&args.data.data, Access::Read)?)?;
    let mut output = Output::new();
    output.line(&if json { to_json(&report).to_string() } else { to_text(&report) })?;
    output.finish()?;
    if report.damage.is_empty() { Ok(()) } else { Err(Failure::Damaged(report.damage)) }
}

fn to_json(report: &CheckReport) -> Value {
    let collections: Vec<Value> = report
        .collections
        .iter()
        .map(
            |(name, count, bytes)| json!({ "name": name.as_str(), "count": count, "bytes": bytes }),
        )
        .collect();
    let damage: Vec<Value> = report.damage.iter().map(super::failure::damage_json).collect();
    json!({
        "ok": report.damage.is_empty(),
        "version": report.version.get(),
        "checkpoint": report.checkpoint.get(),
        "collections": collections,
        "files": report.files,
        "file_bytes": report.file_bytes,
        "segments": report.segments,
        "records": report.records,
        "in_doubt": report.in_doubt,
        "rebuilt_indexes": report.rebuilt,
    "torn_tail": report.cut.as_ref().map(super::log::cut_json),
        "damage": damage,
    })
}

fn to_text(report: &CheckReport) -> String {
    let mut lines = Vec::new();
    for (name, count, bytes) in &report.collections {
        lines.push(format!("collection {name}: {count} documents, {bytes} bytes in memory"));
    }
    let CheckReport { version, checkpoint, files, file_bytes, segments, records, .. } = report;
    lines.push(format!("checkpoint: version {checkpoint}, {files} files, {file_bytes} bytes"));
    lines
        .push(format!("log: {segments} segments, {records} records, {} in doubt", report.in_doubt));
    if let Some(cut) = &report.cut {
        lines.push(format!("torn tail: {}", super::log::cut_text(cut)));
    }
    lines.extend(report.rebuilt.iter().map(|index| format!("to be built anew: {index}")));
    lines.extend(report.damage.iter().map(|damage| format!("DAMAGED: {damage}")));
    lines.push(match report.damage.len() {
        0 => format!("good, up to version {version}"),
        count => format!("{count} places are damaged"),
    });
    lines.join("\n")
}
