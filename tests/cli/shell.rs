//! The shell: a person's session at a pseudo-terminal, and scripts.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::{program::Place, remote::Server, screen::Screen};

const PROMPT: &str = "monsterdb>";

/// Nobody waits longer for a program to write what it has to write.
const PATIENCE: Duration = Duration::from_secs(30);

/// A person at a terminal with a shell in it.
struct Person {
    child: Child,
    keys: fs::File,
    written: mpsc::Receiver<Vec<u8>>,
    screen: Screen,
}

impl Person {
    fn sits_down(place: &Place, arguments: &str) -> Person {
        // A shell that had the terminal's other end too would not notice when the person is gone.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = openpt(flags).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let size = Winsize { ws_row: 200, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        let inside = ioctl_tiocgptpeer(&terminal, flags).unwrap();
        let child = place
            .command()
            .arg("shell")
            .args(arguments.split_whitespace())
            .args(["--history", "state/history"])
            .env("TERM", "xterm")
            .stdin(Stdio::from(inside.try_clone().unwrap()))
            .stdout(Stdio::from(inside.try_clone().unwrap()))
            .stderr(Stdio::from(inside))
            .spawn()
            .unwrap();
        let keys = fs::File::from(terminal);
        let mut output = keys.try_clone().unwrap();
        let (write, written) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Where nobody is left who writes, reading fails.
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if write.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut person = Person { child, keys, written, screen: Screen::default() };
        person.sees(|rows| rows.last().is_some_and(|last| last == PROMPT));
        person
    }

    /// Presses keys and waits until the shell asks for the next statement.
    fn says(&mut self, keys: &str) {
        let asked = |rows: &[String]| rows.iter().filter(|row| row.starts_with(PROMPT)).count();
        let before = asked(&self.screen.rows());
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.sees(|rows| rows.last().is_some_and(|last| last == PROMPT) && asked(rows) > before);
    }

    /// Presses keys and waits until the last row is this.
    fn types(&mut self, keys: &str, last: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.sees(|rows| rows.last().is_some_and(|row| row == last));
    }

    /// Leaves, and tells how the shell ended.
    fn leaves(mut self, keys: &str) -> (i32, Vec<String>) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        while let Ok(bytes) = self.written.recv_timeout(PATIENCE) {
            self.screen.write(&bytes);
        }
        (code, self.screen.rows())
    }

    fn sees(&mut self, is_there: impl Fn(&[String]) -> bool) {
        while !is_there(&self.screen.rows()) {
            let bytes = self.written.recv_timeout(PATIENCE);
            let bytes = bytes.unwrap_or_else(|_| panic!("{}", self.screen.rows().join("\n")));
            self.screen.write(&bytes);
        }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/shell.md")
}

/// The page around its transcript, and the transcript.
fn parts(page: &str) -> (&str, &str, &str) {
    let (before, rest) = page.split_once("```text\n").unwrap();
    let (transcript, after) = rest.split_once("```").unwrap();
    (before, transcript, after)
}

/// Times are never twice the same.
fn without_times(row: &str) -> String {
    match row.split_once(", in ").map(|(before, rest)| (before, rest.split_once(" us"))) {
        Some((before, Some((_, after)))) => format!("{before}, in … us{after}"),
        _ => row.to_owned(),
    }
}

/// With `MONSTERDB_TEST_UPDATE=1` the transcript is written anew.
#[test]
fn a_session_goes_as_its_page_says() {
    let place = Place::new();
    let mut person = Person::sits_down(&place, "");
    person.types("ins\t", "monsterdb> insert");
    person.says("people {\"_id\": \"ada\", \"name\": \"Ada\", \"age\": 36}\r");
    person.says("insert people {\r  \"_id\": \"bob\",\r  \"name\": \"Bob\",\r  \"age\": 41\r}\r");
    person.says("collections\r");
    person.types("find pe\t", "monsterdb> find people");
    person.types("{\"ag\t", "monsterdb> find people {\"age\"");
    person.says(": {\"$gte\": 18}} --sort -age --fields name,age\r");
    person.says("update people ada {\"$inc\": {\"age\": 1}}\r");
    person.says("get people ada\r");
    person.says("get people eve\r");
    person.says("insert people {\"_id\": \"ada\"}\r");
    person.says("fnd people\r");
    person.says("find people {\"age\": {\"$above\": 3}}\r");
    person.says("find people --metric n=count --metric mean=avg:age\r");
    person.says("index create people by_age age\r");
    person.says("find people {\"name\": \u{3}");
    person.says("index list people\r");
    person.says("explain people {\"age\": {\"$gt\": 40}}\r");
    person.says("delete people {\"age\": {\"$gt\": 40}}\r");
    person.says("count people\r");
    let (code, rows) = person.leaves("exit\r");
    assert_eq!(code, 0);
    let played: String = rows.iter().map(|row| without_times(row) + "\n").collect();
    let written = fs::read_to_string(page()).unwrap();
    let (before, transcript, after) = parts(&written);
    if std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        fs::write(page(), format!("{before}```text\n{played}```{after}")).unwrap();
    } else {
        assert!(transcript == played, "docs/shell.md has another session than this:\n{played}");
    }
    place.good("check");
}

#[test]
fn the_history_outlives_the_session_and_is_for_nobody_else() {
    let place = Place::new();
    let mut person = Person::sits_down(&place, "");
    person.says("create c\r");
    person.says(" insert c {\"_id\": \"unseen\"}\r");
    let (code, _) = person.leaves("\u{4}");
    assert_eq!(code, 0, "Ctrl-D leaves");
    let history = place.path().join("state/history");
    let mode = fs::metadata(&history).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    assert!(
        !fs::read_to_string(&history).unwrap().contains("unseen"),
        "a space before it hides it"
    );
    let mut person = Person::sits_down(&place, "");
    person.types("\u{1b}[A", "monsterdb> create c");
    person.says("\r");
    let (_, rows) = person.leaves("exit\r");
    assert!(rows.iter().any(|row| row == "collection c is there already"), "{rows:?}");
}

