//! What the server writes into its log, and what it keeps out of it.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use monsterdb::Database;
use serde_json::Value;

use crate::server::Server;

/// Every line that this process has logged since somebody first asked.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The log of this process, at the level that a server has by default, and spans.
    fn of_all() -> &'static Log {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Log::default();
            let writer = log.clone();
            let subscriber =
                tracing_subscriber::fmt().json().with_env_filter("info,monsterdb::request=debug");
            subscriber.with_writer(move || writer.clone()).init();
            log
        })
    }

    /// The lines of a target that have this text in them.
    fn lines(&self, target: &str, text: &str) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        let lines = String::from_utf8(bytes).unwrap();
        let lines = lines.lines().filter(|line| line.contains(text));
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == target).collect()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const ACCESS: &str = "monsterdb::access";
const SLOW: &str = "monsterdb::slow";

/// An engine that asks every few seconds would bury the lines of requests.
#[test]
fn health_checks_that_find_nothing_have_no_line() {
    let (log, server) = (Log::of_all(), Server::start());
    for path in ["/health", "/health/live", "/health/ready"] {
        let answer = server.call("GET", path).header("X-Request-Id", "log-health").send();
        assert_eq!(answer.status, 200);
    }
    // One after them, in the order of the log.
    server.call("POST", "/health").header("X-Request-Id", "log-health-405").send();
    let lines = log.lines(ACCESS, "log-health");
    assert!(lines.len() == 1 && lines[0]["fields"]["status"] == 405, "{lines:?}");
}

