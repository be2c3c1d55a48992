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
    let page = |documents: &[&str]| {
        format!(r#"{{"documents":[{}],"version":4,"cursor":null}}"#, documents.join(","))
    };
    let all = find("").expect(200, &page(&[a, b, c]));
    assert_eq!((all.header("db-version"), all.header("content-type")), ("4", "application/json"));
    find("?sort=-n").expect(200, &page(&[b, c, a]));
    find("?sort=-n&limit=2&offset=1").expect(200, &page(&[c, a]));
    let part = find("?sort=-n&limit=1&offset=1").value();
    assert_eq!((&part["documents"][0]["_id"], part["cursor"].is_string()), (&"c".into(), true));
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
    query(r#"{"filter":{"n":{"$gt":2}},"sort":["-n","tag"],"limit":1}"#)
        .expect(200, r#"{"documents":[{"_id":"b","_version":4,"n":3}],"version":4,"cursor":null}"#);
    query(r#"{"sort":"n","offset":2,"filter":null,"fields":["n","-_version"],"at":4}"#)
        .expect(200, r#"{"documents":[{"_id":"b","n":3}],"version":4,"cursor":null}"#);
    let counted = query(r#"{"filter":{"n":{"$gte":2}},"count":true,"limit":1}"#);
    assert_eq!(counted.expect(200, r#"{"count":2,"version":4}"#).header("db-version"), "4");
    server
        .post("/collections/none/query", r#"{"count":true}"#)
        .expect(200, r#"{"count":0,"version":4}"#);
}

#[test]
fn fields_are_shown_or_left_out() {
    let server = filled();
    let shown = |fields: &str| {
        server.get(&format!("{C}?sort=n&fields={fields}")).value()["documents"].to_string()
    };
    assert_eq!(
        shown("tag"),
        r#"[{"_id":"a","_version":4},{"_id":"c","_version":4,"tag":"x y"},{"_id":"b","_version":4}]"#
    );
    assert_eq!(shown("-n,-_id,-_version"), r#"[{},{"tag":"x y"},{}]"#);
    let body = r#"{"fields":"-n,-_version","sort":"-n","limit":1}"#;
    let call = server.call("POST", "/collections/c/query").json(body);
    call.header("Accept", "application/x-ndjson").send().expect(200, "{\"_id\":\"b\"}\n");
}

#[test]
fn what_is_made_of_documents_is_answered() {
    let server = filled();
    let query = |body: &str| server.post("/collections/c/query", body);
    query(r#"{"distinct":"n"}"#).expect(200, r#"{"values":[1,2,3],"version":4}"#);
    query(r#"{"distinct":"tag","filter":{"n":{"$lt":3}},"at":4}"#)
        .expect(200, r#"{"values":["x y"],"version":4}"#);
    let answer = query(
        r#"{"aggregate":{"group":["tag"],"metrics":{"n":"count","mean":{"avg":"n"},"a":{"max":"n"}}}}"#,
    );
    let answer = answer.expect(
        200,
        concat!(
            r#"{"groups":[{"tag":null,"n":2,"mean":2.0,"a":3},"#,
            r#"{"tag":"x y","n":1,"mean":2.0,"a":2}],"version":4}"#
        ),
    );
    assert_eq!(answer.header("db-version"), "4");
    query(r#"{"aggregate":{"group":"n"},"sort":["-n"],"limit":1,"offset":1}"#)
        .expect(200, r#"{"groups":[{"n":2}],"version":4}"#);
    query(r#"{"aggregate":{"metrics":{"s":{"sum":"n"}}}}"#)
        .expect(200, r#"{"groups":[{"s":6}],"version":4}"#);
    let none = |body| server.post("/collections/none/query", body);
    none(r#"{"distinct":"n"}"#).expect(200, r#"{"values":[],"version":4}"#);
    none(r#"{"aggregate":{"group":["n"]}}"#).expect(200, r#"{"groups":[],"version":4}"#);
    for (body, lines) in [
        (r#"{"distinct":"n"}"#, "1\n2\n3\n"),
        (r#"{"aggregate":{"group":"n"},"limit":2}"#, "{\"n\":1}\n{\"n\":2}\n"),
    ] {
        let call = server.call("POST", "/collections/c/query").json(body);
        call.header("Accept", "application/x-ndjson").send().expect(200, lines);
    }
}

#[test]
fn an_integer_may_be_written_with_a_point() {
    let server = filled();
    let ask = |body: &str| server.post("/collections/c/query", body);
    let page = ask(r#"{"limit":1.0,"offset":1e0}"#).value();
    assert_eq!(page["documents"][0]["_id"], "b", "{page}");
    ask(r#"{"limit":1.5}"#).problem(422, "invalid-body");
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
        ("?cursor=", 422, "invalid-query"),
        ("?fields=", 422, "invalid-query"),
        ("?fields=n,-tag", 422, "invalid-query"),
        ("?at=x", 422, "invalid-query"),
        ("?colour=red", 422, "invalid-query"),
        ("?explain", 422, "invalid-query"),
        ("?explain=yes", 422, "invalid-query"),
        ("?explain=true&explain=true", 400, "invalid-request"),
        ("?explain=true&cursor=x", 422, "invalid-query"),
        ("?hint=", 422, "invalid-query"),
        ("?hint=..%2Fx", 422, "invalid-query"),
        ("?hint=_keys", 422, "invalid-query"),
        ("?hint=other", 422, "hint-refused"),
    ] {
        server.get(&format!("{C}{query}")).problem(status, slug);
    }
    for (body, slug) in [
        (r#"{"limit":1001}"#, "invalid-query"),
        (r#"{"filter":[]}"#, "invalid-filter"),
        (r#"{"filter":{"a":1},"filter":{"b":1}}"#, "invalid-body"),
        (r#"{"hint":"i"}"#, "hint-refused"),
        (r#"{"explain":1}"#, "invalid-body"),
        (r#"{"at":5}"#, "invalid-query"),
        (r#"{"at":5,"count":true}"#, "invalid-query"),
    ] {
        server.post("/collections/c/query", body).problem(422, slug);
    }
}

#[test]
fn what_is_refused_in_a_body_is_refused_at_its_place() {
    let server = filled();
    for (body, slug, place) in [
        (r#"{"limit":"1"}"#, "invalid-body", "/limit"),
        (r#"{"offset":-1}"#, "invalid-body", "/offset"),
        (r#"{"count":"yes"}"#, "invalid-body", "/count"),
        (r#"{"sort":[1]}"#, "invalid-body", "/sort"),
        (r#"{"sort":7}"#, "invalid-body", "/sort"),
        (r#"{"sort":["a..b"]}"#, "invalid-query", "/sort"),
        (r#"{"cursor":7}"#, "invalid-body", "/cursor"),
        (r#"{"cursor":"x"}"#, "invalid-query", "/cursor"),
        (r#"{"cursor":"x","at":4}"#, "invalid-body", "/at"),
        (r#"{"cursor":"x","offset":1}"#, "invalid-body", "/offset"),
        (r#"{"fields":{"n":1}}"#, "invalid-body", "/fields"),
        (r#"{"fields":["n","-tag"]}"#, "invalid-query", "/fields"),
        (r#"{"fields":["n"],"count":true}"#, "invalid-body", "/fields"),
        (r#"{"fields":["n"],"distinct":"n"}"#, "invalid-body", "/fields"),
        (r#"{"cursor":"x","count":true}"#, "invalid-body", "/cursor"),
        (r#"{"cursor":"x","aggregate":{"group":["n"]}}"#, "invalid-body", "/cursor"),
        (r#"{"at":-1}"#, "invalid-body", "/at"),
        (r#"{"hint":1}"#, "invalid-body", "/hint"),
        (r#"{"hint":"a b"}"#, "invalid-query", "/hint"),
        (r#"{"cursor":"x","explain":true}"#, "invalid-body", "/cursor"),
        (r#"{"explain":1}"#, "invalid-body", "/explain"),
        (r#"{"distinct":["n"]}"#, "invalid-body", "/distinct"),
        (r#"{"distinct":""}"#, "invalid-query", "/distinct"),
        (r#"{"distinct":"n","count":true}"#, "invalid-body", "/distinct"),
        (r#"{"distinct":"n","sort":"n"}"#, "invalid-body", "/sort"),
        (r#"{"distinct":"n","limit":1}"#, "invalid-body", "/limit"),
        (r#"{"distinct":"n","aggregate":{"group":"n"}}"#, "invalid-body", "/distinct"),
        (r#"{"aggregate":{"group":"n"},"count":true}"#, "invalid-body", "/aggregate"),
        (r#"{"aggregate":"n"}"#, "invalid-body", "/aggregate"),
        (r#"{"aggregate":{}}"#, "invalid-query", "/aggregate"),
        (r#"{"aggregate":{"by":"n"}}"#, "invalid-body", "/aggregate/by"),
        (r#"{"aggregate":{"group":[1]}}"#, "invalid-body", "/aggregate/group"),
        (r#"{"aggregate":{"group":["n","n"]}}"#, "invalid-query", "/aggregate/group"),
        (r#"{"aggregate":{"metrics":["n"]}}"#, "invalid-body", "/aggregate/metrics"),
        (r#"{"aggregate":{"metrics":{"a":1}}}"#, "invalid-body", "/aggregate/metrics/a"),
        (r#"{"aggregate":{"metrics":{"a":{}}}}"#, "invalid-body", "/aggregate/metrics/a"),
        (r#"{"aggregate":{"metrics":{"a":{"sum":1}}}}"#, "invalid-body", "/aggregate/metrics/a"),
        (r#"{"aggregate":{"metrics":{"a/b":"sum"}}}"#, "invalid-query", "/aggregate/metrics/a~1b"),
        (r#"{"aggregate":{"metrics":{"a":{"up":"n"}}}}"#, "invalid-query", "/aggregate/metrics/a"),
        (r#"{"aggregate":{"metrics":{"-a":"count"}}}"#, "invalid-query", "/aggregate/metrics/-a"),
        (r#"{"aggregate":{"group":"n"},"sort":"tag"}"#, "invalid-query", "/sort"),
    ] {
        let problem = server.post("/collections/c/query", body).problem(422, slug);
        assert_eq!(problem["pointer"], place, "{body}: {problem}");
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

/// In every form a query that takes too long is refused; one that reads little is answered.
#[test]
fn a_query_takes_so_long_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.query_timeout = std::time::Duration::ZERO;
    });
    let lines: String = (0..500).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    server.call("POST", C).typed("application/x-ndjson", lines).send();
    assert_eq!(server.get("/collections/c/documents?limit=3").status, 200);
    for form in [r#","sort":"-n""#, r#","count":true"#, r#","distinct":"n""#, r#","explain":true"#]
    {
        let body = format!(r#"{{"filter":{{"n":{{"$gte":0}}}}{form}}}"#);
        let refused = server.post("/collections/c/query", &body).problem(422, "limit-exceeded");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.starts_with("a query's time in milliseconds is limited to 0,"), "{detail}");
    }
    let begun = server.post("/transactions", "{}").value();
    let path = format!("/transactions/{}/collections/c/query", begun["token"].as_str().unwrap());
    server.post(&path, r#"{"filter":{"n":{"$gte":0}}}"#).problem(422, "limit-exceeded");
}
