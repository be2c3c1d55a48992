//! Interactive transactions: their life, what they see, how they end, who may use them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::server::{Answer, READER, Server, WRITER};

/// An interactive transaction of a client with this key.
struct Session<'a> {
    server: &'a Server,
    key: &'a str,
    path: String,
}

impl<'a> Session<'a> {
    fn begin(server: &'a Server, key: &'a str) -> Session<'a> {
        Session::begin_with(server, key, "")
    }

    fn begin_with(server: &'a Server, key: &'a str, body: &str) -> Session<'a> {
        let begun = server.call_with(key, "POST", "/transactions").json(body).send();
        assert_eq!(begun.status, 201, "{begun:?}");
        let path = format!("/transactions/{}", begun.value()["token"].as_str().unwrap());
        assert_eq!(begun.header("location"), path);
        Session { server, key, path }
    }

    /// A request below the session, with a body unless it is empty.
    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let call = self.server.call_with(self.key, method, &format!("{}{path}", self.path));
        if body.is_empty() { call.send() } else { call.json(body).send() }
    }

    fn commit(&self) -> Answer {
        self.send("POST", "/commit", "")
    }
}

const A: &str = "/collections/c/documents/a";
const B: &str = "/collections/c/documents/b";

fn balance(server: &Server, path: &str) -> i64 {
    server.get(path).value()["balance"].as_i64().unwrap()
}