#[test]
fn every_request_has_one_line() {
    let (log, server) = (Log::of_all(), Server::start());
    let requests = [
        ("GET", "/collections/c/documents/a-1?at=0", "log-404", 404),
        ("PUT", "/collections/c/documents/a-1", "log-201", 201),
        ("GET", "/nowhere", "log-none", 404),
        ("BREW", "/health", "log-405", 405),
    ];
    for (method, path, id, status) in requests {
        let call = server.call(method, path).header("X-Request-Id", id);
        let call = if method == "PUT" { call.json(r#"{"n":1}"#) } else { call };
        assert_eq!(call.send().status, status);
        let lines = log.lines(ACCESS, id);
        let [line] = lines.as_slice() else { panic!("{id}: {lines:?}") };
        let fields = &line["fields"];
        let path = path.split('?').next().unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(fields["message"], format!("{method} {path}"));
        assert_eq!((&fields["id"], &fields["status"]), (&id.into(), &status.into()));
        assert!(fields["microseconds"].as_u64().is_some_and(|time| time > 0), "{line}");
        let route = match id {
            "log-none" => &Value::Null,
            "log-405" => &"/health".into(),
            _ => &"/collections/{collection}/documents/{id}".into(),
        };
        assert_eq!(&fields["route"], route, "{line}");
    }
}

#[test]
fn no_key_no_token_and_no_content_is_logged() {
    let log = Log::of_all();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.slow_query = Some(Duration::ZERO);
    });
    let content = "content-that-nobody-logs";
    let document = format!(r#"{{"n":"{content}"}}"#);
    server.put("/collections/secrets/documents/a", &document);
    let answer = server.post("/transactions", "{}");
    let token = answer.value()["token"].as_str().unwrap().to_owned();
    let below = |rest: &str| format!("/transactions/{token}{rest}");
    server.put(&below("/collections/secrets/documents/b"), &document);
    server.post(&below("/collections/secrets/query"), &format!(r#"{{"filter":{document}}}"#));
    server.get(&format!("/collections/secrets/documents?filter={document}"));
    server.get(&format!("/collections/secrets/documents?key={}", server.key));
    server.get(&below("/nowhere"));
    server.get(&format!("/transaction/{token}"));
    server.call_with("", "POST", &below("/commit")).send();
    server.post(&below("/commit"), "");
    let short = &token[..6];
    assert_eq!(log.lines(ACCESS, &format!("{short}…")).len(), 6);
    assert_eq!(log.lines(SLOW, "secrets").len(), 2);
    let text = log.text();
    for secret in [content, &token, &server.key] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn a_slow_query_is_told_with_its_plan_and_the_shape_of_its_filter() {
    let log = Log::of_all();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.slow_query = Some(Duration::ZERO);
    });
    for n in 0..10 {
        server.put(&format!("/collections/slow/documents/{n}"), &format!(r#"{{"age":{n}}}"#));
    }
    server.put("/collections/slow/indexes/by_age", r#"{"paths":["age"]}"#);
    let ask = |id: &str, body: &str| {
        let call = server.call("POST", "/collections/slow/query").header("X-Request-Id", id);
        assert_eq!(call.json(body).send().status, 200, "{body}");
        let lines = log.lines(SLOW, id);
        let [line] = lines.as_slice() else { panic!("{id}: {lines:?}") };
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["span"]["name"], "request", "it is told within the request's span: {line}");
        assert_eq!((&line["span"]["id"], &line["fields"]["id"]), (&id.into(), &id.into()));
        assert_eq!(line["span"]["route"], "/collections/{collection}/query");
        assert_eq!(line["fields"]["collection"], "slow");
        let fields = &line["fields"];
        let numbers = ["keys_examined", "documents_examined", "documents_returned"]
            .map(|name| fields[name].as_u64().unwrap());
        let words = ["message", "plan", "filter"].map(|name| fields[name].as_str().unwrap());
        (words.map(str::to_owned), numbers)
    };
    let cases = [
        (
            r#"{"filter":{"age":{"$gte":7}}}"#,
            ["slow query: documents", "index by_age, sorted", r#"{"age":{"$gte":?}}"#],
            [3, 3, 3],
        ),
        (
            r#"{"filter":{"age":{"$gte":7}},"sort":"-age","limit":1}"#,
            ["slow query: documents", "index by_age backwards", r#"{"age":{"$gte":?}}"#],
            // One more than is asked for tells whether there is more.
            [2, 2, 2],
        ),
        (
            r#"{"filter":{"name":"x"},"count":true}"#,
            ["slow query: count", "all documents", r#"{"name":?}"#],
            [10, 10, 0],
        ),
        (
            r#"{"filter":{"_id":"3","age":3}}"#,
            ["slow query: documents", "point", r#"{"_id":?,"age":?}"#],
            [1, 1, 1],
        ),
        (
            r#"{"filter":{"age":{"$lt":2}},"distinct":"age"}"#,
            ["slow query: distinct", "index by_age, sorted", r#"{"age":{"$lt":?}}"#],
            [2, 2, 2],
        ),
        (
            r#"{"aggregate":{"group":["age"]}}"#,
            ["slow query: aggregate", "all documents", "{}"],
            [10, 10, 10],
        ),
    ];
    for (place, (body, words, numbers)) in cases.into_iter().enumerate() {
        let found = ask(&format!("slow-{place}"), body);
        assert_eq!(found, (words.map(str::to_owned), numbers), "{body}");
    }
    // The names are the client's, and may be long.
    let name = "n".repeat(5000);
    let ([_, _, shape], _) = ask("slow-long", &format!(r#"{{"filter":{{"{name}":1}}}}"#));
    assert!(shape.len() < 1100, "{}", shape.len());
}

#[test]
fn what_is_not_slow_or_not_asked_for_is_not_told() {
    let log = Log::of_all();
    for (name, threshold) in [("quick", Some(Duration::from_secs(3600))), ("silent", None)] {
        let server = Server::start_on(Database::in_memory(), |options| {
            options.slow_query = threshold;
            options.no_auth = true;
        });
        assert_eq!(server.get(&format!("/collections/{name}/documents")).status, 200);
        assert_eq!(log.lines(ACCESS, name).len(), 1);
        assert_eq!(log.lines(SLOW, name).len(), 0);
    }
}
