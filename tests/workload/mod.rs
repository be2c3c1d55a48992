//! Work for a database that is about to be disturbed: steps, as values or as text, and a run that
//! performs them and keeps account of what it was promised.
//!
//! ```text
//! always: put a/1 200; inc counters/n       one transaction, with its durability
//! none: append a/1; double a/2; delete b/3  each a read and a write that rests on it
//! soon: create empty; drop b                durability `interval`, due at the next maintain
//! always: index a by_n n,-list              one index, alone in its commit
//! always: unindex a by_n
//! checkpoint | maintain | reopen            what is done to the whole database
//! ```
//!
//! Most writes are not idempotent, so that a record applied twice, left out or taken from another
//! history shows.
#![allow(dead_code, reason = "each test takes the part that it needs")]
#![allow(clippy::unwrap_used, reason = "a script that cannot be read stops its test")]

pub(crate) mod random;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use monsterdb::{
    Builder, CollectionName, CollectionOptions, Database, Durability, Error, IndexDefinition,
    Result, Snapshot, Transaction, Version,
    checkpoint::{MANIFEST, Manifest},
    storage::{CrashKind, MemoryStorage},
};
use serde::{Deserialize, Serialize};

/// One thing done to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Commit(Durability, Vec<Write>),
    Checkpoint,
    Maintain,
    Reopen,
}

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Write {
    /// A new content, with so many bytes of padding.
    Put(Place, usize),
    Increment(Place),
    /// Reads a list, and replaces it by a longer one.
    Append(Place),
    /// Reads, and replaces by what follows from it.
    Double(Place),
    Delete(Place),
    Create(String),
    Drop(String),
    /// An index on paths. It stands alone in its commit, which is always durable.
    Index(String, String, String),
    /// As the last one: the index goes.
    Unindex(String, String),
}

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub collection: String,
    pub id: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Content {
    pub n: u64,
    pub list: Vec<u64>,
    pub pad: String,
}

/// Every state that a database had, by version.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(BTreeMap<Version, Arc<Snapshot>>);

/// What a crash must leave at least.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Promise {
    /// Safe on the device: it outlives a power cut.
    pub power: Version,
    /// Handed to the operating system: it outlives the process.
    pub process: Version,
}

/// A database at work.
pub(crate) struct Run {
    pub storage: MemoryStorage,
    pub promise: Promise,
    /// None only while it is being reopened.
    pub db: Option<Database>,
    unsynced: Version,
}

/// Settings that make every edge near: small segments, of which few stay behind a checkpoint, and
/// nothing in the background.
pub(crate) fn options() -> Builder {
    Database::builder().background(false).segment_bytes(4096).feed_retain_bytes(2 * 4096)
}

pub(crate) fn open(storage: &MemoryStorage) -> Result<Database> {
    options().open_in(Arc::new(storage.clone()))
}

/// A file that an open database has no use for, if there is one.
pub(crate) fn needless_file(storage: &MemoryStorage) -> Option<String> {
    let manifest = Manifest::decode(&storage.contents(MANIFEST).unwrap()).unwrap();
    storage.names().into_iter().find(|name| {
        // A segment made ahead has a temporary name while it is not in use.
        let is_temporary = name.ends_with(".tmp") && !name.starts_with("wal/prepared-");
        let is_old =
            name.starts_with("collections/") && !manifest.files().any(|entry| entry.file == *name);
        is_temporary || is_old || is_old_index(&manifest, name)
    })
}

/// True for an index's file that belongs to no collection as the manifest has it.
fn is_old_index(manifest: &Manifest, name: &str) -> bool {
    let current = manifest.collections.iter().flat_map(|collection| {
        let version = collection.files[0].version;
        let file = move |index| format!("indexes/{}/{index}-{version}.json", collection.name);
        collection.indexes.iter().map(move |(index, _)| file(index))
    });
    name.starts_with("indexes/") && !current.into_iter().any(|file| file == name)
}

/// How much more than usual is tried, from `MONSTERDB_TEST_DEPTH`.
pub(crate) fn depth() -> u64 {
    std::env::var("MONSTERDB_TEST_DEPTH").map_or(1, |depth| depth.parse().unwrap())
}

/// True for an error of a commit that the database's content refuses: nothing failed.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound
            | Error::DocumentNotFound { .. }
            | Error::CollectionNotFound { .. }
            | Error::CollectionExists { .. }
            | Error::InvalidUpdate { .. }
            | Error::Index(_)
    )
}

