//! Validation and locks: whatever the interleaving, committed transactions are equivalent to the
//! order of their versions, and each of them comes to an end.

#[cfg(not(loom))]
compile_error!("built without `--cfg loom` there is nothing to explore: run `cargo loom`");

use loom_tests::{
    Disk, Seen, Threads, add, assert_recovers, assert_safe, explore, get, increment, join, open,
    read, set,
};
use loom_tests::{spawn, stage};
use monsterdb::{CollectionName, Database, Durability, Error, Query, Transaction, Version, field};

/// Commits, and says whether it took effect. What a conflict names must be visible by then.
fn commit(database: &Database, transaction: Transaction, seen: &Seen) -> bool {
    match database.commit(transaction) {
        Ok(version) => {
            assert!(database.snapshot().version() >= version, "acknowledged before published");
            true
        }
        Err(Error::Conflict(conflicts)) => {
            seen.note("a conflict");
            let published = database.snapshot().version();
            let latest = conflicts.iter().map(|conflict| conflict.overtaken_by).max();
            assert!(latest.is_some_and(|latest| latest <= published), "a retry loses to it again");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// Commits transactions that have begun already, each in a thread, and counts the successes.
fn commit_side_by_side(database: &Database, transactions: [Transaction; 2], seen: &Seen) -> usize {
    let threads = transactions.map(|transaction| {
        let (database, seen) = (database.clone(), seen.clone());
        spawn(move || commit(&database, transaction, &seen))
    });
    threads.map(join).into_iter().filter(|committed| *committed).count()
}

#[test]
fn write_skew() {
    explore(Threads::Two, &["a conflict"], |seen| {
        let (database, disk) = stage(&[("a", "x", 1), ("b", "x", 1)]);
        // Each may go if the other is still there.
        let transactions = [("a", "b"), ("b", "a")].map(|(stays, goes)| {
            let transaction = database.begin();
            assert_eq!(get(&transaction, stays, "x").expect("it is read"), 1);
            set(&transaction, goes, "x", 0);
            transaction
        });
        let committed = commit_side_by_side(&database, transactions, seen);
        assert_eq!(committed, 1, "write skew");
        let after = database.snapshot();
        assert_eq!(read(&after, "a", "x") + read(&after, "b", "x"), 1, "write skew");
        assert_recovers(&database, &disk);
    });
}

#[test]
fn lost_update() {
    explore(Threads::Two, &["a conflict"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0)]);
        let threads = [1, 2].map(|_| {
            let (database, seen) = (database.clone(), seen.clone());
            spawn(move || {
                let transaction = database.begin();
                let number = get(&transaction, "a", "x").expect("it is read");
                set(&transaction, "a", "x", number + 1);
                i64::from(commit(&database, transaction, &seen))
            })
        });
        let committed: i64 = threads.map(join).iter().sum();
        assert!(committed > 0, "somebody wins");
        let after = database.snapshot();
        assert_eq!(read(&after, "a", "x"), committed, "a lost update");
        assert_eq!(after.version(), Version::new(1 + committed as u64));
        assert_recovers(&database, &disk);
    });
}

#[test]
fn phantom() {
    explore(Threads::Two, &["a conflict"], |seen| {
        let (database, _) = stage(&[("a", "x", 0)]);
        // Each adds a document if there is none of its kind.
        let transactions = ["y", "z"].map(|id| {
            let transaction = database.begin();
            let name = CollectionName::new("a").expect("a valid name");
            let ones = Query::new(field("n").eq(1));
            assert_eq!(transaction.count(&name, &ones).expect("it is counted"), 0);
            set(&transaction, "a", id, 1);
            transaction
        });
        let committed = commit_side_by_side(&database, transactions, seen);
        assert_eq!(committed, 1, "a phantom");
        let after = database.snapshot();
        assert_eq!(read(&after, "a", "y") + read(&after, "a", "z"), 1, "a phantom");
    });
}

/// Updates that read nothing never conflict; the second of a thread may find the lock that the
/// other waits for.
#[test]
fn blind_updates() {
    explore(Threads::TwoLong, &[], |_| {
        let (database, disk) = stage(&[("a", "x", 0)]);
        let other = database.clone();
        let second = spawn(move || increment(&other, "a", "x", Durability::Always).map(drop));
        for _ in 0..2 {
            increment(&database, "a", "x", Durability::None).expect("nothing was read");
        }
        join(second).expect("nothing was read");
        assert_eq!(read(&database.snapshot(), "a", "x"), 3, "a lost update");
        assert_recovers(&database, &disk);
    });
}

