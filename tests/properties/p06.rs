//! Property 6, secondary index creation: an index over existing data answers as a scan does.

use monsterdb::Database;
use proptest::{collection::vec, prelude::*};

use crate::{
    generator::{documents, filter, index, sort},
    indexed::{answer, check_indexes, make_indexes, put_all, query, uses_an_index},
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p06_secondary_index_creation() {
    p06_secondary_index_creation_cases();
    MET.report(
        "p06_secondary_index_creation",
        &["made", "found something", "chosen", "hint served", "hint refused"],
    );
}

proptest! {
    fn p06_secondary_index_creation_cases(
        documents in documents(32),
        index in index(),
        filters in vec(filter(), 1..6),
        sort in sort(),
    ) {
        let case = MET.case();
        let db = Database::in_memory();
        put_all(&db, &documents);
        let before = db.snapshot();
        let made = make_indexes(&db, &[index]);
        let after = db.snapshot();
        check_indexes(&after);
        case.note("made", !made.is_empty());
        for filter in filters {
            let query = query(&filter, &sort);
            let expected = answer(&before, &query);
            prop_assert_eq!(answer(&after, &query), expected.clone());
            case.note("found something", expected.as_ref().is_some_and(|found| !found.is_empty()));
            case.note("chosen", uses_an_index(&after, &query));
            // The index by name, where it can serve.
            for name in &made {
                let hinted = answer(&after, &query.clone().hint(name.as_str()));
                case.note("hint served", hinted.is_some());
                case.note("hint refused", hinted.is_none());
                prop_assert!(hinted.is_none() || hinted == expected);
            }
        }
    }
}
