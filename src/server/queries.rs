//! Queries, by query string and by body.
//!
//! Invariant: one snapshot answers the whole of a question, and its version stands in the answer.

use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

use super::{
    auth::{Allowed, Read},
    body::Body,
    bulk,
    extract::{CollectionPath, MediaType, Parameters, accepted_form},
    ground::{Base, Ground},
    kinds::Kind,
    problem::Problem,
    question::{Asked, Question},
    respond::{Answer, Form, Page, json_text},
    slow_queries::Watch,
};
use crate::{
    database::Database,
    error::Result,
    names::CollectionName,
    query::{Explanation, Nothing, Query, Source, invalid},
    transaction::Transaction,
    version::Version,
};

/// How a query was answered, and at which version; here and for the command line.
#[derive(Serialize)]
pub(crate) struct Explained {
    #[serde(flatten)]
    pub(crate) explanation: Explanation,
    pub(crate) version: u64,
}

#[derive(Serialize)]
struct Count {
    count: usize,
    version: u64,
}

/// `GET /collections/{collection}/documents?filter=&sort=&limit=&offset=&fields=&cursor=&hint=&explain=&at=`
pub(super) async fn find(
    _: Allowed<Read>,
    CollectionPath(collection): CollectionPath,
    mut parameters: Parameters,
    request: HttpRequest,
    ground: Ground,
) -> Result<HttpResponse, Problem> {
    let form = accepted_form(&request)?;
    if parameters.take_if("limit", "all") {
        return find_all(parameters, collection, form, &ground);
    }
    let question = Question::of_parameters(parameters)?;
    let watch = Watch::of(&request);
    let answer = move |base: Base<'_>| {
        watch.answer(question, &collection, |asked| answer(asked, &base, &collection, form))
    };
    Ok(ground.run(answer).await?.respond_to(&request))
}

/// All documents that match, streamed as lines.
fn find_all(
    parameters: Parameters,
    collection: CollectionName,
    form: Form,
    ground: &Ground,
) -> Result<HttpResponse, Problem> {
    let (query, fields, at) = Question::of_all(parameters)?;
    let Some(service) = ground.database() else {
        return Err(invalid("limit=all does not go with a transaction").into());
    };
    if form != Form::Ndjson {
        let detail = "limit=all is answered as application/x-ndjson: ask for it with Accept";
        return Err(Problem::new(Kind::NotAcceptable, detail));
    }
    let snapshot = service.snapshot(at)?;
    // For each page of it.
    let query = query.within(service.query_timeout);
    Ok(bulk::export(service, snapshot, collection, query, fields))
}

/// `POST /collections/{collection}/query`
pub(super) async fn query(
    _: Allowed<Read>,
    CollectionPath(collection): CollectionPath,
    request: HttpRequest,
    ground: Ground,
    body: Body,
) -> Result<Answer, Problem> {
    MediaType::require_json(&request)?;
    let form = accepted_form(&request)?;
    let question = Question::of_body(body.text()?)?;
    let watch = Watch::of(&request);
    let answer = move |base: Base<'_>| {
        watch.answer(question, &collection, |asked| answer(asked, &base, &collection, form))
    };
    ground.run(answer).await
}

/// A collection that does not exist is empty.
fn answer(
    question: &Question,
    base: &Base<'_>,
    name: &CollectionName,
    form: Form,
) -> Result<Answer> {
    let database = match base {
        Base::Database(database) => database,
        Base::Session(held) => return answer_within(held.transaction(), question, name, form),
    };
    let Question { query, at, asked, explain } = question;
    if *explain {
        return explained(question, database, name);
    }
    match asked {
        Asked::Documents(fields, cursor) => {
            let page = match (cursor, at) {
                (Some(cursor), _) => database.next_page(name, query, cursor),
                (None, Some(version)) => database.page_at(*version, name, query),
                (None, None) => database.page(name, query),
            };
            Ok(Page::new(page?, fields.clone(), form).into_answer())
        }
        Asked::Count => summary(*at, database, name, |source, version| {
            let count = query.count(source)?;
            Ok(Answer::read(version, json_text(&Count { count, version: version.get() })))
        }),
        Asked::Distinct(path) => summary(*at, database, name, |source, version| {
            Ok(Answer::list("values", &query.distinct(path, source)?, version, form))
        }),
        Asked::Aggregate(aggregate) => summary(*at, database, name, |source, version| {
            Ok(Answer::list("groups", &query.aggregate(aggregate, source)?, version, form))
        }),
    }
}

/// The answer that an interactive transaction gives, which sees its own writes and depends on
/// what it saw. Its documents are no page of a listing that others could go on with.
fn answer_within(
    tx: &Transaction,
    question: &Question,
    name: &CollectionName,
    form: Form,
) -> Result<Answer> {
    let Question { query, at, asked, explain } = question;
    let version = tx.version();
    if *explain || at.is_some() {
        return Err(invalid("explain and at do not go with a transaction, only with the database"));
    }
    match asked {
        Asked::Documents(_, Some(_)) => {
            Err(invalid("a transaction has no cursors: use a filter, or limit and offset"))
        }
        Asked::Documents(fields, None) => {
            let documents = tx.find(name, query)?;
            Ok(Page::whole(version, documents, fields.clone(), form).into_answer())
        }
        Asked::Count => {
            let count = tx.count(name, query)?;
            Ok(Answer::read(version, json_text(&Count { count, version: version.get() })))
        }
        Asked::Distinct(path) => {
            let values = tx.distinct(name, path.as_str(), query)?;
            Ok(Answer::list("values", &values, version, form))
        }
        Asked::Aggregate(aggregate) => {
            let groups = tx.aggregate(name, query, aggregate)?;
            Ok(Answer::list("groups", &groups, version, form))
        }
    }
}

/// What is made of a collection as it is in one state.
fn summary(
    at: Option<Version>,
    database: &Database,
    collection: &CollectionName,
    make: impl FnOnce(&dyn Source, Version) -> Result<Answer>,
) -> Result<Answer> {
    let snapshot = match at {
        Some(version) => database.snapshot_at(version)?,
        None => database.snapshot(),
    };
    match snapshot.collection(collection.as_str()) {
        Some(collection) => make(&**collection, snapshot.version()),
        None => make(&Nothing, snapshot.version()),
    }
}

/// How a question is answered. Groups and distinct values are made of all documents that match:
/// order, limit and offset are about the groups.
fn explained(question: &Question, database: &Database, name: &CollectionName) -> Result<Answer> {
    summary(question.at, database, name, |source, version| {
        let Question { query, .. } = question;
        let explanation = match question.asked {
            Asked::Count => query.explain_count(source)?,
            Asked::Documents(..) => query.explain(source)?,
            Asked::Distinct(_) | Asked::Aggregate(_) => {
                let (hint, time) = (query.hint.clone(), query.time);
                Query { hint, time, ..Query::new(query.filter.clone()) }.explain(source)?
            }
        };
        Ok(Answer::read(version, Explained { explanation, version: version.get() }.to_json()))
    })
}

impl Explained {
    pub(crate) fn to_json(&self) -> String {
        json_text(self)
    }
}
