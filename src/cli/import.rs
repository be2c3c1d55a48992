//! `import`: documents from a file into a collection.
//!
//! The input is read as a stream and committed in batches; with `--atomic` it is one commit, which
//! is read as a whole and within its limits before the database is opened.
//!
//! Invariant: a batch is in as a whole or not at all, and when an import stops, everything before
//! the failed batch is in. So the first document of that batch is the place to go on at, and
//! going on there gives exactly the documents that one run would have given. Ids are made before
//! a batch is sent, so that after a lost answer the first one tells whether the batch is in.
//! Ctrl-C stops an import in the same good order.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Failure, ImportStopped, Resume, TargetArgs,
    interrupt::Interrupt,
    output::{Output, Progress},
    remote::Client,
    source::{Item, Place, Source},
};
use crate::{
    database::Database,
    document::{Draft, Kind, Path},
    error::Error,
    limits::{BATCH_OPERATIONS_MAX, TRANSACTION_BYTES_MAX},
    names::{CollectionName, DocumentId},
    transaction::Transaction,
};

/// Bytes of input after which a batch is committed, however few documents it holds: with one
/// more document of the largest size it still fits a request's body.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Documents of an import that is one commit: one of its operations may be making the collection.
const ATOMIC_DOCUMENTS_MAX: usize = BATCH_OPERATIONS_MAX - 1;

/// Read documents from a file into a collection.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// JSON lines, or a JSON array, either also as gzip or zstd; `-` is standard input
    pub file: PathBuf,

    /// The collection to import into; it is made if it is not there
    #[arg(long, short, value_name = "NAME")]
    pub collection: CollectionName,

    /// Where to import.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Take the id of documents without an _id from this path; what it reaches must be a string
    /// or a number
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub id_path: Option<Path>,

    /// Import everything as one commit, or nothing
    #[arg(long)]
    pub atomic: bool,

    /// Begin at this line (in an array: at this element), as an import that stopped says
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub from_line: u64,

    /// Documents of one commit
    #[arg(long, value_name = "N", default_value_t = 1_000,
          value_parser = clap::value_parser!(u64).range(1..=ATOMIC_DOCUMENTS_MAX as u64))]
    pub batch: u64,
}

/// A document on its way in.
struct Row {
    place: Place,
    id: DocumentId,
    draft: Draft,
}

/// Documents that are committed together.
#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

/// Why a batch is not in, and where that shows.
struct Stop {
    place: String,
    cause: Failure,
}

/// Where documents go.
enum Sink {
    Directory(Box<Database>),
    Server(Client),
}

struct Import<'a> {
    args: &'a ImportArgs,
    source: Source,
    progress: Progress,
    interrupt: Interrupt,
}

/// Imports, and says how much in how long.
pub(super) fn run(args: &ImportArgs, json: bool) -> Result<(), Failure> {
    let source = Source::open(&args.file)?;
    let progress = Progress::new(source.total(), json);
    let mut import = Import { args, source, progress, interrupt: Interrupt::listen() };
    let imported = if args.atomic { import.as_one() } else { import.in_batches() };
    import.progress.finish();
    imported?;
    import.report(json)
}

