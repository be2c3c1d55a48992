//! Indexes over HTTP: made, listed, used, refused, dropped; plans explained.

use crate::server::Server;

fn filled() -> Server {
    let server = Server::start();
    let lines: Vec<String> =
        (0..40).map(|n| format!(r#"{{"_id":"{n:02}","city":"c{}","n":{n}}}"#, n % 4)).collect();
    let call = server.call("POST", "/collections/c/documents");
    let answer = call.typed("application/x-ndjson", lines.join("\n")).send();
    assert_eq!(answer.status, 201);
    server
}

#[test]
fn an_index_from_its_making_to_its_end() {
    let server = filled();
    let path = "/collections/c/indexes/city_n";
    let definition = r#"{"paths":["city","-n"]}"#;
    let made = server.put(path, definition);
    assert_eq!(made.status, 201);
    let value = made.value();
    assert_eq!((value["name"].as_str(), value["entries"].as_u64()), (Some("city_n"), Some(40)));
    assert_eq!(server.put(path, definition).status, 200);
    server.put(path, r#"{"paths":["city"]}"#).problem(409, "index-exists");
    let listed = server.get("/collections/c/indexes").value();
    assert_eq!(listed["indexes"][0]["paths"], serde_json::json!(["city", "-n"]));
    assert_eq!(listed["indexes"][0]["multikey"], false);

    let body = r#"{"filter":{"city":"c1"},"sort":"-n","limit":3,"explain":true}"#;
    let explained = server.post("/collections/c/query", body).value();
    assert_eq!(explained["plan"]["stage"], "limit");
    assert_eq!(explained["plan"]["input"][0]["index"], "city_n");
    assert_eq!(explained["keys_examined"], 3);
    assert_eq!(explained["documents_returned"], 3);
    assert!(explained["candidates"].as_array().unwrap().iter().any(|c| c["chosen"] == true));
    assert!(explained["time_us"].is_u64() && explained["version"].is_u64());
    let listed = server.get("/collections/c/indexes").value();
    assert_eq!(listed["indexes"][0]["queries"], 1);

    server.delete(path).expect(204, "");
    server.delete(path).problem(404, "index-not-found");
    server.get("/collections/x/indexes").problem(404, "collection-not-found");
}

#[test]
fn hints_are_strict() {
    let server = filled();
    server.put("/collections/c/indexes/n", r#"{"paths":["n"]}"#);
    let ask = |body: &str| server.post("/collections/c/query", body);
    let found = ask(r#"{"filter":{"n":{"$gte":38}},"hint":"n"}"#).value();
    assert_eq!(found["documents"].as_array().unwrap().len(), 2);
    ask(r#"{"filter":{"city":"c1"},"hint":"n"}"#).problem(422, "hint-refused");
    ask(r#"{"filter":{"n":1},"hint":"other"}"#).problem(422, "hint-refused");
    ask(r#"{"filter":{"n":1},"hint":7}"#).problem(422, "invalid-body");
}

#[test]
fn what_is_no_index_is_refused_with_its_place() {
    let server = filled();
    let path = "/collections/c/indexes/i";
    for (body, slug) in [
        (r#"{"paths":[]}"#, "invalid-index"),
        (r#"{"paths":["a"],"sparse":true}"#, "invalid-index"),
        (r#"{"paths":["a","b"],"ttl_seconds":1}"#, "invalid-index"),
        (r#"{"paths":["a"],"filter":{"a":{"$near":1}}}"#, "invalid-filter"),
        ("[]", "invalid-index"),
    ] {
        server.put(path, body).problem(422, slug);
    }
    server.put(path, r#"{"paths":"#).problem(400, "invalid-json");
    server.put("/collections/c/indexes/_x", r#"{"paths":["a"]}"#).problem(422, "invalid-name");
    server.put("/collections/c/indexes/..%2Fx", r#"{"paths":["a"]}"#).problem(422, "invalid-name");
    server
        .put("/collections/c/indexes/unique", r#"{"paths":["city"],"unique":true}"#)
        .problem(409, "unique-violation");
    server.put("/collections/c/indexes/n", r#"{"paths":["n"],"unique":true}"#);
    server.put("/collections/c/documents/x", r#"{"n":7}"#).problem(409, "unique-violation");
    let long = format!(r#"{{"n":"{}"}}"#, "x".repeat(1100));
    server.put("/collections/c/documents/x", &long).problem(422, "unindexable-document");
    server.get("/collections/c/documents/x").problem(404, "not-found");
    for number in 1..64 {
        let path = format!("/collections/c/indexes/i{number}");
        assert_eq!(server.put(&path, r#"{"paths":["n"]}"#).status, 201);
    }
    server.put("/collections/c/indexes/i64", r#"{"paths":["n"]}"#).problem(422, "limit-exceeded");
}
