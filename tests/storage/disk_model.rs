//! What the disk in memory keeps over a crash, and what it may lose.

use std::{collections::BTreeSet, io::Result};

use monsterdb::storage::{
    CrashKind, Failure, Fault, MemoryStorage, OperationKind, Storage, StorageFile,
};

/// The different contents of a file after many power cuts.
fn outcomes(disk: &MemoryStorage, name: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..400).map(|seed| disk.crash(CrashKind::Power, seed).contents(name)).collect()
}

/// The different lists of names after many power cuts.
fn names(disk: &MemoryStorage) -> BTreeSet<Vec<String>> {
    (0..400).map(|seed| disk.crash(CrashKind::Power, seed).names()).collect()
}

/// A file whose name is safe.
fn file(disk: &MemoryStorage) -> Result<Box<dyn StorageFile>> {
    let file = disk.create("a")?;
    disk.sync_folder("")?;
    Ok(file)
}

#[test]
fn what_was_synced_stays() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, &[7; 2000])?;
    file.sync()?;
    assert_eq!(outcomes(&disk, "a"), [Some(vec![7; 2000])].into());
    Ok(())
}

#[test]
fn unsynced_sectors_are_old_new_zeroed_or_altered() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, &[1; 1024])?;
    file.sync()?;
    file.write_at(0, &[2; 1024])?;
    let found = outcomes(&disk, "a");
    let sectors: BTreeSet<&[u8]> = found.iter().flatten().flat_map(|b| b.chunks(512)).collect();
    for byte in 0..=2 {
        assert!(sectors.contains(&[byte; 512][..]), "never all {byte}");
    }
    let altered = |sector: &&[u8]| sector.iter().any(|byte| !(0..=2).contains(byte));
    assert!(sectors.iter().any(altered), "never altered");
    let mixed: Vec<u8> = [[1; 512], [2; 512]].concat();
    assert!(found.contains(&Some(mixed)), "each sector has its own fate");
    Ok(())
}

#[test]
fn several_writes_to_a_sector_arrive_in_order() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, b"..")?;
    file.sync()?;
    file.write_at(0, b"1")?;
    file.write_at(1, b"2")?;
    let found = outcomes(&disk, "a");
    for state in [b"..", b"1.", b"12"] {
        assert!(found.contains(&Some(state.to_vec())), "never {state:?}");
    }
    // The second without the first: only by damage, and that never makes a two.
    assert!(!found.contains(&Some(b".2".to_vec())));
    Ok(())
}

#[test]
fn synced_bytes_beside_unsynced_ones_stay() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.allocate(4096)?;
    file.write_at(0, &[1; 100])?;
    file.sync()?;
    file.write_at(100, &[2; 1000])?;
    for bytes in outcomes(&disk, "a").into_iter().flatten() {
        assert_eq!(bytes.len(), 4096);
        assert_eq!(bytes[..100], [1; 100]);
        assert!(bytes[1100..].iter().all(|&byte| byte == 0));
    }
    Ok(())
}

#[test]
fn the_length_is_safe_or_not() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, &[1; 100])?;
    file.sync()?;
    file.write_at(100, &[2; 100])?;
    file.write_at(200, &[3; 100])?;
    let lengths: BTreeSet<usize> =
        outcomes(&disk, "a").iter().flatten().map(|bytes| bytes.len()).collect();
    assert_eq!(lengths, [100, 200, 300].into());
    Ok(())
}

#[test]
fn names_are_lost_one_by_one_or_from_some_point_on() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.create_folder("wal")?;
    disk.sync_folder("")?;
    for name in ["wal/a", "wal/b"] {
        disk.create(name)?.sync()?;
    }
    let found = names(&disk);
    let all = [vec![], vec!["wal/a"], vec!["wal/b"], vec!["wal/a", "wal/b"]];
    assert_eq!(found, all.map(|names| names.into_iter().map(String::from).collect()).into());
    disk.sync_folder("")?;
    assert_eq!(names(&disk).len(), 4, "another folder's sync is none of theirs");
    disk.sync_folder("wal")?;
    assert_eq!(names(&disk).len(), 1);
    Ok(())
}

#[test]
fn a_rename_is_done_or_not_and_never_makes_two_names() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.plant("a", b"old")?;
    let new = disk.create("a.tmp")?;
    new.write_at(0, b"new")?;
    new.sync()?;
    disk.rename("a.tmp", "a")?;
    let found: BTreeSet<Option<Vec<u8>>> = outcomes(&disk, "a");
    assert_eq!(found, [Some(b"old".to_vec()), Some(b"new".to_vec())].into());
    let names = names(&disk);
    assert!(names.iter().all(|names| names.contains(&"a".to_owned())));
    for seed in 0..400 {
        let after = disk.crash(CrashKind::Power, seed);
        let both = after.contents("a.tmp").is_some();
        assert!(!both || after.contents("a").as_deref() == Some(b"old"), "two names of one file");
    }
    Ok(())
}

