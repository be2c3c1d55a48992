//! Property 12, AND: the result equals a naive reference evaluation, and is what every part finds.

use proptest::{collection::vec, prelude::*};
use serde_json::{Map, Value, json};

use crate::{
    filtered::{
        DOCUMENTS, Filtered,
        filter_cases::{documents, filter, path, value},
    },
    met::Met,
};

static MET: Met = Met::new();

#[test]
fn p12_and() {
    p12_and_cases();
    MET.report(
        "p12_and",
        &[
            "several parts",
            "found by all",
            "found by some and not by all",
            "as members of one object",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    fn p12_and_cases(
        bodies in documents(DOCUMENTS),
        paths in vec((path(), 0..DOCUMENTS, value()), 1..4),
        more in vec(filter(), 0..3),
    ) {
        let filtered = Filtered::new(&bodies);
        let conditions = paths.iter().map(|(path, place, other)| {
            json!({ *path: { "$gte": filtered.operand(path, *place, other) } })
        });
        let parts: Vec<Value> = conditions.chain(more).collect();
        let together = filtered.find(&json!({ "$and": parts }))?;
        let (mut every, mut most) = (filtered.ids(), 0);
        for part in &parts {
            let found = filtered.find(part)?;
            most = most.max(found.len());
            every.retain(|id| found.contains(id));
        }
        prop_assert_eq!(&together, &every);

        let case = MET.case();
        case.note("several parts", parts.len() > 1);
        case.note("found by all", !together.is_empty());
        case.note("found by some and not by all", together.len() < most);

        // The members of one object are an AND as well. Of two with one name the last stays.
        let members = parts.iter().filter_map(Value::as_object).flatten();
        let members: Map<String, Value> = members.map(|(n, v)| (n.clone(), v.clone())).collect();
        let count: usize = parts.iter().filter_map(Value::as_object).map(Map::len).sum();
        let is_whole = members.len() == count;
        let found = filtered.find(&Value::Object(members))?;
        case.note("as members of one object", is_whole && parts.len() > 1);
        if is_whole {
            prop_assert_eq!(&found, &together);
        }
    }
}
