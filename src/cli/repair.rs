//! `repair`: what can be saved of a damaged data directory, in a new one.
//!
//! It ends with 0 when everything was saved and is certain. When something is lost or not proved it
//! ends with 5, as whatever meets damaged data does: the new directory is there then as well, and the
//! report on standard output lists what is missing. After any other exit code there is none,
//! but where the report itself cannot be printed.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::{
    DataArgs, Failure,
    new_directory::NewDirectory,
    output::{Output, Progress},
};
use crate::{
    checkpoint::Gap,
    database::{Loss, Origin, RepairReport, Unproved, repair},
    storage::{Access, FileStorage, Storage},
};

/// Save what can be saved of a damaged data directory.
#[derive(Debug, Args)]
#[command(
    after_help = "The damaged directory is only read. Exit codes: 0 everything was saved, 5 something \
                  is lost or not proved, which the output lists; the new directory is good in both \
                  cases."
)]
pub struct RepairArgs {
    /// Where to save it: a directory that is empty or not there
    #[arg(value_name = "DIR")]
    pub target: PathBuf,

    /// Save the last good state: the checkpoint and the log up to the first damage in it
    #[arg(long, required = true)]
    pub to_last_good: bool,

    /// The damaged directory, which nobody may have open.
    #[command(flatten)]
    pub data: DataArgs,

    /// The archive of the log, as --wal-archive named it for the server, or a data directory
    #[arg(long, value_name = "DIR")]
    pub archive: Option<PathBuf>,
}

/// Repairs and reports.
pub(super) fn run(args: &RepairArgs, json: bool) -> Result<(), Failure> {
    let source = FileStorage::open(&args.data.data, Access::Read)?;
    let archive = args.archive.as_ref();
    let archive = archive.map(|path| FileStorage::open(path, Access::Watch)).transpose()?;
    let archive = archive.as_ref().map(|archive| archive as &dyn Storage);
    let target = NewDirectory::make_outside(&args.target, &args.data.data)?;
    let mut progress = Progress::new(None, json);
    let report = repair(&source, archive, target.storage(), |bytes| progress.add(0, bytes));
    progress.finish();
    let report = target.end(report)?;
    let mut output = Output::new();
    output.line(&match json {
        true => to_json(&report).to_string(),
        false => to_text(&report, &args.target),
    })?;
    output.finish()?;
    match report.is_whole() {
        true => Ok(()),
        false => Err(Failure::Lost {
            losses: report.losses.len(),
            unproved: report.unproved.len(),
            target: args.target.clone(),
        }),
    }
}

fn to_text(report: &RepairReport, target: &Path) -> String {
    let RepairReport { state, version, .. } = report;
    let target = target.display();
    let mut lines = vec![match state == version {
        true => format!("version {state} is in {target}"),
        false => format!("version {state} is in {target}, and goes on behind version {version}"),
    }];
    for collection in &report.collections {
        let origin = match collection.origin {
            Origin::Files => "",
            Origin::Log => ", made again from the log",
            Origin::Salvaged => ", salvaged",
        };
        let (name, documents) = (&collection.name, collection.documents);
        lines.push(format!("collection {name}: {documents} documents{origin}"));
    }
    if let Some(cut) = &report.cut {
        lines.push(format!("left behind, never acknowledged: {}", super::log::cut_text(cut)));
    }
    lines.extend(report.losses.iter().map(|loss| format!("LOST: {loss}")));
    lines.extend(report.unproved.iter().map(|unproved| format!("NOT PROVED: {unproved}")));
    if report.is_whole() {
        lines.push("nothing is lost".to_owned());
    }
    lines.join("\n")
}

fn to_json(report: &RepairReport) -> Value {
    let collections = report.collections.iter().map(|collection| {
        let origin = match collection.origin {
            Origin::Files => "files",
            Origin::Log => "log",
            Origin::Salvaged => "salvaged",
        };
        json!({
            "name": collection.name.as_str(),
            "documents": collection.documents,
            "origin": origin,
        })
    });
    json!({
        "ok": report.is_whole(),
        "state": report.state.get(),
        "version": report.version.get(),
        "acknowledged": report.acknowledged.get(),
        "collections": collections.collect::<Vec<_>>(),
        "losses": report.losses.iter().map(loss_json).collect::<Vec<_>>(),
        "unproved": report.unproved.iter().map(unproved_json).collect::<Vec<_>>(),
        "torn_tail": report.cut.as_ref().map(super::log::cut_json),
    })
}

fn loss_json(loss: &Loss) -> Value {
    match loss {
        Loss::Commits { first, last, file, offset, reason } => json!({
            "kind": "commits",
            "first": first.get(),
            "last": last.get(),
            "file": file,
            "offset": offset,
            "reason": reason,
        }),
        Loss::Commit { version, time, acknowledged, operations } => {
            let operations = operations.iter().map(|operation| {
                json!({
                    "op": operation.op,
                    "collection": operation.collection,
                    "target": operation.target,
                })
            });
            json!({
                "kind": "commit",
                "version": version.get(),
                "time": time,
                "acknowledged": acknowledged,
                "operations": operations.collect::<Vec<_>>(),
            })
        }
        Loss::Documents { collection, count } => {
            json!({ "kind": "documents", "collection": collection.as_str(), "count": count })
        }
        Loss::Lines { collection, gap: Gap { damage, bytes, after, before } } => json!({
            "kind": "lines",
            "collection": collection.as_str(),
            "file": damage.file,
            "offset": damage.offset,
            "bytes": bytes,
            "after": after.as_ref().map(|id| id.as_str()),
            "before": before.as_ref().map(|id| id.as_str()),
            "reason": damage.reason,
        }),
        Loss::Index { collection, index, reason } => json!({
            "kind": "index",
            "collection": collection.as_str(),
            "index": index.as_str(),
            "reason": reason,
        }),
    }
}

fn unproved_json(unproved: &Unproved) -> Value {
    match unproved {
        Unproved::Manifest { damage, collections, unknown } => json!({
            "kind": "manifest",
            "reason": damage.reason,
            "collections": collections,
            "unknown": unknown.map(|(first, last)| [first.get(), last.get()]),
        }),
        Unproved::Catalog { collection, commits } => {
            let commits = commits.iter().map(|(first, last)| [first.get(), last.get()]);
            json!({
                "kind": "catalog",
                "collection": collection.as_str(),
                "commits": commits.collect::<Vec<_>>(),
            })
        }
        Unproved::Documents { collection, ids } => json!({
            "kind": "documents",
            "collection": collection.as_str(),
            "ids": ids.iter().map(|id| id.as_str()).collect::<Vec<_>>(),
        }),
    }
}
