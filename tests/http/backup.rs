//! `GET /admin/backup`: what is sent is the database at one version, while others write.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use monsterdb::{
    Database,
    database::{unpack_tar, verify},
    storage::MemoryStorage,
};

use crate::server::Server;

#[test]
fn a_backup_is_one_version_while_others_write() {
    let server = Server::start();
    server.put("/collections/c", "{}");
    server.put("/collections/c/indexes/by_n", r#"{"paths":["n"]}"#);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // The two have the same number in every version.
            for number in 0.. {
                if is_over.load(Ordering::Acquire) {
                    break;
                }
                let put = |id: &str| {
                    format!(
                        r#"{{"op":"put","collection":"c","id":"{id}","document":{{"n":{number}}}}}"#
                    )
                };
                let body = format!(r#"{{"operations":[{},{}]}}"#, put("a"), put("b"));
                assert_eq!(server.post("/transactions/batch", &body).status, 200);
            }
        });
        for _ in 0..10 {
            let answer = server.get("/admin/backup");
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-tar"));
            let storage = MemoryStorage::new();
            let version = unpack_tar(&mut answer.body.as_bytes(), &storage).unwrap();
            verify(&storage).unwrap();
            let opened = Database::builder().background(false);
            let snapshot = opened.open_in(std::sync::Arc::new(storage)).unwrap().snapshot();
            assert_eq!(snapshot.version(), version);
            let number =
                |id| snapshot.get("c", id).map(|found| found.raw().member("n").unwrap().text());
            assert_eq!(number("a"), number("b"), "at {version}");
            assert!(snapshot.collection("_keys").is_some(), "who may ask is in it too");
        }
        is_over.store(true, Ordering::Release);
    });
}

#[test]
fn only_admins_take_backups() {
    let server = Server::start();
    server.call_with("", "GET", "/admin/backup").send().problem(401, "unauthorized");
    for role in ["read", "write"] {
        let made = server.post("/admin/keys", &format!(r#"{{"name":"k","role":"{role}"}}"#));
        let made = made.value();
        let key = made["key"].as_str().unwrap();
        server.call_with(key, "GET", "/admin/backup").send().problem(403, "forbidden");
    }
    server.post("/admin/backup", "{}").problem(405, "method-not-allowed");
}
