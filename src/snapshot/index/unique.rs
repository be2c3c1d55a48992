//! Unique indexes: no two documents under one key.
//!
//! It is asked of a commit's final state, so that two documents may exchange their keys. Missing is
//! not null: a key of nothing but missing values (or arrays without elements) belongs to any number
//! of documents, one that holds a null to one.

use super::{Index, IndexEntry, Place};
use crate::{
    document::KeyBytes,
    error::{IndexError, Offender},
    names::CollectionName,
    sync::mutant,
};

/// Offenders that one error names; more would not help anybody.
const OFFENDERS_MAX: usize = 10;

impl Index {
    /// Refuses when one of these keys belongs to more than one document.
    ///
    /// # Errors
    ///
    /// [`IndexError::Unique`].
    pub fn check_unique(
        &self,
        collection: &CollectionName,
        keys: &[KeyBytes],
    ) -> Result<(), IndexError> {
        if mutant("unique_unchecked") {
            return Ok(());
        }
        let offenders = keys.iter().filter_map(|key| {
            let range = self.entries.range(&Place(key.as_bytes()), None);
            let mut same = range.map(IndexEntry::of).take_while(|entry| entry.value == key);
            self.offender(same.next()?, same.next()?)
        });
        self.refuse(collection, offenders.take(OFFENDERS_MAX).collect())
    }

    /// Refuses when any key belongs to more than one document and the index is unique.
    ///
    /// # Errors
    ///
    /// [`IndexError::Unique`] with the first offenders.
    pub fn check_all_unique(&self, collection: &CollectionName) -> Result<(), IndexError> {
        if !self.definition.unique {
            return Ok(());
        }
        let pairs = self.entries().zip(self.entries().skip(1));
        let offenders = pairs
            .filter(|(one, two)| one.value == two.value)
            .filter_map(|(one, two)| self.offender(one, two));
        self.refuse(collection, offenders.take(OFFENDERS_MAX).collect())
    }

    fn offender(&self, one: IndexEntry<'_>, two: IndexEntry<'_>) -> Option<Offender> {
        (!self.definition.is_exempt(one.value)).then(|| Offender {
            key: self.definition.describe(one.document),
            ids: [one.id.clone(), two.id.clone()],
        })
    }

    fn refuse(
        &self,
        collection: &CollectionName,
        offenders: Vec<Offender>,
    ) -> Result<(), IndexError> {
        match offenders.is_empty() {
            true => Ok(()),
            false => Err(IndexError::Unique {
                collection: collection.clone(),
                index: self.name.clone(),
                offenders,
            }),
        }
    }
}
