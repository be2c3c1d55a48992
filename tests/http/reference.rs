//! The page `docs/http.md` against the server: it is run as it stands, and what its requests are
//! answered with is held against the service's own description, and against what the page shows.
//!
//! What must hold: the page has an example of success for every method of every route.

use std::{collections::BTreeSet, fs, path::Path, process::Command, time::Duration};

use monsterdb::{Database, server::ServeOptions};
use serde_json::Value;

use crate::{
    forwarder::{Exchange, Forwarder},
    interface::{self, operations, path_of},
    schema::Schemas,
    server::Server,
    skipped,
};

const PAGE: &str = "docs/http.md";

/// A method and the path of a route.
type Name = (String, String);

#[test]
fn the_page_is_what_the_server_answers_and_has_an_example_of_every_route() {
    if ["bash", "curl", "tar"]
        .iter()
        .any(|tool| Command::new(tool).arg("--version").output().is_err())
    {
        skipped::skipped("the tour needs bash, curl and tar");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path().join("data")).unwrap();
    let server = Server::start_on(database, |options| {
        // The page tells of the limit that a server has when nobody says another one.
        options.rate_limit = ServeOptions::new(options.listen).rate_limit;
        // A stream that nobody reads any more is noticed by the next thing that is sent.
        options.heartbeat = Duration::from_millis(50);
    });
    let forwarder = Forwarder::to(server.address);
    let address = forwarder.address.to_string();
    let (printed, told) = walk(folder.path(), &address, &server.key);
    let passed = forwarder.stop();
    for (printed, told) in printed.lines().zip(told.lines()) {
        assert_eq!(printed, told, "{PAGE} shows something else");
    }
    assert_eq!(printed.lines().count(), told.lines().count(), "{PAGE} shows more, or less");

    let document = server.document();
    for exchange in &passed {
        interface::check(document, &exchange.method, &exchange.path, &exchange.answer);
        check_body(document, exchange);
    }
    let all: BTreeSet<Name> =
        operations(&server).into_iter().map(|one| (one.method, one.path)).collect();
    let shown = succeeded(document, &passed);
    let missing: Vec<&Name> = all.difference(&shown).collect();
    assert!(missing.is_empty(), "{PAGE} has no example of success for {missing:?}");
    assert!(passed.len() > 100, "{} requests", passed.len());
    for without in &all {
        let rest = passed.iter().filter(|one| name(document, one).as_ref() != Some(without));
        assert!(!succeeded(document, rest).contains(without), "{without:?} would be missed");
    }
}

/// Runs the page's commands in one shell, and returns what they print and what the page shows.
fn walk(folder: &Path, address: &str, key: &str) -> (String, String) {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let (mut script, mut answers) = (String::new(), String::new());
    for block in page.split("\n```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "sh tour" => script.push_str(&format!("{text}\n")),
            "json tour" | "text tour" => answers.push_str(&format!("{text}\n")),
            "text" => {}
            other => panic!("{PAGE} has a block that is {other:?}"),
        }
    }
    let script = script.replace("paste-the-admin-key-here", key).replace("127.0.0.1:7117", address);
    let output = Command::new("bash").args(["-euc", &script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), answers)
}

/// The method and route of a request, where there is such a route.
fn name(document: &'static Value, exchange: &Exchange) -> Option<Name> {
    let (path, _) = path_of(document, &exchange.path)?;
    Some((exchange.method.clone(), path.to_owned()))
}

/// Those that were answered by success.
fn succeeded<'a>(
    document: &'static Value,
    exchanges: impl IntoIterator<Item = &'a Exchange>,
) -> BTreeSet<Name> {
    let good = exchanges.into_iter().filter(|one| (200..300).contains(&one.answer.status));
    good.filter_map(|one| name(document, one)).collect()
}

/// Checks that a body which was taken is one that the document tells of.
fn check_body(document: &'static Value, exchange: &Exchange) {
    let Exchange { method, path, media_type, body, answer } = exchange;
    // curl sends its headers with requests that have no body, too.
    if body.is_empty() || !(200..300).contains(&answer.status) {
        return;
    }
    let (_, methods) = path_of(document, path).unwrap();
    let media = &methods[method.to_lowercase()]["requestBody"]["content"][media_type];
    assert!(media.is_object(), "{method} {path} took {media_type:?}");
    if !media_type.ends_with("ndjson") {
        let value = serde_json::from_str(body).unwrap();
        let checked = Schemas { document }.check(&media["schema"], &value);
        assert_eq!(checked, Ok(()), "{method} {path} took {body}");
    }
}
