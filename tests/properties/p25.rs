//! Property 25, checkpoint completeness: after a checkpoint, the state is recoverable with an
//! empty WAL. What was committed after it is missed then, and that is said.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::Arc;

use monsterdb::{
    Durability, Error, Version,
    snapshot::Collection,
    storage::{CrashKind, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        lose, segments, steps,
        workload::{Run, Write, commit, is_refusal, open, options},
    },
};

static MET: Met = Met::new();

#[test]
fn p25_checkpoint_completeness() {
    p25_checkpoint_completeness_cases();
    MET.report(
        "p25_checkpoint_completeness",
        &[
            "documents",
            "indexes",
            "something to write",
            "after an older checkpoint",
            "segments lost",
            "damage told",
            "nothing missed",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p25_checkpoint_completeness_cases(steps in steps(40), seed: u64, commit_later: bool) {
        let storage = MemoryStorage::new();
        // It stays open: closing it would leave the checkpoint nothing to write.
        let mut run = Run::open(&storage).unwrap();
        for step in &steps {
            if let Err(error) = run.step(step) {
                prop_assert!(is_refusal(&error), "{}", error);
            }
        }
        let covered = run.db().status().checkpoint;
        let version = run.db().checkpoint().unwrap();
        let state = run.snapshot();
        prop_assert_eq!(version, state.version());

        let case = MET.case();
        let holds = |what: fn(&Collection) -> bool| state.collections().any(|(_, c)| what(c));
        case.note("something to write", covered < version);
        case.note("after an older checkpoint", covered < version && Version::ZERO < covered);
        case.note("documents", holds(|c| c.count() > 0));
        case.note("indexes", holds(|c| !c.indexes().is_empty()));
        let image = storage.crash(CrashKind::Power, seed);
        case.note("segments lost", !segments(&image).is_empty());
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
            Ok(db) => {
                case.note("nothing missed", true);
                prop_assert!(!commit_later && db.snapshot() == last);
            }
            Err(error) => {
                case.note("damage told", true);
                prop_assert!(commit_later && matches!(error, Error::Damaged(_)));
            }
        }
    }
}

fn lose_log(storage: &MemoryStorage) {
    for first in segments(storage).keys() {
        lose(storage, &format!("wal/{first}.ndjson"));
    }
}
