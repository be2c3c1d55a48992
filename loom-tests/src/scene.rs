//! What the models are played on: a database on a disk in memory, documents that hold a number.

use std::sync::Arc;

use monsterdb::{
    CollectionName, Database, DocumentId, Draft, Durability, Error, Snapshot, Transaction, Update,
    Version,
    storage::{CrashKind, Storage},
    wal::{Log, Proof},
};

use crate::disk::Disk;

/// Room for all records of a model in one segment, so that making room is a model of its own.
const SEGMENT_BYTES: u64 = 8192;

/// Power cuts that are tried; each seed loses something else.
const POWER_CUTS: u64 = 3;

/// Opens a database. Nothing happens in it but what the model does.
pub fn open(storage: impl Storage) -> Database {
    let storage = Arc::new(storage);
    let builder = Database::builder().background(false).checkpoint_on_close(false);
    builder.segment_bytes(SEGMENT_BYTES).open_in(storage).expect("it is in order")
}

/// A database that holds these documents at version 1, and its disk.
pub fn stage(documents: &[(&str, &str, i64)]) -> (Database, Disk) {
    let disk = Disk::new();
    let database = open(disk.clone());
    let transaction = database.begin();
    for (collection, id, number) in documents {
        set(&transaction, collection, id, *number);
    }
    database.commit(transaction).expect("nobody is in the way");
    (database, disk)
}

/// Writes a document that holds a number, without reading it.
pub fn set(transaction: &Transaction, collection: &str, id: &str, number: i64) {
    let draft = Draft::parse(format!("{{\"n\":{number}}}").as_bytes()).expect("valid JSON");
    transaction.put(&collection_name(collection), &document_id(id), draft).expect("within limits");
}

/// Adds to a number, without reading it.
pub fn add(transaction: &Transaction, collection: &str, id: &str, number: i64) {
    let update = format!("{{\"$inc\":{{\"n\":{number}}}}}");
    let update = Update::parse(&update).expect("a valid update");
    transaction.update(&collection_name(collection), &document_id(id), update).expect("it fits");
}

/// The number in a document, read by a transaction, which now depends on it.
pub fn get(transaction: &Transaction, collection: &str, id: &str) -> Result<i64, Error> {
    let document = transaction.get(&collection_name(collection), &document_id(id))?;
    Ok(document.map_or(0, |document| number(document.json())))
}

/// The number in a document of a snapshot; zero when there is none.
pub fn read(snapshot: &Snapshot, collection: &str, id: &str) -> i64 {
    snapshot.get(collection, id).map_or(0, |document| number(document.json()))
}

/// Commits a transaction that adds one to a document, blindly.
pub fn increment(
    database: &Database,
    collection: &str,
    id: &str,
    durability: Durability,
) -> Result<Version, Error> {
    let transaction = database.begin();
    add(&transaction, collection, id, 1);
    database.commit_with(transaction, durability)
}

/// Checks that the log holds every version up to this one, also when the power goes now.
pub fn assert_safe(disk: &Disk, version: Version) {
    disk.take_turn();
    let proof = Proof { checkpoint: Version::ZERO, synced: Version::ZERO };
    for seed in 0..POWER_CUTS {
        let after = disk.crash(CrashKind::Power, seed);
        let log = Log::read(&after, proof).expect("no damage");
        assert!(log.last >= version, "a power cut takes back version {version}");
    }
}

/// Checks that the log's records are 1 to *n* without a gap and make of the empty database what
/// readers see.
pub fn assert_recovers(database: &Database, disk: &Disk) {
    let after = open(disk.crash(CrashKind::Process, 0));
    assert_eq!(*after.snapshot(), *database.snapshot(), "the log makes another state");
}

fn collection_name(name: &str) -> CollectionName {
    CollectionName::new(name).expect("a valid name")
}

fn document_id(id: &str) -> DocumentId {
    DocumentId::new(id).expect("a valid id")
}

fn number(json: &str) -> i64 {
    let (_, number) = json.rsplit_once(':').expect("the number comes last");
    number.trim_end_matches('}').parse().expect("it is a number")
}
