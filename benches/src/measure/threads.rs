//! Steps repeated in threads, and how long each took.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use crate::{
    Result,
    documents::Random,
    engine::{Session, Store},
};

/// The latencies of one thread that are kept; more do not change a percentile.
const LATENCIES_MAX: usize = 1_000_000;

/// What the threads of a run did.
#[derive(Default)]
pub(super) struct Ran {
    operations: usize,
    elapsed: Duration,
    latencies: Vec<Duration>,
    max: Duration,
}

impl Ran {
    /// A run of one operation.
    pub(super) fn once(elapsed: Duration) -> Ran {
        let mut ran = Ran::default();
        ran.add(elapsed);
        ran.elapsed = elapsed;
        ran
    }

    /// Does each of some things once, one after the other.
    pub(super) fn each<T>(
        things: impl IntoIterator<Item = T>,
        mut step: impl FnMut(T) -> Result<()>,
    ) -> Result<Ran> {
        let mut ran = Ran::default();
        for thing in things {
            let begun = Instant::now();
            step(thing)?;
            ran.add(begun.elapsed());
            ran.elapsed += begun.elapsed();
        }
        Ok(ran)
    }

    pub(super) fn per_second(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }

    /// The median, the latency that one operation of a hundred exceeds, and the longest.
    pub(super) fn latencies(mut self) -> (Duration, Duration, Duration) {
        self.latencies.sort_unstable();
        let at = |percent: usize| {
            let place = self.latencies.len() * percent / 100;
            let last = self.latencies.len().saturating_sub(1);
            self.latencies.get(place.min(last)).copied().unwrap_or_default()
        };
        (at(50), at(99), self.max)
    }

    /// The memory that it takes itself.
    pub(super) fn held_bytes(&self) -> u64 {
        size_of_val(&*self.latencies) as u64
    }

    fn add(&mut self, latency: Duration) {
        if self.latencies.len() < LATENCIES_MAX {
            self.latencies.push(latency);
        }
        self.operations += 1;
        self.max = self.max.max(latency);
    }
}

/// Repeats a step in every thread until the time is up or there is nothing left to do.
pub(super) fn run(
    store: &dyn Store,
    threads: usize,
    time: Duration,
    step: impl Fn(&mut dyn Session, &mut Random) -> Result<Option<()>> + Sync,
) -> Result<Ran> {
    let start = Barrier::new(threads + 1);
    let work = |thread: usize| {
        let session = store.session();
        start.wait();
        repeat(session?, Random::new(thread as u64), time, &step)
    };
    let work = &work;
    std::thread::scope(|scope| {
        let started: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        start.wait();
        let begun = Instant::now();
        let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
        let mut all = Ran { elapsed: begun.elapsed(), ..Ran::default() };
        for thread in ended {
            let ran = thread.map_err(|_| "a thread panicked")??;
            all.operations += ran.operations;
            all.latencies.extend(ran.latencies);
            all.max = all.max.max(ran.max);
        }
        Ok(all)
    })
}

/// The steps of one thread.
fn repeat(
    mut session: Box<dyn Session + '_>,
    mut random: Random,
    time: Duration,
    step: impl Fn(&mut dyn Session, &mut Random) -> Result<Option<()>>,
) -> Result<Ran> {
    let mut ran = Ran { latencies: Vec::with_capacity(1024), ..Ran::default() };
    let begun = Instant::now();
    let mut at = begun;
    while at - begun < time && step(&mut *session, &mut random)?.is_some() {
        let now = Instant::now();
        ran.add(now - at);
        at = now;
    }
    Ok(ran)
}
