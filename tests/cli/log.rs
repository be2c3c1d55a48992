//! The log of a server, on standard error.

use std::fs::File;

use crate::{
    program::{Place, documents},
    remote::{Server, arguments_of_serve},
};

/// Starts a server, asks it one query, stops it, and returns what it logged.
fn logged(slow_query: &str, arguments: &[&str]) -> String {
    let place = Place::new();
    let log = place.path().join("log");
    let mut command = place.command();
    command.args(arguments_of_serve()).arg("--no-auth").args(arguments);
    command.env("MONSTERDB_SLOW_QUERY", slow_query).stderr(File::create(&log).unwrap());
    let (server, _) = Server::of(&mut command);
    let run = place.import(&documents(1..=3), &format!("--url {}", server.url));
    assert_eq!(run.code, 0, "{run:?}");
    place.good(&format!(r#"query c {{"n":{{"$gte":2}}}} --url {}"#, server.url));
    assert_eq!(server.stop(), 0);
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn slow_queries_are_told_of_as_the_settings_say() {
    let log = logged("0s", &[]);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("slow query")).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    assert!(line.contains(r#"filter={"n":{"$gte":?}} plan="all documents""#), "{line}");
    assert!(line.contains("collection=c") && line.contains(" WARN "), "{line}");
    // The flag is closer than the environment.
    assert!(!logged("0s", &["--slow-query", "off"]).contains("slow query"));
    assert!(!logged("1h", &[]).contains("slow query"));
}

#[test]
fn a_line_of_the_access_log_reads_well() {
    let log = logged("off", &[]);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("/query")).collect();
    let [line] = lines.as_slice() else { panic!("{log}") };
    assert!(line.contains(r#" INFO POST /collections/c/query id=""#), "{line}");
    assert!(line.contains(r#" route="/collections/{collection}/query" status=200 "#), "{line}");
}

#[test]
fn a_threshold_that_is_no_time_is_refused() {
    let run = Place::new().fails(2, "serve --slow-query fast");
    assert!(run.err.contains("such as 100ms"), "{run:?}");
}
