//! Property 15, query round trip: what was inserted comes back unchanged through every plan.

use std::collections::BTreeMap;

use monsterdb::{Database, Filter, Query};
use proptest::{collection::vec, prelude::*};
use serde_json::value::RawValue;

use crate::{
    generator::{documents, index},
    indexed::{answer, make_indexes, put_all, uses_an_index},
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p15_query_round_trip() {
    p15_query_round_trip_cases();
    MET.report(
        "p15_query_round_trip",
        &["by an index", "by a union", "by a scan", "replaced before"],
    );
}

proptest! {
    fn p15_query_round_trip_cases(documents in documents(24), definitions in vec(index(), 1..5)) {
        let db = Database::in_memory();
        put_all(&db, &documents);
        let names = make_indexes(&db, &definitions);
        let snapshot = db.snapshot();
        let (case, written) = (MET.case(), documents.len());
        // Of documents written twice the last one stands.
        let stored: BTreeMap<_, _> = documents.into_iter().collect();
        case.note("replaced before", stored.len() < written);
        let mut texts = Vec::new();
        for (id, body) in &stored {
            let members = body.trim_start_matches('{');
            let comma = if members == "}" { "" } else { "," };
            let version = snapshot.get("c", id).expect("it was inserted").version();
            let text = format!("{{\"_id\":\"{id}\",\"_version\":{version}{comma}{members}");
            let by_id = Filter::parse(&format!("{{\"_id\":\"{id}\"}}")).expect("it is a filter");
            prop_assert_eq!(answer(&snapshot, &Query::new(by_id)), Some(vec![text.clone()]));
            texts.push(text.clone());
            // By each of its members, with every index that can serve.
            let object: BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(body).expect("it is an object");
            for (path, value) in &object {
                let equal = format!("{{\"{path}\":{{\"$eq\":{value}}}}}");
                let query = Query::new(Filter::parse(&equal).expect("it is a filter"));
                for name in names.iter().map(String::as_str).chain(["_id"]) {
                    if let Some(found) = answer(&snapshot, &query.clone().hint(name)) {
                        case.note("by an index", name != "_id");
                        prop_assert!(found.contains(&text), "{} by {}: {:?}", text, name, found);
                    }
                }
                let either = format!("{{\"$or\":[{equal},{{\"_id\":\"{id}\"}}]}}");
                let union = Query::new(Filter::parse(&either).expect("it is a filter"));
                let found = answer(&snapshot, &union).expect("no hint, no refusal");
                case.note("by a union", uses_an_index(&snapshot, &union));
                prop_assert!(found.contains(&text), "{} by a union: {:?}", text, found);
            }
        }
        case.note("by a scan", !texts.is_empty());
        let all = Query::new(Filter::parse("{}").expect("it is a filter"));
        prop_assert_eq!(answer(&snapshot, &all), Some(texts));
    }
}
