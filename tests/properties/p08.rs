//! Property 8, index persistence round trip: persisted and loaded indexes are equal, and they were
//! loaded, not made anew.

use std::sync::Arc;

use monsterdb::{Database, storage::MemoryStorage};
use proptest::{collection::vec, prelude::*};

use crate::{
    generator::{documents, index},
    indexed::{check_indexes, make_indexes, put_all, try_put},
};

proptest! {
    #[test]
    fn p08_index_persistence_round_trip(
        first in documents(24),
        definitions in vec(index(), 1..5),
        second in documents(8),
        checkpoint_between: bool,
        close: bool,
    ) {
        let storage = Arc::new(MemoryStorage::new());
        let options = || Database::builder().background(false).checkpoint_on_close(close);
        let db = options().open_in(storage.clone()).expect("the disk is empty");
        put_all(&db, &first);
        make_indexes(&db, &definitions);
        if checkpoint_between {
            db.checkpoint().expect("nothing fails");
        }
        // What comes after the checkpoint may not fit the indexes; then nothing is written.
        for document in &second {
            let _ = try_put(&db, document);
        }
        let before = db.snapshot();
        db.close().expect("nothing fails");
        let reopened = options().open_in(storage).expect("nothing is damaged");
        prop_assert_eq!(&reopened.snapshot(), &before);
        check_indexes(&reopened.snapshot());
        prop_assert_eq!(&reopened.status().recovery.rebuilt, &Vec::<String>::new());
    }
}
