//! Log segments that are lost, renamed, or proved whole by nothing but the next one's name. What is
//! missing is told as missing: a state put together from the rest is never served.

use monsterdb::{
    Damage, Error, Version,
    storage::{CrashKind, MemoryStorage, Storage},
};

use crate::workload::{Run, open, script};

/// Two records to a segment.
const WORK: &str = "
    always: put a/1 1500
    always: put a/2 1500
    always: put a/3 1500
    always: put a/4 1500
    always: put a/5 1500
    always: put a/6 1500
";

/// The same, and nothing asks for a sync: only beginning a segment makes the one before it safe.
const UNSYNCED: &str = "
    none: put a/1 1500
    none: put a/2 1500
    none: put a/3 1500
";

fn after(work: &str) -> MemoryStorage {
    let storage = MemoryStorage::new();
    let mut run = Run::open(&storage).unwrap();
    for step in script(work) {
        run.step(&step).unwrap();
    }
    storage.crash(CrashKind::Process, 0)
}

fn firsts(storage: &MemoryStorage) -> Vec<u64> {
    let number = |n: &String| n.strip_prefix("wal/")?.strip_suffix(".ndjson")?.parse().ok();
    let mut firsts: Vec<u64> = storage.names().iter().filter_map(number).collect();
    firsts.sort_unstable();
    firsts
}

fn name(first: u64) -> String {
    format!("wal/{first}.ndjson")
}

fn damage(storage: &MemoryStorage) -> Damage {
    match open(storage) {
        Err(Error::Damaged(damage)) => *damage,
        other => panic!("{:?} are taken for a database: {other:?}", storage.names()),
    }
}

#[test]
fn a_renamed_one_is_refused() {
    let whole = after(WORK);
    let firsts = firsts(&whole);
    assert_eq!(firsts, [1, 3, 5]);
    for first in &firsts {
        // No segment has the number 0.
        for other in [first - 1, first + 1].into_iter().filter(|other| *other > 0) {
            let storage = whole.crash(CrashKind::Process, 0);
            storage.rename(&name(*first), &name(other)).unwrap();
            let damage = damage(&storage);
            assert_eq!((damage.file.as_str(), damage.offset), (&*name(other), 0), "{first}");
            let expected = format!("the head names {first} as its first record");
            assert!(damage.to_string().contains(&expected), "{damage}");
        }
    }
}

#[test]
fn the_first_one_is_lost() {
    let storage = after(WORK);
    storage.remove(&name(1)).unwrap();
    let damage = damage(&storage);
    assert!(damage.to_string().contains("the segment is missing"), "{damage}");
    assert_eq!(damage.version.map(Version::get), Some(1));
}

#[test]
fn the_last_one_is_lost() {
    let storage = after(WORK);
    // The manifest that opening writes says how far the log is safe.
    let _reopened = open(&storage).unwrap();
    let storage = storage.crash(CrashKind::Process, 0);
    for first in firsts(&storage).into_iter().filter(|first| *first >= 5) {
        storage.remove(&name(first)).unwrap();
    }
    let damage = damage(&storage);
    assert!(damage.to_string().contains("was acknowledged"), "{damage}");
}

#[test]
fn a_name_proves_what_is_before_it() {
    let whole = after(UNSYNCED);
    assert_eq!(firsts(&whole), [1, 3]);
    let bytes = whole.contents(&name(1)).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let storage = whole.crash(CrashKind::Process, 0);
    storage.alter(&name(1), end as u64 - 5, 1).unwrap();
    let damage = damage(&storage);
    assert_eq!((damage.file.as_str(), damage.version.map(Version::get)), (&*name(1), Some(2)));
    // In the last segment the same is a torn tail: nothing proves that it was whole.
    let bytes = whole.contents(&name(3)).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    whole.alter(&name(3), end as u64 - 5, 1).unwrap();
    let db = open(&whole).unwrap();
    assert_eq!(db.snapshot().version().get(), 2);
    assert!(db.status().recovery.cut.is_some());
}
