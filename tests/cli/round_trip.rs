//! What goes in comes out again.

use std::{fs, path::Path, process::Stdio};

use serde_json::Value;

use crate::{
    data_set::data_set,
    program::{Place, documents},
};

fn without_id(line: &str) -> Value {
    let mut value: Value = serde_json::from_str(line).unwrap();
    value.as_object_mut().unwrap().remove("_id").expect("every document has one");
    value
}

/// Generated ids rise, so the order of the input is the order of the output.
fn comes_back(path: &Path) {
    let place = Place::new();
    let path = path.to_str().unwrap();
    place.good(&format!("import {path} --collection c"));
    let given = fs::read_to_string(path).unwrap();
    let exported = place.exported();
    assert_eq!(exported.len(), given.lines().count());
    for (given, exported) in given.lines().zip(&exported) {
        let given: Value = serde_json::from_str(given).unwrap();
        assert_eq!(without_id(exported), given);
    }
    place.good("check");
    // A second time by their ids, into a database of its own, and nothing differs at all.
    let again = Place::new();
    again.file("all.ndjson", &(exported.join("\n") + "\n"));
    again.good("import all.ndjson --collection c --batch 333");
    assert!(again.exported() == exported, "the second export differs from the first");
}

#[test]
fn cities_come_back() {
    data_set("cities.ndjson").iter().for_each(|path| comes_back(path));
}

#[test]
fn countries_come_back() {
    data_set("countries.ndjson").iter().for_each(|path| comes_back(path));
}

#[test]
fn an_array_is_read_and_written() {
    let place = Place::new();
    let array = r#"
        [ {"_id":"a","text":"], [ \" } , {"} , {"_id":"b","list":[1,[2,{"x":"]"}]]}
        ,{"_id":"c"}]
    "#;
    assert_eq!(place.import(array, "").code, 0);
    let lines =
        [r#"{"_id":"a","text":"], [ \" } , {"}"#, r#"{"_id":"b","list":[1,[2,{"x":"]"}]]}"#];
    assert_eq!(place.exported(), [lines[0], lines[1], r#"{"_id":"c"}"#]);
    let array: Vec<Value> =
        serde_json::from_str(&place.good("export --collection c --array")).unwrap();
    assert_eq!(array.len(), 3);
    assert_eq!(Place::new().import("[]", "").code, 0);
    assert_eq!(Place::new().import("", "").code, 0);
}

#[test]
fn versions_are_written_on_request_and_never_read() {
    let place = Place::new();
    place.import(&documents(1..=3), "--batch 2");
    let versions = place.good("export --collection c --versions");
    assert!(versions.ends_with("{\"_id\":\"d000003\",\"_version\":2,\"n\":3}\n"), "{versions}");
    let again = Place::new();
    assert_eq!(again.import(&versions, "").code, 0);
    assert_eq!(again.exported(), place.exported());
}

#[test]
fn ids_are_taken_from_a_path() {
    let place = Place::new();
    let text =
        "{\"key\":{\"n\":7}}\n{\"_id\":\"own\",\"key\":{\"n\":8}}\n{\"key\":{\"n\":\"x\"}}\n";
    assert_eq!(place.import(text, "--id-path key.n").code, 0);
    let ids: Vec<_> = place.exported().iter().map(|line| line[..10].to_owned()).collect();
    assert_eq!(ids, [r#"{"_id":"7""#, r#"{"_id":"ow"#, r#"{"_id":"x""#]);
    let run = place.import("{\"key\":{\"n\":9}}\n{\"key\":{}}\n", "--id-path key.n");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("line 2") && run.err.contains("/key/n"), "{run:?}");
}

#[test]
fn a_query_prints_documents_with_versions() {
    let place = Place::new();
    place.import(&documents(1..=30), "--batch 10");
    let out = place.good(r#"query c {"n":{"$gt":5}} --sort -n --limit 2 --offset 9"#);
    assert_eq!(
        out,
        "{\"_id\":\"d000021\",\"_version\":3,\"n\":21}\n{\"_id\":\"d000020\",\"_version\":2,\"n\":20}\n"
    );
    assert_eq!(place.good("query c").lines().count(), 30);
}

#[test]
fn whoever_stops_reading_is_no_error() {
    let place = Place::new();
    place.import(&documents(1..=20_000), "");
    for line in ["export --collection c", "query c", "log show", "log show --json"] {
        let mut child = place
            .command()
            .args(line.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