#[test]
fn a_session_reads_one_state_and_its_own_writes_and_commits_them_at_once() {
    let server = Server::start();
    server.put(A, r#"{"n":1}"#).expect(201, r#"{"_id":"a","_version":4}"#);
    let begun = server.call("POST", "/transactions").json(r#"{"isolation":"serializable"}"#).send();
    let value = begun.value();
    assert_eq!(
        (begun.status, &value["version"], begun.header("db-version")),
        (201, &json!(4), "4")
    );
    let token = value["token"].as_str().unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let expires = value["expires_at"].as_str().unwrap();
    assert!(expires.len() == 24 && expires.ends_with('Z'), "{expires}");
    let session =
        Session { server: &server, key: &server.key, path: format!("/transactions/{token}") };

    server.put(A, r#"{"n":2}"#).expect(200, r#"{"_id":"a","_version":5}"#);
    let read = session.send("GET", A, "");
    assert_eq!((read.header("etag"), read.header("db-version")), (r#""4""#, "4"));
    read.expect(200, r#"{"_id":"a","_version":4,"n":1}"#);

    let inserted = session.send("POST", "/collections/c/documents", r#"{"_id":"b","n":7}"#);
    assert_eq!(inserted.header("location"), format!("{}{B}", session.path));
    inserted.expect(201, r#"{"_id":"b","_version":4}"#);
    session
        .send("PUT", "/collections/c/documents/x", r#"{"n":8}"#)
        .expect(201, r#"{"_id":"x","_version":4}"#);
    session.send("GET", B, "").expect(200, r#"{"_id":"b","n":7}"#);
    let head = session.send("HEAD", B, "");
    assert_eq!((head.status, head.header("etag"), head.body.as_str()), (200, "", ""));
    session
        .send("GET", "/collections/c/documents?sort=-n", "")
        .expect(200, r#"{"documents":[{"_id":"x","n":8},{"_id":"b","n":7},{"_id":"a","_version":4,"n":1}],"version":4}"#);
    server.get(B).problem(404, "not-found");
    let other = Session::begin(&server, &server.key);
    other.send("GET", B, "").problem(404, "not-found");

    // It has read `a`, which another commit has changed, and `b` is new: a blind write conflicts
    // with nobody, what was read does.
    session.commit().problem(409, "tx-conflict");
    server.get(B).problem(404, "not-found");
    other.send("PUT", B, r#"{"n":9}"#).expect(201, r#"{"_id":"b","_version":5}"#);
    other.commit().expect(200, r#"{"version":6}"#);
    server.get(B).expect(200, r#"{"_id":"b","_version":6,"n":9}"#);
}

#[test]
fn every_question_is_answered_with_own_writes() {
    let server = Server::start();
    server.put(A, r#"{"n":1,"city":"Oslo"}"#);
    let session = Session::begin(&server, &server.key);
    session.send("PUT", B, r#"{"n":2,"city":"Bergen"}"#);
    let query = "/collections/c/query";
    for (body, answer) in [
        (
            r#"{"filter":{"n":{"$gt":1}}}"#,
            r#"{"documents":[{"_id":"b","n":2,"city":"Bergen"}],"version":4}"#,
        ),
        (
            r#"{"sort":"-n","limit":1,"offset":1,"fields":["n"]}"#,
            r#"{"documents":[{"_id":"a","_version":4,"n":1}],"version":4}"#,
        ),
        (r#"{"count":true}"#, r#"{"count":2,"version":4}"#),
        (r#"{"distinct":"city"}"#, r#"{"values":["Bergen","Oslo"],"version":4}"#),
        (r#"{"aggregate":{"metrics":{"s":{"sum":"n"}}}}"#, r#"{"groups":[{"s":3}],"version":4}"#),
    ] {
        let answered = session.send("POST", query, body);
        assert_eq!(answered.header("db-version"), "4");
        answered.expect(200, answer);
    }
    for body in [r#"{"explain":true}"#, r#"{"at":4}"#] {
        session.send("POST", query, body).problem(422, "invalid-query");
    }
    for index in 0..2 {
        server.put(&format!("/collections/c/documents/p{index}"), "{}");
    }
    let page = server.get("/collections/c/documents?limit=1").value();
    let cursor = page["cursor"].as_str().unwrap();
    let path = format!("/collections/c/documents?limit=1&cursor={cursor}");
    session.send("GET", &path, "").problem(422, "invalid-query");
    session.send("POST", query, r#"{"filter":{"$no":1}}"#).problem(422, "invalid-filter");
    session.send("POST", query, r#"{"count":true}"#).expect(200, r#"{"count":2,"version":4}"#);
}

#[test]
fn writes_of_every_form_have_the_semantics_of_the_plain_routes() {
    let server = Server::start();
    server.put(A, r#"{"n":1}"#);
    let session = Session::begin(&server, &server.key);
    let call = |method: &str, path: &str| {
        server.call_with(session.key, method, &format!("{}{path}", session.path))
    };
    let written = |id: &str| format!(r#"{{"_id":"{id}","_version":4}}"#);
    session.send("PATCH", A, r#"{"$inc":{"n":1}}"#).expect(200, &written("a"));
    call("PATCH", A)
        .typed("application/merge-patch+json", r#"{"m":5}"#)
        .send()
        .expect(200, &written("a"));
    let patch = r#"[{"op":"test","path":"/n","value":2},{"op":"replace","path":"/n","value":3}]"#;
    call("PATCH", A).typed("application/json-patch+json", patch).send().expect(200, &written("a"));
    call("PATCH", A).typed("application/json-patch+json", patch).send().problem(409, "test-failed");
    let whole = call("PUT", B).header("Prefer", "return=representation").json(r#"{"n":9}"#).send();
    assert_eq!(
        (whole.header("etag"), whole.header("preference-applied")),
        (r#""4""#, "return=representation")
    );
    whole.expect(201, r#"{"_id":"b","n":9}"#);
    call("PUT", B)
        .header("If-Match", r#""4""#)
        .json(r#"{"n":8}"#)
        .send()
        .expect(200, &written("b"));
    call("PUT", B)
        .header("If-Match", r#""3""#)
        .json("{}")
        .send()
        .problem(412, "precondition-failed");
    call("PUT", B)
        .header("If-None-Match", "*")
        .json("{}")
        .send()
        .problem(412, "precondition-failed");
    // What was written since is not what the tag named, though the version is the same.
    let known = call("GET", A).header("If-None-Match", r#""4""#).send();
    known.expect(200, r#"{"_id":"a","n":3,"m":5}"#);
    let lines = "{\"_id\":\"l1\"}\n{\"_id\":\"l2\"}\n";
    let many = call("POST", "/collections/c/documents").typed("application/x-ndjson", lines);
    many.send().expect(201, r#"{"version":4,"inserted":2,"ids":["l1","l2"]}"#);

    // Whatever is refused leaves the session as it was.
    let again = call("POST", "/collections/c/documents")
        .typed("application/x-ndjson", "{\"_id\":\"l3\"}\n{\"_id\":\"l2\"}\n");
    assert_eq!(again.send().problem(409, "already-exists")["line"], 2);
    session.send("GET", "/collections/c/documents/l3", "").problem(404, "not-found");
    session
        .send("POST", "/collections/c/documents", r#"{"_id":"a"}"#)
        .problem(409, "already-exists");
    session.send("PUT", A, r#"{"_version":3}"#).problem(409, "version-mismatch");
    session.send("PUT", A, "{").problem(400, "invalid-json");
    session.send("PUT", "/collections/_keys/documents/a", "{}").problem(422, "invalid-name");
    session
        .send("PATCH", "/collections/c/documents/no", r#"{"$inc":{"n":1}}"#)
        .problem(404, "not-found");
    session
        .send("PATCH", "/collections/c/documents/l1", r#"{"$inc":{"_id":1}}"#)
        .problem(422, "invalid-update");
    session.send("DELETE", "/collections/c/documents/l1", "").expect(204, "");
    session.send("DELETE", "/collections/c/documents/l1", "").problem(404, "not-found");
    session.commit().expect(200, r#"{"version":5}"#);
    let all = server.get("/collections/c/documents?fields=n,m,-_version").value();
    assert_eq!(all["documents"], json!([{"_id":"a","n":3,"m":5}, {"_id":"b","n":8}, {"_id":"l2"}]));
}

#[test]
fn counters_in_sessions_conflict_with_nobody_and_preconditions_are_required() {
    let server = Server::start();
    server.put(A, r#"{"n":0}"#);
    let sessions: Vec<_> = (0..3).map(|_| Session::begin(&server, WRITER)).collect();
    for session in &sessions {
        session.send("PATCH", A, r#"{"$inc":{"n":1}}"#).expect(200, r#"{"_id":"a","_version":4}"#);
    }
    for session in &sessions {
        assert_eq!(session.commit().status, 200);
    }
    assert_eq!(server.get(A).value()["n"], 3);
    // A counter whose document has gone is refused when it is committed.
    let late = Session::begin(&server, WRITER);
    assert_eq!(late.send("PATCH", A, r#"{"$inc":{"n":1}}"#).status, 200);
    server.delete(A);
    late.commit().problem(404, "not-found");
    late.commit().problem(410, "tx-ended");

    server.put("/collections/strict", r#"{"require_preconditions":true}"#);
    let session = Session::begin(&server, WRITER);
    let path = "/collections/strict/documents/a";
    session.send("PUT", path, "{}").problem(428, "precondition-required");
    session.send("GET", path, "").problem(404, "not-found");
}

#[test]
fn a_transfer_between_two_clients_conserves_money_and_the_loser_is_told_by_whom() {
    let server = Server::start();
    server.put(A, r#"{"balance":100}"#);
    server.put(B, r#"{"balance":0}"#).expect(201, r#"{"_id":"b","_version":5}"#);
    let transfer = |session: &Session<'_>, amount: i64| {
        for (path, change) in [(A, -amount), (B, amount)] {
            let account: Value = session.send("GET", path, "").value();
            let balance = account["balance"].as_i64().unwrap() + change;
            let written = session.send("PUT", path, &json!({ "balance": balance }).to_string());
            assert_eq!(written.header("etag"), r#""5""#);
        }
    };
    let (one, two) = (Session::begin(&server, WRITER), Session::begin(&server, &server.key));
    transfer(&one, 30);
    transfer(&two, 50);
    assert_eq!((balance(&server, A), balance(&server, B)), (100, 0), "nothing is seen before");
    one.commit().expect(200, r#"{"version":6}"#);
    let lost = two.commit().problem(409, "tx-conflict");
    assert_eq!(lost["retryable"], true);
    let overtaken =
        |id: &str| json!({"collection":"c","document":id,"read_version":5,"overtaken_by":6});
    assert_eq!(lost["conflicts"], json!([overtaken("a"), overtaken("b")]));
    let ended = two.send("GET", A, "").problem(410, "tx-ended");
    assert!(ended["detail"].as_str().unwrap().contains("overtook"), "{ended}");
    assert_eq!((balance(&server, A), balance(&server, B)), (70, 30));

    let retried = Session::begin(&server, &server.key);
    for (path, change) in [(A, -50), (B, 50)] {
        let now = retried.send("GET", path, "").value()["balance"].as_i64().unwrap();
        retried.send("PUT", path, &json!({ "balance": now + change }).to_string());
    }
    retried.commit().expect(200, r#"{"version":7}"#);
    assert_eq!((balance(&server, A), balance(&server, B)), (20, 80));
    let stats = server.get("/admin/stats").value();
    assert_eq!(
        stats["sessions"],
        json!({"open": 0, "begun": 3, "committed": 2, "conflicts": 1, "expired": 0})
    );
}

#[test]
fn write_skew_is_prevented_unless_snapshot_isolation_was_asked_for() {
    let server = Server::start();
    for (isolation, second) in [("serializable", 409), ("snapshot", 200)] {
        for path in [A, B] {
            server.put(path, r#"{"on_call":true}"#);
        }
        let body = format!(r#"{{"isolation":"{isolation}"}}"#);
        let sessions = [A, B].map(|path| (Session::begin_with(&server, WRITER, &body), path));
        for (session, path) in &sessions {
            let on_call = r#"{"filter":{"on_call":true},"count":true}"#;
            assert_eq!(session.send("POST", "/collections/c/query", on_call).value()["count"], 2);
            session.send("PUT", path, r#"{"on_call":false}"#);
        }
        let statuses = sessions.map(|(session, _)| session.commit().status);
        assert_eq!(statuses, [200, second], "{isolation}");
    }
    for wrong in [r#"{"isolation":"none"}"#, r#"{"isolation":1}"#, r#"{"other":1}"#, "[]"] {
        server.post("/transactions", wrong).problem(422, "invalid-body");
    }
}

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
