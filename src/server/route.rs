//! What is said of a route: a row of the table in [`super::routes`].
//!
//! Everything is plain data that stands in statics, so that a row can be read from top to bottom.
//! Schemas are named, and stand in `openapi/schemas`; examples are JSON as it is sent.

use std::fmt;

use actix_web::http;

use super::{keys::Role, kinds::Kind};

/// A route: a method of a path, what answers it, and what is said of it.
pub(super) struct Route {
    /// Its name, of which generated clients make that of a function.
    pub(super) name: &'static str,
    pub(super) method: Method,
    /// The path, with the names of its variable segments in braces ([`PathParameter`]).
    pub(super) path: &'static str,
    /// The handler, as `|| to(module::function)`.
    pub(super) handler: fn() -> actix_web::Route,
    /// The weakest role that may use it; none for a route that needs no key. The handler's
    /// [`super::auth::Allowed`] keeps it.
    pub(super) role: Option<Role>,
    pub(super) summary: &'static str,
    /// Sentences, with code in backticks.
    pub(super) description: &'static str,
    /// The parameters of the query string, and headers that change what it does.
    pub(super) parameters: &'static [Parameter],
    /// The bodies that it takes, one for each media type; none for a route without.
    pub(super) bodies: &'static [Content],
    pub(super) body: BodyIs,
    /// Its answers, but for problems.
    pub(super) replies: &'static [Reply],
    /// The problems that it may give, besides those that [`Placed::kinds`] knows of itself.
    pub(super) kinds: &'static [Kind],
    /// What can be asked next with what its answer tells.
    pub(super) links: &'static [Link],
    pub(super) effect: Effect,
    pub(super) scope: Scope,
}

/// A route that goes on with what an answer tells. Within a transaction it is the route of the same
/// transaction.
pub(super) struct Link {
    /// The name of the route that goes on.
    pub(super) to: &'static str,
    /// Its parameters, each with a runtime expression of OpenAPI.
    pub(super) parameters: &'static [(&'static str, &'static str)],
}

/// The methods of routes, in the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    Get,
    /// What answers GET answers HEAD: no row has it.
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// Whether a request has to have a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyIs {
    Required,
    Optional,
}

/// What a route does to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    /// It may commit, with all that a commit may be refused for.
    Commits,
}

/// Where a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// At its path.
    Database,
    /// Below the path of every interactive transaction.
    Transaction,
    /// At both, with the same meaning.
    Both,
}

/// A parameter of the query string or of the head.
pub(super) struct Parameter {
    pub(super) place: Place,
    pub(super) name: &'static str,
    /// Its schema, as JSON.
    pub(super) schema: &'static str,
    pub(super) description: &'static str,
    /// As it is written in JSON; empty where one would not be good for long.
    pub(super) example: &'static str,
    /// The problems that come with it.
    pub(super) kinds: &'static [Kind],
    /// [`Scope::Database`] for what does not go with a transaction.
    pub(super) scope: Scope,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    /// In the query string, as JSON text.
    QueryJson,
    Header,
}

/// A variable segment of paths.
pub(super) struct PathParameter {
    pub(super) name: &'static str,
    pub(super) schema: &'static str,
    pub(super) description: &'static str,
    pub(super) example: &'static str,
}

/// A body, of a request or of an answer.
pub(super) struct Content {
    pub(super) media_type: &'static str,
    /// The name of its schema.
    pub(super) schema: &'static str,
    /// Bodies as they are sent; of NDJSON its lines.
    pub(super) examples: &'static [&'static str],
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) headers: &'static [Header],
    pub(super) contents: &'static [Content],
}

/// A header of an answer.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) schema: &'static str,
    /// It is there always.
    pub(super) required: bool,
}

/// Routes that belong together.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) routes: &'static [Route],
}

/// A route where it is: those of [`Scope::Both`] are at two paths.
pub(super) struct Placed {
    pub(super) section: &'static str,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) within: Within,
    pub(super) route: &'static Route,
}

/// What a placed route works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Database,
    Transaction,
}

/// What every row begins with; the members that are left out of a row are these.
const fn route(method: Method, path: &'static str) -> Route {
    Route {
        name: "",
        method,
        path,
        handler: actix_web::Route::new,
        role: None,
        summary: "",
        description: "",
        parameters: &[],
        bodies: &[],
        body: BodyIs::Required,
        replies: &[],
        kinds: &[],
        links: &[],
        effect: Effect::Reads,
        scope: Scope::Database,
    }
}

pub(super) const fn get(path: &'static str) -> Route {
    route(Method::Get, path)
}

/// A POST that commits; those that do not say so.
pub(super) const fn post(path: &'static str) -> Route {
    Route { effect: Effect::Commits, ..route(Method::Post, path) }
}

pub(super) const fn put(path: &'static str) -> Route {
    Route { effect: Effect::Commits, ..route(Method::Put, path) }
}

pub(super) const fn patch(path: &'static str) -> Route {
    Route { effect: Effect::Commits, ..route(Method::Patch, path) }
}

pub(super) const fn delete(path: &'static str) -> Route {
    Route { effect: Effect::Commits, ..route(Method::Delete, path) }
}

