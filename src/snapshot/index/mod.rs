//! Secondary indexes: ordered maps from keys to documents.
//!
//! A key is the encoding of the values that the index's paths reach, one part a path (see
//! [`crate::document::key`]), and the id. A document whose path meets an array has a key for each
//! element (the index is *multikey* then: what it says of a document has to be checked, and it
//! gives no order). Entries hold the documents themselves, so that a look-up ends here.
//!
//! Invariant: an index holds exactly the keys of those documents of its collection that match its
//! filter.

mod definition;
mod unique;

pub use definition::IndexDefinition;
pub(crate) use definition::IndexPath;

use std::{cmp::Ordering, collections::HashMap, fmt};

use super::{
    Change,
    map::{Changed, Map},
};
use crate::{
    document::{Document, KeyBytes, KeyRange},
    error::IndexError,
    limits,
    names::{CollectionName, DocumentId, IndexName},
    sync::{Arc, Counter, mutant},
};

/// One index of a collection at one version.
#[derive(Clone)]
pub struct Index {
    name: IndexName,
    definition: Arc<IndexDefinition>,
    entries: Map<IndexKey, Arc<Document>>,
    /// How many documents hold an array, by path.
    arrays: Box<[u64]>,
    bytes: u64,
    usage: Arc<Counter>,
}

/// The place of one document in an index.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKey {
    value: KeyBytes,
    id: DocumentId,
}

/// One entry of an index.
#[derive(Clone, Copy)]
pub struct IndexEntry<'a> {
    /// The encoded values.
    pub value: &'a KeyBytes,
    /// The document's id.
    pub id: &'a DocumentId,
    /// The document.
    pub document: &'a Arc<Document>,
}

/// A place between entries: in front of every key from these bytes on.
struct Place<'a>(&'a [u8]);

impl Index {
    /// An index without entries.
    pub fn new(name: IndexName, definition: Arc<IndexDefinition>) -> Index {
        Index {
            name,
            arrays: definition.paths.iter().map(|_| 0).collect(),
            definition,
            entries: Map::new(),
            bytes: 0,
            usage: Arc::new(Counter::default()),
        }
    }

    /// Its name.
    pub fn name(&self) -> &IndexName {
        &self.name
    }

    /// What it is on.
    pub fn definition(&self) -> &Arc<IndexDefinition> {
        &self.definition
    }

    /// How many entries it has; a document with an array may have several.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when it has no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes of memory its entries take, by estimate.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many queries it has served since the database was opened.
    pub fn usage(&self) -> u64 {
        self.usage.get()
    }

    /// Notes that a query is served.
    pub(crate) fn note_usage(&self) {
        self.usage.add(1);
    }

    /// True when a document meets an array at this path.
    pub(crate) fn has_arrays_at(&self, place: usize) -> bool {
        self.arrays.get(place).is_some_and(|documents| *documents > 0)
    }

    /// True when a document may have several keys.
    pub fn is_multikey(&self) -> bool {
        self.arrays.iter().any(|documents| *documents > 0)
    }

