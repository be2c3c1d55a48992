//! What a server does because a setting says so, and would not do by default.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::Value;

use crate::{
    host::{Ended, Host, KEY, Served, good},
    wire::{PATIENCE, read_until, to_the_end},
};

/// What is seen of a setting.
#[derive(Clone, Copy)]
pub(crate) struct Effect {
    /// While the server runs.
    pub(crate) now: fn(&dyn Host, &dyn Served),
    /// When it has ended.
    pub(crate) after: fn(&dyn Host, &Ended),
}

/// The files that all servers are given.
pub(crate) const GIVEN: [(&str, &str); 4] = [
    ("one.pem", CERTIFICATE),
    ("one.key.pem", include_str!("../http/certificates/one.key.pem")),
    ("admin.key", "a key from a file\n"),
    ("monsterdb.toml", "durability = \"interval:33\"\n"),
];

const CERTIFICATE: &str = include_str!("../http/certificates/one.pem");

const DOCUMENTS: &str = "/collections/c/documents";

impl Effect {
    /// That the server starts and is well is all that is seen: the rest would take a network or a disk
    /// that fails.
    pub(crate) const STARTS: Effect = Effect::now(|_, served| {
        served.client().get("/health/ready").expect(200);
    });

    pub(crate) const fn now(now: fn(&dyn Host, &dyn Served)) -> Effect {
        Effect { now, after: |_, _| {} }
    }

    pub(crate) const fn after(after: fn(&dyn Host, &Ended)) -> Effect {
        let insert = |_: &dyn Host, served: &dyn Served| served.client().insert();
        Effect { now: insert, after }
    }
}

pub(crate) fn listens_there(host: &dyn Host, served: &dyn Served) {
    let named = host.named("{listen}");
    let address = named.strip_suffix(":0").unwrap_or(&named);
    served.lines().expect(&format!("listens on http://{address}"));
    served.client().insert();
}

/// Both to who trusts the certificate, and to the health check beside it.
pub(crate) fn speaks_tls(_: &dyn Host, served: &dyn Served) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(config, name).unwrap();
    let stream = std::net::TcpStream::connect(served.address()).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream.conn.complete_io(&mut stream.sock).unwrap();
    assert!(served.client().try_ask("GET", "/health", "").is_err(), "without TLS it is silent");
    assert!(good(&served.beside(&["health"])).starts_with("ready; "));
    served.hang_up();
    served.lines().expect("the certificate was read again");
}

pub(crate) fn lets_a_page_ask(_: &dyn Host, served: &dyn Served) {
    let headers = "Connection: close\r\nOrigin: https://app.example\r\n\
                   Access-Control-Request-Method: POST\r\n\r\n";
    let answer = to_the_end(served.client().raw("OPTIONS /collections", headers));
    let allowed = "access-control-allow-origin: https://app.example\r\n";
    assert!(answer.to_ascii_lowercase().contains(allowed), "{answer}");
}

pub(crate) fn ends_a_late_head(_: &dyn Host, served: &dyn Served) {
    let answer = to_the_end(served.client().raw("GET /health", ""));
    assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
}

pub(crate) fn ends_a_late_body(_: &dyn Host, served: &dyn Served) {
    let head = "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{";
    // The connection is closed only later, for what may still be on the way.
    read_until(&mut served.client().raw(&format!("POST {DOCUMENTS}"), head), " 408 ");
}

pub(crate) fn closes_an_idle_connection(_: &dyn Host, served: &dyn Served) {
    let answer = to_the_end(served.client().raw("GET /health", "\r\n"));
    assert!(answer.contains(" 200 "), "{answer}");
}

pub(crate) fn asks_for_no_key(_: &dyn Host, served: &dyn Served) {
    let url = format!("http://{}", served.address_beside());
    good(&served.beside(&["keys", "list", "--url", &url]));
}

pub(crate) fn takes_another_key(_: &dyn Host, served: &dyn Served) {
    served.client().get("/collections").expect(401);
    served.client().with_key("another key").get("/admin/stats").expect(200);
}

pub(crate) fn takes_a_key_of_a_file(_: &dyn Host, served: &dyn Served) {
    served.client().get("/collections").expect(401);
    served.client().with_key("a key from a file").get("/admin/stats").expect(200);
}

