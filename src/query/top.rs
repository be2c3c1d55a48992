//! Putting documents in order when no index does: all of them, or the first so many by a heap.
//!
//! Invariant: what is held is counted, and never more than the query may hold; nothing is spilled.

use std::collections::BinaryHeap;

use super::{Query, SortKey, invalid, source::Found};
use crate::error::Result;

/// The first documents of a query's order among those that were offered.
pub(super) struct Top<'q, 'a> {
    query: &'q Query,
    limit: usize,
    /// The last of them on top.
    held: BinaryHeap<Held<'a>>,
    bytes: usize,
    scratch: Vec<u8>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Held<'a> {
    key: SortKey,
    found: Place<'a>,
}

/// A document that is compared by its id, which no other document has.
struct Place<'a>(Found<'a>);

impl<'q, 'a> Top<'q, 'a> {
    pub(super) fn new(query: &'q Query) -> Top<'q, 'a> {
        let limit = query.consumption().unwrap_or(usize::MAX);
        Top { query, limit, held: BinaryHeap::new(), bytes: 0, scratch: Vec::new() }
    }

    /// Takes a document if it is among the first.
    pub(super) fn offer(&mut self, found: Found<'a>) -> Result<()> {
        self.query.sort.write_key(found.1, &mut self.scratch);
        if self.held.len() >= self.limit {
            let last = self.held.peek().map(|last| (last.key.as_bytes(), last.found.0.0));
            if last.is_none_or(|last| (&*self.scratch, found.0) >= last) {
                return Ok(());
            }
        }
        self.hold(Held { key: SortKey::from_bytes(&self.scratch), found: Place(found) })
    }

    /// Takes what another one holds.
    pub(super) fn merge(&mut self, other: Top<'q, 'a>) -> Result<()> {
        other.held.into_iter().try_for_each(|held| self.hold(held))
    }

    /// The documents, in order.
    pub(super) fn finish(self) -> Vec<Found<'a>> {
        self.held.into_sorted_vec().into_iter().map(|held| held.found.0).collect()
    }

    fn hold(&mut self, held: Held<'a>) -> Result<()> {
        self.bytes += held.bytes();
        self.held.push(held);
        if self.held.len() > self.limit {
            self.bytes -= self.held.pop().map_or(0, |last| last.bytes());
        }
        let max = self.query.sort_bytes;
        match self.bytes > max {
            true => Err(invalid(format!(
                "the sort by {} would hold more than {max} bytes; narrow the filter, set a limit, \
                 or make an index that gives the order",
                self.query.sort
            ))),
            false => Ok(()),
        }
    }
}

impl Held<'_> {
    fn bytes(&self) -> usize {
        self.key.bytes() + size_of::<Place<'_>>()
    }
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Place<'_>) -> bool {
        self.0.0 == other.0.0
    }
}

impl Eq for Place<'_> {}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Place<'_>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Place<'_>) -> std::cmp::Ordering {
        self.0.0.cmp(other.0.0)
    }
}
