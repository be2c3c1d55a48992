//! What is kept of the log for those who follow, and what they meet where it is not.

use std::sync::Arc;

use monsterdb::{
    Database, Error, Version,
    database::CheckReport,
    storage::{MemoryStorage, Storage},
};

use crate::{
    lines, put,
    workload::{depth, options},
};

/// Segments of 4 KiB, of which so many bytes are kept behind a checkpoint.
fn database(storage: &MemoryStorage, kept: u64) -> Database {
    options().feed_retain_bytes(kept).open_in(Arc::new(storage.clone())).unwrap()
}

/// So many commits, of which about three fill a segment.
fn commit(db: &Database, count: u64) {
    commit_of(db, count, 1000);
}

/// So many commits of so many bytes.
fn commit_of(db: &Database, count: u64, bytes: usize) {
    let text = format!(r#"{{"pad":"{}"}}"#, "x".repeat(bytes));
    for _ in 0..count {
        let n = db.snapshot().version().get() % 7;
        put(
            db,
            "c",
            &n.to_string(),
            &text.replace("pad", &format!("n{}", db.snapshot().version())),
        );
    }
}

/// The oldest version that can be asked for.
fn oldest(db: &Database) -> u64 {
    match db.changes(Version::ZERO) {
        Ok(_) => 0,
        Err(Error::ChangesGone { since: Version::ZERO, oldest }) => oldest.get(),
        Err(error) => panic!("{error}"),
    }
}

fn segments(storage: &MemoryStorage) -> Vec<String> {
    let mut names = storage.list("wal").unwrap();
    names.retain(|name| name.ends_with(".ndjson"));
    names
}

#[test]
fn checkpoints_keep_what_the_setting_says_and_the_oldest_go_first() {
    for kept in 0..4 {
        let storage = MemoryStorage::new();
        let db = database(&storage, kept * 4096);
        commit(&db, 30);
        let before = segments(&storage);
        assert!(before.len() > 8, "{before:?}");
        assert_eq!(oldest(&db), 0);
        db.checkpoint().unwrap();
        let after = segments(&storage);
        assert_eq!(after.len() as u64, kept + 1, "of {before:?} are left {after:?}");
        let begins = oldest(&db);
        assert!(begins > 0);
        assert_eq!(lines(&db, begins).len() as u64, 30 - begins);
        for since in [0, begins - 1] {
            let error = db.changes(Version::new(since)).err().unwrap();
            let Error::ChangesGone { since: asked, oldest } = error else { panic!("{error}") };
            assert_eq!((asked.get(), oldest.get()), (since, begins));
        }
        // A checkpoint is all that an opening needs; the rest is for the feed.
        drop(db);
        let db = database(&storage, kept * 4096);
        assert_eq!(db.status().recovery.replayed, 0);
        assert_eq!(CheckReport::of(&storage).unwrap().damage, []);
        assert_eq!(lines(&db, begins).len() as u64, 30 - begins);
    }
}

#[test]
fn one_who_reads_while_segments_go_gets_the_right_changes_or_the_horizon() {
    let mut behind = 0;
    for taken in 0..25 {
        let storage = MemoryStorage::new();
        let db = database(&storage, 100_000);
        // One look takes three of them.
        commit_of(&db, 25, 30_000);
        let mut changes = db.changes(Version::ZERO).unwrap();
        for expected in 1..=taken {
            assert_eq!(changes.try_next().unwrap().unwrap().version.get(), expected);
        }
        db.checkpoint().unwrap();
        let mut expected = taken + 1;
        loop {
            match changes.try_next() {
                Ok(None) => break assert_eq!(expected, 26),
                Ok(Some(change)) => assert_eq!(change.version.get(), expected),
                Err(Error::ChangesGone { since, oldest: begins }) => {
                    assert_eq!(since.get(), expected - 1);
                    assert!(begins > since && begins.get() == oldest(&db));
                    behind += 1;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
            expected += 1;
        }
    }
    assert!((5..25).contains(&behind), "{behind} of 25 were behind the horizon");
}

#[test]
fn a_segment_that_is_missing_within_the_log_is_damage() {
    let storage = MemoryStorage::new();
    let db = database(&storage, u64::MAX);
    commit(&db, 20);
    db.checkpoint().unwrap();
    let names = segments(&storage);
    let mut numbers: Vec<u64> =
        names.iter().map(|name| name.strip_suffix(".ndjson").unwrap().parse().unwrap()).collect();
    numbers.sort_unstable();
    storage.remove(&format!("wal/{}.ndjson", numbers[2])).unwrap();
    let mut changes = db.changes(Version::ZERO).unwrap();
    for expected in 1..numbers[2] {
        assert_eq!(changes.try_next().unwrap().unwrap().version.get(), expected);
    }
    let Err(Error::Damaged(damage)) = changes.try_next() else { panic!("a gap goes unnoticed") };
    assert_eq!(damage.file, format!("wal/{}.ndjson", numbers[1]));
    assert_eq!(damage.version, Some(Version::new(numbers[2])));
    assert_eq!(changes.try_next().unwrap(), None, "it has ended");
}

#[test]
fn a_damaged_record_is_named() {
    let storage = MemoryStorage::new();
    let db = database(&storage, u64::MAX);
    commit(&db, 9);
    let text = storage.contents("wal/1.ndjson").unwrap();
    let place = text.windows(8).position(|bytes| bytes == b"\"seq\":2,").unwrap();
    storage.alter("wal/1.ndjson", place as u64 + 30, 1).unwrap();
    let mut changes = db.changes(Version::ZERO).unwrap();
    // The records before it in the same look are given out.
    let error = std::iter::from_fn(|| changes.try_next().transpose()).find_map(Result::err);
    let Some(Error::Damaged(damage)) = error else { panic!("{error:?}") };
    assert_eq!((damage.file.as_str(), damage.version), ("wal/1.ndjson", Some(Version::new(2))));
}

/// What stands behind a cut never comes back, here neither: the new record of that number counts.
#[test]
fn records_behind_a_cut_are_not_given_out() {
    let storage = MemoryStorage::new();
    let db = database(&storage, u64::MAX);
    commit(&db, 3);
    let bytes = storage.contents("wal/1.ndjson").unwrap();
    let cut = bytes.windows(8).position(|bytes| bytes == b"\"seq\":2,").unwrap();
    let image = storage.crash(monsterdb::storage::CrashKind::Process, 0);
    // Of the three records the second is torn, and was never acknowledged.
    let mut torn = bytes;
    torn[cut + 40] ^= 1;
    let text = String::from_utf8(torn.clone()).unwrap();
    assert!(text.contains(r#""seq":3"#) || segments(&storage).len() > 1);
    image.plant("wal/1.ndjson", &torn).unwrap();
    for name in segments(&image).iter().filter(|name| *name != "1.ndjson") {
        image.remove(&format!("wal/{name}")).unwrap();
    }
    let Ok(db) = options().open_in(Arc::new(image.clone())) else {
        // The third record says that the second was safe.
        return;
    };
    assert_eq!(db.snapshot().version().get(), 1);
    put(&db, "other", "x", "{}");
    let seen = lines(&db, 0);
    assert_eq!(seen.len(), 2);
    assert!(seen[1].starts_with("2: create other"), "{seen:?}");
}

/// Names that a power cut brings back would leave a hole, were the removals not made sure of one by
/// one.
#[test]
fn after_a_power_cut_the_log_that_is_kept_has_no_hole() {
    let (mut images, mut lost) = (0, 0);
    for seed in 0..60 * depth() {
        let storage = MemoryStorage::new();
        let db = database(&storage, 4096);
        commit(&db, 30);
        let operations = storage.operations();
        db.checkpoint().unwrap();
        let all = storage.operations() - operations;
        drop(db);
        // The same again, up to an operation of the checkpoint.
        let storage = MemoryStorage::new();
        let db = database(&storage, 4096);
        commit(&db, 30);
        let operation = storage.operations() + 1 + seed % all;
        storage.inject(monsterdb::storage::Fault::CrashAt { operation });
        // It fails, or what it did not do any more does not matter to it.
        let _ = db.checkpoint();
        drop(db);
        let image = storage.crash(monsterdb::storage::CrashKind::Power, seed);
        let db = database(&image, 4096);
        let begins = oldest(&db);
        let versions: Vec<u64> = {
            let mut changes = db.changes(Version::new(begins)).unwrap();
            std::iter::from_fn(|| changes.try_next().unwrap())
                .map(|change| change.version.get())
                .collect()
        };
        assert_eq!(versions, (begins + 1..=30).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(CheckReport::of(&image).unwrap().damage, [], "seed {seed}");
        images += 1;
        lost += u64::from(begins > 0);
    }
    assert!(lost > 5 && lost < images, "{lost} of {images} had lost segments");
}

/// A database without files keeps a part of its log, and it does not grow.
#[test]
fn in_memory_the_oldest_go_by_themselves() {
    let db = Database::in_memory();
    let text = format!(r#"{{"pad":"{}"}}"#, "x".repeat(100_000));
    for n in 0..200 {
        put(&db, "c", &(n % 3).to_string(), &text.replace("pad", &format!("n{n}")));
    }
    let begins = oldest(&db);
    assert!((80..160).contains(&begins), "20 MB were written, and those after {begins} are kept");
    assert_eq!(lines(&db, begins).len() as u64, 200 - begins);
}
