//! `query`: what stands in a collection: documents, one a line with their versions, or what is made
//! of them.
//!
//! The answer is of one version. A server is asked for documents in pages by cursor, which are all
//! read at the version of the first one; should the server not keep that version long enough, the
//! command fails rather than mix two. So what is explained of a server is how it finds the first
//! page.

use std::str::FromStr;

use clap::Args;
use serde_json::value::RawValue;

use super::{Failure, TargetArgs, explanation, output::Output, remote::Client};
use crate::{
    document::{Json, Path},
    error::Error,
    filter::Filter,
    limits::PAGE_MAX,
    names::CollectionName,
    query::{Aggregate, Metric, Projection, Query, Sort},
    server::Explained,
    snapshot::Snapshot,
};

/// Print the documents of a collection that a filter matches, one a line, or what is made of them.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// What is asked.
    #[command(flatten)]
    pub question: QuestionArgs,

    /// Where it is.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// What is asked of a collection.
#[derive(Debug, Args)]
pub struct QuestionArgs {
    /// The collection to look in
    pub collection: CollectionName,

    /// Which documents, e.g. '{"age":{"$gte":18}}'
    #[arg(default_value = "{}")]
    pub filter: String,

    /// In the order of these paths, `-` before one that descends, e.g. -age,name
    #[arg(long, value_name = "PATHS", allow_hyphen_values = true)]
    pub sort: Option<String>,

    /// At most so many
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Without the first so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub offset: usize,

    /// With these members only, e.g. name,address.city, or without, e.g. -secret
    #[arg(long, value_name = "PATHS", allow_hyphen_values = true)]
    pub fields: Option<String>,

    /// Print how many they are instead
    #[arg(long, conflicts_with_all = ["sort", "limit", "offset", "fields"])]
    pub count: bool,

    /// Print the distinct values at a path instead, one a line
    #[arg(long, value_name = "PATH", conflicts_with_all = ["sort", "limit", "offset", "fields", "count"])]
    pub distinct: Option<String>,

    /// Print groups instead, one a line: those of the same values at these paths
    #[arg(long, value_name = "PATHS", conflicts_with_all = ["fields", "count", "distinct"])]
    pub group: Option<String>,

    /// A metric of each group, or of all documents as one, e.g. n=count or mean=avg:age
    #[arg(long, value_name = "NAME=METRIC[:PATH]", conflicts_with_all = ["fields", "count", "distinct"])]
    pub metric: Vec<NamedMetric>,

    /// By this index, or fail; _id stands for the documents themselves
    #[arg(long, value_name = "NAME")]
    pub hint: Option<String>,

    /// Answer it and print the plan instead, what else was considered, and what it took
    #[arg(long, conflicts_with_all = ["fields", "distinct", "group", "metric"])]
    pub explain: bool,
}

/// A metric as it is written on the command line: `mean=avg:age`.
#[derive(Debug, Clone)]
pub struct NamedMetric {
    name: String,
    metric: String,
    path: Option<String>,
}

/// Takes the lines of an answer, one by one.
pub(super) type Print<'a> = dyn FnMut(&str) -> Result<(), Failure> + 'a;

/// Asks and prints.
pub(super) fn run(args: &QueryArgs, json: bool) -> Result<(), Failure> {
    let QueryArgs { question, target } = args;
    let mut output = Output::new();
    let print: &mut Print<'_> = &mut |line| output.line(line);
    match target.client()? {
        Some(client) => question.ask_server(&client, json, print)?,
        None => {
            // What is not understood is told before anything is opened.
            question.understand()?;
            question.ask(&*target.snapshot()?, json, print)?;
        }
    }
    output.finish()
}

/// A question that has been understood.
struct Understood {
    query: Query,
    fields: Projection,
    distinct: Option<Path>,
    aggregate: Option<Aggregate>,
}

