//! A sync fails while many wait for it: each of them is told that its outcome is unknown, reads go
//! on from what was published last, and the next opening serves what is truly on the disk. The
//! same holds for the sync that puts a manifest in force.

use std::{sync::Arc, thread};

use monsterdb::{
    Database, Durability, Error, Health, Result, Version,
    storage::{CrashKind, Failure, Fault, MemoryStorage, OperationKind},
};

use crate::workload::{Write, commit, depth, open, options};

#[test]
fn everybody_who_waits_for_a_failed_sync_is_told() {
    for waiting in 1..8 {
        let storage = MemoryStorage::new();
        let db = open(&storage).unwrap();
        let outcomes = fail_the_second_sync(&db, &storage, waiting);

        // The first sync had begun before the device failed.
        let acknowledged: Vec<_> = outcomes.iter().flatten().collect();
        assert_eq!(acknowledged, [&Version::new(2)]);
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(matches!(error, Error::OutcomeUnknown { .. }), "{error}");
        }
        assert_eq!(db.snapshot().version(), Version::new(2), "nothing unsynced is visible");
        assert_eq!(db.status().health, Health::ReadOnly);
        storage.clear_faults();
        let refused = commit(&db, Durability::None, &[Write::Create("late".to_owned())]);
        assert!(matches!(refused, Err(Error::ReadOnly { .. })), "no sync is tried again");
        assert!(db.checkpoint().is_err());

        for seed in 0..20 * depth() {
            for kind in [CrashKind::Process, CrashKind::Power] {
                let image = storage.crash(kind, seed);
                let reopened = open(&image).unwrap();
                let served = reopened.snapshot();
                assert!(served.version() >= Version::new(2), "{kind:?}, seed {seed}");
                assert_eq!(served.collections().count() as u64, served.version().get());
                let later = open(&image.crash(CrashKind::Power, seed + 1)).unwrap();
                assert_eq!(later.snapshot(), served, "what was served is safe");
            }
        }
    }
}

/// Which manifest is on the disk is in doubt, so none is written any more, by closing neither.
#[test]
fn a_manifest_in_doubt_is_the_last() {
    let mut in_doubt = 0;
    for after in 1..12 {
        let storage = MemoryStorage::new();
        let builder = options().checkpoint_on_close(false);
        let db = builder.open_in(Arc::new(storage.clone())).unwrap();
        db.create_collection("c", Default::default()).unwrap();
        let operation = storage.operations() + after;
        storage.inject(Fault::FailAt { operation, failure: Failure::Device });
        let written = db.checkpoint();
        if db.status().health == Health::Ready {
            continue;
        }
        in_doubt += 1;
        assert!(written.is_err());
        assert!(db.close().is_err());
        let trace = storage.trace();
        let mut later = trace.iter().filter(|done| done.number > operation);
        assert_eq!(later.find(|done| done.name.contains("MANIFEST")), None);
    }
    assert_eq!(in_doubt, 1, "one operation leaves the manifest in doubt");
}

/// One commit waits in a sync, and more wait behind it; that sync succeeds and the next one fails.
fn fail_the_second_sync(
    db: &Database,
    storage: &MemoryStorage,
    waiting: u64,
) -> Vec<Result<Version>> {
    // The log has begun, so that a commit is one write and one sync.
    db.create_collection("begun", Default::default()).unwrap();
    storage.hold_syncs();
    thread::scope(|scope| {
        let create = |number: u64| {
            let write = [Write::Create(format!("c{number}"))];
            scope.spawn(move || commit(db, Durability::Always, &write))
        };
        let first = create(0);
        storage.wait_for_held_sync();
        let others: Vec<_> = (1..=waiting).map(create).collect();
        while db.status().logged.operations < 2 + waiting {
            thread::yield_now();
        }
        storage.inject(Fault::FailAll { kind: OperationKind::Sync, failure: Failure::Device });
        storage.release_syncs();
        [first].into_iter().chain(others).map(|thread| thread.join().unwrap()).collect()
    })
}
