//! The faults of the disk in memory.

use std::{
    io::{ErrorKind, Result},
    thread,
};

use monsterdb::storage::{CrashKind, Failure, Fault, MemoryStorage, OperationKind, Storage};

fn file_with(disk: &MemoryStorage, bytes: &[u8]) -> Box<dyn monsterdb::storage::StorageFile> {
    let file = disk.create("a").expect("no faults yet");
    file.write_at(0, bytes).expect("no faults yet");
    file
}

#[test]
fn operations_are_counted_and_traced() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.create_folder("wal")?;
    let file = disk.create("wal/a.tmp")?;
    file.allocate(10)?;
    file.write_at(0, b"x")?;
    file.sync()?;
    disk.rename("wal/a.tmp", "wal/a")?;
    disk.sync_folder("wal")?;
    disk.remove("wal/a")?;
    disk.list("wal")?;
    assert_eq!(disk.operations(), 8, "reading does not count");
    let trace: Vec<String> = disk.trace().iter().map(ToString::to_string).collect();
    let expected = [
        r#"1 create_folder "wal""#,
        r#"2 create "wal/a.tmp""#,
        r#"3 allocate "wal/a.tmp""#,
        r#"4 write "wal/a.tmp""#,
        r#"5 sync "wal/a.tmp""#,
        r#"6 rename "wal/a.tmp -> wal/a""#,
        r#"7 sync_folder "wal""#,
        r#"8 remove "wal/a""#,
    ];
    assert_eq!(trace, expected);
    Ok(())
}

#[test]
fn one_operation_fails_once_and_without_effect() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"old");
    for (failure, errno) in [(Failure::Device, 5), (Failure::Full, 28)] {
        disk.inject(Fault::FailAt { operation: disk.operations() + 1, failure });
        let error = file.write_at(0, b"new").expect_err("it was told to fail");
        assert_eq!(error.raw_os_error(), Some(errno));
        assert_eq!(disk.contents("a").as_deref(), Some(&b"old"[..]));
    }
    file.write_at(0, b"new")?;
    assert_eq!(disk.contents("a").as_deref(), Some(&b"new"[..]));
    Ok(())
}

#[test]
fn half_of_a_short_write_lands() {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"oldold");
    disk.inject(Fault::ShortWrite { operation: 3 });
    assert_eq!(file.write_at(0, b"newnew").map_err(|e| e.raw_os_error()), Err(Some(5)));
    assert_eq!(disk.contents("a").as_deref(), Some(&b"newold"[..]));
}

#[test]
fn every_other_sector_of_a_torn_write_lands() {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, &[1; 2000]);
    disk.inject(Fault::TornWrite { operation: 3 });
    disk.inject(Fault::TornWrite { operation: 4 });
    assert_eq!(file.write_at(500, &[2; 1400]).map_err(|e| e.raw_os_error()), Err(Some(5)));
    assert!(file.sync().is_err(), "what is no write fails as a whole");
    let bytes = disk.contents("a").expect("it is there");
    let parts = [(2, 500..512), (1, 512..1024), (2, 1024..1536), (1, 1536..2000)];
    for (byte, range) in parts {
        assert!(bytes[range.clone()].iter().all(|b| *b == byte), "{range:?}");
    }
    assert!(bytes[..500].iter().all(|b| *b == 1));
}

#[test]
fn one_operation_of_a_kind_fails() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"x");
    file.sync()?;
    let kind = OperationKind::Sync;
    assert_eq!((disk.operations_of(kind), disk.operations_of(OperationKind::Remove)), (1, 0));
    disk.inject(Fault::FailNth { kind, nth: 3, failure: Failure::Device });
    disk.inject(Fault::FailNth { kind: OperationKind::Rename, nth: 1, failure: Failure::Full });
    file.sync()?;
    assert_eq!(disk.met(), []);
    let error = disk.rename("a", "b").expect_err("it was told to fail");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    disk.rename("a", "b")?;
    assert!(file.sync().is_err(), "the third one");
    file.sync()?;
    let met = disk.met();
    assert!(
        matches!(
            met[..],
            [
                Fault::FailNth { kind: OperationKind::Rename, .. },
                Fault::FailNth { kind: OperationKind::Sync, .. }
            ]
        ),
        "{met:?}"
    );
    Ok(())
}

#[test]
fn a_kind_of_operation_fails_until_the_fault_is_taken_back() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"x");
    disk.inject(Fault::FailAll { kind: OperationKind::Allocate, failure: Failure::Full });
    for _ in 0..2 {
        let error = file.allocate(10).expect_err("the disk is full");
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }
    file.sync()?;
    disk.clear_faults();
    file.allocate(10)
}

#[test]
fn room_runs_out_and_comes_back() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.set_capacity(Some(100));
    let file = disk.create("a")?;
    file.allocate(80)?;
    file.write_at(0, &[1; 80])?;
    let error = file.write_at(70, &[2; 40]).expect_err("110 bytes do not fit");
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(file.len()?, 80);
    let other = disk.create("b")?;
    assert!(other.allocate(30).is_err());
    disk.remove("a")?;
    assert!(other.allocate(30).is_err(), "a handle keeps the room");
    drop(file);
    other.allocate(30)
}

#[test]
fn nothing_has_an_effect_after_the_crash() {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"old");
    disk.inject(Fault::CrashAt { operation: 4 });
    file.write_at(3, b"!").expect("the operation before the crash");
    assert!(disk.rename("a", "b").is_err());
    assert!(file.write_at(0, b"new").is_err());
    assert!(file.sync().is_err());
    assert!(file.len().is_err() && disk.open("a").is_err(), "the process is gone");
    disk.clear_faults();
    assert!(disk.create("c").is_err(), "it does not come back");
    let after = disk.crash(CrashKind::Process, 0);
    assert_eq!(after.names(), ["a"]);
    assert_eq!(after.contents("a").as_deref(), Some(&b"old!"[..]));
    after.create("c").expect("another process begins without faults");
}

#[test]
fn a_write_that_crashes_is_partly_done_in_some_runs() {
    let landed = |operation: u64| {
        let disk = MemoryStorage::new();
        let file = disk.create("a").expect("no faults yet");
        (2..operation).for_each(|_| file.sync().expect("no faults yet"));
        disk.inject(Fault::CrashAt { operation });
        assert!(file.write_at(0, &[1; 10]).is_err());
        disk.contents("a").map_or(0, |bytes| bytes.len())
    };
    let lengths: Vec<usize> = (2..80).map(landed).collect();
    assert!((0..=10).all(|length| lengths.contains(&length)), "{lengths:?}");
}

#[test]
fn held_syncs_wait_and_nothing_else_does() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file_with(&disk, b"old");
    disk.sync_folder("")?;
    disk.hold_syncs();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| disk.open("a")?.sync());
        disk.wait_for_held_sync();
        assert!(!waiting.is_finished());
        // Written after the sync began, so it makes no promise for it.
        file.write_at(0, b"new")?;
        assert_eq!(disk.contents("a").as_deref(), Some(&b"new"[..]));
        disk.release_syncs();
        waiting.join().expect("it does not panic")
    })?;
    let found = |seed| disk.crash(CrashKind::Power, seed).contents("a");
    let old = (0..100).any(|seed| found(seed).as_deref() == Some(&b"old"[..]));
    assert!(old, "the sync covers what was there when it began");
    Ok(())
}
