//! Backups from the command line: of a directory and of a server, into a directory and into an
//! archive, verified, restored, refused.

use std::fs;

use crate::{
    program::{Place, documents},
    remote::Server,
};

/// What the database in a directory holds.
fn export(place: &Place, data: &str) -> String {
    place.good(&format!("export --collection c --versions --data {data}"))
}

/// A place with a database of so many documents.
fn filled(count: u64) -> Place {
    let place = Place::new();
    place.file("in.ndjson", &documents(0..count));
    place.good("import in.ndjson --collection c");
    place
}

#[test]
fn a_directory_there_and_back() {
    let place = filled(300);
    let before = export(&place, "data");
    let told = place.good("backup saved");
    assert!(told.starts_with("version ") && told.ends_with(" is in saved\n"), "{told}");
    assert!(place.good("verify saved").starts_with("good: version "));
    place.good("restore saved --data again");
    assert_eq!(export(&place, "again"), before);
    place.good("check --data again");

    place.file("more.ndjson", r#"{"_id":"later"}"#);
    place.good("import more.ndjson --collection c");
    let told: serde_json::Value = serde_json::from_str(&place.good("--json backup saved")).unwrap();
    assert_eq!(told["files_kept"], 1, "{told}");
    assert!(told["bytes_kept"].as_u64() > Some(10_000), "{told}");
    place.good("restore saved --data third");
    assert_eq!(export(&place, "third"), export(&place, "data"));
}

#[test]
fn a_server_there_and_back() {
    let place = filled(200);
    let before = export(&place, "data");
    let server = Server::start(&place);
    let url = &format!("--url {}", server.url);
    place.good(&format!("backup directory {url}"));
    // The second time what is there stays.
    let names = || fs::read_dir(place.path().join("directory/collections")).unwrap().count();
    let files = names();
    place.good(&format!("backup directory {url}"));
    assert_eq!(names(), files);
    place.good(&format!("backup archive.tar {url}"));
    let stream = place.command().args(["backup", "-"]).args(url.split_whitespace()).output();
    fs::write(place.path().join("stream.tar"), stream.unwrap().stdout).unwrap();
    drop(server);
    for (number, backup) in ["directory", "archive.tar", "stream.tar"].iter().enumerate() {
        assert!(place.good(&format!("verify {backup}")).starts_with("good: version "));
        place.good(&format!("restore {backup} --data r{number}"));
        assert_eq!(export(&place, &format!("r{number}")), before, "{backup}");
    }
    place.good("backup local.tar");
    place.good("restore local.tar --data local");
    assert_eq!(export(&place, "local"), before);
    let left = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains(".unpacked")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_later_version_comes_out_of_the_archive() {
    let place = filled(10);
    place.good("backup saved");
    let mut states = Vec::new();
    for number in 0..3 {
        place.file("one.ndjson", &format!(r#"{{"_id":"later-{number}"}}"#));
        place.good("import one.ndjson --collection c");
        states.push(export(&place, "data"));
    }
    let told: serde_json::Value = serde_json::from_str(&place.good("--json verify saved")).unwrap();
    let begin = told["version"].as_u64().unwrap();
    for (state, version) in states.iter().zip(begin + 1..) {
        place.good(&format!("restore saved --archive data --to {version} --data at-{version}"));
        assert_eq!(export(&place, &format!("at-{version}")), *state);
    }
    place.good("restore saved --archive data --data last");
    assert_eq!(export(&place, "last"), states[2]);
    place.fails(3, &format!("restore saved --archive data --to {} --data no", begin + 9));
    place.fails(2, "restore saved --to 3 --data no");
}

#[test]
fn what_would_lose_something_is_refused() {
    let place = filled(50);
    let before = export(&place, "data");
    place.good("backup saved");
    place.good("backup saved.tar");
    for line in
        ["restore saved", "restore saved.tar", "backup data --data saved", "backup saved.tar"]
    {
        place.fails(1, line);
    }
    assert_eq!(export(&place, "data"), before);
    // Nobody waits at this address.
    for line in [
        "backup target --url http://127.0.0.1:1",
        "restore saved --archive data --to 99 --data r",
        "restore saved --archive data --to 99 --data below/r",
    ] {
        assert_ne!(place.run(line.split(' ')).code, 0, "{line}");
    }
    for path in ["target", "r", "below"] {
        assert!(!place.path().join(path).exists(), "{path}");
    }
    for line in ["backup target --data none", "verify none", "restore none.tar --data r"] {
        place.fails(3, line);
        assert!(!place.path().join("none").exists());
    }
    let mut tar = fs::read(place.path().join("saved.tar")).unwrap();
    tar[700] ^= 1;
    fs::write(place.path().join("bad.tar"), tar).unwrap();
    for line in ["verify bad.tar", "restore bad.tar --data r"] {
        place.fails(5, line);
    }
}
