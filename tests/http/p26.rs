//! Property 26, key authentication: no route but the open ones answers without a valid key,
//! whatever the method, the path and the key look like; with one, no route asks for another.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    met::Met,
    server::{READER, Server},
    wire,
};

/// A key that opens nothing.
#[derive(Debug, Clone)]
enum Wrong {
    Absent,
    Any(String),
    /// The admin key with one character changed.
    Changed(prop::sample::Index, char),
    /// The admin key, cut.
    Cut(prop::sample::Index),
    /// The admin key with more behind it.
    Longer(String),
    /// The id of one key and the secret of another.
    Crossed,
    /// What is stored in place of a key.
    Hash,
    Revoked,
}

#[test]
fn p26_key_authentication() {
    let server = Server::start();
    let made = server.post("/admin/keys", r#"{"name":"gone","role":"admin"}"#).value();
    let revoked = made["key"].as_str().unwrap().to_owned();
    server.delete(&format!("/admin/keys/{}", made["id"].as_str().unwrap())).expect(204, "");
    let before = server.get("/collections").body;

    let met = Met::new();
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let asked = runner.run(&(method(), path(), wrong()), |(method, path, wrong)| {
        let case = met.case();
        let key = text(&wrong, &server, &revoked);
        let answer = ask(&server, &method, &path, key.as_deref());
        let open = is_open(&path);
        case.note("an open route", open);
        case.note("a closed route", !open);
        case.note(wrong_name(&wrong), !open);
        match open {
            true => prop_assert!(!answer.starts_with("HTTP/1.1 401 "), "{answer}"),
            false => {
                prop_assert!(answer.starts_with("HTTP/1.1 401 "), "{key:?}: {answer}");
                let has_body = answer.contains(r#""type":"/problems/unauthorized""#);
                prop_assert_eq!(has_body, method != "HEAD", "{}", answer);
            }
        }
        let answer = ask(&server, &method, &path, Some(READER));
        case.note("a valid key was let in", answer.starts_with("HTTP/1.1 200 "));
        prop_assert!(!answer.starts_with("HTTP/1.1 401 "), "{answer}");
        prop_assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
        Ok(())
    });
    asked.unwrap();
    assert_eq!(server.get("/collections").body, before, "nothing was changed");
    met.report(
        "p26_key_authentication",
        &[
            "an open route",
            "a closed route",
            "a valid key was let in",
            "absent",
            "any",
            "changed",
            "cut",
            "longer",
            "crossed",
            "hash",
            "revoked",
        ],
    );
}

/// What the specification leaves open.
fn is_open(path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let open = ["/health", "/health/live", "/health/ready", "/openapi.json", "/docs", "/problems"];
    let slug = path.strip_prefix("/problems/");
    open.contains(&path) || slug.is_some_and(|slug| !slug.is_empty() && !slug.contains('/'))
}

fn ask(server: &Server, method: &str, path: &str, key: Option<&str>) -> String {
    let key = key.map(|key| format!("X-API-Key: {key}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\n{key}Connection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    wire::exchange(server, head.as_bytes())
}

fn method() -> impl Strategy<Value = String> {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => "[A-Z]{5}[A-Y]"]
}

fn path() -> impl Strategy<Value = String> {
    let known = [
        "/collections",
        "/collections/c",
        "/collections/c/documents",
        "/collections/c/query",
        "/collections/c/documents/a",
        "/collections/c/indexes",
        "/collections/c/indexes/i",
        "/transactions/batch",
        "/admin/checkpoint",
        "/admin/stats",
        "/admin/keys",
        "/admin/keys/reader",
        "/health",
        "/health/live",
        "/health/ready",
        "/problems",
        "/problems/not-found",
        "/openapi.json",
        "/docs",
    ];
    let ends = ["", "", "/", "?key=admin", "%2F", "/../health", "/%2e%2e/problems/x", "//health"];
    let begins = ["", "", "", "/", "/health/..", "/problems%2F..", "/Health", "/health"];
    let plain = prop::sample::select(known.to_vec()).prop_map(str::to_owned);
    let known = (
        prop::sample::select(begins.to_vec()),
        prop::sample::select(known.to_vec()),
        prop::sample::select(ends.to_vec()),
    );
    prop_oneof![
        4 => known.prop_map(|(begin, path, end)| format!("{begin}{path}{end}")),
        4 => plain,
        1 => "/[a-z%0-9._~/-]{0,24}",
    ]
}

fn wrong() -> impl Strategy<Value = Wrong> {
    prop_oneof![
        Just(Wrong::Absent),
        "[!-~]{0,80}".prop_map(Wrong::Any),
        (any::<prop::sample::Index>(), prop::char::range('!', '~'))
            .prop_map(|(place, other)| Wrong::Changed(place, other)),
        any::<prop::sample::Index>().prop_map(Wrong::Cut),
        "[!-~]{1,8}".prop_map(Wrong::Longer),
        Just(Wrong::Crossed),
        Just(Wrong::Hash),
        Just(Wrong::Revoked),
    ]
}

/// The key as it is sent.
fn text(wrong: &Wrong, server: &Server, revoked: &str) -> Option<String> {
    let key = &server.key;
    let (id, secret) = key["mdb_".len()..].split_once('_').unwrap();
    Some(match wrong {
        Wrong::Absent => return None,
        Wrong::Any(text) => text.clone(),
        Wrong::Changed(place, other) => {
            let place = place.index(key.len());
            let other = if key[place..].starts_with(*other) { '~' } else { *other };
            format!("{}{other}{}", &key[..place], &key[place + 1..])
        }
        Wrong::Cut(place) => key[..place.index(key.len())].to_owned(),
        Wrong::Longer(more) => format!("{key}{more}"),
        Wrong::Crossed => format!("mdb_reader_{secret}"),
        Wrong::Hash => {
            use sha2::{Digest, Sha256};
            let hash: String = Sha256::digest(key).iter().map(|b| format!("{b:02x}")).collect();
            format!("mdb_{id}_{hash}")
        }
        Wrong::Revoked => revoked.to_owned(),
    })
}

fn wrong_name(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::Absent => "absent",
        Wrong::Any(_) => "any",
        Wrong::Changed(..) => "changed",
        Wrong::Cut(_) => "cut",
        Wrong::Longer(_) => "longer",
        Wrong::Crossed => "crossed",
        Wrong::Hash => "hash",
        Wrong::Revoked => "revoked",
    }
}
