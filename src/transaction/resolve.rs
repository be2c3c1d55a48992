//! Turning a transaction's writes into contents, against the state they will be applied to.
//!
//! A pure function of its arguments: no clock, no chance, no configuration.

use std::collections::BTreeMap;

use super::{
    Overlay, Pending,
    overlay::{CollectionOverlay, apply_all},
};
use crate::{
    document::Document,
    error::{Error, Result},
    limits,
    names::{CollectionName, DocumentId},
    snapshot::{
        CatalogChange, Collection, CollectionOptions, CollectionWrites, Snapshot, WriteSet,
    },
    sync::Arc,
};

impl Overlay {
    /// What these writes make of a state. Updates are applied to what is there; a write that
    /// changes nothing is left out; the first document brings its collection into being.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`] or [`Error::InvalidUpdate`] for an update that does not fit,
    /// [`Error::CollectionNotFound`] or [`Error::CollectionExists`] for a catalog change,
    /// [`Error::LimitExceeded`] when the result is too large.
    pub fn resolve(&self, state: &Snapshot) -> Result<WriteSet> {
        let mut writes = WriteSet::default();
        let mut bytes = 0;
        for (name, own) in self.iter() {
            let current = state.collection(name.as_str()).map(|collection| &**collection);
            let resolved = own.resolve(name, current)?;
            bytes +=
                resolved.documents.values().flatten().map(|doc| doc.json().len()).sum::<usize>();
            writes.insert(name.clone(), resolved);
        }
        match bytes > limits::TRANSACTION_BYTES_MAX {
            true => Err(Error::LimitExceeded {
                what: "the number of bytes that a transaction writes",
                max: limits::TRANSACTION_BYTES_MAX as u64,
                actual: bytes as u64,
            }),
            false => Ok(writes),
        }
    }
}

impl CollectionOverlay {
    fn resolve(
        &self,
        name: &CollectionName,
        current: Option<&Collection>,
    ) -> Result<CollectionWrites> {
        let last = current.and_then(Collection::last_id);
        let resolve = |(id, pending): (&DocumentId, &Pending)| {
            // Ids that grow with time, as generated ones do, are seen to be new without a look-up.
            let current = current.filter(|_| last.is_some_and(|last| id <= last));
            let stored = current.and_then(|collection| collection.get_by_id(id));
            let write = resolve_document(name, id, pending, stored).transpose()?;
            Some(write.map(|write| (id.clone(), write)))
        };
        let mut writes = CollectionWrites {
            catalog: self.resolve_catalog(name, current)?,
            indexes: BTreeMap::new(),
            documents: self.documents.iter().filter_map(resolve).collect::<Result<_>>()?,
        };
        if current.is_none() && writes.catalog.is_none() && !writes.documents.is_empty() {
            writes.catalog = Some(CatalogChange::Create(CollectionOptions::default()));
        }
        Ok(writes)
    }

    fn resolve_catalog(
        &self,
        name: &CollectionName,
        current: Option<&Collection>,
    ) -> Result<Option<CatalogChange>> {
        match (self.catalog, current) {
            (Some(CatalogChange::Create(options)), Some(current)) => {
                if current.options() == options {
                    return Ok(None);
                }
                Err(Error::CollectionExists { collection: name.clone() })
            }
            (Some(CatalogChange::Drop), None) => {
                Err(Error::CollectionNotFound { collection: name.clone() })
            }
            (change, _) => Ok(change),
        }
    }
}

/// The write that changes a stored document as wished; none where it already is so.
fn resolve_document(
    collection: &CollectionName,
    id: &DocumentId,
    pending: &Pending,
    stored: Option<&Arc<Document>>,
) -> Result<Option<Option<Arc<Document>>>> {
    let wished = match (pending, stored) {
        (Pending::Put(document), _) => Some(Arc::clone(document)),
        (Pending::Delete, _) => None,
        (Pending::Updates(updates), Some(stored)) => Some(apply_all(updates, stored)?),
        (Pending::Updates(_), None) => {
            return Err(Error::DocumentNotFound { collection: collection.clone(), id: id.clone() });
        }
    };
    let same = stored.map(|document| document.json()) == wished.as_ref().map(|doc| doc.json());
    Ok((!same).then_some(wished))
}
