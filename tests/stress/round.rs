//! One database: opened, worked on by all threads, closed under them, opened again.

use std::{
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use monsterdb::{Database, Durability, Json, Snapshot, Version, storage::Storage};

use crate::{
    Disk, OPENINGS,
    dice::Dice,
    indexed::check_indexes,
    met::{Met, What},
    worker::{self, Worker},
};

/// Threads that work on it.
const WORKERS: u64 = 4;

/// Runs one database from beginning to end.
pub(crate) fn run(seed: u64, disk: &Disk, met: &Met) {
    let mut dice = Dice::new(seed);
    let mut workers: Vec<Worker<'_>> =
        (0..WORKERS).map(|number| Worker::new(number, seed, met)).collect();
    let mut last: Option<Arc<Snapshot>> = None;
    for opening in 0..OPENINGS {
        let database = open(disk(opening), opening, &mut dice);
        let found = database.snapshot();
        match &last {
            None => fill(&database),
            Some(last) => assert_eq!(found, *last, "what opens is what was published last"),
        }
        let recovery = database.status().recovery;
        met.add(What::OpenedFromCheckpoint, u64::from(recovery.checkpoint > Version::ZERO));
        met.add(What::OpenedWithReplay, u64::from(recovery.replayed > 0));

        // Either somebody closes it, or the threads end and the last handle does.
        let close = opening % 3 > 0;
        let snapshot = work(database, close, &mut workers, &mut dice, met);
        check_indexes(&snapshot);
        worker::assert_balanced(&snapshot);
        for worker in &workers {
            worker.assert_counted(&snapshot);
        }
        last = Some(snapshot);
    }
}

fn open(storage: Arc<dyn Storage>, opening: u64, dice: &mut Dice) -> Database {
    let durability = match dice.below(3) {
        0 => Durability::Always,
        1 => Durability::Interval(Duration::from_millis(1)),
        _ => Durability::None,
    };
    let builder = Database::builder()
        .durability(durability)
        .segment_bytes(4096 << dice.below(4))
        .checkpoint_operations(50 + dice.below(200))
        .checkpoint_on_close(opening % 2 == 1)
        .background(dice.below(2) == 0);
    builder.open_in(storage).unwrap()
}

/// What everything begins from.
fn fill(database: &Database) {
    let filled = database.transact(|tx| {
        let accounts = tx.collection::<Json>(worker::ACCOUNTS)?;
        for account in 0..worker::ACCOUNT_COUNT {
            let body = format!(r#"{{"balance":{},"in":[{account}]}}"#, worker::BALANCE);
            accounts.put(&account.to_string(), &Json::parse(&body)?)?;
        }
        let counters = tx.collection::<Json>(worker::COUNTERS)?;
        (0..WORKERS).try_for_each(|n| counters.put(&n.to_string(), &Json::parse(r#"{"n":0}"#)?))
    });
    filled.unwrap();
}

/// Lets all threads work until the database is closed under them, and returns the last state.
fn work(
    database: Database,
    close: bool,
    workers: &mut [Worker<'_>],
    dice: &mut Dice,
    met: &Met,
) -> Arc<Snapshot> {
    let end = Version::new(database.snapshot().version().get() + 50 + dice.below(150));
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in workers.iter_mut() {
            let (database, failed) = (&database, &failed);
            scope.spawn(move || worker.work(database, end, close, failed));
        }
    });
    if !close {
        met.note(What::ClosedByLastHandle);
    }
    let counts = database.status().commits;
    met.add(What::Conflict, counts.conflicts);
    met.add(What::Retry, counts.retries);
    database.snapshot()
}
