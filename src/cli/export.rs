//! `export`: a collection's documents, sorted by id, to standard output or into a file.
//!
//! They are of one version, from a directory and from a server alike. What a server sends is written
//! as it comes; if it breaks off, that is told, and what was written to standard output is not the
//! whole. A file appears under its name when it is whole.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    Failure, TargetArgs,
    export_file::ExportFile,
    interrupt::Interrupt,
    output::{Output, Progress},
    remote::Client,
};
use crate::names::CollectionName;

/// Write a collection's documents to standard output, or into a file.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The collection to export
    #[arg(long, short, value_name = "NAME")]
    pub collection: CollectionName,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,

    /// The file to write, compressed if its name ends in .gz or .zst; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub output: PathBuf,

    /// Write each document's _version too; an import leaves it out
    #[arg(long)]
    pub versions: bool,

    /// Write one JSON array instead of a document a line
    #[arg(long)]
    pub array: bool,
}

/// Documents on their way out, one a line or as an array.
struct Writer {
    sink: Sink,
    array: bool,
    begun: bool,
    progress: Progress,
    total: u64,
}

/// Where they go.
enum Sink {
    Standard(Output),
    File(Box<ExportFile>, Interrupt),
}

/// Exports.
pub(super) fn run(args: &ExportArgs, json: bool) -> Result<(), Failure> {
    match args.target.client()? {
        Some(client) => from_server(args, &client, json),
        None => from_directory(args, json),
    }
}

fn from_directory(args: &ExportArgs, json: bool) -> Result<(), Failure> {
    let snapshot = args.target.snapshot()?;
    let collection = snapshot.existing(&args.collection)?;
    let mut writer = Writer::new(args, collection.count() as u64, json)?;
    let mut text = String::new();
    for (_, document) in collection.documents() {
        text.clear();
        match args.versions {
            true => document.write_with_version(&mut text),
            false => text.push_str(document.json()),
        }
        writer.document(&text)?;
    }
    writer.finish(args, json)
}

fn from_server(args: &ExportArgs, client: &Client, json: bool) -> Result<(), Failure> {
    // Looked for before anything is written: a collection that is not there is told alone.
    let total = client.count(&args.collection)?;
    let mut writer = Writer::new(args, total, json)?;
    client.export(&args.collection, args.versions, |text| writer.document(text))?;
    writer.finish(args, json)
}

impl Writer {
    fn new(args: &ExportArgs, total: u64, json: bool) -> Result<Writer, Failure> {
        let to_file = args.output != Path::new("-");
        let sink = match to_file {
            true => Sink::File(Box::new(ExportFile::create(&args.output)?), Interrupt::listen()),
            false => Sink::Standard(Output::new()),
        };
        // Between documents on a screen a bar would only be in the way.
        let progress = Progress::through_documents(json || (!to_file && Output::is_terminal()));
        Ok(Writer { sink, array: args.array, begun: false, progress, total })
    }

    fn document(&mut self, text: &str) -> Result<(), Failure> {
        match (self.array, self.begun) {
            (true, false) => self.write("[\n")?,
            (true, true) => self.write(",\n")?,
            (false, _) => {}
        }
        self.begun = true;
        self.write(text)?;
        self.progress.pass(self.total);
        if self.array { Ok(()) } else { self.write("\n") }
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        match &mut self.sink {
            Sink::Standard(output) => output.text(text),
            Sink::File(_, interrupt) if interrupt.is_asked() => Err(Failure::Interrupted),
            Sink::File(file, _) => file.write(text.as_bytes()),
        }
    }

    fn finish(mut self, args: &ExportArgs, json: bool) -> Result<(), Failure> {
        match (self.array, self.begun) {
            (true, true) => self.write("\n]\n")?,
            (true, false) => self.write("[]\n")?,
            (false, _) => {}
        }
        self.progress.finish();
        let Writer { sink, progress, .. } = self;
        match sink {
            Sink::Standard(mut output) => output.finish(),
            Sink::File(file, _) => {
                file.finish()?;
                report(args, &progress, json)
            }
        }
    }
}

/// Says what is in the file now.
fn report(args: &ExportArgs, progress: &Progress, json: bool) -> Result<(), Failure> {
    let (documents, rate) = (progress.documents(), progress.rate());
    let seconds = progress.elapsed().as_secs_f64();
    let (name, file) = (args.collection.as_str(), args.output.display());
    let mut output = Output::new();
    output.line(&match json {
        true => json!({
            "collection": name, "exported": documents, "file": file.to_string(),
            "seconds": seconds, "rate": rate,
        })
        .to_string(),
        false => format!(
            "exported {documents} documents from {name} into {file} in {seconds:.2} s ({rate:.0}/s)"
        ),
    })?;
    output.finish()
}
