//! `check`: every checksum and every invariant of a data directory, without changing anything.
//!
//! It begins by reading the database as an opening does, so it finds whatever an opening refuses.
//! It goes further in two directions: where an opening stops at the first damage, it looks for all
//! of it; and it looks at what an opening trusts or skips, the text of every document and the
//! segments of the log that a checkpoint covers.
//!
//! A torn tail is no damage: nothing in it was ever acknowledged, and the next opening cuts it.

use clap::Args;
use serde_json::{Value, json};

use super::{DataArgs, Failure, output::Output};
use crate::{
    checkpoint::{self, Manifest},
    database::Database,
    document::{Document, Draft},
    error::{Damage, Error},
    limits::DOCUMENT_OVERHEAD_BYTES,
    names::{CollectionName, DocumentId},
    snapshot::{Collection, Index, Snapshot},
    storage::{Access, FileStorage, read_all},
    version::Version,
    wal::{self, Cut, Log, Proof, Record},
};

/// Verify every checksum and invariant of a data directory.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The data directory.
    #[command(flatten)]
    pub data: DataArgs,
}

/// What was looked at, and what was found.
#[derive(Default)]
struct Report {
    version: Version,
    checkpoint: Version,
    collections: Vec<(CollectionName, usize, u64)>,
    files: usize,
    file_bytes: u64,
    segments: usize,
    records: usize,
    in_doubt: u64,
    cut: Option<Cut>,
    damage: Vec<Damage>,
}

/// Checks and reports.
pub(super) fn run(args: &CheckArgs, json: bool) -> Result<(), Failure> {
    let report = Report::of(args)?;
    let mut output = Output::new();
    output.line(&if json { report.to_json().to_string() } else { report.to_text() })?;
    output.finish()?;
    if report.damage.is_empty() { Ok(()) } else { Err(Failure::Damaged(report.damage)) }
}

impl Report {
    fn of(args: &CheckArgs) -> Result<Report, Failure> {
        let mut report = Report::default();
        let storage = FileStorage::open(&args.data.data, Access::Read)?;
        match Database::open_read_only(&args.data.data) {
            Ok(database) => {
                report.in_doubt = database.status().recovery.in_doubt;
                report.look_at(&database.snapshot());
            }
            Err(Error::Damaged(damage)) => report.damage.push(*damage),
            Err(error) => return Err(error.into()),
        }
        let manifest = report.keep(checkpoint::load_manifest(&storage))?;
        let manifest = manifest.flatten().unwrap_or_default();
        report.look_at_files(&storage, &manifest)?;
        report.look_at_log(&storage, &manifest)?;
        Ok(report)
    }

    /// Takes damage up and goes on; other errors end the check.
    fn keep<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                self.add(*damage);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn add(&mut self, damage: Damage) {
        if !self.damage.contains(&damage) {
            self.damage.push(damage);
        }
    }

    /// The state as it was recovered: that counts, sizes, versions and texts agree.
    fn look_at(&mut self, snapshot: &Snapshot) {
        self.version = snapshot.version();
        for (name, collection) in snapshot.collections() {
            self.collections.push((name.clone(), collection.count(), collection.bytes()));
            for reason in faults(collection, snapshot.version()) {
                let file = format!("{}/{name}", checkpoint::FOLDER);
                self.add(Damage { file, offset: 0, version: None, reason });
            }
        }
    }

    /// Each collection file by itself, so that one that is damaged hides no other.
    fn look_at_files(&mut self, storage: &FileStorage, manifest: &Manifest) -> Result<(), Failure> {
        self.checkpoint = manifest.version;
        self.files = manifest.files().count();
        self.file_bytes = manifest.files().map(|entry| entry.bytes).sum();
        if self.damage.is_empty() {
            // The opening has read them all.
            return Ok(());
        }
        for entry in &manifest.collections {
            let alone = Manifest { collections: vec![entry.clone()], ..manifest.clone() };
            self.keep(checkpoint::load(storage, &alone))?;
        }
        Ok(())
    }

    fn look_at_log(&mut self, storage: &FileStorage, manifest: &Manifest) -> Result<(), Failure> {
        let listed = wal::list_segments(storage);
        let segments = listed.map_err(|error| io("list", storage, wal::FOLDER, error))?;
        self.segments = segments.len();
        let proof = Proof { checkpoint: manifest.version, synced: manifest.synced };
        if let Some(log) = self.keep(Log::read(storage, proof))? {
            self.records += log.lines_after(Version::ZERO).count();
            self.cut = log.cut;
        }
        let nexts = segments.iter().skip(1).map(|(first, _)| *first);
        for ((first, file), next) in segments.iter().zip(nexts) {
            if next <= manifest.version.next() {
                self.look_at_covered(storage, file, *first, next)?;
            }
        }
        Ok(())
    }

