//! Fuzzing: six targets, one for each place where bytes from outside come in.
//!
//! ```text
//! json filter cursor http      what a client sends
//! wal checkpoint               what a disk holds, with checksums made right by the target: a fuzzer
//!                              does not guess them, and would never get behind them
//! ```
//!
//! `tests/fuzz/run` builds and runs them; the inputs in `corpus` are read first, so that what was
//! found once is tried in every run. In this module is what the targets share.
//!
//! The package stands outside the workspace, with a lock file of its own, so that no other build
//! meets libFuzzer. It is built with `--sanitizer none`: the engine has no unsafe code, so the
//! address sanitizer would watch over dependencies alone, and it is what needs a nightly compiler.
//! Debug assertions and checks of overflow are on.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, Error, Filter, Query, Result, Snapshot,
    checkpoint::MANIFEST,
    document::{Kind, Raw},
    storage::{MemoryStorage, Storage, replace_file},
    wal,
};
use serde_json::{Map, Value};

/// A disk of the files in an input, with the checksums that they need for the rest of them to be
/// looked at.
///
/// ```text
/// input    = (line LF)*                    the last line feed may be missing
/// line     = "=" name                      here begins the file of this name
///          | any other                     belongs to the last file begun
/// ```
///
/// The lines of a file are its content as they stand, but for
/// - the manifest and index files, which are one line that gets its checksum: the members of the
///   object are given, without braces. What the manifest says of files that are there is made true;
/// - segments, where every line is given so and gets its checksum, one that begins with `[` is
///   operations and gets the rest of a record too, numbered by its place, and one that begins with
///   `!` stands there without the `!` and otherwise untouched. The head comes by itself.
pub fn disk(input: &[u8]) -> MemoryStorage {
    let mut files = files(input);
    for (name, content) in &mut files {
        if name.starts_with("wal/") {
            *content = segment(name, content);
        } else if name.starts_with("indexes/") {
            *content = framed(content.strip_suffix(b"\n").unwrap_or(content));
        }
    }
    if let Some(members) = files.remove(MANIFEST) {
        let members = members.strip_suffix(b"\n").unwrap_or(&members);
        files.insert(MANIFEST.to_owned(), manifest(members, &files));
    }
    let storage = MemoryStorage::new();
    for (name, content) in files {
        if is_place(&name) {
            make_folders(&storage, &name)
                .and_then(|()| replace_file(&storage, &name, &content))
                .expect("memory takes every file");
        }
    }
    storage
}

/// Checks that a database opens in this storage or is refused by name, and that whatever was found
/// is found again: after another opening, after writing to it, and after a checkpoint.
pub fn survives(storage: &MemoryStorage) {
    let opened = match open(storage, false) {
        Ok(database) => database.snapshot(),
        Err(error) => {
            assert_refusal(&error);
            let again = open(storage, false).map(drop).expect_err("it was refused before");
            assert_eq!(again.to_string(), error.to_string());
            return;
        }
    };
    let database = open(storage, true).expect("it opened before");
    assert_eq!(database.snapshot(), opened);
    work(&database);
    let worked = database.snapshot();
    database.close().expect("memory takes a checkpoint");
    let database = open(storage, false).expect("it opened before");
    assert_eq!(contents(&database.snapshot()), contents(&worked));
    assert_eq!(database.snapshot().version(), worked.version());
}

/// The value that a document's text stands for, found by the engine's own look into it.
pub fn meaning(raw: Raw<'_>) -> Value {
    match raw.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(raw.text() == "true"),
        Kind::Number => {
            let value = json(raw.text());
            let number = raw.number().expect("a document's numbers fit");
            assert_eq!(Some(number.as_f64()), value.as_f64());
            value
        }
        Kind::String => Value::from(raw.as_str().expect("it is a string").into_owned()),
        Kind::Array => raw.elements().map(meaning).collect(),
        Kind::Object => {
            let member = |member: monsterdb::document::Member<'_>| {
                assert_eq!(raw.member(&member.name()), Some(member.value));
                (member.name().into_owned(), meaning(member.value))
            };
            Value::Object(raw.members().map(member).collect::<Map<_, _>>())
        }
    }
}

/// The value that serde_json reads.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the engine's text is JSON")
}

/// A document's id that is known to be one.
pub fn id(text: &str) -> DocumentId {
    DocumentId::new(text).expect("it is an id")
}

/// A body that is known to be one.
pub fn draft(body: &str) -> Draft {
    Draft::parse(body.as_bytes()).expect("it is a body")
}

fn files(input: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut name = String::new();
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        if let Some(begun) = line.strip_prefix(b"=") {
            name = String::from_utf8_lossy(begun).trim_end().to_owned();
            files.insert(name.clone(), Vec::new());
        } else if let Some(content) = files.get_mut(&name) {
            content.extend_from_slice(line);
        }
    }
    files
}

