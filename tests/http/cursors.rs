//! Cursors: pages of one listing are pages of one version, and what is no cursor is told.

use std::time::Duration;

use monsterdb::Database;
use serde_json::{Value, json};

use crate::server::{Answer, Server};

const C: &str = "/collections/c/documents";

fn fill(server: &Server) {
    let lines: String =
        (0..10).map(|n| format!("{{\"_id\":\"d{n}\",\"n\":{}}}\n", n / 3)).collect();
    let answer = server.call("POST", C).typed("application/x-ndjson", lines).send();
    assert_eq!(answer.status, 201, "{answer:?}");
}

fn filled() -> Server {
    let server = Server::start();
    fill(&server);
    server
}

fn ids(answer: &Answer) -> String {
    let documents = answer.value()["documents"].clone();
    let ids = documents.as_array().unwrap().iter();
    ids.map(|document| document["_id"].as_str().unwrap().trim_start_matches('d')).collect()
}

fn cursor(answer: &Answer) -> String {
    answer.value()["cursor"].as_str().unwrap().to_owned()
}

#[test]
fn pages_are_of_the_first_ones_version() {
    let server = filled();
    let first = server.get(&format!("{C}?sort=-n&limit=4"));
    assert_eq!((first.status, &*ids(&first)), (200, "9678"));
    let version = first.value()["version"].clone();
    assert_eq!(first.header("db-cursor"), cursor(&first));
    server.put(&format!("{C}/d6"), r#"{"n":-1}"#);
    server.put(&format!("{C}/d0"), r#"{"n":9}"#);
    server.delete(&format!("{C}/d3"));

    let second = server.get(&format!("{C}?sort=-n&limit=3&cursor={}", cursor(&first)));
    assert_eq!((&*ids(&second), &second.value()["version"]), ("345", &version));
    assert_eq!(second.header("db-version"), version.to_string());
    let body = format!(r#"{{"sort":"-n","fields":["_id"],"cursor":"{}"}}"#, cursor(&second));
    let last = server.post("/collections/c/query", &body);
    assert_eq!((&*ids(&last), &last.value()["version"]), ("012", &version));
    assert!(last.value()["cursor"].is_null() && last.header("db-cursor").is_empty());

    // What a cursor named can be read as a whole, and asked other questions.
    let at =
        |rest: &str| server.post("/collections/c/query", &format!(r#"{{"at":{version}{rest}}}"#));
    assert_eq!(ids(&at(r#","limit":20"#)), "0123456789");
    at(r#","count":true"#).expect(200, &format!(r#"{{"count":10,"version":{version}}}"#));
    at(r#","distinct":"n""#).expect(200, &format!(r#"{{"values":[0,1,2,3],"version":{version}}}"#));
    // And its pages go on.
    let page = at(r#","limit":9"#);
    let body = format!(r#"{{"cursor":"{}"}}"#, cursor(&page));
    assert_eq!(ids(&server.post("/collections/c/query", &body)), "9");
}

#[test]
fn pages_as_lines_have_their_cursor_in_the_head() {
    let server = filled();
    let lines = |query: &str| {
        let call = server.call("GET", &format!("{C}?limit=6{query}"));
        call.header("Accept", "application/x-ndjson").send()
    };
    let first = lines("");
    assert_eq!(first.body.lines().count(), 6);
    let last = lines(&format!("&cursor={}", first.header("db-cursor")));
    assert_eq!((last.body.lines().count(), last.header("db-cursor")), (4, ""));
}

#[test]
fn what_is_no_cursor_of_this_listing_is_refused() {
    let server = filled();
    let cursor = cursor(&server.get(&format!("{C}?sort=n&limit=2")));
    let page = |path: &str, cursor: &str| server.get(&format!("{path}&cursor={cursor}"));
    assert_eq!(ids(&page(&format!("{C}?sort=n"), &cursor)).len(), 8);
    let other = "/collections/d/documents";
    for path in [
        format!("{other}?sort=n"),
        format!("{C}?sort=-n"),
        format!("{C}?limit=2"),
        format!("{C}?sort=n&filter=%7B%22n%22%3A0%7D"),
        format!("{C}?sort=n&offset=1"),
    ] {
        page(&path, &cursor).problem(422, "invalid-query");
    }
    let mut changed = cursor.clone();
    changed.replace_range(20..21, if &changed[20..21] == "0" { "1" } else { "0" });
    for text in [&cursor[2..], &cursor[..cursor.len() - 2], &changed, "00", "%F0%9F%98%80", "~"] {
        page(&format!("{C}?sort=n"), text).problem(422, "invalid-query");
    }
    // Made up, with a check that is right: of a document that is not there, of a version to come,
    // of one that was not kept, of an opening that never was.
    let version = |version: u64, cursor: &str| {
        let mut body = body_of(cursor);
        body[8..16].copy_from_slice(&version.to_be_bytes());
        text_of(&body)
    };
    let absent = text_of(&[&body_of(&cursor)[..24], b"absent"].concat());
    for forged in [absent, version(99, &cursor)] {
        page(&format!("{C}?sort=n"), &forged).problem(422, "invalid-query");
    }
    let opening = text_of(&[&[7; 8][..], &body_of(&cursor)[8..]].concat());
    for forged in [version(1, &cursor), opening] {
        page(&format!("{C}?sort=n"), &forged).problem(410, "version-gone");
    }
}

/// The bytes behind a cursor's check.
fn body_of(cursor: &str) -> Vec<u8> {
    let pairs = cursor.as_bytes()[10..].chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The cursor with these bytes behind a check that is right.
fn text_of(body: &[u8]) -> String {
    let check = crc32fast::hash(body).to_be_bytes();
    let bytes = [&[1][..], &check, body].concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_cursor_whose_time_is_over_is_gone_and_the_nearest_version_is_told() {
    let builder = Database::builder().retain(Duration::ZERO);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_on(builder.open(folder.path()).unwrap(), |_| {});
    fill(&server);
    let first = server.get(&format!("{C}?limit=2"));
    let next = || server.get(&format!("{C}?limit=2&cursor={}", cursor(&first)));
    assert_eq!(ids(&next()), "23", "the latest version can always be read");
    server.put(&format!("{C}/d0"), "{}");
    let latest = server.get(C).value()["version"].clone();
    let problem = next().problem(410, "version-gone");
    assert_eq!(problem["nearest"], latest);
    let at = format!(r#"{{"at":{}}}"#, first.value()["version"]);
    let problem = server.post("/collections/c/query", &at).problem(410, "version-gone");
    assert_eq!(problem["nearest"], latest);
    server.stop().unwrap();
}

#[test]
fn a_cursor_from_before_a_restart_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Database::builder().open(folder.path()).unwrap();
    let server = Server::start_on(open(), |options| options.no_auth = true);
    fill(&server);
    let first = server.get(&format!("{C}?limit=2"));
    server.stop().unwrap();
    let server = Server::start_on(open(), |options| options.no_auth = true);
    assert_eq!(server.get(C).value()["version"], first.value()["version"], "nothing was written");
    let next = server.get(&format!("{C}?limit=2&cursor={}", cursor(&first)));
    next.problem(410, "version-gone");
    server.stop().unwrap();
}

#[test]
fn every_read_can_be_of_an_earlier_version() {
    let server = filled();
    server.put("/collections/c/indexes/n", r#"{"paths":["n"]}"#);
    // A cursor keeps the version that it names.
    let version = server.get(&format!("{C}?limit=1")).value()["version"].clone();
    let reads = [
        "/collections".to_owned(),
        "/collections/c".to_owned(),
        "/collections/c/indexes".to_owned(),
        C.to_owned(),
        format!("{C}?sort=-_id&limit=8"),
        format!("{C}/d0"),
    ];
    let at = |path: &str, version: &Value| {
        let separator = if path.contains('?') { '&' } else { '?' };
        server.get(&format!("{path}{separator}at={version}"))
    };
    // A page's cursor is of the listing at that version, so it is as it was too.
    let before: Vec<_> = reads.iter().map(|path| at(path, &version).body).collect();
    server.put(&format!("{C}/d0"), r#"{"n":70}"#);
    server.delete(&format!("{C}/d1"));
    server.delete("/collections/c/indexes/n");
    server.put("/collections/d", "{}");
    for (path, before) in reads.iter().zip(&before) {
        assert_ne!(server.get(path).body, *before, "{path} is another one now");
        let answer = at(path, &version);
        assert_eq!((answer.status, &answer.body), (200, before), "{path}");
        assert_eq!(answer.header("db-version"), version.to_string(), "{path}");

        let problem = at(path, &json!(1)).problem(410, "version-gone");
        assert_eq!(at("/collections", &problem["oldest"]).status, 200, "{problem}");
        at(path, &json!(999)).problem(422, "invalid-query");
        for wrong in [json!(-1), json!("x"), json!(1.5), json!(null)] {
            at(path, &wrong).problem(422, "invalid-query");
        }
    }
    let first = server.get(&format!("{C}?limit=1"));
    let both = format!("{C}?at={version}&cursor={}", cursor(&first));
    server.get(&both).problem(422, "invalid-query");
    let begun = server.post("/transactions", "{}").value();
    let tx = format!("/transactions/{}", begun["token"].as_str().unwrap());
    for path in [C.to_owned(), format!("{C}/d0")] {
        at(&format!("{tx}{path}"), &version).problem(422, "invalid-query");
    }
}
