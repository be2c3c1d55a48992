//! Where a backup is written: an empty directory, one with an earlier backup, an archive, and what
//! is refused.

use monsterdb::{
    Database, Error, Snapshot, Version,
    database::unpack_tar,
    storage::{Access, CrashKind, Fault, MemoryStorage},
};

use super::{open, restored, storage, write, write_all};

#[test]
fn a_second_backup_writes_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let target = folder.path().join("backup");
    (0..4).for_each(|writer| write_all(&db, writer, 0..400));
    let first = db.backup().unwrap().write_into(&storage(&target, Access::Write), |_| {}).unwrap();
    assert_eq!((first.files_kept, first.bytes_kept), (0, 0));
    write(&db, 0, 400);
    let mut seen = Vec::new();
    let backup = db.backup().unwrap();
    let second =
        backup.write_into(&storage(&target, Access::Write), |bytes| seen.push(bytes)).unwrap();
    let written = second.bytes - second.bytes_kept;
    assert!(second.files_kept > 0 && written * 10 < second.bytes, "{second:?}");
    assert!(seen.is_sorted() && seen.last() == Some(&backup.bytes()), "{seen:?}");
    assert_eq!(restored(folder.path(), &target, None).unwrap().1, db.snapshot());
}

#[test]
fn an_archive_holds_what_a_directory_holds() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..100);
    let mut tar = Vec::new();
    let backup = db.backup().unwrap();
    backup.write_tar(Version::ZERO, &mut tar).unwrap();
    let target = folder.path().join("unpacked");
    let version = unpack_tar(&mut &*tar, &storage(&target, Access::Write)).unwrap();
    assert_eq!(version, backup.version());
    assert_eq!(restored(folder.path(), &target, None).unwrap().1, db.snapshot());
}

/// A server sends what has changed since the version that a directory has.
#[test]
fn an_archive_may_leave_out_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    (0..4).for_each(|writer| write_all(&db, writer, 0..400));
    let target = storage(&folder.path().join("backup"), Access::Write);
    let (mut whole, mut rest) = (Vec::new(), Vec::new());
    let backup = db.backup().unwrap();
    backup.write_tar(Version::ZERO, &mut whole).unwrap();
    let earlier = unpack_tar(&mut &*whole, &target).unwrap();
    write(&db, 0, 400);
    db.backup().unwrap().write_tar(earlier, &mut rest).unwrap();
    assert!(rest.len() * 4 < whole.len(), "{} of {} bytes", rest.len(), whole.len());
    // Where it is not there, nothing is made of it.
    let empty = storage(&folder.path().join("empty"), Access::Write);
    let told = unpack_tar(&mut &*rest, &empty);
    assert!(matches!(told, Err(Error::Damaged(_))), "{told:?}");
    let other = open_other(&folder.path().join("other"));
    let others = storage(&folder.path().join("a backup of another"), Access::Write);
    other.backup().unwrap().write_into(&others, |_| {}).unwrap();
    let told = unpack_tar(&mut &*rest, &others);
    assert!(matches!(told, Err(Error::Damaged(_))), "{told:?}");
    whole.clear();
    db.backup().unwrap().write_tar(Version::ZERO, &mut whole).unwrap();
    let told = unpack_tar(&mut &*whole, &others);
    assert!(matches!(told, Err(Error::Io { .. })), "{told:?}");
    drop(others);
    let others = folder.path().join("a backup of another");
    assert_eq!(restored(folder.path(), &others, None).unwrap().1, other.snapshot());

    assert_eq!(unpack_tar(&mut &*rest, &target).unwrap(), db.snapshot().version());
    drop(target);
    let target = folder.path().join("backup");
    assert_eq!(restored(folder.path(), &target, None).unwrap().1, db.snapshot());
}

/// A database with files of the same names and other contents.
fn open_other(path: &std::path::Path) -> Database {
    std::fs::create_dir(path).unwrap();
    let other = open(path);
    (0..4).for_each(|writer| write_all(&other, writer + 7, 0..400));
    other
}

#[test]
fn a_backup_destroys_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..30);
    let backup = db.backup().unwrap();
    let refused = |path: &str| {
        let target = storage(&folder.path().join(path), Access::Write);
        let told = backup.write_into(&target, |_| {});
        assert!(matches!(told, Err(Error::Io { .. })), "{path}: {told:?}");
    };

    let other = Database::open(folder.path().join("a database")).unwrap();
    write_all(&other, 1, 0..90);
    let snapshot = other.snapshot();
    other.close().unwrap();
    refused("a database");
    assert_eq!(Database::open(folder.path().join("a database")).unwrap().snapshot(), snapshot);

    // It has files of the same names and other contents.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let other = open(&other);
    write_all(&other, 2, 0..30);
    let target = folder.path().join("a backup of another");
    other.backup().unwrap().write_into(&storage(&target, Access::Write), |_| {}).unwrap();
    refused("a backup of another");
    assert_eq!(restored(folder.path(), &target, None).unwrap().1, other.snapshot());

    let target = folder.path().join("files");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("mine.txt"), "mine").unwrap();
    refused("files");
    let target = storage(&folder.path().join("a database"), Access::Write);
    let backup = storage(&folder.path().join("a backup of another"), Access::Read);
    let told = monsterdb::database::restore(&backup, None, None, &target);
    assert!(matches!(told, Err(Error::Io { .. })), "{told:?}");
}

/// Whatever a power cut leaves of the second backup, the target holds the first one or the second.
#[test]
fn a_power_cut_leaves_one_backup_or_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..60);
    let first = db.backup().unwrap();
    let states = [first.version(), db.checkpoint().unwrap()];
    assert_eq!(states[0], states[1]);
    let before = db.snapshot();
    let base = MemoryStorage::new();
    first.write_into(&base, |_| {}).unwrap();
    write_all(&db, 1, 60..64);
    let (second, after) = (db.backup().unwrap(), db.snapshot());
    let mut tar = Vec::new();
    second.write_tar(first.version(), &mut tar).unwrap();
    cut(&base, [&before, &after], |target| second.write_into(target, |_| {}).map(drop));
    cut(&base, [&before, &after], |target| unpack_tar(&mut &*tar, target).map(drop));
}

/// Writes a backup into copies of `base`, and cuts the power at each operation.
fn cut(
    base: &MemoryStorage,
    [before, after]: [&Snapshot; 2],
    write: impl Fn(&MemoryStorage) -> monsterdb::Result<()>,
) {
    let copy = || base.crash(CrashKind::Process, 0);
    let whole = copy();
    let begun = whole.operations();
    write(&whole).unwrap();
    let (mut old, mut new) = (0, 0);
    for operation in 1..=whole.operations() - begun {
        let target = copy();
        target.inject(Fault::CrashAt { operation: begun + operation });
        assert!(write(&target).is_err(), "operation {operation}");
        for seed in 0..8 {
            let image = target.crash(CrashKind::Power, seed);
            let opened = Database::builder().background(false).open_in(std::sync::Arc::new(image));
            let state = opened.unwrap().snapshot();
            match *state == *before {
                true => old += 1,
                false => {
                    assert_eq!(*state, *after, "operation {operation}, seed {seed}");
                    new += 1;
                }
            }
        }
    }
    assert!(old > 0 && new > 0, "{old} images hold the first, {new} the second");
}
