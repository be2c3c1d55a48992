//! The whole repository as text: no machine that packages come from, no machine it was written on.

use std::{fs, path::Path};

use super::Problem;

/// Files and folders that are made, not written. `Cargo.lock` has to name its registry.
const NOT_OURS: [&str; 5] = [".git", "target", "data", "Cargo.lock", "tests/fuzz/Cargo.lock"];

/// The names of all files below the root, sorted.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    collect(root, "", &mut found);
    found.sort_unstable();
    found
}

pub(crate) fn problems(root: &Path) -> Vec<Problem> {
    files(root)
        .into_iter()
        .filter_map(|name| {
            // What is no text names nothing.
            let text = fs::read_to_string(root.join(&name)).ok()?;
            Some(problems_in(&name, &text))
        })
        .flatten()
        .collect()
}

fn problems_in(name: &str, text: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        for word in forbidden().into_iter().filter(|word| content.contains(word)) {
            let advice = format!("{word} ties the project to one place: leave it out");
            problems.push(Problem { file: name.to_owned(), line, advice });
        }
    }
    problems
}

/// Put together from pieces, so that this file does not name them.
fn forbidden() -> Vec<String> {
    let hosts =
        [["crates", ".io"], ["pypi", ".org"], ["registry", ".npmjs"], ["deb", ".debian.org"]];
    let folders = ["work", "root", "home"];
    let hosts = hosts.into_iter().map(|pieces| pieces.concat());
    hosts.chain(folders.into_iter().map(|folder| format!("/{folder}/"))).collect()
}

fn collect(root: &Path, folder: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(root.join(folder)).expect("the repository can be read");
    for entry in entries.map(|entry| entry.expect("the repository can be read")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match NOT_OURS.contains(&path.as_str()) || name == "target" {
            true => {}
            false if is_folder => collect(root, &path, found),
            false => found.push(path),
        }
    }
}

#[test]
fn hosts_and_local_paths_are_found() {
    for word in forbidden() {
        let text = format!("fine\nsee {word}x\n");
        crate::assert_lines(&problems_in("README.md", &text), &[2]);
    }
    assert!(problems_in("a", "https://example.org/workshop/ and /tmp/x\n").is_empty());
}

#[test]
fn this_test_is_among_the_files() {
    let names = files(crate::root());
    assert!(names.contains(&"tests/tidy/repository.rs".to_owned()));
    assert!(names.contains(&"Cargo.toml".to_owned()));
    assert!(!names.iter().any(|name| name.starts_with(".git/") || name.starts_with("target/")));
}
