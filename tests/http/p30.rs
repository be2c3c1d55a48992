//! Property 30, request validation: no bytes, well formed or not, whole or cut, make the server
//! fail. Ten thousand of them leave no socket and no memory behind, and it answers afterwards.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use proptest::{
    prelude::*,
    sample::{Index, select},
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use tempfile::TempDir;

const REQUESTS: usize = 10_000;

/// Requests that are good before something is done to them; `KEY` is a key.
const GOOD: [&str; 8] = [
    "GET /collections/c/documents?limit=2 HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nConnection: close\r\n\r\n",
    "GET /collections/c/documents/a HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nIf-None-Match: \"3\"\r\nConnection: close\r\n\r\n",
    "PUT /collections/c/documents/a HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Type: application/json\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"n\":1,\"t\":\"\\u00e4\"}\n",
    "PATCH /collections/c/documents/a HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Type: application/json\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{\"$inc\":{\"n\":1}}",
    "POST /collections/c/documents HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n6\r\n{\"n\":1\r\n3\r\n}\n\n\r\n0\r\n\r\n",
    "POST /transactions/batch HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Type: application/json\r\nContent-Length: 17\r\nConnection: close\r\n\r\n{\"operations\":[]}",
    "POST /collections/c/query HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Type: application/json\r\nContent-Length: 31\r\nConnection: close\r\n\r\n{\"filter\":{\"n\":{\"$in\":[1,2]}}}\n",
    "POST /transactions HTTP/1.1\r\nHost: h\r\nX-API-Key: KEY\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
];

/// What is done to a request.
#[derive(Debug, Clone)]
enum Fault {
    None,
    Cut(Index),
    Byte(Index, u8),
    Insert(Index, &'static str),
    Repeat(Index, usize),
    Random(Vec<u8>),
}

fn fault() -> impl Strategy<Value = Fault> {
    let pieces = [
        "\r\n",
        "\0",
        "\u{feff}",
        "{{{{",
        "[[[[[[[[",
        "%00",
        "/../",
        "Content-Length: 9\r\n",
        "é",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "\"",
        "$",
        "1e999",
        "-1",
    ];
    prop_oneof![
        1 => Just(Fault::None),
        4 => any::<Index>().prop_map(Fault::Cut),
        6 => (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Fault::Byte(place, byte)),
        6 => (any::<Index>(), select(pieces.to_vec())).prop_map(|(at, what)| Fault::Insert(at, what)),
        1 => (any::<Index>(), 1..200_000_usize).prop_map(|(at, times)| Fault::Repeat(at, times)),
        1 => prop::collection::vec(any::<u8>(), 0..600).prop_map(Fault::Random),
    ]
}

impl Fault {
    fn done_to(self, request: &str) -> Vec<u8> {
        let mut bytes = request.as_bytes().to_vec();
        match self {
            Fault::None => {}
            Fault::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Fault::Byte(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Fault::Insert(at, what) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, what.bytes());
            }
            Fault::Repeat(at, times) => {
                let at = at.index(bytes.len());
                let byte = bytes[at];
                bytes.splice(at..at, std::iter::repeat_n(byte, times));
            }
            Fault::Random(random) => bytes = random,
        }
        bytes
    }
}

#[test]
fn p30_request_validation() {
    let server = Process::start();
    assert_eq!(server.ask("PUT", "/collections/c/documents/a", r#"{"n":1}"#), "201");
    let mut statuses = BTreeMap::<String, usize>::new();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let requests = (select(&GOOD[..]), fault());
    let mut send = |count: usize| {
        for _ in 0..count {
            let (good, fault) = requests.new_tree(&mut runner).unwrap().current();
            let bytes = fault.done_to(&good.replace("KEY", &server.key));
            let answer = exchange(&server, &bytes);
            let status = answer.get(9..12).unwrap_or("none").to_owned();
            assert!(!status.starts_with('5'), "{:?}: {answer}", String::from_utf8_lossy(&bytes));
            *statuses.entry(status).or_default() += 1;
        }
    };
    // What comes once, as buffers of threads do, is there before the figures are taken.
    send(REQUESTS / 5);
    let before = server.figures();
    send(REQUESTS - REQUESTS / 5);
    let after = server.figures();
    println!("p30: {REQUESTS} requests answered {statuses:?}; {before:?} before, {after:?} after");
    for met in ["200", "400", "none"] {
        assert!(statuses.contains_key(met), "{met} never came: {statuses:?}");
    }
    assert!(after.files <= before.files + 8, "sockets are left: {before:?}, {after:?}");
    assert!(after.kilobytes < before.kilobytes + 64 * 1024, "memory: {before:?}, {after:?}");
    assert_eq!(server.ask("GET", "/health", ""), "200");
    assert_eq!(server.ask("PUT", "/collections/d/documents/a", "{}"), "201");
}

/// A server in a process of its own, so that what it holds is its own.
struct Process {
    child: Child,
    address: String,
    key: String,
    _folder: TempDir,
}

impl Process {
    fn start() -> Process {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_monsterdb"))
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--rate-limit", "off"])
            .args(["--failed-auth-limit", "off"])
            .env_remove("MONSTERDB_ADMIN_KEY")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let greeting: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| greeting[name].as_str().unwrap().to_owned();
        Process { child, address: text("address"), key: text("admin_key"), _folder: folder }
    }

    /// The status of the answer to a request that is good.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let (key, length) = (&self.key, body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: h\r\nX-API-Key: {key}\r\nContent-Length: {length}\r\n\
             Content-Type: application/json\r\nConnection: close\r\n\r\n{body}"
        );
        exchange(self, request.as_bytes()).get(9..12).unwrap_or_default().to_owned()
    }

    /// Zeros where the system does not tell.
    fn figures(&self) -> Figures {
        let process = format!("/proc/{}", self.child.id());
        let files = fs::read_dir(format!("{process}/fd")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = resident.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Figures { files, kilobytes: number.unwrap_or(0) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends bytes, says that no more come, and reads what is answered.
fn exchange(server: &Process, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A server that has seen enough may close before all is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// What a process holds.
#[derive(Debug)]
struct Figures {
    files: usize,
    kilobytes: u64,
}
