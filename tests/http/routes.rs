//! Every route against everything that can be wrong with a request to it.

use std::collections::BTreeMap;

use crate::{
    interface::{Operation, operations},
    server::{Answer, READER, Server, WRITER},
};

/// A route, the weakest role that may use it, and a body that it takes.
pub(crate) struct Route {
    pub(crate) method: String,
    /// With short names: those of things that may be there.
    pub(crate) path: String,
    pub(crate) role: Role,
    /// Empty for a route that takes none.
    body: String,
}

#[derive(PartialEq, Clone, Copy)]
pub(crate) enum Role {
    Read,
    Write,
    Admin,
}

/// The routes that answer without a key.
const OPEN: [&str; 7] = [
    "/docs",
    "/health",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/problems",
    "/problems/{slug}",
];

/// Every route that needs a key, as the server tells of them.
pub(crate) fn routes(server: &Server) -> Vec<Route> {
    operations(server).iter().filter_map(Route::of).collect()
}

impl Route {
    fn of(operation: &Operation) -> Option<Route> {
        let Operation { method, path, told } = operation;
        let role = match told["security"][0]["X-API-Key"][0].as_str()? {
            "read" => Role::Read,
            "write" => Role::Write,
            "admin" => Role::Admin,
            other => panic!("{other} is no role"),
        };
        let names = [("{collection}", "c"), ("{id}", "a"), ("{index}", "i"), ("{token}", "t")];
        let path = names.iter().fold(path.clone(), |path, (name, short)| path.replace(name, short));
        let path = path.replace("{key}", "nobody");
        assert!(!path.contains('{'), "a name for the variable segment of {path}");
        let example = "/requestBody/content/application~1json/examples/example1/value";
        let body = told.pointer(example).map(ToString::to_string).unwrap_or_default();
        Some(Route { method: method.clone(), path, role, body })
    }

    /// Sends the request with this key and the body that the route takes.
    pub(crate) fn send(&self, server: &Server, key: &str) -> Answer {
        send(server, key, self, &self.body)
    }
}

fn send(server: &Server, key: &str, route: &Route, body: &str) -> Answer {
    let call = server.call_with(key, &route.method, &route.path);
    if body.is_empty() { call.send() } else { call.json(body).send() }
}

#[test]
fn the_open_routes_are_these() {
    let server = Server::start();
    let all = operations(&server);
    let is_open = |one: &&Operation| one.told["security"].as_array().unwrap().is_empty();
    let mut open: Vec<&str> = all.iter().filter(is_open).map(|one| &*one.path).collect();
    open.sort_unstable();
    open.dedup();
    assert_eq!(open, OPEN);
    for path in OPEN.map(|path| path.replace("{slug}", "not-found")) {
        assert_eq!(server.call_with("", "GET", &path).send().status, 200, "{path}");
        assert_eq!(server.call_with("", "HEAD", &path).send().status, 200, "{path}");
    }
    server.call_with("", "GET", "/problems/nothing").send().problem(404, "route-not-found");
}

#[test]
fn no_route_but_the_open_ones_answers_without_a_valid_key() {
    let server = Server::start();
    for key in ["", "wrong", "mdb_reader_wrong", "mdb_nobody_secret"] {
        for route in &routes(&server) {
            let answer = route.send(&server, key);
            if route.method == "HEAD" {
                assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
                continue;
            }
            assert!(answer.header("www-authenticate").starts_with("ApiKey "));
            answer.problem(401, "unauthorized");
        }
        server.call_with(key, "GET", "/nowhere").send().problem(401, "unauthorized");
    }
}

#[test]
fn every_route_asks_for_its_role() {
    let server = Server::start();
    let keys = [(Role::Read, READER), (Role::Write, WRITER), (Role::Admin, &*server.key)];
    for route in &routes(&server) {
        let needed = [Role::Read, Role::Write, Role::Admin].iter().position(|r| *r == route.role);
        for (strength, (_, key)) in keys.iter().enumerate() {
            let answer = route.send(&server, key);
            let name = format!("{} {} {strength}", route.method, route.path);
            match Some(strength) < needed {
                true if route.method == "HEAD" => assert_eq!(answer.status, 403, "{name}"),
                true => drop(answer.problem(403, "forbidden")),
                // What is not there, or there already, is no refusal of the key.
                false => assert!([200, 201, 204, 404, 409].contains(&answer.status), "{name}"),
            }
        }
    }
}