/// A script, and what it prints; in a directory and through a server.
#[test]
fn a_script_does_the_same_wherever_it_runs() {
    let script = "# people\n\ninsert c {\"_id\":\"a\",\"n\":1} {\n  \"_id\": \"b/c\", \"n\": 2\n}\n\
                  put c d {\"n\": 3}\nput c d {\"n\": 4}\nupdate c b/c {\"$inc\":{\"n\":10}}\n\
                  update c a {\"x\":{\"y\":1}}\nupdate c {\"n\":{\"$gt\":3}} {\"$set\":{\"big\":true}}\n\
                  get c 'b/c'\nfind c --sort -n --fields n\ncount c {\"big\":true}\n\
                  find c {\"big\":true} --distinct n\nindex create c by_n n\nindex create c by_n n\n\
                  index drop c by_n\nindex list c\ndelete c a\ndelete c {\"big\":true}\nfind c\ncreate d\n\
                  create d\ndrop c\ncollections\nexit\nfrobnicate\n";
    let place = Place::new();
    let file = place.file("script", script);
    let run = |arguments: &str| {
        let output = place
            .command()
            .arg("shell")
            .args(arguments.split_whitespace())
            .stdin(fs::File::open(&file).unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        String::from_utf8(output.stdout).unwrap()
    };
    let here = run("--data here");
    let expected = "inserted a, b/c\ninserted d\nreplaced d\nupdated b/c\nupdated a\n\
                    updated 2 documents\n{\n  \"_id\": \"b/c\",\n  \"_version\": 6,\n  \"n\": 12,\n  \
                    \"big\": true\n}\n";
    assert!(here.starts_with(expected), "{here}");
    assert!(here.contains("deleted 2 documents\nno document\nmade collection d\n"), "{here}");
    let server = Server::start(&place);
    assert_eq!(run(&format!("--url {}", server.url)), here);
    place.good(&format!("keys list --url {}", server.url));
    assert_eq!(server.stop(), 0);
    let json = run("--json --data json");
    let other = Place::new();
    let server = Server::start(&other);
    assert_eq!(run(&format!("--json --url {}", server.url)), json);
    assert!(json.starts_with("{\"inserted\":[\"a\",\"b/c\"]}\n{\"inserted\":\"d\"}\n"), "{json}");
    assert!(json.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[test]
fn a_script_goes_on_after_a_failure_and_tells_of_it() {
    let place = Place::new();
    let file = place.file("script", "get c a\ninsert c {\"_id\":\"a\"}\nfnd\nfind c {\nget c a\n");
    let run = |arguments: &[&str]| {
        let input = fs::File::open(&file).unwrap();
        place.command().args(arguments).stdin(input).output().unwrap()
    };
    let output = run(&["shell", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"{\"inserted\":[\"a\"]}\n");
    let codes: Vec<String> = String::from_utf8(output.stderr)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["error"].to_string())
        .collect();
    let expected = ["collection-not-found", "statement", "statement", "script"];
    assert_eq!(codes, expected.map(|code| format!("\"{code}\"")));
    let away = run(&["shell", "--url", "http://127.0.0.1:9"]);
    assert_eq!(away.status.code(), Some(1));
    assert!(String::from_utf8(away.stderr).unwrap().contains("cannot talk to"));
}

/// Answers these requests, one connection each, and returns what was sent.
fn answering(listener: &TcpListener, answers: &[&str]) -> Vec<String> {
    let exchange = |answer: &&str| {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            head.push_str(&std::mem::take(&mut line).to_ascii_lowercase());
        }
        let length = head.split_once("content-length: ").map(|(_, rest)| rest.lines().next());
        let mut body = vec![0; length.flatten().map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body).unwrap();
        let length = answer.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}"
        )
        .unwrap();
        head + &String::from_utf8(body).unwrap()
    };
    answers.iter().map(exchange).collect()
}

/// What was found is changed in one commit, and only as it was found.
#[test]
fn many_documents_of_a_server_are_changed_only_as_they_were_found() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let file = place.file("script", "update c {\"a\":1} {\"$set\":{\"a\":2}}\nget c ..\n");
    let mut command = place.command();
    command.args(["shell", "--json", "--url", &url]).stdin(fs::File::open(file).unwrap());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let page = r#"{"documents":[{"_id":"x","_version":7},{"_id":"y","_version":8}],"cursor":null}"#;
    let sent = answering(&listener, &[r#"{"collections":[]}"#, page, "{}"]);
    assert!(sent[1].contains(r#"{"filter":{"a":1},"fields":["_id"]"#), "{}", sent[1]);
    let (head, body) = sent[2].split_once("\r\n{").unwrap();
    assert!(head.starts_with("post /transactions/batch"), "{head}");
    let batch: serde_json::Value = serde_json::from_str(&format!("{{{body}")).unwrap();
    let one = |id: &str, version: u64| {
        serde_json::json!({ "op": "update", "collection": "c", "id": id, "if_version": version,
                            "update": { "$set": { "a": 2 } } })
    };
    assert_eq!(batch, serde_json::json!({ "operations": [one("x", 7), one("y", 8)] }));
    // The address of the document `..` would be that of all documents.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"{\"updated\":2}\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(r#"use the filter {\"_id\":\"..\"}"#), "{told}");
}
