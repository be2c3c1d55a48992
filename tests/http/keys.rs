//! Keys: their life, what each of them opens, how often a wrong one may come.

use std::{thread, time::Duration};

use monsterdb::{Database, server::RateLimit};
use serde_json::{Value, json};

use crate::{
    routes::{Role, Route, routes},
    server::{Answer, READER, Server, WRITER},
};

/// Makes a key and returns its id and itself.
fn make(server: &Server, body: &Value) -> (String, String) {
    let answer = server.post("/admin/keys", &body.to_string());
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    let made = answer.value();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

fn status(server: &Server, key: &str, path: &str) -> u16 {
    server.call_with(key, "GET", path).send().status
}

fn listed(server: &Server) -> Vec<Value> {
    server.get("/admin/keys").value()["keys"].as_array().unwrap().clone()
}

#[test]
fn a_key_from_its_making_to_its_end() {
    let server = Server::start();
    let body = r#"{"name":"app ä","role":"write","collections":["c","d"]}"#;
    let made = server.post("/admin/keys", body).value();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with(&format!("mdb_{id}_")) && key.len() == 4 + 16 + 1 + 64, "{made}");
    let created = made["created"].as_str().unwrap().to_owned();
    assert!(created.starts_with("20") && created.ends_with('Z'), "{made}");

    let answer = server.get("/admin/keys");
    assert_eq!(answer.header("db-version"), "4");
    assert!(!answer.body.contains("hash") && !answer.body.contains(key), "{}", answer.body);
    let keys = answer.value();
    assert_eq!((keys["version"].as_u64(), keys["keys"].as_array().unwrap().len()), (Some(4), 4));
    let last = &keys["keys"][3];
    let expected = json!({
        "id": id, "name": "app ä", "role": "write", "collections": ["c", "d"],
        "created": created, "last_used": null,
    });
    assert_eq!(*last, expected);
    assert_eq!(keys["keys"][2]["name"], "first");
    assert_eq!(keys["keys"][2]["collections"], Value::Null);
    assert!(keys["keys"][2]["last_used"].is_string(), "the admin's was used just now");

    server.call_with(key, "PUT", "/collections/c/documents/a").json("{}").send();
    assert_eq!(status(&server, key, "/collections/c/documents/a"), 200);
    let last = listed(&server).pop().unwrap();
    assert!(last["last_used"].as_str().unwrap().ends_with('Z'), "{last}");

    server.delete(&format!("/admin/keys/{id}")).expect(204, "");
    let refused = server.call_with(key, "GET", "/collections/c/documents/a").send();
    refused.problem(401, "unauthorized");
    server.delete(&format!("/admin/keys/{id}")).problem(404, "key-not-found");
    assert_eq!(listed(&server).len(), 3);
}

/// Two keys are none, in whatever order and though both are good: a proxy may have looked at the other.
#[test]
fn a_request_has_one_key() {
    let server = Server::start();
    let (_, reader) = make(&server, &json!({"name": "r", "role": "read"}));
    for (one, other) in [(&server.key, "wrong"), (&server.key, &*reader), (&reader, &server.key)] {
        let call = server.call_with(one, "GET", "/collections").header("X-API-Key", other);
        let told = call.send().problem(401, "unauthorized");
        assert_eq!(told["detail"], "the header X-API-Key stands there twice");
    }
    assert_eq!(status(&server, &reader, "/collections"), 200);
}

#[test]
fn keys_outlive_the_server_that_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    let scoped = json!({"name": "app", "role": "read", "collections": ["c"]});
    let (_, key) = make(&server, &scoped);
    let (id, gone) = make(&server, &scoped);
    server.delete(&format!("/admin/keys/{id}"));
    server.stop().unwrap();
    let server = Server::start_in(folder.path(), |_| {});
    assert_eq!(status(&server, &key, "/collections/c"), 404);
    assert_eq!(status(&server, &key, "/collections/d"), 403);
    assert_eq!(status(&server, &gone, "/collections/c"), 401);
}

