//! The same answers through every plan.

use std::sync::Arc;

use monsterdb::{Database, Document, DocumentId, Draft, Query, query::Stage};
use proptest::{collection::vec, option, prelude::*};

use crate::{
    generator::{body, documents, filter, index, sort, union},
    indexed::{answer, check_indexes, make_indexes, name, put_all, query},
    run::{Counted, check},
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

/// No index, one, or several: the same documents in the same order, the same count; and a hint
/// either gives the same or is refused. Where an index serves filter and order, as many keys are
/// read as documents are consumed, and one more at most.
#[test]
fn indexes_change_no_answer() {
    let limit = option::of(0..6_usize);
    let cases = (documents(24), vec(index(), 0..5), filter(), sort(), limit, 0..3_usize);
    let expected = [
        "null",
        "missing",
        "array",
        "object",
        "mixed types",
        "$or",
        "$in",
        "$elemMatch",
        "plan: all documents",
        "plan: primary",
        "plan: index",
        "plan: backwards",
        "plan: filter",
        "plan: sort",
        "served",
        "hint: an index",
    ];
    check("indexes_change_no_answer", &cases, &expected, |case, counted| {
        let (documents, definitions, filter, sort, limit, offset) = case;
        let plain = database(&documents);
        let indexed = database(&documents);
        let names = make_indexes(&indexed, &definitions);
        let (plain, indexed) = (plain.snapshot(), indexed.snapshot());
        counted.note_filter(&plain, &filter);
        let mut query = query(&filter, &sort).offset(offset);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let expected = answer(&plain, &query).expect("no hint, no refusal");
        prop_assert_eq!(&answer(&indexed, &query).expect("no hint, no refusal"), &expected);
        for name in names.iter().map(String::as_str).chain(["_id", "$or"]) {
            if let Some(found) = answer(&indexed, &query.clone().hint(name)) {
                prop_assert_eq!(&found, &expected, "{}", name);
                let hinted = if name.starts_with('i') { "an index" } else { name };
                counted.note(&format!("hint: {hinted}"), !found.is_empty());
            }
        }
        if let (Some(plain), Some(indexed)) = (plain.collection("c"), indexed.collection("c")) {
            prop_assert_eq!(query.count(&**plain).ok(), query.count(&**indexed).ok());
            let explained = query.explain(&**indexed).expect("no hint, no refusal");
            prop_assert_eq!(explained.documents_returned, expected.len() as u64);
            counted.note_plan(&explained.plan, !expected.is_empty());
            if is_served(&explained.plan) {
                let consumed = explained.documents_returned + offset as u64;
                prop_assert!(explained.keys_examined <= consumed + 1, "{:?}", explained);
                counted.note("served", !expected.is_empty());
            }
        }
        Ok(())
    });
}

/// What several branches of a union find comes once.
#[test]
fn a_union_finds_what_a_scan_finds() {
    let cases = (documents(24), union(), sort(), option::of(1..6_usize));
    let expected = ["null", "missing", "array", "object", "$gte", "plan: union"];
    check("a_union_finds_what_a_scan_finds", &cases, &expected, |case, counted| {
        let (documents, filter, sort, limit) = case;
        let db = database(&documents);
        make_indexes(&db, &[r#"{"paths":["a"]}"#, r#"{"paths":["b"]}"#].map(str::to_owned));
        let mut query = query(&filter, &sort);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        let snapshot = db.snapshot();
        counted.note_filter(&snapshot, &filter);
        let by_union = query.clone().hint("$or");
        let found = answer(&snapshot, &by_union).expect("it can be looked up");
        if let Some(collection) = snapshot.collection("c") {
            let plan = by_union.explain(&**collection).expect("it can be looked up").plan;
            counted.note_plan(&plan, !found.is_empty());
        }
        prop_assert_eq!(found, answer(&snapshot, &query.hint("_id")).expect("a scan serves"));
        Ok(())
    });
}

/// Own writes over indexed documents: what a transaction finds is what it finds after them.
#[test]
fn own_writes_are_laid_over_every_plan() {
    let writes = vec((0..32_usize, option::of(body())), 1..8);
    let limit = option::of(1..6_usize);
    let cases = (documents(16), vec(index(), 1..4), writes, filter(), sort(), limit);
    let expected = ["null", "missing", "array", "object", "mixed types", "committed"];
    check("own_writes_are_laid_over_every_plan", &cases, &expected, |case, counted| {
        let (documents, definitions, writes, filter, sort, limit) = case;
        let db = database(&documents);
        make_indexes(&db, &definitions);
        counted.note_filter(&db.snapshot(), &filter);
        let mut query = query(&filter, &sort);
        if let Some(limit) = limit {
            query = query.limit(limit);
        }
        own_writes(&db, &writes, &query, counted)
    });
}

fn own_writes(
    db: &Database,
    writes: &[(usize, Option<String>)],
    query: &Query,
    counted: &Counted,
) -> Result<(), TestCaseError> {
    let tx = db.begin();
    for (id, body) in writes {
        let id = DocumentId::new(&format!("d{id:02}")).expect("it is an id");
        match body {
            Some(body) => {
                let draft = Draft::parse(body.as_bytes()).expect("bodies are documents");
                tx.put(&name(), &id, draft).expect("it fits");
            }
            None => drop(tx.delete(&name(), &id).expect("it may be absent")),
        }
    }
    let texts = |found: Vec<(DocumentId, Arc<Document>)>| {
        found.into_iter().map(|(_, document)| document.json().to_owned()).collect::<Vec<_>>()
    };
    let inside = texts(tx.find(&name(), query).expect("it is a query"));
    let counted_inside = tx.count(&name(), query).expect("it is a query");
    if db.commit(tx).is_ok() {
        counted.note("committed", !inside.is_empty());
        let snapshot = db.snapshot();
        check_indexes(&snapshot);
        let collection = snapshot.collection("c").expect("it was written");
        let after = query.execute(&**collection).expect("it is a query").documents;
        prop_assert_eq!(&inside, &texts(after));
        prop_assert_eq!(counted_inside, query.count(&**collection).expect("it is a query"));
    }
    Ok(())
}