    /// A segment that the checkpoint covers: an opening does not read it.
    fn look_at_covered(
        &mut self,
        storage: &FileStorage,
        file: &str,
        first: Version,
        next: Version,
    ) -> Result<(), Failure> {
        let bytes = read_all(storage, file).map_err(|error| io("read", storage, file, error))?;
        let (mut expected, mut offset) = (first, 0);
        for line in bytes.split(|byte| *byte == b'\n') {
            if expected == next {
                return Ok(());
            }
            if offset > 0 {
                match Record::parse(line) {
                    Ok(record) if record.seq == expected => {
                        self.records += 1;
                        expected = expected.next();
                    }
                    Ok(record) => {
                        return self.covered_damage(
                            file,
                            offset,
                            expected,
                            format!("sequence number {} stands there", record.seq),
                        );
                    }
                    Err(reason) => return self.covered_damage(file, offset, expected, reason),
                }
            } else if let Err(reason) = wal::open_line(line) {
                self.add(Damage { file: file.to_owned(), offset, version: None, reason });
            }
            offset += line.len() as u64 + 1;
        }
        Ok(())
    }

    fn covered_damage(
        &mut self,
        file: &str,
        offset: u64,
        expected: Version,
        reason: String,
    ) -> Result<(), Failure> {
        let reason = format!("{reason} (the checkpoint covers it: the database opens without it)");
        let file = file.to_owned();
        self.add(Damage { file, offset, version: Some(expected), reason });
        Ok(())
    }

    fn to_json(&self) -> Value {
        let collections: Vec<Value> = self.collections.iter().map(|(name, count, bytes)| {
            json!({ "name": name.as_str(), "count": count, "bytes": bytes })
        }).collect();
        let damage: Vec<Value> = self.damage.iter().map(super::failure::damage_json).collect();
        json!({
            "ok": self.damage.is_empty(),
            "version": self.version.get(),
            "checkpoint": self.checkpoint.get(),
            "collections": collections,
            "files": self.files,
            "file_bytes": self.file_bytes,
            "segments": self.segments,
            "records": self.records,
            "in_doubt": self.in_doubt,
            "torn_tail": self.cut.as_ref().map(super::log::cut_json),
            "damage": damage,
        })
    }

    fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for (name, count, bytes) in &self.collections {
            lines.push(format!("collection {name}: {count} documents, {bytes} bytes in memory"));
        }
        let Report { version, checkpoint, files, file_bytes, segments, records, .. } = self;
        lines.push(format!("checkpoint: version {checkpoint}, {files} files, {file_bytes} bytes"));
        lines.push(format!(
            "log: {segments} segments, {records} records, {} in doubt",
            self.in_doubt
        ));
        if let Some(cut) = &self.cut {
            lines.push(format!("torn tail: {}", super::log::cut_text(cut)));
        }
        lines.extend(self.damage.iter().map(|damage| format!("DAMAGED: {damage}")));
        lines.push(match self.damage.len() {
            0 => format!("good, up to version {version}"),
            count => format!("{count} places are damaged"),
        });
        lines.join("\n")
    }
}

/// What in a collection does not agree with itself, as sentences.
fn faults(collection: &Collection, newest: Version) -> Vec<String> {
    let mut found = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for (id, document) in collection.documents() {
        count += 1;
        bytes += (id.as_str().len() + document.json().len()) as u64 + DOCUMENT_OVERHEAD_BYTES;
        let versions = collection.created()..=collection.changed();
        if !versions.contains(&document.version()) {
            let (version, from, to) = (document.version(), versions.start(), versions.end());
            found.push(format!("document {id} has version {version}, outside of {from} to {to}"));
        }
        if let Err(reason) = check_text(id, document) {
            found.push(format!("document {id}: {reason}"));
        }
    }
    found.extend(collection.indexes().iter().filter_map(|index| index_fault(collection, index)));
    if collection.changed() > newest {
        found.push(format!("it was changed at {}, after {newest}", collection.changed()));
    }
    if (count, bytes) != (collection.count(), collection.document_bytes()) {
        found.push(format!(
            "it counts {} documents of {} bytes and holds {count} of {bytes}",
            collection.count(),
            collection.document_bytes()
        ));
    }
    found
}

/// An index must be what building it over the documents makes.
fn index_fault(collection: &Collection, index: &Index) -> Option<String> {
    let name = CollectionName::new("checked").expect("it is a name");
    let (index_name, definition) = (index.name().clone(), index.definition().clone());
    match Index::build(index_name, definition, &name, collection.documents()) {
        Ok(built) if built == *index => None,
        Ok(_) => Some(format!("index {} is not that of the documents", index.name())),
        Err(error) => Some(error.to_string()),
    }
}

/// A document's text must be what the border makes of it: anything else got in another way.
fn check_text(id: &DocumentId, document: &Document) -> Result<(), Error> {
    let again = Draft::parse(document.json().as_bytes())?.into_document(id)?;
    if again.json() == document.json() {
        return Ok(());
    }
    Err(Error::InvalidDocument {
        pointer: String::new(),
        reason: "its text is not the compact one".to_owned(),
    })
}

fn io(action: &'static str, storage: &FileStorage, name: &str, error: std::io::Error) -> Failure {
    use crate::storage::Storage;
    Error::io(action, storage.path(name), error).into()
}
