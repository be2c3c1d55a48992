//! The document: the part of OpenAPI 3.1 that this interface needs, in the order of the tables.
//!
//! Invariant: every answer that a route can give stands in it, problems by their types.

use actix_web::http::StatusCode;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::components::{COMMON_HEADERS, Components, SECURITY};
use crate::{
    document::Json,
    server::{
        kinds::{Kind, Row},
        problem::PROBLEM_JSON,
        route::{
            BodyIs, Content, Header, Link, Method, Parameter, PathParameter, Place, Placed, Reply,
            Route, Within,
        },
        routes::{IN_TRANSACTION, IN_TRANSACTION_IS, SECTIONS, methods, placed},
    },
};

/// An OpenAPI document.
#[derive(Serialize)]
pub(super) struct Document {
    openapi: &'static str,
    pub(super) info: Info,
    servers: [Server; 1],
    pub(super) tags: Vec<Tag>,
    pub(super) paths: Ordered<Ordered<Operation>>,
    pub(super) components: Components,
}

#[derive(Serialize)]
pub(super) struct Info {
    title: &'static str,
    pub(super) version: &'static str,
    pub(super) description: &'static str,
    license: License,
}

#[derive(Serialize)]
struct License {
    name: &'static str,
    identifier: &'static str,
}

#[derive(Serialize)]
struct Server {
    url: &'static str,
}

#[derive(Serialize)]
pub(super) struct Tag {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) operation_id: String,
    pub(super) tags: [&'static str; 1],
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<ParameterObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_body: Option<RequestBody>,
    pub(super) responses: Ordered<Response>,
    /// One requirement, with the role that the key needs; none for a route without a key.
    pub(super) security: Vec<Ordered<Vec<String>>>,
}

#[derive(Serialize)]
pub(super) struct ParameterObject {
    pub(super) name: &'static str,
    pub(super) r#in: &'static str,
    pub(super) description: &'static str,
    pub(super) required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<Box<RawValue>>,
    /// In place of both for what is JSON within the query string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Ordered<Media>>,
}

#[derive(Serialize)]
pub(super) struct RequestBody {
    pub(super) required: bool,
    pub(super) content: Ordered<Media>,
}

#[derive(Serialize)]
pub(super) struct Response {
    pub(super) description: String,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) headers: Ordered<HeaderObject>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) content: Ordered<Media>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    links: Ordered<LinkObject>,
    /// The types of problems that it stands for.
    #[serde(skip)]
    pub(super) problems: Vec<&'static Row>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LinkObject {
    operation_id: String,
    parameters: Ordered<&'static str>,
}

/// A header of one answer, or one that many have.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum HeaderObject {
    Own {
        description: &'static str,
        required: bool,
        schema: Box<RawValue>,
    },
    Common {
        #[serde(rename = "$ref")]
        reference: String,
    },
}

#[derive(Serialize)]
pub(super) struct Media {
    pub(super) schema: Box<RawValue>,
    #[serde(skip_serializing_if = "Ordered::is_empty")]
    pub(super) examples: Ordered<Example>,
}

#[derive(Serialize)]
pub(super) struct Example {
    pub(super) value: Box<RawValue>,
    /// The bytes that are sent.
    #[serde(skip)]
    pub(super) sent: &'static str,
}

/// Names and what they name, in an order of their own.
pub(super) struct Ordered<T>(pub(super) Vec<(String, T)>);

