//! Property 28, status codes: whatever a request looks like, its route's answer is one that the
//! description of the service has for it, and none is a fault of the server.
//!
//! Every answer that these tests get is held against `/openapi.json` where it is received
//! ([`crate::interface::check`]): status, headers, body.

use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use crate::{
    interface::operations,
    met::{Case, Met},
    server::{READER, Server, WRITER},
};

/// What may stand where a name or an id is expected.
const NAMES: [&str; 8] = ["c", "a", "none", "_keys", "%00", "%ff", "x%2Fy", "a b"];

const BODIES: [&str; 12] = [
    "",
    "{",
    "[]",
    "{}",
    "null",
    r#"{"_id":"a","n":1}"#,
    r#"{"_id":"a","_version":1}"#,
    r#"{"filter":{"n":{"$gt":0}},"limit":2}"#,
    r#"{"filter":{"$no":1}}"#,
    r#"{"$inc":{"n":1}}"#,
    r#"[{"op":"test","path":"/n","value":2}]"#,
    r#"{"operations":[{"op":"delete","collection":"c","id":"a"}]}"#,
];

const TYPES: [&str; 6] = [
    "application/json",
    "application/x-ndjson",
    "application/merge-patch+json",
    "application/json-patch+json",
    "text/plain",
    "",
];

const HEADERS: [(&str, &str); 9] = [
    ("If-Match", "\"1\""),
    ("If-Match", "*"),
    ("If-None-Match", "*"),
    ("If-Match", "nonsense"),
    ("Accept", "text/csv"),
    ("Accept", "application/x-ndjson"),
    ("Prefer", "return=representation"),
    ("Idempotency-Key", "k"),
    ("Idempotency-Key", "a b"),
];

const QUERIES: [&str; 9] = [
    "limit=1",
    "limit=1001",
    "filter=%7B",
    "sort=-n",
    "at=1",
    "at=x",
    "cursor=x",
    "unknown=1",
    "atomic=false",
];

#[derive(Debug, Clone)]
struct Request {
    operation: Index,
    names: [&'static str; 4],
    key: &'static str,
    body: &'static str,
    media_type: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    query: Option<&'static str>,
}

fn request() -> impl Strategy<Value = Request> {
    let names = [(); 4].map(|()| select(&NAMES[..]));
    let key =
        prop_oneof![8 => Just("admin"), 1 => Just(READER), 1 => Just(WRITER), 1 => Just("wrong")];
    let headers = prop::collection::vec(select(&HEADERS[..]), 0..2);
    let query = prop::option::weighted(0.3, select(&QUERIES[..]));
    let rest = (key, select(&BODIES[..]), select(&TYPES[..]), headers, query);
    (any::<Index>(), names, rest).prop_map(|(operation, names, rest)| {
        let (key, body, media_type, headers, query) = rest;
        Request { operation, names, key, body, media_type, headers, query }
    })
}

#[test]
fn p28_status_codes() {
    let server = Server::start();
    server.put("/collections/c/documents/a", r#"{"n":1}"#);
    let met = Met::new();
    let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
    let asked = TestRunner::new(config).run(&request(), |request| {
        ask(&server, &request, &met.case());
        Ok(())
    });
    asked.unwrap();
    let classes = ["2xx", "400", "401", "403", "404", "406", "412", "415", "422"];
    met.report("p28", &classes);
    assert_eq!(server.get("/health").status, 200);
}

fn ask(server: &Server, request: &Request, case: &Case<'_>) {
    let all = operations(server);
    // A stream of changes has no end to wait for; its answers have tests of their own.
    let all: Vec<_> = all.iter().filter(|one| one.path != "/changes").collect();
    let operation = request.operation.get(&all);
    let mut path = operation.path.clone();
    for (place, name) in ["{collection}", "{id}", "{index}", "{token}"].iter().zip(request.names) {
        path = path.replace(place, &name.replace(' ', "%20"));
    }
    let path = path.replace("{slug}", "not-found");
    let path = match request.query {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let key = if request.key == "admin" { &server.key } else { request.key };
    let mut call = server.call_with(key, &operation.method, &path);
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    let call = match request.media_type {
        "" => call,
        media_type => call.typed(media_type, request.body),
    };
    let answer = call.send();
    assert!(answer.status < 500, "{request:?}: {answer:?}");
    case.note(&answer.status.to_string(), true);
    case.note("2xx", answer.status < 300);
}
