//! The change feed over HTTP: its forms, what is asked for, what is refused.

use std::{thread, time::Duration};

use monsterdb::{Database, server::ServeOptions};
use serde_json::{Value, json};

use crate::{
    server::Server,
    stream::{EVENTS, LINES, Stream, without_time},
};

/// A server whose long polls come back soon when there is nothing.
fn server() -> (tempfile::TempDir, Server) {
    server_with(|_| {})
}

fn server_with(change: impl FnOnce(&mut ServeOptions)) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(&folder.path().join("data"), |options| {
        options.poll_timeout = Duration::from_millis(50);
        change(options);
    });
    (folder, server)
}

fn put(server: &Server, place: &str, text: &str) -> u64 {
    let (collection, id) = place.split_once('/').unwrap();
    let answer = server.put(&format!("/collections/{collection}/documents/{id}"), text);
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.value()["_version"].as_u64().unwrap()
}

fn key(server: &Server, body: &Value) -> (String, String) {
    let made = server.post("/admin/keys", &body.to_string()).value();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

const FIRST: &str = r#"{"version":4,"ops":[{"op":"create_collection","collection":"c","options":{"require_preconditions":false}},{"op":"put","collection":"c","id":"a","doc":{"_id":"a","n":1}}]}"#;
const SECOND: &str = r#"{"version":5,"ops":[{"op":"create_index","collection":"c","index":"i","definition":{"paths":["n"]}}]}"#;
const THIRD: &str = r#"{"version":6,"ops":[{"op":"drop_index","collection":"c","index":"i"}]}"#;
const FOURTH: &str = r#"{"version":7,"ops":[{"op":"delete","collection":"c","id":"a"}]}"#;
const FIFTH: &str = r#"{"version":8,"ops":[{"op":"drop_collection","collection":"c"}]}"#;

/// One commit of each kind, versions 4 to 8; those before are the keys'.
fn commit_all(server: &Server) {
    assert_eq!(put(server, "c/a", r#"{"n":1}"#), 4);
    assert_eq!(server.put("/collections/c/indexes/i", r#"{"paths":["n"]}"#).status, 201);
    assert_eq!(server.delete("/collections/c/indexes/i").status, 204);
    assert_eq!(server.delete("/collections/c/documents/a").status, 204);
    assert_eq!(server.delete("/collections/c").status, 204);
}

#[test]
fn every_kind_of_change_has_its_text_in_every_form() {
    let (_folder, server) = server();
    commit_all(&server);
    let all = [FIRST, SECOND, THIRD, FOURTH, FIFTH];

    let answer = server.get("/changes?since=0");
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!((answer.header("cache-control"), answer.header("db-version")), ("no-store", "8"));
    let expected = format!(r#"{{"changes":[{}],"version":8}}"#, all.join(","));
    assert_eq!(without_time(&answer.body), expected);

    let mut lines = Stream::open(&server, LINES, "/changes?since=0");
    assert_eq!((lines.status, lines.headers["content-type"].to_str().unwrap()), (200, LINES));
    for expected in all {
        assert_eq!(without_time(&lines.line().unwrap()), format!("{expected}\n"));
    }

    let mut events = Stream::open(&server, EVENTS, "/changes?since=0");
    assert_eq!((events.status, events.headers["content-type"].to_str().unwrap()), (200, EVENTS));
    assert_eq!(events.headers["cache-control"], "no-store");
    assert_eq!(events.block().unwrap(), "retry: 2000\nid: 0\n");
    for (version, expected) in (4..).zip(all) {
        let block = events.block().unwrap();
        let expected = format!("id: {version}\nevent: commit\ndata: {expected}\n");
        assert_eq!(without_time(&block), expected);
    }
    // Each goes on with what comes.
    put(&server, "d/ä", r#"{"t":"a\nb"}"#);
    let next = r#"{"op":"put","collection":"d","id":"ä","doc":{"_id":"ä","t":"a\nb"}}"#;
    assert!(events.commit().contains(next));
    assert!(lines.line().unwrap().contains(next));
}

#[test]
fn the_form_is_chosen_by_accept() {
    let (_folder, server) = server();
    for (accept, form) in [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json, text/event-stream;q=0.9", "application/json"),
    ] {
        let answer = server.call("GET", "/changes").header("Accept", accept).send();
        assert_eq!((answer.status, answer.header("content-type")), (200, form), "{accept}");
    }
    for (accept, form) in [("text/event-stream, */*;q=0.1", EVENTS), ("text/*", EVENTS)] {
        let stream = Stream::open(&server, accept, "/changes");
        assert_eq!(stream.headers["content-type"], form, "{accept}");
    }
    let refused =
        server.call("GET", "/changes").header("Accept", "text/html;q=0, image/png").send();
    refused.problem(406, "not-acceptable");
    let head = server.call("HEAD", "/changes").header("Accept", LINES).send();
    assert_eq!((head.status, head.header("content-type"), &*head.body), (200, LINES, ""));
}

#[test]
fn without_since_it_is_from_now_on() {
    let (_folder, server) = server();
    put(&server, "c/a", "{}");
    let mut stream = Stream::open(&server, EVENTS, "/changes");
    // A browser that is cut off before the first commit comes back to this place.
    assert_eq!(stream.block().unwrap(), "retry: 2000\nid: 4\n");
    server.get("/changes").expect(200, r#"{"changes":[],"version":4}"#);
    put(&server, "c/b", "{}");
    assert_eq!(stream.event().unwrap().id, Some(5));
}

#[test]
fn a_client_comes_back_behind_the_last_event_that_it_saw() {
    let (_folder, server) = server();
    for n in 0..6 {
        put(&server, "c/a", &format!(r#"{{"n":{n}}}"#));
    }
    let from = |path: &str, last: Option<u64>| {
        Stream::open_with(&server, &server.key, EVENTS, path, last).event().unwrap().id
    };
    assert_eq!(from("/changes?since=5", None), Some(6));
    assert_eq!(from("/changes", Some(7)), Some(8));
    assert_eq!(from("/changes?since=5", Some(7)), Some(8), "what it saw says more");
    let poll = server.call("GET", "/changes?since=0").header("Last-Event-ID", "8").send();
    assert_eq!(poll.value()["changes"][0]["version"], 9);
}

#[test]
fn a_long_poll_waits_for_a_commit() {
    let (_folder, server) = server_with(|options| options.poll_timeout = Duration::from_secs(3600));
    thread::scope(|scope| {
        let wait = || server.get("/changes?collections=c&since=3");
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(wait)).collect();
        // None of these is what they wait for.
        for n in 0..5 {
            put(&server, "d/a", &format!(r#"{{"n":{n}}}"#));
        }
        put(&server, "c/a", "{}");
        for answer in waiting {
            let answer = answer.join().unwrap().value();
            assert_eq!(answer["changes"].as_array().unwrap().len(), 1, "{answer}");
            let version = answer["changes"][0]["version"].as_u64().unwrap();
            assert!(answer["version"].as_u64().unwrap() >= version && version > 3, "{answer}");
        }
    });
}

#[test]
fn the_position_of_a_long_poll_passes_what_was_not_asked_for() {
    let (_folder, server) = server();
    put(&server, "c/a", "{}");
    put(&server, "d/a", r#"{"n":1}"#);
    server.get("/changes?since=4&collections=c").expect(200, r#"{"changes":[],"version":5}"#);
    server.get("/changes?since=0&collections=none").expect(200, r#"{"changes":[],"version":5}"#);
    let both = server.get("/changes?since=4&collections=c,d").value();
    assert_eq!(both["changes"][0]["ops"][1]["doc"], json!({"_id": "a", "n": 1}));
}

#[test]
fn a_filter_and_old_contents_are_asked_for_in_the_query_string() {
    let (_folder, server) = server();
    put(&server, "c/a", r#"{"n":1}"#);
    let mut stream = Stream::open(&server, EVENTS, "/changes?old=true&filter=%7B%22n%22:2%7D");
    put(&server, "c/a", r#"{"n":2}"#);
    put(&server, "c/b", r#"{"n":7}"#);
    put(&server, "c/a", r#"{"n":3}"#);
    server.delete("/collections/c/documents/a");
    let ops = |text: String| serde_json::from_str::<Value>(&text).unwrap()["ops"].clone();
    let a = |n: u64| json!({"_id": "a", "n": n});
    let put =
        |n: u64| json!([{"op": "put", "collection": "c", "id": "a", "doc": a(n), "old": a(n - 1)}]);
    assert_eq!(ops(stream.commit()), put(2));
    assert_eq!(ops(stream.commit()), put(3), "it leaves what the filter means");
    let deleted = json!([{"op": "delete", "collection": "c", "id": "a", "old": a(3)}]);
    assert_eq!(ops(stream.commit()), deleted);
}

#[test]
fn an_old_content_that_is_not_known_is_told_as_such() {
    let builder = Database::builder().retain(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(builder.open(folder.path()).unwrap(), |options| {
        options.no_auth = true;
    });
    put(&server, "c/a", r#"{"n":1}"#);
    put(&server, "c/a", r#"{"n":2}"#);
    let after = server.get("/changes?since=1&old=true").body;
    assert!(after.contains(r#""n":2},"old_unknown":"the state before version 2 is not kept"}"#));
    // Everything began with nothing.
    let all = server.get("/changes?since=0&old=true").body;
    assert!(all.contains(r#""n":1},"old":null}"#), "{all}");
    assert!(all.contains(r#""n":2},"old":{"_id":"a","n":1}}"#), "{all}");
    assert!(!server.get("/changes?since=0&old=false").body.contains("old"));
}

#[test]
fn a_key_for_some_collections_is_told_of_these_alone() {
    let (_folder, server) = server();
    let (_, scoped) =
        key(&server, &json!({"name": "s", "role": "read", "collections": ["c", "d"]}));
    put(&server, "c/a", "{}");
    put(&server, "secret/a", "{}");
    let batch = r#"{"operations":[
        {"op":"put","collection":"d","id":"x","document":{}},
        {"op":"put","collection":"secret","id":"x","document":{}}]}"#;
    assert_eq!(server.post("/transactions/batch", batch).status, 200);
    let seen = |path: &str| server.call_with(&scoped, "GET", path).send();
    let all = seen("/changes?since=0");
    assert!(!all.body.contains("secret") && !all.body.contains("_keys"), "{}", all.body);
    assert_eq!(all.value()["changes"].as_array().unwrap().len(), 2);
    assert_eq!(seen("/changes?since=0&collections=d").value()["changes"][0]["version"], 7);
    for names in ["secret", "c,secret", "nothing"] {
        seen(&format!("/changes?since=0&collections={names}")).problem(403, "forbidden");
    }
    let mut stream = Stream::open_with(&server, &scoped, EVENTS, "/changes?since=4", None);
    assert!(stream.commit().contains(r#""collection":"c""#));
    let next = stream.commit();
    assert!(next.contains(r#""collection":"d""#) && !next.contains("secret"), "{next}");
}

#[test]
fn what_cannot_be_followed_is_refused_with_its_reason() {
    let (_folder, server) = server();
    let get = |path: &str| server.get(path);
    let none = get("/changes?since=4").problem(422, "invalid-query");
    assert_eq!(none["detail"], "invalid query: there is no version 4 yet: the latest is 3");
    for query in ["since=-1", "since=x", "since=", "since=99999999999999999999", "old=1", "limit=3"]
    {
        get(&format!("/changes?{query}")).problem(422, "invalid-query");
    }
    for query in ["collections=_keys", "collections=", "collections=a,,b", "collections=a%20b"] {
        get(&format!("/changes?{query}")).problem(422, "invalid-name");
    }
    get("/changes?filter=%7B%22a%22:%7B%22$no%22:1%7D%7D").problem(422, "invalid-filter");
    get("/changes?filter=x").problem(400, "invalid-json");
    get("/changes?since=1&since=2").problem(400, "invalid-request");
    for id in ["x", "-1", "1.5", "1, 2"] {
        let answer = server.call("GET", "/changes").header("Last-Event-ID", id).send();
        answer.problem(400, "invalid-request");
    }
    for accept in [EVENTS, LINES] {
        let refused = server.call("GET", "/changes?since=9").header("Accept", accept).send();
        refused.problem(422, "invalid-query");
    }
}

#[test]
fn behind_the_horizon_is_410_with_the_oldest_version() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Database::builder().segment_bytes(4096).feed_retain_bytes(0);
    let server = Server::start_on(builder.open(folder.path()).unwrap(), |options| {
        options.poll_timeout = Duration::from_millis(50);
    });
    let pad = format!(r#"{{"pad":"{}"}}"#, "x".repeat(3000));
    for n in 0..9 {
        put(&server, &format!("c/{n}"), &pad);
    }
    assert_eq!(server.get("/changes?since=0").status, 200);
    server.post("/admin/checkpoint", "").expect(200, r#"{"version":10}"#);
    for accept in [EVENTS, LINES, "application/json"] {
        let gone = server.call("GET", "/changes?since=2").header("Accept", accept).send();
        let gone = gone.problem(410, "changes-gone");
        let oldest = gone["oldest"].as_u64().unwrap();
        assert!((3..10).contains(&oldest) && gone["retryable"] == false, "{gone}");
        let kept = server.get(&format!("/changes?since={oldest}")).value();
        assert_eq!(kept["changes"].as_array().unwrap().len() as u64, 10 - oldest, "{kept}");
        let gone =
            server.get(&format!("/changes?since={}", oldest - 1)).problem(410, "changes-gone");
        assert_eq!(gone["oldest"], oldest);
    }
}
