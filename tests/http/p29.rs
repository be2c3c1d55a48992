//! Property 29, JSON consistency: what is stored is answered as it was sent, by every way to read
//! it, and every body is JSON of the type that its head names.

use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::{
    generator,
    met::Met,
    server::{Answer, Server},
};

const C: &str = "/collections/c/documents";

#[test]
fn p29_json_consistency() {
    let server = Server::start();
    let met = Met::new();
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&generator::body(), |body| {
        let case = met.case();
        let sent: Value = serde_json::from_str(&body).unwrap();
        let written = server.put(&format!("{C}/x"), &body);
        if written.status == 422 {
            case.note("refused", true);
            return Ok(());
        }
        case.note("stored", true);
        case.note(
            "nested",
            sent.as_object().is_some_and(|object| {
                object.values().any(|value| value.is_object() || value.is_array())
            }),
        );
        let version = json(&written)["_version"].clone();
        let lines = server.call("GET", C).header("Accept", "application/x-ndjson").send();
        let exported = server.call("GET", &format!("{C}?limit=all"));
        let exported = exported.header("Accept", "application/x-ndjson").send();
        let found = [
            json(&server.get(&format!("{C}/x"))),
            json(&server.get(C))["documents"][0].clone(),
            json(&server.post("/collections/c/query", "{}"))["documents"][0].clone(),
            serde_json::from_str(lines.body.trim_end()).unwrap(),
            serde_json::from_str(exported.body.trim_end()).unwrap(),
        ];
        for mut document in found {
            let members = document.as_object_mut().unwrap();
            assert_eq!(members.remove("_id"), Some("x".into()));
            assert_eq!(members.remove("_version"), Some(version.clone()));
            let mut sent = sent.clone();
            sent.as_object_mut().unwrap().remove("_id");
            assert_eq!(document, sent);
        }
        let _ = json(&server.get("/collections/none"));
        Ok(())
    });
    checked.unwrap();
    met.report("p29", &["stored", "nested"]);
}

/// An answer's body, which has to be JSON and to be called so.
fn json(answer: &Answer) -> Value {
    let media_type = answer.header("content-type");
    let is_json = ["application/json", "application/problem+json"].contains(&media_type);
    assert!(is_json, "{answer:?}");
    answer.value()
}