/// A write that changes nothing is acknowledged when what it was compared with is published, and
/// safe where it asks for that.
#[test]
fn no_change() {
    explore(Threads::Two, &["no change"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0)]);
        let [hasty, careful] = [Durability::None, Durability::Always].map(|durability| {
            let (database, disk) = (database.clone(), disk.clone());
            let transaction = database.begin();
            set(&transaction, "a", "x", 7);
            spawn(move || {
                let version =
                    database.commit_with(transaction, durability).expect("nothing was read");
                assert!(version <= database.snapshot().version(), "acknowledged before published");
                if durability == Durability::Always {
                    assert_safe(&disk, version);
                }
                version
            })
        });
        if join(hasty) == join(careful) {
            seen.note("no change");
        }
        assert_eq!(read(&database.snapshot(), "a", "x"), 7);
    });
}

/// Runs a closure that reads and writes until it commits: after one loss under locks.
fn transact(database: &Database) {
    let added = database.transact(|transaction| {
        let number = get(transaction, "a", "x")?;
        set(transaction, "a", "x", number + 1);
        Ok(number + 1)
    });
    let added = added.expect("it is certain to progress");
    assert!(read(&database.snapshot(), "a", "x") >= added, "acknowledged before published");
}

#[test]
fn transact_two() {
    explore(Threads::Two, &["under locks"], |seen| {
        let (database, _) = stage(&[("a", "x", 0)]);
        let other = database.clone();
        let second = spawn(move || transact(&other));
        transact(&database);
        join(second);
        assert_eq!(read(&database.snapshot(), "a", "x"), 2, "a lost update");
        if database.status().commits.locked_runs > 0 {
            seen.note("under locks");
        }
    });
}

/// Beside a thread that commits twice, so that somebody is there to overtake the run under locks
/// too.
#[test]
fn transact_overtaken() {
    explore(Threads::TwoLong, &["under locks"], |seen| {
        let (database, _) = stage(&[("a", "x", 0)]);
        let other = database.clone();
        let second = spawn(move || transact(&other));
        for _ in 0..2 {
            increment(&database, "a", "x", Durability::Always).expect("nothing was read");
        }
        join(second);
        assert_eq!(read(&database.snapshot(), "a", "x"), 3, "a lost update");
        if database.status().commits.locked_runs > 0 {
            seen.note("under locks");
        }
    });
}

/// Under locks a closure may meet a collection that it does not hold, and is run again.
#[test]
fn transact_strays() {
    explore(Threads::Two, &["strayed"], |seen| {
        let (database, _) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let other = database.clone();
        let second = spawn(move || {
            let transaction = other.begin();
            add(&transaction, "a", "x", 1);
            other.commit(transaction).expect("nothing was read");
        });
        let mut runs = 0;
        let moved = database.transact(|transaction| {
            runs += 1;
            // Only the second run meets the other collection.
            if get(transaction, "a", "x")? == 0 {
                set(transaction, "a", "x", 1);
                return Ok(());
            }
            let number = get(transaction, "b", "x")?;
            set(transaction, "b", "x", number + 1);
            Ok(())
        });
        moved.expect("it is certain to progress");
        join(second);
        let after = database.snapshot();
        match (read(&after, "a", "x"), read(&after, "b", "x")) {
            (2, 0) | (1, 1) => {}
            other => panic!("no serial order leads to {other:?}"),
        }
        if runs > 2 {
            seen.note("strayed");
        }
    });
}

/// The first commits of a new database make room in the log, one for all.
#[test]
fn room() {
    explore(Threads::Two, &[], |_| {
        let disk = Disk::new();
        let database = open(disk.clone());
        let [first, second] = ["a", "b"].map(|collection| {
            let transaction = database.begin();
            set(&transaction, collection, "x", 1);
            transaction
        });
        let other = database.clone();
        let thread = spawn(move || other.commit(second).map(drop));
        database.commit(first).expect("there is room");
        join(thread).expect("there is room");
        assert_eq!(database.snapshot().version(), Version::new(2));
        assert_recovers(&database, &disk);
    });
}