impl Run {
    pub(crate) fn open(storage: &MemoryStorage) -> Result<Run> {
        let db = open(storage)?;
        let promise = Promise::of(db.snapshot().version());
        Ok(Run { storage: storage.clone(), promise, db: Some(db), unsynced: Version::ZERO })
    }

    pub(crate) fn db(&self) -> &Database {
        self.db.as_ref().unwrap()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.db().snapshot()
    }

    /// Takes a step. Returns whether a commit took effect.
    pub(crate) fn step(&mut self, step: &Step) -> Result<bool> {
        let before = self.snapshot().version();
        match step {
            Step::Commit(durability, writes) => {
                let version = commit(self.db(), *durability, writes)?;
                // What was written and changes nothing is promised too: it is there. Only what
                // was merely looked at is not, as an index that is there already, and is safe.
                let looked_at = |w: &Write| matches!(w, Write::Delete(_) | Write::Index(..));
                if version == before && writes.iter().all(looked_at) {
                    return Ok(false);
                }
                self.acknowledge(*durability, version);
                return Ok(version > before);
            }
            Step::Checkpoint => self.promise.power = self.db().checkpoint()?,
            Step::Maintain => {
                self.db().maintain()?;
                // What came after it with no promise may have been left out: it is safe up to here.
                self.promise.power = self.promise.power.max(std::mem::take(&mut self.unsynced));
            }
            Step::Reopen => {
                let closed = self.db.take().unwrap().close();
                if closed.is_ok() {
                    self.promise.power = before;
                }
                self.reopen()?;
            }
        }
        Ok(false)
    }

    /// Notes that a commit was acknowledged.
    pub(crate) fn acknowledge(&mut self, durability: Durability, version: Version) {
        self.promise.process = version.max(self.promise.process);
        match durability {
            Durability::Always => self.promise.power = version.max(self.promise.power),
            Durability::Interval(_) => self.unsynced = version.max(self.unsynced),
            Durability::None => {}
        }
    }

    /// Opens the database anew. What it then serves is safe.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.db = None;
        self.db = Some(open(&self.storage)?);
        self.promise = Promise::of(self.snapshot().version());
        self.unsynced = Version::ZERO;
        Ok(())
    }
}

impl Promise {
    /// That a version is safe.
    pub(crate) fn of(version: Version) -> Promise {
        Promise { power: version, process: version }
    }

    /// What is left of it after a crash.
    pub(crate) fn after(self, kind: CrashKind) -> Promise {
        match kind {
            CrashKind::Power => Promise::of(self.power),
            CrashKind::Process => self,
        }
    }

    /// What holds when both were promised.
    pub(crate) fn or(self, other: Promise) -> Promise {
        Promise { power: self.power.max(other.power), process: self.process.max(other.process) }
    }
}

impl History {
    /// Notes the state that a database has.
    pub(crate) fn note(&mut self, snapshot: Arc<Snapshot>) {
        self.0.insert(snapshot.version(), snapshot);
    }

    /// The history up to a version.
    pub(crate) fn up_to(&self, version: Version) -> History {
        History(self.0.range(..=version).map(|(v, s)| (*v, Arc::clone(s))).collect())
    }

    /// Adds the states of a later time.
    pub(crate) fn extend(&mut self, later: History) {
        self.0.extend(later.0);
    }

    pub(crate) fn at(&self, version: Version) -> Option<&Arc<Snapshot>> {
        self.0.get(&version)
    }

    pub(crate) fn last(&self) -> Version {
        self.0.last_key_value().map_or(Version::ZERO, |(version, _)| *version)
    }

    /// Why a state is none of this history's that holds what was promised.
    pub(crate) fn objection(&self, state: &Snapshot, promised: Version) -> Option<String> {
        let version = state.version();
        if version < promised {
            return Some(format!("version {promised} was acknowledged, and {version} is there"));
        }
        match self.at(version) {
            None => Some(format!("version {version} was never committed")),
            Some(expected) if **expected != *state => {
                Some(format!("version {version} was {expected:?}, and now it is {state:?}"))
            }
            Some(_) => None,
        }
    }
}

/// How many transactions there are among steps.
pub(crate) fn commits(steps: &[Step]) -> u64 {
    steps.iter().filter(|step| matches!(step, Step::Commit(..))).count() as u64
}

