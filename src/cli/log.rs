//! `log show` and `log stats`: what the write-ahead log holds.
//!
//! The files are read without the directory's lock, so both work while a server has it open. What
//! it writes meanwhile may be seen in part or not at all, and a segment may go away under the
//! reader; so what looks like damage is looked at again before it is believed.

use std::{collections::BTreeMap, thread, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{DataArgs, Failure, output::Output};
use crate::{
    checkpoint,
    error::Error,
    names::CollectionName,
    snapshot::Operation,
    storage::{Access, FileStorage, Storage},
    version::Version,
    wal::{self, Cut, Log, Proof, Record},
};

/// How often a log that looks damaged is read. A writer's half line is whole a moment later.
const TRIES: usize = 3;

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Look at the write-ahead log.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Print the records, one a line: number, time, transaction, operations
    Show(ShowArgs),
    /// Count what is in it
    Stats(StatsArgs),
}

/// Print the records of the log. With `--json` they are printed as they stand in it.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,

    /// From this sequence number on
    #[arg(long, value_name = "SEQ", default_value_t = 1)]
    pub from: u64,

    /// Up to and with this sequence number
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX, hide_default_value = true)]
    pub to: u64,

    /// Only records that change this collection
    #[arg(long, short, value_name = "NAME")]
    pub collection: Option<CollectionName>,
}

/// Count what is in the log.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,
}

#[derive(Default)]
struct Stats {
    records: u64,
    bytes: u64,
    first: Option<(u64, String)>,
    last: Option<(u64, String)>,
    operations: BTreeMap<String, u64>,
    collections: BTreeMap<String, u64>,
}

/// Looks at the log.
pub(super) fn run(command: &LogCommand, json: bool) -> Result<(), Failure> {
    match command {
        LogCommand::Show(args) => show(args, json),
        LogCommand::Stats(args) => stats(args, json),
    }
}

/// What stands behind the last record, for a person.
pub(super) fn cut_text(cut: &Cut) -> String {
    let Cut { file, offset, bytes, reason } = cut;
    format!("{bytes} bytes of {file} from byte {offset} on are no record: {reason}")
}

/// What stands behind the last record, for a program.
pub(super) fn cut_json(cut: &Cut) -> Value {
    let Cut { file, offset, bytes, reason } = cut;
    json!({ "file": file, "offset": offset, "bytes": bytes, "reason": reason })
}

fn show(args: &ShowArgs, json: bool) -> Result<(), Failure> {
    let (_, log) = read(&args.data)?;
    let mut output = Output::new();
    let before = Version::new(args.from.saturating_sub(1));
    for (place, line) in log.lines_after(before) {
        let (record, operations) = parse(&place, line)?;
        if record.seq.get() > args.to {
            break;
        }
        let of_interest = |operation: &&Operation<'_>| {
            args.collection.as_ref().is_none_or(|name| name.as_str() == operation.collection)
        };
        let operations: Vec<_> = operations.iter().filter(of_interest).collect();
        if operations.is_empty() && args.collection.is_some() {
            continue;
        }
        if json {
            output.bytes(line)?;
            output.text("\n")?;
        } else {
            let Record { seq, time, tx, .. } = record;
            output.line(&format!("{seq}  {time}  {tx}  {}", summary(&operations)))?;
        }
    }
    output.finish()?;
    if let Some(cut) = &log.cut {
        eprintln!(
            "{}: a commit under way, or a torn tail that the next opening cuts",
            cut_text(cut)
        );
    }
    Ok(())
}

fn stats(args: &StatsArgs, json: bool) -> Result<(), Failure> {
    let (segments, log) = read(&args.data)?;
    let mut stats = Stats::default();
    for (place, line) in log.lines_after(Version::ZERO) {
        let (record, operations) = parse(&place, line)?;
        stats.add(&record, &operations, line.len() as u64 + 1);
    }
    let mut output = Output::new();
    output.line(&match json {
        true => stats.to_json(segments, &log).to_string(),
        false => stats.to_text(segments, &log),
    })?;
    output.finish()
}

