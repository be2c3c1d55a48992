//! `index`: the indexes of a collection, made, listed and dropped.
//!
//! A definition is put together in its JSON form, which a directory and a server read alike; what
//! is wrong with it is told with its place there. What they say of an index is the same JSON too.
//!
//! Invariant: an index is there as a whole or not at all, however the command ends.

use std::time::Instant;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use super::{
    Failure, TargetArgs,
    output::{Output, Progress},
    remote::understood,
};
use crate::{
    commit::IndexProgress,
    database::Database,
    document::Json,
    names::{CollectionName, IndexName},
    server::{self, MadeIndex},
    snapshot::IndexDefinition,
};

/// What to do with indexes.
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Make an index, and the collection where that is not there
    Create(CreateIndexArgs),
    /// Print the indexes of a collection, one a line
    List(ListIndexesArgs),
    /// Drop an index
    Drop(DropIndexArgs),
}

/// Make an index, and the collection where that is not there. One that is there with the same
/// definition is left as it is.
#[derive(Debug, Args)]
pub struct CreateIndexArgs {
    /// The index.
    #[command(flatten)]
    pub index: NewIndexArgs,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// An index to make.
#[derive(Debug, Args)]
pub struct NewIndexArgs {
    /// The collection
    pub collection: CollectionName,

    /// What the index is to be called
    #[arg(value_parser = IndexName::new)]
    pub name: IndexName,

    /// What it is ordered by, `-` before a path that descends, e.g. country,-name
    #[arg(allow_hyphen_values = true, value_parser = parse_paths)]
    pub paths: String,

    /// No two documents may have the same values at the paths
    #[arg(long)]
    pub unique: bool,

    /// Only documents that match, e.g. '{"country":{"$exists":true}}'
    #[arg(long, value_name = "JSON")]
    pub filter: Option<String>,

    /// Documents go so long after the time at the path
    #[arg(long, value_name = "N")]
    pub ttl_seconds: Option<u64>,
}

/// Print the indexes of a collection, one a line.
#[derive(Debug, Args)]
pub struct ListIndexesArgs {
    /// The collection
    pub collection: CollectionName,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Drop an index.
#[derive(Debug, Args)]
pub struct DropIndexArgs {
    /// The collection
    pub collection: CollectionName,

