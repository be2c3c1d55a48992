//! Property 14, sort order: output is ordered by the total order, stable by `_id`, any mix of
//! directions.

use monsterdb::{Database, Filter, Json};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{
    order::{parts, sort, written},
    reference::{object, value},
};
use crate::met::Met;

static MET: Met = Met::new();

#[test]
fn p14_sort_order() {
    p14_sort_order_cases();
    MET.report(
        "p14_sort_order",
        &[
            "several documents",
            "several parts",
            "descending",
            "both directions",
            "other than by id",
            "a page within",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    fn p14_sort_order_cases(
        bodies in vec(object(value()), 0..20),
        order in parts(),
        page in (0..12_usize, 0..12_usize),
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

        let case = MET.case();
        case.note("several documents", expected.len() > 1);
        case.note("several parts", order.len() > 1);
        case.note("descending", order.iter().any(|(_, descends)| *descends));
        let directions = [true, false].map(|to| order.iter().any(|(_, descends)| *descends == to));
        case.note("both directions", directions == [true, true]);
        let ids: Vec<Value> = by_id.iter().map(|entry| read(entry)).collect();
        case.note("other than by id", ids != expected);
        let found: Vec<_> = find().sort(&written(&order)).collect().expect("read");
        let found: Vec<Value> = found.iter().map(|entry| read(entry)).collect();
        prop_assert_eq!(&found, &expected, "{}", written(&order));
        let (offset, limit) = page;
        let within = 0 < offset && 0 < limit && offset + limit < expected.len();
        case.note("a page within", within);
        let part = find().sort(&written(&order)).offset(offset).limit(limit);
        let part: Vec<_> = part.collect().expect("read");
        let part: Vec<Value> = part.iter().map(|entry| read(entry)).collect();
        let expected: Vec<Value> = expected.into_iter().skip(offset).take(limit).collect();
        prop_assert_eq!(part, expected, "{}", written(&order));
    }
}
