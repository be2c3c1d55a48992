//! What every storage does. Each test runs on a directory and on the disk in memory.

use std::io::{ErrorKind, Result};

use monsterdb::storage::{Access, FileStorage, MemoryStorage, Storage, read_all, replace_file};

/// Runs a test on every kind of storage that keeps bytes.
fn on_each(test: fn(&dyn Storage) -> Result<()>) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let files = FileStorage::open(directory.path(), Access::Write).expect("nobody holds it");
    // LOCK is in the way of comparing names in the root, so tests list folders.
    test(&files)?;
    test(&MemoryStorage::new())
}

fn write(storage: &dyn Storage, name: &str, bytes: &[u8]) -> Result<()> {
    storage.create(name)?.write_at(0, bytes)
}

#[test]
fn what_is_written_is_read() -> Result<()> {
    on_each(|storage| {
        let file = storage.create("a")?;
        file.write_at(3, b"def")?;
        file.write_at(0, b"ab")?;
        assert_eq!(file.len()?, 6);
        assert_eq!(read_all(storage, "a")?, b"ab\0def");
        let mut buffer = [9; 8];
        assert_eq!(file.read_at(4, &mut buffer)?, 2, "fewer only at the end");
        assert_eq!(&buffer[..2], b"ef");
        assert_eq!(file.read_at(100, &mut buffer)?, 0);
        file.sync()?;
        storage.sync_folder("")
    })
}

#[test]
fn allocated_room_is_zeros() -> Result<()> {
    on_each(|storage| {
        let file = storage.create("a")?;
        file.write_at(0, b"something, and more of it")?;
        file.allocate(10)?;
        assert_eq!(read_all(storage, "a")?, [0; 10]);
        file.allocate(300_000)?;
        file.write_at(5, b"x")?;
        let bytes = read_all(storage, "a")?;
        assert_eq!((file.len()?, bytes.len()), (300_000, 300_000));
        assert!(bytes.iter().enumerate().all(|(at, &byte)| byte == if at == 5 { b'x' } else { 0 }));
        Ok(())
    })
}

#[test]
fn renaming_replaces_the_whole_file_and_handles_stay_good() -> Result<()> {
    on_each(|storage| {
        write(storage, "old", b"old")?;
        let old = storage.open("old")?;
        let new = storage.create("new")?;
        storage.rename("new", "old")?;
        new.write_at(0, b"newer")?;
        assert_eq!(read_all(storage, "old")?, b"newer");
        assert_eq!(old.len()?, 3, "who had it open still sees the old file");
        assert_eq!(storage.open("new").err().map(|e| e.kind()), Some(ErrorKind::NotFound));
        Ok(())
    })
}

#[test]
fn creating_takes_the_name_and_leaves_the_old_file_to_its_handles() -> Result<()> {
    on_each(|storage| {
        write(storage, "a", b"old")?;
        let old = storage.open("a")?;
        let new = storage.create("a")?;
        assert_eq!((old.len()?, new.len()?), (3, 0));
        storage.remove("a")?;
        assert_eq!((old.len()?, new.len()?), (3, 0), "removed files live as long as handles");
        Ok(())
    })
}

#[test]
fn folders_list_their_files_in_order() -> Result<()> {
    on_each(|storage| {
        storage.create_folder("wal")?;
        storage.create_folder("wal")?;
        storage.create_folder("wal/old")?;
        for name in ["wal/b", "wal/a", "wal/old/c"] {
            storage.create(name)?;
        }
        assert_eq!(storage.list("wal")?, ["a", "b"]);
        assert_eq!(storage.list("wal/old")?, ["c"]);
        storage.remove("wal/a")?;
        assert_eq!(storage.list("wal")?, ["b"]);
        Ok(())
    })
}

#[test]
fn what_is_not_there_is_not_found() -> Result<()> {
    on_each(|storage| {
        let kinds = [
            storage.list("wal").err(),
            storage.open("a").err(),
            storage.create("wal/a").err(),
            storage.create_folder("wal/old").err(),
            storage.rename("a", "b").err(),
            storage.remove("a").err(),
            storage.sync_folder("wal").err(),
        ]
        .map(|error| error.map(|e| e.kind()));
        assert_eq!(kinds, [Some(ErrorKind::NotFound); 7]);
        Ok(())
    })
}

#[test]
fn what_makes_no_sense_is_refused() -> Result<()> {
    on_each(|storage| {
        storage.create_folder("wal")?;
        write(storage, "a", b"a")?;
        let across = storage.rename("a", "wal/a").expect_err("two folders are two syncs");
        assert_eq!(across.kind(), ErrorKind::InvalidInput);
        assert!(storage.create("wal").is_err(), "a folder is no file");
        assert!(storage.remove("wal").is_err());
        assert!(storage.create_folder("a").is_err(), "a file is no folder");
        assert!(storage.open("a")?.write_at(0, b"b").is_err(), "opened for reading");
        assert_eq!(read_all(storage, "a")?, b"a");
        Ok(())
    })
}

#[test]
fn a_file_is_replaced_in_its_folder() -> Result<()> {
    on_each(|storage| {
        storage.create_folder("c")?;
        replace_file(storage, "c/f", b"one")?;
        replace_file(storage, "c/f", b"two")?;
        assert_eq!(read_all(storage, "c/f")?, b"two");
        assert_eq!(storage.list("c")?, ["f"], "no temporary file stays");
        Ok(())
    })
}
