//! The difference of two versions of a collection, which validation rests on, is what a comparison
//! of all documents finds: also in collections of many nodes.

use std::{collections::BTreeMap, sync::Arc};

use monsterdb::{
    CollectionName, DocumentId, Draft, Snapshot, Version,
    snapshot::{CollectionWrites, WriteSet},
};
use proptest::{collection::vec, prelude::*};

const NAME: &str = "c";

/// One commit: which documents are put and which deleted.
type Commit = Vec<(u16, bool)>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_difference_is_what_a_comparison_finds(
        size in prop_oneof![0..20u16, 0..1500u16],
        commits in vec(vec((0..1600u16, any::<bool>()), 0..40), 1..8),
        bulk in prop_oneof![3 => Just(None), 1 => (0..1500u16, 0..1500u16).prop_map(Some)],
    ) {
        let mut versions = vec![commit(&Snapshot::empty(), &(0..size).map(|id| (id, true)).collect())];
        for writes in &commits {
            versions.push(commit(&versions[versions.len() - 1], writes));
        }
        if let Some((from, to)) = bulk {
            let range = from.min(to)..from.max(to);
            versions.push(commit(&versions[versions.len() - 1], &range.map(|id| (id, false)).collect()));
        }
        for earlier in &versions {
            for later in &versions {
                prop_assert_eq!(difference(earlier, later), comparison(earlier, later));
            }
        }
    }
}

fn commit(state: &Snapshot, writes: &Commit) -> Snapshot {
    let name = CollectionName::new(NAME).expect("a good name");
    let documents = writes.iter().map(|(number, put)| {
        let id = DocumentId::new(&format!("{number:05}")).expect("a good id");
        let body = Draft::parse(b"{}").expect("a good body");
        let document = put.then(|| Arc::new(body.into_document(&id).expect("it is small")));
        (id, document)
    });
    let mut writes =
        CollectionWrites { documents: documents.collect(), ..CollectionWrites::default() };
    if state.collection(NAME).is_none() {
        writes.catalog = Some(monsterdb::snapshot::CatalogChange::Create(Default::default()));
    }
    let mut set = WriteSet::default();
    set.insert(name, writes);
    state.apply(&set, state.version().next()).expect("the writes fit")
}

type Differences = BTreeMap<String, (Option<Version>, Option<Version>)>;

fn difference(earlier: &Snapshot, later: &Snapshot) -> Differences {
    let changes = earlier.changes(later, NAME);
    changes
        .map(|change| {
            let [old, new] = [change.old, change.new].map(|found| found.map(|doc| doc.version()));
            (change.id.to_string(), (old, new))
        })
        .collect()
}

fn comparison(earlier: &Snapshot, later: &Snapshot) -> Differences {
    let mut all = Differences::new();
    let documents = |state: &Snapshot| {
        let collection = state.collection(NAME).expect("it was made first").clone();
        collection.documents().map(|(id, doc)| (id.to_string(), doc.version())).collect::<Vec<_>>()
    };
    for (id, version) in documents(earlier) {
        all.entry(id).or_default().0 = Some(version);
    }
    for (id, version) in documents(later) {
        all.entry(id).or_default().1 = Some(version);
    }
    all.retain(|_, (old, new)| old != new);
    all
}
