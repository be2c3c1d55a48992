//! `query`: the documents that a filter matches, one a line with their versions.
//!
//! From a directory the answer is one version. From a server it is asked for in pages by offset,
//! which are not of one version: under writes a document may be missed or met twice.

use clap::Args;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Failure, TargetArgs, output::Output, remote::Client, target::existing};
use crate::{
    error::Error,
    filter::Filter,
    limits::PAGE_MAX,
    names::CollectionName,
    query::{Query, Sort},
};

/// Print the documents of a collection that a filter matches, one a line.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The collection to look in
    pub collection: CollectionName,

    /// Which documents, e.g. '{"age":{"$gte":18}}'
    #[arg(default_value = "{}")]
    pub filter: String,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,

    /// In the order of these paths, `-` before one that descends, e.g. -age,name
    #[arg(long, value_name = "PATHS", allow_hyphen_values = true)]
    pub sort: Option<String>,

    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Without the first so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: usize,
}

/// Asks and prints.
pub(super) fn run(args: &QueryArgs) -> Result<(), Failure> {
    let mut output = Output::new();
    match args.target.client()? {
        Some(client) => from_server(args, &client, &mut output)?,
        None => from_directory(args, &mut output)?,
    }
    output.finish()
}

fn from_directory(args: &QueryArgs, output: &mut Output) -> Result<(), Failure> {
    let query = query(args)?;
    let snapshot = args.target.snapshot()?;
    let collection = existing(&snapshot, &args.collection)?;
    for (_, document) in query.execute(&**collection)?.documents {
        output.line(&document.to_json_with_version())?;
    }
    Ok(())
}

fn query(args: &QueryArgs) -> Result<Query, Failure> {
    let filter = Filter::parse(&args.filter).map_err(|error| usage("FILTER", &error))?;
    let mut query = Query::new(filter).offset(args.offset);
    if let Some(limit) = args.limit {
        query = query.limit(limit);
    }
    if let Some(sort) = &args.sort {
        query = query.sort(sort.parse::<Sort>().map_err(|error| usage("--sort", &error))?);
    }
    Ok(query)
}

/// The server may know filters that this program does not, so it alone judges them; that they are
/// JSON is seen here.
fn from_server(args: &QueryArgs, client: &Client, output: &mut Output) -> Result<(), Failure> {
    let filter: &RawValue = serde_json::from_str(&args.filter)
        .map_err(|error| Failure::Usage { argument: "FILTER", reason: error.to_string() })?;
    let mut offset = args.offset;
    let mut left = args.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let mut body = json!({ "limit": left.min(PAGE_MAX), "offset": offset });
        if let Some(sort) = &args.sort {
            body["sort"] = sort.as_str().into();
        }
        let rest = body.to_string();
        let body = format!(r#"{{"filter":{filter},{}"#, rest.get(1..).unwrap_or("}"));
        let documents = client.query(&args.collection, body)?;
        for text in &documents {
            output.line(text)?;
        }
        if documents.is_empty() {
            break;
        }
        offset += documents.len();
        left -= documents.len().min(left);
    }
    Ok(())
}

fn usage(argument: &'static str, error: &Error) -> Failure {
    Failure::Usage { argument, reason: error.to_string() }
}
