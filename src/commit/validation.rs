//! Whether what a transaction read is still so.
//!
//! A pure function of its arguments: no clock, no chance, no configuration. So whoever has the
//! same log comes to the same verdict.

use crate::{
    error::{Conflict, Dependency},
    names::CollectionName,
    query::Predicate,
    snapshot::{Change, Snapshot},
    sync::mutant,
    transaction::ReadSet,
    version::Version,
};

/// Conflicts that one refused commit names; the rest would not help anybody.
const CONFLICTS_MAX: usize = 16;

/// Compares a read set, valid at `from`, with the later state `to`, and returns what was
/// overtaken. `read_version` is the version the transaction read at.
///
/// A document is overtaken when its version differs; a predicate when a document that changed
/// matches it in its old or its new content.
///
/// # Complexity
///
/// O(documents read), plus O(changes × predicates) for each collection with predicates; nothing
/// for a collection that is the same in both.
pub fn validate(
    from: &Snapshot,
    to: &Snapshot,
    read_version: Version,
    reads: &ReadSet,
) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for (name, reads) in reads.iter() {
        if from.shares_collection(to, name.as_str()) {
            continue;
        }
        let conflict = |dependency, overtaken_by| Conflict {
            collection: name.clone(),
            dependency,
            read_version,
            overtaken_by,
        };
        let current = to.collection(name.as_str());
        if reads.created.is_some_and(|created| current.is_none_or(|c| c.created() != created)) {
            conflicts.push(conflict(Dependency::Collection, last_change(to, name)));
        }
        let documents = (!mutant("skip_documents")).then_some(&reads.documents);
        for (id, version) in documents.into_iter().flatten() {
            let stored = current.and_then(|collection| collection.get_by_id(id));
            let found = stored.map(|document| document.version());
            if found != *version {
                let overtaken_by = found.unwrap_or_else(|| last_change(to, name));
                conflicts.push(conflict(Dependency::Document(id.clone()), overtaken_by));
            }
        }
        for (predicate, overtaken_by) in overtaken(from, to, name, &reads.predicates) {
            let filter = predicate.filter().to_string();
            conflicts.push(conflict(Dependency::Predicate(filter), overtaken_by));
        }
    }
    conflicts.truncate(CONFLICTS_MAX);
    conflicts
}

/// The predicates that a changed document belongs or belonged to, each with the change's version.
fn overtaken<'a>(
    from: &Snapshot,
    to: &Snapshot,
    name: &CollectionName,
    predicates: &'a [Predicate],
) -> Vec<(&'a Predicate, Version)> {
    let mut open: Vec<&Predicate> = predicates.iter().collect();
    let mut overtaken = Vec::new();
    if open.is_empty() || mutant("skip_predicates") {
        return overtaken;
    }
    for change in from.changes(to, name.as_str()) {
        open.retain(|predicate| {
            let touched = touches(predicate, &change);
            if touched {
                let version = change.new.map(|document| document.version());
                overtaken.push((*predicate, version.unwrap_or_else(|| last_change(to, name))));
            }
            !touched
        });
        if open.is_empty() {
            break;
        }
    }
    overtaken
}

fn touches(predicate: &Predicate, change: &Change<'_>) -> bool {
    [change.old, change.new]
        .into_iter()
        .flatten()
        .any(|document| predicate.matches(change.id, document))
}

/// The version to blame for what is gone: the collection's last change, or, where the collection
/// itself is gone, the state's own.
fn last_change(state: &Snapshot, name: &CollectionName) -> Version {
    state.collection(name.as_str()).map_or(state.version(), |collection| collection.changed())
}
