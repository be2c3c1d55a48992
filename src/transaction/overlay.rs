//! A transaction's own writes, laid over its snapshot.
//!
//! It is made of persistent maps, so that a savepoint is a copy that costs nothing.

use im::OrdMap;

use crate::{
    document::Document,
    error::{Error, Result},
    limits,
    names::{CollectionName, DocumentId, Sought},
    query::Source,
    snapshot::{CatalogChange, Collection},
    sync::Arc,
    update::Update,
};

/// The writes of a transaction by collection and document.
#[derive(Clone, Default)]
pub struct Overlay {
    collections: OrdMap<CollectionName, CollectionOverlay>,
    bytes: u64,
}

/// The writes to one collection.
#[derive(Clone, Default)]
pub(super) struct CollectionOverlay {
    pub(super) catalog: Option<CatalogChange>,
    pub(super) documents: OrdMap<DocumentId, Pending>,
}

/// What shall become of one document.
#[derive(Clone)]
pub enum Pending {
    /// It gets this content.
    Put(Arc<Document>),
    /// It goes.
    Delete,
    /// These updates are applied to what is there at commit. Nothing was read for them.
    Updates(Arc<[Update]>),
}

/// A collection of the snapshot with the writes over it, every update settled.
pub(super) struct View<'a> {
    pub(super) base: Option<&'a Collection>,
    pub(super) writes: OrdMap<DocumentId, Pending>,
}

impl Pending {
    /// The document, where its content is settled.
    pub(super) fn document(&self) -> Option<&Arc<Document>> {
        match self {
            Pending::Put(document) => Some(document),
            Pending::Delete | Pending::Updates(_) => None,
        }
    }

    /// What this makes of a stored document.
    pub(super) fn over(&self, stored: Option<&Arc<Document>>) -> Result<Option<Arc<Document>>> {
        match (self, stored) {
            (Pending::Put(document), _) => Ok(Some(Arc::clone(document))),
            (Pending::Delete, _) | (Pending::Updates(_), None) => Ok(None),
            (Pending::Updates(updates), Some(stored)) => apply_all(updates, stored).map(Some),
        }
    }
}

impl CollectionOverlay {
    fn is_dropped(&self) -> bool {
        self.catalog == Some(CatalogChange::Drop)
    }
}

impl Overlay {
    /// True when nothing is written.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }

    /// The bytes of document text written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The collections written, in the order of names.
    pub fn collections(&self) -> impl Iterator<Item = &CollectionName> {
        self.collections.keys()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&CollectionName, &CollectionOverlay)> {
        self.collections.iter()
    }

    /// What shall become of a document, if it is written.
    pub(super) fn get(&self, collection: &CollectionName, id: &DocumentId) -> Option<&Pending> {
        self.collections.get(collection)?.documents.get(id)
    }

    /// A document as these writes leave it over the stored one. An update that does not fit it
    /// leaves it as it is.
    pub fn over(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        stored: Option<&Arc<Document>>,
    ) -> Option<Arc<Document>> {
        match self.get(collection, id) {
            _ if self.drops(collection) => None,
            Some(pending) => pending.over(stored).unwrap_or_else(|_| stored.cloned()),
            None => stored.cloned(),
        }
    }

    /// The writes to a collection, as a copy that shares them.
    pub(super) fn documents(&self, collection: &CollectionName) -> OrdMap<DocumentId, Pending> {
        self.collections.get(collection).map(|own| own.documents.clone()).unwrap_or_default()
    }

    /// Notes a write. A collection that is dropped takes none.
    pub(super) fn write(
        &mut self,
        collection: &CollectionName,
        id: &DocumentId,
        pending: Pending,
    ) -> Result<()> {
        let bytes = self.bytes + footprint(&pending);
        if bytes > limits::TRANSACTION_BYTES_MAX as u64 {
            self.check_not_dropped(collection)?;
            // What is written over an own write takes its place; mostly there is none to look for.
            let actual = bytes - self.get(collection, id).map_or(0, footprint);
            if actual > limits::TRANSACTION_BYTES_MAX as u64 {
                return Err(Error::LimitExceeded {
                    what: "the number of bytes that a transaction writes",
                    max: limits::TRANSACTION_BYTES_MAX as u64,
                    actual,
                });
            }
        }
        let own = self.collection_mut(collection);
        if own.is_dropped() {
            return Err(Error::CollectionNotFound { collection: collection.clone() });
        }
        let before = own.documents.insert(id.clone(), pending);
        self.bytes = bytes - before.as_ref().map_or(0, footprint);
        Ok(())
    }