impl Import<'_> {
    fn in_batches(&mut self) -> Result<(), Failure> {
        let sink = Sink::open(self.args)?;
        loop {
            let mut batch = Batch::default();
            let most = self.args.batch;
            let full =
                |batch: &Batch| batch.rows.len() as u64 >= most || batch.bytes >= BATCH_BYTES;
            let filled = self.fill(&mut batch, full);
            let first = batch.first();
            if let Err(stop) = filled {
                return Err(self.stopped(stop, first));
            }
            let Some(first) = first else { return sink.close() };
            let next = batch.rows.last().map_or(0, |row| row.place.number() + 1);
            let count = batch.rows.len() as u64;
            if let Err(stop) = sink.write(&self.args.collection, batch) {
                return Err(self.failed(stop, first, next));
            }
            self.progress.add(count, self.source.read());
        }
    }

    fn as_one(&mut self) -> Result<(), Failure> {
        let mut batch = Batch::default();
        let full = |batch: &Batch| {
            batch.rows.len() > ATOMIC_DOCUMENTS_MAX || batch.bytes > TRANSACTION_BYTES_MAX
        };
        let nothing = |stop: Stop| stop.into_failure(0, Resume::Anew);
        self.fill(&mut batch, full).map_err(nothing)?;
        if full(&batch) {
            let limit =
                format!("{ATOMIC_DOCUMENTS_MAX} documents and {TRANSACTION_BYTES_MAX} bytes");
            return Err(Failure::TooLargeForOne { limit });
        }
        let count = batch.rows.len() as u64;
        let sink = Sink::open(self.args)?;
        if count > 0 {
            sink.write(&self.args.collection, batch).map_err(nothing)?;
            self.progress.add(count, self.source.read());
        }
        sink.close()
    }

    /// Reads documents until a batch is full or the input ends.
    fn fill(&mut self, batch: &mut Batch, full: impl Fn(&Batch) -> bool) -> Result<(), Stop> {
        while !full(batch) {
            let item = self.source.next();
            let stop = |cause| Stop { place: self.source.place().to_string(), cause };
            let Some(item) = item.map_err(stop)? else { break };
            if self.interrupt.is_asked() {
                return Err(stop(Failure::Interrupted));
            }
            if item.place.number() < self.args.from_line {
                continue;
            }
            batch.bytes += item.text.len();
            let row = row(item, self.args.id_path.as_ref());
            batch.rows.push(row.map_err(|error| stop(error.into()))?);
        }
        Ok(())
    }

    /// The input broke off inside of a batch, whose first document is given if it has one.
    fn stopped(&self, stop: Stop, first: Option<(u64, DocumentId)>) -> Failure {
        match first {
            Some((line, _)) => stop.into_failure(self.progress.documents(), self.resume(line)),
            // The document itself is the batch's first; its place says where to go on.
            None => {
                let line = self.source.place().number();
                stop.into_failure(self.progress.documents(), self.resume(line))
            }
        }
    }

    /// A batch was refused, or nobody knows.
    fn failed(&self, stop: Stop, (line, id): (u64, DocumentId), next: u64) -> Failure {
        let resume = if stop.cause.code() == "outcome-unknown" {
            Resume::LookFor { id, absent: line, present: next }
        } else {
            self.resume(line)
        };
        stop.into_failure(self.progress.documents(), resume)
    }

    fn resume(&self, line: u64) -> Resume {
        let nothing = self.progress.documents() == 0 && self.args.from_line <= 1;
        if nothing { Resume::Anew } else { Resume::At(line) }
    }

    fn report(&self, json: bool) -> Result<(), Failure> {
        let (documents, seconds) = (self.progress.documents(), self.progress.elapsed());
        let (seconds, rate) = (seconds.as_secs_f64(), self.progress.rate());
        let name = &self.args.collection;
        let mut output = Output::new();
        output.line(&match json {
            true => json!({
                "collection": name.as_str(), "imported": documents, "seconds": seconds, "rate": rate,
            })
            .to_string(),
            false => {
                format!("imported {documents} documents into {name} in {seconds:.2} s ({rate:.0}/s)")
            }
        })?;
        output.finish()
    }
}

impl Batch {
    fn first(&self) -> Option<(u64, DocumentId)> {
        self.rows.first().map(|row| (row.place.number(), row.id.clone()))
    }

    /// Where it is in the input, when no single document is to blame.
    fn place(&self) -> String {
        match (self.rows.first(), self.rows.last()) {
            (Some(first), Some(last)) if first.place != last.place => {
                format!("{} to {}", first.place, last.place)
            }
            (Some(only), _) => only.place.to_string(),
            (None, _) => "the input".to_owned(),
        }
    }
}

