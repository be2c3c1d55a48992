//! A damaged directory and what a repair makes of it, as an operator and a script see it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use monsterdb::{Database, Json};

use crate::{
    program::{Place, documents},
    remote::Server,
};

/// Every file below a directory.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// A place with a database whose checkpoint holds 20 documents, and whose log 20 more after it.
fn filled() -> Place {
    let place = Place::new();
    place.import(&documents(1..=20), "");
    let open = || Database::builder().checkpoint_on_close(false).open(place.path().join("data"));
    let database = open().unwrap();
    let collection = database.collection::<Json>("c").unwrap();
    for line in documents(21..=40).lines() {
        collection.insert(&Json::parse(line).unwrap()).unwrap();
    }
    database.close().unwrap();
    place
}

/// Changes a byte of the line with these words.
fn damage(place: &Place, file: &str, words: &str) {
    let path = place.path().join("data").join(file);
    let bytes = fs::read(&path).unwrap();
    let offset = bytes.windows(words.len()).position(|at| at == words.as_bytes()).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"!", offset as u64).unwrap();
}

/// The segment that holds a record.
fn segment(place: &Place, seq: u64) -> String {
    let words = format!("\"seq\":{seq},");
    let holds = |bytes: &[u8]| bytes.windows(words.len()).any(|at| at == words.as_bytes());
    let data = place.path().join("data");
    let found = files(&data.join("wal")).into_iter().find(|(_, bytes)| holds(bytes)).unwrap().0;
    found.strip_prefix(data).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn what_is_good_is_saved_as_it_is() {
    let place = filled();
    let before = files(&place.path().join("data"));
    let told = place.good("repair saved --to-last-good");
    assert!(told.starts_with("version 21 is in saved\ncollection c: 40 documents\n"), "{told}");
    assert!(told.ends_with("nothing is lost\n"), "{told}");
    assert_eq!(files(&place.path().join("data")), before);
    assert_eq!(place.good("export --collection c --data saved"), documents(1..=40));
    place.good("check --data saved");
    let told = place.good("--json repair again --to-last-good");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["ok"], &told["state"]), (&true.into(), &21.into()), "{told}");
}

#[test]
fn what_is_lost_is_listed() {
    let place = filled();
    let file = segment(&place, 12);
    damage(&place, &file, "\"seq\":12,");
    place.fails(5, "query c");
    let check = place.fails(5, "check");
    assert!(check.out.contains("the database does not open"), "{check:?}");
    assert!(check.out.contains("repair NEW --to-last-good --data ./data"), "{check:?}");
    assert!(check.err.contains("monsterdb restore"), "{check:?}");

    let before = files(&place.path().join("data"));
    let run = place.fails(5, "repair saved --to-last-good");
    assert_eq!(files(&place.path().join("data")), before, "also its LOCK");
    let mut lines = run.out.lines();
    let first = "version 11 is in saved, and goes on behind version 21";
    assert_eq!(lines.next(), Some(first), "{run:?}");
    assert_eq!(lines.next(), Some("collection c: 30 documents"), "{run:?}");
    let lost: Vec<&str> = lines.collect();
    assert_eq!(lost.len(), 10, "{run:?}");
    let begin = "LOST: commit 12, which cannot be read: at byte ";
    assert!(lost[0].starts_with(begin) && lost[0].contains(&file), "{run:?}");
    assert!(lost[9].starts_with("LOST: commit 21 of 2"), "{run:?}");
    assert!(lost[9].ends_with(", which can be read: put c/d000040"), "{run:?}");
    assert!(run.err.contains("10 losses, 0 doubts; what could be saved is in saved"), "{run:?}");

    place.good("check --data saved");
    assert_eq!(place.good("export --collection c --data saved"), documents(1..=30));
    place.file("more.ndjson", &documents(50..=50));
    place.good("import more.ndjson --collection c --data saved");
    let last = place.good("export --collection c --versions --data saved");
    assert!(last.ends_with("{\"_id\":\"d000050\",\"_version\":22,\"n\":50}\n"), "{last}");

    let run = place.fails(5, "--json repair again --to-last-good");
    let told: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&told["ok"], &told["losses"][0]["first"]), (&false.into(), &12.into()));
    let put = serde_json::json!([{"op": "put", "collection": "c", "target": "d000032"}]);
    assert_eq!(told["losses"][1]["operations"], put, "{told}");
    assert_eq!(run.error()["error"], "lost");
}

#[test]
fn an_archive_has_what_is_lost() {
    let place = filled();
    let copied = place.path().join("archive/wal");
    fs::create_dir_all(&copied).unwrap();
    for (path, bytes) in files(&place.path().join("data/wal")) {
        fs::write(copied.join(path.file_name().unwrap()), bytes).unwrap();
    }
    damage(&place, &segment(&place, 12), "\"seq\":12,");
    damage(&place, "collections/c-1.ndjson", "d000007");
    let told = place.good("repair saved --to-last-good --archive archive");
    assert!(told.contains("40 documents, made again from the log"), "{told}");
    assert_eq!(place.good("export --collection c --data saved"), documents(1..=40));
}

#[test]
fn a_collection_without_a_log_is_salvaged() {
    let place = filled();
    fs::remove_file(place.path().join("data/wal/1.ndjson")).unwrap();
    damage(&place, "collections/c-1.ndjson", "{\"_id\":\"d000007");
    let run = place.fails(5, "repair saved --to-last-good");
    for words in [
        "collection c: 39 documents, salvaged",
        "LOST: 1 line of collection c, a document each",
        "between documents d000006 and d000008: ",
        "NOT PROVED: 19 documents of collection c",
    ] {
        assert!(run.out.contains(words), "{words}: {run:?}");
    }
    let all = documents((1..=6).chain(8..=40));
    assert_eq!(place.good("export --collection c --data saved"), all);
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let place = filled();
    fs::create_dir(place.path().join("full")).unwrap();
    place.file("full/mine.txt", "mine");
    let left = || {
        let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        (names, fs::read_dir(place.path().join("full")).unwrap().count())
    };
    let (before, old) = (left(), files(&place.path().join("data")));
    for (code, line) in [
        (2, "repair saved"),
        (2, "repair --to-last-good"),
        (1, "repair full --to-last-good"),
        (1, "repair data --to-last-good"),
        (1, "repair data/saved/below --to-last-good"),
        (3, "repair saved --to-last-good --data nowhere"),
        (3, "repair a/b/saved --to-last-good --data full"),
        (3, "repair saved --to-last-good --archive nowhere"),
    ] {
        place.fails(code, line);
        assert_eq!(left(), before, "{line}");
    }
    assert_eq!(files(&place.path().join("data")), old);
    let server = Server::start(&place);
    let run = place.fails(1, "repair saved --to-last-good");
    assert!(run.err.contains("in use by process"), "{run:?}");
    assert_eq!(left(), before);
    drop(server);
}
