//! The archive of the log leads from a backup to every version after it.

use monsterdb::{Database, Error, Version, storage::Access};

use super::{dice::Dice, open, restored, storage, write, write_all};

/// Versions that are restored.
const VERSIONS: usize = 20;

#[test]
fn every_version_after_a_backup_can_be_restored() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let backup = folder.path().join("backup");
    let mut db = open(folder.path());
    let mut states = Vec::new();
    for number in 0..400 {
        write(&db, 0, number);
        states.push(db.snapshot());
        match number {
            100 => {
                let target = storage(&backup, Access::Write);
                db.backup().unwrap().write_into(&target, |_| {}).unwrap();
            }
            // What a checkpoint covers is removed, and so is only in the archive.
            150 | 330 => drop(db.checkpoint().unwrap()),
            250 => {
                db.close().unwrap();
                db = open(folder.path());
            }
            _ => {}
        }
    }
    let last = db.snapshot().version();
    db.close().unwrap();
    let first = std::fs::read_dir(data.join("wal")).unwrap().count();
    let archived = std::fs::read_dir(folder.path().join("archive/wal")).unwrap().count();
    assert!(first < archived, "{first} segments are left of {archived}");

    let begin = restored(folder.path(), &backup, None).unwrap().0.version;
    let mut dice = Dice::new(17);
    let mut versions: Vec<u64> =
        (0..VERSIONS - 2).map(|_| begin + dice.below(last.get() - begin)).collect();
    versions.extend([begin, last.get()]);
    for version in versions {
        let (told, snapshot) = restored(folder.path(), &backup, Some(version)).unwrap();
        assert_eq!((told.backup, told.version), (begin, version));
        assert_eq!(told.records, version - begin);
        let then = states.iter().find(|state| state.version() == Version::new(version)).unwrap();
        assert_eq!(snapshot, *then, "version {version}");
    }
    for version in [begin - 1, last.get() + 1] {
        let refused = restored(folder.path(), &backup, Some(version));
        let Err(Error::OutOfReach { first, last: end, .. }) = refused else {
            panic!("version {version}: {refused:?}")
        };
        assert_eq!((first, end), (Version::new(begin), last));
    }
}

/// A database directory is an archive of what its log holds.
#[test]
fn a_data_directory_serves_as_its_own_archive() {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::open(folder.path().join("archive")).unwrap();
    write(&db, 0, 1);
    let backup = folder.path().join("backup");
    db.backup().unwrap().write_into(&storage(&backup, Access::Write), |_| {}).unwrap();
    write_all(&db, 0, 2..30);
    let last = db.snapshot();
    let (_, snapshot) = restored(folder.path(), &backup, Some(last.version().get())).unwrap();
    assert_eq!(snapshot, last);
}
