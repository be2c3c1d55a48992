//! One collection that is put together again, of its files and of the log.
//!
//! Files and records hold contents, so a later one is put over an earlier one, and what was read
//! last counts. Beside the documents it is kept which of them nothing vouches for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Loss, RepairReport, Unproved};
use crate::{
    checkpoint::{FileEntry, Gap, Layer, ManifestCollection, read_layer},
    document::Document,
    error::Result,
    names::{CollectionName, DocumentId, IndexName},
    snapshot::{
        CatalogChange, Collection, CollectionOptions, CollectionWrites, Index, IndexChange,
        IndexDefinition, Unfit, WriteSet,
    },
    storage::Storage,
    sync::{Arc, mutant},
    version::Version,
    wal::Remains,
};

/// A collection on its way.
pub(super) struct Rebuilt {
    name: CollectionName,
    exists: bool,
    options: CollectionOptions,
    created: Version,
    changed: Version,
    documents: BTreeMap<DocumentId, Option<Arc<Document>>>,
    indexes: BTreeMap<IndexName, Arc<IndexDefinition>>,
    /// Documents, there or not, that nothing vouches for.
    unproved: BTreeSet<DocumentId>,
    /// Lines that cannot be read, of all its files.
    missing: u64,
    gaps: Vec<Gap>,
    /// The records from here on were taken in, without a gap.
    logged: Version,
    /// Commits behind its last file that cannot be read, and that nothing later makes up for.
    commits: Vec<(Version, Version)>,
    /// A record made it, so its options and indexes are certain.
    is_made_by_log: bool,
}

/// Every file of a collection as far as it can be read.
pub(super) fn layers(
    storage: &dyn Storage,
    entry: &ManifestCollection,
    vouched: bool,
) -> Result<Vec<Layer>> {
    let mut base: Option<&FileEntry> = None;
    let read = |file| read_layer(storage, entry, base.replace(file), file, vouched);
    entry.files.iter().map(read).collect()
}

impl Rebuilt {
    /// The collection at a version, exactly: the good files at the front of its chain and each record
    /// since then; none when one of those is not there.
    pub(super) fn from_log(
        entry: &ManifestCollection,
        layers: &[Layer],
        remains: &Remains,
        until: Version,
    ) -> Option<Rebuilt> {
        let good = layers.iter().take_while(|layer| layer.proved).count();
        let last = good.checked_sub(1).and_then(|last| entry.files.get(last));
        let begin = match last {
            Some(file) => Version::new(file.version),
            None => Version::new(entry.created.get().saturating_sub(1)),
        };
        if !remains.covers(begin, until) {
            return None;
        }
        let mut rebuilt = Rebuilt::of(entry, last.is_some());
        layers.iter().take(good).for_each(|layer| rebuilt.take_layer(layer));
        rebuilt.replay(remains, begin.next(), until);
        Some(rebuilt)
    }

    /// What can be read of the collection, whose files end with one version, and of the records up to
    /// another. Where one is not there behind its files, what is older is in doubt.
    pub(super) fn salvaged(
        entry: &ManifestCollection,
        layers: Vec<Layer>,
        remains: &Remains,
        (last, until): (Version, Version),
    ) -> Rebuilt {
        let mut rebuilt = Rebuilt::of(entry, true);
        for layer in layers {
            rebuilt.take_layer(&layer);
            rebuilt.missing += layer.missing;
            rebuilt.gaps.extend(layer.gaps);
        }
        rebuilt.logged = remains.begin_of(until);
        let mut from = match mutant("repair_leaves_out_rows") {
            true => rebuilt.logged,
            false => rebuilt.logged.min(last.next()),
        };
        for (first, end) in remains.missing(last, until) {
            rebuilt.replay(remains, from, Version::new(first.get() - 1));
            rebuilt.doubt((first, end));
            from = end.next();
        }
        rebuilt.replay(remains, from, until);
        rebuilt
    }

    fn of(entry: &ManifestCollection, exists: bool) -> Rebuilt {
        Rebuilt {
            name: entry.name.clone(),
            exists,
            options: entry.options,
            created: entry.created,
            changed: entry.changed,
            documents: BTreeMap::new(),
            indexes: entry.indexes.iter().cloned().collect(),
            unproved: BTreeSet::new(),
            missing: 0,
            gaps: Vec::new(),
            logged: Version::MAX,
            commits: Vec::new(),
            is_made_by_log: false,
        }
    }

    /// With everything but the documents as the manifest says.
    pub(super) fn with_stated(self, entry: &ManifestCollection) -> Rebuilt {
        let ManifestCollection { options, created, changed, .. } = *entry;
        let indexes = entry.indexes.iter().cloned().collect();
        Rebuilt { exists: true, options, created, changed, indexes, ..self }
    }

    /// Whether it is there.
    pub(super) fn exists(&self) -> bool {
        self.exists
    }

    /// Puts a file over what is there.
    fn take_layer(&mut self, layer: &Layer) {
        // What stood in the gaps may have been about any document between.
        let hidden = |id: &&DocumentId| layer.gaps.iter().any(|gap| gap.may_hold(id));
        let hidden: Vec<DocumentId> = self.documents.keys().filter(hidden).cloned().collect();
        self.unproved.extend(hidden);
        for (id, document) in &layer.lines {
            match layer.proved {
                true => drop(self.unproved.remove(id)),
                false => drop(self.unproved.insert(id.clone())),
            }
            self.documents.insert(id.clone(), document.clone());
        }
    }

