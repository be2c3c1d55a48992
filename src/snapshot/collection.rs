//! One collection of a snapshot: its documents by id, and its indexes.
//!
//! Invariant: every index holds exactly the keys of the documents (see [`super::index`]); the field
//! `bytes` is the sum over the documents, and every document's version is at most
//! `changed`.

use std::{collections::BTreeMap, fmt};

use im::ordmap::DiffItem;
use serde::{Deserialize, Serialize};

use super::{
    CatalogChange, CollectionWrites, Documents, Index, IndexChange, Unfit, filling::Filling,
};
use crate::{
    document::{Document, KeyBytes},
    limits,
    names::{CollectionName, DocumentId, IndexName, Sought},
    sync::{Arc, WriteOnce},
    version::Version,
};

/// What a collection's creator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CollectionOptions {
    /// Every write over HTTP has to name the version that it means to replace.
    pub require_preconditions: bool,
}

/// The documents of one collection at one version.
pub struct Collection {
    options: CollectionOptions,
    created: WriteOnce,
    changed: WriteOnce,
    pub(super) documents: Documents,
    bytes: u64,
    /// Sorted by name.
    indexes: Vec<Index>,
}

/// One document that differs between two versions of a collection.
pub struct Change<'a> {
    /// Which one.
    pub id: &'a DocumentId,
    /// Its content in the earlier version, if it was there.
    pub old: Option<&'a Arc<Document>>,
    /// Its content in the later version, if it is there.
    pub new: Option<&'a Arc<Document>>,
}

impl Collection {
    /// A collection as a checkpoint holds it. `documents` must be sorted by id.
    pub fn from_checkpoint(
        options: CollectionOptions,
        created: Version,
        changed: Version,
        documents: Vec<(DocumentId, Document)>,
    ) -> Collection {
        let bytes = documents.iter().map(|(id, document)| footprint(id, document)).sum();
        Collection {
            options,
            created: WriteOnce::new(created.get()),
            changed: WriteOnce::new(changed.get()),
            documents: filled(documents),
            bytes,
            indexes: Vec::new(),
        }
    }

    /// The same collection with indexes that were built or loaded for it. They must be sorted by
    /// name.
    pub fn with_indexes(self, indexes: Vec<Index>) -> Collection {
        Collection { indexes, ..self }
    }

    /// The same documents without indexes.
    pub(super) fn without_indexes(&self) -> Collection {
        let changed = WriteOnce::new(self.changed.get());
        Collection { changed, indexes: Vec::new(), ..self.successor() }
    }

    /// What its creator decided.
    pub fn options(&self) -> CollectionOptions {
        self.options
    }

    /// The commit that created it: another one after it was dropped and made anew.
    pub fn created(&self) -> Version {
        Version::new(self.created.get())
    }

    /// The last commit that changed it.
    pub fn changed(&self) -> Version {
        Version::new(self.changed.get())
    }

    /// How many documents it holds.
    pub fn count(&self) -> usize {
        self.documents.len()
    }

    /// The bytes of memory its documents and indexes take, by estimate.
    pub fn bytes(&self) -> u64 {
        self.bytes + self.indexes.iter().map(Index::bytes).sum::<u64>()
    }

    /// The part of [`Collection::bytes`] that is its documents.
    pub fn document_bytes(&self) -> u64 {
        self.bytes
    }

    /// Its indexes, in the order of their names.
    pub fn indexes(&self) -> &[Index] {
        &self.indexes
    }

