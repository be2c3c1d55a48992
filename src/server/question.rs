//! What a request asks of a collection: read from the query string, or from a body.
//!
//! Invariant: what does not go together is refused here, at its place; nothing that was said is
//! passed over without a word, but for the order and the limit of what is only counted.

use std::borrow::Cow;

use super::{
    body::{Object, elements, invalid, string},
    extract::Parameters,
    kinds::Kind,
    problem::Problem,
};
use crate::{
    document::Path,
    error::Error,
    filter::Filter,
    limits::{PAGE_DEFAULT, PAGE_MAX},
    names::IndexName,
    query::{Aggregate, Cursor, Metric, Projection, Query, Sort},
    version::Version,
};

/// What a hint may name besides indexes: the documents themselves, and a union of look-ups.
const NOT_INDEXES: [&str; 2] = ["_id", "$or"];

/// Why an explanation has no cursor.
const FIRST_PAGE: &str = "what is explained is the first page";

/// Why a cursor goes with no version.
const VERSION_OF_ITS_OWN: &str = "a cursor has a version of its own";

/// What a request asks of a collection.
pub(super) struct Question {
    pub(super) query: Query,
    /// The version to read at, when it is not the latest.
    pub(super) at: Option<Version>,
    pub(super) asked: Asked,
    /// How it is answered is asked for, not the answer.
    pub(super) explain: bool,
}

/// What is to be made of the documents.
pub(super) enum Asked {
    /// A page of them: the first one, or that behind a cursor.
    Documents(Projection, Option<Cursor>),
    Count,
    Distinct(Path),
    Aggregate(Aggregate),
}

impl Question {
    pub(super) fn of_parameters(mut parameters: Parameters) -> Result<Question, Problem> {
        let filter = parameters.take("filter");
        let sort = parameters.take("sort");
        let limit = parameters.integer("limit")?;
        let offset = parameters.integer("offset")?;
        let fields = parameters.take("fields");
        let cursor = parameters.take("cursor");
        let hint = parameters.take("hint");
        let explain = parameters.boolean("explain")?.unwrap_or(false);
        let at = parameters.version()?;
        parameters.finish()?;
        if explain && cursor.is_some() {
            let detail = format!("the parameter cursor does not go with explain: {FIRST_PAGE}");
            return Err(Problem::new(Kind::InvalidQuery, detail));
        }
        if at.is_some() && cursor.is_some() {
            let detail = format!("the parameter at does not go with cursor: {VERSION_OF_ITS_OWN}");
            return Err(Problem::new(Kind::InvalidQuery, detail));
        }
        let query =
            query(filter.as_deref(), sort.map_or(Ok(Sort::by_id()), |paths| paths.parse())?)?;
        let fields = fields.map_or(Ok(Projection::all()), |fields| fields.parse())?;
        let cursor = cursor.map(|cursor| cursor.parse()).transpose()?;
        let query = hinted(page(query, limit, offset)?, hint.as_deref())?;
        let asked = Asked::Documents(fields, cursor);
        Ok(Question { query, at, asked, explain })
    }

    /// What is asked of all documents at once, in the order of ids: a filter and fields, and a
    /// version to read at.
    pub(super) fn of_all(
        mut parameters: Parameters,
    ) -> Result<(Query, Projection, Option<Version>), Problem> {
        let query = query(parameters.take("filter").as_deref(), Sort::by_id())?;
        let query = hinted(query, parameters.take("hint").as_deref())?;
        let fields = parameters.take("fields").map(|fields| fields.parse()).transpose()?;
        let at = parameters.version()?;
        for name in ["sort", "offset", "cursor", "explain"] {
            if parameters.take(name).is_some() {
                let detail = format!(
                    "the parameter {name} does not go with limit=all, which is all documents that \
                     match in the order of their ids"
                );
                return Err(Problem::new(Kind::InvalidQuery, detail));
            }
        }
        parameters.finish()?;
        Ok((query, fields.unwrap_or_else(Projection::all), at))
    }

