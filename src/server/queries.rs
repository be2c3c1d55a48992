//! Queries, by query string and by body.

use actix_web::{HttpRequest, web::Data};
use serde::Serialize;

use super::{
    Service,
    auth::{Allowed, Read},
    body::{Body, Object, elements, string},
    extract::{CollectionPath, MediaType, Parameters, accepted_form},
    kinds::Kind,
    problem::Problem,
    respond::{Answer, Form, Page, json_text},
};
use crate::{
    database::Database,
    filter::Filter,
    limits::{PAGE_DEFAULT, PAGE_MAX},
    names::CollectionName,
    query::{Explanation, Nothing, Query, Sort, Source},
};

/// A query and what is to be told of its answer.
struct Question {
    query: Query,
    count: bool,
    explain: bool,
}

#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    explanation: Explanation,
    version: u64,
}

#[derive(Serialize)]
struct Count {
    count: usize,
    version: u64,
}

/// `GET /collections/{collection}/documents?filter=&sort=&limit=&offset=`
pub(super) async fn find(
    _: Allowed<Read>,
    CollectionPath(collection): CollectionPath,
    parameters: Parameters,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let form = accepted_form(&request)?;
    let question = Question::of_parameters(parameters)?;
    service.block(move |database| question.answer(database, &collection, form)).await
}

/// `POST /collections/{collection}/query`
pub(super) async fn query(
    _: Allowed<Read>,
    CollectionPath(collection): CollectionPath,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<Answer, Problem> {
    MediaType::require_json(&request)?;
    let form = accepted_form(&request)?;
    let question = Question::of_body(body.text()?)?;
    service.block(move |database| question.answer(database, &collection, form)).await
}

impl Question {
    fn of_parameters(mut parameters: Parameters) -> Result<Question, Problem> {
        let filter = parameters.take("filter");
        let sort = parameters.take("sort");
        let limit = integer("limit", parameters.take("limit"))?;
        let offset = integer("offset", parameters.take("offset"))?;
        parameters.finish()?;
        let sort = sort.map_or(Ok(Sort::by_id()), |paths| paths.parse())?;
        let query = page(filter.as_deref(), sort, limit, offset)?;
        Ok(Question { query, count: false, explain: false })
    }

    fn of_body(text: &str) -> Result<Question, Problem> {
        let mut body = Object::parse(text, "")?;
        let filter = body.take("filter");
        let sort = match body.take("sort") {
            Some(text) => read_sort(text, &body)?,
            None => Sort::by_id(),
        };
        let limit = body.integer("limit")?;
        let offset = body.integer("offset")?;
        let count = body.boolean("count")?.unwrap_or(false);
        let explain = body.boolean("explain")?.unwrap_or(false);
        let hint = body.string("hint")?;
        body.finish()?;
        let mut query = page(filter, sort, limit, offset)?;
        if let Some(hint) = hint {
            query = query.hint(hint);
        }
        Ok(Question { query, count, explain })
    }

    /// One snapshot answers the whole question. A collection that does not exist is empty.
    fn answer(
        self,
        database: &Database,
        collection: &CollectionName,
        form: Form,
    ) -> Result<Answer, Problem> {
        let snapshot = database.snapshot();
        let collection = snapshot.collection(collection.as_str());
        if self.explain {
            let source: &dyn Source = match collection {
                Some(collection) => &**collection,
                None => &Nothing,
            };
            let explanation = match self.count {
                true => self.query.explain_count(source)?,
                false => self.query.explain(source)?,
            };
            let version = snapshot.version();
            let explained = Explained { explanation, version: version.get() };
            return Ok(Answer::read(version, json_text(&explained)));
        }
        if self.count {
            let count = match collection {
                Some(collection) => self.query.count(&**collection)?,
                None => 0,
            };
            let version = snapshot.version();
            return Ok(Answer::read(version, json_text(&Count { count, version: version.get() })));
        }
        let documents = match collection {
            Some(collection) => self.query.execute(&**collection)?.documents,
            None => Vec::new(),
        };
        let documents = documents.into_iter().map(|(_, document)| document).collect();
        Ok(Page::new(snapshot.version(), documents, form).into_answer())
    }
}

fn page(
    filter: Option<&str>,
    sort: Sort,
    limit: Option<u64>,
    offset: Option<u64>,
) -> Result<Query, Problem> {
    let filter = filter.map_or(Ok(Filter::all()), Filter::parse)?;
    let limit = limit.unwrap_or(PAGE_DEFAULT as u64);
    if limit > PAGE_MAX as u64 {
        let detail = format!("the limit of a page is at most {PAGE_MAX}, and this is {limit}");
        return Err(Problem::new(Kind::InvalidQuery, detail));
    }
    let offset = usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX);
    Ok(Query::new(filter).sort(sort).limit(limit as usize).offset(offset))
}

/// A sort in a body: a string as in the query string, or an array of paths.
fn read_sort(text: &str, body: &Object<'_>) -> Result<Sort, Problem> {
    if let Some(paths) = string(text) {
        return Ok(paths.parse()?);
    }
    let expected = || body.invalid("sort", "a string or an array of strings is expected");
    let paths = elements(text, "/sort").map_err(|_| expected())?;
    let paths = paths.into_iter().map(string).collect::<Option<Vec<_>>>().ok_or_else(expected)?;
    Ok(Sort::parse(paths.iter().map(|path| &**path))?)
}

fn integer(name: &str, value: Option<String>) -> Result<Option<u64>, Problem> {
    let number = value.map(|text| {
        text.parse().map_err(|_| {
            let detail = format!("the parameter {name} must be an integer that is not negative");
            Problem::new(Kind::InvalidQuery, detail)
        })
    });
    number.transpose()
}
