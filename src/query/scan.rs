//! Walking all documents of a large collection on two processors.
//!
//! One thread walks from the first document, one from the last, until they meet in the middle: the
//! map need not be cut, and each sees its half in order.

use super::{deadline::Deadline, source::Found};
#[cfg(not(loom))]
use crate::sync::thread;
use crate::{document::Document, filter::Filter, snapshot::Collection, sync::processors};

/// Smaller collections are walked sooner than a thread is started.
const DOCUMENTS_MIN: usize = 8192;

/// True when two threads walk the collection faster than one.
pub(super) fn is_large(base: &Collection) -> bool {
    base.count() >= DOCUMENTS_MIN && processors() > 1
}

/// Gives the matching documents of each half to a function: the first half from the front, the
/// second from the back.
pub(super) fn halves<'a, R: Send>(
    base: &'a Collection,
    filter: Option<&Filter>,
    deadline: &Deadline,
    each: impl Fn(&mut dyn Iterator<Item = Found<'a>>) -> R + Sync,
) -> (R, R) {
    let matches = |(_, document): &Found<'a>| passes(filter, document);
    let front = base.count() / 2;
    let back = base.count() - front;
    let first =
        || each(&mut base.documents().take(front).take_while(deadline.guard()).filter(matches));
    let second = || {
        each(&mut base.documents().rev().take(back).take_while(deadline.guard()).filter(matches))
    };
    #[cfg(loom)]
    return (first(), second());
    #[cfg(not(loom))]
    thread::scope(|scope| {
        let second = scope.spawn(second);
        let first = first();
        match second.join() {
            Ok(second) => (first, second),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// True when there is nothing to test, or the document passes.
pub(super) fn passes(filter: Option<&Filter>, document: &Document) -> bool {
    filter.is_none_or(|filter| filter.matches(document))
}
