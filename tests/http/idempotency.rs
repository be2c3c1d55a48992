//! `Idempotency-Key`: a request takes effect once, however often it is sent.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, SystemTime},
};

use monsterdb::{CollectionName, Database, Draft};
use serde_json::Value;

use crate::server::{Answer, READER, Server, WRITER};

/// Sends a POST with an Idempotency-Key, as the writer, whose API key outlives a restart.
fn post(server: &Server, key: &str, path: &str, body: &str) -> Answer {
    server.call_with(WRITER, "POST", path).header("Idempotency-Key", key).json(body).send()
}

fn count(server: &Server, collection: &str) -> u64 {
    let call = server.call_with(READER, "GET", &format!("/collections/{collection}"));
    call.send().value()["count"].as_u64().unwrap()
}

fn is_repetition(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == "true"
}

/// The requests that keep their results: each takes effect visibly when it runs once more.
const KEPT: &[(&str, &str)] = &[
    ("/collections/c/documents", r#"{"n":1}"#),
    ("/transactions/batch", r#"{"operations":[{"op":"insert","collection":"c","document":{}}]}"#),
];

#[test]
fn a_repetition_is_answered_as_the_first_and_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let mut first = Vec::new();
    for (place, (path, body)) in KEPT.iter().enumerate() {
        let answer = post(&server, &format!("k{place}"), path, body);
        assert!([200, 201].contains(&answer.status) && !is_repetition(&answer), "{answer:?}");
        first.push(answer);
    }
    let lines = "{\"_id\":\"x\"}\n{\"n\":2}\n";
    let many = |server: &Server| {
        let call = server.call_with(WRITER, "POST", "/collections/c/documents");
        call.header("Idempotency-Key", "many").typed("application/x-ndjson", lines).send()
    };
    let first_many = many(&server);
    assert_eq!((first_many.status, count(&server, "c")), (201, 4));

    let again = |server: &Server| {
        for (place, (path, body)) in KEPT.iter().enumerate() {
            let answer = post(server, &format!("k{place}"), path, body);
            assert!(is_repetition(&answer), "{answer:?}");
            assert_eq!((answer.status, &answer.body), (first[place].status, &first[place].body));
            for header in ["etag", "location"] {
                assert_eq!(answer.header(header), first[place].header(header), "{header}");
            }
        }
        let answer = many(server);
        assert_eq!((answer.status, &answer.body), (201, &first_many.body));
        assert!(is_repetition(&answer));
        assert_eq!(count(server, "c"), 4);
    };
    again(&server);
    // A key with quotes, as a structured field has it, is the same key.
    assert!(is_repetition(&post(&server, "\"k0\"", KEPT[0].0, KEPT[0].1)));
    server.stop().unwrap();
    again(&Server::start_in(folder.path(), |_| {}));
}

#[test]
fn the_version_of_a_result_is_that_of_the_commit_with_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let made = post(&server, "one", "/collections/c/documents", "{}").value();
    server.stop().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let snapshot = database.snapshot();
    let (_, stored) = snapshot.collection("_requests").unwrap().documents().next().unwrap();
    assert_eq!(stored.version().get(), made["_version"].as_u64().unwrap());
    let stored: Value = serde_json::from_str(stored.json()).unwrap();
    assert_eq!(stored["ids"][0], made["_id"]);
}

#[test]
fn a_key_is_for_one_request_of_one_caller() {
    let server = Server::start();
    let (path, body) = KEPT[0];
    let first = post(&server, "k", path, body);
    for (path, body) in [(path, r#"{"n":2}"#), ("/collections/d/documents", body), KEPT[1]] {
        post(&server, "k", path, body).problem(422, "idempotency-mismatch");
    }
    let call = server.call("POST", path).header("Idempotency-Key", "k");
    let other = call.json(body).send();
    assert!(other.status == 201 && !is_repetition(&other), "another caller's key is another");
    assert_ne!(first.value()["_id"], other.value()["_id"]);
    let call = server.call_with(READER, "POST", path).header("Idempotency-Key", "k");
    call.json(body).send().problem(403, "forbidden");
}

#[test]
fn only_what_succeeded_is_kept() {
    let server = Server::start();
    server.put("/collections/c/documents/a", "{}");
    let body = r#"{"_id":"a"}"#;
    post(&server, "k", "/collections/c/documents", body).problem(409, "already-exists");
    server.delete("/collections/c/documents/a");
    let answer = post(&server, "k", "/collections/c/documents", body);
    assert!(answer.status == 201 && !is_repetition(&answer));
    let rehearsal = r#"{"operations":[{"op":"put","collection":"c","id":"z","document":{}}],
        "dry_run":true}"#;
    assert!(!is_repetition(&post(&server, "dry", "/transactions/batch", rehearsal)));
    assert!(!is_repetition(&post(&server, "dry", "/transactions/batch", rehearsal)));
    assert_eq!(count(&server, "c"), 1);
}

