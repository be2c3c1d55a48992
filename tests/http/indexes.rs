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

/// The query string asks as a body does.
#[test]
fn hint_and_explain_stand_in_the_query_string() {
    let server = filled();
    server.put("/collections/c/indexes/n", r#"{"paths":["n"]}"#);
    let ask = |query: &str| server.get(&format!("/collections/c/documents?{query}"));
    let late = "filter=%7B%22n%22%3A%7B%22%24gte%22%3A38%7D%7D";
    let city = "filter=%7B%22city%22%3A%22c1%22%7D";
    let found = ask(&format!("{late}&hint=n")).value();
    assert_eq!(found["documents"].as_array().unwrap().len(), 2);
    let plain = ask(&format!("{late}&explain=false")).value();
    assert_eq!(plain["documents"], found["documents"]);

    let explained = |query: &str, body: &str| {
        let asked = ask(query);
        assert_eq!((asked.status, asked.header("content-type")), (200, "application/json"));
        let [mut one, mut other] =
            [asked, server.post("/collections/c/query", body)].map(|answer| answer.value());
        assert!(one["time_us"].take().is_u64() && other["time_us"].take().is_u64(), "{one}");
        assert_eq!(one, other);
        one
    };
    let filter = r#"{"n":{"$gte":38}}"#;
    let by_id = format!(r#"{{"filter":{filter},"hint":"_id","explain":true}}"#);
    let by_id = explained(&format!("{late}&hint=_id&explain=true"), &by_id);
    assert_eq!(by_id["documents_examined"], 40);
    let body = format!(r#"{{"filter":{filter},"sort":"-n","limit":1,"explain":true}}"#);
    let sorted = explained(&format!("{late}&sort=-n&limit=1&explain=true"), &body);
    assert_eq!((&sorted["plan"]["limit"], &sorted["keys_examined"]), (&1.into(), &1.into()));

    for query in ["hint=n", "hint=n&explain=true", "hint=%24or"] {
        let problem = ask(&format!("{city}&{query}")).problem(422, "hint-refused");
        assert!(problem["detail"].as_str().unwrap().contains("cannot serve"), "{problem}");
    }
    let problem = ask("explain=1").problem(422, "invalid-query");
    assert_eq!(problem["detail"], "the parameter explain must be true or false");
    let problem = ask("hint=a%20b").problem(422, "invalid-query");
    assert!(problem["detail"].as_str().unwrap().contains("the hint names no index"), "{problem}");
}

/// What is made of all documents is not explained as a page of them.
#[test]
fn distinct_values_and_groups_are_explained_without_a_limit() {
    let server = Server::start();
    let lines: Vec<String> = (0..150).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
    let call = server.call("POST", "/collections/c/documents");
    call.typed("application/x-ndjson", lines.join("\n")).send();
    for asked in [r#""distinct":"n""#, r#""aggregate":{"group":"n"},"sort":"-n","limit":2"#] {
        let body = format!(r#"{{{asked},"explain":true}}"#);
        let explained = server.post("/collections/c/query", &body).value();
        assert_eq!(explained["plan"]["stage"], "all documents", "{explained}");
        assert_eq!(explained["documents_returned"], 150, "{explained}");
    }
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