/// Reads the whole log: how many segments it has, and their records.
fn read(data: &DataArgs) -> Result<(usize, Log), Error> {
    let storage = FileStorage::open(&data.data, Access::Watch)?;
    for _ in 1..TRIES {
        match read_once(&storage) {
            Err(Error::Damaged(_) | Error::Io { .. }) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    read_once(&storage)
}

fn read_once(storage: &FileStorage) -> Result<(usize, Log), Error> {
    let Some(manifest) = checkpoint::load_manifest(storage)? else {
        // Where there is a log, the database is not new but has lost its manifest.
        return Err(match wal::list_segments(storage).unwrap_or_default().first() {
            Some((_, file)) => {
                let reason = format!("the file is missing, but {file} is there");
                Error::damaged(checkpoint::MANIFEST, 0, None, reason)
            }
            None => {
                let missing = std::io::ErrorKind::NotFound.into();
                Error::io("find a database in", storage.path(""), missing)
            }
        });
    };
    let segments = wal::list_segments(storage)
        .map_err(|error| Error::io("list", storage.path(wal::FOLDER), error))?;
    // Everything that is still there is of interest, not only what follows the checkpoint.
    let checkpoint = match segments.first() {
        Some((first, _)) => Version::new(first.get().saturating_sub(1)).min(manifest.version),
        None => manifest.version,
    };
    let synced = manifest.synced.max(manifest.version);
    Ok((segments.len(), Log::read(storage, Proof { checkpoint, synced })?))
}

fn parse<'a>(
    place: &wal::Place<'_>,
    line: &'a [u8],
) -> Result<(Record<'a>, Vec<Operation<'a>>), Error> {
    let damaged = |reason| Error::damaged(place.file, place.offset, None, reason);
    let record = Record::parse(line).map_err(damaged)?;
    let operations = serde_json::from_str(record.ops);
    Ok((record, operations.map_err(|error| damaged(error.to_string()))?))
}

/// Operations in few words: alike ones are counted, a single one names its document.
fn summary(operations: &[&Operation<'_>]) -> String {
    let mut groups: Vec<(&str, &str, Option<&str>, u64)> = Vec::new();
    for operation in operations {
        let (op, collection, id) =
            (&*operation.op, &*operation.collection, operation.id.as_deref());
        match groups.last_mut() {
            Some(last) if (last.0, last.1) == (op, collection) => last.3 += 1,
            _ => groups.push((op, collection, id, 1)),
        }
    }
    let texts = groups.into_iter().map(|(op, collection, id, count)| match (count, id) {
        (1, Some(id)) => format!("{op} {collection}/{id}"),
        (1, None) => format!("{op} {collection}"),
        (count, _) => format!("{op} {collection} ×{count}"),
    });
    texts.collect::<Vec<_>>().join(", ")
}

impl Stats {
    fn add(&mut self, record: &Record<'_>, operations: &[Operation<'_>], bytes: u64) {
        let at = (record.seq.get(), record.time.to_owned());
        self.first.get_or_insert_with(|| at.clone());
        self.last = Some(at);
        self.records += 1;
        self.bytes += bytes;
        for operation in operations {
            *self.operations.entry(operation.op.to_string()).or_default() += 1;
            *self.collections.entry(operation.collection.to_string()).or_default() += 1;
        }
    }

    fn to_json(&self, segments: usize, log: &Log) -> Value {
        let at = |at: &Option<(u64, String)>| {
            at.as_ref().map(|(seq, time)| json!({ "seq": seq, "time": time }))
        };
        json!({
            "segments": segments,
            "records": self.records,
            "bytes": self.bytes,
            "first": at(&self.first),
            "last": at(&self.last),
            "acknowledged": log.acknowledged.get(),
            "operations": self.operations,
            "collections": self.collections,
            "torn_tail": log.cut.as_ref().map(cut_json),
        })
    }

    fn to_text(&self, segments: usize, log: &Log) -> String {
        let Stats { records, bytes, first, last, operations, collections } = self;
        let mut lines = vec![format!("{records} records, {bytes} bytes in {segments} segments")];
        for (word, at) in [("first", first), ("last", last)] {
            lines.extend(at.as_ref().map(|(seq, time)| format!("{word}: {seq} at {time}")));
        }
        lines.push(format!("provably acknowledged: up to {}", log.acknowledged));
        lines.extend(operations.iter().map(|(op, count)| format!("{op}: {count}")));
        lines.extend(collections.iter().map(|(name, count)| format!("in {name}: {count}")));
        lines.extend(log.cut.as_ref().map(cut_text));
        lines.join("\n")
    }
}
