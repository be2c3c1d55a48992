//! Property 6, secondary index creation: an index over existing data answers as a scan does.

use monsterdb::Database;
use proptest::{collection::vec, prelude::*};

use crate::{
    generator::{documents, filter, index, sort},
    indexed::{answer, check_indexes, make_indexes, put_all, query},
};

proptest! {
    #[test]
    fn p06_secondary_index_creation(
        documents in documents(32),
        index in index(),
        filters in vec(filter(), 1..6),
        sort in sort(),
    ) {
        let db = Database::in_memory();
        put_all(&db, &documents);
        let before = db.snapshot();
        let made = make_indexes(&db, &[index]);
        let after = db.snapshot();
        check_indexes(&after);
        for filter in filters {
            let query = query(&filter, &sort);
            let expected = answer(&before, &query);
            prop_assert_eq!(answer(&after, &query), expected.clone());
            // The index by name, where it can serve.
            for name in &made {
                let hinted = answer(&after, &query.clone().hint(name.as_str()));
                prop_assert!(hinted.is_none() || hinted == expected);
            }
        }
    }
}
