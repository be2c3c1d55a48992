//! Every route against everything that can be wrong with a request to it.

use crate::server::{Answer, READER, Server, WRITER};

/// A route, the weakest role that may use it, and a body that it takes.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) role: Role,
    body: &'static str,
}

#[derive(PartialEq, Clone, Copy)]
pub(crate) enum Role {
    Read,
    Write,
    Admin,
}

const fn route(method: &'static str, path: &'static str, role: Role, body: &'static str) -> Route {
    Route { method, path, role, body }
}

#[rustfmt::skip]
pub(crate) const ROUTES: &[Route] = &[
    route("GET", "/collections", Role::Read, ""),
    route("HEAD", "/collections", Role::Read, ""),
    route("PUT", "/collections/c", Role::Admin, "{}"),
    route("GET", "/collections/c", Role::Read, ""),
    route("HEAD", "/collections/c", Role::Read, ""),
    route("POST", "/collections/c/documents", Role::Write, "{}"),
    route("GET", "/collections/c/documents", Role::Read, ""),
    route("HEAD", "/collections/c/documents", Role::Read, ""),
    route("PUT", "/collections/c/indexes/i", Role::Admin, r#"{"paths":["n"]}"#),
    route("GET", "/collections/c/indexes", Role::Read, ""),
    route("HEAD", "/collections/c/indexes", Role::Read, ""),
    route("DELETE", "/collections/c/indexes/i", Role::Admin, ""),
    route("POST", "/collections/c/query", Role::Read, "{}"),
    route("PUT", "/collections/c/documents/a", Role::Write, r#"{"n":1}"#),
    route("GET", "/collections/c/documents/a", Role::Read, ""),
    route("HEAD", "/collections/c/documents/a", Role::Read, ""),
    route("PATCH", "/collections/c/documents/a", Role::Write, r#"{"$set":{"n":2}}"#),
    route("DELETE", "/collections/c/documents/a", Role::Write, ""),
    route("GET", "/changes?since=0", Role::Read, ""),
    route("HEAD", "/changes", Role::Read, ""),
    route("POST", "/transactions/batch", Role::Write, r#"{"operations":[]}"#),
    route("POST", "/transactions", Role::Read, r#"{"isolation":"snapshot"}"#),
    route("POST", "/transactions/t/commit", Role::Read, ""),
    route("DELETE", "/transactions/t", Role::Read, ""),
    route("POST", "/admin/checkpoint", Role::Admin, ""),
    route("GET", "/admin/stats", Role::Admin, ""),
    route("HEAD", "/admin/stats", Role::Admin, ""),
    route("GET", "/admin/keys", Role::Admin, ""),
    route("HEAD", "/admin/keys", Role::Admin, ""),
    route("POST", "/admin/keys", Role::Admin, r#"{"name":"k","role":"read"}"#),
    route("DELETE", "/admin/keys/nobody", Role::Admin, ""),
    route("DELETE", "/collections/c", Role::Admin, ""),
];

impl Route {
    /// Sends the request with this key and the body that the route takes.
    pub(crate) fn send(&self, server: &Server, key: &str) -> Answer {
        send(server, key, self, self.body)
    }
}

fn send(server: &Server, key: &str, route: &Route, body: &str) -> Answer {
    let call = server.call_with(key, route.method, route.path);
    if body.is_empty() { call.send() } else { call.json(body).send() }
}

#[test]
fn no_route_but_the_open_ones_answers_without_a_valid_key() {
    let server = Server::start();
    for key in ["", "wrong", "mdb_reader_wrong", "mdb_nobody_secret"] {
        for route in ROUTES {
            let answer = send(&server, key, route, route.body);
            if route.method == "HEAD" {
                assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
                continue;
            }
            assert!(answer.header("www-authenticate").starts_with("ApiKey "));
            answer.problem(401, "unauthorized");
        }
        server.call_with(key, "GET", "/nowhere").send().problem(401, "unauthorized");
    }
    for open in ["/health", "/health/live", "/health/ready", "/problems/not-found"] {
        assert_eq!(server.call_with("", "GET", open).send().status, 200, "{open}");
    }
    server.call_with("", "GET", "/problems/nothing").send().problem(404, "route-not-found");
}

#[test]
fn every_route_asks_for_its_role() {
    let server = Server::start();
    let keys = [(Role::Read, READER), (Role::Write, WRITER), (Role::Admin, &*server.key)];
    for route in ROUTES {
        let needed = [Role::Read, Role::Write, Role::Admin].iter().position(|r| *r == route.role);
        for (strength, (_, key)) in keys.iter().enumerate() {
            let answer = send(&server, key, route, route.body);
            let name = format!("{} {} {strength}", route.method, route.path);
            match Some(strength) < needed {
                true if route.method == "HEAD" => assert_eq!(answer.status, 403, "{name}"),
                true => drop(answer.problem(403, "forbidden")),
                // What is not there (yet, or any more) for a stronger key is no refusal.
                false => assert!([200, 201, 204, 404].contains(&answer.status), "{name}"),
            }
        }
    }
}

#[test]
fn a_body_that_is_no_json_or_of_another_type_is_refused() {
    let server = Server::start();
    server.put("/collections/c/documents/a", "{}").expect(201, r#"{"_id":"a","_version":4}"#);
    for route in ROUTES.iter().filter(|route| !route.body.is_empty()) {
        send(&server, &server.key, route, "{\"a\":").problem(400, "invalid-json");
        let call = || server.call(route.method, route.path);
        for wrong in [&b"{\"a\":\"\xff\"}"[..], b"\xef\xbb\xbf{}"] {
            call().typed("application/json", wrong).send().problem(400, "invalid-json");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "json"] {
            let answer = call().typed(other, route.body).send();
            answer.problem(415, "unsupported-media-type");
        }
        assert_ne!(call().typed("Application/JSON; charset=utf-8", route.body).send().status, 415);
        // JSON, but no object.
        let answer = send(&server, &server.key, route, "[1]");
        assert!([422].contains(&answer.status), "{} {} {answer:?}", route.method, route.path);
    }
    assert_eq!(server.get("/collections/c").value()["count"], 2, "one a, one inserted");
}

#[test]
fn a_method_that_a_route_lacks_is_named_and_unknown_paths_are_not_there() {
    let server = Server::start();
    for (path, allow) in [
        ("/health", "GET, HEAD"),
        ("/problems/not-found", "GET, HEAD"),
        ("/collections", "GET, HEAD"),
        ("/collections/c", "GET, HEAD, PUT, DELETE"),
        ("/collections/c/query", "POST"),
        ("/collections/c/documents", "GET, HEAD, POST"),
        ("/collections/c/documents/a", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/changes?since=0", "GET, HEAD"),
        ("/transactions/batch", "POST"),
        ("/transactions", "POST"),
        ("/transactions/t", "DELETE"),
        ("/transactions/t/commit", "POST"),
        ("/transactions/t/collections/c/query", "POST"),
        ("/transactions/t/collections/c/documents", "GET, HEAD, POST"),
        ("/transactions/t/collections/c/documents/a", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/admin/checkpoint", "POST"),
        ("/admin/stats", "GET, HEAD"),
        ("/admin/keys", "GET, HEAD, POST"),
        ("/admin/keys/k", "DELETE"),
    ] {
        for method in ["OPTIONS", "TRACE", "BREW"] {
            let answer = server.call(method, path).send();
            assert_eq!(answer.header("allow"), allow);
            answer.problem(405, "method-not-allowed");
        }
        for method in allow.split(", ") {
            assert_ne!(server.call(method, path).send().status, 405, "{method} {path}");
        }
    }
    for path in ["/", "/collections/", "/collections/c/", "/collections/c/documents/a/b", "/admin"]
    {
        server.get(path).problem(404, "route-not-found");
    }
}

#[test]
fn every_answer_names_its_request() {
    let server = Server::start();
    let answer = server.call("GET", "/collections").header("X-Request-Id", "mine-1").send();
    assert_eq!(answer.header("x-request-id"), "mine-1");
    for strange in ["", "a b", &"x".repeat(200)] {
        let answer = server.call("GET", "/nowhere").header("X-Request-Id", strange).send();
        let id = answer.header("x-request-id").to_owned();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "a UUIDv7 in place of {strange:?}");
        answer.problem(404, "route-not-found");
    }
}

#[test]
fn every_type_of_problem_has_a_page() {
    let server = Server::start();
    let text = std::fs::read_to_string("src/server/kinds.rs").unwrap();
    let slugs = text.lines().filter_map(|line| line.trim().strip_prefix("row(Kind::"));
    let mut count = 0;
    for slug in slugs.filter_map(|row| row.split('"').nth(1)) {
        let path = format!("/problems/{slug}");
        let page = server.call_with("", "GET", &path).send();
        assert_eq!((page.status, page.value()["type"].as_str().unwrap()), (200, &*path));
        let page = server.call_with("", "GET", &path).header("Accept", "text/html").send();
        assert!(page.body.contains(slug) && page.header("content-type").starts_with("text/html"));
        count += 1;
    }
    assert!(count > 25, "{count} kinds");
}
