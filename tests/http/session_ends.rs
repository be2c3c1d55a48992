//! Interactive transactions: one request at a time, time and number limited, bound to their key.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::{
    server::{READER, Server, WRITER},
    sessions::{A, B, Session},
};

#[test]
fn one_request_at_a_time_and_the_second_is_told_at_once() {
    let server = Server::start();
    let session = Session::begin(&server, &server.key);
    let mut slow = TcpStream::connect(server.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "PUT {}{A} HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n",
        session.path, server.key
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The server asks for the body: from now on the request is under way.
    let mut told = [0; 25];
    slow.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    for (method, path, body) in
        [("GET", A, ""), ("POST", "/commit", ""), ("DELETE", "", ""), ("PUT", B, "{}")]
    {
        let busy = session.send(method, path, body).problem(409, "tx-busy");
        assert_eq!(busy["retryable"], true, "{method} {path}");
    }
    // Another session is another matter.
    assert_eq!(Session::begin(&server, &server.key).send("GET", B, "").status, 404);
    slow.write_all(br#"{"n":1}"#).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    session.send("GET", A, "").expect(200, r#"{"_id":"a","n":1}"#);
    session.commit().expect(200, r#"{"version":4}"#);
}

#[test]
fn a_client_that_breaks_off_leaves_its_session_usable() {
    let server = Server::start();
    let session = Session::begin(&server, &server.key);
    let head = format!(
        "PUT {}{A} HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\nContent-Length: 7\r\n\
         Expect: 100-continue\r\n\r\n",
        session.path, server.key
    );
    let mut broken = TcpStream::connect(server.address).unwrap();
    broken.write_all(head.as_bytes()).unwrap();
    broken.read_exact(&mut [0; 25]).unwrap();
    drop(broken);
    // The server sees the end of the connection when it does; then the session is free.
    let read = loop {
        let read = session.send("GET", A, "");
        if read.status != 409 {
            break read;
        }
    };
    read.problem(404, "not-found");
}

#[test]
fn who_waits_too_long_is_rolled_back() {
    let ended = |change: fn(&mut monsterdb::server::ServeOptions)| {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_in(folder.path(), change);
        let session = Session::begin(&server, &server.key);
        for (method, path) in [("GET", A), ("POST", "/commit"), ("DELETE", "")] {
            let problem = session.send(method, path, "").problem(410, "tx-ended");
            assert!(problem["detail"].as_str().unwrap().contains("in time"), "{problem}");
        }
        assert_eq!(server.get("/admin/stats").value()["sessions"]["expired"], 1);
    };
    ended(|options| options.session_idle = Duration::ZERO);
    ended(|options| options.session_total = Duration::ZERO);
}

#[test]
fn there_are_as_many_as_the_limits_say_and_ended_ones_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        (options.sessions, options.sessions_per_key) = (3, 2);
    });
    let own = [Session::begin(&server, WRITER), Session::begin(&server, WRITER)];
    let begin = |key: &str| server.call_with(key, "POST", "/transactions").send();
    let refused = begin(WRITER);
    assert_eq!(refused.header("retry-after"), "1");
    let problem = refused.problem(429, "too-many-sessions");
    assert!(problem["detail"].as_str().unwrap().contains("the key has 2"), "{problem}");
    let other = Session::begin(&server, READER);
    let problem = begin(&server.key).problem(429, "too-many-sessions");
    assert!(problem["detail"].as_str().unwrap().contains("the server has 3"), "{problem}");
    own[0].send("DELETE", "", "").expect(204, "");
    assert_eq!(begin(&server.key).status, 201);
    other.commit().expect(200, r#"{"version":3}"#);
    assert_eq!(begin(WRITER).status, 201);
}

#[test]
fn a_token_is_good_with_its_key_and_until_its_end() {
    let server = Server::start();
    let session = Session::begin(&server, WRITER);
    session.send("PUT", A, "{}").expect(201, r#"{"_id":"a","_version":3}"#);
    for key in [READER, &server.key] {
        let stranger = Session { server: &server, key, path: session.path.clone() };
        for (method, path) in [("GET", A), ("POST", "/commit"), ("DELETE", "")] {
            stranger.send(method, path, "").problem(404, "tx-not-found");
        }
    }
    for token in ["0".repeat(32).as_str(), "x", "%20"] {
        let path = format!("/transactions/{token}{A}");
        server.get(&path).problem(404, "tx-not-found");
    }
    session.send("DELETE", "", "").expect(204, "");
    for (method, path) in [("GET", A), ("POST", "/commit"), ("DELETE", "")] {
        let problem = session.send(method, path, "").problem(410, "tx-ended");
        assert!(problem["detail"].as_str().unwrap().contains("rolled back"), "{problem}");
    }
    let stranger = Session { server: &server, key: READER, path: session.path.clone() };
    stranger.send("GET", A, "").problem(404, "tx-not-found");
    server.get(A).problem(404, "not-found");

    let reader = Session::begin(&server, READER);
    reader.send("PUT", A, "{}").problem(403, "forbidden");
    reader.send("GET", A, "").problem(404, "not-found");
    reader.commit().expect(200, r#"{"version":3}"#);
    let problem = reader.commit().problem(410, "tx-ended");
    assert!(problem["detail"].as_str().unwrap().contains("at version 3"), "{problem}");
}
