//! The state at a follower's position: what documents were before the next commit.
//!
//! Invariant: while there is a base, base and overlay together answer as the snapshot of the
//! position would. Without one nothing is known.

use std::collections::BTreeMap;

use super::Old;
use crate::{
    document::Document,
    limits::FEED_OLD_BYTES_MAX,
    names::{CollectionName, DocumentId},
    snapshot::{CatalogChange, Snapshot, WriteSet},
    sync::Arc,
    version::Version,
};

/// See the module's document.
#[derive(Default)]
pub(super) struct Before {
    base: Option<Arc<Snapshot>>,
    overlay: BTreeMap<CollectionName, Overlay>,
    /// Bytes of the documents in the overlay.
    bytes: usize,
}

/// What the records behind the base did to one collection.
#[derive(Default)]
struct Overlay {
    /// What the base has of the collection is no more.
    dropped: bool,
    documents: BTreeMap<DocumentId, Option<Arc<Document>>>,
}

impl Before {
    /// Begins from a state.
    pub(super) fn at(base: Arc<Snapshot>) -> Before {
        Before { base: Some(base), ..Before::default() }
    }

    /// The version of the state that it began from.
    pub(super) fn base(&self) -> Option<Version> {
        self.base.as_ref().map(|base| base.version())
    }

    /// A document as it is at the position.
    pub(super) fn document(&self, collection: &CollectionName, id: &DocumentId) -> Old {
        let Some(base) = &self.base else { return Old::Unknown };
        let overlay = self.overlay.get(collection);
        let document = match overlay.and_then(|overlay| overlay.documents.get(id)) {
            Some(written) => written.clone(),
            None if overlay.is_some_and(|overlay| overlay.dropped) => None,
            None => base.get_by_id(collection, id).cloned(),
        };
        document.map_or(Old::Absent, Old::Document)
    }

    /// Goes on to the state after these writes. When that takes too much memory, nothing is known
    /// any more.
    pub(super) fn absorb(&mut self, writes: &WriteSet) {
        if self.base.is_none() {
            return;
        }
        for (name, writes) in writes.iter().filter(|(name, _)| !name.is_reserved()) {
            let overlay = self.overlay.entry(name.clone()).or_default();
            match writes.catalog {
                Some(CatalogChange::Drop) => {
                    *overlay = Overlay { dropped: true, ..Overlay::default() };
                }
                Some(CatalogChange::Create(_)) | None => {}
            }
            for (id, document) in &writes.documents {
                let text = document.as_ref().map_or(0, |document| document.json().len());
                self.bytes += id.as_str().len() + text;
                overlay.documents.insert(id.clone(), document.clone());
            }
        }
        if self.bytes > FEED_OLD_BYTES_MAX {
            *self = Before::default();
        }
    }
}
