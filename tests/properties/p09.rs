//! Property 9, index rebuild correctness: a lost or damaged index file is rebuilt to the same
//! content, and that it was is told.

use std::sync::Arc;

use monsterdb::{Database, storage::MemoryStorage};
use proptest::{collection::vec, prelude::*, sample::Index as Place};

use crate::{
    generator::{documents, index},
    indexed::{make_indexes, put_all},
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

proptest! {
    #[test]
    fn p09_index_rebuild_correctness(
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
        prop_assert_eq!(reopened.status().recovery.rebuilt.len(), 1);
    }
}
