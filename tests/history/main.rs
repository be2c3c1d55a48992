//! Concurrent histories on a live database, searched for anomalies.
//!
//! Threads append to lists, write registers, fill bags and ask for their content by predicate,
//! raise counters; by `transact` and by hand, at both isolations. What each saw is then explained,
//! or not, in two ways that share nothing: by running all transactions again in the order of their
//! versions, and by a graph of who must come before whom, in which a cycle is an anomaly (after
//! Adya 1999, and Elle: Kingsbury and Alvaro 2020).
//!
//! ```text
//! HISTORY_SEEDS=167 cargo test --release --test history in_memory -- --nocapture
//! ```
//!
//! tries a million transactions in the place of 24,000, and tells how many there were and how long
//! they took.
#![allow(missing_docs)]

mod checker;
mod graph;
mod planted;
mod record;
mod serial;
mod workload;

use std::time::Instant;

use monsterdb::{Database, Durability};
use record::{Event, History, Outcome};
use workload::Workload;

fn assert_explained(history: &History) {
    assert_covered(history);
    let anomalies = checker::anomalies(history);
    assert!(anomalies.is_empty(), "{}", anomalies.join("\n"));
    if let Err(fault) = serial::check(history) {
        panic!("the order of versions does not explain the history: {fault}");
    }
}

/// A history in which nobody meets anybody proves nothing.
fn assert_covered(history: &History) {
    let records = &history.records;
    let count =
        |holds: &dyn Fn(&record::Record) -> bool| records.iter().filter(|r| holds(r)).count();
    let lost = count(&|r| r.outcome == Outcome::Aborted);
    let committed = count(&|r| matches!(r.outcome, Outcome::Committed(_)));
    let overlapping = records.windows(2).filter(|two| two[0].finish > two[1].start).count();
    let phantoms = count(&|r| r.events.iter().any(|e| matches!(e, Event::ReadBag { .. })));
    println!(
        "{committed} committed, {lost} lost, {overlapping} overlapping, {phantoms} by predicate"
    );
    assert!(lost > 20 && committed > 500 && overlapping > 100 && phantoms > 100);
}

#[test]
fn in_memory() {
    let seeds = std::env::var("HISTORY_SEEDS").map(|seeds| seeds.parse().expect("it is a number"));
    let (begun, mut transactions) = (Instant::now(), 0);
    for seed in 0..seeds.unwrap_or(4) {
        let db = Database::in_memory();
        let workload = Workload { seed, threads: 4, transactions: 1500 };
        let history = workload.run(&db);
        transactions += history.records.len();
        assert_explained(&history);
    }
    println!("{transactions} transactions without an anomaly in {:.1?}", begun.elapsed());
}

#[test]
fn in_files_without_syncs() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let builder = Database::builder().durability(Durability::None).checkpoint_operations(500);
    let db = builder.open(folder.path()).expect("an empty directory holds no damage");
    assert_explained(&Workload { seed: 10, threads: 4, transactions: 1500 }.run(&db));
}

#[test]
fn in_files_with_syncs() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let builder = Database::builder().durability(Durability::Always).segment_bytes(64 * 1024);
    let db = builder.open(folder.path()).expect("an empty directory holds no damage");
    assert_explained(&Workload { seed: 20, threads: 4, transactions: 400 }.run(&db));
}
