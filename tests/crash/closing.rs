//! Closing makes safe what was acknowledged with less, whether or not it writes a checkpoint.

use std::sync::Arc;

use monsterdb::storage::{CrashKind, MemoryStorage};

use crate::workload::{Step, commit, depth, open, options, script};

const WORK: &str = "
    none: put a/1 100
    soon: inc a/1; put b/1 50
    none: inc a/1
";

#[test]
fn a_power_cut_after_closing_takes_nothing() {
    for with_checkpoint in [false, true] {
        let storage = MemoryStorage::new();
        let builder = options().checkpoint_on_close(with_checkpoint);
        let db = builder.open_in(Arc::new(storage.clone())).unwrap();
        for step in script(WORK) {
            let Step::Commit(durability, writes) = step else { panic!("no commit: {step:?}") };
            commit(&db, durability, &writes).unwrap();
        }
        let last = db.snapshot();
        db.close().unwrap();
        for seed in 0..50 * depth() {
            let reopened = open(&storage.crash(CrashKind::Power, seed)).unwrap();
            assert_eq!(reopened.snapshot(), last, "checkpoint {with_checkpoint}, seed {seed}");
        }
    }
}