/// Whether a file may lie there: not where a folder has to be, which is for the system to refuse.
fn is_place(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts[..] {
        [file] => file.starts_with(MANIFEST),
        ["wal" | "collections", file] | ["indexes", _, file] => !file.is_empty(),
        _ => false,
    }
}

fn make_folders(storage: &MemoryStorage, name: &str) -> std::io::Result<()> {
    let folders = name.match_indices('/').map(|(end, _)| &name[..end]);
    folders.into_iter().try_for_each(|folder| storage.create_folder(folder))
}

fn segment(name: &str, content: &[u8]) -> Vec<u8> {
    let first = name["wal/".len()..].trim_end_matches(".ndjson").parse::<u64>().unwrap_or(1);
    let mut segment = framed(format!("\"format\":1,\"first\":{first},\"ops\":[]").as_bytes());
    for (seq, line) in (first..=u64::MAX).zip(content.split(|byte| *byte == b'\n')) {
        match line {
            [] => {}
            [b'!', raw @ ..] => segment.extend([raw, b"\n"].concat()),
            [b'[', ..] => {
                let head = format!(
                    "\"seq\":{seq},\"synced\":0,\"time\":\"2026-01-01T00:00:00.000000Z\",\
                     \"tx\":\"019b7680-0000-7000-8000-000000000000\",\"ops\":"
                );
                segment.extend(framed(&[head.as_bytes(), line].concat()));
            }
            members => segment.extend(framed(members)),
        }
    }
    segment
}

/// A line with its checksum in front, like [`wal::frame_line`] but of any bytes.
fn framed(members: &[u8]) -> Vec<u8> {
    let covered = [members, b"}"].concat();
    let crc = format!("{{\"crc\":\"{:08x}\",", crc32fast::hash(&covered));
    let line = [crc.as_bytes(), &covered, b"\n"].concat();
    if let Ok(members) = std::str::from_utf8(members) {
        debug_assert_eq!(line, wal::frame_line(members));
    }
    line
}

/// The manifest of these members, made true of the files that are there.
fn manifest(members: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let object = [b"{", members, b"}"].concat();
    let Ok(mut value) = serde_json::from_slice::<Value>(&object) else { return framed(members) };
    let collections = value.get_mut("collections").and_then(Value::as_array_mut);
    let entries = collections
        .into_iter()
        .flatten()
        .filter_map(|collection| collection.get_mut("files").and_then(Value::as_array_mut));
    for entry in entries.flatten().filter_map(Value::as_object_mut) {
        let content = entry.get("file").and_then(Value::as_str).and_then(|name| files.get(name));
        if let Some(content) = content {
            entry.insert("crc".to_owned(), format!("{:08x}", crc32fast::hash(content)).into());
            entry.insert("bytes".to_owned(), content.len().into());
        }
    }
    let text = value.to_string();
    framed(text[1..text.len() - 1].as_bytes())
}

fn open(storage: &MemoryStorage, checkpoint: bool) -> Result<Database> {
    let builder = Database::builder().background(false).segment_bytes(64 * 1024);
    builder.checkpoint_on_close(checkpoint).open_in(Arc::new(storage.clone()))
}

#[track_caller]
fn assert_refusal(error: &Error) {
    match error {
        Error::Damaged(_) | Error::NewerFormat { .. } => {}
        other => panic!("a disk that did not fail is refused for {}: {other}", other.code()),
    }
}

/// Asks every index, and writes to every collection.
fn work(database: &Database) {
    let snapshot = database.snapshot();
    for (name, collection) in snapshot.collections() {
        let all = Query::new(Filter::all());
        let found = all.find(&**collection).expect("a collection can be listed");
        assert_eq!(found.len(), collection.count());
        for index in collection.indexes() {
            let hinted = all.clone().hint(index.name().as_str());
            // A partial index does not serve it, and one over arrays may not either.
            if let Ok(found) = hinted.find(&**collection) {
                assert_eq!(found.len(), collection.count());
            }
        }
        write(database, name);
    }
}

fn write(database: &Database, name: &CollectionName) {
    let put = database.transact(|tx| tx.put(name, &id("new"), draft(r#"{"a":[1],"b":"x"}"#)));
    match put {
        Ok(()) | Err(Error::Index(_)) => {}
        Err(error) => panic!("memory refuses a write: {error}"),
    }
}

/// Every document's text and version.
fn contents(snapshot: &Snapshot) -> Vec<String> {
    let collections = snapshot.collections();
    let lines = collections.flat_map(|(name, collection)| {
        let head = format!("{name} {} {}", collection.created(), collection.changed());
        let documents = collection.documents();
        let lines = documents.map(|(id, document)| format!("{id} {document:?}"));
        let indexes = collection.indexes().iter();
        let definitions = indexes.map(|index| {
            format!("{} {} {}", index.name(), index.definition().to_json(), index.len())
        });
        [head].into_iter().chain(lines).chain(definitions).collect::<Vec<_>>()
    });
    lines.collect()
}