    pub(super) fn of_body(text: &str) -> Result<Question, Problem> {
        let mut body = Object::parse(text, "")?;
        let filter = body.take("filter");
        let sort = body.take("sort").map(|text| paths(text, "/sort")).transpose()?;
        let limit = body.integer("limit")?;
        let offset = body.integer("offset")?;
        let fields = body.take("fields").map(|text| paths(text, "/fields")).transpose()?;
        let cursor = body.string("cursor")?;
        let at = body.integer("at")?;
        let explain = body.boolean("explain")?.unwrap_or(false);
        let hint = body.string("hint")?;
        let summary = summary(&mut body)?;
        let given = Given {
            order: [sort.is_some(), limit.is_some(), offset.is_some()],
            fields: fields.is_some(),
            cursor: cursor.is_some(),
            at: at.is_some(),
            explain,
            skips: offset.is_some_and(|offset| offset > 0),
        };
        if let Some((name, reason)) = given.out_of_place(summary.as_ref()) {
            return Err(body.invalid(name, reason));
        }
        body.finish()?;

        let sort = Sort::parse(sort.iter().flatten().map(|path| &**path));
        let query = query(filter, sort.map_err(at_place("/sort"))?)?;
        let query = match &summary {
            Some(Asked::Aggregate(aggregate)) => {
                query.order_of_groups(aggregate).map_err(at_place("/sort"))?;
                match limit {
                    // All groups are answered then: there are no pages of them.
                    None => query.offset(offset_of(offset)),
                    Some(_) => page(query, limit, offset)?,
                }
            }
            None | Some(Asked::Documents(..) | Asked::Count | Asked::Distinct(_)) => {
                page(query, limit, offset)?
            }
        };
        let documents = || {
            let fields = Projection::parse(fields.iter().flatten().map(|field| &**field));
            let cursor = cursor.map(|cursor| cursor.parse()).transpose();
            let cursor = cursor.map_err(at_place("/cursor"))?;
            Ok::<_, Problem>(Asked::Documents(fields.map_err(at_place("/fields"))?, cursor))
        };
        let asked = summary.map_or_else(documents, Ok)?;
        let query = hinted(query, hint.as_deref()).map_err(|problem| problem.at("/hint"))?;
        Ok(Question { query, at: at.map(Version::new), asked, explain })
    }
}

/// Which members a body has, besides those that always may stand there.
struct Given {
    /// Sort, limit and offset.
    order: [bool; 3],
    fields: bool,
    cursor: bool,
    at: bool,
    /// True, not only there.
    explain: bool,
    /// An offset that is not zero.
    skips: bool,
}

impl Given {
    /// The first member that does not go with the others, and why.
    fn out_of_place(&self, summary: Option<&Asked>) -> Option<(&'static str, &'static str)> {
        let [sort, limit, offset] = self.order;
        let (of_documents, in_order) = match summary {
            None | Some(Asked::Documents(..)) => (false, false),
            Some(Asked::Count | Asked::Aggregate(_)) => (true, false),
            Some(Asked::Distinct(_)) => (true, true),
        };
        let only_documents = "it goes with documents only";
        let no_order = "distinct values are all of them, in their own order";
        let rules = [
            (of_documents && self.fields, "fields", only_documents),
            (of_documents && self.cursor, "cursor", only_documents),
            (in_order && sort, "sort", no_order),
            (in_order && limit, "limit", no_order),
            (in_order && offset, "offset", no_order),
            (self.cursor && self.explain, "cursor", FIRST_PAGE),
            (self.cursor && self.at, "at", VERSION_OF_ITS_OWN),
            (self.cursor && self.skips, "offset", "it goes with the first page, not with a cursor"),
        ];
        let broken = rules.into_iter().find(|(is_broken, _, _)| *is_broken);
        broken.map(|(_, name, reason)| (name, reason))
    }
}

/// What is asked for in the place of documents; at most one thing.
fn summary(body: &mut Object<'_>) -> Result<Option<Asked>, Problem> {
    let count = body.boolean("count")?.unwrap_or(false);
    let distinct = body.string("distinct")?;
    let aggregate = body.take("aggregate");
    match (count, distinct, aggregate) {
        (false, None, None) => Ok(None),
        (true, None, None) => Ok(Some(Asked::Count)),
        (false, Some(path), None) => {
            let path = Path::parse(&path).map_err(|reason| {
                Problem::new(Kind::InvalidQuery, reason.to_string()).at("/distinct")
            })?;
            Ok(Some(Asked::Distinct(path)))
        }
        (false, None, Some(text)) => Ok(Some(Asked::Aggregate(read_aggregate(text)?))),
        (_, Some(_), _) => Err(body.invalid("distinct", "it is asked for alone")),
        (_, None, Some(_)) => Err(body.invalid("aggregate", "it is asked for alone")),
    }
}

