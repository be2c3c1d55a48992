//! Steps repeated in threads, and how long each took.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use super::latencies::Latencies;
use crate::{
    Result,
    documents::Random,
    engine::{Session, Store},
};

/// What the threads of a run did.
#[derive(Default)]
pub(super) struct Ran {
    elapsed: Duration,
    latencies: Latencies,
}

impl Ran {
    /// A run of one operation.
    pub(super) fn once(elapsed: Duration) -> Ran {
        let mut ran = Ran::default();
        ran.latencies.add(elapsed);
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
            let elapsed = begun.elapsed();
            ran.latencies.add(elapsed);
            ran.elapsed += elapsed;
        }
        Ok(ran)
    }

    pub(super) fn per_second(&self) -> f64 {
        self.latencies.count() as f64 / self.elapsed.as_secs_f64()
    }

    pub(super) fn latencies(&self) -> &Latencies {
        &self.latencies
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
            all.latencies.merge(&thread.map_err(|_| "a thread panicked")??);
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
) -> Result<Latencies> {
    let mut latencies = Latencies::default();
    let begun = Instant::now();
    let mut at = begun;
    while at - begun < time && step(&mut *session, &mut random)?.is_some() {
        let now = Instant::now();
        latencies.add(now - at);
        at = now;
    }
    Ok(latencies)
}
