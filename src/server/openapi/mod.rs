//! What the server says of its own interface: an OpenAPI 3.1 document, and the same as a page.
//!
//! Both are made once, of the table of routes ([`super::routes`]), the table of problems
//! ([`super::kinds`]) and the schemas in `schemas`, which are JSON Schema as it is served.
//!
//! The types of the document are a few structures of our own ([`document`]) with schemas and
//! examples as text. `utoipa` has types for all of OpenAPI, but would have every schema rebuilt by
//! calls in the place of text that any tool can read, and does not keep the order of members.
//!
//! Invariant: nothing is said of a route in two places; what the page shows stands in the document.

mod components;
mod document;
mod page;

use std::sync::LazyLock;

use actix_web::http::StatusCode;

use super::{
    html,
    respond::{Answer, json_text},
};
use document::Document;

/// Both texts, made when the first is asked for.
struct Texts {
    json: String,
    page: String,
}

static TEXTS: LazyLock<Texts> = LazyLock::new(|| {
    let document = Document::of_this_server();
    Texts { json: json_text(&document), page: page::page(&document) }
});

/// `GET /openapi.json`
pub(super) async fn document() -> Answer {
    Answer::json(StatusCode::OK, TEXTS.json.clone())
}

/// `GET /docs`
pub(super) async fn page() -> Answer {
    html::answer(TEXTS.page.clone())
}
