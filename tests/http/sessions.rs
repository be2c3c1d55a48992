//! Interactive transactions: what they see, what they write, how they conflict.

use serde_json::{Value, json};

use crate::server::{Answer, Server, WRITER};

/// An interactive transaction of a client with this key.
pub(crate) struct Session<'a> {
    pub(crate) server: &'a Server,
    pub(crate) key: &'a str,
    pub(crate) path: String,
}

impl<'a> Session<'a> {
    pub(crate) fn begin(server: &'a Server, key: &'a str) -> Session<'a> {
        Session::begin_with(server, key, "")
    }

    pub(crate) fn begin_with(server: &'a Server, key: &'a str, body: &str) -> Session<'a> {
        let begun = server.call_with(key, "POST", "/transactions").json(body).send();
        assert_eq!(begun.status, 201, "{begun:?}");
        let path = format!("/transactions/{}", begun.value()["token"].as_str().unwrap());
        assert_eq!(begun.header("location"), path);
        Session { server, key, path }
    }

    /// A request below the session, with a body unless it is empty.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let call = self.server.call_with(self.key, method, &format!("{}{path}", self.path));
        if body.is_empty() { call.send() } else { call.json(body).send() }
    }

    pub(crate) fn commit(&self) -> Answer {
        self.send("POST", "/commit", "")
    }
}

pub(crate) const A: &str = "/collections/c/documents/a";
pub(crate) const B: &str = "/collections/c/documents/b";

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
    let mut stats = server.get("/admin/stats").value();
    assert!(stats["sessions"].as_object_mut().unwrap().remove("oldest_s").is_some());
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
