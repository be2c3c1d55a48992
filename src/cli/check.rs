//! `check`: every checksum and every invariant of a data directory, without changing anything (see
//! [`CheckReport`] for what it finds beyond what an opening refuses). Each problem is told with what it
//! leads to, and what to do next.

use clap::Args;
use serde_json::{Value, json};

use super::{DataArgs, Failure, output::Output};
use crate::{
    database::{CheckReport, Consequence},
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
    let data = &args.data.data;
    let report = CheckReport::of(&FileStorage::open(data, Access::Read)?)?;
    let next = (!report.damage.is_empty()).then(|| {
        let data = data.display();
        [
            "monsterdb restore BACKUP --data NEW".to_owned(),
            format!("monsterdb repair NEW --to-last-good --data {data}"),
        ]
    });
    let mut output = Output::new();
    output.line(&match json {
        true => to_json(&report, next.as_ref()).to_string(),
        false => to_text(&report, next.as_ref()),
    })?;
    output.finish()?;
    if report.damage.is_empty() { Ok(()) } else { Err(Failure::Damaged(report.damage)) }
}

fn to_json(report: &CheckReport, next: Option<&[String; 2]>) -> Value {
    let collections: Vec<Value> = report
        .collections
        .iter()
        .map(
            |(name, count, bytes)| json!({ "name": name.as_str(), "count": count, "bytes": bytes }),
        )
        .collect();
    let damage = report.damage_with_consequences().map(|(damage, consequence)| {
        let mut damage = super::damage::damage_json(damage);
        damage["consequence"] = consequence.code().into();
        damage
    });
    let damage: Vec<Value> = damage.collect();
    let torn_tail = report.cut.as_ref().map(|cut| {
        let mut tail = super::log::cut_json(cut);
        tail["consequence"] = Consequence::Cut.code().into();
        tail
    });
    let rebuilt = report
        .rebuilt
        .iter()
        .map(|index| json!({ "index": index, "consequence": Consequence::Rebuilt.code() }));
    json!({
        "ok": report.damage.is_empty(),
        "opens": report.opens,
        "version": report.version.get(),
        "checkpoint": report.checkpoint.get(),
        "collections": collections,
        "files": report.files,
        "file_bytes": report.file_bytes,
        "segments": report.segments,
        "records": report.records,
        "in_doubt": report.in_doubt,
        "rebuilt_indexes": rebuilt.collect::<Vec<_>>(),
        "torn_tail": torn_tail,
        "damage": damage,
        "next": next,
    })
}

fn to_text(report: &CheckReport, next: Option<&[String; 2]>) -> String {
    let mut lines = Vec::new();
    for (name, count, bytes) in &report.collections {
        lines.push(format!("collection {name}: {count} documents, {bytes} bytes in memory"));
    }
    let CheckReport { version, checkpoint, files, file_bytes, segments, records, .. } = report;
    lines.push(format!("checkpoint: version {checkpoint}, {files} files, {file_bytes} bytes"));
    lines
        .push(format!("log: {segments} segments, {records} records, {} in doubt", report.in_doubt));
    if let Some(cut) = &report.cut {
        lines.push(format!("torn tail: {}: {}", super::log::cut_text(cut), Consequence::Cut));
    }
    let rebuilt = report.rebuilt.iter();
    lines.extend(rebuilt.map(|index| format!("index {index}: {}", Consequence::Rebuilt)));
    let damage = report.damage_with_consequences();
    lines.extend(damage.map(|(damage, consequence)| format!("DAMAGED: {damage}: {consequence}")));
    lines.push(match report.damage.len() {
        0 => format!("good, up to version {version}"),
        1 => "1 place is damaged".to_owned(),
        count => format!("{count} places are damaged"),
    });
    if let Some([restore, repair]) = next {
        lines.push(format!("next: {restore}"));
        lines.push(format!("without a backup: {repair}"));
    }
    lines.join("\n")
}
