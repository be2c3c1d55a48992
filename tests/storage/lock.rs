//! The lock of a data directory, within this process and against another one.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

use monsterdb::{
    Error,
    storage::{Access, FileStorage},
};

/// Names the directory that a child process is to hold.
const HOLD: &str = "MONSTERDB_TEST_HOLD";

/// Not a test by itself: the part of a child process, which holds a directory until its standard
/// input ends. Elsewhere it does nothing.
#[test]
fn child_holds_the_directory() {
    let Some(path) = std::env::var_os(HOLD) else { return };
    let _held = FileStorage::open(path, Access::Write).expect("the parent left it free");
    println!("held by {}", std::process::id());
    std::io::stdin().read_to_end(&mut Vec::new()).expect("the parent keeps it open");
}

/// Another process that holds the directory.
fn holder(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", "lock::child_holds_the_directory", "--nocapture"])
        .env(HOLD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs once already");
    let out = child.stdout.as_mut().expect("it is piped");
    let held = BufReader::new(out).lines().map_while(Result::ok).any(|l| l.contains("held by"));
    assert!(held, "the child could not take the directory");
    child
}

/// The pid in the refusal, or why it was none.
fn refusal(path: &Path, access: Access) -> Option<u32> {
    match FileStorage::open(path, access) {
        Err(Error::Locked { path: named, pid }) => {
            assert_eq!(named, path);
            pid
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_second_one_in_the_process_is_refused_until_the_first_goes() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    let first = FileStorage::open(path, Access::Write).expect("nobody holds it");
    assert_eq!(refusal(path, Access::Write), Some(std::process::id()));
    assert_eq!(refusal(path, Access::Read), Some(std::process::id()));
    drop(first);
    assert_eq!(fs::read(path.join("LOCK")).expect("it stays"), b"", "the pid goes with its owner");
    assert!(FileStorage::open(path, Access::Write).is_ok());
}

#[test]
fn readers_share_and_keep_writers_out() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    // Once without a LOCK file, once with one.
    for _ in 0..2 {
        let one = FileStorage::open(path, Access::Read).expect("nobody holds it");
        let two = FileStorage::open(path, Access::Read).expect("readers share");
        drop(one);
        refusal(path, Access::Write);
        drop(two);
        FileStorage::open(path, Access::Write).expect("nobody holds it any more");
    }
}

#[test]
fn another_process_is_named_and_its_death_frees_the_directory() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path();
    let mut child = holder(path);
    assert_eq!(refusal(path, Access::Write), Some(child.id()));
    let message = FileStorage::open(path, Access::Write).expect_err("it is held").to_string();
    assert!(message.contains(&child.id().to_string()), "{message}");
    assert!(message.contains(&path.display().to_string()), "{message}");

    child.kill().expect("it lives");
    child.wait().expect("it was killed");
    assert!(FileStorage::open(path, Access::Write).is_ok(), "SIGKILL frees the directory");
}

#[test]
fn another_process_frees_the_directory_when_it_ends() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut child = holder(directory.path());
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
    assert!(FileStorage::open(directory.path(), Access::Write).is_ok());
}

#[test]
fn a_deleted_lock_file_lets_nobody_in() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (path, lock) = (directory.path(), directory.path().join("LOCK"));
    let mut child = holder(path);
    fs::remove_file(&lock).expect("it is there");
    assert_eq!(refusal(path, Access::Write), None, "nobody knows the pid any more");
    assert_eq!(refusal(path, Access::Read), None);
    fs::write(&lock, "not a pid").expect("it is ours");
    assert_eq!(refusal(path, Access::Write), None, "another LOCK file changes nothing");
    child.kill().expect("it lives");
    child.wait().expect("it was killed");
    assert!(FileStorage::open(path, Access::Write).is_ok());
}

#[test]
fn the_lock_file_alone_keeps_others_out() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let lock = File::create(directory.path().join("LOCK")).expect("it is ours");
    fs2::FileExt::lock_exclusive(&lock).expect("nobody holds it");
    assert_eq!(refusal(directory.path(), Access::Write), None);
    assert_eq!(refusal(directory.path(), Access::Read), None);
    drop(lock);
    assert!(FileStorage::open(directory.path(), Access::Write).is_ok());
}
