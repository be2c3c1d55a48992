//! What the pages name in code is there: settings by their variables, metrics, flags.

use std::{collections::BTreeSet, fs};

use crate::page::{Page, root};

/// Flags of other programs that the pages use.
const OTHERS: [&str; 37] = [
    "--all",
    "--bench",
    "--build",
    "--cfg",
    "--charts",
    "--data-binary",
    "--exclude",
    "--help",
    "--locked",
    "--nocapture",
    "--no-default-features",
    "--open",
    "--package",
    "--release",
    "--repetitions",
    "--test",
    "--read-only",
    "--tmpfs",
    "--cap-drop",
    "--user",
    "--name",
    "--rm",
    "--publish",
    "--volume",
    "--env",
    "--now",
    "--detach",
    "--follow",
    "--build-arg",
    "--file",
    "--force",
    "--memory",
    "--security-opt",
    "--signal",
    "--stop-timeout",
    "--tag",
    "--volumes",
];

#[test]
fn every_setting_metric_and_flag_that_is_named_is_there() {
    let settings = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let commands = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let operations = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    // The generated parts say what there is.
    let variables: BTreeSet<_> = words(&settings, "MONSTERDB_").collect();
    let metrics: BTreeSet<_> = rows(&operations).flat_map(|row| words(row, "monsterdb_")).collect();
    let flags: BTreeSet<_> = rows(&settings)
        .chain(rows(&commands))
        .flat_map(|row| words(row, "--").collect::<Vec<_>>())
        .collect();
    let mut faults = Vec::new();
    for page in Page::all() {
        // What is run is told by the program itself.
        let text = page.prose() + &page.not_run();
        let mut check = |found: Vec<String>, known: &dyn Fn(&str) -> bool| {
            for name in found.iter().filter(|name| !known(name)) {
                faults.push(format!("{}: there is no {name}", page.name));
            }
        };
        check(words(&text, "MONSTERDB_").collect(), &|name| {
            variables.contains(name) || name.starts_with("MONSTERDB_TEST_")
        });
        check(words(&text, "monsterdb_").collect(), &|name| metrics.contains(name));
        check(words(&text, "--").collect(), &|name| flags.contains(name) || OTHERS.contains(&name));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The rows of a page's tables.
fn rows(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("| `"))
}

/// The whole words of a text that begin so.
fn words<'a>(text: &'a str, begin: &'a str) -> impl Iterator<Item = String> + 'a {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.match_indices(begin).filter_map(move |(place, _)| {
        let is_first = !text[..place].ends_with(is_part);
        let rest = &text[place + begin.len()..];
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        let is_named = is_first && word.starts_with(|c: char| c.is_ascii_alphabetic());
        is_named.then(|| format!("{begin}{}", word.trim_end_matches(['-', '_'])))
    })
}
