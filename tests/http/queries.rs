//! Queries by query string and by body.

use crate::server::Server;

const C: &str = "/collections/c/documents";

fn filled() -> Server {
    let server = Server::start();
    let lines = r#"{"_id":"a","n":1}
        {"_id":"b","n":3}
        {"_id":"c","n":2,"tag":"x y"}"#;
    server.call("POST", C).typed("application/x-ndjson", lines).send();
    server
}

#[test]
fn documents_are_found_by_query_string() {
    let server = filled();
    let find = |query: &str| server.get(&format!("{C}{query}"));
    let (a, b, c) = (
        r#"{"_id":"a","_version":4,"n":1}"#,
        r#"{"_id":"b","_version":4,"n":3}"#,
        r#"{"_id":"c","_version":4,"n":2,"tag":"x y"}"#,
    );
    let page =
        |documents: &[&str]| format!(r#"{{"documents":[{}],"version":4}}"#, documents.join(","));
    let all = find("").expect(200, &page(&[a, b, c]));
    assert_eq!((all.header("db-version"), all.header("content-type")), ("4", "application/json"));
    find("?sort=-n").expect(200, &page(&[b, c, a]));
    find("?sort=-n&limit=1&offset=1").expect(200, &page(&[c]));
    find("?limit=0").expect(200, &page(&[]));
    find("?filter=%7B%22n%22%3A%7B%22%24gt%22%3A1%7D%7D&sort=n").expect(200, &page(&[c, b]));
    find("?filter=%7B%22tag%22%3A%22x+y%22%7D").expect(200, &page(&[c]));
    server.get("/collections/none/documents").expect(200, &page(&[]));
    let lines = server.call("GET", C).header("Accept", "application/x-ndjson").send();
    let lines = lines.expect(200, &format!("{a}\n{b}\n{c}\n"));
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    assert_eq!(lines.header("db-version"), "4");
    server.call("GET", C).header("Accept", "text/html").send().problem(406, "not-acceptable");
}

#[test]
fn documents_are_found_by_body() {
    let server = filled();
    let query = |body: &str| server.post("/collections/c/query", body);
    query(r#"{"filter":{"n":{"$gte":2}},"sort":["-n","tag"],"limit":1}"#)
        .expect(200, r#"{"documents":[{"_id":"b","_version":4,"n":3}],"version":4}"#);
    query(r#"{"sort":"n","offset":2,"filter":null}"#)
        .expect(200, r#"{"documents":[{"_id":"b","_version":4,"n":3}],"version":4}"#);
    let counted = query(r#"{"filter":{"n":{"$gte":2}},"count":true,"limit":1}"#);
    assert_eq!(counted.expect(200, r#"{"count":2,"version":4}"#).header("db-version"), "4");
    server
        .post("/collections/none/query", r#"{"count":true}"#)
        .expect(200, r#"{"count":0,"version":4}"#);
}

#[test]
fn what_is_not_understood_is_refused() {
    let server = filled();
    for (query, status, slug) in [
        ("?filter=%7B", 400, "invalid-json"),
        ("?filter=%ff", 400, "invalid-request"),
        ("?filter=%7B%7", 400, "invalid-request"),
        ("?limit=1&limit=2", 400, "invalid-request"),
        ("?filter=%5B%5D", 422, "invalid-filter"),
        ("?filter=%7B%22n%22%3A%7B%22%24up%22%3A1%7D%7D", 422, "invalid-filter"),
        ("?sort=", 422, "invalid-query"),
        ("?limit=1001", 422, "invalid-query"),
        ("?limit=-1", 422, "invalid-query"),
        ("?limit=ten", 422, "invalid-query"),
        ("?cursor=x", 422, "invalid-query"),
        ("?colour=red", 422, "invalid-query"),
    ] {
        server.get(&format!("{C}{query}")).problem(status, slug);
    }
    for (body, slug) in [
        (r#"{"limit":1001}"#, "invalid-query"),
        (r#"{"limit":"1"}"#, "invalid-body"),
        (r#"{"offset":-1}"#, "invalid-body"),
        (r#"{"count":"yes"}"#, "invalid-body"),
        (r#"{"sort":[1]}"#, "invalid-body"),
        (r#"{"sort":7}"#, "invalid-body"),
        (r#"{"sort":["a..b"]}"#, "invalid-query"),
        (r#"{"filter":[]}"#, "invalid-filter"),
        (r#"{"filter":{"a":1},"filter":{"b":1}}"#, "invalid-body"),
        (r#"{"cursor":"x"}"#, "invalid-body"),
        (r#"{"fields":["n"]}"#, "invalid-body"),
        (r#"{"hint":"i"}"#, "hint-refused"),
        (r#"{"at":4}"#, "invalid-body"),
        (r#"{"explain":1}"#, "invalid-body"),
        (r#"{"distinct":"n"}"#, "invalid-body"),
        (r#"{"aggregate":{}}"#, "invalid-body"),
    ] {
        server.post("/collections/c/query", body).problem(422, slug);
    }
}

#[test]
fn a_page_larger_than_a_chunk_arrives_whole() {
    let server = Server::start();
    let line = format!("{{\"text\":\"{}\"}}\n", "x".repeat(2000));
    let lines = line.repeat(500);
    server.call("POST", C).typed("application/x-ndjson", lines).send();
    let answer = server.get(&format!("{C}?limit=1000"));
    assert_eq!(answer.value()["documents"].as_array().unwrap().len(), 500);
    let answer = server.get(C);
    assert_eq!(answer.value()["documents"].as_array().unwrap().len(), 100, "the default page");
    let call = server.call("GET", &format!("{C}?limit=1000"));
    let answer = call.header("Accept", "application/x-ndjson").send();
    assert_eq!(answer.body.lines().count(), 500);
    assert_eq!(server.call("HEAD", &format!("{C}?limit=1000")).send().status, 200);
}
