//! Property 24, WAL precedence: where checkpoint and WAL differ, the WAL wins. With the same log,
//! every earlier checkpoint comes to the same state.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use monsterdb::{
    Version,
    checkpoint::{self, MANIFEST, Manifest},
    storage::{CrashKind, MemoryStorage},
};
use proptest::prelude::*;

use crate::{
    met::Met,
    support::{
        steps,
        workload::{Run, Step, is_refusal, open},
    },
};

/// Files by name.
type Files = BTreeMap<String, Vec<u8>>;

static MET: Met = Met::new();

#[test]
fn p24_wal_precedence() {
    p24_wal_precedence_cases();
    MET.report(
        "p24_wal_precedence",
        &[
            "an older checkpoint",
            "several checkpoints",
            "from nothing at all",
            "the state is another",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p24_wal_precedence_cases(steps in steps(40)) {
        let mut run = Run::open(&MemoryStorage::new()).unwrap();
        let mut checkpoints = vec![checkpoint_files(&run.storage)];
        let mut log = Files::new();
        for step in &steps {
            if let Err(error) = run.step(step) {
                prop_assert!(is_refusal(&error), "{}", error);
            }
            // Segments that a checkpoint makes needless are kept aside.
            log.extend(files(&run.storage, "wal/"));
            if matches!(step, Step::Checkpoint | Step::Reopen) {
                checkpoints.push(checkpoint_files(&run.storage));
            }
        }
        let state = run.snapshot();
        let case = MET.case();
        case.note("several checkpoints", checkpoints.len() > 2);
        for checkpoint in checkpoints {
            let storage = run.storage.crash(CrashKind::Process, 0);
            for (name, bytes) in checkpoint.iter().chain(&log) {
                storage.plant(name, bytes).unwrap();
            }
            let manifest = Manifest::decode(&checkpoint[MANIFEST]).unwrap();
            let older = checkpoint::load(&storage, &manifest).unwrap().snapshot;
            let differs = older.collections().ne(state.collections());
            let is_first = older.version() == Version::ZERO;
            case.note("an older checkpoint", !is_first && older.version() < state.version());
            case.note("from nothing at all", is_first && state.version() > Version::ZERO);
            case.note("the state is another", !is_first && differs);
            let reopened = open(&storage).unwrap();
            prop_assert_eq!(reopened.status().recovery.checkpoint, older.version());
            prop_assert_eq!(reopened.snapshot(), state.clone());
        }
    }
}

fn checkpoint_files(storage: &MemoryStorage) -> Files {
    let mut all = files(storage, "collections/");
    all.extend(files(storage, MANIFEST));
    all
}

fn files(storage: &MemoryStorage, prefix: &str) -> Files {
    let names = storage.names();
    let names = names.into_iter().filter(|n| n.starts_with(prefix) && !n.ends_with(".tmp"));
    names.map(|name| (name.clone(), storage.contents(&name).unwrap())).collect()
}
