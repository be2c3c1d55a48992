//! `export`: a collection's documents to standard output, sorted by id.
//!
//! From a directory it is one version. From a server it is read page by page, in the order of ids
//! and each page behind the last one's, so that no document is skipped or repeated; but the pages
//! are not of one version: what is written meanwhile may or may not be in it.

use clap::Args;

use super::{Failure, TargetArgs, output::Output, remote::Client};
use crate::{
    document::{Document, Draft, Json},
    error::Error,
    limits::PAGE_MAX,
    names::CollectionName,
};

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
    let mut page = client.query(&args.collection, page_after(None))?.lines;
    let mut writer = Writer::new(args.array);
    loop {
        let mut last = None;
        for text in &page {
            let document = received(text)?;
            writer.document(if args.versions { text } else { document.json() })?;
            last = Some(document.id().into_owned());
        }
        // A page may be shorter than asked for, so only an empty one is the end.
        let Some(last) = last else { return writer.finish() };
        page = client.query(&args.collection, page_after(Some(&last)))?.lines;
    }
}

/// The body that asks for the page behind an id.
fn page_after(last: Option<&str>) -> String {
    match last {
        None => format!(r#"{{"filter":{{}},"limit":{PAGE_MAX}}}"#),
        Some(id) => {
            let id = Json::from(id);
            format!(r#"{{"filter":{{"_id":{{"$gt":{id}}}}},"limit":{PAGE_MAX}}}"#)
        }
    }
}

/// A document as a server sends it, without its version.
fn received(text: &str) -> Result<Document, Error> {
    let draft = Draft::parse(text.as_bytes())?.without_expected();
    let id = draft.id().cloned().ok_or_else(|| Error::InvalidDocument {
        pointer: "/_id".to_owned(),
        reason: "the server sent a document without it".to_owned(),
    })?;
    draft.into_document(&id)
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
