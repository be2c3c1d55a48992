//! Backups, made while others write, restored at their version or at a later one, and refused when
//! anything in them is not as it was.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod damaged;
#[path = "../support/dice.rs"]
mod dice;
mod point_in_time;
mod targets;
mod writers;

use std::{ops::Range, path::Path, sync::Arc};

use monsterdb::{
    Database, IndexDefinition, Json, Snapshot, TransactOptions, Version,
    database::{Restored, restore},
    storage::{Access, FileStorage},
};

/// Documents that one writer keeps changing.
const DOCUMENTS: usize = 40;

/// A database in which every edge is near: small segments, of which none stay behind a checkpoint.
fn open(folder: &Path) -> Database {
    let options = Database::builder().segment_bytes(16 * 1024).feed_retain_bytes(0);
    let db = options.wal_archive(folder.join("archive")).open(folder.join("data")).unwrap();
    db.create_index("records", "by_n", IndexDefinition::on(["n"]).unwrap()).unwrap();
    db
}

/// The document that one commit of a writer puts, and the one that it deletes.
fn ids(writer: usize, number: usize) -> [String; 2] {
    [number, number + DOCUMENTS / 2].map(|number| format!("w{writer}-{}", number % DOCUMENTS))
}

/// One commit of one writer.
fn write(db: &Database, writer: usize, number: usize) -> Version {
    let [id, old] = ids(writer, number);
    let text = format!(r#"{{"n":{number},"pad":"{}"}}"#, "x".repeat(number % 300));
    let records = |tx: &monsterdb::Transaction| {
        let records = tx.collection::<Json>("records")?;
        records.put(&id, &Json::parse(&text)?)?;
        records.delete(&old).map(drop)
    };
    db.transact_with(TransactOptions::default(), records).unwrap().version
}

fn write_all(db: &Database, writer: usize, numbers: Range<usize>) {
    for number in numbers {
        write(db, writer, number);
    }
}

fn storage(path: &Path, access: Access) -> FileStorage {
    FileStorage::open(path, access).unwrap()
}

/// Restores a backup into a new directory, and opens what comes out.
fn restored(
    folder: &Path,
    backup: &Path,
    to: Option<u64>,
) -> monsterdb::Result<(Restored, Arc<Snapshot>)> {
    let target = tempfile::tempdir_in(folder).unwrap();
    let archive = to.map(|_| storage(&folder.join("archive"), Access::Watch));
    let archive = archive.as_ref().map(|archive| archive as &dyn monsterdb::storage::Storage);
    let told = restore(
        &storage(backup, Access::Read),
        archive,
        to.map(Version::new),
        &storage(target.path(), Access::Write),
    )?;
    let db = Database::open(target.path()).unwrap();
    assert!(db.status().recovery.rebuilt.is_empty(), "its indexes are in the backup");
    let snapshot = db.snapshot();
    db.close().unwrap();
    Ok((told, snapshot))
}