impl<T> Ordered<T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has this name, made new when there is none yet.
    fn entry(&mut self, name: &str, new: impl FnOnce() -> T) -> &mut T {
        let place = self.0.iter().position(|(other, _)| other == name).unwrap_or_else(|| {
            self.0.push((name.to_owned(), new()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

const DESCRIPTION: &str = "MonsterDB is a JSON document database with serializable transactions. \
    Bodies are JSON, refusals `application/problem+json` (RFC 9457) whose `type` links to a page \
    with what to do. Every route but a few needs a key in the header `X-API-Key`, of the role that \
    is told with it: `read`, `write` or `admin`, of which each may do what those before it may. \
    HEAD answers wherever GET does.";

impl Document {
    /// That of this release.
    pub(super) fn of_this_server() -> Document {
        let mut paths = Ordered(Vec::new());
        for placed in placed() {
            let operations = paths.entry(&placed.path, || Ordered(Vec::new()));
            for method in methods(placed.route) {
                let name = method.to_string().to_lowercase();
                operations.entry(&name, || Operation::of(&placed, *method));
            }
        }
        let mut tags: Vec<Tag> = SECTIONS
            .iter()
            .map(|section| Tag { name: section.name, description: section.description })
            .collect();
        tags.push(Tag { name: IN_TRANSACTION, description: IN_TRANSACTION_IS });
        Document {
            openapi: "3.1.0",
            info: Info {
                title: "MonsterDB",
                version: env!("CARGO_PKG_VERSION"),
                description: DESCRIPTION,
                license: License {
                    name: "MIT or Apache-2.0",
                    identifier: env!("CARGO_PKG_LICENSE"),
                },
            },
            servers: [Server { url: "/" }],
            tags,
            paths,
            components: Components::of_this_server(),
        }
    }
}

impl Operation {
    fn of(placed: &Placed, method: Method) -> Operation {
        let Route { role, summary, description, bodies, body, .. } = placed.route;
        let operation_id = match method {
            Method::Head => format!("{}Head", placed.name),
            Method::Get | Method::Post | Method::Put | Method::Patch | Method::Delete => {
                placed.name.clone()
            }
        };
        let in_path = placed.path_parameters().map(ParameterObject::in_path);
        let parameters = in_path.chain(placed.parameters().map(ParameterObject::of)).collect();
        let request_body = (!bodies.is_empty()).then(|| RequestBody {
            required: *body == BodyIs::Required,
            content: contents(bodies),
        });
        let needs = |role: &_| Ordered(vec![(SECURITY.to_owned(), vec![format!("{role}")])]);
        Operation {
            operation_id,
            tags: [placed.section],
            summary,
            description,
            parameters,
            request_body,
            responses: responses(placed, method),
            security: role.iter().map(needs).collect(),
        }
    }
}

impl ParameterObject {
    fn in_path(parameter: &PathParameter) -> ParameterObject {
        let PathParameter { name, schema, description, example } = parameter;
        ParameterObject {
            name,
            r#in: "path",
            description,
            required: true,
            schema: Some(raw(schema)),
            example: Some(raw(&format!("{example:?}"))),
            content: None,
        }
    }

    fn of(parameter: &Parameter) -> ParameterObject {
        let Parameter { place, name, schema, description, example, .. } = parameter;
        let plain = ParameterObject {
            name,
            r#in: if *place == Place::Header { "header" } else { "query" },
            description,
            required: false,
            schema: Some(raw(schema)),
            example: (!example.is_empty()).then(|| raw(example)),
            content: None,
        };
        match place {
            Place::Query | Place::Header => plain,
            Place::QueryJson => {
                let example = Example { value: raw(example), sent: example };
                let examples = Ordered(vec![("example".to_owned(), example)]);
                let media = Media { schema: raw(schema), examples };
                let content = Some(Ordered(vec![("application/json".to_owned(), media)]));
                ParameterObject { schema: None, example: None, content, ..plain }
            }
        }
    }
}

/// The answers of a route in the order of their status: its own, then problems.
fn responses(placed: &Placed, method: Method) -> Ordered<Response> {
    let mut responses = Ordered(Vec::new());
    for Reply { status, description, headers, contents: own } in placed.route.replies {
        let headers = headers.iter().map(header).chain(common_headers(placed, *status)).collect();
        let content = if method == Method::Head { Ordered(Vec::new()) } else { contents(own) };
        let description = (*description).to_owned();
        let (headers, links) = (Ordered(headers), links(placed, *status));
        let response = Response { description, headers, content, links, problems: Vec::new() };
        responses.0.push((status.to_string(), response));
    }
    let mut kinds = placed.kinds();
    kinds.sort_by_key(|kind| kind.status());
    let groups = kinds.chunk_by(|one, other| one.status() == other.status());
    for group in groups {
        let status = group.first().map_or(StatusCode::INTERNAL_SERVER_ERROR, |kind| kind.status());
        let refused = refusal(placed, group, method);
        let there = responses.0.iter_mut().find(|(other, _)| *other == status.as_str());
        match there {
            // A status that also tells of something else, as /health/ready does.
            Some((_, response)) => {
                response.content.0.extend(refused.content.0);
                response.problems = refused.problems;
            }
            None => responses.0.push((status.as_str().to_owned(), refused)),
        }
    }
    responses
}

/// The answer with problems of these kinds, which have one status.
fn refusal(placed: &Placed, kinds: &[Kind], method: Method) -> Response {
    let status = kinds.first().map_or(500, |kind| kind.status().as_u16());
    let problems: Vec<&'static Row> = kinds.iter().map(|kind| kind.row()).collect();
    let titles: Vec<String> =
        problems.iter().map(|row| format!("{} (`{}`)", row.title, row.slug)).collect();
    let types: Vec<String> = problems.iter().map(|row| type_of(row)).collect();
    let schema = format!(
        r##"{{"allOf":[{{"$ref":"#/components/schemas/Problem"}},{{"properties":{{"type":{{"enum":{}}}}}}}]}}"##,
        Json::from(types)
    );
    let media = Media { schema: raw(&schema), examples: Ordered(Vec::new()) };
    let content = match method {
        Method::Head => Vec::new(),
        Method::Get | Method::Post | Method::Put | Method::Patch | Method::Delete => {
            vec![(PROBLEM_JSON.to_owned(), media)]
        }
    };
    Response {
        description: format!("{}.", titles.join("; ")),
        headers: Ordered(common_headers(placed, status).collect()),
        content: Ordered(content),
        links: Ordered(Vec::new()),
        problems,
    }
}

pub(super) fn type_of(row: &Row) -> String {
    format!("/problems/{}", row.slug)
}

fn contents(contents: &[Content]) -> Ordered<Media> {
    let media = |Content { media_type, schema, examples }: &Content| {
        let is_json = media_type.ends_with("json") && !media_type.ends_with("ndjson");
        let example = |(place, sent): (usize, &&'static str)| {
            let value = if is_json { raw(sent) } else { raw(Json::from(*sent).as_str()) };
            (format!("example{}", place + 1), Example { value, sent })
        };
        let examples = examples.iter().enumerate().map(example).collect();
        let schema = raw(&format!(r##"{{"$ref":"#/components/schemas/{schema}"}}"##));
        ((*media_type).to_owned(), Media { schema, examples: Ordered(examples) })
    };
    Ordered(contents.iter().map(media).collect())
}

pub(super) fn header(header: &Header) -> (String, HeaderObject) {
    let Header { name, description, schema, required } = *header;
    (name.to_owned(), HeaderObject::Own { description, required, schema: raw(schema) })
}

/// What goes on from an answer of success with a body.
fn links(placed: &Placed, status: u16) -> Ordered<LinkObject> {
    let links = if matches!(status, 200 | 201) { placed.route.links } else { &[] };
    let (suffix, token) = match placed.within {
        Within::Database => ("", None),
        Within::Transaction => ("InTransaction", Some(("token", "$request.path.token"))),
    };
    let link = |Link { to, parameters }: &Link| {
        let operation_id = format!("{to}{suffix}");
        let parameters = parameters.iter().copied().chain(token);
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value)).collect();
        (operation_id.clone(), LinkObject { operation_id, parameters: Ordered(parameters) })
    };
    Ordered(links.iter().map(link).collect())
}

/// The headers that stand in the answers of a route with this status, whatever it does.
fn common_headers(placed: &Placed, status: u16) -> impl Iterator<Item = (String, HeaderObject)> {
    let common = COMMON_HEADERS.iter().filter(move |common| common.is_in(status, placed.route));
    common.map(|common| {
        let reference = format!("#/components/headers/{}", common.header.name);
        (common.header.name.to_owned(), HeaderObject::Common { reference })
    })
}

/// JSON of the tables, without white space.
pub(super) fn raw(text: &str) -> Box<RawValue> {
    let json = Json::parse(text).expect("the tables of this crate hold JSON");
    RawValue::from_string(json.as_str().to_owned()).expect("what was read as JSON is JSON")
}
