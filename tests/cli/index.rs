//! Indexes from the command line: made, listed, used by hint, explained, dropped, refused; of a
//! directory and of a server, which answer alike.

use std::fs;

use serde_json::Value;

use crate::{program::Place, remote::Server};

/// Forty documents in four cities.
fn filled() -> Place {
    let place = Place::new();
    let line = |n| format!(r#"{{"_id":"{n:02}","city":"c{}","n":{n},"at":{n}}}"#, n % 4);
    let lines: Vec<String> = (0..40).map(line).collect();
    assert_eq!(place.import(&lines.join("\n"), "").code, 0);
    place
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The document of a query that is explained, but for how long it took.
fn explained(place: &Place, line: &str) -> Value {
    let mut explained = value(&place.good(&format!("--json {line} --explain")));
    assert!(explained["time_us"].take().is_u64(), "{explained}");
    explained
}

/// The life of an index, with `--url` or without.
fn live(place: &Place, target: &str) {
    let good = |line: &str| place.good(&format!("{line} {target}"));
    let made = good("index create c city_n city,-n");
    assert!(made.starts_with("made index city_n of c: 40 entries in "), "{made}");
    assert_eq!(
        good("index create c city_n city,-n"),
        "index city_n of c is there already: 40 entries\n"
    );
    let half = r#"index create c late -n --unique --filter {"n":{"$gte":20}}"#;
    let half = value(&good(&format!("--json {half}")));
    assert_eq!((&half["made"], &half["collection"]), (&true.into(), &"c".into()));
    assert_eq!(half["index"]["paths"], serde_json::json!(["-n"]));
    assert_eq!((&half["index"]["unique"], &half["index"]["entries"]), (&true.into(), &20.into()));
    // Unlimited patience: numbers are milliseconds since 1970, and none of these is to go.
    good("index create c at at --ttl-seconds 9999999999");

    let listed = good("index list c");
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines.len(), 3, "{listed}");
    assert!(lines[0].starts_with("at on at, documents go after 9999999999 s: 40 entries, "));
    assert!(lines[1].starts_with("city_n on city,-n: 40 entries, "), "{listed}");
    let late = r#"late on -n, unique, where {"n":{"$gte":20}}: 20 entries, "#;
    assert!(lines[2].starts_with(late), "{listed}");
    let listed = value(&good("--json index list c"));
    assert_eq!(listed["indexes"][2]["filter"].to_string(), r#"{"n":{"$gte":20}}"#);
    assert_eq!(listed["indexes"][0]["ttl_seconds"], 9_999_999_999_u64);
    assert!(listed["version"].is_u64(), "{listed}");

    assert_eq!(good("index drop c at"), "dropped index at of c\n");
    assert_eq!(good("--json index drop c late"), "{\"collection\":\"c\",\"dropped\":\"late\"}\n");
    assert_eq!(good("index list c").lines().count(), 1);
    assert_eq!(good("index drop c city_n"), "dropped index city_n of c\n");
    assert_eq!(good("index list c"), "collection c has no index\n");
}

#[test]
fn an_index_from_its_making_to_its_end() {
    let place = filled();
    live(&place, "");
    place.good("check");
    let server = Server::start(&place);
    live(&place, &format!("--url {}", server.url));
    assert_eq!(server.stop(), 0);
}

#[test]
fn progress_is_for_people() {
    let place = filled();
    let run = place.run(["index", "create", "c", "n", "n"]);
    assert!(run.code == 0 && run.err.contains("40 of 40 documents"), "{run:?}");
    let run = place.run(["--json", "index", "create", "c", "m", "n"]);
    assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
}

#[test]
fn what_is_no_index_is_refused() {
    let place = filled();
    place.good("index create c n n");
    let cases = [
        (2, "index create c i a..b", "invalid-index", "/paths/0"),
        (2, "index create c i a,", "invalid-index", "/paths/1"),
        (2, "index create c i a,-a", "invalid-index", "a stands twice"),
        (2, "index create c i a,b --ttl-seconds 1", "invalid-index", "/ttl_seconds"),
        (2, r#"index create c i a --filter {"a":{"$near":1}}"#, "invalid-filter", "$near"),
        (2, "index create c i a --filter {", "usage", "--filter"),
        (2, "index create c _x a", "usage", "_x"),
        (2, "index create c ../x a", "usage", "../x"),
        (2, "index create c i --uniqe", "usage", "no such option"),
        (2, "index create c i", "usage", ""),
        (2, "index frobnicate c", "usage", "frobnicate"),
        (4, "index create c n -n", "index-exists", "another definition"),
        (4, "index create c city city --unique", "unique-violation", "documents 00 and 04"),
        (3, "index drop c other", "index-not-found", "c has no index other"),
        (3, "index drop d n", "collection-not-found", "collection d does not exist"),
        (3, "index list d", "collection-not-found", "collection d does not exist"),
    ];
    let refused = |target: &str| {
        for (code, line, slug, text) in cases {
            let run = place.fails(code, &format!("--json {line} {target}"));
            let error = run.error();
            assert_eq!(error["error"], slug, "{line}: {run:?}");
            assert!(error["message"].to_string().contains(text), "{line}: {run:?}");
        }
        // None of them left anything behind.
        let list = value(&place.good(&format!("--json index list c {target}")));
        assert_eq!(list["indexes"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(list["indexes"][0]["paths"], serde_json::json!(["n"]));
    };
    refused("");
    let server = Server::start(&place);
    refused(&format!("--url {}", server.url));
    for line in ["index create c i a", "index list c", "index drop c n"] {
        let run = place.fails(1, line);
        assert!(run.err.contains("is in use by process"), "{line}: {run:?}");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn only_making_an_index_makes_a_directory() {
    let place = Place::new();
    for line in ["index list c", "index drop c n", "index create c n a..b"] {
        let run = place.run(line.split(' '));
        assert!(run.code == 2 || run.code == 3, "{line}: {run:?}");
        assert!(!place.path().join("data").exists(), "{line}");
    }
    place.good("index create c n n");
    assert!(fs::read_dir(place.path().join("data")).unwrap().count() > 0);
    assert_eq!(place.import(r#"{"_id":"a","n":1}"#, "").code, 0);
    assert!(place.good("index list c").starts_with("n on n: 1 entries, "));
}

const QUESTIONS: [&str; 6] = [
    r#"query c {"city":"c1"} --sort -n --limit 3"#,
    r#"query c {"city":"c1","n":{"$lt":30}} --sort -n --limit 3 --offset 1"#,
    r#"query c {"n":{"$gte":38}} --hint n --limit 9"#,
    r#"query c {"n":{"$gte":38}} --hint _id --limit 9"#,
    r#"query c {"city":"c2"} --count"#,
    r#"query c {"n":{"$in":[1,2]}} --count --hint n"#,
];

#[test]
fn plans_are_explained() {
    let place = filled();
    place.good("index create c city_n city,-n");
    place.good("index create c n n");
    let documents = QUESTIONS.map(|line| explained(&place, line));
    let [by_city, with_rest, hinted, by_id, count, hinted_count] = &documents;
    assert_eq!(by_city["plan"]["input"][0]["index"], "city_n");
    assert_eq!((&by_city["keys_examined"], &by_city["documents_returned"]), (&3.into(), &3.into()));
    assert_eq!(with_rest["plan"]["offset"], 1);
    assert_eq!(hinted["plan"]["input"][0]["input"][0]["index"], "n");
    assert_eq!(hinted["candidates"].as_array().unwrap().len(), 1);
    assert_eq!(by_id["documents_examined"], 40);
    assert_eq!(
        (&count["plan"]["stage"], &count["documents_returned"]),
        (&"count".into(), &10.into())
    );
    assert_eq!(hinted_count["plan"]["input"][0]["ranges"], 2);

    let text = place.good(&format!("{} --explain", QUESTIONS[0]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..3], ["limit 3", "  index city_n, 1 range", "candidates (* chosen):"]);
    let chosen: Vec<_> = lines.iter().filter(|line| line.starts_with("  * ")).collect();
    assert!(chosen.len() == 1 && chosen[0].contains("city_n"), "{text}");
    assert!(
        chosen[0]
            .ends_with(r#"bounded by {"city":"c1"}, nothing left to test, in the order asked for"#),
        "{text}"
    );
    assert!(lines.iter().any(|line| line.starts_with("    _id ") && line.contains("  cost ")));
    let unsorted = place.good(r#"query c {"city":"c1"} --explain"#);
    assert!(unsorted.contains("    n       unfit     the filter does not bound n"), "{unsorted}");
    let last = lines.last().unwrap();
    assert!(last.starts_with("examined 3 keys and 3 documents, returned 3, in "), "{text}");
    assert!(place.good("query c --sort n --fields n --hint n").starts_with("{\"_id\":\"00\""));

    let server = Server::start(&place);
    for (question, document) in QUESTIONS.iter().zip(&documents) {
        let found = explained(&place, &format!("{question} --url {}", server.url));
        assert_eq!(found, *document, "{question}");
    }
    let plain = |text: &str| text.split("examined").next().map(str::to_owned);
    let remote = place.good(&format!("{} --explain --url {}", QUESTIONS[0], server.url));
    assert_eq!(plain(&remote), plain(&text));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_hint_that_cannot_serve_is_refused() {
    let place = filled();
    place.good("index create c n n");
    let cases = [
        (2, r#"query c {"city":"c1"} --hint n"#, "does not bound n"),
        (2, r#"query c {"city":"c1"} --hint n --count"#, "does not bound n"),
        (2, r#"query c {"city":"c1"} --hint n --distinct city"#, "does not bound n"),
        (2, r#"query c {"city":"c1"} --hint n --explain"#, "does not bound n"),
        (2, "query c --hint other", "no such index"),
        (2, "query c --explain --distinct n", "cannot be used with"),
        (2, "query c --explain --group n", "cannot be used with"),
        (2, "query c --explain --metric n=count", "cannot be used with"),
        (2, "query c --explain --fields n", "cannot be used with"),
        (3, "query d --explain", "collection d does not exist"),
    ];
    let refused = |target: &str| {
        for (code, line, text) in cases {
            let run = place.fails(code, &format!("{line} {target}"));
            assert!(run.out.is_empty() && run.err.contains(text), "{line}: {run:?}");
        }
    };
    refused("");
    let server = Server::start(&place);
    refused(&format!("--url {}", server.url));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_collection_that_a_server_does_not_have_is_not_found() {
    let place = filled();
    let server = Server::start(&place);
    let url = &server.url;
    for line in
        ["export --collection d", "export --collection d --array", "query d", "query d --count"]
    {
        let run = place.fails(3, &format!("--json {line} --url {url}"));
        assert_eq!((&*run.out, &run.error()["error"]), ("", &"collection-not-found".into()));
        assert_eq!(run.error()["message"], "collection d does not exist", "{run:?}");
    }
    // One without documents is there.
    place.good(&format!("index create d n n --url {url}"));
    assert_eq!(place.good(&format!("export --collection d --url {url}")), "");
    assert_eq!(place.good(&format!("export --collection d --array --url {url}")), "[]\n");
    assert_eq!(server.stop(), 0);
}
