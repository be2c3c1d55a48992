//! Counting the keys of candidates side by side until one is known to be the cheapest.

use super::candidate::{Candidate, Needs};
use crate::snapshot::Collection;

/// How far every candidate is counted at first.
const FIRST_STEP: u64 = 64;

/// Each step goes so many times as far as the one before.
const STEP_FACTOR: u64 = 4;

/// Counts as much as is needed, and returns the place of the cheapest candidate. There is at least
/// one that can be used.
///
/// A candidate that is known to read no more than the limit, and to be no dearer with that than what
/// all others are known to cost, is taken without counting.
pub(super) fn cheapest<'a>(
    candidates: &mut [Candidate<'a>],
    base: &'a Collection,
    needs: &Needs<'_>,
) -> usize {
    spare(candidates, needs);
    let mut counters: Vec<_> =
        candidates.iter().map(|candidate| candidate.access.keys(base)).collect();
    let mut step = FIRST_STEP;
    loop {
        for (candidate, counter) in candidates.iter_mut().zip(&mut counters) {
            let is_open = candidate.unusable.is_none() && !candidate.is_counted;
            let enough = candidate.keys_wanted(needs).unwrap_or(u64::MAX);
            while is_open && candidate.keys < step.min(enough) && !candidate.is_counted {
                match counter.next() {
                    Some(()) => candidate.keys += 1,
                    None => candidate.is_counted = true,
                }
            }
            candidate.is_counted |= is_open && candidate.keys >= enough;
        }
        if let Some(chosen) = decided(candidates, needs) {
            if let Some(candidate) = candidates.get_mut(chosen) {
                candidate.is_chosen = true;
            }
            return chosen;
        }
        step *= STEP_FACTOR;
    }
}

/// Spares the only candidate that is not counted yet the counting, when it reads no more than the
/// limit and is the cheapest with as much as that.
fn spare(candidates: &mut [Candidate<'_>], needs: &Needs<'_>) {
    let usable = || candidates.iter().enumerate().filter(|(_, c)| c.unusable.is_none());
    let mut open = usable().filter(|(_, candidate)| !candidate.is_counted);
    let (Some((place, candidate)), None) = (open.next(), open.next()) else { return };
    let Some(keys) = candidate.keys_wanted(needs) else { return };
    let others = || usable().filter(|(other, _)| *other != place).map(|(_, other)| other);
    let matches = others().map(|other| other.keys).fold(keys, u64::min);
    let most = candidate.estimate(keys, needs, matches);
    if others().all(|other| most <= other.estimate(other.keys, needs, matches)) {
        candidates[place].know(keys);
    }
}

/// The cheapest one, once nothing that is still counted can turn out cheaper.
fn decided(candidates: &mut [Candidate<'_>], needs: &Needs<'_>) -> Option<usize> {
    let usable = || candidates.iter().filter(|candidate| candidate.unusable.is_none());
    let counted = usable().filter(|candidate| candidate.is_counted);
    let matches = counted.map(|candidate| candidate.keys).min().unwrap_or(needs.documents);
    let only = usable().count() == 1;
    for candidate in &mut *candidates {
        candidate.cost = candidate.estimate(candidate.keys, needs, matches);
    }
    let usable = candidates.iter().enumerate().filter(|(_, c)| c.unusable.is_none());
    let (chosen, best) = usable.min_by_key(|(_, c)| (c.cost, !c.is_counted))?;
    (best.is_counted || only).then_some(chosen)
}
