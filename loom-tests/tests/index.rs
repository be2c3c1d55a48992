//! An index that is made beside a writer: never stale, and never two documents under one key of a
//! unique one.

#[cfg(not(loom))]
compile_error!("built without `--cfg loom` there is nothing to explore: run `cargo loom`");

use loom_tests::{Seen, Threads, assert_recovers, explore, join, set, spawn, stage};
use monsterdb::{
    CollectionName, Database, Error, IndexDefinition, IndexError, Snapshot, snapshot::Index,
};

/// Every index is what building it over the documents makes.
fn assert_fresh(snapshot: &Snapshot) {
    let name = CollectionName::new("a").expect("it is a name");
    let collection = snapshot.collection("a").expect("it was written");
    for index in collection.indexes() {
        let (index_name, definition) = (index.name().clone(), index.definition().clone());
        let built = Index::build(index_name, definition, &name, collection.documents());
        assert!(built.expect("it fits") == *index, "the index is stale");
    }
}

/// Makes an index on the number; false when it was refused for a key that two documents have.
fn make(database: &Database, unique: bool) -> bool {
    let definition = IndexDefinition::on(["n"]).expect("it is a path");
    let definition = if unique { definition.unique() } else { definition };
    match database.create_index("a", "by_n", definition) {
        Ok(made) => {
            assert!(database.snapshot().version() >= made.version, "acknowledged before published");
            true
        }
        Err(Error::Index(IndexError::Unique { .. })) => false,
        Err(error) => panic!("{error}"),
    }
}

fn write(database: &Database, id: &str, number: i64, seen: &Seen) -> bool {
    let transaction = database.begin();
    set(&transaction, "a", id, number);
    match database.commit(transaction) {
        Ok(_) => true,
        Err(Error::Index(IndexError::Unique { .. })) => {
            seen.note("a writer refused");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn made_beside_a_writer() {
    explore(Threads::Two, &["an index first", "a writer first"], |seen| {
        let (database, disk) = stage(&[("a", "x", 1)]);
        let maker = {
            let database = database.clone();
            spawn(move || make(&database, false))
        };
        let writer = {
            let (database, seen) = (database.clone(), seen.clone());
            spawn(move || write(&database, "x", 2, &seen))
        };
        assert!(join(maker) && join(writer));
        let after = database.snapshot();
        let changed = after.get("a", "x").map(|document| document.version().get());
        seen.note(if changed == Some(2) { "a writer first" } else { "an index first" });
        assert_fresh(&after);
        assert_recovers(&database, &disk);
    });
}

#[test]
fn unique_beside_a_writer() {
    explore(Threads::Two, &["a writer refused", "an index refused"], |seen| {
        let (database, disk) = stage(&[("a", "x", 1)]);
        let maker = {
            let database = database.clone();
            spawn(move || make(&database, true))
        };
        let writer = {
            let (database, seen) = (database.clone(), seen.clone());
            spawn(move || write(&database, "y", 1, &seen))
        };
        let (made, written) = (join(maker), join(writer));
        assert!(made || written, "both were refused");
        assert!(!(made && written), "two documents have one key");
        if !made {
            seen.note("an index refused");
        }
        assert_fresh(&database.snapshot());
        assert_recovers(&database, &disk);
    });
}
