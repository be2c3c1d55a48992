//! What only a real directory has: paths, permissions, and readers that write nothing.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use monsterdb::{
    Error,
    storage::{Access, FileStorage, Storage, read_all},
};

fn open(path: &Path, access: Access) -> monsterdb::Result<FileStorage> {
    FileStorage::open(path, access)
}

#[test]
fn a_writer_makes_the_directory_and_those_above() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("a/b/data");
    let storage = open(&path, Access::Write).expect("it can be made");
    assert_eq!(storage.path("wal/1.ndjson"), path.join("wal/1.ndjson"));
    assert_eq!(storage.list("").expect("it is there"), ["LOCK"]);
}

#[test]
fn a_file_is_no_data_directory() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("data");
    fs::write(&path, "x").expect("the parent is writable");
    for access in [Access::Write, Access::Read] {
        match open(&path, access) {
            Err(Error::Io { path: named, source, .. }) => {
                assert_eq!((named, source.kind()), (path.clone(), ErrorKind::NotADirectory));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let read_only = fs::Permissions::from_mode(0o555);
    fs::set_permissions(directory.path(), read_only).expect("it is ours");
    // Permissions do not bind the superuser, whom containers like to run tests as.
    let bound = fs::write(directory.path().join("probe"), "").is_err();
    let opened = open(directory.path(), Access::Write);
    assert_eq!(opened.is_err(), bound);
    assert!(!bound || matches!(opened, Err(Error::Io { .. })));
    drop(opened);
    assert!(open(directory.path(), Access::Read).is_ok(), "a reader needs no permission to write");
}

#[test]
fn a_reader_changes_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::write(directory.path().join("a"), "a").expect("it is ours");
    let storage = open(directory.path(), Access::Read).expect("nobody holds it");
    assert_eq!(read_all(&storage, "a").expect("it is there"), b"a");
    let refused = [
        storage.create("b").err(),
        storage.create_folder("b").err(),
        storage.rename("a", "b").err(),
        storage.remove("a").err(),
        storage.sync_folder("").err(),
    ]
    .map(|error| error.map(|e| e.kind()));
    assert_eq!(refused, [Some(ErrorKind::PermissionDenied); 5]);
    assert_eq!(storage.list("").expect("it is there"), ["a"], "no LOCK either");
}

#[test]
fn a_reader_does_not_make_the_directory() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("data");
    assert!(matches!(open(&path, Access::Read), Err(Error::Io { .. })));
    assert!(!path.exists());
}

#[test]
fn names_cannot_lead_out_of_the_directory() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    fs::write(parent.path().join("secret"), "s").expect("it is ours");
    let storage = open(&parent.path().join("data"), Access::Write).expect("it can be made");
    let absolute = parent.path().join("secret").display().to_string();
    for name in ["../secret", "a/../../secret", absolute.as_str()] {
        let kind = storage.open(name).err().map(|e| e.kind());
        assert_eq!(kind, Some(ErrorKind::InvalidInput), "{name}");
        assert!(storage.remove(name).is_err(), "{name}");
    }
    assert!(parent.path().join("secret").exists());
}

/// A device that knows no sync refuses one, and so shows that it was asked.
#[test]
fn syncs_reach_the_operating_system() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    symlink("/dev/null", directory.path().join("device")).expect("it is ours");
    let storage = open(directory.path(), Access::Write).expect("nobody holds it");
    let device = storage.open("device").expect("it is there");
    assert!(device.sync().is_err(), "the sync of a file");
    assert!(storage.sync_folder("device").is_err(), "the sync of a folder");
}