/// The members of a query's body that ask for something else than documents.
fn summary(args: &QuestionArgs) -> String {
    if args.count {
        return r#","count":true"#.to_owned();
    }
    if let Some(path) = &args.distinct {
        return format!(r#","distinct":{}"#, Json::from(path.as_str()));
    }
    let group: Vec<&str> = args.group_paths().collect();
    let metrics: Vec<String> = args.metric.iter().map(NamedMetric::member).collect();
    let limit = args.limit.map(|limit| format!(r#","limit":{limit}"#)).unwrap_or_default();
    format!(
        r#","aggregate":{{"group":{},"metrics":{{{}}}}},"offset":{}{limit}"#,
        Json::from(group),
        metrics.join(","),
        args.offset
    )
}

impl QuestionArgs {
    /// All documents that a filter matches.
    pub(super) fn of(collection: CollectionName, filter: String) -> QuestionArgs {
        QuestionArgs {
            collection,
            filter,
            sort: None,
            limit: None,
            offset: 0,
            fields: None,
            count: false,
            distinct: None,
            group: None,
            metric: Vec::new(),
            hint: None,
            explain: false,
        }
    }

    /// Asks a state of a database.
    pub(super) fn ask(
        &self,
        snapshot: &Snapshot,
        json: bool,
        print: &mut Print<'_>,
    ) -> Result<(), Failure> {
        let Understood { query, fields, distinct, aggregate } = self.understand()?;
        let collection = snapshot.existing(&self.collection)?;
        let source = &**collection;
        if self.explain {
            let explain = if self.count { Query::explain_count } else { Query::explain };
            let explanation = explain(&query, source)?;
            let explained = Explained { explanation, version: snapshot.version().get() };
            return print(&explanation::shown(explained.to_json(), json)?);
        }
        if self.count {
            return print(&query.count(source)?.to_string());
        }
        let values = match (distinct, aggregate) {
            (Some(path), _) => query.distinct(&path, source)?,
            (None, Some(aggregate)) => query.aggregate(&aggregate, source)?,
            (None, None) => {
                for (_, document) in query.find(source)? {
                    print(fields.apply(&document).as_str())?;
                }
                return Ok(());
            }
        };
        values.iter().try_for_each(|value| print(value.as_str()))
    }

    /// Asks a server.
    pub(super) fn ask_server(
        &self,
        client: &Client,
        json: bool,
        print: &mut Print<'_>,
    ) -> Result<(), Failure> {
        client.count(&self.collection)?;
        if self.explain {
            let limit = self.limit.unwrap_or(PAGE_MAX).min(PAGE_MAX);
            let members = match self.count {
                true => summary(self),
                false => format!(r#","limit":{limit},"offset":{}"#, self.offset),
            };
            let body = self.body(&format!(r#"{members},"explain":true"#))?;
            return print(&explanation::shown(client.ask(&self.collection, body)?, json)?);
        }
        if self.asks_for_documents() {
            return self.documents_of_server(client, print);
        }
        let reply = client.query(&self.collection, self.body(&summary(self))?)?;
        reply.lines.iter().try_for_each(|line| print(line))
    }

    fn documents_of_server(&self, client: &Client, print: &mut Print<'_>) -> Result<(), Failure> {
        let fields =
            self.fields.as_deref().map(|fields| format!(r#","fields":{}"#, Json::from(fields)));
        let fields = fields.unwrap_or_default();
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut place = format!(r#","offset":{}"#, self.offset);
        while left > 0 {
            let limit = left.min(PAGE_MAX);
            let body = self.body(&format!(r#","limit":{limit}{place}{fields}"#))?;
            let reply = client.query(&self.collection, body)?;
            reply.lines.iter().try_for_each(|line| print(line))?;
            left -= reply.lines.len().min(left);
            let Some(cursor) = reply.cursor else { break };
            place = format!(r#","cursor":{}"#, Json::from(cursor));
        }
        Ok(())
    }

    fn understand(&self) -> Result<Understood, Failure> {
        let fields = self.fields.as_deref().map_or(Ok(Projection::all()), |fields| fields.parse());
        let distinct = self.distinct.as_deref().map(Path::parse).transpose();
        Ok(Understood {
            query: self.query()?,
            aggregate: self.aggregate()?,
            fields: fields.map_err(usage("--fields"))?,
            distinct: distinct.map_err(|reason| Failure::Usage {
                argument: "--distinct",
                reason: reason.to_string(),
            })?,
        })
    }

    /// True when the answer is documents, and not what is made of them.
    pub(super) fn asks_for_documents(&self) -> bool {
        !self.count && !self.explain && self.distinct.is_none() && !self.asks_for_groups()
    }

    fn asks_for_groups(&self) -> bool {
        self.group.is_some() || !self.metric.is_empty()
    }

    fn group_paths(&self) -> impl Iterator<Item = &str> {
        self.group.iter().flat_map(|paths| paths.split(','))
    }

    fn query(&self) -> Result<Query, Failure> {
        let filter = Filter::parse(&self.filter).map_err(usage("FILTER"))?;
        let mut query = Query::new(filter).offset(self.offset);
        if let Some(limit) = self.limit {
            query = query.limit(limit);
        }
        if let Some(sort) = &self.sort {
            query = query.sort(sort.parse::<Sort>().map_err(usage("--sort"))?);
        }
        if let Some(hint) = &self.hint {
            query = query.hint(hint);
        }
        Ok(query)
    }

    fn aggregate(&self) -> Result<Option<Aggregate>, Failure> {
        if !self.asks_for_groups() {
            return Ok(None);
        }
        let mut aggregate = Aggregate::by(self.group_paths()).map_err(usage("--group"))?;
        for NamedMetric { name, metric, path } in &self.metric {
            aggregate = Metric::parse(metric, path.as_deref())
                .and_then(|metric| aggregate.metric(name, metric))
                .map_err(usage("--metric"))?;
        }
        Ok(Some(aggregate))
    }

    /// The body of a query with these members besides filter, sort and hint. The server may know filters
    /// that this program does not, so it alone judges them; that they are JSON is seen here.
    fn body(&self, members: &str) -> Result<String, Failure> {
        let filter: &RawValue = serde_json::from_str(&self.filter)
            .map_err(|error| Failure::Usage { argument: "FILTER", reason: error.to_string() })?;
        let sort = self.sort.as_deref().map(|sort| format!(r#","sort":{}"#, Json::from(sort)));
        let hint = self.hint.as_deref().map(|hint| format!(r#","hint":{}"#, Json::from(hint)));
        let [sort, hint] = [sort, hint].map(Option::unwrap_or_default);
        Ok(format!(r#"{{"filter":{filter}{sort}{hint}{members}}}"#))
    }
}

impl NamedMetric {
    /// The member of a body that asks for it.
    fn member(&self) -> String {
        let NamedMetric { name, metric, path } = self;
        let [name, metric] = [name, metric].map(|text| Json::from(text.as_str()));
        match path {
            None => format!("{name}:{metric}"),
            Some(path) => format!("{name}:{{{metric}:{}}}", Json::from(path.as_str())),
        }
    }
}

impl FromStr for NamedMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<NamedMetric, String> {
        let (name, metric) =
            text.split_once('=').ok_or("it is not of the form NAME=METRIC or NAME=METRIC:PATH")?;
        let (metric, path) = match metric.split_once(':') {
            Some((metric, path)) => (metric, Some(path.to_owned())),
            None => (metric, None),
        };
        Ok(NamedMetric { name: name.to_owned(), metric: metric.to_owned(), path })
    }
}

fn usage(argument: &'static str) -> impl Fn(Error) -> Failure {
    move |error| Failure::Usage { argument, reason: error.to_string() }
}
