//! Indexes over a real data set: 171,075 cities, where that is at hand (see `support/data_set.rs`).
//!
//! ```text
//! CITIES_BUILDS=50 cargo test --release --test cities -- --nocapture --test-threads 1
//! ```
//!
//! What is counted is asserted; what is timed is printed: how long a query takes with and without
//! an index, how long a build takes and holds the lock of the collection, and how long four
//! writers wait for a commit beside it and without it. An ordinary run builds the index once.

#[path = "../support/data_set.rs"]
mod data_set;
mod norway;
mod online;
#[path = "../support/skipped.rs"]
mod skipped;

use std::fs;

use data_set::data_set;
use monsterdb::{Database, Durability, Json};

/// Documents in one commit of the import.
const BATCH: usize = 10_000;

/// Fills the collection `cities` and says how many there are; none where the data set is not at
/// hand.
fn import(db: &Database) -> Option<u64> {
    let text = fs::read_to_string(data_set("cities.ndjson")?).expect("it can be read");
    let lines: Vec<&str> = text.lines().collect();
    for (batch, lines) in lines.chunks(BATCH).enumerate() {
        let imported = db.transact(|tx| {
            let cities = tx.collection::<Json>("cities")?;
            for (place, line) in lines.iter().enumerate() {
                cities.put(&id((batch * BATCH + place) as u64), &Json::parse(line)?)?;
            }
            Ok(())
        });
        imported.expect("each batch fits");
    }
    Some(lines.len() as u64)
}

/// The id of a city by its place in the file.
fn id(place: u64) -> String {
    format!("c{place:06}")
}

/// A database in files, and the folder that it is in.
fn in_files(durability: Durability) -> (Database, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("there is room");
    let builder = Database::builder().durability(durability);
    let db = builder.open(folder.path().join("data")).expect("it is new");
    (db, folder)
}
