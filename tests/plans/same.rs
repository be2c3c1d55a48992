//! The same answers through every plan.

use monsterdb::{Database, DocumentId, Draft, query::Stage};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    generator::{body, documents, filter, index, sort, union},
    indexed::{answer, check_indexes, make_indexes, name, put_all, query},
};

fn database(documents: &[(String, String)]) -> Database {
    let db = Database::in_memory();
    put_all(&db, documents);
    db
}

/// True when what is read serves filter and order: nothing is tested, nothing is sorted.
fn is_served(stage: &Stage) -> bool {
    match stage.stage {
        "limit" => stage.input.iter().all(is_served),
        "index" | "primary" | "all documents" => true,
        _ => false,
    }
}

proptest! {
    /// No index, one, or several: the same documents in the same order, the same count; and a hint
    /// either gives the same or is refused. Where an index serves filter and order, as many keys
    /// are read as documents are consumed, and one more at most.
    #[test]
    fn indexes_change_no_answer(
        documents in documents(24),
        definitions in vec(index(), 0..5),
        filter in filter(),
        sort in sort(),
        limit in option::of(0..6_usize),
        offset in 0..3_usize,
    ) {
        let plain = database(&documents);
        let indexed = database(&documents);
        let names = make_indexes(&indexed, &definitions);
        let (plain, indexed) = (plain.snapshot(), indexed.snapshot());
        let mut query = query(&filter, &sort).offset(offset);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let expected = answer(&plain, &query).expect("no hint, no refusal");
        prop_assert_eq!(&answer(&indexed, &query).expect("no hint, no refusal"), &expected);
        for name in names.iter().map(String::as_str).chain(["_id", "$or"]) {
            if let Some(found) = answer(&indexed, &query.clone().hint(name)) {
                prop_assert_eq!(&found, &expected, "{}", name);
            }
        }
        if let (Some(plain), Some(indexed)) = (plain.collection("c"), indexed.collection("c")) {
            prop_assert_eq!(query.count(&**plain).ok(), query.count(&**indexed).ok());
            let explained = query.explain(&**indexed).expect("no hint, no refusal");
            prop_assert_eq!(explained.documents_returned, expected.len() as u64);
            if is_served(&explained.plan) {
                let consumed = explained.documents_returned + offset as u64;
                prop_assert!(explained.keys_examined <= consumed + 1, "{:?}", explained);
            }
        }
    }

    /// What several branches of a union find comes once.
    #[test]
    fn a_union_finds_what_a_scan_finds(
        documents in documents(24),
        filter in union(),
        sort in sort(),
        limit in option::of(1..6_usize),
    ) {
        let db = database(&documents);
        make_indexes(&db, &[r#"{"paths":["a"]}"#, r#"{"paths":["b"]}"#].map(str::to_owned));
        let mut query = query(&filter, &sort);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let snapshot = db.snapshot();
        let by_union = answer(&snapshot, &query.clone().hint("$or")).expect("it can be looked up");
        prop_assert_eq!(by_union, answer(&snapshot, &query.hint("_id")).expect("a scan serves"));
    }

    /// Own writes over indexed documents: what a transaction finds is what it finds after them.
    #[test]
    fn own_writes_are_laid_over_every_plan(
        documents in documents(16),
        definitions in vec(index(), 1..4),
        writes in vec((0..32_usize, option::of(body())), 1..8),
        filter in filter(),
        sort in sort(),
        limit in option::of(1..6_usize),
    ) {
        let db = database(&documents);
        make_indexes(&db, &definitions);
        let tx = db.begin();
        for (id, body) in &writes {
            let id = DocumentId::new(&format!("d{id:02}")).expect("it is an id");
            match body {
                Some(body) => {
                    let draft = Draft::parse(body.as_bytes()).expect("bodies are documents");
                    tx.put(&name(), &id, draft).expect("it fits");
                }
                None => drop(tx.delete(&name(), &id).expect("it may be absent")),
            }
        }
        let mut query = query(&filter, &sort);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let texts = |found: Vec<(DocumentId, std::sync::Arc<monsterdb::Document>)>| {
            found.into_iter().map(|(_, document)| document.json().to_owned()).collect::<Vec<_>>()
        };
        let inside = texts(tx.find(&name(), &query).expect("it is a query"));
        let counted = tx.count(&name(), &query).expect("it is a query");
        if db.commit(tx).is_ok() {
            let snapshot = db.snapshot();
            check_indexes(&snapshot);
            let collection = snapshot.collection("c").expect("it was written");
            let after = query.execute(&**collection).expect("it is a query").documents;
            prop_assert_eq!(&inside, &texts(after));
            prop_assert_eq!(counted, query.count(&**collection).expect("it is a query"));
        }
    }
}