#[test]
fn of_many_at_once_one_takes_effect() {
    let server = Server::start();
    let (path, _) = KEPT[0];
    for round in 0..20 {
        let key = format!("k{round}");
        let barrier = Barrier::new(8);
        let answers: Vec<Answer> = thread::scope(|scope| {
            let send = || {
                barrier.wait();
                post(&server, &key, path, "{}")
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut bodies: Vec<String> = Vec::new();
        for answer in answers {
            match answer.status {
                201 => bodies.push(answer.body),
                _ => {
                    assert_eq!(answer.header("retry-after"), "1");
                    answer.problem(409, "idempotency-in-progress");
                }
            }
        }
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "one document, however many were told of it");
        assert_eq!(count(&server, "c"), round + 1);
    }
}

#[test]
fn the_document_is_in_the_answer_while_it_is_as_it_was_written() {
    let server = Server::start();
    let send = || {
        let call = server.call("POST", "/collections/c/documents").header("Idempotency-Key", "k");
        call.header("Prefer", "return=representation").json(r#"{"_id":"a","n":1}"#).send()
    };
    let first = send();
    assert_eq!(first.value()["n"], 1);
    assert_eq!(send().body, first.body);
    server.put("/collections/c/documents/a", r#"{"n":2}"#);
    let version = first.value()["_version"].clone();
    let later = send();
    assert_eq!(later.header("preference-applied"), "");
    assert_eq!(later.body, format!(r#"{{"_id":"a","_version":{version}}}"#));
}

#[test]
fn the_commit_of_a_transaction_can_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let token = |server: &Server| {
        let begun = server.call_with(WRITER, "POST", "/transactions").json("{}").send().value();
        format!("/transactions/{}", begun["token"].as_str().unwrap())
    };
    let tx = token(&server);
    let path = format!("{tx}/collections/c/documents/a");
    assert_eq!(server.call_with(WRITER, "PUT", &path).json("{}").send().status, 201);
    let commit = format!("{tx}/commit");
    let send = |server: &Server| {
        server.call_with(WRITER, "POST", &commit).header("Idempotency-Key", "commit").send()
    };
    let first = send(&server);
    assert_eq!((first.status, is_repetition(&first)), (200, false), "{first:?}");
    server.call_with(WRITER, "POST", &commit).send().problem(410, "tx-ended");
    assert_eq!(send(&server).body, first.body);

    // One that only read is committed without a trace.
    let reader = token(&server);
    let path = format!("{reader}/collections/c/documents/a");
    assert_eq!(server.call_with(WRITER, "GET", &path).send().status, 200);
    let version = server.get("/collections").value()["version"].clone();
    let call = server.call_with(WRITER, "POST", &format!("{reader}/commit"));
    assert_eq!(call.header("Idempotency-Key", "r").send().value()["version"], version);
    assert_eq!(server.get("/collections").value()["version"], version);

    server.stop().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let again = send(&server);
    assert!(again.status == 200 && again.body == first.body && is_repetition(&again));
}

#[test]
fn where_nothing_is_kept_a_key_is_refused() {
    let server = Server::start();
    let begun = server.call_with(WRITER, "POST", "/transactions").json("{}").send().value();
    let tx = format!("/transactions/{}", begun["token"].as_str().unwrap());
    for (path, body) in
        [("/transactions".to_owned(), "{}"), (format!("{tx}/collections/c/documents"), "{}")]
    {
        post(&server, "k", &path, body).problem(400, "invalid-request");
    }
    let call = server.call("POST", "/admin/keys").header("Idempotency-Key", "k");
    call.json(r#"{"name":"k","role":"read"}"#).send().problem(400, "invalid-request");
    // Repeated, it would count twice.
    let call = server.call("PATCH", "/collections/c/documents/a").header("Idempotency-Key", "k");
    call.json(r#"{"$inc":{"n":1}}"#).send().problem(400, "invalid-request");
    // A query changes nothing, so that a client may send its key with every POST.
    assert_eq!(post(&server, "k", "/collections/c/query", "{}").status, 200);
    for wrong in ["", " ", "\"\"", "a b", &"x".repeat(256)] {
        post(&server, wrong, KEPT[0].0, "{}").problem(400, "invalid-request");
    }
    assert_eq!(post(&server, &"x".repeat(255), KEPT[0].0, "{}").status, 201);
}

#[test]
fn a_result_is_kept_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let (path, body) = KEPT[0];
    let requests = CollectionName::stored("_requests").unwrap();
    let mut first = None;
    for (hours, is_kept) in [(0, None), (23, Some(true)), (24, Some(false))] {
        let server = Server::start_in(folder.path(), |_| {});
        let answer = post(&server, "k", path, body);
        if let Some(is_kept) = is_kept {
            assert_eq!(is_repetition(&answer), is_kept, "after {hours} hours");
            // The version of the stored result moved with the rewriting, the id did not.
            let id = answer.value()["_id"].clone();
            assert_eq!(first == Some(id), is_kept);
        }
        first = Some(answer.value()["_id"].clone());
        server.stop().unwrap();

        // As if time had passed.
        let database = Database::open(folder.path()).unwrap();
        let snapshot = database.snapshot();
        let (id, stored) = snapshot.collection("_requests").unwrap().documents().next().unwrap();
        let mut stored: Value = serde_json::from_str(stored.json()).unwrap();
        let next = if hours == 0 { 23 } else { 24 };
        let created = SystemTime::now() - Duration::from_secs(next * 60 * 60);
        stored["created"] = humantime::format_rfc3339_millis(created).to_string().into();
        let draft = Draft::parse(stored.to_string().as_bytes()).unwrap();
        let tx = database.begin();
        tx.put(&requests, id, draft).unwrap();
        database.commit(tx).unwrap();
        database.close().unwrap();
    }
}
