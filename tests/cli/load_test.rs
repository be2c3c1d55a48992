//! The load test as a person or a script runs it.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::{
    program::Place,
    proxy::{Fate, Proxy},
    remote::Server,
};

/// Short, and as fast as it goes.
const SHORT: &str = "load-test --users 4 --duration 10s --operations 40 \
                     --writes-per-minute unlimited";

#[test]
fn a_run_on_a_good_server_passes_and_leaves_nothing() {
    let place = Place::new();
    let server = Server::start(&place);
    let url = &server.url;
    let table = place.good(&format!("{SHORT} --seed 7 --url {url}"));
    assert!(table.contains("4 users on http://127.0.0.1") && table.contains("seed 7"), "{table}");
    assert!(table.ends_with("passed\n"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("all ") && line.contains(" 160 ")));

    let report: Value = json(&place.good(&format!("{SHORT} --json --keep --url {url}")));
    assert_eq!(report["check"]["passed"], true, "{report}");
    assert_eq!(report["total"]["success"], 160, "{report}");
    let name = report["collection"].as_str().unwrap();
    assert!(name.starts_with("load-test-") && report["kept"] == true, "{report}");
    let count = place.good(&format!("query {name} --count --url {url}"));
    assert_eq!(count.trim(), report["check"]["found"].to_string());

    let own = format!("{SHORT} --collection own --url {url}");
    place.good(&own);
    place.fails(3, &format!("query own --url {url}"));
    place.good(&format!("{own} --keep"));
    assert!(place.fails(2, &own).err.contains("own is there already"));
}

#[test]
fn a_run_does_no_more_than_its_pace_says() {
    let place = Place::new();
    let server = Server::start(&place);
    let line = "load-test --users 3 --duration 1s --writes-per-minute 3600 --mix read=1,insert=1";
    let report = json(&place.good(&format!("{line} --json --url {}", server.url)));
    // Sixty writes and sixty reads a second, one in each interval of each user.
    let operations = report["total"]["operations"].as_u64().unwrap();
    assert!((1..=120).contains(&operations), "{report}");
    assert_eq!(report["throughput"]["writes_per_minute_asked"], 3_600);
}

/// The most honest of tests: what is acknowledged and not stored is found.
#[test]
fn what_a_liar_swallows_is_lost() {
    let place = Place::new();
    let server = Server::start(&place);
    let swallowed = Arc::new(Mutex::new(None));
    let notes = Arc::clone(&swallowed);
    let proxy = Proxy::start(server.url["http://".len()..].parse().unwrap(), move |passing| {
        let is_insert = passing.line.ends_with("/documents") && passing.line.starts_with("POST");
        let id = is_insert.then(|| json(passing.body)["_id"].clone());
        let mut swallowed = notes.lock().unwrap();
        match (&*swallowed, id) {
            // What an insertion of many begins with is no JSON.
            (None, Some(Value::String(id))) if id.starts_with("user-0002") => {
                *swallowed = Some(id.clone());
                Fate::Lie(201, format!(r#"{{"_id":"{id}","_version":4}}"#))
            }
            _ => Fate::Pass,
        }
    });
    let run = place.fails(1, &format!("{SHORT} --json --url {}", proxy.url()));
    let id = swallowed.lock().unwrap().clone().expect("an insertion was swallowed");
    let report = json(&run.out);
    assert_eq!(report["check"]["passed"], false, "{report}");
    assert_eq!(report["check"]["at_end"]["lost"], 1, "{report}");
    let example = &report["check"]["at_end"]["examples"][0];
    assert_eq!((&example["kind"], &example["id"]), (&"lost".into(), &id.into()), "{report}");
    assert_eq!(run.error()["error"], "mismatch");
    assert_eq!(report["kept"], true, "it is kept to be looked at");
}

#[test]
fn what_is_not_understood_is_told_before_anything_is_sent() {
    let place = Place::new();
    place.fails(2, "load-test");
    let line = "load-test --url http://127.0.0.1:9";
    for wrong in [
        "--users 0",
        "--users x",
        "--writes-per-minute 0",
        "--duration 0s",
        "--duration 5",
        "--timeout 0s",
        "--mix read=0",
        "--mix scan=1",
        "--collection a/b",
    ] {
        place.fails(2, &format!("{line} {wrong}"));
    }
    place.fails(2, "load-test --url ftp://127.0.0.1");
    let run = place.fails(1, &format!("{line} --json"));
    assert_eq!(run.error()["error"], "unreachable");
}

#[test]
fn a_key_is_needed_that_may_write() {
    let place = Place::new();
    let (server, key) = Server::start_with(&place, &["--rate-limit", "off"]);
    let (url, admin) = (&server.url, key.unwrap());
    let create = |role: &str| {
        let made =
            place.good(&format!("keys create k --role {role} --url {url} --key {admin} --json"));
        json(&made)["key"].as_str().unwrap().to_owned()
    };
    let run = place.fails(1, &format!("{SHORT} --url {url}"));
    assert!(run.err.contains("MONSTERDB_API_KEY"), "{run:?}");
    place.fails(1, &format!("{SHORT} --url {url} --key {}", create("read")));
    place.good(&format!("{SHORT} --collection a --url {url} --key {admin}"));
    // It may not remove the collection, which is no fault of the run.
    let run = place.run(
        format!("{SHORT} --collection b --url {url} --key {}", create("write")).split_whitespace(),
    );
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.err.contains("the collection b is kept"), "{run:?}");
    place.fails(3, &format!("query a --url {url} --key {admin}"));
    place.good(&format!("query b --url {url} --key {admin}"));
}

/// A server that asks to wait is waited for, and that is no failure.
#[test]
fn a_rate_limit_is_kept_to() {
    let place = Place::new();
    let (server, key) = Server::start_with(&place, &["--rate-limit", "60/s", "--rate-burst", "20"]);
    let line = format!("{SHORT} --json --url {} --key {}", server.url, key.unwrap());
    let report = json(&place.good(&line.replace("--operations 40", "--operations 15")));
    assert_eq!(report["total"]["success"], 60, "{report}");
    assert!(report["held_back"].as_u64().unwrap() > 0, "{report}");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
