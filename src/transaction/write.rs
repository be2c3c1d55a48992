//! The writes of a transaction. Each is buffered; nothing is visible to others before the commit.

use super::{Pending, Transaction};
use crate::{
    document::{Document, Draft},
    error::{Error, Result},
    names::{CollectionName, DocumentId},
    snapshot::{CatalogChange, CollectionOptions},
    sync::{Arc, mutant},
    update::{JsonPatch, MergePatch, Update},
    version::Version,
};

impl Transaction {
    /// Adds a document that must be absent; without an `_id` in the draft it gets a new one.
    ///
    /// # Errors
    ///
    /// [`Error::AlreadyExists`], [`Error::VersionMismatch`] against the draft's `_version`,
    /// [`Error::LimitExceeded`].
    pub fn insert(&self, collection: &CollectionName, draft: Draft) -> Result<DocumentId> {
        let id = draft.id().cloned().unwrap_or_else(DocumentId::generate);
        self.expect(collection, &id, draft.expected())?;
        if self.get(collection, &id)?.is_some() {
            return Err(Error::AlreadyExists { collection: collection.clone(), id });
        }
        self.store(collection, &id, draft)?;
        Ok(id)
    }

    /// Replaces a document that must be present.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`], [`Error::VersionMismatch`] against the draft's `_version`,
    /// [`Error::InvalidDocument`] when the draft has another `_id`, [`Error::LimitExceeded`].
    pub fn replace(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        draft: Draft,
    ) -> Result<()> {
        self.expect(collection, id, draft.expected())?;
        self.present(collection, id)?;
        self.store(collection, id, draft)
    }

    /// Writes a document whether it is there or not. Nothing is read for it, so at serializable
    /// isolation it conflicts with nobody.
    ///
    /// # Errors
    ///
    /// As [`Transaction::replace`], but that the document may be absent.
    pub fn put(&self, collection: &CollectionName, id: &DocumentId, draft: Draft) -> Result<()> {
        self.touch(collection)?;
        self.expect(collection, id, draft.expected())?;
        self.store(collection, id, draft)
    }

    /// Deletes a document and says whether it was there.
    ///
    /// # Errors
    ///
    /// As [`Transaction::get`].
    pub fn delete(&self, collection: &CollectionName, id: &DocumentId) -> Result<bool> {
        let present = self.get(collection, id)?.is_some();
        if present {
            self.state.borrow_mut().writes.write(collection, id, Pending::Delete)?;
        }
        Ok(present)
    }

    /// Applies a merge patch (RFC 7396) to a document that must be present.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`], [`Error::VersionMismatch`] against the patch's `_version`,
    /// [`Error::InvalidUpdate`] or [`Error::LimitExceeded`] when the result is no document.
    pub fn merge(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        patch: &MergePatch,
    ) -> Result<()> {
        self.expect(collection, id, patch.expected())?;
        let merged = patch.apply(&*self.present(collection, id)?)?;
        self.state.borrow_mut().writes.write(collection, id, Pending::Put(Arc::new(merged)))
    }

    /// Applies a JSON Patch (RFC 6902) to a document that must be present. The transaction now
    /// depends on the document.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`], [`Error::TestFailed`], [`Error::InvalidUpdate`] or
    /// [`Error::LimitExceeded`] as [`JsonPatch::apply`] has it.
    pub fn patch(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        patch: &JsonPatch,
    ) -> Result<()> {
        let patched = patch.apply(&*self.present(collection, id)?)?;
        self.state.borrow_mut().writes.write(collection, id, Pending::Put(Arc::new(patched)))
    }

    /// Applies update operators to a document that must be present at commit. Unless this
    /// transaction wrote the document before, nothing is read for it: it is applied at commit to
    /// what is there then, and concurrent counters do not conflict.
    ///
    /// # Errors
    ///
    /// [`Error::DocumentNotFound`] or [`Error::InvalidUpdate`], here when this transaction wrote
    /// the document, else from the commit.
    pub fn update(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        update: Update,
    ) -> Result<()> {
        self.touch(collection)?;
        let state = &mut *self.state.borrow_mut();
        let pending = match state.writes.get(collection, id) {
            None => Pending::Updates(Arc::new([update])),
            Some(Pending::Updates(earlier)) => {
                Pending::Updates(earlier.iter().cloned().chain([update]).collect())
            }
            Some(Pending::Put(document)) => Pending::Put(Arc::new(update.apply(document)?)),
            Some(Pending::Delete) => return Err(not_found(collection, id)),
        };
        state.writes.write(collection, id, pending)
    }

    /// Requires that the stored document has this version; zero requires that there is none.
    ///
    /// # Errors
    ///
    /// [`Error::VersionMismatch`].
    pub fn require_version(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        expected: Version,
    ) -> Result<()> {
        self.touch(collection)?;
        let found = self.snapshot.get_by_id(collection, id).map(|doc| doc.version());
        if !mutant("require_only_at_once") {
            self.state.borrow_mut().reads.document(collection, id, found);
        }
        if found.unwrap_or(Version::ZERO) == expected {
            return Ok(());
        }
        Err(Error::VersionMismatch {
            collection: collection.clone(),
            id: id.clone(),
            expected,
            found,
        })
    }

    /// Makes a collection. Whether it is there already is seen at commit.
    ///
    /// # Errors
    ///
    /// [`Error::LimitExceeded`] when the transaction touches too many,
    /// [`Error::CollectionNotFound`] when this transaction has dropped it.
    pub fn create_collection(
        &self,
        name: &CollectionName,
        options: CollectionOptions,
    ) -> Result<()> {
        self.touch(name)?;
        self.state.borrow_mut().writes.change_catalog(name, CatalogChange::Create(options))
    }

    /// Drops a collection with its documents, those that this transaction wrote among them. For
    /// this transaction it is empty from now on, and takes no write.
    ///
    /// # Errors
    ///
    /// As [`Transaction::create_collection`].
    pub fn drop_collection(&self, name: &CollectionName) -> Result<()> {
        self.touch(name)?;
        self.state.borrow_mut().writes.change_catalog(name, CatalogChange::Drop)
    }

    fn expect(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        expected: Option<Version>,
    ) -> Result<()> {
        expected.map_or(Ok(()), |expected| self.require_version(collection, id, expected))
    }

    fn present(&self, collection: &CollectionName, id: &DocumentId) -> Result<Arc<Document>> {
        self.get(collection, id)?.ok_or_else(|| not_found(collection, id))
    }

    fn store(&self, collection: &CollectionName, id: &DocumentId, draft: Draft) -> Result<()> {
        if draft.id().is_some_and(|own| own != id) {
            return Err(Error::InvalidDocument {
                pointer: "/_id".to_owned(),
                reason: format!("it is not {id}, which the request names"),
            });
        }
        let document = Arc::new(draft.into_document(id)?);
        self.state.borrow_mut().writes.write(collection, id, Pending::Put(document))
    }
}

fn not_found(collection: &CollectionName, id: &DocumentId) -> Error {
    Error::DocumentNotFound { collection: collection.clone(), id: id.clone() }
}
