//! Keys from the command line: made, listed, revoked, refused; of a directory and of a server.

use serde_json::Value;

use crate::{
    program::{Place, documents},
    remote::Server,
};

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The id and the key of a key that is made.
fn make(place: &Place, line: &str) -> (String, String) {
    let made = value(&place.good(&format!("--json keys create {line}")));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// The life of keys, with `--url` or without. An admin key is there already.
fn live(place: &Place, target: &str) {
    let good = |line: &str| place.good(&format!("{line} {target}"));
    let before = good("keys list").lines().count();
    let made = good("keys create app --role write --collection c --collection d --rate-limit 90/m");
    let lines: Vec<&str> = made.lines().collect();
    assert_eq!((lines.len(), lines[2]), (3, "Keep it: it is shown only this once."), "{made}");
    let id = lines[1].strip_prefix("mdb_").unwrap().split('_').next().unwrap();
    assert!(
        lines[0].starts_with(&format!("made key {id} app: write in c,d, rate 90/m, made 20")),
        "{made}"
    );
    let listed = good("keys list");
    assert_eq!(listed.lines().count(), before + 1, "{listed}");
    let last = listed.lines().last().unwrap();
    assert!(last.starts_with(&format!("{id} app: write in c,d, rate 90/m, made 20")), "{listed}");
    assert!(!listed.contains(lines[1]), "{listed}");

    let made = value(&good("--json keys create all --role read"));
    assert_eq!((&made["role"], &made["collections"]), (&"read".into(), &Value::Null));
    let listed = value(&good("--json keys list"));
    let all = listed["keys"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&all["id"], &all["name"]), (&made["id"], &"all".into()), "{listed}");
    assert!(all.get("key").is_none() && all.get("hash").is_none(), "{listed}");
    assert!(listed["version"].is_u64(), "{listed}");

    assert_eq!(good(&format!("keys revoke {id}")), format!("revoked key {id}\n"));
    let all = made["id"].as_str().unwrap();
    let revoked = good(&format!("--json keys revoke {all}"));
    assert_eq!(revoked, format!("{{\"revoked\":\"{all}\"}}\n"));
    assert_eq!(good("keys list").lines().count(), before);
}

#[test]
fn a_key_from_its_making_to_its_end() {
    let place = Place::new();
    assert!(place.good("keys create admin --role admin").starts_with("made key "));
    live(&place, "");
    place.good("check");
    let server = Server::start(&place);
    live(&place, &format!("--url {}", server.url));
    assert_eq!(server.stop(), 0);
}

/// What is made without a server opens one.
#[test]
fn a_directory_is_given_its_keys_before_it_is_served() {
    let place = Place::new();
    let (_, admin) = make(&place, "boss --role admin");
    let (id, app) = make(&place, "app --role write --collection c");
    let (server, first) = Server::with_keys(&place);
    assert_eq!(first, None, "there is an admin key");
    let url = &server.url;
    let import = |key: &str| place.import(&documents(1..=1), &format!("--url {url} --key {key}"));
    assert_eq!(import(&app).code, 0);
    let listed = place.good(&format!("keys list --url {url} --key {admin}"));
    assert_eq!(listed.matches(", last used 20").count(), 2, "{listed}");
    let refused = place.fails(1, &format!("--json keys list --url {url} --key {app}"));
    assert_eq!(refused.error()["error"], "forbidden");
    let refused = place.fails(1, &format!("--json query d --url {url} --key {app}"));
    assert_eq!(refused.error()["error"], "forbidden", "another collection");
    place.good(&format!("keys revoke {id} --url {url} --key {admin}"));
    let run = import(&app);
    assert!(run.code == 1 && run.err.contains("MONSTERDB_API_KEY"), "{run:?}");
    assert_eq!(server.stop(), 0);
}

#[test]
fn what_is_no_key_is_refused() {
    let place = Place::new();
    let (id, _) = make(&place, "admin --role admin");
    let cases = [
        (2, "keys create app", "usage", "required"),
        (2, "keys create app --role owner", "usage", "owner"),
        (2, "keys create app --role admin --collection c", "usage", "all collections"),
        (2, "keys create app --role read --collection c --collection c", "usage", "twice"),
        (2, "keys create app --role read --collection _keys", "usage", "_keys"),
        (2, "keys frobnicate", "usage", "frobnicate"),
        (3, "keys revoke nobody", "key-not-found", "nobody"),
        (3, "keys revoke ..", "key-not-found", ".."),
        (3, "keys revoke .", "key-not-found", "no key"),
        (3, "keys revoke ../collections/c", "key-not-found", "../collections/c"),
        (4, &format!("keys revoke {id}"), "last-admin-key", "the last admin key"),
    ];
    let refused = |target: &str| {
        for (code, line, slug, text) in &cases {
            let run = place.fails(*code, &format!("--json {line} {target}"));
            assert_eq!(run.error()["error"], *slug, "{line}: {run:?}");
            assert!(run.error()["message"].to_string().contains(text), "{line}: {run:?}");
            assert!(run.out.is_empty(), "{line}: {run:?}");
        }
        assert_eq!(place.good(&format!("keys list {target}")).lines().count(), 1);
    };
    refused("");
    let run = place.run(["keys", "create", "", "--role", "read"]);
    assert!(run.code == 2 && run.err.contains("1 to 128 bytes"), "{run:?}");
    let server = Server::start(&place);
    refused(&format!("--url {}", server.url));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_limit_on_wrong_keys_is_a_rate() {
    let place = Place::new();
    for wrong in ["1", "0/s", "/s", "1/d", "-1/s", "1.5/s", "on"] {
        let run = place.fails(2, &format!("serve --failed-auth-limit={wrong}"));
        assert!(run.err.contains("a rate such as 100/s"), "{run:?}");
    }
    place.fails(2, "serve --failed-auth-burst 0");
}

#[test]
fn only_making_a_key_makes_a_directory() {
    let place = Place::new();
    for line in ["keys list", "keys revoke nobody"] {
        place.fails(3, line);
        assert!(!place.path().join("data").exists(), "{line}");
    }
    make(&place, "admin --role admin");
    assert_eq!(place.good("keys list").lines().count(), 1);
}

#[test]
fn a_server_that_is_asked_too_often_is_waited_for() {
    let place = Place::new();
    let limits = ["--rate-limit", "1/s", "--rate-burst", "1"];
    let (server, key) = Server::start_with(&place, &limits);
    let target = format!("--url {} --key {}", server.url, key.unwrap());
    assert_eq!(place.import(&documents(1..=3), &target).code, 0);
    // It asks twice, and the server takes one request in a second.
    assert_eq!(place.good(&format!("query c {target}")).lines().count(), 3);
    place.fails(2, &format!("keys create k --role read --rate-burst 0 {target}"));
    assert_eq!(server.stop(), 0);
}
