//! The server: whatever is asked, it answers in good form, with JSON where there is a body, and
//! never fails by itself.
//!
//! The input is a request with line feeds alone: the request line without its version, headers, an
//! empty line, the body. `VERSION` stands for the version of the document `c/a`. The headers that
//! frame a request are the target's own.
#![no_main]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fuzz::{draft, id};
use libfuzzer_sys::fuzz_target;
use monsterdb::{
    CollectionName, Database, IndexDefinition,
    server::{ServeOptions, Server},
    storage::MemoryStorage,
};
use serde_json::value::RawValue;

fuzz_target!(|input: &[u8]| {
    let (method, request) = request(&scene().database, input);
    let mut stream = TcpStream::connect(scene().address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is a time");
    // A server that has refused the request may have closed before it has read it all.
    let sent = stream.write_all(&request).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    let mut answer = Vec::new();
    let received = stream.read_to_end(&mut answer);
    if sent.is_ok() {
        received.expect("the server answers and closes");
        assert_answer(&method, &answer);
    }
    scene().restore();
});

/// A server in this process, and its database from within.
struct Scene {
    database: Database,
    address: SocketAddr,
    /// The version after it was filled.
    filled: AtomicU64,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let builder = Database::builder().background(false).retain_bytes(1 << 20);
        let storage = Arc::new(MemoryStorage::forgetful_but("wal"));
        let database = builder.open_in(storage).expect("memory has no files that could fail");
        let mut options = ServeOptions::new(([127, 0, 0, 1], 0).into());
        options.no_auth = true;
        let server = Server::bind(database.clone(), options).expect("there is a port");
        let address = server.address();
        std::thread::spawn(move || server.run());
        let scene = Scene { database, address, filled: AtomicU64::new(0) };
        scene.fill();
        scene
    })
}

impl Scene {
    /// Undoes what a request has done.
    fn restore(&self) {
        if self.database.snapshot().version().get() == self.filled.load(Ordering::Relaxed) {
            return;
        }
        for (name, _) in self.database.snapshot().collections() {
            self.database.drop_collection(name.as_str()).expect("memory takes every write");
        }
        self.fill();
    }

    fn fill(&self) {
        let name = CollectionName::new("c").expect("it is a name");
        let put = |tx: &monsterdb::Transaction| {
            tx.put(&name, &id("a"), draft(r#"{"n":1,"tags":["x","y"]}"#))?;
            tx.put(&name, &id("b"), draft(r#"{"n":2.5,"in":{"s":"text"}}"#))
        };
        self.database.transact(put).expect("memory takes every write");
        let index = IndexDefinition::on(["n"]).expect("it is a path");
        self.database.create_index("c", "n", index).expect("the documents fit");
        self.filled.store(self.database.snapshot().version().get(), Ordering::Relaxed);
    }
}

/// The method, and the request as it is sent.
fn request(database: &Database, input: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let document = database.snapshot().get("c", "a").map_or(0, |document| document.version().get());
    let input = replaced(input, b"VERSION", document.to_string().as_bytes());
    let end = input.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&input[..end], &input[end + 2..]),
        None => (&input[..], &b""[..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let mut request = [line, b" HTTP/1.1\r\n"].concat();
    let framing: [&[u8]; 5] =
        [b"connection", b"content-length", b"transfer-encoding", b"host", b"upgrade"];
    for header in lines {
        let name = header.split(|byte| *byte == b':').next().unwrap_or_default();
        if !framing.iter().any(|known| name.trim_ascii().eq_ignore_ascii_case(known)) {
            request.extend([header, b"\r\n"].concat());
        }
    }
    let length = body.len();
    let own = format!("Host: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let method = line.split(|byte| *byte == b' ').next().unwrap_or_default().to_vec();
    (method, [&request, own.as_bytes(), body].concat())
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend([&rest[..at], to].concat());
        rest = &rest[at + from.len()..];
    }
    [&out, rest].concat()
}

fn assert_answer(method: &[u8], answer: &[u8]) {
    let shown = String::from_utf8_lossy(answer);
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let answer = answer.strip_prefix(interim).unwrap_or(answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.unwrap_or_else(|| panic!("no head: {shown}")) + 4);
    let head = std::str::from_utf8(head).expect("a head is ASCII");
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {shown}"));
    assert!((200..500).contains(&status), "{shown}");
    let headers: Vec<(String, &str)> = lines
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}")))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let header =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
    let body = match header("transfer-encoding") {
        Some("chunked") => unchunked(body),
        _ => body.to_vec(),
    };
    if method == b"HEAD" || status == 204 || status == 304 {
        assert!(body.is_empty(), "{shown}");
        return;
    }
    if let Some(length) = header("content-length") {
        assert_eq!(length.parse(), Ok(body.len()), "{shown}");
    }
    if !body.is_empty() {
        assert_body(header("content-type").unwrap_or_default(), &body, &shown);
    }
}

fn assert_body(media_type: &str, body: &[u8], shown: &str) {
    let is_json = |text: &[u8]| serde_json::from_slice::<&RawValue>(text).is_ok();
    match media_type {
        "application/json" | "application/problem+json" => assert!(is_json(body), "{shown}"),
        "application/x-ndjson" => {
            assert!(body.ends_with(b"\n"), "{shown}");
            let mut lines = body[..body.len() - 1].split(|byte| *byte == b'\n');
            assert!(lines.all(is_json), "{shown}");
        }
        "text/html; charset=utf-8" => {}
        other => panic!("a body of type {other:?}: {shown}"),
    }
}

fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk has a size");
        let size = std::str::from_utf8(&rest[..end]).expect("a size is hexadecimal");
        let size = usize::from_str_radix(size, 16).expect("a size is hexadecimal");
        let chunk = &rest[end + 2..];
        body.extend(&chunk[..size]);
        assert_eq!(&chunk[size..size + 2], b"\r\n", "a chunk ends");
        rest = &chunk[size + 2..];
        if size == 0 {
            assert!(rest.is_empty(), "nothing follows the last chunk");
            return body;
        }
    }
}
