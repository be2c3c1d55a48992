//! Damaged files: every command that meets them ends with 5 and says where; a torn tail is none.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::FileExt,
    path::PathBuf,
};

use monsterdb::{Database, Durability, Json};

use crate::program::{Place, documents};

/// Changes one byte of a file below the data directory.
fn damage(place: &Place, file: &str, offset: u64) {
    let path = place.path().join("data").join(file);
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
}

/// The one file of a folder below the data directory, by its name there.
fn only_file(place: &Place, folder: &str) -> String {
    let mut names: Vec<PathBuf> = fs::read_dir(place.path().join("data").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ndjson"))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    format!("{folder}/{}", names.remove(0).file_name().unwrap().to_str().unwrap())
}

/// Commands that have to see damage anywhere.
const ALL: [&str; 4] = ["check", "query c", "export --collection c", "serve --listen 127.0.0.1:0"];

/// Every command tells of the damage with these words, and for programs with these members.
fn is_told(place: &Place, file: &str, words: &[&str]) {
    for line in ALL {
        let run = place.fails(5, line);
        assert!(run.err.contains(file), "{line}: {run:?}");
        for word in words {
            assert!(run.err.contains(word), "{line}: {word}: {run:?}");
        }
    }
    let run = place.fails(5, "--json check");
    let error = run.error();
    assert_eq!((&error["error"], &error["damage"][0]["file"]), (&"damaged".into(), &file.into()));
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(place.import(&documents(90..=91), "").code, 5);
}

#[test]
fn in_a_collection_file() {
    let place = Place::new();
    place.import(&documents(1..=50), "");
    place.good("check");
    let file = only_file(&place, "collections");
    damage(&place, &file, 200);
    is_told(&place, &file, &["is damaged at byte", "checksum"]);
}

#[test]
fn in_the_manifest() {
    let place = Place::new();
    place.import(&documents(1..=50), "");
    damage(&place, "MANIFEST.json", 40);
    is_told(&place, "MANIFEST.json", &["is damaged at byte 0", "checksum"]);
}

#[test]
fn a_file_or_the_manifest_that_is_gone() {
    let place = Place::new();
    place.import(&documents(1..=50), "");
    let file = only_file(&place, "collections");
    let path = place.path().join("data").join(&file);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    is_told(&place, &file, &["the file is missing"]);
    fs::write(path, bytes).unwrap();
    place.good("check");
    fs::remove_file(place.path().join("data/MANIFEST.json")).unwrap();
    is_told(&place, "MANIFEST.json", &["the file is missing"]);
}

/// A database whose log holds 20 commits after the checkpoint, closed or as a kill leaves it.
fn logged(place: &Place) {
    let database = Database::builder()
        .checkpoint_on_close(false)
        .durability(Durability::Always)
        .open(place.path().join("data"))
        .unwrap();
    let collection = database.collection::<Json>("c").unwrap();
    for line in documents(1..=20).lines() {
        collection.insert(&Json::parse(line).unwrap()).unwrap();
    }
    database.close().unwrap();
}

/// Where the line of a record begins in a log file.
fn offset_of(place: &Place, file: &str, seq: u64) -> u64 {
    let text = fs::read(place.path().join("data").join(file)).unwrap();
    let wanted = format!("\"seq\":{seq},");
    let mut offset = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if String::from_utf8_lossy(line).contains(&wanted) {
            return offset;
        }
        offset += line.len() as u64;
    }
    panic!("no record {seq} in {file}");
}

#[test]
fn in_an_acknowledged_record() {
    let place = Place::new();
    logged(&place);
    let file = only_file(&place, "wal");
    let offset = offset_of(&place, &file, 12);
    damage(&place, &file, offset + 60);
    let at = format!("at byte {offset} (sequence number 12)");
    is_told(&place, &file, &[&at, "checksum"]);
    for line in ["log show", "log stats"] {
        assert!(place.fails(5, line).err.contains(&at), "{line}");
    }
}

