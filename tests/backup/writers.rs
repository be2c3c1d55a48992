//! Four writers go on while backups are made.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use monsterdb::{Version, storage::Access};

use super::{ids, open, restored, storage, write};

/// Backups made beside the writers.
const BACKUPS: usize = 6;

#[test]
fn what_is_restored_is_the_state_at_the_version_of_the_backup() {
    let folder = tempfile::tempdir().unwrap();
    let db = open(folder.path());
    let is_over = AtomicBool::new(false);
    let mut backups = Vec::new();
    let commits = thread::scope(|scope| {
        let write = |writer| {
            let (db, is_over) = (&db, &is_over);
            move || {
                let numbers = (0..).take_while(|_| !is_over.load(Ordering::Acquire));
                let commit = |number| (write(db, writer, number), ids(writer, number), number);
                numbers.map(commit).collect::<Vec<_>>()
            }
        };
        let writers = [0, 1, 2, 3].map(|writer| scope.spawn(write(writer)));
        for number in 0..BACKUPS {
            let before = db.snapshot().version();
            while db.snapshot().version() < Version::new(before.get() + 40) {
                thread::yield_now();
            }
            let backup = db.backup().unwrap();
            let at = db.snapshot().version();
            // It is written while everybody goes on, and other checkpoints come and go.
            while db.snapshot().version() < Version::new(at.get() + 20) {
                thread::yield_now();
            }
            db.checkpoint().unwrap();
            let target = folder.path().join(format!("backup-{number}"));
            let written = backup.write_into(&storage(&target, Access::Write), |_| {}).unwrap();
            backups.push((target, written.version));
        }
        is_over.store(true, Ordering::Release);
        let commits = writers.into_iter().flat_map(|writer| writer.join().unwrap());
        commits.map(|(version, ids, number)| (version, (ids, number))).collect::<BTreeMap<_, _>>()
    });
    for (target, version) in backups {
        let (told, snapshot) = restored(folder.path(), &target, None).unwrap();
        assert_eq!((told.version, told.records), (version, 0));
        let mut expected = BTreeMap::new();
        for (at, ([put, deleted], number)) in commits.range(..=Version::new(version)) {
            expected.insert(put.clone(), (*at, *number));
            expected.remove(deleted);
        }
        let documents = snapshot.collection("records").unwrap().documents();
        let found = documents.map(|(id, document)| {
            let number = document.raw().member("n").unwrap().text().parse().unwrap();
            (id.to_string(), (document.version(), number))
        });
        let found: BTreeMap<String, (Version, usize)> = found.collect();
        assert_eq!(found, expected, "version {version}");
        assert!(!found.is_empty());
    }
}
