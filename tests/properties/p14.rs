//! Property 14, sort order: output is ordered by the total order, stable by `_id`, any mix of
//! directions.

use monsterdb::{Database, Filter, Json};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{
    order::{parts, sort, written},
    reference::{object, value},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn p14_sort_order(
        bodies in vec(object(value()), 0..20),
        order in parts(),
        page in (0..25_usize, 0..25_usize),
    ) {
        let db = Database::in_memory();
        let c = db.collection::<Json>("c").expect("a name");
        for (place, body) in bodies.iter().enumerate() {
            let body = Json::parse(&body.to_string()).expect("a document");
            // Put in another order than that of the ids.
            c.put(&format!("d{:02}", (place * 7) % 20), &body).expect("written");
        }
        let read = |entry: &Json| serde_json::from_str::<Value>(entry.as_str()).expect("JSON");
        let find = || c.find(Filter::all()).expect("a filter");
        let by_id: Vec<_> = find().collect().expect("read");
        let mut expected: Vec<Value> = by_id.iter().map(|entry| read(entry)).collect();
        sort(&mut expected, &order);

        let found: Vec<_> = find().sort(&written(&order)).collect().expect("read");
        let found: Vec<Value> = found.iter().map(|entry| read(entry)).collect();
        prop_assert_eq!(&found, &expected, "{}", written(&order));
        let (offset, limit) = page;
        let part = find().sort(&written(&order)).offset(offset).limit(limit);
        let part: Vec<_> = part.collect().expect("read");
        let part: Vec<Value> = part.iter().map(|entry| read(entry)).collect();
        let expected: Vec<Value> = expected.into_iter().skip(offset).take(limit).collect();
        prop_assert_eq!(part, expected, "{}", written(&order));
    }
}
