//! An index that is made beside a writer: never stale, and never two documents under one key of a
//! unique one.

#[cfg(not(loom))]
compile_error!("built without `--cfg loom` there is nothing to explore: run `cargo loom`");

use loom_tests::{Threads, assert_recovers, explore, join, set, spawn, stage};
use monsterdb::{
    CollectionName, Database, Error, IndexDefinition, IndexError, Snapshot, snapshot::Index,
};

/// These are the indexes, and each is what building it over the documents makes.
fn assert_fresh(snapshot: &Snapshot, names: &[&str]) {
    let name = CollectionName::new("a").expect("it is a name");
    let collection = snapshot.collection("a").expect("it was written");
    let there: Vec<_> = collection.indexes().iter().map(|index| index.name().as_str()).collect();
    assert_eq!(there, names, "an index is lost");
    for index in collection.indexes() {
        let (index_name, definition) = (index.name().clone(), index.definition().clone());
        let built = Index::build(index_name, definition, &name, collection.documents());
        assert!(built.expect("it fits") == *index, "the index is stale");
    }
}

/// Makes an index on the number; false when it was refused for a key that two documents have.
fn make(database: &Database, name: &str, unique: bool) -> bool {
    let definition = IndexDefinition::on(["n"]).expect("it is a path");
    let definition = if unique { definition.unique() } else { definition };
    match database.create_index("a", name, definition) {
        Ok(made) => {
            assert!(database.snapshot().version() >= made.version, "acknowledged before published");
            true
        }
        Err(Error::Index(IndexError::Unique { .. })) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Commits a document with this number; false when an index refused it.
fn write(database: &Database, id: &str, number: i64) -> bool {
    let transaction = database.begin();
    set(&transaction, "a", id, number);
    match database.commit(transaction) {
        Ok(_) => true,
        Err(Error::Index(IndexError::Unique { .. })) => false,
        Err(error) => panic!("{error}"),
    }
}

/// An index takes in what was written before it was linked, be it while it was built, and every
/// later writer finds it. Making one is as much to explore as two commits.
#[test]
fn made_beside_a_writer() {
    explore(Threads::TwoLong, &["an index first", "a writer first"], |seen| {
        let (database, disk) = stage(&[("a", "x", 1)]);
        let other = database.clone();
        let writer = spawn(move || write(&other, "x", 2));
        assert!(make(&database, "by_n", false));
        assert!(join(writer));
        let after = database.snapshot();
        let changed = after.get("a", "x").map(|document| document.version().get());
        seen.note(if changed == Some(2) { "a writer first" } else { "an index first" });
        assert_fresh(&after, &["by_n"]);
        assert_recovers(&database, &disk);
    });
}

/// Of a document and a unique index that do not go together one is refused.
#[test]
fn unique_beside_a_writer() {
    explore(Threads::TwoLong, &["a writer refused", "an index refused"], |seen| {
        let (database, disk) = stage(&[("a", "x", 1)]);
        let other = database.clone();
        let writer = spawn(move || write(&other, "y", 1));
        let made = make(&database, "by_n", true);
        let written = join(writer);
        assert!(made || written, "both were refused");
        assert!(!(made && written), "two documents have one key");
        seen.note(if made { "a writer refused" } else { "an index refused" });
        assert_fresh(&database.snapshot(), if made { &["by_n"] } else { &[] });
        assert_recovers(&database, &disk);
    });
}

/// Two indexes that are made side by side are both there: linking one is a write like any other.
#[test]
fn made_side_by_side() {
    explore(Threads::TwoLong, &[], |_| {
        let (database, disk) = stage(&[("a", "x", 1)]);
        let other = database.clone();
        let second = spawn(move || make(&other, "by_m", false));
        assert!(make(&database, "by_n", false));
        assert!(join(second));
        assert_fresh(&database.snapshot(), &["by_m", "by_n"]);
        assert_recovers(&database, &disk);
    });
}