/// `{"group":["city"],"metrics":{"n":"count","mean":{"avg":"age"}}}`
fn read_aggregate(text: &str) -> Result<Aggregate, Problem> {
    let mut object = Object::parse(text, "/aggregate")?;
    let group = object.take("group").map(|text| paths(text, "/aggregate/group")).transpose()?;
    let metrics = object.take("metrics");
    object.finish()?;
    let group = group.unwrap_or_default();
    let mut aggregate =
        Aggregate::by(group.iter().map(|path| &**path)).map_err(at_place("/aggregate/group"))?;
    let metrics = metrics.map(|text| Object::parse(text, "/aggregate/metrics")).transpose()?;
    for (name, text) in metrics.into_iter().flat_map(Object::into_members) {
        let mut place = "/aggregate/metrics".to_owned();
        crate::document::push_pointer(&mut place, &name);
        let metric = read_metric(text, &place)?;
        aggregate = aggregate.metric(&name, metric).map_err(at_place(&place))?;
    }
    aggregate.check().map_err(at_place("/aggregate"))?;
    Ok(aggregate)
}

/// `"count"`, or an object of one member such as `{"avg":"age"}`.
fn read_metric(text: &str, place: &str) -> Result<Metric, Problem> {
    if let Some(name) = string(text) {
        return Metric::parse(&name, None).map_err(at_place(place));
    }
    let members: Vec<_> = Object::parse(text, place)?.into_members().collect();
    let [(name, path)] = members.as_slice() else {
        return Err(invalid(place, "an object with the metric for its one member is expected"));
    };
    let path = string(path).ok_or_else(|| invalid(place, "the metric of a path is expected"))?;
    Metric::parse(name, Some(&path)).map_err(at_place(place))
}

/// Paths in a body: a string as in the query string, or an array of strings.
fn paths<'a>(text: &'a str, place: &str) -> Result<Vec<Cow<'a, str>>, Problem> {
    let expected = || invalid(place, "a string or an array of strings is expected");
    if let Some(paths) = string(text) {
        return Ok(paths.split(',').map(|path| Cow::Owned(path.to_owned())).collect());
    }
    let elements = elements(text, place).map_err(|_| expected())?;
    elements.into_iter().map(string).collect::<Option<Vec<_>>>().ok_or_else(expected)
}

fn query(filter: Option<&str>, sort: Sort) -> Result<Query, Problem> {
    let filter = filter.map_or(Ok(Filter::all()), Filter::parse)?;
    Ok(Query::new(filter).sort(sort))
}

fn page(query: Query, limit: Option<u64>, offset: Option<u64>) -> Result<Query, Problem> {
    let limit = limit.unwrap_or(PAGE_DEFAULT as u64);
    if limit > PAGE_MAX as u64 {
        let detail = format!("the limit of a page is at most {PAGE_MAX}, and this is {limit}");
        return Err(Problem::new(Kind::InvalidQuery, detail));
    }
    Ok(query.limit(limit as usize).offset(offset_of(offset)))
}

fn offset_of(offset: Option<u64>) -> usize {
    usize::try_from(offset.unwrap_or(0)).unwrap_or(usize::MAX)
}

/// That there is such an index, and that it can serve, is seen when the query is planned.
fn hinted(query: Query, hint: Option<&str>) -> Result<Query, Problem> {
    let Some(hint) = hint else { return Ok(query) };
    if !NOT_INDEXES.contains(&hint)
        && let Err(invalid) = IndexName::new(hint)
    {
        return Err(Problem::new(
            Kind::InvalidQuery,
            format!("the hint names no index: {invalid}"),
        ));
    }
    Ok(query.hint(hint))
}

/// Says where in the body it is that the engine refuses.
fn at_place(pointer: &str) -> impl Fn(Error) -> Problem {
    move |error| Problem::from(error).at(pointer)
}