#[test]
fn a_body_that_is_no_json_or_of_another_type_is_refused() {
    let server = Server::start();
    server.put("/collections/c/documents/a", "{}").expect(201, r#"{"_id":"a","_version":4}"#);
    let takes_a_body = |route: &&Route| !route.body.is_empty() && !route.path.contains("/t/");
    for route in routes(&server).iter().filter(takes_a_body) {
        send(&server, &server.key, route, "{\"a\":").problem(400, "invalid-json");
        let call = || server.call(&route.method, &route.path);
        for wrong in [&b"{\"a\":\"\xff\"}"[..], b"\xef\xbb\xbf{}"] {
            call().typed("application/json", wrong).send().problem(400, "invalid-json");
        }
        for other in ["text/plain", "application/x-www-form-urlencoded", "json"] {
            let answer = call().typed(other, &*route.body).send();
            answer.problem(415, "unsupported-media-type");
        }
        assert_ne!(
            call().typed("Application/JSON; charset=utf-8", &*route.body).send().status,
            415
        );
        // JSON, but no object.
        let answer = send(&server, &server.key, route, "[1]");
        assert!([422].contains(&answer.status), "{} {} {answer:?}", route.method, route.path);
    }
    assert_eq!(server.get("/collections/c").value()["count"], 2, "one a, one inserted");
}

#[test]
fn a_method_that_a_route_lacks_is_named_and_unknown_paths_are_not_there() {
    let server = Server::start();
    let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Operation { method, path, .. } in operations(&server) {
        let path = path.replace("{collection}", "c").replace("{slug}", "not-found");
        paths.entry(path.replace(['{', '}'], "")).or_default().push(method);
    }
    for (path, methods) in &paths {
        for method in ["OPTIONS", "TRACE", "BREW"] {
            let answer = server.call(method, path).send();
            let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            allowed.sort_unstable();
            let mut methods: Vec<&str> = methods.iter().map(|method| &**method).collect();
            methods.sort_unstable();
            assert_eq!(allowed, methods, "{path}");
            answer.problem(405, "method-not-allowed");
        }
        for method in methods {
            assert_ne!(server.call(method, path).send().status, 405, "{method} {path}");
        }
    }
    for (path, allow) in [
        ("/collections/c/documents/a", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/transactions/t/collections/c/documents", "GET, HEAD, POST"),
    ] {
        assert_eq!(server.call("BREW", path).send().header("allow"), allow);
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

/// What of an answer's head says something of its body.
fn lasting(answer: &Answer) -> BTreeMap<String, String> {
    let changing = ["date", "x-request-id"];
    let headers = answer.headers.iter().filter(|(name, _)| !changing.contains(&name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[test]
fn head_answers_as_get_does() {
    let server = Server::start();
    server.put("/collections/c/documents/a", r#"{"n":1}"#);
    // One page is larger than what is sent at once.
    let many = format!("{{\"text\":\"{}\"}}\n", "x".repeat(1000)).repeat(99);
    let call = server.call("POST", "/collections/large/documents");
    assert_eq!(call.typed("application/x-ndjson", many).send().status, 201);
    let mut paths: Vec<String> =
        ["/collections/large/documents", "/collections/none"].map(str::to_owned).into();
    paths.extend(["/collections/c/documents/none", "/problems/none"].map(str::to_owned));
    for route in operations(&server).iter().filter(|route| route.method == "GET") {
        let named =
            [("{collection}", "c"), ("{id}", "a"), ("{slug}", "not-found"), ("{token}", "t")];
        paths
            .push(named.iter().fold(route.path.clone(), |path, (name, is)| path.replace(name, is)));
    }
    // What GET of the changes is answered with is not known before something has changed.
    for path in paths.into_iter().filter(|path| path != "/changes") {
        let (get, head) = (server.get(&path), server.call("HEAD", &path).send());
        let [mut told, mut of_head] = [lasting(&get), lasting(&head)];
        if path == "/metrics" {
            // It tells of the request before it too, and so grows from one to the next.
            let lengths = [&mut told, &mut of_head].map(|head| head.remove("content-length"));
            assert!(lengths.iter().all(Option::is_some), "{lengths:?}");
        }
        assert_eq!((get.status, told), (head.status, of_head), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
        // What is read says at which version, also when it is not there.
        if path.starts_with("/collections") {
            assert!(get.headers.contains_key("db-version"), "{path}: {get:?}");
        }
    }
}

#[test]
fn what_accepts_no_form_of_the_answer_is_refused_before_anything_is_done() {
    let server = Server::start();
    let version = server.get("/collections").value()["version"].clone();
    let mut refused = 0;
    for Operation { method, path, told } in operations(&server) {
        let answers = told["responses"].as_object().unwrap();
        let has_form = answers.contains_key("406");
        let path = path.replace("{collection}", "c").replace(['{', '}'], "");
        let call = server.call(&method, &path).header("Accept", "text/csv, */*;q=0");
        let answer = call.json(r#"{"n":1}"#).send();
        assert_eq!(answer.status == 406, has_form, "{method} {path}: {answer:?}");
        if has_form && method != "HEAD" {
            answer.problem(406, "not-acceptable");
            refused += 1;
        }
    }
    assert!(refused > 25, "{refused} routes");
    assert_eq!(server.get("/collections").value()["version"], version, "nothing was written");
}
