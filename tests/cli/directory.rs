//! The data directory as it should not be: absent, a file, not writable, of another release, in
//! use; and the exit codes for all of that.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
};

use monsterdb::{Database, wal};

use crate::{
    program::{Place, documents},
    skipped::skipped,
};

const READING: [&str; 5] = ["export --collection c", "query c", "check", "log show", "log stats"];

#[test]
fn what_is_not_there_is_not_made() {
    let place = Place::new();
    for line in READING {
        let run = place.fails(3, line);
        assert!(run.err.contains("./data"), "{line}: {run:?}");
        assert!(!place.path().join("data").exists(), "{line}");
    }
    fs::create_dir(place.path().join("data")).unwrap();
    for line in READING {
        let run = place.fails(3, line);
        assert!(run.err.contains("cannot find a database in"), "{line}: {run:?}");
    }
    assert_eq!(fs::read_dir(place.path().join("data")).unwrap().count(), 0);
    place.fails(3, "import nowhere.ndjson --collection c");
    assert_eq!(fs::read_dir(place.path().join("data")).unwrap().count(), 0);
}

#[test]
fn a_collection_that_is_not_there_is_not_found() {
    let place = Place::new();
    place.import(&documents(1..=3), "");
    for line in ["export --collection d", "query d"] {
        let run = place.fails(3, line);
        assert!(run.err.contains("collection d does not exist"), "{run:?}");
    }
    let run = place.fails(3, "--json query d");
    assert_eq!(run.error()["error"], "collection-not-found");
}

#[test]
fn a_command_line_that_is_not_understood_is_told() {
    let place = Place::new();
    place.import(&documents(1..=3), "");
    for line in [
        "",
        "frobnicate",
        "query",
        "query ../etc",
        "query _keys",
        r#"query c {"n":{"$above":1}}"#,
        "query c {",
        "query c --sort a..b",
        "query c --url ftp://x",
        "import - --collection c --batch 0",
        "import - --collection c --id-path a..b",
        "serve --durability sometimes",
        "serve --memory-limit much",
        "serve --admin-key=",
        "serve --no-auth --listen 0.0.0.0:0",
    ] {
        place.fails(2, line);
    }
    let run = place.fails(2, "--json frobnicate");
    assert_eq!(run.error()["error"], "usage");
    place.good("--help");
    assert!(place.good("--version").starts_with("monsterdb "));
}

#[test]
fn a_file_is_no_directory() {
    let place = Place::new();
    place.file("data", "text");
    for line in READING {
        let run = place.fails(1, line);
        assert!(run.err.contains("cannot open ./data"), "{line}: {run:?}");
    }
    place.fails(1, "serve --listen 127.0.0.1:0");
    assert_eq!(place.import(&documents(1..=3), "").code, 1);
    assert_eq!(fs::read_to_string(place.path().join("data")).unwrap(), "text");
}

/// For root every directory is writable, so the program runs as nobody then.
#[test]
fn a_directory_that_cannot_be_written_can_be_read() {
    let place = Place::new();
    place.import(&documents(1..=3), "");
    let data = place.path().join("data");
    let mode = |mode| fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = |line: &str| {
        let mut command = place.command();
        command.args(line.split(' '));
        if fs::write(data.join("probe.tmp"), "").is_ok() {
            command.uid(65_534).gid(65_534);
        }
        command.output()
    };
    let outputs = ["serve --listen 127.0.0.1:0", "query c", "check"].map(as_nobody);
    mode(0o755);
    let [Ok(serve), Ok(query), Ok(check)] = outputs else {
        skipped("another user cannot run the program");
        return;
    };
    assert_eq!(serve.status.code(), Some(1));
    let text = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert!(text.contains("./data") && text.contains("Permission denied"), "{text}");
    assert_eq!((query.status.code(), check.status.code()), (Some(0), Some(0)));
    assert_eq!(String::from_utf8_lossy(&query.stdout).lines().count(), 3);
}

#[test]
fn a_newer_format_is_refused_and_not_called_damage() {
    let place = Place::new();
    place.import(&documents(1..=3), "");
    let manifest = place.path().join("data/MANIFEST.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let members = text.trim_end().strip_suffix('}').unwrap().split_at(18).1;
    fs::write(&manifest, wal::frame_line(&members.replace("\"format\":1", "\"format\":2")))
        .unwrap();
    for line in READING {
        let run = place.fails(1, line);
        assert!(run.err.contains("MANIFEST.json has format 2"), "{line}: {run:?}");
    }
    place.fails(1, "serve --listen 127.0.0.1:0");
}

#[test]
fn a_directory_in_use_names_its_holder() {
    let place = Place::new();
    place.import(&documents(1..=3), "");
    let holder = Database::open(place.path().join("data")).unwrap();
    let pid = std::process::id();
    for line in ["export --collection c", "query c", "check", "serve --listen 127.0.0.1:0"] {
        let run = place.fails(1, line);
        assert!(run.err.contains(&format!("is in use by process {pid}")), "{line}: {run:?}");
    }
    assert!(place.fails(1, "query c").err.contains("--url"));
    // The log can be read all the same.
    assert_eq!(place.good("log show").lines().count(), 1);
    holder.close().unwrap();
    place.good("check");
}

#[test]
fn the_environment_names_the_directory() {
    let place = Place::new();
    place.import(&documents(1..=3), "--data elsewhere");
    let mut command = place.command();
    let run = command.env("MONSTERDB_DATA", "elsewhere").args(["query", "c"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&run.stdout).lines().count(), 3);
}

/// The log shows what is committed while another process goes on committing.
#[test]
fn the_log_is_read_beside_a_writer() {
    let place = Place::new();
    let path = place.path().join("data");
    let database = Database::builder().segment_bytes(4096).open(&path).unwrap();
    let notes = database.collection::<serde_json::Value>("c").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..400 {
                notes.insert(&serde_json::json!({ "n": n })).unwrap();
                if n % 50 == 49 {
                    database.checkpoint().unwrap();
                }
            }
        });
        for _ in 0..20 {
            let run = place.run(["log", "show"]);
            assert_eq!(run.code, 0, "{run:?}");
        }
    });
    let run = place.run(["log", "show", "--json"]);
    assert!(run.code == 0 && run.out.lines().count() >= 50, "{run:?}");
}
