//! Every route of the server, in one table.
//!
//! Three things are made of it: what actix-web routes to ([`routes`]), the OpenAPI document with
//! its page ([`super::openapi`]), and the list of routes that the tests walk, which they read from
//! that document.
//!
//! To add a route, write its handler, then a row in the file of its section:
//!
//! ```text
//! Route {
//!     name: "describeCollection",
//!     handler: || to(collections::describe),
//!     role: Some(Role::Read),
//!     summary: "Describe a collection",
//!     description: "How many documents it holds, their bytes, and its options.",
//!     replies: &[read(OK, &[json("Collection", &[r#"{"name":"people",…}"#])])],
//!     kinds: &[Kind::CollectionNotFound],
//!     ..get("/collections/{collection}")
//! }
//! ```
//!
//! HEAD comes with GET, and 405 with `Allow`, 406 and the problems that all routes have come by
//! themselves. A schema that is not there yet is added in `openapi/schemas`. The tests send the
//! examples of bodies to a server and hold every answer that they see against the document.
//!
//! Invariant: a path that is known answers a method that is not with 405 and `Allow`, and a request
//! that accepts no form of the answer with 406 before anything is done; every other path answers
//! 404. Whatever answers GET answers HEAD. A path that needs no key is that of rows without a role.

mod admin;
mod changes;
mod collections;
mod documents;
mod open;
mod parts;
mod pattern;
mod queries;
mod transactions;

use actix_web::{
    HttpRequest, Resource,
    guard::{GuardContext, fn_guard},
    http::header::{self, HeaderValue},
    web::{self, ServiceConfig},
};

use super::{
    extract::accepted,
    kinds::Kind,
    problem::Problem,
    route::{Method, Placed, Route, Scope, Section, Within},
};

pub(super) use pattern::Pattern;

/// The sections, in the order in which they are told.
pub(super) static SECTIONS: [&Section; 7] = [
    &documents::SECTION,
    &queries::SECTION,
    &collections::SECTION,
    &transactions::SECTION,
    &changes::SECTION,
    &admin::SECTION,
    &open::SECTION,
];

/// The section of the routes that are also below the path of an interactive transaction.
pub(super) const IN_TRANSACTION: &str = "In a transaction";

/// What is said of that section.
pub(super) const IN_TRANSACTION_IS: &str = "The routes of documents and queries below the path of an \
    interactive transaction. They see one version of the database and the transaction's own \
    writes; what they write is seen by nobody else before the commit, and its version is the one \
    that the transaction reads. One request of a transaction at a time.";

/// What stands before the paths of these.
const BELOW_TRANSACTION: &str = "/transactions/{token}";

/// Every route at every path that it has.
pub(super) fn placed() -> Vec<Placed> {
    let at = |section: &'static str, within, route: &'static Route| match within {
        Within::Database => {
            let (name, path) = (route.name.to_owned(), route.path.to_owned());
            Placed { section, name, path, within, route }
        }
        Within::Transaction => {
            let name = format!("{}InTransaction", route.name);
            let path = format!("{BELOW_TRANSACTION}{}", route.path);
            Placed { section: IN_TRANSACTION, name, path, within, route }
        }
    };
    let mut placed = Vec::new();
    for section in SECTIONS {
        let rows = section.routes.iter().filter(|row| row.scope != Scope::Transaction);
        placed.extend(rows.map(|row| at(section.name, Within::Database, row)));
    }
    let rows = SECTIONS.iter().flat_map(|section| section.routes);
    let rows = rows.filter(|row| row.scope != Scope::Database);
    placed.extend(rows.map(|row| at(IN_TRANSACTION, Within::Transaction, row)));
    placed
}

/// Tells actix-web of all of them.
pub(super) fn routes(config: &mut ServiceConfig) {
    for pattern in Pattern::all() {
        config.service(resource(pattern));
    }
    config.default_service(web::to(no_such_route));
}

/// A path with its methods. It refuses those that it does not have.
fn resource(pattern: &'static Pattern) -> Resource {
    let mut resource = web::resource(pattern.text()).app_data(pattern);
    for row in pattern.rows() {
        for method in methods(row) {
            let (handler, forms) = ((row.handler)().method(method.of_http()), row.forms());
            let accepts = fn_guard(move |context| is_accepted(context, &forms));
            resource = resource.route(handler.guard(accepts));
        }
    }
    resource.default_service(web::to(move |request: HttpRequest| {
        let problem = refusal(&request, pattern.rows());
        async move { Err::<&str, Problem>(problem) }
    }))
}

/// The methods that a row answers.
pub(super) fn methods(row: &Route) -> &'static [Method] {
    match row.method {
        Method::Get | Method::Head => &[Method::Get, Method::Head],
        Method::Post => &[Method::Post],
        Method::Put => &[Method::Put],
        Method::Patch => &[Method::Patch],
        Method::Delete => &[Method::Delete],
    }
}

/// True when the request accepts one of these forms. What is no text is for the handler to refuse.
fn is_accepted(context: &GuardContext<'_>, forms: &[&'static str]) -> bool {
    let values = context.head().headers().get_all(header::ACCEPT);
    let Ok(values) = values.map(HeaderValue::to_str).collect::<Result<Vec<_>, _>>() else {
        return true;
    };
    forms.is_empty() || accepted(&values.join(","), forms).is_some()
}

/// Why none of these rows took the request.
fn refusal(request: &HttpRequest, rows: &[&'static Route]) -> Problem {
    let has = |row: &&&Route| methods(row).iter().any(|own| own.of_http() == *request.method());
    match rows.iter().find(has) {
        Some(row) => {
            let detail = format!("the answer has the forms {}", row.forms().join(" and "));
            Problem::new(Kind::NotAcceptable, detail)
        }
        None => {
            let allow: Vec<String> =
                rows.iter().flat_map(|row| methods(row)).map(Method::to_string).collect();
            let allow = allow.join(", ");
            let detail = format!("this route has the methods {allow}");
            let problem = Problem::new(Kind::MethodNotAllowed, detail);
            let allow = HeaderValue::from_str(&allow).expect("names of methods are ASCII");
            problem.with_header(header::ALLOW, allow)
        }
    }
}

async fn no_such_route() -> Result<&'static str, Problem> {
    Err(Problem::new(Kind::RouteNotFound, "the server has no route of this path"))
}
