//! Concurrent histories on a live database, searched for anomalies.
//!
//! Clients append to lists, write registers, fill bags and ask for their content by predicate,
//! raise counters. What each saw is then explained, or not, in two ways that share nothing: by
//! running all transactions again in the order of their versions, and by a graph of who must come
//! before whom, in which a cycle is an anomaly (after Adya 1999, and Elle: Kingsbury and Alvaro
//! 2020).
//!
//! | run | clients | the database |
//! |---|---|---|
//! | `in_memory`, `in_files…` | in the process, with `transact`, by hand and with savepoints, at both isolations | lives on |
//! | `across_crashes` | the same | dies and is opened again, on a disk that forgets what was not synced |
//! | `over_http` | over HTTP: single documents under preconditions, queries, batches | lives on |
//! | `across_kills` | the same | is the program, ended by SIGKILL and started again |
//!
//! ```text
//! HISTORY_SEEDS=167 cargo test --release --test history -- --nocapture --test-threads 1
//! ```
//!
//! tries 42 times as much of everything: two and a half million transactions, half of them in
//! memory. The runs print what they met and how often; without `HISTORY_SEEDS` they take seconds.
//! `tests/history/mutants` breaks the engine in turn and shows which anomaly these runs name.
#![allow(missing_docs)]

mod anomaly;
mod checker;
mod crashes;
mod embedded;
mod explanation;
mod fate;
mod graph;
#[cfg(feature = "server")]
mod http;
#[cfg(feature = "server")]
mod kills;
mod placement;
mod plan;
mod planted;
mod record;
mod recorder;
mod serial;
mod shares;
mod workload;
mod writes;

use std::time::Instant;

use embedded::Embedded;
use explanation::Explanation;
use monsterdb::{Builder, Database, Durability};
use recorder::Recorder;
use shares::Shares;
use workload::Workload;

/// How many histories a run makes where it makes so many by itself, in proportion to the four of
/// the first run.
fn seeds(usual: u64) -> u64 {
    match std::env::var("HISTORY_SEEDS") {
        Ok(seeds) => {
            let seeds: u64 = seeds.parse().expect("HISTORY_SEEDS is a number");
            (seeds * usual).div_ceil(4).max(1)
        }
        Err(_) => usual,
    }
}

/// Runs a workload in the process, reads everything, and explains what was seen.
fn run(workload: &Workload, db: &Database, shares: &mut Shares) {
    let recorder = Recorder::default();
    embedded::make_counters(db);
    workload.run(&recorder, || Embedded { db, marks: false });
    embedded::read_all(db, &recorder);
    let mut history = recorder.into_history();
    let explanation = Explanation::of(&mut history);
    shares.add(&history, &explanation);
    explanation.assert_good();
}

#[test]
fn in_memory() {
    let (begun, mut shares) = (Instant::now(), Shares::default());
    for seed in 0..seeds(4) {
        let db = Database::in_memory();
        run(&Workload { seed, clients: 4, plans: 1500 }, &db, &mut shares);
    }
    shares.require("in memory", &[shares::ALWAYS, shares::EMBEDDED]);
    let count = shares.transactions();
    println!("{count} transactions without an anomaly in {:.1?}", begun.elapsed());
}

#[test]
fn in_files_without_syncs() {
    let builder = || Database::builder().durability(Durability::None).checkpoint_operations(500);
    let mut shares = Shares::default();
    for seed in 0..seeds(1) {
        in_files(&Workload { seed, clients: 4, plans: 1500 }, builder(), &mut shares);
    }
    shares.require("in files without syncs", &[shares::ALWAYS, shares::EMBEDDED]);
}

#[test]
fn in_files_with_syncs() {
    let builder = || Database::builder().durability(Durability::Always).segment_bytes(64 * 1024);
    let mut shares = Shares::default();
    for seed in 0..seeds(1) {
        in_files(&Workload { seed, clients: 4, plans: 400 }, builder(), &mut shares);
    }
    shares.require("in files with syncs", &[shares::ALWAYS, shares::EMBEDDED]);
}

fn in_files(workload: &Workload, builder: Builder, shares: &mut Shares) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let db = builder.open(folder.path()).expect("an empty directory holds no damage");
    run(workload, &db, shares);
    db.close().expect("nothing fails");
}
