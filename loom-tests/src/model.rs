//! Running a model: every interleaving of its threads, or a failure that says why not.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use loom::thread::JoinHandle;

/// Switches between threads in one execution; a thread that spins would exceed it.
const BRANCHES_MAX: usize = 20_000;

/// A model that takes longer has outgrown what can be explored: it fails.
const DURATION_MAX: Duration = Duration::from_secs(300);

/// Executions between two looks at the clock.
const CLOCK_INTERVAL: usize = 200;

/// A thread's stack in machine words. Loom's own 4096 are too few for opening a database.
const STACK_WORDS: usize = 64 * 1024;

/// How many threads a model has, and so how much of it is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// Every interleaving.
    Two,
    /// Two with as much to do as three commits: every interleaving with at most five preemptions.
    TwoLong,
    /// Every interleaving with at most three preemptions.
    Three,
    /// Every interleaving with at most two preemptions.
    Four,
}

/// What happened in some execution. A model names what it must have met, so that it cannot pass
/// by missing what it is about.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<BTreeSet<&'static str>>>);

impl Seen {
    /// Notes that something happened.
    pub fn note(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }
}

/// Explores a model. `stage` sets it up, spawns its threads, joins them and looks at the end; it
/// may be one of the threads itself.
///
/// # Panics
///
/// When an execution panics, deadlocks or leaks; when it was not explored in the time there is;
/// when one of `expected` was never noted.
pub fn explore(
    threads: Threads,
    expected: &[&'static str],
    stage: impl Fn(&Seen) + Send + Sync + 'static,
) {
    let (seen, executions) = (Seen::default(), Arc::new(AtomicU64::new(0)));
    let mut builder = loom::model::Builder::new();
    builder.max_branches = BRANCHES_MAX;
    builder.max_duration = Some(DURATION_MAX);
    builder.max_permutations = None;
    builder.checkpoint_interval = CLOCK_INTERVAL;
    builder.preemption_bound = match threads {
        Threads::Two => None,
        Threads::TwoLong => Some(5),
        Threads::Three => Some(3),
        Threads::Four => Some(2),
    };

    let begun = Instant::now();
    let (noted, counted, stage) = (seen.clone(), Arc::clone(&executions), Arc::new(stage));
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let (stage, noted) = (Arc::clone(&stage), noted.clone());
        join(spawn(move || stage(&noted)));
    });

    let (count, elapsed) = (executions.load(Ordering::Relaxed), begun.elapsed());
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{name}: {count} executions, {:.1} s", elapsed.as_secs_f64());
    // Loom returns as if all were well when its time is up.
    assert!(elapsed < DURATION_MAX, "{name} was cut short after {count} executions");
    assert!(count > 1, "{name} left nothing to explore");
    let seen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
    for what in expected {
        assert!(seen.contains(what), "{name} never met: {what}");
    }
}

/// Starts a thread of a model.
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    loom::thread::Builder::new()
        .stack_size(STACK_WORDS)
        .spawn(body)
        .expect("a model's thread is no thread of the system")
}

/// Waits for a thread of a model.
pub fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic ends the model before it gets here")
}