impl Stop {
    fn into_failure(self, imported: u64, resume: Resume) -> Failure {
        let Stop { place, cause } = self;
        Failure::Import(Box::new(ImportStopped { place, cause, imported, resume }))
    }
}

impl Sink {
    fn open(args: &ImportArgs) -> Result<Sink, Failure> {
        Ok(match args.target.client()? {
            Some(client) => Sink::Server(client),
            None => Sink::Directory(Box::new(Database::open(&args.target.data.data)?)),
        })
    }

    fn write(&self, collection: &CollectionName, batch: Batch) -> Result<(), Stop> {
        match self {
            Sink::Directory(database) => commit(database, collection, batch),
            Sink::Server(client) => send(client, collection, batch),
        }
    }

    fn close(self) -> Result<(), Failure> {
        match self {
            Sink::Directory(database) => Ok(database.close()?),
            Sink::Server(_) => Ok(()),
        }
    }
}

fn row(item: Item, id_path: Option<&Path>) -> Result<Row, Error> {
    let draft = Draft::parse(&item.text)?.without_expected();
    let id = match (draft.id(), id_path) {
        (Some(id), _) => id.clone(),
        (None, Some(path)) => derived_id(&draft, path)?,
        (None, None) => DocumentId::generate(),
    };
    Ok(Row { place: item.place, id, draft })
}

/// The id that stands at a path: a string, or a number as it is written.
fn derived_id(draft: &Draft, path: &Path) -> Result<DocumentId, Error> {
    let document = draft.clone().into_document(&DocumentId::generate())?;
    let mut steps = path.as_str().split('.');
    let found = steps.try_fold(document.raw(), |value, step| value.member(step));
    match found.map(|value| (value.kind(), value)) {
        Some((Kind::String, value)) => Ok(DocumentId::new(&value.as_str().unwrap_or_default())?),
        Some((Kind::Number, value)) => Ok(DocumentId::new(value.text())?),
        _ => Err(Error::InvalidDocument {
            pointer: format!("/{}", path.as_str().replace('.', "/")),
            reason: "there is no string or number to take the id from".to_owned(),
        }),
    }
}

/// Commits a batch into a directory that nobody else has open, so nothing can overtake it.
fn commit(database: &Database, collection: &CollectionName, batch: Batch) -> Result<(), Stop> {
    let whole = batch.place();
    let transaction = database.begin();
    for Row { place, id, draft } in batch.rows {
        insert(&transaction, collection, id, draft)
            .map_err(|error| Stop { place: place.to_string(), cause: error.into() })?;
    }
    let committed = database.commit(transaction);
    committed.map(drop).map_err(|error| Stop { place: whole, cause: error.into() })
}

fn insert(
    transaction: &Transaction,
    collection: &CollectionName,
    id: DocumentId,
    draft: Draft,
) -> Result<(), Error> {
    match transaction.get(collection, &id)? {
        Some(_) => Err(Error::AlreadyExists { collection: collection.clone(), id }),
        None => transaction.put(collection, &id, draft),
    }
}

/// Sends a batch to a server, which takes it as a whole or not at all.
fn send(client: &Client, collection: &CollectionName, batch: Batch) -> Result<(), Stop> {
    let whole = batch.place();
    let mut body = String::with_capacity(batch.bytes + batch.rows.len() * 64);
    for Row { place, id, draft } in batch.rows {
        let document = draft.into_document(&id);
        let document =
            document.map_err(|error| Stop { place: place.to_string(), cause: error.into() })?;
        body.push_str(document.json());
        body.push('\n');
    }
    let sent = client.insert_many(collection, body);
    sent.map(drop).map_err(|cause| Stop { place: whole, cause })
}

fn parse_path(text: &str) -> Result<Path, String> {
    Path::parse(text).map_err(|invalid| invalid.to_string())
}
