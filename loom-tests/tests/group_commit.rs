//! The group of committers: nobody is acknowledged or seen before it is safe, everybody returns,
//! and the device's failure, closing and checkpoints reach everyone.

#[cfg(not(loom))]
compile_error!("built without `--cfg loom` there is nothing to explore: run `cargo loom`");

use loom_tests::{
    Disk, Seen, Threads, assert_recovers, assert_safe, explore, increment, join, open,
};
use loom_tests::{read, set, spawn, stage};
use monsterdb::{
    Database, Durability, Error, Transaction, Version,
    storage::{CrashKind, Failure, Fault, OperationKind},
};

const COLLECTIONS: [&str; 3] = ["a", "b", "c"];

/// A transaction that has begun and will conflict with nobody.
fn begin(database: &Database, collection: &str) -> Transaction {
    let transaction = database.begin();
    set(&transaction, collection, "x", 1);
    transaction
}

/// Commits; what is acknowledged is safe.
fn commit_safely(database: &Database, disk: &Disk, transaction: Transaction) {
    let version = database.commit(transaction).expect("nothing was read");
    assert_safe(disk, version);
}

fn syncs(disk: &Disk) -> usize {
    disk.trace().iter().filter(|operation| operation.kind == OperationKind::Sync).count()
}

/// So many commits side by side, one of them by this thread.
fn commit_side_by_side(collections: &[&'static str], seen: &Seen) {
    let documents: Vec<_> = collections.iter().map(|name| (*name, "x", 0)).collect();
    let (database, disk) = stage(&documents);
    let before = syncs(&disk);
    let mut transactions: Vec<_> =
        collections.iter().map(|collection| begin(&database, collection)).collect();
    let own = transactions.pop().expect("somebody commits");
    let threads: Vec<_> = transactions
        .into_iter()
        .map(|transaction| {
            let (database, disk) = (database.clone(), disk.clone());
            spawn(move || commit_safely(&database, &disk, transaction))
        })
        .collect();
    commit_safely(&database, &disk, own);
    threads.into_iter().for_each(join);
    let after = database.snapshot();
    assert!(collections.iter().all(|name| read(&after, name, "x") == 1), "a lost commit");
    assert_eq!(after.version(), Version::new(1 + collections.len() as u64));
    match syncs(&disk) - before {
        1 => seen.note("one sync for all"),
        one_each if one_each == collections.len() => seen.note("a sync each"),
        _ => seen.note("a leader hands over"),
    }
    assert_recovers(&database, &disk);
}

#[test]
fn two_committers() {
    explore(Threads::Two, &["one sync for all", "a sync each"], |seen| {
        commit_side_by_side(&["a", "b"], seen);
    });
}

#[test]
fn three_committers() {
    let expected = ["one sync for all", "a sync each", "a leader hands over"];
    explore(Threads::Three, &expected, |seen| commit_side_by_side(&COLLECTIONS, seen));
}

/// Four commits that have begun already. Everybody returns.
#[test]
fn four_committers() {
    explore(Threads::Four, &["one sync for some"], |seen| {
        let names = ["a", "b", "c", "d"];
        let (database, disk) = stage(&names.map(|name| (name, "x", 0)));
        let before = syncs(&disk);
        let [own, others @ ..] = names.map(|name| begin(&database, name));
        let threads = others.map(|transaction| {
            let database = database.clone();
            spawn(move || database.commit(transaction).map(drop))
        });
        database.commit(own).expect("nothing was read");
        for thread in threads {
            join(thread).expect("nothing was read");
        }
        assert_eq!(database.snapshot().version(), Version::new(5), "a lost commit");
        assert_safe(&disk, Version::new(5));
        if syncs(&disk) - before < names.len() {
            seen.note("one sync for some");
        }
    });
}

/// What a reader sees is safe.
#[test]
fn durable_before_visible() {
    explore(Threads::Three, &["seen early"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let transactions = ["a", "b"].map(|collection| begin(&database, collection));
        let writers = transactions.map(|transaction| {
            let (database, disk) = (database.clone(), disk.clone());
            spawn(move || commit_safely(&database, &disk, transaction))
        });
        let snapshot = database.snapshot();
        assert_safe(&disk, snapshot.version());
        if snapshot.version() > Version::new(1) {
            seen.note("seen early");
        }
        writers.into_iter().for_each(join);
    });
}

/// A commit that asks for a sync gets it, also in the batch of one that does not.
#[test]
fn mixed_durability() {
    explore(Threads::Two, &[], |_| {
        let (database, disk) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let (own, hasty) = (begin(&database, "a"), begin(&database, "b"));
        let other = database.clone();
        let hasty = spawn(move || other.commit_with(hasty, Durability::None).map(drop));
        commit_safely(&database, &disk, own);
        join(hasty).expect("nothing was read");
        assert_recovers(&database, &disk);
    });
}

/// Every sync fails from now on. Each committer is told so, and readers see what they saw.
fn fail_syncs(collections: &[&'static str], seen: &Seen) {
    let documents: Vec<_> = collections.iter().map(|name| (*name, "x", 0)).collect();
    let (database, disk) = stage(&documents);
    disk.inject(Fault::FailAll { kind: OperationKind::Sync, failure: Failure::Device });
    let (own, others) = collections.split_first().expect("somebody commits");
    let threads: Vec<_> = others
        .iter()
        .map(|&collection| {
            let (database, seen) = (database.clone(), seen.clone());
            spawn(move || fail_to_commit(&database, collection, &seen))
        })
        .collect();
    fail_to_commit(&database, own, seen);
    threads.into_iter().for_each(join);
    assert_eq!(database.snapshot().version(), Version::new(1), "published what is not safe");
}

fn fail_to_commit(database: &Database, collection: &str, seen: &Seen) {
    match increment(database, collection, "x", Durability::Always) {
        Err(Error::OutcomeUnknown { .. }) => seen.note("an unknown outcome"),
        Err(Error::ReadOnly { .. }) => seen.note("a refusal"),
        other => panic!("acknowledged without a sync, or another error: {other:?}"),
    }
    assert_eq!(database.snapshot().version(), Version::new(1), "published what is not safe");
}

#[test]
fn failing_sync_two() {
    explore(Threads::Two, &["an unknown outcome", "a refusal"], |seen| {
        fail_syncs(&["a", "b"], seen);
    });
}

#[test]
fn failing_sync_three() {
    explore(Threads::Three, &["an unknown outcome", "a refusal"], |seen| {
        fail_syncs(&COLLECTIONS, seen);
    });
}

/// A commit is in what closing leaves behind, or it is refused; nothing comes after.
#[test]
fn close_against_commit() {
    explore(Threads::Two, &["in time", "too late"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0)]);
        let (other, noted) = (database.clone(), seen.clone());
        let committer = spawn(move || match increment(&other, "a", "x", Durability::None) {
            Ok(version) => {
                noted.note("in time");
                Some(version)
            }
            Err(Error::Closed) => {
                noted.note("too late");
                None
            }
            Err(error) => panic!("{error}"),
        });
        let reader = database.clone();
        database.close().expect("the disk is in order");
        let left = reader.snapshot().version();
        assert_safe(&disk, left);
        let committed = join(committer).unwrap_or(Version::new(1));
        assert_eq!((left, reader.snapshot().version()), (committed, committed), "after the close");
        assert_recovers(&reader, &disk);
    });
}

