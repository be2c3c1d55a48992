//! Databases as earlier releases left them open, and hold what they held.
//!
//! For each format there is a directory in `tests/fixtures`, with every kind of file in it: wholes
//! and what changed since, an index, and a log that goes on behind the checkpoint. It is never
//! written again. A release with another format adds one: run this test with `MONSTERDB_TEST_UPDATE`
//! set, which makes the directory of the present format where there is none.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use monsterdb::{
    Database, IndexDefinition, Json,
    checkpoint::FORMAT,
    database::CheckReport,
    storage::{Access, FileStorage},
};

/// The file that says what a database of a fixture holds.
const EXPECTED: &str = "expected.txt";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn options() -> monsterdb::Builder {
    Database::builder().background(false).segment_bytes(4096).checkpoint_on_close(false)
}

#[test]
fn every_format_opens_and_holds_what_it_held() {
    let present = fixtures().join(format!("format-{FORMAT}"));
    if !present.exists() && std::env::var_os("MONSTERDB_TEST_UPDATE").is_some() {
        make(&present);
    }
    assert!(present.exists(), "the present format has no fixture");
    for entry in fs::read_dir(fixtures()).unwrap() {
        let fixture = entry.unwrap().path();
        let expected = fs::read_to_string(fixture.join(EXPECTED)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        copy(&fixture.join("data"), folder.path());
        let report = CheckReport::of(&FileStorage::open(folder.path(), Access::Read).unwrap());
        let report = report.unwrap();
        assert!(report.damage.is_empty() && report.cut.is_none(), "{fixture:?}: {report:?}");

        let db = options().open(folder.path()).unwrap();
        assert_eq!(told(&db), expected, "{fixture:?}");
        let recovery = db.status().recovery;
        assert!(recovery.replayed > 0, "{fixture:?}: its log goes on behind the checkpoint");
        assert!(recovery.rebuilt.is_empty(), "{fixture:?}: {:?}", recovery.rebuilt);
        // And it goes on from there.
        let people = db.collection::<Json>("people").unwrap();
        people.put("new", &Json::parse(r#"{"n":1000}"#).unwrap()).unwrap();
        // It holds the database too.
        drop(people);
        db.checkpoint().unwrap();
        let after = told(&db);
        db.close().unwrap();
        assert_eq!(told(&options().open(folder.path()).unwrap()), after, "{fixture:?}");
        assert!(after.len() > expected.len());
    }
}

/// Every document with its version, and every index.
fn told(db: &Database) -> String {
    let snapshot = db.snapshot();
    let mut out = format!("version {}\n", snapshot.version());
    for (name, collection) in snapshot.collections() {
        writeln!(out, "collection {name} {}", collection.created()).unwrap();
        for (_, document) in collection.documents() {
            writeln!(out, "{}", document.to_json_with_version()).unwrap();
        }
        for index in collection.indexes() {
            let (name, definition) = (index.name(), index.definition().to_json());
            writeln!(out, "index {name} {definition} {} entries", index.len()).unwrap();
        }
    }
    out
}

fn make(fixture: &Path) {
    let data = fixture.join("data");
    let db = options().open(&data).unwrap();
    let people = db.collection::<Json>("people").unwrap();
    let put = |id: &str, text: &str| people.put(id, &Json::parse(text).unwrap()).unwrap();
    for number in 0..40 {
        let pad = "padding ".repeat(10);
        put(
            &format!("p{number:02}"),
            &format!(r#"{{"n":{number},"tags":["a","b"],"pad":"{pad}"}}"#),
        );
    }
    db.create_index("people", "by_n", IndexDefinition::on(["n"]).unwrap().unique()).unwrap();
    db.create_index("people", "by_tag", IndexDefinition::on(["tags", "-n"]).unwrap()).unwrap();
    db.checkpoint().unwrap();
    put("p03", r#"{"n":103,"text":"\u0000 \"quoted\" grün 😀","number":-1.5e300}"#);
    people.delete("p04").unwrap();
    db.create_collection("strict", monsterdb::CollectionOptions { require_preconditions: true })
        .unwrap();
    db.checkpoint().unwrap();
    put("p05", r#"{"n":105,"nested":{"a":[1,2,{"b":null}]}}"#);
    people.delete("p06").unwrap();
    let expected = told(&db);
    db.close().unwrap();
    fs::remove_file(data.join("LOCK")).unwrap();
    fs::write(fixture.join(EXPECTED), expected).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}