/// A body of JSON.
pub(super) const fn json(schema: &'static str, examples: &'static [&'static str]) -> Content {
    Content { media_type: "application/json", schema, examples }
}

/// A body of lines of JSON.
pub(super) const fn ndjson(examples: &'static [&'static str]) -> Content {
    Content { media_type: "application/x-ndjson", schema: "Lines", examples }
}

/// An answer with this status.
pub(super) const fn reply(
    status: u16,
    description: &'static str,
    contents: &'static [Content],
) -> Reply {
    Reply { status, description, headers: &[], contents }
}

impl Method {
    /// As it stands in a request.
    pub(super) fn of_http(self) -> http::Method {
        match self {
            Method::Get => http::Method::GET,
            Method::Head => http::Method::HEAD,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Patch => http::Method::PATCH,
            Method::Delete => http::Method::DELETE,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.of_http().as_str())
    }
}

impl Route {
    /// The media types that its answers may have, in the order of preference; none when they have
    /// no body.
    pub(super) fn forms(&self) -> Vec<&'static str> {
        let mut forms = Vec::new();
        for content in self.replies.iter().flat_map(|reply| reply.contents) {
            if !forms.contains(&content.media_type) {
                forms.push(content.media_type);
            }
        }
        forms
    }

    fn has(&self, segment: &str) -> bool {
        self.path.split('/').any(|other| other == segment)
    }
}

impl Placed {
    /// Every kind of problem that it may give, each once, in the order of the kinds.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        let Route { role, effect, bodies, kinds, .. } = self.route;
        let mut all = kinds.to_vec();
        self.parameters().for_each(|parameter| all.extend(parameter.kinds));
        // Also for one that does not go with a transaction.
        if self.route.parameters.iter().any(|parameter| parameter.place != Place::Header) {
            all.push(Kind::InvalidQuery);
        }
        all.push(Kind::InvalidRequest);
        all.push(Kind::Internal);
        if role.is_some() {
            all.extend([Kind::Unauthorized, Kind::TooManyRequests]);
        }
        let named = self.route.has("{collection}");
        // The weakest role is refused nothing, but collections that the key is not for.
        if role.is_some_and(|role| role > Role::Read) || named {
            all.push(Kind::Forbidden);
        }
        if named {
            all.push(Kind::InvalidName);
        }
        if !self.route.forms().is_empty() {
            all.push(Kind::NotAcceptable);
        }
        if !bodies.is_empty() {
            all.extend([Kind::InvalidJson, Kind::UnsupportedMediaType, Kind::PayloadTooLarge]);
            all.push(Kind::RequestTimeout);
        }
        match (effect, self.within) {
            (Effect::Reads, Within::Database) => {}
            (Effect::Commits, Within::Database) => all.extend([
                Kind::Conflict,
                Kind::OutcomeUnknown,
                Kind::ReadOnly,
                Kind::Closed,
                Kind::MemoryLimit,
                Kind::StorageFull,
            ]),
            // Its writes are committed with it.
            (Effect::Reads | Effect::Commits, Within::Transaction) => all.extend([
                Kind::TransactionNotFound,
                Kind::TransactionEnded,
                Kind::TransactionBusy,
                Kind::LimitExceeded,
                Kind::PayloadTooLarge,
            ]),
        }
        all.sort_unstable_by_key(|kind| *kind as usize);
        all.dedup();
        all
    }

    /// Its parameters but for those in the path.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        let all = self.route.parameters.iter();
        all.filter(|one| one.scope != Scope::Database || self.within == Within::Database)
    }

    /// The variable segments of its path.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &'static PathParameter> {
        self.path.split('/').filter_map(PathParameter::find)
    }
}

impl PathParameter {
    /// That of a segment in braces.
    fn find(segment: &str) -> Option<&'static PathParameter> {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let found = PATH_PARAMETERS.iter().find(|parameter| parameter.name == name);
        Some(found.expect("every variable segment of a route is among PATH_PARAMETERS"))
    }
}

/// Every variable segment that a path may have.
static PATH_PARAMETERS: [PathParameter; 6] = [
    PathParameter {
        name: "collection",
        schema: r##"{"$ref":"#/components/schemas/CollectionName"}"##,
        description: "The name of the collection.",
        example: "people",
    },
    PathParameter {
        name: "id",
        schema: r##"{"$ref":"#/components/schemas/DocumentId"}"##,
        description: "The document's `_id`, percent-encoded.",
        example: "ada",
    },
    PathParameter {
        name: "index",
        schema: r##"{"$ref":"#/components/schemas/IndexName"}"##,
        description: "The name of the index.",
        example: "city_age",
    },
    PathParameter {
        name: "token",
        schema: r##"{"$ref":"#/components/schemas/Token"}"##,
        description: "The token that the transaction was begun with.",
        example: "6b0f8d2c4e9a47b1a3d5c7e9f1b3d5a7",
    },
    PathParameter {
        name: "key",
        schema: r#"{"type":"string","minLength":1,"maxLength":64}"#,
        description: "The id of the key, which is not secret.",
        example: "93c1f0a2b4d6e8f0",
    },
    PathParameter {
        name: "slug",
        schema: r#"{"type":"string","minLength":1}"#,
        description: "The last segment of the problem's `type`.",
        example: "not-found",
    },
];
