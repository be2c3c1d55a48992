//! Property 13, pagination: pages by offset and by cursor concatenate to the whole, in order, under
//! concurrent writes.
//!
//! Between any two pages a document is written, and a second thread writes all the while. The whole
//! is what a naive evaluation makes of the documents before the first page.

use std::thread;

use monsterdb::{CollectionName, Database, Filter, Json, Query, database::Page};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Value;

use super::{
    order::{Part, parts, sort, written},
    reference::{object, value},
};
use crate::met::Met;

static MET: Met = Met::new();

#[test]
fn p13_pagination() {
    p13_pagination_cases();
    MET.report(
        "p13_pagination",
        &[
            "several pages",
            "sorted",
            "by ids",
            "with an offset",
            "written between pages",
            "changed meanwhile",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    fn p13_pagination_cases(
        bodies in vec(object(value()), 0..30),
        order in prop_oneof![1 => Just(Vec::new()), 4 => parts()],
        filter in select(vec!["{}", r#"{"a":{"$gte":0}}"#, r#"{"b":null}"#]),
        limits in vec(1..6_usize, 1..5),
        offset in 0..4_usize,
        writes in vec((0..40_usize, option::of(value())), 60),
    ) {
        let case = MET.case();
        case.note("sorted", !order.is_empty());
        case.note("by ids", order.is_empty());
        let db = Database::in_memory();
        let name = CollectionName::new("c").expect("a name");
        for (place, body) in bodies.iter().enumerate() {
            put(&db, place, body);
        }
        let query = query(filter, &order);
        let before = whole(&db, bodies.len(), filter, &order);
        let (mine, others) = writes.split_at(30);
        thread::scope(|scope| {
            // The first page is read before anything is written: the whole is known then.
            let first = db.page(&name, &query.clone().limit(limits[0]).offset(offset)).expect("read");
            let version = first.version;
            scope.spawn(|| others.iter().for_each(|change| apply(&db, change)));
            let mut mine = mine.iter().cycle();
            let mut limits = limits.iter().cycle();
            let mut write = || apply(&db, mine.next().expect("a cycle has no end"));

            let mut by_cursor = vec![first];
            while let Some(cursor) = by_cursor.last().and_then(|page| page.cursor.clone()) {
                write();
                let limit = *limits.next().expect("a cycle has no end");
                // It goes through hands that know nothing of it.
                let cursor = cursor.to_string().parse().expect("what was written is read");
                let page = db.next_page(&name, &query.clone().limit(limit), &cursor).expect("kept");
                assert!(page.documents.len() == limit || page.cursor.is_none(), "a page is full");
                by_cursor.push(page);
            }
            prop_assert_eq!(texts(&by_cursor), before.get(offset..).unwrap_or_default());
            prop_assert!(by_cursor.iter().all(|page| page.version == version));

            let mut by_offset = Vec::new();
            for place in (0..=before.len()).step_by(3) {
                write();
                let page = query.clone().limit(3).offset(place);
                by_offset.push(db.page_at(version, &name, &page).expect("kept"));
            }
            prop_assert_eq!(&texts(&by_offset), &before);
            case.note("several pages", by_cursor.len() > 2);
            case.note("with an offset", offset > 0 && !by_cursor[0].documents.is_empty());
            case.note("written between pages", by_cursor.len() > 1);
            Ok(())
        })?;
        // What was listed is not what is there by now.
        let listed = whole(&db, 40, filter, &order);
        case.note("changed meanwhile", !before.is_empty() && listed != before);
    }
}

fn query(filter: &str, order: &[Part]) -> Query {
    let query = Query::new(Filter::parse(filter).expect("a filter"));
    match order {
        [] => query,
        order => query.sort(written(order).parse().expect("a sort")),
    }
}

/// The documents' texts with their versions, in the order of the sort.
fn whole(db: &Database, places: usize, filter: &str, order: &[Part]) -> Vec<String> {
    let filter = Filter::parse(filter).expect("a filter");
    let snapshot = db.snapshot();
    let stored = (0..places).filter_map(|place| snapshot.get("c", &id(place)));
    let mut trees: Vec<Value> = stored
        .filter(|document| filter.matches(document))
        .map(|document| serde_json::from_str(&document.to_json_with_version()).expect("JSON"))
        .collect();
    sort(&mut trees, order);
    let id = |tree: &Value| tree["_id"].as_str().map(str::to_owned).expect("it has an id");
    trees
        .iter()
        .map(|tree| snapshot.get("c", &id(tree)).expect("there").to_json_with_version())
        .collect()
}

fn texts(pages: &[Page]) -> Vec<String> {
    let documents = pages.iter().flat_map(|page| &page.documents);
    documents.map(|(_, document)| document.to_json_with_version()).collect()
}

fn apply(db: &Database, (place, value): &(usize, Option<Value>)) {
    match value {
        Some(value) => put(db, *place, &serde_json::json!({ "a": value, "b": value })),
        None => {
            db.collection::<Json>("c").and_then(|c| c.delete(&id(*place))).expect("deleted");
        }
    }
}

fn put(db: &Database, place: usize, body: &Value) {
    let body = Json::parse(&body.to_string()).expect("a document");
    db.collection::<Json>("c").and_then(|c| c.put(&id(place), &body)).expect("written");
}

fn id(place: usize) -> String {
    format!("d{place:02}")
}