/// A checkpoint holds a state that was published, and the log goes on from it.
#[test]
fn checkpoint_against_commit() {
    explore(Threads::Two, &["before", "after"], |seen| {
        let (database, disk) = stage(&[("a", "x", 0)]);
        let other = database.clone();
        let committer = spawn(move || increment(&other, "a", "x", Durability::None).map(drop));
        let checkpoint = database.checkpoint().expect("the disk is in order");
        assert!(checkpoint <= database.snapshot().version());
        // What the checkpoint holds is there after a power cut; the rest may be.
        let after = open(disk.crash(CrashKind::Power, 1)).snapshot();
        assert!(after.version() >= checkpoint, "a checkpoint was lost");
        join(committer).expect("nothing was read");
        seen.note(if checkpoint == Version::new(1) { "before" } else { "after" });
        assert_recovers(&database, &disk);
    });
}

/// What was promised to be safe in time is made so beside other commits. Maintenance visits the
/// mutex as often as two commits do.
#[test]
fn maintenance_against_commit() {
    explore(Threads::TwoLong, &[], |_| {
        let (database, disk) = stage(&[("a", "x", 0), ("b", "x", 0)]);
        let soon = Durability::Interval(std::time::Duration::ZERO);
        let version = increment(&database, "a", "x", soon).expect("nothing was read");
        let (other, other_disk, transaction) =
            (database.clone(), disk.clone(), begin(&database, "b"));
        let committer = spawn(move || commit_safely(&other, &other_disk, transaction));
        database.maintain().expect("the disk is in order");
        assert_safe(&disk, version);
        join(committer);
    });
}
