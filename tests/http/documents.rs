//! Documents one by one: bodies, versions, preconditions; and inserting many.

use crate::server::{Answer, Server};

const A: &str = "/collections/c/documents/a";

fn patch(server: &Server, media_type: &str, body: &str) -> Answer {
    server.call("PATCH", A).typed(media_type, body).send()
}

#[test]
fn a_document_from_its_making_to_its_end() {
    let server = Server::start();
    let made = server.put(A, r#"{"n": 1, "deep": {"x": [1.50, "ä"]}}"#);
    let made = made.expect(201, r#"{"_id":"a","_version":4}"#);
    assert_eq!(made.header("etag"), r#""4""#);

    let read = server.get(A);
    let read = read.expect(200, r#"{"_id":"a","_version":4,"n":1,"deep":{"x":[1.50,"ä"]}}"#);
    assert_eq!((read.header("etag"), read.header("db-version")), (r#""4""#, "4"));
    assert_eq!(read.header("content-type"), "application/json");
    let head = server.call("HEAD", A).send().expect(200, "");
    assert_eq!(head.header("content-length"), read.body.len().to_string());
    assert_eq!(head.header("etag"), r#""4""#);

    server.put(A, r#"{"n":2}"#).expect(200, r#"{"_id":"a","_version":5}"#);
    patch(&server, "application/json", r#"{"$inc":{"n":3}}"#)
        .expect(200, r#"{"_id":"a","_version":6}"#);
    patch(&server, "application/merge-patch+json", r#"{"m":true,"none":null}"#)
        .expect(200, r#"{"_id":"a","_version":7}"#);
    server.get(A).expect(200, r#"{"_id":"a","_version":7,"n":5,"m":true}"#);

    server.delete(A).expect(204, "");
    server.get(A).problem(404, "not-found");
    assert_eq!(server.call("HEAD", A).send().status, 404);
    server.delete(A).problem(404, "not-found");
    patch(&server, "application/json", r#"{"$inc":{"n":3}}"#).problem(404, "not-found");
    patch(&server, "application/merge-patch+json", "{}").problem(404, "not-found");
}

#[test]
fn an_insert_says_where_the_document_is() {
    let server = Server::start();
    let path = "/collections/c/documents";
    let made = server.post(path, r#"{"_id":"a/ä ?","n":1}"#);
    let made = made.expect(201, r#"{"_id":"a/ä ?","_version":4}"#);
    assert_eq!(made.header("etag"), r#""4""#);
    assert_eq!(made.header("location"), "/collections/c/documents/a%2F%C3%A4%20%3F");
    server.get(made.header("location")).expect(200, r#"{"_id":"a/ä ?","_version":4,"n":1}"#);
    server.post(path, r#"{"_id":"a/ä ?"}"#).problem(409, "already-exists");

    let generated = server.post(path, "{}");
    let id = generated.value()["_id"].as_str().unwrap().to_owned();
    assert_eq!((generated.status, id.len()), (201, 36));
    server
        .get(generated.header("location"))
        .expect(200, &format!(r#"{{"_id":"{id}","_version":5}}"#));
}

#[test]
fn the_document_itself_is_answered_on_request() {
    let server = Server::start();
    let prefer = |method: &str, path: &str, body: &str| {
        let call = server.call(method, path).header("Prefer", "return=representation").json(body);
        let answer = call.send();
        assert_eq!(answer.header("preference-applied"), "return=representation");
        answer
    };
    prefer("PUT", A, r#"{"n":1}"#).expect(201, r#"{"_id":"a","_version":4,"n":1}"#);
    prefer("PATCH", A, r#"{"$inc":{"n":1}}"#).expect(200, r#"{"_id":"a","_version":5,"n":2}"#);
    prefer("POST", "/collections/c/documents", r#"{"_id":"b"}"#)
        .expect(201, r#"{"_id":"b","_version":6}"#);
}

#[test]
fn a_write_that_changes_nothing_keeps_the_version() {
    let server = Server::start();
    server.put(A, r#"{"n":1}"#);
    server.put("/collections/c/documents/b", "{}");
    for prefer in ["", "return=representation"] {
        let text = |body: &str| {
            if prefer.is_empty() {
                r#"{"_id":"a","_version":4}"#.to_owned()
            } else {
                body.to_owned()
            }
        };
        let whole = r#"{"_id":"a","_version":4,"n":1}"#;
        let put = server.call("PUT", A).header("Prefer", prefer).json(r#"{"n": 1}"#).send();
        assert_eq!(put.expect(200, &text(whole)).header("etag"), r#""4""#);
        for (media_type, body) in [
            ("application/json", r#"{"$set":{"n":1}}"#),
            ("application/merge-patch+json", r#"{"n":1}"#),
        ] {
            let patch = server.call("PATCH", A).header("Prefer", prefer).typed(media_type, body);
            assert_eq!(patch.send().expect(200, &text(whole)).header("etag"), r#""4""#);
        }
    }
}

#[test]
fn preconditions_in_the_header() {
    let server = Server::start();
    server.put(A, r#"{"n":1}"#);
    let absent = "/collections/c/documents/absent";
    for (method, path, header, value, status) in [
        ("GET", A, "If-None-Match", r#""4""#, 304),
        ("HEAD", A, "If-None-Match", r#"W/"4""#, 304),
        ("GET", A, "If-None-Match", "*", 304),
        ("GET", A, "If-None-Match", r#""3", "5""#, 200),
        ("GET", A, "If-Match", r#""4""#, 200),
        ("GET", A, "If-Match", r#""3""#, 412),
        ("GET", absent, "If-None-Match", "*", 404),
        ("PUT", A, "If-None-Match", "*", 412),
        ("PUT", A, "If-None-Match", r#""1", "4""#, 412),
        ("PUT", A, "If-Match", r#""3""#, 412),
        ("PUT", A, "If-Match", r#"W/"4""#, 412),
        ("PUT", absent, "If-Match", "*", 412),
        ("PATCH", A, "If-Match", r#""3""#, 412),
        ("PATCH", absent, "If-Match", r#""3""#, 412),
        ("DELETE", A, "If-Match", r#""3""#, 412),
        ("DELETE", absent, "If-Match", "*", 412),
        ("PUT", A, "If-Match", "4", 400),
        ("DELETE", A, "If-None-Match", "\"4", 400),
        ("PUT", A, "If-Match", r#""3", "4""#, 200),
        ("PATCH", A, "If-Match", "*", 200),
        ("DELETE", A, "If-Match", r#""5""#, 412),
        ("DELETE", A, "If-Match", r#""6""#, 204),
        ("PUT", A, "If-None-Match", "*", 201),
    ] {
        let call = server.call(method, path).header(header, value);
        let answer = match method {
            "PUT" => call.json(r#"{"n":2}"#).send(),
            "PATCH" => call.json(r#"{"$inc":{"n":1}}"#).send(),
            _ => call.send(),
        };
        assert_eq!(answer.status, status, "{method} {path} {header}: {value}");
        match status {
            412 => drop(answer.problem(412, "precondition-failed")),
            400 => drop(answer.problem(400, "invalid-request")),
            304 => assert_eq!((answer.header("etag"), &*answer.body), (r#""4""#, "")),
            _ => {}
        }
    }
}

#[test]
fn a_version_in_the_body_is_a_precondition() {
    let server = Server::start();
    let put = |body: &str| server.put(A, body);
    let merge = |body: &str| patch(&server, "application/merge-patch+json", body);
    put(r#"{"_version":4}"#).problem(409, "version-mismatch");
    merge(r#"{"_version":4}"#).problem(409, "version-mismatch");
    put(r#"{"_version":0,"n":1}"#).expect(201, r#"{"_id":"a","_version":4}"#);
    put(r#"{"_version":0}"#).problem(409, "version-mismatch");
    put(r#"{"_version":3}"#).problem(409, "version-mismatch");
    merge(r#"{"_version":3}"#).problem(409, "version-mismatch");
    put(r#"{"_version":4,"n":2}"#).expect(200, r#"{"_id":"a","_version":5}"#);
    merge(r#"{"_version":5,"n":3}"#).expect(200, r#"{"_id":"a","_version":6}"#);
    put(r#"{"_id":"b"}"#).problem(422, "invalid-document");
    merge(r#"{"_id":"b"}"#).problem(422, "invalid-update");
    // The header's failure goes first, and only it is 412.
    let both = server.call("PUT", A).header("If-Match", r#""5""#).json(r#"{"_version":5}"#).send();
    both.problem(412, "precondition-failed");
}

#[test]
fn a_collection_may_require_preconditions() {
    let server = Server::start();
    server.put("/collections/c", r#"{"require_preconditions":true}"#);
    let required = |answer: Answer| drop(answer.problem(428, "precondition-required"));
    let batch = |operation: &str| {
        server.post("/transactions/batch", &format!(r#"{{"operations":[{operation}]}}"#))
    };
    required(server.put(A, "{}"));
    assert_eq!(server.put(A, r#"{"_version":0}"#).status, 201);
    required(patch(&server, "application/json", r#"{"$set":{"n":1}}"#));
    required(patch(&server, "application/merge-patch+json", r#"{"n":1}"#));
    required(server.delete(A));
    required(batch(r#"{"op":"put","collection":"c","id":"a","document":{}}"#));
    required(batch(r#"{"op":"update","collection":"c","id":"a","update":{"$set":{"n":1}}}"#));
    required(batch(r#"{"op":"delete","collection":"c","id":"a"}"#));
    server.get(A).expect(200, r#"{"_id":"a","_version":5}"#);

    let update =
        r#"{"op":"update","collection":"c","id":"a","if_version":5,"update":{"$set":{"n":1}}}"#;
    assert_eq!(batch(update).status, 200);
    assert_eq!(
        patch(&server, "application/merge-patch+json", r#"{"_version":6,"n":2}"#).status,
        200
    );
    assert_eq!(server.call("DELETE", A).header("If-Match", r#""7""#).send().status, 204);
    assert_eq!(server.call("PUT", A).header("If-None-Match", "*").json("{}").send().status, 201);
    assert_eq!(
        server.post("/collections/c/documents", "{}").status,
        201,
        "an insert is one itself"
    );
}

#[test]
fn what_patch_understands_is_said() {
    let server = Server::start();
    server.put(A, "{}");
    let answer = patch(&server, "text/plain", "[]");
    let types = "application/json, application/merge-patch+json, application/json-patch+json";
    assert_eq!(answer.header("accept-patch"), types);
    answer.problem(415, "unsupported-media-type");
    for wrong in [r#"{"n":1}"#, r#"{"$grow":{"n":1}}"#, "{}", r#"{"$inc":{"_id":1}}"#] {
        patch(&server, "application/json", wrong).problem(422, "invalid-update");
    }
    server.put(A, r#"{"n":"text"}"#);
    let problem = patch(&server, "application/json", r#"{"$inc":{"n":1}}"#);
    assert_eq!(problem.problem(422, "invalid-update")["pointer"], "/$inc/n");
}

#[test]
fn a_json_patch_is_applied_as_a_whole() {
    let server = Server::start();
    let patch = |body: &str| patch(&server, "application/json-patch+json", body);
    patch(r#"[{"op":"remove","path":"/n"}]"#).problem(404, "not-found");
    server.put(A, r#"{"n":1.50,"l":["x"]}"#);
    let add = r#"[{"op":"test","path":"/n","value":1.5},{"op":"add","path":"/l/-","value":"y"}]"#;
    assert_eq!(patch(add).status, 200);
    let failing = r#"[{"op":"remove","path":"/n"},{"op":"test","path":"/l/0","value":"z"}]"#;
    assert_eq!(patch(failing).problem(409, "test-failed")["pointer"], "/1");
    let absent = r#"[{"op":"remove","path":"/n"},{"op":"remove","path":"/z"}]"#;
    assert_eq!(patch(absent).problem(422, "invalid-update")["pointer"], "/1/path");
    for wrong in [r#"{"n":1}"#, r#"[{"op":"replace","path":"/_id","value":"b"}]"#, "[1]"] {
        patch(wrong).problem(422, "invalid-update");
    }
    patch("[").problem(400, "invalid-json");
    let many = vec![r#"{"op":"test","path":"/n","value":1}"#; 10_001].join(",");
    patch(&format!("[{many}]")).problem(422, "limit-exceeded");
    let value = server.get(A).value();
    assert_eq!(value["l"], serde_json::json!(["x", "y"]));
    assert!(server.get(A).body.contains("1.50"), "what is not named keeps its spelling");
    let version = value["_version"].as_u64().unwrap();
    let call = |matched: u64| {
        let call = server.call("PATCH", A).header("If-Match", &format!("\"{matched}\""));
        call.typed("application/json-patch+json", r#"[{"op":"remove","path":"/n"}]"#).send()
    };
    call(version + 1).problem(412, "precondition-failed");
    assert_eq!(call(version).status, 200);
}

#[test]
fn many_documents_are_inserted_as_one() {
    let server = Server::start();
    let path = "/collections/c/documents";
    let insert =
        |lines: &str| server.call("POST", path).typed("application/x-ndjson", lines).send();
    insert("{\"_id\":\"a\"}\r\n\n{\"_id\":\"b\",\"n\":1}\n{\"_id\":\"c\"}")
        .expect(201, r#"{"version":4,"inserted":3,"ids":["a","b","c"]}"#);
    for (lines, status, slug, line) in [
        ("{\"_id\":\"d\"}\n{\"n\":\n{}", 400, "invalid-json", 2),
        ("{}\n\n{\"n\":1,\"n\":2}", 422, "invalid-document", 3),
        ("{\"_id\":\"d\"}\n{\"_id\":\"b\"}", 409, "already-exists", 2),
        ("{\"_id\":\"d\"}\n{}\n{\"_id\":\"d\"}", 409, "already-exists", 3),
        ("{\"_id\":\"d\",\"_version\":3}", 409, "version-mismatch", 1),
    ] {
        assert_eq!(insert(lines).problem(status, slug)["line"], line, "{lines}");
    }
    insert(&"{}\n".repeat(10_001)).problem(422, "limit-exceeded");
    assert_eq!(server.get("/collections/c").value()["count"], 3, "all or none");
    assert_eq!(insert(&"{}\n".repeat(10_000)).value()["inserted"], 10_000);
}
