//! Property 8, index persistence round trip: persisted and loaded indexes are equal, and they were
//! loaded, not made anew.

use std::sync::Arc;

use monsterdb::{Database, storage::MemoryStorage};
use proptest::{collection::vec, prelude::*};

use crate::{
    generator::{documents, index},
    indexed::{check_indexes, make_indexes, put_all, try_put},
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p08_index_persistence_round_trip() {
    p08_index_persistence_round_trip_cases();
    MET.report(
        "p08_index_persistence_round_trip",
        &["read from a file", "no file yet", "written after the file", "several files"],
    );
}

proptest! {
    fn p08_index_persistence_round_trip_cases(
        first in documents(24),
        definitions in vec(index(), 1..5),
        second in documents(8),
        checkpoint_between: bool,
        close: bool,
    ) {
        let case = MET.case();
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
        let files = storage.names().iter().filter(|name| name.starts_with("indexes/")).count();
        case.note("read from a file", files > 0);
        case.note("several files", files > 1);
        case.note("no file yet", files == 0);
        let documents = before.collection("c").map_or(0, |c| c.count());
        case.note("over documents", files > 0 && documents > 0);
        case.note("written after the file", files > 0 && !close && !second.is_empty());
        let reopened = options().open_in(storage).expect("nothing is damaged");
        prop_assert_eq!(&reopened.snapshot(), &before);
        check_indexes(&reopened.snapshot());
        prop_assert_eq!(&reopened.status().recovery.rebuilt, &Vec::<String>::new());
    }
}
