//! Property 25, checkpoint completeness: after a checkpoint, the state is recoverable with an
//! empty WAL. What was committed after it is missed then, and that is said.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use monsterdb::{
    Durability, Error,
    storage::{CrashKind, MemoryStorage},
};
use proptest::prelude::*;

use crate::support::{
    lose, segments, steps,
    workload::{Run, Write, commit, open, options, undisturbed},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn p25_checkpoint_completeness(steps in steps(40), seed: u64, commit_later: bool) {
        let storage = MemoryStorage::new();
        undisturbed(&storage, &steps);
        let run = Run::open(&storage).unwrap();
        let version = run.db().checkpoint().unwrap();
        let state = run.snapshot();
        prop_assert_eq!(version, state.version());

        let image = storage.crash(CrashKind::Power, seed);
        lose_log(&image);
        let reopened = open(&image).unwrap();
        prop_assert_eq!(reopened.snapshot(), state.clone());
        prop_assert_eq!(reopened.status().recovery.replayed, 0);

        // It goes on from there, with a log of its own.
        let write = [Write::Create("later".to_owned())];
        prop_assert_eq!(commit(&reopened, Durability::Always, &write).unwrap(), version.next());
        let again = open(&image.crash(CrashKind::Power, seed)).unwrap();
        prop_assert_eq!(again.snapshot(), reopened.snapshot());
        drop((again, reopened, run));

        // Once the manifest knows of more than the checkpoint holds, an empty log is damage.
        let db = options().checkpoint_on_close(false).open_in(Arc::new(storage.clone())).unwrap();
        if commit_later {
            commit(&db, Durability::None, &write).unwrap();
        }
        let last = db.snapshot();
        db.close().unwrap();
        lose_log(&storage);
        match open(&storage) {
            Ok(db) => prop_assert!(!commit_later && db.snapshot() == last),
            Err(error) => prop_assert!(commit_later && matches!(error, Error::Damaged(_))),
        }
    }
}

fn lose_log(storage: &MemoryStorage) {
    for first in segments(storage).keys() {
        lose(storage, &format!("wal/{first}.ndjson"));
    }
}
