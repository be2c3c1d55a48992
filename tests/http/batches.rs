//! Batches: ordered operations, one commit.

use crate::server::{Answer, Server};

fn batch(server: &Server, operations: &str) -> Answer {
    server.post("/transactions/batch", &format!(r#"{{"operations":[{operations}]}}"#))
}

fn filled() -> Server {
    let server = Server::start();
    server.put("/collections/c/documents/a", r#"{"n":1}"#);
    server
}

#[test]
fn all_operations_take_effect_at_one_version() {
    let server = filled();
    let operations = r#"
        {"op":"insert","collection":"c","document":{"_id":"b","n":2}},
        {"op":"insert","collection":"d","id":"x","document":{}},
        {"op":"put","collection":"c","id":"b","document":{"n":3}},
        {"op":"replace","collection":"c","id":"b","document":{"n":4}},
        {"op":"merge","collection":"c","id":"b","merge":{"m":1}},
        {"op":"update","collection":"c","id":"b","update":{"$inc":{"n":1}}},
        {"op":"patch","collection":"c","id":"b","patch":[{"op":"add","path":"/l","value":[]}]},
        {"op":"update","collection":"c","id":"a","update":{"$inc":{"n":1}},"if_version":4},
        {"op":"put","collection":"c","id":"new","document":{},"if_version":0},
        {"op":"delete","collection":"d","id":"x"}"#;
    let ids = ["b", "x", "b", "b", "b", "b", "b", "a", "new", "x"];
    let results: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    batch(&server, operations)
        .expect(200, &format!(r#"{{"version":5,"results":[{}]}}"#, results.join(",")));
    server.get("/collections/c/documents").expect(
        200,
        concat!(
            r#"{"documents":[{"_id":"a","_version":5,"n":2},{"_id":"b","_version":5,"n":5,"m":1,"l":[]},"#,
            r#"{"_id":"new","_version":5}],"version":5,"cursor":null}"#
        ),
    );
}

#[test]
fn a_failing_operation_is_named_and_nothing_takes_effect() {
    let server = filled();
    let fine = r#"{"op":"insert","collection":"c","id":"b","document":{}}"#;
    for (operation, status, slug) in [
        (r#"{"op":"insert","collection":"c","id":"a","document":{}}"#, 409, "already-exists"),
        (r#"{"op":"insert","collection":"c","id":"b","document":{}}"#, 409, "already-exists"),
        (r#"{"op":"replace","collection":"c","id":"x","document":{}}"#, 404, "not-found"),
        (r#"{"op":"delete","collection":"c","id":"x"}"#, 404, "not-found"),
        (r#"{"op":"merge","collection":"c","id":"x","merge":{}}"#, 404, "not-found"),
        (r#"{"op":"patch","collection":"c","id":"x","patch":[]}"#, 404, "not-found"),
        (
            r#"{"op":"patch","collection":"c","id":"a","patch":[{"op":"test","path":"/n","value":2}]}"#,
            409,
            "test-failed",
        ),
        (
            r#"{"op":"update","collection":"c","id":"x","update":{"$inc":{"n":1}}}"#,
            404,
            "not-found",
        ),
        (
            r#"{"op":"update","collection":"c","id":"a","update":{"$inc":{"n.m":1}}}"#,
            422,
            "invalid-update",
        ),
        (
            r#"{"op":"put","collection":"c","id":"a","if_version":3,"document":{}}"#,
            409,
            "version-mismatch",
        ),
        (
            r#"{"op":"put","collection":"c","id":"a","if_version":0,"document":{}}"#,
            409,
            "version-mismatch",
        ),
        (
            r#"{"op":"put","collection":"c","id":"a","document":{"_version":3}}"#,
            409,
            "version-mismatch",
        ),
        (
            r#"{"op":"put","collection":"c","id":"a","document":{"_id":"z"}}"#,
            422,
            "invalid-document",
        ),
        (
            r#"{"op":"put","collection":"c","id":"a","document":{"n":1,"n":2}}"#,
            422,
            "invalid-document",
        ),
        (r#"{"op":"put","collection":"c","id":"a","document":[]}"#, 422, "invalid-document"),
        (r#"{"op":"put","collection":"../c","id":"a","document":{}}"#, 422, "invalid-name"),
        (r#"{"op":"put","collection":"c","id":"a\u0007","document":{}}"#, 422, "invalid-name"),
        (r#"{"op":"put","collection":"c","document":{}}"#, 422, "invalid-body"),
        (r#"{"op":"put","collection":"c","id":7,"document":{}}"#, 422, "invalid-body"),
        (r#"{"op":"put","collection":"c","id":"a"}"#, 422, "invalid-body"),
        (r#"{"op":"put","collection":"c","id":"a","document":{},"merge":{}}"#, 422, "invalid-body"),
        (r#"{"op":"patch","collection":"c","id":"a","update":{}}"#, 422, "invalid-body"),
        (r#"{"op":"grow","collection":"c","id":"a"}"#, 422, "invalid-body"),
        (r#"{"op":"patch","collection":"c","id":"a","patch":{}}"#, 422, "invalid-update"),
        (r#"{"op":"put","id":"a","document":{}}"#, 422, "invalid-body"),
        (
            r#"{"op":"put","collection":"c","id":"a","document":{},"if_version":-1}"#,
            422,
            "invalid-body",
        ),
        ("7", 422, "invalid-body"),
    ] {
        for dry_run in [true, false] {
            let body = format!(r#"{{"operations":[{fine},{operation}],"dry_run":{dry_run}}}"#);
            let problem = server.post("/transactions/batch", &body).problem(status, slug);
            assert_eq!(problem["operation"], 1, "{operation} {problem}");
        }
    }
    assert_eq!(server.get("/collections/c").value()["count"], 1);
    server.get("/collections/c/documents/a").expect(200, r#"{"_id":"a","_version":4,"n":1}"#);
}

#[test]
fn a_rehearsal_commits_nothing() {
    let server = filled();
    let body = r#"{"dry_run":true,"operations":[
        {"op":"insert","collection":"c","id":"b","document":{}},
        {"op":"update","collection":"c","id":"a","update":{"$inc":{"n":1}}}]}"#;
    server
        .post("/transactions/batch", body)
        .expect(200, r#"{"version":4,"results":[{"id":"b"},{"id":"a"}],"dry_run":true}"#);
    server.get("/collections/c/documents/a").expect(200, r#"{"_id":"a","_version":4,"n":1}"#);
    server.get("/collections/c/documents/b").problem(404, "not-found");
}

#[test]
fn a_batch_has_a_limit_and_only_known_members() {
    let server = filled();
    let put = r#"{"op":"put","collection":"c","id":"b","document":{}}"#;
    batch(&server, &vec![put; 10_001].join(",")).problem(422, "limit-exceeded");
    server.get("/collections/c/documents/b").problem(404, "not-found");
    assert_eq!(batch(&server, &vec![put; 10_000].join(",")).status, 200);
    batch(&server, "").expect(200, r#"{"version":5,"results":[]}"#);
    for body in [
        "{}",
        r#"{"operations":{}}"#,
        r#"{"operations":[],"dry":1}"#,
        r#"{"operations":[],"dry_run":1}"#,
    ] {
        server.post("/transactions/batch", body).problem(422, "invalid-body");
    }
}
