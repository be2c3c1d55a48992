//! What is damaged is not restored.

use std::{
    fs,
    path::{Path, PathBuf},
};

use monsterdb::{
    Error,
    database::{unpack_tar, verify},
    storage::{Access, MemoryStorage},
};

use super::{dice::Dice, open, restored, storage, write_all};

/// Bytes of each file that are changed, one after the other.
const BYTES: u64 = 12;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.retain(|path| !path.ends_with("LOCK"));
    found
}

#[test]
fn a_backup_with_a_changed_byte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..60);
    db.checkpoint().unwrap();
    write_all(&db, 1, 60..70);
    let backup = folder.path().join("backup");
    db.backup().unwrap().write_into(&storage(&backup, Access::Write), |_| {}).unwrap();
    verify(&storage(&backup, Access::Read)).unwrap();
    let mut dice = Dice::new(3);
    let files = files(&backup);
    let deltas = files.iter().filter(|path| path.to_string_lossy().contains(".delta."));
    assert!(deltas.count() > 0, "what changed is a file of its own: {files:?}");
    // An index's file is no more than a help: one that is of no use is built anew.
    for path in files.iter().filter(|path| !path.starts_with(backup.join("indexes"))) {
        let whole = fs::read(path).unwrap();
        for _ in 0..BYTES {
            let mut bytes = whole.clone();
            let place = dice.below(bytes.len() as u64) as usize;
            bytes[place] ^= 1;
            fs::write(path, &bytes).unwrap();
            let refused = restored(folder.path(), &backup, None);
            assert!(matches!(refused, Err(Error::Damaged(_))), "{path:?}, byte {place}");
        }
        fs::remove_file(path).unwrap();
        assert!(restored(folder.path(), &backup, None).is_err(), "{path:?} is not there");
        fs::write(path, whole).unwrap();
    }
    restored(folder.path(), &backup, None).unwrap();
}

#[test]
fn an_archive_that_ends_early_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..50);
    let mut tar = Vec::new();
    db.backup().unwrap().write_tar(monsterdb::Version::ZERO, &mut tar).unwrap();
    // Two blocks of zeros end it.
    let content = tar.len() - 1024;
    for end in (0..content).step_by(509) {
        let target = MemoryStorage::new();
        let unpacked = unpack_tar(&mut &tar[..end], &target);
        assert!(unpacked.is_err(), "{end} of {content} bytes");
    }
    let target = MemoryStorage::new();
    unpack_tar(&mut &*tar, &target).unwrap();
    verify(&target).unwrap();
}

/// A file of the database that was damaged since it was written does not get into a backup.
#[test]
fn damage_is_noticed_when_the_backup_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    write_all(&db, 0, 0..50);
    db.checkpoint().unwrap();
    for path in files(&folder.path().join("data/collections")) {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let backup = db.backup().unwrap();
    let target = MemoryStorage::new();
    assert!(matches!(backup.write_into(&target, |_| {}), Err(Error::Damaged(_))));
    assert!(backup.write_tar(monsterdb::Version::ZERO, &mut Vec::new()).is_err());
    assert!(verify(&target).is_err(), "what was begun is no backup");
}
