//! The rules of the house that no compiler knows: the layers, the lengths, the documents.
//!
//! Every check is a function from sources to problems. The tests here feed it the repository; the
//! tests beside each check feed it bad sources that it has to find. Sources are read as text, in
//! the form that rustfmt gives them.

mod documents;
mod layers;
mod lengths;
mod mutants;
mod proof;
mod queries;
mod repository;
mod source;
mod words;

use std::{fmt, path::Path};

use source::Source;

/// Something that breaks a rule, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    file: String,
    /// From 1.
    line: usize,
    advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.advice)
    }
}

/// The lines of the problems, for tests of the checks.
#[track_caller]
pub(crate) fn assert_lines(problems: &[Problem], lines: &[usize]) {
    let found: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(found, lines, "{problems:#?}");
}

#[test]
fn modules_use_only_layers_below_their_own() {
    report(sources(&["src"]).iter().flat_map(layers::problems));
}

#[test]
fn files_are_short() {
    let all = sources(&["src", "tests", "loom-tests", "benches"]);
    report(all.iter().flat_map(lengths::long_files));
}

#[test]
fn functions_are_short() {
    let all = sources(&["src", "loom-tests", "benches"]);
    report(all.iter().flat_map(lengths::long_functions));
}

#[test]
fn threads_are_named_in_one_place() {
    report(sources(&["src"]).iter().flat_map(words::threads));
}

#[test]
fn nothing_unwraps() {
    report(sources(&["src"]).iter().flat_map(words::unwraps));
}

#[test]
fn no_test_is_ignored() {
    let all = sources(&["src", "tests", "loom-tests", "benches"]);
    report(all.iter().flat_map(words::ignored_tests));
}

#[test]
fn files_open_with_what_they_are() {
    report(sources(&["src"]).iter().flat_map(documents::missing_openings));
}

#[test]
fn public_functions_say_how_they_fail() {
    report(sources(&["src"]).iter().flat_map(documents::missing_errors));
}

#[test]
fn no_file_names_a_package_host_or_a_local_path() {
    report(repository::problems(root()));
}

#[test]
fn every_mutant_has_a_test_that_notices_it() {
    let read = |name| std::fs::read_to_string(root().join(name)).ok().map(|text| (name, text));
    let tables: Vec<(&str, String)> = mutants::TABLES.into_iter().filter_map(read).collect();
    report(mutants::problems(&sources(&["src"]), &tables));
}

#[test]
fn the_page_of_proof_names_what_is_there() {
    let present = proof::Present::of(&sources(&["tests"]));
    let pages = sources(&["src"]).into_iter().filter(|source| source.name == "src/proof.rs");
    report(pages.flat_map(|page| proof::problems(&page, &present, root())));
}

#[test]
fn the_page_on_queries_names_every_operator() {
    let names = queries::names(&sources(&["src"]));
    // Those of SPEC 4 and 3, and the metrics.
    assert!(names.len() > 40, "{names:?}");
    let page = "docs/queries.md";
    let text = std::fs::read_to_string(root().join(page)).expect("the page is there");
    report(queries::problems(page, &text, &names));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust sources below some folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let found: Vec<Source> = repository::files(root())
        .into_iter()
        .filter(|name| name.ends_with(".rs"))
        .filter(|name| folders.iter().any(|folder| name.starts_with(&format!("{folder}/"))))
        .filter_map(|name| {
            let text = std::fs::read_to_string(root().join(&name)).ok()?;
            Some(Source::new(&name, &text))
        })
        .collect();
    assert!(
        !found.is_empty(),
        "no sources in {folders:?}: is the test looking in the right place?"
    );
    found
}

#[track_caller]
fn report(problems: impl IntoIterator<Item = Problem>) {
    let lines: Vec<String> = problems.into_iter().map(|problem| problem.to_string()).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}