    /// One of its indexes.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name().as_str() == name)
    }

    /// One document.
    ///
    /// # Complexity
    ///
    /// O(log documents).
    pub fn get(&self, id: &str) -> Option<&Arc<Document>> {
        self.documents.get(&Sought::new(id))
    }

    /// [`Collection::get`] by an id, which needs less work than by its text.
    pub fn get_by_id(&self, id: &DocumentId) -> Option<&Arc<Document>> {
        self.documents.get(id)
    }

    /// The greatest id.
    pub(crate) fn last_id(&self) -> Option<&DocumentId> {
        self.documents.get_max().map(|(id, _)| id)
    }

    /// One document with the id as the collection holds it.
    pub(crate) fn get_key_value(&self, id: &str) -> Option<(&DocumentId, &Arc<Document>)> {
        self.documents.get_key_value(&Sought::new(id))
    }

    /// All documents in the order of their ids.
    pub fn documents(&self) -> impl DoubleEndedIterator<Item = (&DocumentId, &Arc<Document>)> {
        self.documents.iter()
    }

    /// A successor with some writes, its version open; none when they drop the collection.
    pub(super) fn prepare(
        successor: Option<Collection>,
        name: &CollectionName,
        writes: &CollectionWrites,
    ) -> Result<Option<Collection>, Unfit> {
        let alone = writes.documents.is_empty() && writes.indexes.is_empty();
        let mut next = match (successor, &writes.catalog) {
            (Some(_), Some(CatalogChange::Drop)) if alone => return Ok(None),
            (None, Some(CatalogChange::Create(options))) => Collection::new(*options),
            (Some(successor), None) => successor,
            (Some(_), Some(CatalogChange::Create(_))) => {
                return Err(Unfit::new(format!("collection {name} is created but exists")));
            }
            (_, Some(CatalogChange::Drop)) => {
                let reason = format!("collection {name} is dropped but absent or written");
                return Err(Unfit::new(reason));
            }
            (None, None) => {
                return Err(Unfit::new(format!("collection {name} is written but absent")));
            }
        };
        for (index, change) in &writes.indexes {
            next.change_index(name, index, change)?;
        }
        next.write_all(name, &writes.documents)?;
        Ok(Some(next))
    }

    /// A collection that is the same but for its version, which is open.
    pub(super) fn successor(&self) -> Collection {
        Collection {
            options: self.options,
            created: WriteOnce::new(self.created.get()),
            changed: WriteOnce::default(),
            documents: self.documents.clone(),
            bytes: self.bytes,
            indexes: self.indexes.clone(),
        }
    }

    /// [`Collection::successor`] in place of a collection that may be nobody else's.
    pub(super) fn into_successor(current: Arc<Collection>) -> Collection {
        match Arc::try_unwrap(current) {
            Ok(current) => Collection { changed: WriteOnce::default(), ..current },
            Err(shared) => shared.successor(),
        }
    }

    /// Gives what was prepared its version.
    pub(super) fn stamp(&self, version: Version) {
        if self.created.get() == 0 {
            self.created.set(version.get());
        }
        self.changed.set(version.get());
    }

    /// The documents that differ between two versions, either of which may be absent.
    pub(super) fn changes<'a>(
        earlier: Option<&'a Collection>,
        later: Option<&'a Collection>,
    ) -> impl Iterator<Item = Change<'a>> + use<'a> {
        let both = match (earlier, later) {
            (Some(earlier), Some(later)) => Some(earlier.documents.diff(&later.documents)),
            (None, None) | (Some(_), None) | (None, Some(_)) => None,
        };
        let alone = both.is_none();
        let dropped = earlier.filter(|_| alone).into_iter().flat_map(|c| c.documents.iter());
        let created = later.filter(|_| alone).into_iter().flat_map(|c| c.documents.iter());
        both.into_iter()
            .flatten()
            .map(Change::from_difference)
            .chain(dropped.map(|(id, old)| Change { id, old: Some(old), new: None }))
            .chain(created.map(|(id, new)| Change { id, old: None, new: Some(new) }))
    }

    fn new(options: CollectionOptions) -> Collection {
        Collection {
            options,
            created: WriteOnce::default(),
            changed: WriteOnce::default(),
            documents: Documents::new(),
            bytes: 0,
            indexes: Vec::new(),
        }
    }

    fn change_index(
        &mut self,
        name: &CollectionName,
        index: &IndexName,
        change: &IndexChange,
    ) -> Result<(), Unfit> {
        let place = self.indexes.binary_search_by(|existing| existing.name().cmp(index));
        match (change, place) {
            (IndexChange::Create(definition, built), Err(place)) => {
                let built = match built {
                    Some(built) => (**built).clone(),
                    None => {
                        let (index, definition) = (index.clone(), Arc::clone(definition));
                        Index::build(index, definition, name, self.documents.iter())?
                    }
                };
                self.indexes.insert(place, built);
            }
            (IndexChange::Drop, Ok(place)) => drop(self.indexes.remove(place)),
            (IndexChange::Create(..), Ok(_)) => {
                return Err(Unfit::new(format!("index {index} of {name} is created but exists")));
            }
            (IndexChange::Drop, Err(_)) => {
                return Err(Unfit::new(format!("index {index} of {name} is dropped but absent")));
            }
        }
        Ok(())
    }

    /// Writes documents and their keys. Unique indexes are asked when everything is written, so
    /// that two documents may exchange their keys.
    ///
    /// # Errors
    ///
    /// [`Unfit`] when an index cannot take a document in.
    pub fn write_all(
        &mut self,
        name: &CollectionName,
        documents: &BTreeMap<DocumentId, Option<Arc<Document>>>,
    ) -> Result<(), Unfit> {
        let mut added: Vec<Vec<KeyBytes>> = self.indexes.iter().map(|_| Vec::new()).collect();
        for (id, document) in documents {
            let before = self.write(id, document.as_ref());
            for (index, added) in self.indexes.iter_mut().zip(&mut added) {
                index.write(name, id, before.as_ref(), document.as_ref(), added)?;
            }
        }
        for (index, added) in self.indexes.iter().zip(&added) {
            index.check_unique(name, added)?;
        }
        Ok(())
    }

    fn write(
        &mut self,
        id: &DocumentId,
        document: Option<&Arc<Document>>,
    ) -> Option<Arc<Document>> {
        let before = match document {
            Some(document) => {
                self.bytes += footprint(id, document);
                self.documents.insert(id.clone(), Arc::clone(document))
            }
            None => self.documents.remove(id),
        };
        self.bytes -= before.as_ref().map_or(0, |before| footprint(id, before));
        before
    }
}

