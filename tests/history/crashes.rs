//! Histories that go on over crashes of a disk in memory: of the process, which leaves what was
//! written, and of the power, which leaves what was synced. Clients meet the crash in the middle
//! of what they do, read on for a while as a database that has failed still lets them, and go on
//! after it was opened again.

use std::sync::Arc;

use monsterdb::{
    Database, Durability,
    storage::{CrashKind, Fault, MemoryStorage},
};

use super::{
    embedded::{self, Embedded},
    explanation::Explanation,
    plan::Random,
    recorder::Recorder,
    seeds,
    shares::{self, Shares},
    workload::Workload,
};

/// Lives of one database.
const GENERATIONS: u64 = 40;

#[test]
fn across_crashes() {
    let mut shares = Shares::default();
    for seed in 0..seeds(2) {
        let (mut random, recorder) = (Random(seed), Recorder::default());
        let mut storage = MemoryStorage::new();
        embedded::make_counters(&open(&storage));
        for generation in 0..GENERATIONS {
            let db = open(&storage);
            let operation = storage.operations() + 1 + random.below(250);
            storage.inject(Fault::CrashAt { operation });
            let seed = seed * GENERATIONS + generation;
            let plans = u64::MAX;
            Workload { seed, clients: 4, plans }
                .run(&recorder, || Embedded { db: &db, marks: true });
            let kind = [CrashKind::Process, CrashKind::Power][random.below(2) as usize];
            storage = storage.crash(kind, seed);
            shares.count("crash", 1);
            // What the old database does now, it does to a disk that is gone.
            drop(db);
            let status = open(&storage).status();
            shares.count("records in doubt", usize::from(status.recovery.in_doubt > 0));
            shares.count("torn tail", usize::from(status.recovery.cut.is_some()));
            let checkpoint = status.recovery.checkpoint.get();
            shares.count("opened from a checkpoint", usize::from(checkpoint > 0));
        }
        embedded::read_all(&open(&storage), &recorder);
        let mut history = recorder.into_history();
        let explanation = Explanation::of(&mut history);
        shares.add(&history, &explanation);
        explanation.assert_good();
    }
    let unanswered: &[&str] = &["unanswered and there", "unanswered and absent"];
    let crashed: &[&str] =
        &["read after the failure", "records in doubt", "torn tail", "opened from a checkpoint"];
    shares.require("across crashes", &[shares::ALWAYS, shares::EMBEDDED, unanswered, crashed]);
}

fn open(storage: &MemoryStorage) -> Database {
    let builder = Database::builder()
        .durability(Durability::Always)
        .segment_bytes(16 * 1024)
        .checkpoint_operations(100);
    builder.open_in(Arc::new(storage.clone())).expect("a crash leaves no damage")
}
