//! A server's life: first start, keys, many clients at once, its end.

use std::{sync::mpsc, thread};

use monsterdb::{
    Database,
    server::{ServeError, ServeOptions},
};

use crate::server::Server;

#[test]
fn the_first_start_makes_a_key_and_the_second_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let key = server.key.clone();
    assert!(key.starts_with("mdb_") && key.len() > 64, "{key}");
    server.stop().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    assert_eq!(server.key, "", "there is one already");
    assert_eq!(server.call_with(&key, "GET", "/admin/stats").send().status, 200);
    server.stop().unwrap();
    let server = Server::start_in(folder.path(), |o| o.admin_key = Some("chosen".to_owned()));
    for key in [&*key, "chosen"] {
        assert_eq!(server.call_with(key, "GET", "/admin/stats").send().status, 200);
    }
    server.call_with("chosen ", "GET", "/admin/stats");
    server.call_with("chosem", "GET", "/admin/stats").send().problem(401, "unauthorized");
}

#[test]
fn without_keys_only_this_machine_is_served() {
    let options = |address: &str| ServeOptions {
        no_auth: true,
        ..ServeOptions::new(address.parse().unwrap())
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = monsterdb::server::Server::bind(Database::in_memory(), options(address));
        assert!(matches!(refused, Err(ServeError::NotLoopback(_))), "{address}");
    }
    let server = Server::start_on(Database::in_memory(), |options| options.no_auth = true);
    server.call_with("", "PUT", "/collections/c").send();
    server.call_with("", "GET", "/collections/c").send();
    assert_eq!(server.call_with("", "GET", "/collections").send().value()["version"], 1);
    let taken = ServeOptions { listen: server.address, ..options("127.0.0.1:0") };
    let refused = monsterdb::server::Server::bind(Database::in_memory(), taken);
    assert!(matches!(refused, Err(ServeError::Listen { .. })));
}

#[test]
fn health_says_how_it_is_doing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    for path in ["/health", "/health/live", "/health/ready"] {
        let answer = server.call_with("", "GET", path).send();
        assert_eq!(answer.status, 200);
        let mut health = answer.value();
        assert!(health["uptime_s"].as_u64().unwrap() < 60);
        health["uptime_s"] = 0.into();
        let expected = serde_json::json!({
            "status": "ready", "version": 3, "durability": "always", "uptime_s": 0, "reason": null,
            "recovery": {"checkpoint": 0, "replayed": 0, "in_doubt": 0, "cut_bytes": 0},
        });
        assert_eq!(health, expected);
    }
    server.post("/admin/checkpoint", "").expect(200, r#"{"version":3}"#);
    let stats = server.get("/admin/stats").value();
    assert_eq!((&stats["checkpoint"], &stats["commits"]["committed"]), (&3.into(), &3.into()));
    server.stop().unwrap();

    let admin = |options: &mut ServeOptions| options.admin_key = Some("k".to_owned());
    let server = Server::start_on(Database::open_read_only(folder.path()).unwrap(), admin);
    let ready = server.get("/health/ready");
    assert_eq!((ready.status, ready.value()["status"].as_str()), (503, Some("read-only")));
    assert_eq!(ready.value()["reason"], "it was opened for reading");
    assert_eq!(server.get("/health/live").status, 200);
    let refused = server.put("/collections/c/documents/a", "{}").problem(503, "read-only");
    assert_eq!(refused["retryable"], false);
    assert_eq!(server.get("/collections").status, 200);
}

#[test]
fn health_reports_the_torn_tail_that_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Database::builder().segment_bytes(1 << 16).checkpoint_on_close(false);
    let database = open().open(folder.path()).unwrap();
    database.create_collection("c", Default::default()).unwrap();
    database.close().unwrap();
    let segments = std::fs::read_dir(folder.path().join("wal")).unwrap();
    let segment = segments.map(|entry| entry.unwrap().path()).min().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end..end + 5].copy_from_slice(b"{\"crc");
    std::fs::write(&segment, bytes).unwrap();

    let server = Server::start_on(open().open(folder.path()).unwrap(), |options| {
        options.no_auth = true;
    });
    let expected =
        serde_json::json!({"checkpoint": 0, "replayed": 1, "in_doubt": 0, "cut_bytes": 5});
    assert_eq!(server.get("/health").value()["recovery"], expected);
}

#[test]
fn of_writers_with_the_same_precondition_one_wins() {
    let server = Server::start();
    let path = "/collections/c/documents/a";
    for round in 0..5 {
        let condition = match round {
            0 => ("If-None-Match", "*".to_owned()),
            _ => ("If-Match", server.get(path).header("etag").to_owned()),
        };
        let statuses: Vec<u16> = thread::scope(|scope| {
            let put = |writer: usize| {
                let (server, (name, value)) = (&server, &condition);
                let body = format!(r#"{{"by":"{round} {writer}"}}"#);
                scope.spawn(move || {
                    server.call("PUT", path).header(name, value).json(&body).send().status
                })
            };
            let writers: Vec<_> = (0..8).map(put).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let won = statuses.iter().filter(|status| [200, 201].contains(status)).count();
        let lost = statuses.iter().filter(|status| **status == 412).count();
        assert_eq!((won, lost), (1, 7), "{statuses:?}");
    }
}

#[test]
fn counters_that_run_at_once_all_count() {
    let server = Server::start();
    let path = "/collections/c/documents/n";
    server.put(path, r#"{"n":0}"#);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let inc = server.call("PATCH", path).json(r#"{"$inc":{"n":1}}"#).send();
                    assert_eq!(inc.status, 200);
                }
            });
        }
    });
    assert_eq!(server.get(path).value()["n"], 100);
}

#[test]
fn a_server_that_stops_finishes_what_is_in_flight_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let (told, acknowledgements) = mpsc::channel();
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (server, told) = (&server, told.clone());
                scope.spawn(move || write_until_stopped(server, writer, &told))
            })
            .collect();
        drop(told);
        // The stop comes while every writer is under way.
        assert_eq!(
            acknowledgements.iter().take(40).count(),
            40,
            "they are acknowledged until then"
        );
        server.tell_to_stop();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert!(!acknowledged.is_empty());
    server.stop().unwrap();

    let database = Database::open(folder.path()).unwrap();
    let status = database.status();
    assert_eq!((status.recovery.replayed, status.checkpoint), (0, status.version));
    let snapshot = database.snapshot();
    for id in acknowledged {
        assert!(snapshot.get("c", &id).is_some(), "{id} was acknowledged");
    }
}

/// Inserts until the server takes no more, and returns what it acknowledged.
fn write_until_stopped(server: &Server, writer: usize, told: &mpsc::Sender<()>) -> Vec<String> {
    let client = reqwest::blocking::Client::new();
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let id = format!("{writer}-{number}");
        let url = format!("http://{}/collections/c/documents/{id}", server.address);
        let request = client.put(url).header("X-API-Key", &server.key).body("{}");
        match request.send() {
            Ok(answer) if answer.status() == 201 => {
                acknowledged.push(id);
                // Nobody counts any more once the stop was told.
                let _ = told.send(());
            }
            Ok(_) | Err(_) => break,
        }
    }
    acknowledged
}
