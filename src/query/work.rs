//! What answering a query took, noted while it is answered: for whoever wants to tell of slow ones
//! without running them again.

use std::fmt;

use super::{
    access::{Access, Examined, Scan},
    plan::{Plan, Purpose, Reading},
};
use crate::{
    document::Direction,
    sync::{Arc, Counter, OnceLock},
};

/// The notes on one query ([`Query::noted_in`](super::Query::noted_in)).
#[derive(Default)]
pub struct Work {
    plan: OnceLock<String>,
    keys: Counter,
    documents: Counter,
    returned: Counter,
}

impl Work {
    /// How the query was answered: what was read, and whether that had to be put in order. Names
    /// of indexes are in it, and nothing of documents. Empty when it was not planned.
    pub fn plan(&self) -> &str {
        self.plan.get().map_or("", String::as_str)
    }

    /// Keys that were read.
    pub fn keys_examined(&self) -> u64 {
        self.keys.get()
    }

    /// Documents that were read, be it to test or to return them.
    pub fn documents_examined(&self) -> u64 {
        self.documents.get()
    }

    /// Documents that the query found, or counted.
    pub fn documents_returned(&self) -> u64 {
        self.returned.get()
    }

    /// Notes the plan, before it runs.
    pub(super) fn note_plan(&self, plan: Option<&Plan<'_>>, purpose: Purpose) {
        self.plan.get_or_init(|| match plan {
            Some(plan) if !plan.is_ordered && purpose == Purpose::Documents => {
                format!("{}, sorted", Shown(&plan.access))
            }
            Some(plan) => Shown(&plan.access).to_string(),
            None => "nothing".to_owned(),
        });
    }

    /// Notes a look at the one document that a filter names.
    pub(super) fn note_point(&self, is_found: bool, is_returned: bool) {
        self.plan.get_or_init(|| "point".to_owned());
        self.keys.add(u64::from(is_found));
        self.documents.add(u64::from(is_found));
        self.returned.add(u64::from(is_returned));
    }

    /// Notes what was read and found.
    pub(super) fn note_answer(&self, examined: &Examined, returned: usize) {
        self.keys.add(examined.keys.get());
        self.documents.add(examined.documents.get());
        self.returned.add(returned as u64);
    }
}

/// Where a query's notes go, if anywhere. It is no part of what is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(pub(super) Option<Arc<Work>>);

impl Notes {
    /// The notes to write to, if anybody wants them.
    pub(super) fn get(&self) -> Option<&Work> {
        self.0.as_deref()
    }
}

impl PartialEq for Notes {
    fn eq(&self, _: &Notes) -> bool {
        true
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("plan", &self.plan())
            .field("keys_examined", &self.keys_examined())
            .field("documents_examined", &self.documents_examined())
            .field("documents_returned", &self.documents_returned())
            .finish()
    }
}

/// An access in words.
struct Shown<'a, 'b>(&'a Access<'b>);

impl fmt::Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = |scan: &Scan| match scan.reading {
            Reading::Straight(Direction::Ascending) => "",
            Reading::Straight(Direction::Descending) | Reading::BackwardsByGroup => " backwards",
        };
        match self.0 {
            Access::Nothing => f.write_str("nothing"),
            Access::Primary(scan) if scan.is_whole() => {
                write!(f, "all documents{}", direction(scan))
            }
            Access::Primary(scan) => write!(f, "index _id{}", direction(scan)),
            Access::Index(index, scan) => write!(f, "index {}{}", index.name(), direction(scan)),
            Access::Union(parts) => {
                f.write_str("union of ")?;
                for (place, part) in parts.iter().enumerate() {
                    write!(f, "{}{}", if place > 0 { " and " } else { "" }, Shown(part))?;
                }
                Ok(())
            }
        }
    }
}
