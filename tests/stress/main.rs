//! The whole engine under four threads that lose their turn at random places, with everything that
//! a database does beside commits: checkpoints, maintenance, indexes that come and go, collections
//! that come and go, and closings in the midst of it, after which it is opened again.
//!
//! What must hold throughout: money is neither made nor lost, in any snapshot, transaction or
//! listing, and in old ones as in new ones; a counter has exactly what was acknowledged to its
//! thread, so that what met a closing was refused whole; every index holds its documents; and what
//! opens is what was published last.
//!
//! A run prints its seed and what occurred, and fails where something never did. Threads take turns
//! as they like, so that the seed brings back what was asked for, and not the order of it.
//!
//! ```text
//! STRESS_SECONDS=600 STRESS_SEED=7 cargo test --release --test stress -- --nocapture
//! ```
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../support/indexed.rs"]
#[allow(dead_code)]
mod indexed;

#[path = "../support/dice.rs"]
mod dice;
mod disk;
mod met;
mod round;
mod worker;

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use disk::Yielding;
use met::Met;
use monsterdb::storage::{Access, FileStorage, MemoryStorage, Storage};

/// Openings of each database; each but the last ends while threads are at work.
const OPENINGS: u64 = 7;

/// Seconds for both kinds of disk together, where nobody asks for more.
const SECONDS: u64 = 2;

/// The least number of databases of each kind, however long that takes.
const ROUNDS: u64 = 2;

#[test]
fn in_memory() {
    run("in memory", |seed, _| {
        let storage = MemoryStorage::new();
        Box::new(move |opening| Arc::new(Yielding::new(storage.clone(), seed + opening)))
    });
}

#[test]
fn in_files() {
    run("in files", |seed, folder| {
        let path = folder.join(seed.to_string());
        Box::new(move |opening| {
            let storage = FileStorage::open(&path, Access::Write).unwrap();
            Arc::new(Yielding::new(storage, seed + opening))
        })
    });
}

/// Opens the storage of one database, again for every opening.
type Disk = Box<dyn Fn(u64) -> Arc<dyn Storage>>;

fn run(kind: &str, disk: impl Fn(u64, &std::path::Path) -> Disk) {
    let seconds = number("STRESS_SECONDS").unwrap_or(SECONDS);
    let first = number("STRESS_SEED").unwrap_or(20_260_101);
    let folder = tempfile::tempdir().unwrap();
    let (begun, met) = (Instant::now(), Met::default());
    let mut rounds = 0;
    while rounds < ROUNDS || begun.elapsed() < Duration::from_secs(seconds) / 2 {
        // Another one for each round, and so that one alone can be run again.
        let seed = first + rounds;
        println!("{kind}: STRESS_SEED={seed}");
        round::run(seed, &disk(seed, folder.path()), &met);
        rounds += 1;
    }
    println!("{kind}: {rounds} databases in {:.1?}\n{met}", begun.elapsed());
    met.assert_complete();
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("it is a number"))
}
