//! How a stream of changes ends, and what keeps it alive: signs of life, caps, a key that is revoked,
//! clients that take nothing, a server that stops.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};

use monsterdb::{Database, server::ServeOptions};
use serde_json::{Value, json};

use crate::{
    server::Server,
    stream::{EVENTS, LINES, Stream},
};

const HOUR: Duration = Duration::from_secs(3600);

fn server(change: impl FnOnce(&mut ServeOptions)) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(&folder.path().join("data"), change);
    (folder, server)
}

/// One more commit of so many bytes.
fn commit(server: &Server, bytes: usize) {
    let text = format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes));
    assert_eq!(server.post("/collections/c/documents", &text).status, 201);
}

/// A client that asks for the changes after a version, and reads nothing of them.
fn mute(server: &Server, accept: &str, since: u64) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "GET /changes?since={since} HTTP/1.1\r\nHost: test\r\nX-API-Key: {}\r\n\
         Accept: {accept}\r\n\r\n",
        server.key
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It has its place before anybody else asks for one.
    let mut status = [0; 15];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200 OK");
    stream
}

/// What a client gets when it begins to read at last.
fn all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // An end that is not one of the answer is an error here.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn an_idle_stream_gives_signs_of_life() {
    let (_folder, server) = server(|options| options.heartbeat = Duration::from_millis(20));
    let mut events = Stream::open(&server, EVENTS, "/changes?collections=c");
    let mut lines = Stream::open(&server, LINES, "/changes?collections=c");
    assert_eq!(events.block().unwrap(), "retry: 2000\nid: 3\n");
    assert_eq!(events.block().unwrap(), ": heartbeat\nid: 3\n");
    assert_eq!(lines.line().unwrap(), "\n");
    // It tells of the position, which other commits move.
    server.put("/collections/d/documents/a", "{}");
    while events.block().unwrap() != ": heartbeat\nid: 4\n" {}
    server.put("/collections/c/documents/a", "{}");
    assert_eq!(events.event().unwrap().id, Some(5));
    let change = std::iter::from_fn(|| lines.line()).find(|line| line != "\n").unwrap();
    assert!(change.starts_with(r#"{"version":5,"#), "{change}");
}

#[test]
fn more_than_the_cap_may_not_follow() {
    let (_folder, server) = server(|options| options.streams = 2);
    let first = Stream::open(&server, EVENTS, "/changes");
    let _second = Stream::open(&server, LINES, "/changes");
    let refused = server.get("/changes?since=0").problem(429, "too-many-streams");
    assert_eq!(refused["retryable"], true);
    assert_eq!(server.get("/collections").status, 200);
    drop(first);
    // That it is gone is seen when something is to be sent to it.
    loop {
        commit(&server, 10);
        if Stream::open(&server, EVENTS, "/changes").status == 200 {
            break;
        }
    }
}

#[test]
fn the_stream_of_a_revoked_key_ends() {
    let (_folder, server) = server(|_| {});
    for accept in [EVENTS, LINES] {
        let body = json!({"name": "app", "role": "read"}).to_string();
        let made = server.post("/admin/keys", &body).value();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (id, key) = (text("id"), text("key"));
        let path = "/changes?collections=nothing";
        let mut stream = Stream::open_with(&server, &key, accept, path, None);
        let poll = thread::scope(|scope| {
            let poll = scope.spawn(|| server.call_with(&key, "GET", path).send());
            // So that the poll waits by now, or will find the key revoked at once.
            server.get("/collections");
            assert_eq!(server.delete(&format!("/admin/keys/{id}")).status, 204);
            poll.join().unwrap()
        });
        poll.problem(401, "unauthorized");
        let rest = stream.rest();
        let told = r#"{"reason":"unauthorized","detail":"the key was revoked","version":"#;
        let expected = match accept {
            EVENTS => format!("event: end\ndata: {told}"),
            _ => format!(r#"{{"event":"end","data":{told}"#),
        };
        assert!(rest.contains(&expected), "{rest}");
    }
}

/// The deadline of a stop is far away: whoever waits for it waits for ever.
#[test]
fn a_server_that_stops_ends_its_streams() {
    let (_folder, server) = server(|options| {
        (options.shutdown_timeout, options.poll_timeout) = (HOUR, HOUR);
        (options.stream_write_timeout, options.heartbeat) = (HOUR, HOUR);
    });
    let mut events = Stream::open(&server, EVENTS, "/changes");
    let mut lines = Stream::open(&server, LINES, "/changes");
    // One that reads nothing, with more to read than a connection holds.
    (0..24).for_each(|_| commit(&server, 1 << 20));
    let mute = mute(&server, EVENTS, 0);
    thread::scope(|scope| {
        let poll = scope.spawn(|| server.get("/changes?collections=nothing"));
        for _ in 0..24 {
            events.event().unwrap();
            lines.line().unwrap();
        }
        server.tell_to_stop();
        let last = events.event().unwrap();
        assert_eq!(last.event, "end");
        let told: Value = serde_json::from_str(&last.data).unwrap();
        assert_eq!((&told["reason"], &told["version"]), (&"closed".into(), &27.into()));
        assert_eq!(events.event(), None);
        assert!(lines.rest().starts_with(r#"{"event":"end","data":{"reason":"closed","#));
        let polled = poll.join().unwrap();
        assert!([200, 503].contains(&polled.status), "{polled:?}");
    });
    server.stop().unwrap();
    drop(mute);
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    let (_folder, server) = server(|options| {
        options.streams = 1;
        options.stream_write_timeout = Duration::from_millis(100);
    });
    (0..24).for_each(|_| commit(&server, 1 << 20));
    let mute = mute(&server, EVENTS, 0);
    // Its place is free again, though it is still connected.
    while Stream::open(&server, EVENTS, "/changes").status == 429 {
        thread::yield_now();
    }
    let got = all(mute);
    let events = got.matches("event: commit\n").count();
    assert!((1..24).contains(&events), "{events} events");
    // In the middle of an event it breaks off. Between two it may be told that it was too slow, and
    // still take that.
    let has_ended = got.ends_with("0\r\n\r\n");
    assert!(!has_ended || got.contains("event: resync\n"), "it looks like the end");
}

#[test]
fn a_stream_that_falls_behind_the_horizon_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Database::builder().segment_bytes(1 << 16).feed_retain_bytes(0);
    let server = Server::start_on(builder.open(folder.path()).unwrap(), |options| {
        options.stream_write_timeout = HOUR;
    });
    for accept in [EVENTS, LINES] {
        let latest = server.get("/collections").value()["version"].as_u64().unwrap();
        let mute = mute(&server, accept, latest);
        (0..24).for_each(|_| commit(&server, 1 << 20));
        assert_eq!(server.post("/admin/checkpoint", "").status, 200);
        let got = all(mute);
        let told = got.rsplit("\r\n").find(|part| part.contains("resync"));
        let told =
            told.unwrap_or_else(|| panic!("{} bytes: {:?}", got.len(), &got[got.len() - 300..]));
        let data = told.split_once(r#"{"reason":"#).unwrap().1.split_once('}').unwrap().0;
        let data: Value = serde_json::from_str(&format!(r#"{{"reason":{data}}}"#)).unwrap();
        assert_eq!(data["reason"], "changes-gone");
        assert!(data["oldest"].as_u64() > data["version"].as_u64(), "{data}");
        assert!(got.ends_with("0\r\n\r\n"), "the answer has an end");
        // What it was told of is without a gap, up to where it says.
        let versions = got.split(r#"{"version":"#).skip(1);
        let versions: Vec<u64> =
            versions.filter_map(|part| part.split_once(r#","time""#)?.0.parse().ok()).collect();
        assert!(versions.windows(2).all(|pair| pair[1] == pair[0] + 1), "{versions:?}");
        assert_eq!(versions.last().copied(), data["version"].as_u64());
    }
}