#[test]
fn a_folder_that_is_lost_takes_its_files_with_it() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.create_folder("wal")?;
    disk.create("wal/a")?.sync()?;
    disk.sync_folder("wal")?;
    assert_eq!(names(&disk), [vec![], vec!["wal/a".to_owned()]].into());
    disk.sync_folder("")?;
    assert_eq!(names(&disk).len(), 1);
    Ok(())
}

#[test]
fn a_killed_process_loses_nothing_yet_but_nothing_becomes_safe() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, b"unsynced")?;
    disk.create("b")?;
    let killed = disk.crash(CrashKind::Process, 0);
    assert_eq!(killed.contents("a").as_deref(), Some(&b"unsynced"[..]));
    assert_eq!(killed.names(), ["a", "b"]);
    assert!(outcomes(&killed, "a").len() > 1, "the power may go after the kill");
    assert!(names(&killed).len() > 1);
    killed.open("a")?.sync()?;
    killed.sync_folder("")?;
    assert_eq!(outcomes(&killed, "a"), [Some(b"unsynced".to_vec())].into());
    assert_eq!(names(&killed).len(), 1);
    Ok(())
}

#[test]
fn a_sync_after_a_failed_one_makes_nothing_up() -> Result<()> {
    let disk = MemoryStorage::new();
    let file = file(&disk)?;
    file.write_at(0, &[1; 5000])?;
    disk.inject(Fault::FailAt { operation: disk.operations() + 1, failure: Failure::Device });
    assert!(file.sync().is_err());
    file.sync()?;
    assert_eq!(disk.contents("a"), Some(vec![1; 5000]), "reading shows it all the same");
    assert!(outcomes(&disk, "a").len() > 1, "trying again proves nothing");
    // Writing again does: into the first page only, which begins and ends before the rest.
    file.write_at(10, &[2])?;
    file.sync()?;
    let found = outcomes(&disk, "a");
    assert!(found.len() > 1);
    assert!(found.iter().flatten().all(|bytes| bytes[..10] == [1; 10] && bytes[10] == 2));
    file.write_at(0, &[3; 5000])?;
    file.sync()?;
    assert_eq!(outcomes(&disk, "a"), [Some(vec![3; 5000])].into());
    Ok(())
}

#[test]
fn a_failed_sync_of_a_folder_is_not_made_up_for_either() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.create("a")?;
    disk.inject(Fault::FailAll { kind: OperationKind::SyncFolder, failure: Failure::Device });
    assert!(disk.sync_folder("").is_err());
    disk.clear_faults();
    disk.sync_folder("")?;
    assert_eq!(names(&disk).len(), 2);
    disk.create("a")?;
    disk.sync_folder("")?;
    assert_eq!(names(&disk).len(), 1, "the name was written again");
    Ok(())
}

#[test]
fn an_image_follows_from_its_seed_and_leaves_the_disk_alone() -> Result<()> {
    let disk = MemoryStorage::new();
    file(&disk)?.write_at(0, &[1; 5000])?;
    for seed in 0..20 {
        let image = || disk.crash(CrashKind::Power, seed).contents("a");
        assert_eq!(image(), image());
    }
    disk.crash(CrashKind::Process, 0).remove("a")?;
    assert_eq!(disk.contents("a"), Some(vec![1; 5000]));
    Ok(())
}

#[test]
fn damage_and_planted_files_are_safe_at_once() -> Result<()> {
    let disk = MemoryStorage::new();
    disk.plant("a", b"abc")?;
    disk.alter("a", 1, 0x20)?;
    assert_eq!(outcomes(&disk, "a"), [Some(b"aBc".to_vec())].into());
    assert!(disk.alter("a", 3, 1).is_err() && disk.alter("b", 0, 1).is_err());
    disk.plant("a", b"")?;
    assert_eq!(outcomes(&disk, "a"), [Some(vec![])].into());
    assert_eq!(disk.operations(), 0);
    Ok(())
}

#[test]
fn a_forgetful_disk_keeps_names_and_lengths() -> Result<()> {
    let disk = MemoryStorage::forgetful();
    disk.create_folder("wal")?;
    let file = disk.create("wal/1")?;
    file.allocate(1 << 40)?;
    file.write_at(1 << 41, b"abc")?;
    file.sync()?;
    disk.sync_folder("wal")?;
    assert_eq!(file.len()?, (1 << 41) + 3);
    let mut buffer = [9; 4];
    assert_eq!(file.read_at((1 << 41) + 1, &mut buffer)?, 2);
    assert_eq!(buffer, [0, 0, 9, 9]);
    disk.rename("wal/1", "wal/2")?;
    assert_eq!(disk.names(), ["wal/2"]);
    assert!(disk.trace().is_empty());
    Ok(())
}