    /// The entries of a range, in order.
    ///
    /// # Complexity
    ///
    /// O(log entries) to begin, then O(1) each.
    pub fn range<'a>(
        &'a self,
        range: &KeyRange,
    ) -> impl DoubleEndedIterator<Item = IndexEntry<'a>> + use<'a> {
        let end = range.end.as_deref().map(Place);
        self.entries.range(&Place(&range.start), end.as_ref()).map(IndexEntry::of)
    }

    /// All entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = IndexEntry<'_>> {
        self.entries.iter().map(IndexEntry::of)
    }

    /// Takes changes in, each document once, and returns the keys that are new, for a unique index.
    ///
    /// # Errors
    ///
    /// [`IndexError::Unindexable`].
    pub fn take_in(
        &mut self,
        collection: &CollectionName,
        changes: &[Change<'_>],
    ) -> Result<Vec<KeyBytes>, IndexError> {
        let (mut entries, mut added) = (Vec::with_capacity(changes.len()), Vec::new());
        for change in changes {
            self.note(collection, change, &mut entries, &mut added)?;
        }
        entries.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        self.entries.apply(&entries);
        Ok(added)
    }

    /// Notes what becomes of one document's entries. Keys that are new are added to `added`.
    fn note(
        &mut self,
        collection: &CollectionName,
        &Change { id, old, new }: &Change<'_>,
        entries: &mut Vec<Changed<IndexKey, Arc<Document>>>,
        added: &mut Vec<KeyBytes>,
    ) -> Result<(), IndexError> {
        // What is stored was taken in before, so it has keys.
        let before = old.and_then(|old| self.definition.keys(old).ok()).unwrap_or_default();
        let after = match new {
            Some(new) => self.keys(collection, id, new)?,
            None => definition::DocumentKeys::default(),
        };
        let gone = before.keys.iter().filter(|value| !after.has(value));
        for value in gone.filter(|_| !mutant("index_keeps_old_keys")) {
            self.bytes -= footprint(value);
            entries.push((IndexKey { value: value.clone(), id: id.clone() }, None));
        }
        for (value, document) in after.keys.into_iter().zip(new.into_iter().cycle()) {
            if !before.has(&value) {
                self.bytes += footprint(&value);
                added.extend(self.definition.unique.then(|| value.clone()));
            }
            let key = IndexKey { value, id: id.clone() };
            entries.push((key, Some(Arc::clone(document))));
        }
        self.count_array(before.array, |documents| documents - 1);
        self.count_array(after.array, |documents| documents + 1);
        Ok(())
    }

    /// Builds an index over documents that were never written to it.
    ///
    /// # Errors
    ///
    /// [`IndexError::Unindexable`].
    ///
    /// # Complexity
    ///
    /// O(documents × log documents).
    pub fn build<'a>(
        name: IndexName,
        definition: Arc<IndexDefinition>,
        collection: &CollectionName,
        documents: impl Iterator<Item = (&'a DocumentId, &'a Arc<Document>)>,
    ) -> Result<Index, IndexError> {
        let mut index = Index::new(name, definition);
        let mut entries = Vec::new();
        for (id, document) in documents {
            let keys = index.keys(collection, id, document)?;
            for value in keys.keys {
                index.bytes += footprint(&value);
                entries.push((IndexKey { value, id: id.clone() }, Arc::clone(document)));
            }
            index.count_array(keys.array, |documents| documents + 1);
        }
        entries.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        index.entries = Map::from_sorted(entries);
        Ok(index)
    }

    /// An index over documents whose entries are known to stand in this order: for each, the place
    /// of its document.
    ///
    /// # Errors
    ///
    /// A sentence that says why this is not the order of the documents' keys.
    ///
    /// # Complexity
    ///
    /// O(documents + entries); nothing is sorted.
    pub fn from_order(
        name: IndexName,
        definition: Arc<IndexDefinition>,
        collection: &CollectionName,
        documents: &[(&DocumentId, &Arc<Document>)],
        order: &[u32],
    ) -> Result<Index, String> {
        let mut index = Index::new(name, definition);
        let mut entries = Vec::with_capacity(order.len());
        // The keys of documents with several, and which documents had their first.
        let mut waiting: HashMap<u32, std::vec::IntoIter<KeyBytes>> = HashMap::new();
        let mut begun = vec![false; documents.len()];
        let mut last: Option<IndexKey> = None;
        for place in order {
            let (Some((id, document)), Some(begun)) =
                (documents.get(*place as usize), begun.get_mut(*place as usize))
            else {
                return Err("it has an entry that no document has".to_owned());
            };
            let value = match std::mem::replace(begun, true) {
                true => waiting.get_mut(place).and_then(Iterator::next),
                false => {
                    let mut keys = index.take_keys(collection, id, document)?.into_iter();
                    let value = keys.next();
                    if keys.len() > 0 {
                        waiting.insert(*place, keys);
                    }
                    value
                }
            };
            let value = value.ok_or("it has an entry that no document has")?;
            let key = IndexKey { value, id: (*id).clone() };
            if last.is_some_and(|last| last >= key) && !mutant("index_file_order_unchecked") {
                return Err("its entries are not in the order of keys".to_owned());
            }
            last = Some(key.clone());
            entries.push((key, Arc::clone(document)));
        }
        let mut lacks = waiting.values().any(|keys| keys.len() > 0);
        for ((id, document), begun) in documents.iter().zip(begun) {
            lacks |= !begun && !index.take_keys(collection, id, document)?.is_empty();
        }
        if lacks && !mutant("index_file_may_lack_entries") {
            return Err("it lacks an entry that a document has".to_owned());
        }
        index.entries = Map::from_sorted(entries);
        Ok(index)
    }

    /// The keys of a document that is taken in for the first time, all of them counted.
    fn take_keys(
        &mut self,
        collection: &CollectionName,
        id: &DocumentId,
        document: &Document,
    ) -> Result<Vec<KeyBytes>, String> {
        let keys = self.keys(collection, id, document).map_err(|error| error.to_string())?;
        self.count_array(keys.array, |documents| documents + 1);
        self.bytes += keys.keys.iter().map(footprint).sum::<u64>();
        Ok(keys.keys)
    }

    fn keys(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
        document: &Document,
    ) -> Result<definition::DocumentKeys, IndexError> {
        self.definition.keys(document).map_err(|reason| IndexError::Unindexable {
            collection: collection.clone(),
            index: self.name.clone(),
            id: id.clone(),
            reason,
        })
    }

    fn count_array(&mut self, place: Option<usize>, count: impl Fn(u64) -> u64) {
        if let Some(documents) = place.and_then(|place| self.arrays.get_mut(place)) {
            *documents = count(*documents);
        }
    }
}

impl<'a> IndexEntry<'a> {
    fn of((key, document): (&'a IndexKey, &'a Arc<Document>)) -> IndexEntry<'a> {
        IndexEntry { value: &key.value, id: &key.id, document }
    }
}

fn footprint(value: &KeyBytes) -> u64 {
    value.heap_bytes() as u64 + limits::INDEX_ENTRY_BYTES
}

impl equivalent::Equivalent<IndexKey> for Place<'_> {
    fn equivalent(&self, key: &IndexKey) -> bool {
        equivalent::Comparable::compare(self, key).is_eq()
    }
}

impl equivalent::Comparable<IndexKey> for Place<'_> {
    fn compare(&self, key: &IndexKey) -> Ordering {
        self.0.cmp(key.value.as_bytes()).then(Ordering::Less)
    }
}

/// Two indexes are equal when their definitions and entries are.
impl PartialEq for Index {
    fn eq(&self, other: &Index) -> bool {
        self.name == other.name
            && self.definition == other.definition
            && self.arrays == other.arrays
            && self.bytes == other.bytes
            && self.entries == other.entries
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries().map(|entry| (entry.value, entry.id));
        f.debug_struct("Index")
            .field("name", &self.name)
            .field("definition", &self.definition.to_json())
            .field("entries", &entries.collect::<Vec<_>>())
            .finish()
    }
}