impl<'a> Change<'a> {
    fn from_difference(item: DiffItem<'a, 'a, DocumentId, Arc<Document>>) -> Change<'a> {
        match item {
            DiffItem::Add(id, new) => Change { id, old: None, new: Some(new) },
            DiffItem::Update { old: (id, old), new: (_, new) } => {
                Change { id, old: Some(old), new: Some(new) }
            }
            DiffItem::Remove(id, old) => Change { id, old: Some(old), new: None },
        }
    }
}

/// The map of documents that are sorted by id.
///
/// The documents' heads are made here, one after the other, and so lie apart from their texts:
/// whoever looks for a document and has no need of its text touches fewer pages.
fn filled(documents: Vec<(DocumentId, Document)>) -> Documents {
    let mut filling = Filling::new(documents.len());
    for (id, document) in documents {
        filling.push(id, Arc::new(document));
    }
    filling.finish()
}

fn footprint(id: &DocumentId, document: &Document) -> u64 {
    (id.bytes() + document.json().len()) as u64 + limits::DOCUMENT_OVERHEAD_BYTES
}

impl PartialEq for Collection {
    fn eq(&self, other: &Collection) -> bool {
        self.options == other.options
            && self.created() == other.created()
            && self.changed() == other.changed()
            && self.bytes == other.bytes
            && self.documents == other.documents
            && self.indexes == other.indexes
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collection")
            .field("created", &self.created())
            .field("changed", &self.changed())
            .field("documents", &self.documents)
            .field("indexes", &self.indexes)
            .finish()
    }
}
