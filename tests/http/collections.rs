//! Collections: made, listed, described, dropped.

use crate::server::Server;

#[test]
fn a_collection_from_its_making_to_its_end() {
    let server = Server::start();
    server.get("/collections").expect(200, r#"{"collections":[],"version":3}"#);
    server.get("/collections/c").problem(404, "collection-not-found");
    let described = |version| {
        format!(
            r#"{{"name":"c","count":0,"bytes":0,"require_preconditions":false,"version":{version}}}"#
        )
    };
    let made = server.call("PUT", "/collections/c").send();
    made.expect(201, &described(4));
    server.put("/collections/c", "{}").expect(200, &described(4));
    server
        .put("/collections/c", r#"{"require_preconditions":true}"#)
        .problem(409, "collection-exists");
    let answer = server.get("/collections/c").expect(200, &described(4));
    assert_eq!(answer.header("db-version"), "4");
    server.post("/collections/b/documents", r#"{"_id":"x"}"#);
    let listed = server.get("/collections").value();
    let names: Vec<_> = listed["collections"].as_array().unwrap().iter().collect();
    assert_eq!((names[0]["name"].as_str(), names[0]["count"].as_u64()), (Some("b"), Some(1)));
    assert_eq!((names[1]["name"].as_str(), names.len()), (Some("c"), 2), "no reserved ones");
    server.delete("/collections/c").expect(204, "");
    server.delete("/collections/c").problem(404, "collection-not-found");
}

#[test]
fn options_are_known_or_refused() {
    let server = Server::start();
    for (body, pointer) in [
        (r#"{"ttl":1}"#, "/ttl"),
        (r#"{"require_preconditions":1}"#, "/require_preconditions"),
        (
            r#"{"require_preconditions":true,"require_preconditions":true}"#,
            "/require_preconditions",
        ),
        ("[]", ""),
        ("7", ""),
    ] {
        let problem = server.put("/collections/c", body).problem(422, "invalid-body");
        assert_eq!(problem["pointer"], pointer, "{body}");
    }
    server.get("/collections/c").problem(404, "collection-not-found");
}

#[test]
fn the_reserved_collections_are_out_of_reach() {
    let server = Server::start();
    for path in ["/collections/_keys", "/collections/%5Fkeys", "/collections/_keys/documents"] {
        server.get(path).problem(422, "invalid-name");
    }
    server.put("/collections/_keys/documents/a", "{}").problem(422, "invalid-name");
    server.delete("/collections/_keys").problem(422, "invalid-name");
    let batch = r#"{"operations":[{"op":"delete","collection":"_keys","id":"reader"}]}"#;
    let problem = server.post("/transactions/batch", batch).problem(422, "invalid-name");
    assert_eq!(problem["operation"], 0);
}