    /// Notes a change to the list of collections. One that is dropped loses what was written to it,
    /// and cannot be made again by the same commit.
    pub(super) fn change_catalog(
        &mut self,
        collection: &CollectionName,
        change: CatalogChange,
    ) -> Result<()> {
        self.check_not_dropped(collection)?;
        let own = self.collection_mut(collection);
        own.catalog = Some(change);
        if change == CatalogChange::Drop {
            let written = std::mem::take(&mut own.documents);
            self.bytes -= written.values().map(footprint).sum::<u64>();
        }
        Ok(())
    }

    fn check_not_dropped(&self, collection: &CollectionName) -> Result<()> {
        match self.drops(collection) {
            true => Err(Error::CollectionNotFound { collection: collection.clone() }),
            false => Ok(()),
        }
    }

    /// Applies the updates of a document that still wait to what is stored. Where nothing is
    /// stored they go on waiting: the commit will say so.
    pub(super) fn settle(
        &mut self,
        collection: &CollectionName,
        id: &DocumentId,
        stored: Option<&Arc<Document>>,
    ) -> Result<()> {
        let (Some(Pending::Updates(updates)), Some(stored)) = (self.get(collection, id), stored)
        else {
            return Ok(());
        };
        let settled = apply_all(updates, stored)?;
        self.write(collection, id, Pending::Put(settled))
    }

    /// The documents of a collection whose updates still wait.
    pub(super) fn unsettled(&self, collection: &CollectionName) -> Vec<DocumentId> {
        let documents = self.collections.get(collection).map(|own| own.documents.iter());
        documents
            .into_iter()
            .flatten()
            .filter(|(_, pending)| matches!(pending, Pending::Updates(_)))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The documents that are written.
    pub(super) fn iter_documents(
        &self,
    ) -> impl Iterator<Item = (&CollectionName, &DocumentId, &Pending)> {
        self.collections.iter().flat_map(|(name, own)| {
            own.documents.iter().map(move |(id, pending)| (name, id, pending))
        })
    }

    /// True when a collection is dropped.
    pub(super) fn drops(&self, collection: &CollectionName) -> bool {
        self.collections.get(collection).is_some_and(CollectionOverlay::is_dropped)
    }

    fn collection_mut(&mut self, collection: &CollectionName) -> &mut CollectionOverlay {
        if !self.collections.contains_key(collection) {
            self.collections.insert(collection.clone(), CollectionOverlay::default());
        }
        self.collections.get_mut(collection).expect("it is there by now")
    }
}

/// Applies updates one after the other.
pub(super) fn apply_all(updates: &[Update], stored: &Arc<Document>) -> Result<Arc<Document>> {
    let mut document = Arc::clone(stored);
    for update in updates {
        document = Arc::new(update.apply(&document)?);
    }
    Ok(document)
}

fn footprint(pending: &Pending) -> u64 {
    match pending {
        Pending::Put(document) => document.json().len() as u64,
        Pending::Delete | Pending::Updates(_) => 0,
    }
}

impl Source for View<'_> {
    fn base(&self) -> Option<&Collection> {
        self.base
    }

    fn own(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_> {
        Box::new(self.writes.iter().filter_map(|(id, p)| p.document().map(|doc| (id, doc))))
    }

    fn overwrites(&self, id: &DocumentId) -> bool {
        self.writes.contains_key(id)
    }

    fn is_committed(&self) -> bool {
        self.writes.is_empty()
    }

    fn get(&self, id: &str) -> Option<(DocumentId, Arc<Document>)> {
        match self.writes.get_key_value(&Sought::new(id)) {
            Some((id, pending)) => Some((id.clone(), Arc::clone(pending.document()?))),
            None => Source::get(self.base?, id),
        }
    }
}
