//! What readers see: whole commits, in the order of their versions, and nothing else.

#[cfg(not(loom))]
compile_error!("built without `--cfg loom` there is nothing to explore: run `cargo loom`");

use loom_tests::{Threads, assert_recovers, explore, join, read, set, spawn, stage};
use monsterdb::{Database, Version};

/// Sets the number in both collections with one commit.
fn set_both(database: &Database, number: i64) -> Version {
    let transaction = database.begin();
    set(&transaction, "a", "x", number);
    set(&transaction, "b", "x", number);
    database.commit(transaction).expect("nothing was read")
}

#[test]
fn torn_read() {
    explore(Threads::Two, &["before", "after"], |seen| {
        let (database, _) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let other = database.clone();
        let writer = spawn(move || {
            set_both(&other, 1);
        });
        let mut version = Version::ZERO;
        for _ in 0..2 {
            let snapshot = database.snapshot();
            let number = read(&snapshot, "a", "x");
            assert_eq!(number, read(&snapshot, "b", "x"), "half a commit");
            assert_eq!(snapshot.version(), Version::new(1 + number as u64));
            assert!(version <= snapshot.version(), "versions only grow");
            version = snapshot.version();
            seen.note(if number == 0 { "before" } else { "after" });
        }
        join(writer);
    });
}

/// Two writers and a reader: the orders of versions, of the log and of publication are one.
#[test]
fn one_order() {
    explore(Threads::Three, &["first alone", "second alone"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let writers = ["a", "b"].map(|collection| {
            let database = database.clone();
            spawn(move || {
                let transaction = database.begin();
                set(&transaction, collection, "x", 1);
                let version = database.commit(transaction).expect("nothing was read");
                let snapshot = database.snapshot();
                assert!(snapshot.version() >= version, "acknowledged before published");
                assert_eq!(read(&snapshot, collection, "x"), 1, "real time is not respected");
                version
            })
        });
        let mut before = database.snapshot();
        for _ in 0..2 {
            let snapshot = database.snapshot();
            assert!(before.version() <= snapshot.version(), "versions only grow");
            let numbers = [read(&snapshot, "a", "x"), read(&snapshot, "b", "x")];
            assert_eq!(snapshot.version().get(), 1 + numbers.iter().sum::<i64>() as u64);
            for (collection, number) in ["a", "b"].into_iter().zip(numbers) {
                assert!(read(&before, collection, "x") <= number, "a commit was taken back");
            }
            match numbers {
                [1, 0] => seen.note("first alone"),
                [0, 1] => seen.note("second alone"),
                _ => {}
            }
            before = snapshot;
        }
        let mut versions = writers.map(join);
        versions.sort_unstable();
        assert_eq!(versions, [Version::new(2), Version::new(3)]);
        let after = database.snapshot();
        assert_eq!((read(&after, "a", "x"), read(&after, "b", "x")), (1, 1), "a lost commit");
        assert_recovers(&database, &disk);
    });
}
