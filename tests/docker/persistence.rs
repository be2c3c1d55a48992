//! Property 36, volume persistence: data survives the container, however it ends.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

use crate::{
    container::Container,
    engine::Engine,
    host::{Ended, Host, KEY, environment, good},
    met::{Case, Met},
    plain::Plain,
    wire::Client,
};

/// What has to occur for the property to have shown anything.
const OCCUR: &[&str] = &["killed", "stopped", "written anew", "deleted"];

/// What one server is asked to do, and how it ends.
#[derive(Debug, Clone)]
struct Life {
    /// Documents by their numbers; none to delete it.
    writes: Vec<(usize, Option<Value>)>,
    end: End,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// SIGTERM, as engines and service managers stop a server.
    Stop,
    /// SIGKILL, as they do when it takes too long, or the memory runs out.
    Kill,
}

#[test]
fn p36_volume_persistence() {
    let met = Met::new();
    run(12, Plain::new, &met);
    met.report("p36", OCCUR);
}

/// Service managers tell a server without a certificate, too, to read it again.
#[test]
fn a_server_without_a_certificate_goes_on() {
    let host = Plain::new();
    let server = host.serve(&environment(&[("MONSTERDB_ADMIN_KEY", KEY)]));
    server.hang_up();
    server.lines().expect("there is no certificate to read again");
    server.client().insert();
    assert_eq!(server.stop().code, 0);
}

#[test]
fn p36_volume_persistence_in_a_container() {
    let Some(engine) = Engine::get() else { return };
    run(4, || Container::new(&engine), &Met::new());
}

fn run<H: Host>(cases: u32, host: impl Fn() -> H, met: &Met) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&vec(life(), 1..5), |lives| {
        check(&host(), &lives, &met.case());
        Ok(())
    });
    checked.unwrap();
}

/// What was acknowledged in one life is there in the next, and nothing else.
fn check(host: &dyn Host, lives: &[Life], case: &Case<'_>) {
    let environment = environment(&[("MONSTERDB_ADMIN_KEY", KEY), ("MONSTERDB_RATE_LIMIT", "off")]);
    let mut expected = BTreeMap::new();
    for Life { writes, end } in lives {
        let server = host.serve(&environment);
        let client = server.client();
        assert_eq!(contents(&client), expected);
        for (number, document) in writes {
            let id = format!("d{number}");
            write(&client, &id, document.as_ref());
            let before = match document {
                Some(document) => expected.insert(id, document.clone()),
                None => expected.remove(&id),
            };
            case.note("written anew", before.is_some() && document.is_some());
            case.note("deleted", before.is_some() && document.is_none());
        }
        match end {
            End::Stop => {
                let Ended { code, lines } = server.stop();
                assert_eq!(code, 0, "{lines:#?}");
                good(&host.run(&environment, &["check"]));
                case.note("stopped", true);
            }
            End::Kill => {
                server.kill();
                case.note("killed", !writes.is_empty());
            }
        }
    }
    let server = host.serve(&environment);
    assert_eq!(contents(&server.client()), expected);
    assert_eq!(server.stop().code, 0);
}

fn write(client: &Client, id: &str, document: Option<&Value>) {
    let path = format!("/collections/c/documents/{id}");
    let answer = match document {
        Some(document) => client.ask("PUT", &path, &document.to_string()),
        None => client.ask("DELETE", &path, ""),
    };
    let wanted: &[u16] = if document.is_some() { &[200, 201] } else { &[204, 404] };
    assert!(wanted.contains(&answer.status), "{answer:?}");
}

/// All documents by their ids.
fn contents(client: &Client) -> BTreeMap<String, Value> {
    let answer = client.get("/collections/c/documents?limit=1000&fields=-_version");
    if answer.status == 404 {
        return BTreeMap::new();
    }
    let page = answer.expect(200);
    let documents = page["documents"].as_array().unwrap().iter().cloned();
    documents
        .map(|mut document| {
            let id = document.as_object_mut().unwrap().remove("_id").unwrap();
            (id.as_str().unwrap().to_owned(), document)
        })
        .collect()
}

fn life() -> impl Strategy<Value = Life> {
    let writes = vec((0..8_usize, option::weighted(0.8, document())), 0..12);
    (writes, select(vec![End::Stop, End::Kill])).prop_map(|(writes, end)| Life { writes, end })
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map("[a-z]{1,6}", inner, 0..5).prop_map(object),
        ]
    });
    btree_map("[a-z]{1,6}", value, 0..6).prop_map(object)
}

fn object(members: BTreeMap<String, Value>) -> Value {
    Value::Object(members.into_iter().collect())
}
