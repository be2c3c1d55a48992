//! What a transaction's outcome rests on.

use std::collections::BTreeMap;

use crate::{
    names::{CollectionName, DocumentId},
    query::Predicate,
    version::Version,
};

/// The reads of a transaction, by collection.
#[derive(Debug, Default, Clone)]
pub struct ReadSet {
    collections: BTreeMap<CollectionName, CollectionReads>,
}

/// The reads of one collection.
#[derive(Debug, Default, Clone)]
pub struct CollectionReads {
    /// Each document looked at, with its version, or none where it was absent.
    pub documents: BTreeMap<DocumentId, Option<Version>>,
    /// Each query's predicate.
    pub predicates: Vec<Predicate>,
    /// The collection is written, and was created by this commit: it must not be dropped.
    pub created: Option<Version>,
}

impl ReadSet {
    /// Notes that a document was looked at.
    pub fn document(
        &mut self,
        collection: &CollectionName,
        id: &DocumentId,
        version: Option<Version>,
    ) {
        let reads = match self.collections.get_mut(collection) {
            Some(reads) => reads,
            None => self.entry(collection),
        };
        reads.documents.insert(id.clone(), version);
    }

    /// Notes that a predicate was asked.
    pub fn predicate(&mut self, collection: &CollectionName, predicate: Predicate) {
        let predicates = &mut self.entry(collection).predicates;
        if !predicates.contains(&predicate) {
            predicates.push(predicate);
        }
    }

    /// Notes what another read set holds of one document.
    pub(super) fn take_over(
        &mut self,
        other: &ReadSet,
        collection: &CollectionName,
        id: &DocumentId,
    ) {
        let Some(seen) = other.collections.get(collection) else { return };
        if let Some(version) = seen.documents.get(id) {
            self.document(collection, id, *version);
        }
        for predicate in &seen.predicates {
            self.predicate(collection, predicate.of_document(id));
        }
    }

    /// Notes that the collection which that commit created must be the one that is there.
    pub fn collection(&mut self, collection: &CollectionName, created: Version) {
        self.entry(collection).created = Some(created);
    }

    /// The reads by collection, in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&CollectionName, &CollectionReads)> {
        self.collections.iter()
    }

    /// The collections read.
    pub fn collections(&self) -> impl Iterator<Item = &CollectionName> {
        self.collections.keys()
    }

    fn entry(&mut self, collection: &CollectionName) -> &mut CollectionReads {
        self.collections.entry(collection.clone()).or_default()
    }
}
