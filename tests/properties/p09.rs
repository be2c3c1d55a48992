//! Property 9, index rebuild correctness: a lost or damaged index file is rebuilt to the same
//! content, and that it was is told.

use std::sync::Arc;

use monsterdb::{Database, storage::MemoryStorage};
use proptest::{collection::vec, prelude::*, sample::Index as Place};

use crate::{
    generator::{documents, index},
    indexed::{make_indexes, put_all},
    met::Met,
    support::lose,
};

#[derive(Debug, Clone)]
enum Damage {
    Lost,
    Flipped(Place, u8),
    Cut(Place),
    /// The file of another index, whole by itself.
    Exchanged,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Lost),
        (any::<Place>(), 1..=255_u8).prop_map(|(place, bits)| Damage::Flipped(place, bits)),
        any::<Place>().prop_map(Damage::Cut),
        Just(Damage::Exchanged),
    ]
}

static MET: Met = Met::new();

#[test]
fn p09_index_rebuild_correctness() {
    p09_index_rebuild_correctness_cases();
    MET.report(
        "p09_index_rebuild_correctness",
        &["lost", "flipped", "cut", "exchanged", "entries to rebuild"],
    );
}

proptest! {
    fn p09_index_rebuild_correctness_cases(
        documents in documents(24),
        definitions in vec(index(), 2..4),
        damage in damage(),
        which: Place,
    ) {
        let storage = Arc::new(MemoryStorage::new());
        let options = || Database::builder().background(false);
        let db = options().open_in(storage.clone()).expect("the disk is empty");
        put_all(&db, &documents);
        make_indexes(&db, &definitions);
        let before = db.snapshot();
        db.close().expect("nothing fails");
        let names = storage.names().into_iter().filter(|name| name.starts_with("indexes/"));
        let files: Vec<String> = names.collect();
        prop_assume!(files.len() > 1);
        let file = which.get(&files);
        let case = MET.case();
        case.note("lost", matches!(damage, Damage::Lost));
        case.note("flipped", matches!(damage, Damage::Flipped(..)));
        case.note("cut", matches!(damage, Damage::Cut(_)));
        case.note("exchanged", matches!(damage, Damage::Exchanged));
        case.note("entries to rebuild", !documents.is_empty());
        let bytes = storage.contents(file).expect("it is there");
        let damaged = match damage {
            Damage::Lost => None,
            Damage::Flipped(place, bits) => {
                let mut bytes = bytes.clone();
                let place = place.index(bytes.len());
                bytes[place] ^= bits;
                Some(bytes)
            }
            Damage::Cut(place) => Some(bytes[..place.index(bytes.len())].to_vec()),
            Damage::Exchanged => {
                let other = files.iter().find(|other| *other != file).expect("there are two");
                Some(storage.contents(other).expect("it is there"))
            }
        };
        match damaged {
            None => lose(&storage, file),
            Some(bytes) => storage.plant(file, &bytes).expect("its folder is there"),
        }
        let reopened = options().open_in(storage).expect("documents are whole");
        prop_assert_eq!(&reopened.snapshot(), &before);
        // It is this one that was made anew, and no other.
        let rebuilt = reopened.status().recovery.rebuilt;
        let index = file.trim_start_matches("indexes/").split_once('-').expect("a version follows");
        prop_assert_eq!(rebuilt.len(), 1);
        prop_assert!(rebuilt[0].starts_with(&format!("{}:", index.0)), "{}: {:?}", file, rebuilt);
    }
}
