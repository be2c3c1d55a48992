//! Every route against what is not there, what is there already, and what must hold first. (That no
//! key, a wrong one, a weak role, another scope, a bad body or type are refused by all of them is
//! seen in `routes` and `keys`.)
//!
//! What must hold: each refusal has the documented status and type, and changes nothing.

use std::collections::BTreeSet;

use crate::{interface::operations, server::Server};

/// A request, and the problem that it is answered with.
struct Row {
    method: &'static str,
    path: &'static str,
    header: Option<(&'static str, &'static str)>,
    body: &'static str,
    status: u16,
    slug: &'static str,
}

const fn row(
    method: &'static str,
    path: &'static str,
    body: &'static str,
    status: u16,
    slug: &'static str,
) -> Row {
    Row { method, path, header: None, body, status, slug }
}

impl Row {
    const fn with(self, name: &'static str, value: &'static str) -> Row {
        Row { header: Some((name, value)), ..self }
    }
}

/// The requests that send `NDJSON` say so by this.
const NDJSON: &str = "application/x-ndjson";

#[rustfmt::skip]
const TABLE: &[Row] = &[
    // What is not there.
    row("GET", "/collections/none", "", 404, "collection-not-found"),
    row("DELETE", "/collections/none", "", 404, "collection-not-found"),
    row("GET", "/collections/none/indexes", "", 404, "collection-not-found"),
    row("DELETE", "/collections/none/indexes/i", "", 404, "collection-not-found"),
    row("DELETE", "/collections/c/indexes/none", "", 404, "index-not-found"),
    row("GET", "/collections/c/documents/none", "", 404, "not-found"),
    row("GET", "/collections/none/documents/a", "", 404, "not-found"),
    row("PATCH", "/collections/c/documents/none", r#"{"$inc":{"n":1}}"#, 404, "not-found"),
    row("DELETE", "/collections/c/documents/none", "", 404, "not-found"),
    row("POST", "/transactions/batch", r#"{"operations":[{"op":"delete","collection":"c","id":"none"}]}"#, 404, "not-found"),
    row("POST", "/transactions/batch", r#"{"operations":[{"op":"replace","collection":"c","id":"none","document":{}}]}"#, 404, "not-found"),
    row("POST", "/transactions/0123456789abcdef0123456789abcdef/commit", "", 404, "tx-not-found"),
    row("DELETE", "/transactions/0123456789abcdef0123456789abcdef", "", 404, "tx-not-found"),
    row("GET", "/transactions/0123456789abcdef0123456789abcdef/collections/c/documents", "", 404, "tx-not-found"),
    row("GET", "/transactions/0123456789abcdef0123456789abcdef/collections/c/documents/a", "", 404, "tx-not-found"),
    row("DELETE", "/admin/keys/none", "", 404, "key-not-found"),
    row("GET", "/problems/none", "", 404, "route-not-found"),
    row("GET", "/collections/c?at=999999", "", 422, "invalid-query"),
    row("GET", "/changes?since=999999", "", 422, "invalid-query"),
    // What is there, and another thing was meant.
    row("PUT", "/collections/c", r#"{"require_preconditions":true}"#, 409, "collection-exists"),
    row("PUT", "/collections/c/indexes/u", r#"{"paths":["other"]}"#, 409, "index-exists"),
    row("PUT", "/collections/c/indexes/v", r#"{"paths":["same"],"unique":true}"#, 409, "unique-violation"),
    row("POST", "/collections/c/documents", r#"{"_id":"a"}"#, 409, "already-exists"),
    row("POST", "/collections/c/documents", "{\"_id\":\"z\"}\n{\"_id\":\"a\"}", 409, "already-exists").with("Content-Type", NDJSON),
    row("POST", "/collections/c/documents", r#"{"u":1}"#, 409, "unique-violation"),
    row("PUT", "/collections/c/documents/b", r#"{"u":1}"#, 409, "unique-violation"),
    row("PATCH", "/collections/c/documents/b", r#"{"$set":{"u":1}}"#, 409, "unique-violation"),
    row("PUT", "/collections/c/documents/a", r#"{"_version":1}"#, 409, "version-mismatch"),
    row("PUT", "/collections/c/documents/none", r#"{"_version":1}"#, 409, "version-mismatch"),
    row("PATCH", "/collections/c/documents/a", r#"[{"op":"test","path":"/u","value":9}]"#, 409, "test-failed").with("Content-Type", "application/json-patch+json"),
    row("POST", "/transactions/batch", r#"{"operations":[{"op":"insert","collection":"c","id":"a","document":{}}]}"#, 409, "already-exists"),
    row("POST", "/transactions/batch", r#"{"operations":[{"op":"delete","collection":"c","id":"a","if_version":1}]}"#, 409, "version-mismatch"),
    // What must hold first.
    row("GET", "/collections/c/documents/a", "", 412, "precondition-failed").with("If-Match", "\"1\""),
    row("PUT", "/collections/c/documents/a", "{}", 412, "precondition-failed").with("If-Match", "\"1\""),
    row("PUT", "/collections/c/documents/a", "{}", 412, "precondition-failed").with("If-None-Match", "*"),
    row("PUT", "/collections/c/documents/none", "{}", 412, "precondition-failed").with("If-Match", "*"),
    row("PATCH", "/collections/c/documents/a", r#"{"$inc":{"n":1}}"#, 412, "precondition-failed").with("If-Match", "\"1\""),
    row("DELETE", "/collections/c/documents/a", "", 412, "precondition-failed").with("If-Match", "\"1\""),
    row("PUT", "/collections/strict/documents/a", "{}", 428, "precondition-required"),
    row("PATCH", "/collections/strict/documents/a", r#"{"$inc":{"n":1}}"#, 428, "precondition-required"),
    row("DELETE", "/collections/strict/documents/a", "", 428, "precondition-required"),
    row("POST", "/transactions/batch", r#"{"operations":[{"op":"delete","collection":"strict","id":"a"}]}"#, 428, "precondition-required"),
];

#[test]
fn what_cannot_be_done_is_refused_as_documented_and_changes_nothing() {
    let server = Server::start();
    server.put("/collections/c", "{}");
    server.put("/collections/c/indexes/u", r#"{"paths":["u"],"unique":true}"#);
    for (id, body) in [("a", r#"{"u":1,"same":1}"#), ("b", r#"{"u":2,"same":1}"#)] {
        assert_eq!(server.put(&format!("/collections/c/documents/{id}"), body).status, 201);
    }
    server.put("/collections/strict", r#"{"require_preconditions":true}"#);
    assert_eq!(server.post("/collections/strict/documents", r#"{"_id":"a"}"#).status, 201);

    let before = server.get("/collections").body;
    for Row { method, path, header, body, status, slug } in TABLE {
        let call = server.call(method, path);
        let call = match header {
            Some(("Content-Type", media_type)) => call.typed(media_type, *body),
            Some((name, value)) if body.is_empty() => call.header(name, value),
            Some((name, value)) => call.header(name, value).json(body),
            None if body.is_empty() => call,
            None => call.json(body),
        };
        let answer = call.send();
        assert_eq!(answer.status, *status, "{method} {path} {body}: {answer:?}");
        answer.problem(*status, slug);
        assert_eq!(server.get("/collections").body, before, "{method} {path} {body}");
    }
}

/// Routes that have nothing that could be missing, taken or required.
const ALWAYS: [&str; 13] = [
    "/collections",
    "/collections/{collection}/query",
    "/transactions",
    "/transactions/{token}/collections/{collection}/query",
    "/admin/checkpoint",
    "/admin/backup",
    "/admin/stats",
    "/admin/keys",
    "/health",
    "/metrics",
    "/problems",
    "/openapi.json",
    "/docs",
];

#[test]
fn the_table_has_every_route() {
    let server = Server::start();
    let shape = |path: &str| -> Vec<String> {
        let path = path.split('?').next().unwrap();
        path.split('/').map(str::to_owned).collect()
    };
    let fits = |pattern: &str, path: &str| {
        let (pattern, path) = (shape(pattern), shape(path));
        pattern.len() == path.len()
            && pattern.iter().zip(&path).all(|(one, other)| one.starts_with('{') || one == other)
    };
    let routes: BTreeSet<String> = operations(&server).into_iter().map(|one| one.path).collect();
    for pattern in routes.iter().filter(|path| !path.starts_with("/health")) {
        let is_always = ALWAYS.contains(&pattern.as_str());
        let in_table = TABLE.iter().any(|row| fits(pattern, row.path));
        assert!(is_always || in_table, "{pattern} is not in the table");
    }
}