    /// The index
    #[arg(value_parser = IndexName::new)]
    pub name: IndexName,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// All of them.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    indexes: Vec<Described<'a>>,
}

/// One, as far as people are told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Described<'a> {
    name: String,
    paths: Vec<String>,
    unique: bool,
    #[serde(borrow)]
    filter: Option<&'a RawValue>,
    ttl_seconds: Option<u64>,
    multikey: bool,
    entries: u64,
    bytes: u64,
    queries: u64,
}

/// Does what was asked for, and says so.
pub(super) fn run(command: &IndexCommand, json: bool) -> Result<(), Failure> {
    let text = match command {
        IndexCommand::Create(args) => create(args, json)?,
        IndexCommand::List(args) => list(args, json)?,
        IndexCommand::Drop(args) => remove(args, json)?,
    };
    let mut output = Output::new();
    output.line(&text)?;
    output.finish()
}

fn create(args: &CreateIndexArgs, json: bool) -> Result<String, Failure> {
    let begun = Instant::now();
    let NewIndexArgs { collection, name, .. } = &args.index;
    let definition = args.index.definition()?;
    let made = match args.target.client()? {
        Some(client) => client.create_index(collection, name, definition)?,
        None => {
            // What is not understood is told before anything is opened.
            IndexDefinition::parse(&definition)?;
            let database = Database::open(&args.target.data.data)?;
            let made = args.index.make(&database, json)?;
            database.close()?;
            made
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    if json {
        let index: &RawValue = understood(&made.text)?;
        let made = made.is_new;
        return Ok(format!(
            r#"{{"collection":"{collection}","made":{made},"index":{index},"seconds":{seconds}}}"#
        ));
    }
    let Described { entries, .. } = understood(&made.text)?;
    Ok(match made.is_new {
        true => format!("made index {name} of {collection}: {entries} entries in {seconds:.2} s"),
        false => format!("index {name} of {collection} is there already: {entries} entries"),
    })
}

fn list(args: &ListIndexesArgs, json: bool) -> Result<String, Failure> {
    let text = match args.target.client()? {
        Some(client) => client.indexes(&args.collection)?,
        None => server::list_indexes(&*args.target.snapshot()?, &args.collection)?,
    };
    if json {
        return Ok(text);
    }
    let List { indexes } = understood(&text)?;
    let lines: Vec<String> = indexes.iter().map(Described::line).collect();
    match lines.is_empty() {
        true => Ok(format!("collection {} has no index", args.collection)),
        false => Ok(lines.join("\n")),
    }
}

fn remove(args: &DropIndexArgs, json: bool) -> Result<String, Failure> {
    let (collection, name) = (&args.collection, &args.name);
    match args.target.client()? {
        Some(client) => client.drop_index(collection, name)?,
        None => {
            // Looked for first: opening for writing would make a directory that is not there.
            args.target.snapshot()?.existing(collection)?;
            let database = Database::open(&args.target.data.data)?;
            database.drop_index(collection.as_str(), name.as_str())?;
            database.close()?;
        }
    }
    Ok(match json {
        true => json!({ "collection": collection.as_str(), "dropped": name.as_str() }).to_string(),
        false => format!("dropped index {name} of {collection}"),
    })
}

impl NewIndexArgs {
    /// Makes it in a database, and shows a person how far it is.
    pub(super) fn make(&self, database: &Database, quiet: bool) -> Result<MadeIndex, Failure> {
        let definition = IndexDefinition::parse(&self.definition()?)?;
        let mut progress = Progress::through_documents(quiet);
        let mut reached = |built: IndexProgress| {
            progress.reach(built.done as u64, built.total as u64);
        };
        let made =
            server::make_index(database, &self.collection, &self.name, definition, &mut reached);
        progress.finish();
        Ok(made?)
    }

    /// The JSON form. That the filter is JSON is seen here, the rest by who reads it.
    pub(super) fn definition(&self) -> Result<String, Failure> {
        let paths: Vec<&str> = self.paths.split(',').collect();
        let mut text = format!(r#"{{"paths":{}"#, Json::from(paths));
        if self.unique {
            text.push_str(r#","unique":true"#);
        }
        if let Some(filter) = &self.filter {
            let filter: &RawValue = serde_json::from_str(filter).map_err(|error| {
                Failure::Usage { argument: "--filter", reason: error.to_string() }
            })?;
            text.push_str(&format!(r#","filter":{filter}"#));
        }
        if let Some(seconds) = self.ttl_seconds {
            text.push_str(&format!(r#","ttl_seconds":{seconds}"#));
        }
        text.push('}');
        Ok(text)
    }
}

impl Described<'_> {
    fn line(&self) -> String {
        let mut line = format!("{} on {}", self.name, self.paths.join(","));
        if self.unique {
            line.push_str(", unique");
        }
        if let Some(filter) = self.filter {
            line.push_str(&format!(", where {filter}"));
        }
        if let Some(seconds) = self.ttl_seconds {
            line.push_str(&format!(", documents go after {seconds} s"));
        }
        if self.multikey {
            line.push_str(", over arrays");
        }
        line.push_str(&format!(": {} entries, {} bytes", self.entries, self.bytes));
        // A directory does not know; a server counts from its start.
        if self.queries > 0 {
            line.push_str(&format!(", {} queries", self.queries));
        }
        line
    }
}

/// Where hyphens may begin a value, a mistyped option would be one.
fn parse_paths(text: &str) -> Result<String, String> {
    match text.starts_with("--") {
        true => Err("there is no such option, and no path begins with two hyphens".to_owned()),
        false => Ok(text.to_owned()),
    }
}