pub(crate) fn tells_its_rate(_: &dyn Host, served: &dyn Served) {
    let answer = served.client().get("/collections");
    assert_eq!(answer.header("ratelimit-policy"), r#""default";q=7;w=1"#);
}

pub(crate) fn lets_three_in(_: &dyn Host, served: &dyn Served) {
    let answer = served.client().get("/collections");
    assert!(answer.header("ratelimit").starts_with(r#""default";r=2;"#), "{answer:?}");
}

pub(crate) fn bears_wrong_keys(_: &dyn Host, served: &dyn Served) {
    let stranger = served.client().with_key("wrong");
    // By default twenty and one a second.
    for _ in 0..60 {
        stranger.get("/collections").expect(401);
    }
}

pub(crate) fn bears_two_wrong_keys(_: &dyn Host, served: &dyn Served) {
    let stranger = served.client().with_key("wrong");
    let refused = (0..10).map(|_| stranger.get("/collections").status);
    assert!(refused.skip(2).any(|status| status == 429));
}

/// Time until a session ends that was just begun.
fn patience(served: &dyn Served) -> Duration {
    let begun = served.client().ask("POST", "/transactions", "").expect(201);
    let ends = humantime::parse_rfc3339(begun["expires_at"].as_str().unwrap()).unwrap();
    ends.duration_since(SystemTime::now()).unwrap_or_default()
}

pub(crate) fn lets_sessions_be(_: &dyn Host, served: &dyn Served) {
    assert!(patience(served) > Duration::from_secs(60), "more than the default of 30 seconds");
}

pub(crate) fn ends_sessions_soon(_: &dyn Host, served: &dyn Served) {
    assert!(patience(served) < Duration::from_secs(20), "less than the default of 30 seconds");
}

pub(crate) fn has_one_session(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    client.ask("POST", "/transactions", "").expect(201);
    client.ask("POST", "/transactions", "").expect(429);
}

pub(crate) fn has_one_stream(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    client.insert();
    let _first = client.stream_until("/changes?since=0", "event: commit");
    let headers = "Accept: text/event-stream\r\nConnection: close\r\n\r\n";
    let second = to_the_end(client.raw("GET /changes?since=0", headers));
    assert!(second.contains("/problems/too-many-streams"), "{second}");
}

pub(crate) fn beats(_: &dyn Host, served: &dyn Served) {
    served.client().stream_until("/changes", ": heartbeat");
}

pub(crate) fn ends_a_poll(_: &dyn Host, served: &dyn Served) {
    let poll = served.client().raw("GET /changes", "Connection: close\r\n\r\n");
    let answer = to_the_end(poll);
    assert!(answer.contains(r#"{"changes":[],"#), "{answer}");
}

pub(crate) fn forgets_changes(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    // More than a segment.
    for _ in 0..30 {
        client.insert();
    }
    client.ask("POST", "/admin/checkpoint", "").expect(200);
    client.get("/changes?since=0").expect(410);
}

pub(crate) fn left_a_manifest(host: &dyn Host, _: &Ended) {
    assert!(host.made().contains_key("db/MANIFEST.json"), "{:?}", host.made());
}

pub(crate) fn is_durable_at_intervals(_: &dyn Host, served: &dyn Served) {
    served.lines().expect("durability: interval:20");
    assert_eq!(served.client().get("/health").expect(200)["durability"], "interval");
}

pub(crate) fn has_77_mebibytes(_: &dyn Host, served: &dyn Served) {
    assert_eq!(served.client().stats()["memory_limit"], 77 << 20);
}

pub(crate) fn has_segments_of_64_kibibytes(host: &dyn Host, served: &dyn Served) {
    served.client().insert();
    let made = host.made();
    let mut segments = made.iter().filter(|(name, _)| name.starts_with("db/wal/"));
    assert!(segments.any(|(_, bytes)| *bytes == 64 << 10), "{made:?}");
}

/// Soon, and not only at the end or after five minutes.
pub(crate) fn writes_checkpoints(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    let until = Instant::now() + PATIENCE;
    while client.stats()["checkpoint"] == 0 {
        assert!(Instant::now() < until, "{}", client.stats());
        client.insert();
    }
}

pub(crate) fn left_an_archive(host: &dyn Host, _: &Ended) {
    let made = host.made();
    assert!(made.keys().any(|name| name.starts_with("archive/")), "{made:?}");
}

pub(crate) fn forgets_versions(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    for _ in 0..3 {
        client.insert();
    }
    let page = client.get(&format!("{DOCUMENTS}?limit=1")).expect(200);
    client.insert();
    let next = format!("{DOCUMENTS}?limit=1&cursor={}", page["cursor"].as_str().unwrap());
    let until = Instant::now() + PATIENCE;
    // What is over the budget goes when the maintenance looks again.
    while client.get(&next).status != 410 {
        assert!(Instant::now() < until, "{}", client.stats());
    }
}

pub(crate) fn logs_json(_: &dyn Host, served: &dyn Served) {
    served.client().get("/collections").expect(200);
    let is_access = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["target"] == "monsterdb::access").then_some(())
    };
    assert!(served.lines().find(is_access).is_some());
}

pub(crate) fn tells_of_a_query(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    client.insert();
    client.ask("POST", "/collections/c/query", r#"{"filter":{"a":1}}"#).expect(200);
    served.lines().expect("slow query: documents");
}

pub(crate) fn ends_a_query(_: &dyn Host, served: &dyn Served) {
    let client = served.client();
    let insert = |n| format!(r#"{{"op":"insert","collection":"c","document":{{"a":{n}}}}}"#);
    let inserts: Vec<String> = (0..100).map(insert).collect();
    let body = format!(r#"{{"operations":[{}]}}"#, inserts.join(","));
    client.ask("POST", "/transactions/batch", &body).expect(200);
    client.ask("POST", "/collections/c/query", r#"{"filter":{"a":{"$gte":0}}}"#).expect(422);
}

pub(crate) fn takes_the_key_that_commands_send(_: &dyn Host, served: &dyn Served) {
    let url = format!("http://{}", served.address_beside());
    good(&served.beside(&["keys", "list", "--url", &url]));
    assert!(!served.beside(&["keys", "list", "--url", &url, "--key", "x"]).status.success());
    assert_ne!(KEY, "x");
}

pub(crate) fn reads_the_file(_: &dyn Host, served: &dyn Served) {
    served.lines().expect("durability: interval:33");
}

pub(crate) fn logged_nothing(_: &dyn Host, ended: &Ended) {
    let about_requests = |line: &&String| line.contains(DOCUMENTS) || line.contains("INFO");
    assert_eq!(ended.lines.iter().find(about_requests), None);
}