/// The log alone does not say what is proved of it: so it is not shown, and what helps is told.
#[test]
fn without_the_manifest_the_log_is_no_new_one() {
    let place = Place::new();
    logged(&place);
    std::fs::remove_file(place.path().join("data/MANIFEST.json")).unwrap();
    for line in ["log show", "log stats"] {
        let run = place.fails(5, line);
        for words in ["MANIFEST.json", "the file is missing", "monsterdb check", "monsterdb repair"]
        {
            assert!(run.err.contains(words), "{line}: {words}: {run:?}");
        }
    }
}

#[test]
fn a_check_finds_all_of_it() {
    let place = Place::new();
    place.import(&documents(1..=5), "");
    place.good("import - --collection d");
    let other = place.file("other.ndjson", &documents(1..=5));
    place.good(&format!("import {} --collection d", other.display()));
    damage(&place, "collections/c-1.ndjson", 100);
    damage(&place, "collections/d-2.ndjson", 100);
    let report: serde_json::Value =
        serde_json::from_str(&place.fails(5, "--json check").out).unwrap();
    let files: Vec<_> = report["damage"].as_array().unwrap().iter().map(|d| &d["file"]).collect();
    assert_eq!(files, ["collections/c-1.ndjson", "collections/d-2.ndjson"]);
}

#[test]
fn a_torn_tail_is_cut_and_reported() {
    let place = Place::new();
    logged(&place);
    let file = only_file(&place, "wal");
    let path = place.path().join("data").join(&file);
    let end = fs::read(&path).unwrap().iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    let torn = b"{\"crc\":\"00000000\",\"seq\":21,\"synced\":20,\"ti";
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(torn, end).unwrap();

    let told = format!("{} bytes of {file} from byte {end} on", torn.len());
    let check = place.good("check");
    assert!(check.contains(&format!("torn tail: {told}")), "{check}");
    let report: serde_json::Value = serde_json::from_str(&place.good("--json check")).unwrap();
    assert_eq!((&report["ok"], &report["torn_tail"]["offset"]), (&true.into(), &end.into()));
    let show = place.run(["log", "show"]);
    assert!(show.code == 0 && show.err.contains(&told), "{show:?}");
    assert_eq!(show.out.lines().count(), 20);

    // The next opening for writing cuts it, and loses nothing else.
    let run = place.import(&documents(21..=21), "");
    assert_eq!(run.code, 0);
    assert!(run.err.contains("torn tail"), "{run:?}");
    assert!(!place.good("check").contains("torn"));
    assert_eq!(place.exported().join("\n") + "\n", documents(1..=21));
}

/// Whatever byte of the log is changed: a check fails exactly when an opening does.
#[test]
fn a_check_agrees_with_an_opening() {
    let place = Place::new();
    logged(&place);
    let file = only_file(&place, "wal");
    let path = place.path().join("data").join(&file);
    let whole = fs::read(&path).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for offset in (0..end + 40).step_by(end / 12) {
        damage(&place, &file, offset as u64);
        let opened = Database::open_read_only(place.path().join("data"));
        let run = place.run(["check"]);
        match &opened {
            Ok(_) => assert_eq!(run.code, 0, "byte {offset}: {run:?}"),
            Err(error) => {
                refused += 1;
                assert_eq!(run.code, 5, "byte {offset}: {run:?}");
                assert!(run.err.contains(&error.to_string()), "byte {offset}: {error}: {run:?}");
            }
        }
        drop(opened);
        fs::write(&path, &whole).unwrap();
    }
    assert!(refused > 0, "no damage was met");
}

/// A segment that the checkpoint covers, as an interrupted removal leaves it.
#[test]
fn what_a_checkpoint_covers_is_checked_too() {
    let place = Place::new();
    logged(&place);
    let file = only_file(&place, "wal");
    let path = place.path().join("data").join(&file);
    let covered = fs::read(&path).unwrap();
    place.import(&documents(21..=21), "");
    let removed = !path.exists();
    if removed {
        fs::File::create(&path).unwrap().write_all(&covered).unwrap();
    }
    place.good("check");
    let offset = offset_of(&place, &file, 5);
    damage(&place, &file, offset + 60);
    let run = place.fails(5, "check");
    assert!(run.err.contains(&format!("{file} is damaged at byte {offset} (sequence")), "{run:?}");
}