#[test]
fn what_is_no_key_is_refused_with_its_place() {
    let server = Server::start();
    let long = format!(r#"{{"name":"{}","role":"read"}}"#, "x".repeat(129));
    let names: Vec<String> = (0..257).map(|n| format!("c{n}")).collect();
    let many = json!({"name": "n", "role": "read", "collections": names}).to_string();
    let cases: &[(&str, &str, &str)] = &[
        (r#"{"role":"read"}"#, "invalid-body", "/name"),
        (r#"{"name":"n"}"#, "invalid-body", "/role"),
        (r#"{"name":"","role":"read"}"#, "invalid-body", "/name"),
        (r#"{"name":"a\nb","role":"read"}"#, "invalid-body", "/name"),
        (r#"{"name":7,"role":"read"}"#, "invalid-body", "/name"),
        (&long, "invalid-body", "/name"),
        (r#"{"name":"n","role":"owner"}"#, "invalid-body", "/role"),
        (r#"{"name":"n","role":"Admin"}"#, "invalid-body", "/role"),
        (r#"{"name":"n","role":"read","rolle":1}"#, "invalid-body", "/rolle"),
        (r#"{"name":"n","role":"read","key":"mine"}"#, "invalid-body", "/key"),
        (r#"{"name":"n","role":"read","collections":"c"}"#, "invalid-body", "/collections"),
        (r#"{"name":"n","role":"read","collections":[]}"#, "invalid-body", "/collections"),
        (
            r#"{"name":"n","role":"read","collections":["a","b","a"]}"#,
            "invalid-body",
            "/collections",
        ),
        (r#"{"name":"n","role":"read","collections":["a",1]}"#, "invalid-body", "/collections/1"),
        (r#"{"name":"n","role":"read","collections":["_keys"]}"#, "invalid-name", "/collections/0"),
        (r#"{"name":"n","role":"admin","collections":["c"]}"#, "invalid-body", "/collections"),
        (&many, "invalid-body", "/collections"),
    ];
    for (body, slug, pointer) in cases {
        let problem = server.post("/admin/keys", body).problem(422, slug);
        assert_eq!(problem["pointer"], *pointer, "{body}: {problem}");
    }
    for id in ["nobody", "%00", "a%2Fb", &"x".repeat(300)] {
        server.delete(&format!("/admin/keys/{id}")).problem(404, "key-not-found");
    }
    assert_eq!(listed(&server).len(), 3);
    let full = json!({"name": "x".repeat(128), "role": "read", "collections": names[..256]});
    make(&server, &full);
}

#[test]
fn the_last_admin_key_stays() {
    let server = Server::start();
    let first = listed(&server).pop().unwrap();
    let path = |id: &str| format!("/admin/keys/{id}");
    let first = path(first["id"].as_str().unwrap());
    let refused = server.delete(&first).problem(409, "last-admin-key");
    assert_eq!(refused["retryable"], false);
    let (_, second) = make(&server, &json!({"name": "second", "role": "admin"}));
    server.delete(&first).expect(204, "");
    server.get("/admin/keys").problem(401, "unauthorized");
    assert_eq!(status(&server, &second, "/admin/keys"), 200);
    for other in ["reader", "writer"] {
        let revoked = server.call_with(&second, "DELETE", &path(other)).send();
        assert_eq!(revoked.status, 204, "only admin keys are held on to");
    }
}

#[test]
fn a_key_from_the_environment_lets_the_last_stored_one_go() {
    let folder = tempfile::tempdir().unwrap();
    drop(Server::start_in(folder.path(), |_| {}));
    let server = Server::start_in(folder.path(), |o| o.admin_key = Some("chosen".to_owned()));
    let keys = server.call_with("chosen", "GET", "/admin/keys").send().value();
    let id = keys["keys"][2]["id"].as_str().unwrap();
    server.delete(&format!("/admin/keys/{id}")).expect(204, "");
    assert_eq!(status(&server, "chosen", "/admin/keys"), 200);
}

#[test]
fn of_two_admins_who_revoke_each_other_one_stays() {
    for _ in 0..10 {
        let server = Server::start_on(Database::in_memory(), |_| {});
        let id = listed(&server)[0]["id"].as_str().unwrap().to_owned();
        let (other_id, other) = make(&server, &json!({"name": "other", "role": "admin"}));
        let revoke = |key: String, id: String| {
            server.call_with(&key, "DELETE", &format!("/admin/keys/{id}")).send().status
        };
        let statuses = thread::scope(|scope| {
            let one = scope.spawn(|| revoke(server.key.clone(), other_id.clone()));
            let two = scope.spawn(|| revoke(other.clone(), id.clone()));
            [one.join().unwrap(), two.join().unwrap()]
        });
        assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
        let left = [&server.key, &other].map(|key| status(&server, key, "/admin/keys") == 200);
        assert_ne!(left[0], left[1], "{statuses:?}");
    }
}

/// Every route against no key, wrong keys, one of a weaker role, one for another collection.
#[test]
fn every_route_refuses_the_keys_that_do_not_open_it() {
    let server = Server::start();
    let scoped = |role: &str, collections: Value| {
        make(&server, &json!({"name": "s", "role": role, "collections": collections})).1
    };
    let elsewhere = [scoped("read", json!(["d"])), scoped("write", json!(["cc", "C", "d"]))];
    // The example of a batch is about people.
    let here = scoped("write", json!(["d", "c", "people"]));
    let refused = |answer: Answer, route: &Route, status: u16, slug: &str| {
        assert_eq!(answer.status, status, "{} {}: {answer:?}", route.method, route.path);
        if route.method != "HEAD" {
            answer.problem(status, slug);
        }
    };
    let mut touching = 0;
    for route in &routes(&server) {
        for key in ["", "wrong", "mdb_reader_wrong", "mdb_writer_", "mdb_reader_secret0"] {
            refused(route.send(&server, key), route, 401, "unauthorized");
        }
        let weaker: &[&str] = match route.role {
            Role::Read => &[],
            Role::Write => &[READER],
            Role::Admin => &[READER, WRITER, &here],
        };
        for key in weaker {
            refused(route.send(&server, key), route, 403, "forbidden");
        }
        if route.path.contains("/collections/") {
            touching += 1;
            for key in &elsewhere {
                refused(route.send(&server, key), route, 403, "forbidden");
            }
            // A name that is written in another way is the same name.
            let path = route.path.replacen("/collections/c", "/collections/%63", 1);
            let answer = server.call_with(&elsewhere[1], &route.method, &path).send();
            refused(answer, route, 403, "forbidden");
        }
        if route.role != Role::Admin {
            let opened = route.send(&server, &here).status;
            assert!([200, 201, 204, 404, 409].contains(&opened), "{} {opened}", route.path);
        }
    }
    assert!(touching > 10, "{touching} routes touch a collection");
}

#[test]
fn a_scope_holds_for_batches_and_lists_as_well() {
    let server = Server::start();
    for name in ["c", "d", "e"] {
        server.put(&format!("/collections/{name}/documents/a"), r#"{"n":1}"#);
    }
    let body = json!({"name": "s", "role": "write", "collections": ["d", "f"]});
    let (_, key) = make(&server, &body);
    let names = |key: &str| {
        let list = server.call_with(key, "GET", "/collections").send().value();
        let names = list["collections"].as_array().unwrap().iter();
        names.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&key), ["d"]);
    assert_eq!(names(READER), ["c", "d", "e"]);
    let batch = |operations: &str, dry_run: bool| {
        let body = format!(r#"{{"operations":[{operations}],"dry_run":{dry_run}}}"#);
        server.call_with(&key, "POST", "/transactions/batch").json(&body).send()
    };
    let inside = r#"{"op":"update","collection":"d","id":"a","update":{"$inc":{"n":1}}}"#;
    let changes = [
        ("insert", r#""document":{}"#),
        ("replace", r#""document":{}"#),
        ("put", r#""document":{}"#),
        ("delete", r#""if_version":99"#),
        ("merge", r#""merge":{}"#),
        ("patch", r#""patch":[]"#),
        ("update", r#""update":{"$inc":{"n":1}}"#),
    ];
    for (op, change) in changes {
        let outside = format!(r#"{{"op":"{op}","collection":"c","id":"a",{change}}}"#);
        for dry_run in [false, true] {
            let answer = batch(&format!("{inside},{outside}"), dry_run);
            assert_eq!(answer.problem(403, "forbidden")["operation"], 1, "{op}");
        }
    }
    assert_eq!(server.get("/collections/d/documents/a").value()["n"], 1, "none did anything");
    assert_eq!(batch(inside, false).status, 200);
    assert_eq!(server.get("/collections/d/documents/a").value()["n"], 2);
}

#[test]
fn wrong_keys_are_limited_by_address() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder.path(), |options| {
        options.admin_key = Some("chosen".to_owned());
        let every = Duration::from_secs(7 * 3600);
        options.failed_auth_limit = Some(RateLimit { burst: 5, every });
    });
    for _ in 0..5 {
        assert_eq!(status(&server, "", "/collections"), 401, "no key is no attempt");
        assert_eq!(status(&server, "chosen", "/collections"), 200, "a right one costs nothing");
        assert_eq!(status(&server, "wrong", "/collections"), 401);
    }
    for key in ["wrong", "mdb_reader_wrong", "chosen"] {
        let answer = server.call_with(key, "GET", "/collections").send();
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=7 * 3600).contains(&seconds), "{seconds}");
        let problem = answer.problem(429, "too-many-requests");
        assert_eq!(problem["retryable"], true);
    }
    assert_eq!(status(&server, READER, "/collections"), 200, "nobody guesses a stored key");
    assert_eq!(status(&server, "", "/collections"), 401);
    assert_eq!(status(&server, "wrong", "/health"), 200);
}
