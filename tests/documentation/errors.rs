//! Every error of the library is in the table of its guide, with what to do about it.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use monsterdb::{CollectionName, Damage, DocumentId, Error, IndexError, IndexName, Version};

use crate::{generated, page::root};

/// One error of each kind.
fn samples() -> Vec<Error> {
    let collection = || CollectionName::new("c").unwrap();
    let id = || DocumentId::new("a").unwrap();
    let index = || IndexName::new("i").unwrap();
    let pointer = || "/a".to_owned();
    let reason = || "it is so".to_owned();
    let json = || serde_json::from_str::<u8>("").expect_err("it is no JSON");
    let version = Version::new(1);
    let of_index = [
        IndexError::Invalid { pointer: pointer(), reason: reason() },
        IndexError::NotFound { collection: collection(), index: index() },
        IndexError::Exists { collection: collection(), index: index() },
        IndexError::Unique { collection: collection(), index: index(), offenders: Vec::new() },
        IndexError::Unindexable {
            collection: collection(),
            index: index(),
            id: id(),
            reason: reason(),
        },
        IndexError::Hint { index: reason(), reason: reason() },
    ];
    let damage = Damage { file: reason(), offset: 0, version: None, reason: reason() };
    let mut all = vec![
        Error::InvalidName(CollectionName::new("").expect_err("it is no name")),
        Error::InvalidJson { offset: 0, reason: reason() },
        Error::InvalidDocument { pointer: pointer(), reason: reason() },
        Error::InvalidFilter { pointer: pointer(), reason: reason() },
        Error::InvalidUpdate { pointer: pointer(), reason: reason() },
        Error::TestFailed { pointer: pointer(), path: pointer() },
        Error::InvalidQuery { reason: reason() },
        Error::Encode { source: json() },
        Error::Decode { collection: collection(), id: id(), source: json() },
        Error::AlreadyExists { collection: collection(), id: id() },
        Error::NotFound,
        Error::aborted("it is so"),
        Error::DocumentNotFound { collection: collection(), id: id() },
        Error::CollectionNotFound { collection: collection() },
        Error::CollectionExists { collection: collection() },
        Error::VersionMismatch {
            collection: collection(),
            id: id(),
            expected: version,
            found: None,
        },
        Error::PreconditionRequired { collection: collection() },
        Error::Conflict(Vec::new()),
        Error::LimitExceeded { what: "it", max: 1, actual: 2 },
        Error::MemoryLimit { max: 1, actual: 2 },
        Error::OutcomeUnknown { reason: reason() },
        Error::ReadOnly { reason: reason() },
        Error::StorageFull { reason: reason() },
        Error::VersionGone { requested: version, nearest: version, oldest: version },
        Error::ChangesGone { since: version, oldest: version },
        Error::Closed,
        Error::Nested,
        Error::SavepointGone,
        Error::Locked { path: PathBuf::new(), pid: None },
        Error::Damaged(Box::new(damage)),
        Error::NewerFormat { file: reason(), found: 2, supported: 1 },
        Error::Io { action: "read", path: PathBuf::new(), source: io::Error::other("it is so") },
    ];
    all.extend(of_index.map(Error::Index));
    all
}

fn source(file: &str) -> String {
    fs::read_to_string(root().join("src/error").join(file)).unwrap()
}

/// The variants of an enumeration in the order of its source, each with the first sentence of its
/// document.
fn variants(source: &str, name: &str) -> Vec<(String, String)> {
    let begin = source.find(&format!("pub enum {name} {{\n")).expect("it is there");
    let mut found = Vec::new();
    let mut told = String::new();
    for line in source[begin..].lines().skip(1).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("    /// ") {
            told.push_str(text);
            told.push(' ');
        } else if line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase() {
            found.push((word(line.trim_start()), first_sentence(&told)));
            told.clear();
        }
    }
    found
}

/// The name that a text begins with.
fn word(text: &str) -> String {
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").unwrap_or(text.len());
    // A link that the documentation of an item has leads nowhere on a page.
    text[..end].replace("[`", "`").replace("`]", "`")
}

#[test]
fn the_table_of_errors_is_what_the_code_says() {
    let mut by_name = BTreeMap::new();
    for error in samples() {
        let name = match &error {
            Error::Index(index) => format!("Index({})", word(&format!("{index:?}"))),
            other => word(&format!("{other:?}")),
        };
        assert!(by_name.insert(name.clone(), error).is_none(), "{name} is there twice");
    }
    let mut all = variants(&source("mod.rs"), "Error");
    let place = all.iter().position(|(name, _)| name == "Index").expect("indexes have errors");
    let of_index = variants(&source("index.rs"), "IndexError").into_iter();
    let of_index = of_index.map(|(name, told)| (format!("Index({name})"), told));
    all.splice(place..=place, of_index);

    let mut table = "| `Error::` | code | retryable | what happened | what to do |\n".to_owned();
    table.push_str("|---|---|---|---|---|\n");
    for (name, told) in all {
        let error = by_name.remove(&name);
        let error = error.unwrap_or_else(|| panic!("{name} is not among the samples"));
        let (code, advice) = (error.code(), error.advice());
        let retryable = if error.is_retryable() { "yes" } else { "no" };
        table.push_str(&format!("| `{name}` | `{code}` | {retryable} | {told} | {advice} |\n"));
    }
    assert!(by_name.is_empty(), "{by_name:?}");
    generated::compare("docs/rust.md", "errors", &table);
}
