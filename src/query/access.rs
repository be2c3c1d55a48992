//! Reading the documents that a plan looks at, from the map of documents or from indexes.
//!
//! Invariant: a document comes at most once, and each key that is read is counted.

use std::{cell::Cell, collections::HashSet};

use super::{Query, deadline::Deadline, plan::Reading, source::Found};
use crate::{
    document::{Direction, Document, KeyRange, key},
    names::DocumentId,
    snapshot::{Collection, Index, IndexEntry},
    sync::Arc,
};

/// Where documents are read.
#[derive(Clone)]
pub(super) enum Access<'a> {
    /// Nowhere: the filter admits nothing.
    Nothing,
    /// In the map of documents, by id.
    Primary(Scan),
    /// In an index.
    Index(&'a Index, Scan),
    /// In several places, one after the other.
    Union(Vec<Access<'a>>),
}

/// Ranges of keys, and how they are read.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// In the order of keys, without overlap.
    pub(super) ranges: Vec<KeyRange>,
    /// From which end.
    pub(super) reading: Reading,
}

/// What was looked at to answer a query, and how long there is time for it.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) keys: Cell<u64>,
    pub(super) documents: Cell<u64>,
    pub(super) deadline: Deadline,
}

type Documents<'a> = Box<dyn Iterator<Item = Found<'a>> + 'a>;

impl Examined {
    /// Nothing yet, for an answer that begins now.
    pub(super) fn of(query: &Query) -> Examined {
        let (keys, documents) = Default::default();
        Examined { keys, documents, deadline: Deadline::of(query) }
    }

    /// Notes a key, and tells whether there is time for it.
    fn key(&self) -> bool {
        self.keys.set(self.keys.get() + 1);
        self.deadline.is_open(self.keys.get())
    }

    /// Notes a walk over all documents.
    pub(super) fn add_whole(&self, base: &Collection, is_tested: bool) {
        self.keys.set(self.keys.get() + base.count() as u64);
        let tested = if is_tested { base.count() as u64 } else { 0 };
        self.documents.set(self.documents.get() + tested);
    }

    pub(super) fn document(&self) {
        self.documents.set(self.documents.get() + 1);
    }
}

impl<'a> Access<'a> {
    /// True when it reads every document of the collection, in the order of ids.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Access::Primary(scan) => {
                scan.is_whole() && scan.reading == Reading::Straight(Direction::Ascending)
            }
            Access::Nothing | Access::Index(..) | Access::Union(_) => false,
        }
    }

    /// Leaves out ids up to this one, where ids are read in order, so that a page far behind the
    /// first costs no more than that.
    pub(super) fn begin_behind(&mut self, id: &DocumentId) {
        let Access::Primary(scan) = self else { return };
        if scan.reading != Reading::Straight(Direction::Ascending) {
            return;
        }
        let behind = key::successor(key::text_encoding(id.as_str()).collect());
        for range in &mut scan.ranges {
            range.start = std::mem::take(&mut range.start).max(behind.clone().unwrap_or_default());
        }
        scan.ranges.retain(|range| !range.is_empty());
    }

    /// The documents, in the order of the access.
    pub(super) fn documents(
        &'a self,
        base: &'a Collection,
        examined: &'a Examined,
    ) -> Documents<'a> {
        let once = distinct();
        match self {
            Access::Nothing => Box::new(std::iter::empty()),
            Access::Primary(scan) => Box::new(scan.ids(base).take_while(|_| examined.key())),
            Access::Index(index, scan) if index.is_multikey() => {
                let entries = scan.entries(index).take_while(|_| examined.key());
                Box::new(entries.map(|entry| (entry.id, entry.document)).filter(once))
            }
            Access::Index(index, scan) => {
                let entries = scan.entries(index).take_while(|_| examined.key());
                Box::new(entries.map(|entry| (entry.id, entry.document)))
            }
            Access::Union(parts) => {
                let each = parts.iter().flat_map(|part| part.documents(base, examined));
                Box::new(each.filter(once))
            }
        }
    }

    /// As many units as there are keys to read.
    pub(super) fn keys(&self, base: &'a Collection) -> Box<dyn Iterator<Item = ()> + 'a> {
        match self {
            Access::Nothing => Box::new(std::iter::empty()),
            Access::Primary(scan) => {
                let ranges = scan.ranges.clone().into_iter();
                Box::new(ranges.flat_map(|range| base.range(&range).map(drop)))
            }
            Access::Index(index, scan) => {
                let (index, ranges) = (*index, scan.ranges.clone().into_iter());
                Box::new(ranges.flat_map(|range| index.range(&range).map(drop)))
            }
            Access::Union(parts) => {
                let each: Vec<_> = parts.iter().map(|part| part.keys(base)).collect();
                Box::new(each.into_iter().flatten())
            }
        }
    }

    /// Notes in each index that it serves a query.
    pub(super) fn note_usage(&self) {
        match self {
            Access::Nothing | Access::Primary(_) => {}
            Access::Index(index, _) => index.note_usage(),
            Access::Union(parts) => parts.iter().for_each(Access::note_usage),
        }
    }
}

impl Scan {
    /// True when it is every key.
    pub(super) fn is_whole(&self) -> bool {
        self.ranges.len() == 1 && self.ranges.first() == Some(&KeyRange::all())
    }

    fn ids<'a>(&'a self, base: &'a Collection) -> Documents<'a> {
        match self.reading {
            Reading::Straight(Direction::Ascending) => {
                Box::new(self.ranges.iter().flat_map(|range| base.range(range)))
            }
            // Every id is a group of its own.
            Reading::Straight(Direction::Descending) | Reading::BackwardsByGroup => {
                Box::new(self.ranges.iter().rev().flat_map(|range| base.range(range).rev()))
            }
        }
    }

    fn entries<'a>(&'a self, index: &'a Index) -> Box<dyn Iterator<Item = IndexEntry<'a>> + 'a> {
        match self.reading {
            Reading::Straight(Direction::Ascending) => {
                Box::new(self.ranges.iter().flat_map(|range| index.range(range)))
            }
            Reading::Straight(Direction::Descending) => {
                Box::new(self.ranges.iter().rev().flat_map(|range| index.range(range).rev()))
            }
            Reading::BackwardsByGroup => {
                let groups = |range: &KeyRange| groups_backwards(index, range.clone()).flatten();
                Box::new(self.ranges.iter().rev().flat_map(groups))
            }
        }
    }
}

/// The entries of a range from the last key to the first, those of one key forwards.
///
/// One look at the last entry before the previous group tells the next group's key; then that group
/// is read from its beginning. So what is not asked for is not read, whatever a group's size.
fn groups_backwards<'a>(
    index: &'a Index,
    mut rest: KeyRange,
) -> impl Iterator<Item = impl Iterator<Item = IndexEntry<'a>>> {
    std::iter::from_fn(move || {
        let value = index.range(&rest).next_back()?.value;
        let group = KeyRange { start: value.as_bytes().to_vec(), end: rest.end.take() };
        rest.end = Some(group.start.clone());
        Some(index.range(&group).take_while(move |entry| entry.value == value))
    })
}

/// Lets each document pass once.
fn distinct<'a>() -> impl FnMut(&Found<'a>) -> bool {
    let mut seen: HashSet<*const Document> = HashSet::new();
    move |(_, document)| seen.insert(Arc::as_ptr(document))
}
