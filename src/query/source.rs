//! What a query is asked of: a collection, or a transaction's view of one.

use crate::{document::Document, names::DocumentId, snapshot::Collection, sync::Arc};

/// A document with its id.
pub(super) type Found<'a> = (&'a DocumentId, &'a Arc<Document>);

/// Documents to ask: those of a committed collection, with a transaction's own writes over them;
/// there are none of these unless the source says so.
pub trait Source {
    /// The committed documents with their indexes; none where the collection does not exist.
    fn base(&self) -> Option<&Collection>;

    /// The documents that the transaction itself wrote, in the order of ids.
    fn own(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_> {
        Box::new(std::iter::empty())
    }

    /// True when the transaction itself wrote or deleted the document: the committed one does not
    /// count then.
    fn overwrites(&self, _id: &DocumentId) -> bool {
        false
    }

    /// True when the transaction itself wrote nothing here.
    fn is_committed(&self) -> bool {
        true
    }

    /// One document.
    fn get(&self, id: &str) -> Option<(DocumentId, Arc<Document>)>;

    /// All documents in the order of their ids.
    fn documents(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_> {
        let stored = self.base().into_iter().flat_map(|base| base.documents());
        if self.is_committed() {
            return Box::new(stored);
        }
        let kept = stored.filter(|(id, _)| !self.overwrites(id));
        Box::new(merge(kept, self.own(), |(one, _), (two, _)| one < two))
    }
}

impl Source for Collection {
    fn base(&self) -> Option<&Collection> {
        Some(self)
    }

    fn get(&self, id: &str) -> Option<(DocumentId, Arc<Document>)> {
        let (id, document) = self.get_key_value(id)?;
        Some((id.clone(), Arc::clone(document)))
    }
}

/// The source that a collection which does not exist is.
pub(crate) struct Nothing;

impl Source for Nothing {
    fn base(&self) -> Option<&Collection> {
        None
    }

    fn get(&self, _id: &str) -> Option<(DocumentId, Arc<Document>)> {
        None
    }
}

/// Merges two sequences in the same order; `before` says that the first comes first.
pub(super) fn merge<T>(
    one: impl Iterator<Item = T>,
    two: impl Iterator<Item = T>,
    before: impl Fn(&T, &T) -> bool,
) -> impl Iterator<Item = T> {
    let (mut one, mut two) = (one.peekable(), two.peekable());
    std::iter::from_fn(move || match (one.peek(), two.peek()) {
        (Some(a), Some(b)) if before(a, b) => one.next(),
        (Some(_), None) => one.next(),
        (Some(_) | None, Some(_)) => two.next(),
        (None, None) => None,
    })
}