/// Performs steps without disturbing them, and returns the states from the first to the last. A
/// transaction that the content refuses is left out.
pub(crate) fn undisturbed(storage: &MemoryStorage, steps: &[Step]) -> History {
    let mut history = History::default();
    let mut run = Run::open(storage).unwrap();
    history.note(run.snapshot());
    for step in steps {
        match run.step(step) {
            Ok(_) => history.note(run.snapshot()),
            Err(error) => assert!(is_refusal(&error), "{step:?}: {error}"),
        }
    }
    history
}

/// Performs steps until the storage stops. The promise is what was acknowledged by then.
pub(crate) fn until_it_stops(storage: &MemoryStorage, steps: &[Step]) -> Promise {
    let Ok(mut run) = Run::open(storage) else { return Promise::default() };
    for step in steps {
        match run.step(step) {
            Err(error) if !is_refusal(&error) => break,
            Ok(_) | Err(_) => {}
        }
    }
    run.promise
}

/// One transaction.
pub(crate) fn commit(db: &Database, durability: Durability, writes: &[Write]) -> Result<Version> {
    match writes {
        [Write::Index(collection, name, paths)] => {
            let definition = IndexDefinition::on(paths.split(','))?;
            return Ok(db.create_index(collection, name, definition)?.version);
        }
        [Write::Unindex(collection, name)] => return db.drop_index(collection, name),
        _ => {}
    }
    let tx = db.begin();
    for write in writes {
        write.perform(&tx)?;
    }
    db.commit_with(tx, durability)
}

impl Write {
    fn perform(&self, tx: &Transaction) -> Result<()> {
        let collection =
            |place: &Place| -> Result<_> { tx.collection::<Content>(&place.collection) };
        match self {
            Write::Put(place, bytes) => {
                let content =
                    Content { n: *bytes as u64, list: Vec::new(), pad: "x".repeat(*bytes) };
                collection(place)?.put(&place.id, &content)
            }
            Write::Increment(place) => collection(place)?.update(&place.id, r#"{"$inc":{"n":1}}"#),
            Write::Append(place) => {
                let mut content = collection(place)?.get(&place.id)?.ok_or(Error::NotFound)?.value;
                content.list.push(content.list.len() as u64 + content.n);
                collection(place)?.replace(&place.id, &content)
            }
            Write::Double(place) => {
                let mut content = collection(place)?.get(&place.id)?.ok_or(Error::NotFound)?.value;
                content.n = content.n * 2 % 1_000_003 + 1;
                collection(place)?.replace(&place.id, &content)
            }
            Write::Delete(place) => collection(place)?.delete(&place.id).map(drop),
            Write::Create(name) => {
                let options = CollectionOptions { require_preconditions: name.len() % 2 == 0 };
                tx.create_collection(&CollectionName::new(name)?, options)
            }
            Write::Drop(name) => tx.drop_collection(&CollectionName::new(name)?),
            Write::Index(..) | Write::Unindex(..) => panic!("an index stands alone in its commit"),
        }
    }
}

/// Reads a script (see the module's document).
pub(crate) fn script(text: &str) -> Vec<Step> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(step).collect()
}

fn step(line: &str) -> Step {
    match line.split_once(':') {
        None => match line {
            "checkpoint" => Step::Checkpoint,
            "maintain" => Step::Maintain,
            "reopen" => Step::Reopen,
            other => panic!("no step: {other}"),
        },
        Some((durability, writes)) => {
            let durability = match durability {
                "always" => Durability::Always,
                "soon" => Durability::Interval(Duration::ZERO),
                "none" => Durability::None,
                other => panic!("no durability: {other}"),
            };
            Step::Commit(durability, writes.split(';').map(write).collect())
        }
    }
}

fn write(text: &str) -> Write {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        ["put", place, bytes] => Write::Put(Place::named(place), bytes.parse().unwrap()),
        ["inc", place] => Write::Increment(Place::named(place)),
        ["append", place] => Write::Append(Place::named(place)),
        ["double", place] => Write::Double(Place::named(place)),
        ["delete", place] => Write::Delete(Place::named(place)),
        ["create", name] => Write::Create(name.to_owned()),
        ["drop", name] => Write::Drop(name.to_owned()),
        ["index", collection, name, paths] => {
            Write::Index(collection.to_owned(), name.to_owned(), paths.to_owned())
        }
        ["unindex", collection, name] => Write::Unindex(collection.to_owned(), name.to_owned()),
        _ => panic!("no write: {text}"),
    }
}

impl Place {
    pub(crate) fn named(text: &str) -> Place {
        let (collection, id) = text.split_once('/').unwrap();
        Place { collection: collection.to_owned(), id: id.to_owned() }
    }
}
