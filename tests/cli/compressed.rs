//! Files that are exported and imported, compressed or not.

use std::{fs, process::Stdio};

use crate::{
    program::{Place, documents},
    remote::Server,
};

/// The first bytes of a file, which tell what it is.
fn begin(place: &Place, name: &str) -> Vec<u8> {
    fs::read(place.path().join(name)).unwrap().into_iter().take(4).collect()
}

#[test]
fn a_file_is_compressed_as_its_name_says() {
    let place = Place::new();
    assert_eq!(place.import(&documents(1..=3_000), "").code, 0);
    let size = |name: &str| fs::metadata(place.path().join(name)).unwrap().len();
    for (name, array) in [
        ("a.ndjson", ""),
        ("a.ndjson.gz", ""),
        ("a.zst", ""),
        ("b.json", "--array"),
        ("b.json.gz", "--array"),
    ] {
        let told = place.good(&format!("export -c c {array} --output {name}"));
        assert!(told.starts_with(&format!("exported 3000 documents from c into {name} in ")));
        let again = format!("again-{}", name.replace('.', "-"));
        place.good(&format!("import {name} -c {again}"));
        assert_eq!(place.good(&format!("export -c {again}")), documents(1..=3_000), "{name}");
    }
    assert_eq!(begin(&place, "a.ndjson"), b"{\"_i");
    assert_eq!(begin(&place, "a.ndjson.gz")[..2], [0x1f, 0x8b]);
    assert_eq!(begin(&place, "a.zst"), [0x28, 0xb5, 0x2f, 0xfd]);
    assert!(size("a.ndjson.gz") * 4 < size("a.ndjson") && size("a.zst") * 4 < size("a.ndjson"));
    let json = place.good("--json export -c c -o c.gz");
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&told["exported"], &told["file"]), (&3_000.into(), &"c.gz".into()));
}

#[test]
fn what_is_compressed_comes_through_a_pipe_and_in_parts() {
    let place = Place::new();
    assert_eq!(place.import(&documents(1..=10), "").code, 0);
    place.good("export -c c -o one.gz");
    place.good("import one.gz -c copy");
    assert_eq!(place.import(&documents(11..=20), "").code, 0);
    place.good("export -c c -o all.gz");
    // Two members, one behind the other, as a log that was rotated has them.
    let piped = [fs::read(place.path().join("one.gz")).unwrap(), Vec::new()].concat();
    fs::write(place.path().join("no-name"), &piped).unwrap();
    let file = fs::File::open(place.path().join("no-name")).unwrap();
    let mut command = place.command();
    let status = command.args(["import", "-", "-c", "piped"]).stdin(Stdio::from(file)).status();
    assert!(status.unwrap().success());
    assert_eq!(place.good("export -c piped"), documents(1..=10));

    let more = Place::new();
    assert_eq!(more.import(&documents(11..=20), "").code, 0);
    more.good("export -c c -o two.gz");
    let two = [piped, fs::read(more.path().join("two.gz")).unwrap()].concat();
    fs::write(place.path().join("two.gz"), two).unwrap();
    place.good("import two.gz -c both");
    assert_eq!(place.good("export -c both"), documents(1..=20));
}

/// What is in before the damage stays in, and the number to go on at is one of the text's lines.
#[test]
fn a_compressed_file_that_breaks_off_is_told() {
    let place = Place::new();
    assert_eq!(place.import(&documents(1..=20_000), "").code, 0);
    for name in ["a.gz", "a.zst"] {
        place.good(&format!("export -c c -o {name}"));
        let path = place.path().join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let into = name.replace('.', "-");
        let run = place.fails(1, &format!("--json import {name} -c {into} --batch 100"));
        let line = run.error()["from_line"].as_u64().unwrap();
        assert!(run.error()["message"].as_str().unwrap().contains(name), "{run:?}");
        fs::write(&path, &whole).unwrap();
        place.good(&format!("import {name} -c {into} --from-line {line}"));
        assert_eq!(place.good(&format!("export -c {into}")), documents(1..=20_000), "{name}");
    }
}

#[test]
fn a_file_is_there_whole_or_as_it_was() {
    let place = Place::new();
    assert_eq!(place.import(&documents(1..=3), "").code, 0);
    let file = place.file("out.ndjson", "as it was");
    place.fails(3, "export -c none -o out.ndjson");
    assert_eq!(fs::read_to_string(&file).unwrap(), "as it was");
    assert!(place.fails(3, "export -c c -o nowhere/out").err.contains("nowhere/out"));
    let server = Server::start(&place);
    place.good(&format!("export -c c -o out.ndjson --url {}", server.url));
    assert_eq!(fs::read_to_string(&file).unwrap(), documents(1..=3));
    assert_eq!(server.stop(), 0);
    // What is no file is written, not replaced.
    place.good("export -c c -o /dev/null");
    let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().ends_with(".part")));
    place.good("export -c c --output -");
}