    /// Takes in what the records from one version up to another say of it. One that cannot be read in
    /// spite of its checksum says nothing.
    pub(super) fn replay(&mut self, remains: &Remains, from: Version, to: Version) {
        for (_, record) in remains.records(from, to) {
            let writes = WriteSet::decode(record.ops).ok();
            if let Some(writes) = writes.and_then(|mut writes| writes.take(&self.name)) {
                self.take_writes(writes, record.seq);
            }
        }
    }

    /// Commits are not there that may have changed anything of it.
    fn doubt(&mut self, commits: (Version, Version)) {
        self.unproved.extend(self.documents.keys().cloned());
        self.is_made_by_log = false;
        self.commits.push(commits);
    }

    fn take_writes(&mut self, writes: CollectionWrites, version: Version) {
        self.changed = version;
        match writes.catalog {
            Some(CatalogChange::Create(options)) => {
                self.forget();
                (self.exists, self.is_made_by_log) = (true, true);
                (self.options, self.created) = (options, version);
            }
            Some(CatalogChange::Drop) => {
                self.forget();
                self.exists = false;
            }
            None => {}
        }
        for (name, change) in writes.indexes {
            match change {
                IndexChange::Create(definition, _) => drop(self.indexes.insert(name, definition)),
                IndexChange::Drop => drop(self.indexes.remove(&name)),
            }
        }
        for (id, document) in writes.documents {
            if let Some(document) = &document {
                document.stamp(version);
            }
            self.unproved.remove(&id);
            self.documents.insert(id, document);
        }
    }

    /// What was before does not matter any more.
    fn forget(&mut self) {
        self.documents.clear();
        self.indexes.clear();
        self.unproved.clear();
        self.gaps.clear();
        self.commits.clear();
        self.missing = 0;
    }

    /// The collection, when all of it is certain.
    pub(super) fn into_exact(mut self) -> Result<Collection, Unfit> {
        let mut collection = self.documents()?;
        let build = |(name, definition)| build(&self.name, &collection, name, definition);
        let indexes = std::mem::take(&mut self.indexes).into_iter().map(build);
        let indexes = indexes.collect::<Result<Vec<_>, _>>()?;
        collection = collection.with_indexes(indexes);
        Ok(collection)
    }

    /// The collection as far as it can be had, if it exists. What is not certain of it gets into the
    /// report.
    pub(super) fn into_salvaged(
        mut self,
        report: &mut RepairReport,
        vouched: bool,
    ) -> Option<Collection> {
        if !self.exists {
            return None;
        }
        // Had a commit that the log holds written them, the log would have said so.
        for id in &self.unproved {
            let document = self.documents.get(id).and_then(Option::as_ref);
            if document.is_some_and(|document| document.version() >= self.logged) {
                self.documents.insert(id.clone(), None);
            }
        }
        // Without indexes there is nothing that a document might not fit.
        let mut collection = self.documents().ok()?;
        let mut indexes = Vec::new();
        for (index, definition) in std::mem::take(&mut self.indexes) {
            match build(&self.name, &collection, index.clone(), definition) {
                Ok(built) => indexes.push(built),
                Err(error) => report.losses.push(Loss::Index {
                    collection: self.name.clone(),
                    index,
                    reason: error.to_string(),
                }),
            }
        }
        collection = collection.with_indexes(indexes);
        self.list_doubts(report, vouched);
        Some(collection)
    }

    fn list_doubts(self, report: &mut RepairReport, vouched: bool) {
        let collection = self.name;
        if !vouched && !self.is_made_by_log {
            let (collection, commits) = (collection.clone(), self.commits);
            report.unproved.push(Unproved::Catalog { collection, commits });
        }
        if !self.unproved.is_empty() {
            report.unproved.push(Unproved::Documents {
                collection: collection.clone(),
                ids: self.unproved.into_iter().collect(),
            });
        }
        if self.missing == 0 && self.gaps.is_empty() {
            return;
        }
        if self.missing > 0 {
            let (collection, count) = (collection.clone(), self.missing);
            report.losses.push(Loss::Documents { collection, count });
        }
        if !mutant("repair_conceals_gaps") {
            let gap = |gap| Loss::Lines { collection: collection.clone(), gap };
            report.losses.extend(self.gaps.into_iter().map(gap));
        }
    }

    fn documents(&mut self) -> Result<Collection, Unfit> {
        let (options, created, changed) = (self.options, self.created, self.changed);
        let mut collection = Collection::from_checkpoint(options, created, changed, Vec::new());
        self.documents.retain(|_, document| document.is_some());
        collection.write_all(&self.name, &self.documents)?;
        Ok(collection)
    }
}

fn build(
    collection: &CollectionName,
    documents: &Collection,
    name: IndexName,
    definition: Arc<IndexDefinition>,
) -> Result<Index, Unfit> {
    Ok(Index::build(name, definition, collection, documents.documents())?)
}
