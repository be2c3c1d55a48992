//! `/metrics`: what is counted rises as it should, and nobody can make up series.

use monsterdb::{CollectionName, Database, Draft, Transaction, server::ServeOptions};

use crate::{
    exposition::Exposition,
    server::{READER, Server, WRITER},
    wire::request,
};

fn look(server: &Server) -> Exposition {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    Exposition::parse(&answer.body)
}

/// How much each of these series has risen.
fn rise<const N: usize>(before: &Exposition, after: &Exposition, series: [&str; N]) -> [f64; N] {
    series.map(|series| after.count(series) - before.count(series))
}

#[test]
fn only_an_admin_sees_them() {
    let server = Server::start();
    assert_eq!(server.get("/metrics").status, 200);
    assert_eq!(server.call("HEAD", "/metrics").send().status, 200);
    server.call_with("", "GET", "/metrics").send().problem(401, "unauthorized");
    for key in [READER, WRITER] {
        server.call_with(key, "GET", "/metrics").send().problem(403, "forbidden");
    }
    server.post("/metrics", "{}").problem(405, "method-not-allowed");
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
    assert_eq!(server.call("GET", "/metrics").header("Accept", accept).send().status, 200);
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let server = Server::start();
    let before = look(&server);
    server.put("/collections/c/documents/a", r#"{"n":1}"#);
    server.put("/collections/c/documents/b", r#"{"n":1}"#);
    server.get("/collections/c/documents/a");
    server.get("/collections/d/documents/zzz").problem(404, "not-found");
    server.call_with("wrong", "GET", "/collections/c/documents/a").send();
    server.call("HEAD", "/collections/c/documents/a").send();
    server.put("/collections/c/documents/a", "{").problem(400, "invalid-json");
    server.post("/health", "{}").problem(405, "method-not-allowed");
    let after = look(&server);
    let of = |method: &str, status: u16| {
        let route = "/collections/{collection}/documents/{id}";
        format!(
            r#"monsterdb_http_requests_total{{route="{route}",method="{method}",status="{status}"}}"#
        )
    };
    let series =
        [("PUT", 201), ("PUT", 400), ("GET", 200), ("GET", 404), ("GET", 401), ("HEAD", 200)];
    let series = series.map(|(method, status)| of(method, status));
    let found = rise(&before, &after, series.each_ref().map(String::as_str));
    assert_eq!(found, [2.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let series = [
        r#"monsterdb_http_requests_total{route="/health",method="POST",status="405"}"#,
        r#"monsterdb_http_requests_total{route="/metrics",method="GET",status="200"}"#,
        r#"monsterdb_http_request_duration_seconds_count{route="/health",method="POST"}"#,
    ];
    assert_eq!(rise(&before, &after, series), [1.0, 1.0, 1.0]);
    let gets = r#"{route="/collections/{collection}/documents/{id}",method="GET"}"#;
    assert_eq!(after.get(&format!("monsterdb_http_request_duration_seconds_count{gets}")), 3.0);
    // The one that asks is not answered yet.
    assert_eq!(after.get("monsterdb_http_requests_in_flight"), 1.0);
}

#[test]
fn no_request_makes_up_a_series() {
    let server = Server::start();
    let weird = |n: u32| {
        server.get(&format!("/nowhere/{n}")).problem(404, "route-not-found");
        server.get(&format!("/transactions/{n}/nowhere")).problem(404, "route-not-found");
        server.get(&format!("/collections/c{n}/documents/d{n}")).problem(404, "not-found");
        request(&server, &format!("BREW{n}"), "/health", "");
        request(&server, &format!("BREW{n}"), &format!("/at{n}"), "");
        server.call_with("", "DELETE", &format!("/transactions/{n}")).send();
    };
    let series = || {
        let page = look(&server);
        let requests = "monsterdb_http_requests_total";
        let names = [requests, "monsterdb_http_request_duration_seconds_count"];
        names.map(|name| page.named(name).iter().map(|one| one.to_string()).collect::<Vec<_>>())
    };
    series();
    weird(0);
    let once = series();
    (1..20).for_each(weird);
    assert_eq!(series(), once);
    let [requests, _] = once;
    let of = |labels: &str| requests.iter().any(|one| one.contains(labels));
    assert!(of(r#"{route="(none)",method="GET",status="404"}"#), "{requests:#?}");
    assert!(of(r#"{route="/health",method="other",status="405"}"#), "{requests:#?}");
    assert!(of(r#"{route="/transactions/{token}",method="DELETE",status="401"}"#), "{requests:#?}");
    assert!(!of("BREW") && !of("nowhere"), "{requests:#?}");
}

#[test]
fn commits_conflicts_and_sessions_are_counted() {
    let server = Server::start();
    server.put("/collections/c/documents/a", r#"{"n":1}"#);
    let before = look(&server);
    let begin = || {
        let answer = server.post("/transactions", "{}");
        format!("/transactions/{}", answer.value()["token"].as_str().unwrap())
    };
    let (reads_one, reads_all, commits) = (begin(), begin(), begin());
    server.get(&format!("{reads_one}/collections/c/documents/a"));
    server.get(&format!("{reads_all}/collections/c/documents?filter=%7B%22n%22:1%7D"));
    for session in [&reads_one, &reads_all, &commits] {
        let path = format!("{session}/collections/other/documents");
        assert_eq!(server.post(&path, "{}").status, 201);
    }
    server.put("/collections/c/documents/a", r#"{"n":2}"#);
    server.post(&format!("{reads_one}/commit"), "").problem(409, "tx-conflict");
    server.post(&format!("{reads_all}/commit"), "").problem(409, "tx-conflict");
    assert_eq!(server.post(&format!("{commits}/commit"), "").status, 200);
    begin();
    let after = look(&server);
    let series = [
        "monsterdb_commits_total",
        "monsterdb_commits_refused_total",
        r#"monsterdb_conflicts_total{collection="c",kind="document"}"#,
        r#"monsterdb_conflicts_total{collection="c",kind="predicate"}"#,
        r#"monsterdb_conflicts_total{collection="c",kind="collection"}"#,
        "monsterdb_sessions_begun_total",
        "monsterdb_sessions_committed_total",
        "monsterdb_sessions_conflicts_total",
        "monsterdb_sessions_open",
        "monsterdb_version",
        "monsterdb_log_operations_total",
        "monsterdb_log_write_commits_sum",
        "monsterdb_documents",
        "monsterdb_collections",
        r#"monsterdb_collection_documents{collection="other"}"#,
        r#"monsterdb_collection_documents{collection="c"}"#,
    ];
    let expected = [2.0, 2.0, 1.0, 1.0, 0.0, 4.0, 1.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 1.0, 1.0, 0.0];
    assert_eq!(rise(&before, &after, series), expected);
    // Nobody else commits here, so each has a write and a sync of its own.
    let syncs = ["monsterdb_log_write_commits_count", "monsterdb_log_sync_duration_seconds_count"];
    assert_eq!(rise(&before, &after, syncs), [2.0, 2.0]);
    assert!(rise(&before, &after, ["monsterdb_log_bytes_total"])[0] > 100.0);

    let stats = server.get("/admin/stats").value();
    let conflicts = serde_json::json!(
        [{"collection": "c", "documents": 1, "predicates": 1, "collections": 0}]
    );
    assert_eq!(stats["conflicts"], conflicts);
    assert_eq!(stats["log"]["writes"], stats["log"]["syncs"]["count"], "{stats}");
    assert_eq!(stats["sessions"]["open"], 1);
}

#[test]
fn checkpoints_and_kept_versions_are_told() {
    let server = Server::start();
    for n in 0..3 {
        server.put(&format!("/collections/c/documents/{n}"), "{}");
    }
    let before = look(&server);
    // The page has a cursor, for which its version is kept.
    let page = server.get("/collections/c/documents?limit=1").value();
    assert_eq!(server.post("/admin/checkpoint", "").status, 200);
    let after = look(&server);
    assert_eq!(
        rise(&before, &after, ["monsterdb_checkpoint_duration_seconds_count"]),
        [1.0],
        "{page}"
    );
    assert_eq!(after.get("monsterdb_checkpoint_version"), after.get("monsterdb_version"));
    assert!(after.get("monsterdb_retained_versions") >= 1.0);
    assert!(after.get("monsterdb_retained_bytes") >= 1024.0);
    assert_eq!(after.get("monsterdb_checkpoints_failed_total"), 0.0);
    assert_eq!(after.get("monsterdb_ready"), 1.0);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(after.get(&format!("monsterdb_build_info{{version=\"{version}\"}}")), 1.0);
    if cfg!(target_os = "linux") {
        assert!(after.get("process_resident_memory_bytes") > 1e6);
        assert!(after.get("process_open_fds") > 3.0);
    }
}

#[test]
fn the_series_of_collections_are_bounded_and_nothing_is_lost() {
    let database = Database::in_memory();
    let draft = Draft::parse(br#"{"text":"some"}"#).unwrap();
    let fill = |tx: &Transaction| {
        for n in 0..120 {
            // The later ones hold more.
            for id in 0..=n / 60 {
                let id = monsterdb::DocumentId::new(&id.to_string()).unwrap();
                tx.put(&CollectionName::new(&format!("c{n:03}")).unwrap(), &id, draft.clone())?;
            }
        }
        Ok(())
    };
    database.transact(fill).unwrap();
    let server = Server::start_on(database, |options: &mut ServeOptions| options.no_auth = true);
    let page = look(&server);
    let series = page.named("monsterdb_collection_documents");
    assert_eq!(series.len(), 101);
    let sum: f64 = series.iter().map(|series| page.get(series)).sum();
    assert_eq!((sum, page.get("monsterdb_documents")), (180.0, 180.0));
    let of = |name: &str| format!("monsterdb_collection_documents{{collection=\"{name}\"}}");
    assert_eq!((page.get(&of("(other)")), page.get(&of("c119"))), (20.0, 2.0));
    assert_eq!(page.get("monsterdb_collections"), 120.0);
}
