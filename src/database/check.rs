//! Every checksum and every invariant of a database, without changing anything.
//!
//! It begins by reading the database as an opening does, so it finds whatever an opening refuses.
//! It goes further in two directions: where an opening stops at the first damage, it looks for all
//! of it; and it looks at what an opening trusts or skips, the text of every document and the
//! segments of the log that a checkpoint covers.
//!
//! A torn tail is no damage: nothing in it was ever acknowledged, and the next opening cuts it. Nor
//! is an index file that is of no use: the next opening builds the index anew. Of damage it is known
//! what it leads to ([`Consequence`]).

use super::{
    RecoveryReport,
    recovery::{self, Recovered},
};
use crate::{
    checkpoint::{self, Manifest},
    document::{Document, Draft},
    error::{Damage, Error, Result},
    limits::DOCUMENT_OVERHEAD_BYTES,
    names::{CollectionName, DocumentId},
    snapshot::{Collection, Index, Snapshot},
    storage::{Storage, read_all},
    version::Version,
    wal::{self, Cut, Log, Proof, Record},
};

/// What a check looked at, and what it found.
#[derive(Debug, Clone, Default)]
pub struct CheckReport {
    /// The last version, zero when the database does not open.
    pub version: Version,
    /// The version of the checkpoint.
    pub checkpoint: Version,
    /// Every collection with its documents and the bytes of memory that they take.
    pub collections: Vec<(CollectionName, usize, u64)>,
    /// Collection files of the checkpoint.
    pub files: usize,
    /// Their bytes.
    pub file_bytes: u64,
    /// Segments of the log.
    pub segments: usize,
    /// Records of the log that were looked at.
    pub records: usize,
    /// Records whose safety is in doubt.
    pub in_doubt: u64,
    /// The indexes that the next opening builds anew, each with the reason.
    pub rebuilt: Vec<String>,
    /// The torn tail that the next opening cuts, if there is one.
    pub cut: Option<Cut>,
    /// Everything that is damaged.
    pub damage: Vec<Damage>,
    /// True when the database opens.
    pub opens: bool,
    /// How many places of damage, from the last one on, an opening does not look at.
    passed: usize,
}

/// What a problem that a check found leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The database does not open.
    Closed,
    /// The database opens, and serves it as it is.
    Served,
    /// The database opens without it, and nothing of its state is missing. Of the changes that led to
    /// that some are.
    Passed,
    /// The next opening cuts it. It was never acknowledged.
    Cut,
    /// The next opening builds the index anew.
    Rebuilt,
}

impl Consequence {
    /// A stable name of it.
    pub fn code(self) -> &'static str {
        match self {
            Consequence::Closed => "does-not-open",
            Consequence::Served => "served-as-it-is",
            Consequence::Passed => "opens-without-it",
            Consequence::Cut => "cut-at-the-next-opening",
            Consequence::Rebuilt => "built-anew-at-the-next-opening",
        }
    }
}

impl std::fmt::Display for Consequence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Consequence::Closed => "the database does not open",
            Consequence::Served => "the database opens, and serves it as it is",
            Consequence::Passed => "the checkpoint covers it: the database opens without it",
            Consequence::Cut => "never acknowledged, and cut at the next opening",
            Consequence::Rebuilt => "built anew at the next opening",
        })
    }
}

impl CheckReport {
    /// What each place that is damaged leads to.
    pub fn damage_with_consequences(&self) -> impl Iterator<Item = (&Damage, Consequence)> {
        let looked_at = self.damage.len() - self.passed;
        self.damage.iter().enumerate().map(move |(place, damage)| match place < looked_at {
            true if self.opens => (damage, Consequence::Served),
            true => (damage, Consequence::Closed),
            false => (damage, Consequence::Passed),
        })
    }

    /// Checks the database in a storage. It changes nothing, and takes no lock.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], also when there is no database; [`Error::NewerFormat`].
    pub fn of(storage: &dyn Storage) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        if let Some(Recovered { snapshot, report: recovery, .. }) =
            report.keep(recovery::inspect(storage))?
        {
            let RecoveryReport { in_doubt, rebuilt, .. } = recovery;
            (report.opens, report.in_doubt, report.rebuilt) = (true, in_doubt, rebuilt);
            report.look_at(&snapshot);
        }
        let manifest = report.keep(checkpoint::load_manifest(storage))?;
        let manifest = manifest.flatten().unwrap_or_default();
        report.look_at_files(storage, &manifest)?;
        report.look_at_log(storage, &manifest)?;
        Ok(report)
    }

    /// Takes damage up and goes on; other errors end the check.
    fn keep<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Damaged(damage)) => {
                self.add(*damage);
                Ok(None)
            }
            Err(error) => Err(error),
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
    fn look_at_files(&mut self, storage: &dyn Storage, manifest: &Manifest) -> Result<()> {
        self.checkpoint = manifest.version;
        self.files = manifest.files().count();
        self.file_bytes = manifest.files().map(|entry| entry.bytes).sum();
        if self.damage.is_empty() {
            // The opening has read them all.
            return Ok(());
        }
        for entry in &manifest.collections {
            for wrong in checkpoint::check_files(storage, entry) {
                self.keep(Err::<(), _>(wrong))?;
            }
        }
        Ok(())
    }

    fn look_at_log(&mut self, storage: &dyn Storage, manifest: &Manifest) -> Result<()> {
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
        storage: &dyn Storage,
        file: &str,
        first: Version,
        next: Version,
    ) -> Result<()> {
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
                        let reason = format!("sequence number {} stands there", record.seq);
                        self.covered_damage(file, offset, Some(expected), reason);
                        return Ok(());
                    }
                    Err(reason) => {
                        self.covered_damage(file, offset, Some(expected), reason);
                        return Ok(());
                    }
                }
            } else if let Err(reason) = wal::open_line(line) {
                self.covered_damage(file, offset, None, reason);
            }
            offset += line.len() as u64 + 1;
        }
        Ok(())
    }

    fn covered_damage(
        &mut self,
        file: &str,
        offset: u64,
        version: Option<Version>,
        reason: String,
    ) {
        let count = self.damage.len();
        self.add(Damage { file: file.to_owned(), offset, version, reason });
        self.passed += self.damage.len() - count;
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
fn check_text(id: &DocumentId, document: &Document) -> Result<()> {
    let again = Draft::parse(document.json().as_bytes())?.into_document(id)?;
    if again.json() == document.json() {
        return Ok(());
    }
    Err(Error::InvalidDocument {
        pointer: String::new(),
        reason: "its text is not the compact one".to_owned(),
    })
}

fn io(action: &'static str, storage: &dyn Storage, name: &str, error: std::io::Error) -> Error {
    Error::io(action, storage.path(name), error)
}
