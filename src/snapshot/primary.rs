//! The primary key as an index: ids in the order of keys.
//!
//! The map of documents is ordered by id, and ids are ordered as their encodings are, so a range of
//! keys on `_id` is a range of the map. The encoding is only compared with, never made.

use std::cmp::Ordering;

use super::Collection;
use crate::{
    document::{Document, KeyRange, key},
    names::DocumentId,
    sync::Arc,
};

/// A place between ids: in front of every id whose encoding is not below these bytes.
struct Place<'a>(&'a [u8]);

impl Collection {
    /// The documents whose ids, as keys, lie in a range.
    ///
    /// # Complexity
    ///
    /// O(log documents) to begin, then O(1) each.
    pub(crate) fn range<'a>(
        &'a self,
        range: &KeyRange,
    ) -> impl DoubleEndedIterator<Item = (&'a DocumentId, &'a Arc<Document>)> + use<'a> {
        self.documents.range(&Place(&range.start), range.end.as_deref().map(Place).as_ref())
    }
}

impl equivalent::Equivalent<DocumentId> for Place<'_> {
    fn equivalent(&self, _id: &DocumentId) -> bool {
        false
    }
}

impl equivalent::Comparable<DocumentId> for Place<'_> {
    fn compare(&self, id: &DocumentId) -> Ordering {
        // A place that is no whole encoding is in front of all that begin with it.
        let encoding = key::text_encoding(id.as_str());
        self.0.iter().copied().cmp(encoding).then(Ordering::Less)
    }
}
