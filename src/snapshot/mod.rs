//! The committed state. A snapshot never changes; a commit makes the next one.
//!
//! Invariant: the snapshot at version *n* is what the log's records 1 to *n* make of the empty
//! database. [`Snapshot::apply`] is the only function that makes one from another: recovery folds
//! it over the log (as [`Snapshot::into_next`], which keeps nothing of the earlier state), and a
//! commit calls its two halves, [`Snapshot::prepare`] outside the short critical section and
//! [`Snapshot::advance`] inside it. So live and recovered state cannot
//! diverge.
//!
//! Documents and the entries of indexes lie in persistent maps (B+ trees whose versions share every
//! node that did not change, see `map`). Holding an old snapshot costs only what has changed since.

mod collection;
pub mod index;
mod map;
mod primary;
mod unfit;
mod write_set;

pub use collection::{Change, Collection, CollectionOptions};
pub(crate) use index::IndexPath;
pub use index::{Index, IndexDefinition, IndexEntry};
pub use unfit::Unfit;
pub use write_set::{CatalogChange, CollectionWrites, IndexChange, Operation, WriteSet};

use im::OrdMap;

use crate::{
    document::Document,
    error::{Error, Result},
    limits,
    names::{CollectionName, DocumentId},
    sync::Arc,
    version::Version,
};

/// One version of the whole database.
#[derive(Clone, Default)]
pub struct Snapshot {
    version: Version,
    collections: OrdMap<CollectionName, Arc<Collection>>,
    bytes: u64,
}

/// The next maps of the collections that a write set changes, made but for their version.
pub struct Prepared {
    collections: Vec<(CollectionName, Option<Arc<Collection>>)>,
    documents: Vec<Arc<Document>>,
}

impl Snapshot {
    /// The empty database.
    pub fn empty() -> Snapshot {
        Snapshot::default()
    }

    /// The state that a checkpoint holds.
    pub fn from_checkpoint(
        version: Version,
        collections: impl IntoIterator<Item = (CollectionName, impl Into<Arc<Collection>>)>,
    ) -> Snapshot {
        let collections: OrdMap<_, Arc<Collection>> =
            collections.into_iter().map(|(name, collection)| (name, collection.into())).collect();
        let bytes = collections.values().map(|collection| collection.bytes()).sum();
        Snapshot { version, collections, bytes }
    }

    /// The commit that made this state.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The bytes that all documents take in memory, by estimate.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A collection, if it exists.
    ///
    /// # Complexity
    ///
    /// O(log collections).
    pub fn collection(&self, name: &str) -> Option<&Arc<Collection>> {
        self.collections.get(name)
    }

    /// One collection that has to be there.
    ///
    /// # Errors
    ///
    /// [`Error::CollectionNotFound`].
    pub fn existing(&self, name: &CollectionName) -> Result<&Arc<Collection>> {
        let found = self.collections.get(name);
        found.ok_or_else(|| Error::CollectionNotFound { collection: name.clone() })
    }

    /// All collections in the order of their names, the reserved ones included.
    pub fn collections(&self) -> impl Iterator<Item = (&CollectionName, &Arc<Collection>)> {
        self.collections.iter()
    }

    /// One document.
    ///
    /// # Complexity
    ///
    /// O(log collections + log documents); nothing is copied and nothing waits.
    pub fn get(&self, collection: &str, id: &str) -> Option<&Arc<Document>> {
        self.collection(collection)?.get(id)
    }

    /// [`Snapshot::get`] by names that were checked, which needs less work than by their texts.
    pub fn get_by_id(
        &self,
        collection: &CollectionName,
        id: &DocumentId,
    ) -> Option<&Arc<Document>> {
        self.collections.get(collection)?.get_by_id(id)
    }

    /// The state after a commit.
    ///
    /// # Errors
    ///
    /// [`Unfit`] says what does not fit this state.
    pub fn apply(&self, writes: &WriteSet, version: Version) -> Result<Snapshot, Unfit> {
        Ok(self.advance(self.prepare(writes)?, version))
    }

    /// [`Snapshot::apply`] for whoever gives this state up, as recovery does: maps that nobody
    /// else holds are changed in place.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::apply`].
    pub fn into_next(mut self, writes: &WriteSet, version: Version) -> Result<Snapshot, Unfit> {
        let mut collections = std::mem::take(&mut self.collections);
        let mut bytes = self.bytes;
        let prepared = prepare(writes, collections.len(), |name| {
            let current = collections.remove(name)?;
            bytes -= current.bytes();
            Some(Collection::into_successor(current))
        })?;
        Ok(Snapshot { collections, bytes, ..self }.advance(prepared, version))
    }

    /// First half of [`Snapshot::apply`]: makes the next maps, leaving their version open.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::apply`].
    pub fn prepare(&self, writes: &WriteSet) -> Result<Prepared, Unfit> {
        prepare(writes, self.collections.len(), |name| {
            self.collections.get(name).map(|current| current.successor())
        })
    }

