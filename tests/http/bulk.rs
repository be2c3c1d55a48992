//! Many documents: line by line in, all of them out.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::server::{Answer, Server};

const C: &str = "/collections/c/documents";
const NDJSON: &str = "application/x-ndjson";

fn insert_each(server: &Server, lines: &str) -> Answer {
    server.call("POST", &format!("{C}?atomic=false")).typed(NDJSON, lines).send()
}

fn export(server: &Server, query: &str) -> Answer {
    server.call("GET", &format!("{C}?limit=all{query}")).header("Accept", NDJSON).send()
}

fn results(answer: &Answer) -> Vec<Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// `line`, and `_id` or the last part of the problem's type.
fn told(result: &Value) -> (u64, &str) {
    let slug = || result["problem"]["type"].as_str().unwrap().rsplit('/').next().unwrap();
    (result["line"].as_u64().unwrap(), result["_id"].as_str().unwrap_or_else(slug))
}

#[test]
fn each_line_takes_effect_or_is_refused_for_itself() {
    let server = Server::start();
    server.put("/collections/c/indexes/u", r#"{"paths":["u"],"unique":true}"#);
    server.put(&format!("{C}/there"), "{}");
    let lines = concat!(
        "{\"_id\":\"a\",\"u\":1}\n\n{\"_id\":\"there\"}\n{\"a\":\n[]\n",
        "{\"_id\":\"b\",\"u\":1}\n{\"_id\":\"a\"}\n{\"_id\":\"c\",\"u\":2}"
    );
    let answer = insert_each(&server, lines);
    assert_eq!((answer.status, answer.header("content-type")), (200, NDJSON));
    let results = results(&answer);
    let expected = [
        (1, "a"),
        (3, "already-exists"),
        (4, "invalid-json"),
        (5, "invalid-document"),
        (6, "unique-violation"),
        (7, "already-exists"),
        (8, "c"),
    ];
    assert_eq!(results.iter().map(told).collect::<Vec<_>>(), expected);
    for result in &results {
        match result["_id"].as_str() {
            Some(id) => {
                let version = server.get(&format!("{C}/{id}")).value()["_version"].clone();
                assert_eq!(result["_version"], version, "what is told is what was committed");
            }
            None => assert!(result["problem"]["status"].as_u64() >= Some(400), "{result}"),
        }
    }
    assert_eq!(server.get("/collections/c").value()["count"], 3);
}

#[test]
fn more_lines_than_a_commit_takes_are_inserted() {
    let server = Server::start();
    let lines: String = (0..25_000).map(|n| format!("{{\"_id\":\"{n:05}\"}}\n")).collect();
    let answer = insert_each(&server, &lines);
    let results = results(&answer);
    assert_eq!(results.len(), 25_000);
    assert!(results.iter().zip(1..).all(|(result, line)| told(result).0 == line));
    let exported = export(&server, "");
    let ids: Vec<Value> =
        exported.body.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert!(ids.iter().zip(0..).all(|(id, n)| id["_id"] == format!("{n:05}")));
    assert_eq!(ids.len(), 25_000);
    assert_eq!(exported.header("db-version"), server.get("/collections").header("db-version"));
}

#[test]
fn a_result_is_sent_while_later_lines_are_still_to_come() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST {C}?atomic=false HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\nContent-Type: {NDJSON}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        server.key
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap());
    for n in 1..=3 {
        let line = format!("{{\"_id\":\"{n}\"}}\n");
        write!(stream, "{:x}\r\n{line}\r\n", line.len()).unwrap();
        let mut text = String::new();
        while !text.starts_with("{\"line\"") {
            text.clear();
            assert!(answer.read_line(&mut text).unwrap() > 0, "the answer ended early");
        }
        assert!(text.starts_with(&format!("{{\"line\":{n},\"_id\":\"{n}\"")), "{text}");
        assert_eq!(server.get(&format!("{C}/{n}")).status, 200, "it is told when it is there");
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[test]
fn what_matches_is_exported_as_it_is_at_one_version() {
    let server = Server::start();
    let lines: String = (0..100).map(|n| format!("{{\"_id\":\"{n:02}\",\"n\":{n}}}\n")).collect();
    insert_each(&server, &lines);
    let version = server.get(&format!("{C}?limit=1")).value()["version"].clone();
    server.delete(&format!("{C}/99"));
    let filter = "&filter=%7B%22n%22%3A%7B%22%24gte%22%3A97%7D%7D&fields=n,-_version";
    let filter = filter.replace(",-_version", "");
    let ids = |answer: &Answer| results(answer).iter().map(|d| d["n"].as_u64().unwrap()).collect();
    let now: Vec<u64> = ids(&export(&server, &filter));
    let then: Vec<u64> = ids(&export(&server, &format!("{filter}&at={version}")));
    assert_eq!((now, then), (vec![97, 98], vec![97, 98, 99]));
    assert_eq!(export(&server, "&filter=%7B%22n%22%3A-1%7D").body, "");
    let none = server.call("GET", "/collections/none/documents?limit=all").header("Accept", NDJSON);
    assert_eq!(none.send().body, "");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let server = Server::start();
    let json = server.call("POST", &format!("{C}?atomic=false")).json("{}").send();
    json.problem(415, "unsupported-media-type");
    let call = server.call("POST", &format!("{C}?atomic=false")).header("Idempotency-Key", "k");
    call.typed(NDJSON, "{}").send().problem(400, "invalid-request");
    server.call("POST", &format!("{C}?atomic=x")).json("{}").send().problem(422, "invalid-query");
    for extra in ["&sort=n", "&offset=1", "&cursor=x", "&explain=true", "&more=1"] {
        export(&server, extra).problem(422, "invalid-query");
    }
    server.get(&format!("{C}?limit=all")).problem(406, "not-acceptable");
    export(&server, "&at=999").problem(422, "invalid-query");
    let begun = server.post("/transactions", "{}").value();
    let tx = format!("/transactions/{}{C}", begun["token"].as_str().unwrap());
    let call = server.call("POST", &format!("{tx}?atomic=false")).typed(NDJSON, "{}");
    call.send().problem(422, "invalid-query");
    let call = server.call("GET", &format!("{tx}?limit=all")).header("Accept", NDJSON);
    call.send().problem(422, "invalid-query");
    assert_eq!(server.get("/collections/c").status, 404, "nothing of it took effect");
}
