//! What an ordered set of keys can do for a query: the ranges in which its filter's documents lie,
//! and the order in which they come.
//!
//! The paths of an index are bounded from the first on: as long as each is pinned to single values
//! the next one is in order behind it (the *equality prefix*), and the first one that is bounded by
//! a real range is the last that helps.
//!
//! A path that meets arrays is bounded by one part of the filter alone: two parts may hold for two
//! elements of an array, none of which lies in what both admit.

use super::reason::Disorder;
use crate::{
    document::{Direction, Interval, KeyRange, Path},
    filter::{Admitted, Conjunct, Exactness},
    query::Sort,
    snapshot::IndexPath,
};

/// Ranges that one look-up may have; a filter that asks for more is bounded by fewer paths.
const RANGES_MAX: usize = 10_000;

/// Where a query's documents lie among the keys of some paths.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bounds {
    /// In the order of keys, without overlap.
    pub(super) ranges: Vec<KeyRange>,
    /// How many leading paths have one value in all of it.
    pub(super) pinned: usize,
    /// How many leading paths the filter says something of.
    pub(super) bounded: usize,
    /// The parts of the filter that the ranges come from, by place.
    pub(super) used: Vec<usize>,
    /// The parts of the filter that every document in the ranges is known to pass, by place.
    pub(super) served: Vec<usize>,
}

impl Bounds {
    /// The bounds that a filter's parts give; `has_arrays` says of a path's place whether it meets
    /// arrays.
    pub(super) fn of(
        paths: &[IndexPath],
        conjuncts: &[Conjunct<'_>],
        has_arrays: impl Fn(usize) -> bool,
    ) -> Bounds {
        let mut bounds = Bounds {
            ranges: Vec::new(),
            pinned: 0,
            bounded: 0,
            used: Vec::new(),
            served: Vec::new(),
        };
        let mut prefixes = vec![Vec::new()];
        for (place, IndexPath { path, direction }) in paths.iter().enumerate() {
            let Some(left) = admitted(path, conjuncts, has_arrays(place)) else { break };
            let Left { intervals, used, served } = left;
            if prefixes.len().saturating_mul(intervals.len()) > RANGES_MAX {
                break;
            }
            bounds.bounded += 1;
            bounds.used.extend(used);
            bounds.served.extend(served);
            if !intervals.iter().all(Interval::is_point) {
                return bounds.with_ranges(expand(&prefixes, &intervals, *direction));
            }
            let pinned_so_far = bounds.pinned == place && intervals.len() == 1;
            bounds.pinned += usize::from(pinned_so_far);
            let ranges = expand(&prefixes, &intervals, *direction);
            prefixes = ranges.into_iter().map(|range| range.start).collect();
        }
        let ranges =
            prefixes.iter().map(|prefix| Interval::all().range(prefix, Direction::Ascending));
        let ranges = ranges.collect();
        bounds.with_ranges(ranges)
    }

    fn with_ranges(self, mut ranges: Vec<KeyRange>) -> Bounds {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by(|one, two| one.start.cmp(&two.start));
        Bounds { ranges, ..self }
    }

    /// The direction in which the keys come in an order, ties by id included; else what is in the
    /// way.
    pub(super) fn order(&self, paths: &[IndexPath], sort: &Sort) -> Result<Reading, Disorder> {
        let is_pinned =
            |path: &Path| paths.iter().take(self.pinned).any(|pinned| pinned.path == *path);
        let mut open = paths.iter().enumerate().skip(self.pinned).peekable();
        let mut reading: Option<Direction> = None;
        for (place, part) in sort.parts.iter().enumerate() {
            if is_pinned(&part.path) {
                continue;
            }
            match open.peek() {
                Some((_, next)) if next.path == part.path => {
                    let wanted = relative(next.direction, part.direction);
                    if reading.is_some_and(|reading| reading != wanted) {
                        return Err(Disorder::Directions);
                    }
                    reading = Some(wanted);
                    open.next();
                    if part.path.as_str() == "_id" {
                        return Ok(Reading::Straight(wanted));
                    }
                }
                None if part.path.as_str() == "_id" => {
                    let direction = reading.unwrap_or(part.direction);
                    return match direction == part.direction {
                        true => Ok(Reading::Straight(direction)),
                        false => Err(Disorder::AscendingIds),
                    };
                }
                next => {
                    let path = next.map(|(path, _)| *path);
                    return Err(Disorder::Wants { part: place, path });
                }
            }
        }
        match (open.peek(), reading) {
            (Some((path, _)), _) => Err(Disorder::GoesOn { path: *path }),
            (None, Some(Direction::Descending)) => Ok(Reading::BackwardsByGroup),
            (None, Some(Direction::Ascending) | None) => {
                Ok(Reading::Straight(Direction::Ascending))
            }
        }
    }
}

/// How keys are read so that they come in a query's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) enum Reading {
    /// From one end to the other.
    Straight(Direction),
    /// From the end, but those of one key forwards: ids ascend in every order.
    BackwardsByGroup,
}

fn relative(one: Direction, two: Direction) -> Direction {
    if one == two { Direction::Ascending } else { Direction::Descending }
}

/// What the filter leaves of a path.
struct Left {
    intervals: Vec<Interval>,
    used: Vec<usize>,
    served: Vec<usize>,
}

fn admitted(path: &Path, conjuncts: &[Conjunct<'_>], has_arrays: bool) -> Option<Left> {
    let of_path = conjuncts.iter().enumerate().filter(|(_, part)| part.path() == Some(path));
    let mut parts = of_path.filter_map(|(place, part)| Some((place, part.admitted()?)));
    if has_arrays {
        let (place, best) = parts.min_by_key(|(_, admitted)| breadth(admitted))?;
        let served = (best.exact == Exactness::Exact).then_some(place).into_iter().collect();
        return Some(Left { intervals: best.intervals, used: vec![place], served });
    }
    let (place, first) = parts.next()?;
    let is_exact = |admitted: &Admitted| admitted.exact != Exactness::Superset;
    let served = is_exact(&first).then_some(place).into_iter().collect();
    let mut left = Left { intervals: first.intervals, used: vec![place], served };
    for (place, next) in parts {
        left.used.push(place);
        left.served.extend(is_exact(&next).then_some(place));
        left.intervals = Interval::intersect(&left.intervals, &next.intervals);
    }
    Some(left)
}

/// How little a part says: points say more than ranges, few more than many.
fn breadth(admitted: &Admitted) -> (bool, usize) {
    (!admitted.intervals.iter().all(Interval::is_point), admitted.intervals.len())
}

fn expand(prefixes: &[Vec<u8>], intervals: &[Interval], direction: Direction) -> Vec<KeyRange> {
    let ranges = prefixes
        .iter()
        .flat_map(|prefix| intervals.iter().map(move |interval| interval.range(prefix, direction)));
    ranges.collect()
}