    /// Second half of [`Snapshot::apply`]: stamps what was prepared with its version and links it
    /// in. What was prepared must rest on collections that are still the current ones here.
    pub fn advance(&self, prepared: Prepared, version: Version) -> Snapshot {
        assert!(self.version < version, "versions only grow");
        for document in &prepared.documents {
            document.stamp(version);
        }
        let mut next = self.clone();
        next.version = version;
        for (name, collection) in prepared.collections {
            let before = match collection {
                Some(collection) => {
                    collection.stamp(version);
                    next.bytes += collection.bytes();
                    next.collections.insert(name, collection)
                }
                None => next.collections.remove(&name),
            };
            next.bytes -= before.map_or(0, |before| before.bytes());
        }
        next
    }

    /// What [`Snapshot::bytes`] will be after [`Snapshot::advance`].
    pub fn bytes_with(&self, prepared: &Prepared) -> u64 {
        prepared.collections.iter().fold(self.bytes, |bytes, (name, collection)| {
            let before = self.collection(name.as_str()).map_or(0, |before| before.bytes());
            bytes + collection.as_ref().map_or(0, |next| next.bytes()) - before
        })
    }

    /// True when a collection is the very same in both, so that nothing in it can have changed.
    pub fn shares_collection(&self, other: &Snapshot, name: &str) -> bool {
        match (self.collection(name), other.collection(name)) {
            (None, None) => true,
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// The same documents without indexes, for whoever holds on to them.
    pub fn without_indexes(&self) -> Snapshot {
        let bare = |(name, collection): (&CollectionName, &Arc<Collection>)| {
            let collection = match collection.indexes() {
                [] => Arc::clone(collection),
                _ => Arc::new(collection.without_indexes()),
            };
            (name.clone(), collection)
        };
        let collections: OrdMap<_, Arc<Collection>> = self.collections.iter().map(bare).collect();
        let bytes = collections.values().map(|collection| collection.bytes()).sum();
        Snapshot { version: self.version, collections, bytes }
    }

    /// What changed in a collection between this version and a later one.
    ///
    /// # Complexity
    ///
    /// O(changes), not O(documents): the maps share what is the same.
    pub fn changes<'a>(
        &'a self,
        later: &'a Snapshot,
        name: &str,
    ) -> impl Iterator<Item = Change<'a>> + use<'a> {
        Collection::changes(
            self.collection(name).map(|collection| &**collection),
            later.collection(name).map(|collection| &**collection),
        )
    }
}

/// Writes to the successors of the collections that `successor` names, one after the other.
fn prepare(
    writes: &WriteSet,
    mut count: usize,
    mut successor: impl FnMut(&CollectionName) -> Option<Collection>,
) -> Result<Prepared, Unfit> {
    let mut prepared = Prepared { collections: Vec::new(), documents: Vec::new() };
    for (name, writes) in writes.iter() {
        let current = successor(name);
        let is_new = current.is_none();
        let next = Collection::prepare(current, name, writes)?;
        count += usize::from(is_new && next.is_some());
        prepared.documents.extend(writes.documents.values().flatten().cloned());
        prepared.collections.push((name.clone(), next.map(Arc::new)));
    }
    if count > limits::COLLECTIONS_MAX {
        return Err(Unfit::CollectionsFull);
    }
    Ok(prepared)
}

impl Prepared {
    /// The documents written, in no order.
    pub fn documents(&self) -> &[Arc<Document>] {
        &self.documents
    }
}

/// Two snapshots are equal when every document, its version and every collection's options are.
impl PartialEq for Snapshot {
    fn eq(&self, other: &Snapshot) -> bool {
        self.version == other.version && self.collections == other.collections
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .field("collections", &self.collections)
            .finish()
    }
}

/// The map of a collection's documents by id.
type Documents = map::Map<DocumentId, Arc<Document>>;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_state_given_up_becomes_what_a_state_kept_makes() {
        let steps = [
            r#"[{"op":"create_collection","collection":"a"},
                {"op":"put","collection":"a","id":"1","doc":{"_id":"1","n":1}}]"#,
            r#"[{"op":"create_collection","collection":"b"},
                {"op":"put","collection":"a","id":"1","doc":{"_id":"1","n":22}}]"#,
            r#"[{"op":"put","collection":"b","id":"2","doc":{"_id":"2"}},
                {"op":"delete","collection":"a","id":"1"}]"#,
            r#"[{"op":"drop_collection","collection":"b"}]"#,
        ];
        let (mut kept, mut given_up) = (vec![Snapshot::empty()], Snapshot::empty());
        for (step, version) in steps.into_iter().zip(1..) {
            // Stamps are written once, so each side has documents of its own.
            let [one, two] = [0; 2].map(|_| WriteSet::decode(step).unwrap());
            let next = kept.last().unwrap().apply(&one, Version::new(version)).unwrap();
            // Every other step finds its maps held by somebody else too.
            let before = (version % 2 == 0).then(|| (given_up.clone(), kept.last().unwrap()));
            given_up = given_up.into_next(&two, Version::new(version)).unwrap();
            assert!(before.is_none_or(|(held, expected)| held == *expected));
            assert_eq!((&given_up, given_up.bytes()), (&next, next.bytes()));
            kept.push(next);
        }
        assert!(given_up.bytes() == 0 && kept[1].get("a", "1").unwrap().json().contains("1}"));
    }
}
