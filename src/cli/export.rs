//! `export`: a collection's documents to standard output, sorted by id.
//!
//! It is of one version, from a directory and from a server alike. What a server sends is written as
//! it comes; if it breaks off, that is told, and what was written is not the whole.

use clap::Args;

use super::{Failure, TargetArgs, output::Output, remote::Client};
use crate::names::CollectionName;

/// Write a collection's documents to standard output.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The collection to export
    #[arg(long, short, value_name = "NAME")]
    pub collection: CollectionName,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,

    /// Write each document's _version too; an import leaves it out
    #[arg(long)]
    pub versions: bool,

    /// Write one JSON array instead of a document a line
    #[arg(long)]
    pub array: bool,
}

/// Documents on their way out, one a line or as an array.
struct Writer {
    output: Output,
    array: bool,
    begun: bool,
}

/// Exports.
pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    match args.target.client()? {
        Some(client) => from_server(args, &client),
        None => from_directory(args),
    }
}

fn from_directory(args: &ExportArgs) -> Result<(), Failure> {
    let snapshot = args.target.snapshot()?;
    let collection = snapshot.existing(&args.collection)?;
    let mut writer = Writer::new(args.array);
    let mut text = String::new();
    for (_, document) in collection.documents() {
        text.clear();
        match args.versions {
            true => document.write_with_version(&mut text),
            false => text.push_str(document.json()),
        }
        writer.document(&text)?;
    }
    writer.finish()
}

fn from_server(args: &ExportArgs, client: &Client) -> Result<(), Failure> {
    // Looked for before anything is written: a collection that is not there is told alone.
    client.check_present(&args.collection)?;
    let mut writer = Writer::new(args.array);
    client.export(&args.collection, args.versions, |text| writer.document(text))?;
    writer.finish()
}

impl Writer {
    fn new(array: bool) -> Writer {
        Writer { output: Output::new(), array, begun: false }
    }

    fn document(&mut self, text: &str) -> Result<(), Failure> {
        match (self.array, self.begun) {
            (true, false) => self.output.text("[\n")?,
            (true, true) => self.output.text(",\n")?,
            (false, _) => {}
        }
        self.begun = true;
        self.output.text(text)?;
        if self.array { Ok(()) } else { self.output.text("\n") }
    }

    fn finish(mut self) -> Result<(), Failure> {
        match (self.array, self.begun) {
            (true, true) => self.output.text("\n]\n")?,
            (true, false) => self.output.text("[]\n")?,
            (false, _) => {}
        }
        self.output.finish()
    }
}
