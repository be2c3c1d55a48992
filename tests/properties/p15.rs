//! Property 15, query round trip: what was inserted comes back unchanged through every plan.

use std::collections::BTreeMap;

use monsterdb::{Database, Filter, Query};
use proptest::{collection::vec, prelude::*};
use serde_json::value::RawValue;

use crate::{
    generator::{documents, index},
    indexed::{answer, make_indexes, put_all},
};

proptest! {
    #[test]
    fn p15_query_round_trip(documents in documents(24), definitions in vec(index(), 1..5)) {
        let db = Database::in_memory();
        put_all(&db, &documents);
        let names = make_indexes(&db, &definitions);
        let snapshot = db.snapshot();
        // Of documents written twice the last one stands.
        let stored: BTreeMap<_, _> = documents.into_iter().collect();
        for (id, body) in &stored {
            let members = body.trim_start_matches('{');
            let comma = if members == "}" { "" } else { "," };
            let version = snapshot.get("c", id).expect("it was inserted").version();
            let text = format!("{{\"_id\":\"{id}\",\"_version\":{version}{comma}{members}");
            let by_id = Filter::parse(&format!("{{\"_id\":\"{id}\"}}")).expect("it is a filter");
            prop_assert_eq!(answer(&snapshot, &Query::new(by_id)), Some(vec![text.clone()]));
            // By each of its members, with every index that can serve.
            let object: BTreeMap<String, Box<RawValue>> =
                serde_json::from_str(body).expect("it is an object");
            for (path, value) in &object {
                let filter = Filter::parse(&format!("{{\"{path}\":{{\"$eq\":{value}}}}}"));
                let query = Query::new(filter.expect("it is a filter"));
                for name in names.iter().map(String::as_str).chain(["_id"]) {
                    if let Some(found) = answer(&snapshot, &query.clone().hint(name)) {
                        prop_assert!(found.contains(&text), "{} by {}: {:?}", text, name, found);
                    }
                }
            }
        }
    }
}
