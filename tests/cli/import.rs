//! Imports that stop, and how they go on.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::program::{Place, documents};

/// 25 documents, of which the one on line 18 is broken; line 3 is empty.
fn broken() -> (String, String) {
    let whole = documents(1..=2) + "\n" + &documents(3..=25);
    let line = documents(17..=17);
    (whole.replace(&line, "{\"_id\":\"d000017\",\"n\":17,}\n"), whole)
}

#[test]
fn a_broken_line_stops_it_and_says_where_to_go_on() {
    let place = Place::new();
    let (broken, whole) = broken();
    let run = place.import(&broken, "--batch 5");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("line 18: invalid JSON at byte"), "{run:?}");
    assert!(run.err.contains("15 documents are in, go on with --from-line 17"), "{run:?}");
    assert_eq!(place.exported().len(), 15);
    // The same text again, with the broken line as it was meant.
    let run = place.import(&whole, "--batch 5 --from-line 17");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(place.exported().join("\n") + "\n", documents(1..=25));
}

#[test]
fn an_array_goes_on_at_an_element() {
    let place = Place::new();
    let element = |n: u64| if n == 8 { "{\"n\":}".to_owned() } else { format!("{{\"n\":{n}}}") };
    let array = |numbers: Vec<String>| format!("[{}]", numbers.join(","));
    let run = place.import(&array((1..=10).map(element).collect()), "--batch 3");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("element 8 (line 1): invalid JSON"), "{run:?}");
    assert!(run.err.contains("--from-line 7"), "{run:?}");
    let whole = array((1..=10).map(|n| format!("{{\"n\":{n}}}")).collect());
    assert_eq!(place.import(&whole, "--from-line 7").code, 0);
    assert_eq!(place.exported().len(), 10);
}

#[test]
fn an_array_that_is_none_is_told_with_its_place() {
    for (text, expected) in [
        ("[{},{}", "element 2 (line 1): the array has no end"),
        ("[{},\n,{}]", "element 2 (line 2): a document is expected"),
        ("[{},]", "element 2 (line 1): a document is expected"),
        ("[{}]\n\n{}", "text goes on after the array, on line 3"),
        ("[1]", "element 1 (line 1): invalid document at \"\": a document must be a JSON object"),
        ("{} {}", "line 1: invalid JSON at byte 3"),
        ("\u{feff}{}", "line 1: invalid JSON at byte 0"),
    ] {
        let place = Place::new();
        let run = place.import(text, "");
        assert_eq!(run.code, 1, "{text}");
        assert!(run.err.contains(expected) && run.err.contains("nothing is in"), "{run:?}");
    }
}

#[test]
fn as_one_commit_it_is_all_or_nothing() {
    let place = Place::new();
    let (broken, whole) = broken();
    let run = place.import(&broken, "--atomic --batch 5");
    assert_eq!(run.code, 1);
    assert!(run.err.contains("line 18") && run.err.contains("nothing is in"), "{run:?}");
    assert!(!place.path().join("data").exists(), "not even the directory is made");
    assert_eq!(place.import(&whole, "--atomic").code, 0);
    let versions = place.good("export --collection c --versions");
    assert!(versions.lines().all(|line| line.contains("\"_version\":1,")), "{versions}");
}

#[test]
fn as_one_commit_it_has_its_limits() {
    let place = Place::new();
    assert_eq!(place.import(&documents(1..=9_999), "--atomic").code, 0);
    let place = Place::new();
    let run = place.import(&documents(1..=10_001), "--atomic --json");
    assert_eq!((run.code, run.error()["error"].as_str()), (1, Some("limit-exceeded")), "{run:?}");
    assert!(!place.path().join("data").exists());
}

#[test]
fn what_is_there_already_is_a_conflict_and_stays() {
    let place = Place::new();
    place.import("{\"_id\":\"d000003\",\"mine\":true}\n", "");
    let run = place.import(&documents(1..=4), "--batch 2");
    assert_eq!(run.code, 4);
    assert!(run.err.contains("line 3: document d000003 already exists in c"), "{run:?}");
    assert!(run.err.contains("--from-line 3"), "{run:?}");
    assert_eq!(place.exported().len(), 3);
    assert!(place.exported()[2].contains("mine"));
    // The same id twice in one input.
    let run = place.import("{\"_id\":\"x\"}\n{\"_id\":\"x\"}\n", "--atomic");
    assert_eq!(run.code, 4);
    assert!(run.err.contains("line 2: document x"), "{run:?}");
}

#[test]
fn errors_for_programs_are_json() {
    let (broken, _) = broken();
    let run = Place::new().import(&broken, "--batch 5 --json");
    let error = run.error();
    assert_eq!(error["error"], "invalid-json");
    assert_eq!((&error["imported"], &error["from_line"]), (&15.into(), &17.into()));
    assert!(error["message"].is_string() && error["advice"].is_string());
    let run = Place::new().import(&documents(1..=3), "--json");
    let done: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(done["imported"], 3);
}

#[test]
fn an_interruption_says_where_to_go_on() {
    let place = Place::new();
    let mut child = place
        .command()
        .args("import - --collection c --json".split(' '))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(documents(1..=2_500).as_bytes()).unwrap();
    let stats = ["--json", "log", "stats"];
    while !place.run(stats).out.contains("\"records\":2") {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    // It is seen when the next documents come, however many that takes.
    let ended = (2_501..1_000_000).any(|n| input.write_all(documents(n..=n).as_bytes()).is_err());
    assert!(ended, "it goes on after the interruption");
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let error: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((output.status.code(), &error["error"]), (Some(1), &"interrupted".into()));
    let imported = error["imported"].as_u64().unwrap();
    assert!(
        imported >= 2_000 && imported.is_multiple_of(1_000),
        "whole batches are in, not {imported}"
    );
    assert_eq!(error["from_line"], imported + 1);
    assert_eq!(place.exported().join("\n") + "\n", documents(1..=imported));
}
