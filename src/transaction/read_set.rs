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
    /// Each document looked at, with its version, or none where it was absent. Until
    /// [`ReadSet::sort`] they stand in the order of the looks, and some more than once, for that
    /// costs a batch of a thousand inserts less than a map that is kept in order.
    pub documents: Vec<(DocumentId, Option<Version>)>,
    /// How many there were when they were last put in order.
    sorted: usize,
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
        reads.document(id, version);
    }

    /// Puts the documents of each collection in the order of their ids, each of them once.
    pub(super) fn sort(&mut self) {
        self.collections.values_mut().for_each(CollectionReads::sort);
    }

    /// Notes that a predicate was asked.
    pub fn predicate(&mut self, collection: &CollectionName, predicate: Predicate) {
        let predicates = &mut self.entry(collection).predicates;
        if !predicates.contains(&predicate) {
            predicates.push(predicate);
        }
    }

    /// Notes what another read set, which is sorted, holds of one document.
    pub(super) fn take_over(
        &mut self,
        other: &ReadSet,
        collection: &CollectionName,
        id: &DocumentId,
    ) {
        let Some(seen) = other.collections.get(collection) else { return };
        let place = seen.documents.binary_search_by(|(seen, _)| seen.cmp(id));
        if let Some((_, version)) = place.ok().and_then(|place| seen.documents.get(place)) {
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

impl CollectionReads {
    /// Looks at one document again and again must not make this grow, so it is put in order each
    /// time it has doubled.
    fn document(&mut self, id: &DocumentId, version: Option<Version>) {
        if self.documents.len() >= 2 * self.sorted.max(UNSORTED_MIN) {
            self.sort();
        }
        self.documents.push((id.clone(), version));
    }

    /// A document that was met twice has the same version both times: that of the snapshot.
    fn sort(&mut self) {
        self.documents.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        self.documents.dedup_by(|(one, _), (two, _)| one == two);
        self.sorted = self.documents.len();
    }
}

/// So few are not worth putting in order before the end.
const UNSORTED_MIN: usize = 32;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_document_looked_at_again_and_again_is_kept_once() {
        let collection = CollectionName::new("a").unwrap();
        let id = |n: usize| DocumentId::new(&format!("{:03}", n * 7 % 100)).unwrap();
        let mut reads = ReadSet::default();
        for n in 0..10_000 {
            reads.document(&collection, &id(n), Some(Version::new(1 + n as u64 % 100)));
            assert!(reads.collections[&collection].documents.len() <= 2 * 100 + 1);
        }
        reads.sort();
        let kept = &reads.collections[&collection].documents;
        assert!(kept.len() == 100 && kept.is_sorted());
        assert!((0..100).all(|n| kept.contains(&(id(n), Some(Version::new(1 + n as u64))))));
        let mut other = ReadSet::default();
        other.take_over(&reads, &collection, &id(5));
        assert_eq!(other.collections[&collection].documents, [(id(5), Some(Version::new(6)))]);
    }
}
