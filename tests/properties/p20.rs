//! Property 20, replay completeness: every durable record is applied after a crash, in order, and
//! replaying twice equals replaying once.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use monsterdb::storage::{CrashKind, Fault, MemoryStorage};
use proptest::prelude::*;

use crate::support::{
    crash_kind, sequence, steps,
    workload::{open, undisturbed, until_it_stops},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn p20_replay_completeness(
        steps in steps(40),
        place in 0.0..1.0_f64,
        kind in crash_kind(),
        seed: u64,
    ) {
        let whole = MemoryStorage::new();
        let history = undisturbed(&whole, &steps);
        let storage = MemoryStorage::new();
        let operation = 1 + (whole.operations() as f64 * place) as u64;
        storage.inject(Fault::CrashAt { operation });
        let promise = until_it_stops(&storage, &steps).after(kind);

        let image = storage.crash(kind, seed);
        let db = open(&image).unwrap();
        let state = db.snapshot();
        prop_assert_eq!(history.objection(&state, promise.process), None);

        // Everything that stands in the log was applied: it is not ahead of the state.
        let recovery = db.status().recovery;
        prop_assert_eq!(recovery.checkpoint.get() + recovery.replayed, state.version().get());
        let logged = sequence(&image);
        prop_assert!(logged.last().is_none_or(|last| *last <= state.version().get()));
        drop(db);

        let again = open(&image.crash(CrashKind::Power, seed)).unwrap();
        prop_assert_eq!(again.snapshot(), state);
    }
}
