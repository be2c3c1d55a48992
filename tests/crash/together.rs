//! Commits of several threads at once, and the orders in which they may have happened.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use monsterdb::{Durability, Error, Result, Version, storage::OperationKind};

use crate::workload::{Place, Run, Write, commit};

/// Operations that the log holds of each: a document of its own, and the counter of all.
const OPERATIONS: u64 = 2;

/// How often it is looked whether all have their numbers. Some wait for the disk before that, so
/// this may be in vain.
const PATIENCE: u32 = 20_000;

/// What several threads were told.
pub(crate) struct Together {
    /// By their places.
    pub(crate) outcomes: Vec<Result<Version>>,
    /// The log took several of them in one write.
    pub(crate) shared_a_write: bool,
}

impl Together {
    /// Commits in a thread each. No sync ends before all have their numbers, if they get any.
    pub(crate) fn perform(run: &Run, number: u64, durabilities: &[Durability]) -> Together {
        let (db, storage) = (run.db(), &run.storage);
        let numbered = || db.status().logged.operations / OPERATIONS;
        let all = db.status().logged.operations + durabilities.len() as u64 * OPERATIONS;
        let (failed, begun) = (AtomicU64::new(0), storage.operations_of(OperationKind::Write));
        storage.hold_syncs();
        let outcomes: Vec<Result<Version>> = thread::scope(|scope| {
            let (failed, numbered) = (&failed, &numbered);
            let begin = |(place, durability): (usize, &Durability)| {
                let (writes, durability) = (Together::writes(number, place), *durability);
                scope.spawn(move || {
                    let outcome = commit(db, durability, &writes);
                    failed.fetch_add(u64::from(outcome.is_err()), Ordering::Relaxed);
                    outcome
                })
            };
            let threads: Vec<_> = durabilities.iter().enumerate().map(begin).collect();
            for _ in 0..PATIENCE {
                if numbered() + failed.load(Ordering::Relaxed) >= all / OPERATIONS {
                    break;
                }
                thread::yield_now();
            }
            storage.release_syncs();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let writes = storage.operations_of(OperationKind::Write) - begun;
        let acknowledged = outcomes.iter().flatten().count() as u64;
        Together { outcomes, shared_a_write: acknowledged > writes }
    }

    /// What the one at a place writes.
    pub(crate) fn writes(number: u64, place: usize) -> [Write; 3] {
        let own = Place::named(&format!("counters/{number}-{place}"));
        let all = Write::Increment(Place::named("counters/n"));
        [Write::Put(own.clone(), 100), Write::Increment(own), all]
    }

    /// True when everyone was told what became of it.
    pub(crate) fn is_known(&self) -> bool {
        !self.outcomes.iter().any(|told| matches!(told, Err(Error::OutcomeUnknown { .. })))
    }

    /// The highest version that somebody was told.
    pub(crate) fn acknowledged(&self) -> Version {
        self.outcomes.iter().flatten().copied().max().unwrap_or_default()
    }

    /// Every order that fits the versions that were told, of those that may have happened.
    pub(crate) fn orders(&self, before: Version) -> Vec<Vec<usize>> {
        let may_have_happened = |place: &usize| {
            matches!(self.outcomes[*place], Ok(_) | Err(Error::OutcomeUnknown { .. }))
        };
        let places: Vec<usize> = (0..self.outcomes.len()).filter(may_have_happened).collect();
        let fits = |order: &Vec<usize>| {
            (before.get() + 1..).zip(order).all(|(version, place)| {
                self.outcomes[*place].as_ref().map_or(true, |told| told.get() == version)
            })
        };
        let orders: Vec<_> = permutations(&places).into_iter().filter(fits).collect();
        assert!(!orders.is_empty(), "after {before}: {:?}", self.outcomes);
        orders
    }
}

fn permutations(places: &[usize]) -> Vec<Vec<usize>> {
    if places.is_empty() {
        return vec![Vec::new()];
    }
    let beginning_with = |first: &usize| {
        let first = *first;
        let rest: Vec<usize> = places.iter().copied().filter(|place| *place != first).collect();
        permutations(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
    };
    places.iter().flat_map(beginning_with).collect()
}
