//! Bytes on the wire: what no decent client sends.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::server::Server;

/// Sends these bytes and reads until the server closes or says no more.
pub(crate) fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request whose path is sent as it stands, with a body if there is one.
pub(crate) fn request(server: &Server, method: &str, path: &str, body: &str) -> String {
    let (key, length) = (&server.key, body.len());
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nX-API-Key: {key}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    exchange(server, head.as_bytes())
}

#[test]
fn a_body_that_does_not_come_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.body_timeout = Duration::from_millis(100);
    });
    let head = format!(
        "PUT /collections/c/documents/a HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"n\":",
        server.key
    );
    let answer = exchange(&server, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/request-timeout"), "{answer}");
    assert_eq!(server.get("/collections/c/documents/a").status, 404);
}

#[test]
fn a_head_that_does_not_come_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.head_timeout = Duration::from_millis(100);
    });
    let answer = exchange(&server, b"GET /health HTT");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_body_that_breaks_off_stores_nothing() {
    let server = Server::start();
    let head = format!(
        "PUT /collections/c/documents/a HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{\"n\":1}}",
        server.key
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(server.get("/collections/c/documents/a").status, 404);
}

#[test]
fn a_refused_request_is_answered_though_its_body_is_large() {
    let server = Server::start();
    let body = "x".repeat(8 * 1024 * 1024);
    let answer = server.call_with("", "PUT", "/collections/c/documents/a").json(&body).send();
    answer.problem(401, "unauthorized");
    let key = crate::server::READER;
    let answer = server.call_with(key, "PUT", "/collections/c/documents/a").json(&body).send();
    answer.problem(403, "forbidden");
    server.call("PUT", "/nowhere").json(&body).send().problem(404, "route-not-found");
}
