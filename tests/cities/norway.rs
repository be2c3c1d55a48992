//! The first ten cities of Norway from S on, by name: with an index on (country, name) they are
//! what is read.

use std::{sync::Arc, time::Instant};

use monsterdb::{Database, Filter, IndexDefinition, Query, snapshot::Collection};

use crate::import;

/// The query's answers, as texts, and how it was planned.
fn ask(collection: &Collection, query: &Query) -> (Vec<String>, u64) {
    let begun = Instant::now();
    let found = query.execute(collection).expect("it is a query").documents;
    let elapsed = begun.elapsed();
    let texts = found.iter().map(|(_, document)| document.to_json_with_version()).collect();
    let explained = query.explain(collection).expect("it is a query");
    println!(
        "{} keys examined, {} documents examined, {} returned in {elapsed:.1?}: {}",
        explained.keys_examined,
        explained.documents_examined,
        explained.documents_returned,
        serde_json::to_string(&explained.plan).expect("a plan is JSON"),
    );
    (texts, explained.keys_examined)
}

fn cities(db: &Database) -> Arc<Collection> {
    Arc::clone(db.snapshot().collection("cities").expect("it was imported"))
}

#[test]
fn ten_cities_by_eleven_keys() {
    let db = Database::in_memory();
    let Some(count) = import(&db) else { return };
    let filter = Filter::parse(r#"{"country":"NO","name":{"$gte":"S"}}"#).expect("it is a filter");
    let query = Query::new(filter).sort("name".parse().expect("it is a sort")).limit(10);
    let (scanned, keys) = ask(&cities(&db), &query);
    assert_eq!(keys, count, "without an index every document is read");
    let by_name = IndexDefinition::on(["country", "name"]).expect("these are paths");
    db.create_index("cities", "by_name", by_name).expect("every city fits");
    let (found, keys) = ask(&cities(&db), &query);
    assert!(keys <= 11, "{keys} keys were examined for ten documents");
    assert_eq!(found.len(), 10);
    assert_eq!(found, scanned, "an index changed the answer");
    // Near miss: by the same index, the order of another path.
    let by_place = query.sort("lat".parse().expect("it is a sort"));
    let (found, keys) = ask(&cities(&db), &by_place);
    assert!(keys > 11, "what is sorted is read as a whole");
    assert_eq!(found, ask(&cities(&db), &by_place.hint("_id")).0);
}
