//! Input that means harm: each gets the documented refusal, and nothing is stored.

use crate::{
    server::{Answer, Server},
    wire,
};

const A: &str = "/collections/c/documents/a";

/// An object nested this deep, itself counted.
fn nested(depth: usize) -> String {
    format!("{}1{}", r#"{"n":"#.repeat(depth), "}".repeat(depth))
}

#[track_caller]
fn stored_nothing(server: &Server) {
    let listed = server.get("/collections").value();
    assert_eq!(listed["collections"].as_array().unwrap().len(), 0, "{listed}");
    assert_eq!(listed["version"], 3, "the three keys, and nothing after them");
}

#[test]
fn names_that_are_none_build_no_path() {
    let server = Server::start();
    let long = "x".repeat(129);
    for name in ["..%2Fx", "%2e%2e%2fx", "..", ".x", "-x", "a%20b", "a%00", "%C3%A4", &long] {
        for path in ["", "/documents", "/documents/a"] {
            let path = format!("/collections/{name}{path}");
            let answer = wire::request(&server, "GET", &path, "");
            assert!(answer.starts_with("HTTP/1.1 422 "), "{path}: {answer}");
            assert!(answer.contains("/problems/invalid-name"), "{path}: {answer}");
        }
        let answer = wire::request(&server, "PUT", &format!("/collections/{name}"), "{}");
        assert!(answer.starts_with("HTTP/1.1 422 "), "{name}: {answer}");
        let path = format!("/collections/{name}/documents/a");
        let answer = wire::request(&server, "PUT", &path, "{}");
        assert!(answer.starts_with("HTTP/1.1 422 "), "{name}: {answer}");
    }
    for path in ["/collections/../x", "/collections/../../etc/passwd", "/collections//x", "//"] {
        let answer = wire::request(&server, "PUT", path, "{}");
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(answer.contains("/problems/route-not-found"), "{path}: {answer}");
    }
    for broken in ["%", "%zz", "%ff"] {
        let answer = wire::request(&server, "PUT", &format!("/collections/{broken}"), "{}");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{broken}: {answer}");
    }
    stored_nothing(&server);
}

#[test]
fn ids_that_are_none_are_refused() {
    let server = Server::start();
    for id in ["%00", "a%0Ab", "%7F", "%C2%85", &"x".repeat(257)] {
        let path = format!("/collections/c/documents/{id}");
        server.put(&path, "{}").problem(422, "invalid-name");
        server.get(&path).problem(422, "invalid-name");
    }
    server.put("/collections/c/documents/%ff", "{}").problem(400, "invalid-request");
    for body in [r#"{"_id":""}"#, r#"{"_id":"a\u0000"}"#, r#"{"_id":7}"#, r#"{"_id":null}"#] {
        server.post("/collections/c/documents", body).problem(422, "invalid-document");
    }
    stored_nothing(&server);
}

#[test]
fn documents_that_break_a_rule_are_refused_at_their_place() {
    let server = Server::start();
    for (body, pointer) in [
        (r#"{"a":{"b":1,"b":2}}"#.to_owned(), Some("/a/b")),
        (r#"{"a":1,"\u0061":2}"#.to_owned(), Some("/a")),
        (r#"{"n":18446744073709551616}"#.to_owned(), Some("/n")),
        (r#"{"n":[-9223372036854775809]}"#.to_owned(), Some("/n/0")),
        (r#"{"n":1e400}"#.to_owned(), Some("/n")),
        (r#"{"a\u0000b":1}"#.to_owned(), None),
        (r#"{"_secret":1}"#.to_owned(), Some("/_secret")),
        (r#"{"$set":1}"#.to_owned(), Some("/$set")),
        (r#"{"_version":-1}"#.to_owned(), Some("/_version")),
        (r#"[{"_id":"a"}]"#.to_owned(), Some("")),
        ("null".to_owned(), Some("")),
        (nested(65), None),
        (format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), None),
    ] {
        let path = "/collections/c/documents";
        let problem = server.put(A, &body).problem(422, "invalid-document");
        if let Some(pointer) = pointer {
            assert_eq!(problem["pointer"], pointer, "{problem}");
        }
        server.post(path, &body).problem(422, "invalid-document");
        let lines = server.call("POST", path).typed("application/x-ndjson", body).send();
        lines.problem(422, "invalid-document");
    }
    stored_nothing(&server);
    assert_eq!(server.put(A, &nested(64)).status, 201, "the limit itself is allowed");
}

#[test]
fn text_that_is_no_json_is_refused() {
    let server = Server::start();
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{\"a\":1}x",
        b"{\"a\":01}",
        b"{\"a\":NaN}",
        b"{'a':1}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\x01\"}",
        b"\xef\xbb\xbf{}",
    ] {
        let put = server.call("PUT", A).typed("application/json", body).send();
        put.problem(400, "invalid-json");
    }
    for body in ["", "{\"operations\":[{]}", "{\"operations\":[\"\\ud800\"]", "\u{feff}{}"] {
        server.post("/transactions/batch", body).problem(400, "invalid-json");
    }
    stored_nothing(&server);
}

#[test]
fn a_patch_does_not_deepen_a_document_over_the_limit() {
    let server = Server::start();
    server.put(A, &nested(60));
    let path = ["n"; 59].join(".");
    let set = format!(r#"{{"$set":{{"{path}.m":{}}}}}"#, nested(5));
    let patch =
        |media_type: &str, body: &str| server.call("PATCH", A).typed(media_type, body).send();
    patch("application/json", &set).problem(422, "invalid-update");
    let merge = format!("{}{}{}", r#"{"n":"#.repeat(62), nested(3), "}".repeat(62));
    assert_refused(patch("application/merge-patch+json", &merge));
    server.get(A).expect(200, &nested(60).replacen('{', r#"{"_id":"a","_version":4,"#, 1));
}

fn assert_refused(answer: Answer) {
    assert_eq!(answer.status, 422, "{answer:?}");
}

#[test]
fn what_is_too_large_is_answered_not_cut() {
    let server = Server::start();
    let text = |mebibytes: usize| format!(r#"{{"t":"{}"}}"#, "x".repeat(mebibytes << 20));
    server.put(A, &text(17)).problem(413, "payload-too-large");
    server.post("/collections/c/documents", &text(17)).problem(413, "payload-too-large");
    server.put(A, &text(33)).problem(413, "payload-too-large");
    server.put(A, &text(64)).problem(413, "payload-too-large");
    let filter = format!(r#"{{"filter":{{"a":"{}"}}}}"#, "x".repeat(2 << 20));
    server.post("/collections/c/query", &filter).problem(413, "payload-too-large");
    stored_nothing(&server);
    assert_eq!(server.put(A, &text(15)).status, 201);
    assert_eq!(server.get(A).body.len(), text(15).len() + r#""_id":"a","_version":4,"#.len());
}

#[test]
fn heads_that_are_too_large_or_none_are_refused() {
    let server = Server::start();
    let filter = "x".repeat(70_000);
    let answer = wire::request(&server, "GET", &format!("/collections?filter={filter}"), "");
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let head = format!("GET /health HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let answer = wire::exchange(&server, head.as_bytes());
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let answer = wire::exchange(&server, b"\x16\x03\x01 no http at all\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(server.get("/health").status, 200);
}
