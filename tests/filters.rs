//! Filters over the public interface: MongoDB's documented semantics, the JSON form, and agreement
//! with a naive evaluation over trees.
#![allow(clippy::unwrap_used, missing_docs)]

use std::cmp::Ordering;

use monsterdb::{Document, DocumentId, Draft, Error, Filter, Json, field};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

fn document(body: &str) -> Document {
    Draft::parse(body.as_bytes()).unwrap().into_document(&DocumentId::new("x").unwrap()).unwrap()
}

/// The documents that a filter matches, by their place in the list.
fn matching(filter: &str, bodies: &[&str]) -> Vec<usize> {
    let filter = Filter::parse(filter).unwrap();
    let matches = |place: &usize| filter.matches(&document(bodies[*place]));
    (0..bodies.len()).filter(matches).collect()
}

#[test]
fn equality() {
    let bodies =
        [r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":[2,1]}"#, r#"{"a":"1"}"#, r#"{"a":[[1]]}"#, "{}"];
    assert_eq!(matching(r#"{"a":1}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a":{"$ne":1}}"#, &bodies), [3, 4, 5]);
    assert_eq!(matching(r#"{"a":[2,1]}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a":[1]}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$in":["1",[1]]}}"#, &bodies), [3, 4]);
    assert_eq!(matching(r#"{"a":{"$nin":[1,"1"]}}"#, &bodies), [4, 5]);
    assert_eq!(matching(r#"{"a":{"$in":[]}}"#, &bodies), [0; 0]);
    assert_eq!(matching(r#"{"a":{"$nin":[]}}"#, &bodies).len(), bodies.len());
    assert_eq!(matching("{}", &bodies).len(), bodies.len());
}

#[test]
fn equality_of_objects_minds_the_order_of_members() {
    let bodies =
        [r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2,"b":1}}"#, r#"{"a":[{"\u0062":1.0,"c":2}]}"#];
    assert_eq!(matching(r#"{"a":{"b":1,"c":2}}"#, &bodies), [0, 2]);
    assert_eq!(matching(r#"{"a":{"$in":[{"c":2,"b":1},{"c":2}]}}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a":{"$in":[{"c":2,"b":1},{"b":1,"c":2}]}}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a":{"b":1}}"#, &bodies), [0; 0]);
}

#[test]
fn null_is_equal_to_missing() {
    let bodies = [r#"{"a":null}"#, "{}", r#"{"a":[null,1]}"#, r#"{"a":[]}"#, r#"{"a":0}"#];
    for filter in ["null", r#"{"$gte":null}"#, r#"{"$lte":null}"#, r#"{"$in":[7,null]}"#] {
        assert_eq!(matching(&format!(r#"{{"a":{filter}}}"#), &bodies), [0, 1, 2], "{filter}");
    }
    for filter in [r#"{"$gt":null}"#, r#"{"$lt":null}"#] {
        assert_eq!(matching(&format!(r#"{{"a":{filter}}}"#), &bodies), [0; 0], "{filter}");
    }
    assert_eq!(matching(r#"{"a":{"$ne":null}}"#, &bodies), [3, 4]);
}

/// The cases that MongoDB's own tests of null name for `{"a.b": null}`.
#[test]
fn null_below_arrays() {
    let yes = [
        "{}",
        r#"{"a":{}}"#,
        r#"{"a":null}"#,
        r#"{"a":4}"#,
        r#"{"a":{"b":null}}"#,
        r#"{"a":[{"b":null},{}]}"#,
        r#"{"a":[{"b":null},{"b":3}]}"#,
        r#"{"a":[{"b":3},{}]}"#,
    ];
    let no = [
        r#"{"a":[[]]}"#,
        r#"{"a":[]}"#,
        r#"{"a":[{"b":1},{"b":"string"}]}"#,
        r#"{"a":[null,null]}"#,
        r#"{"a":[1,"string",4]}"#,
        r#"{"a":{"b":1}}"#,
    ];
    assert_eq!(matching(r#"{"a.b":null}"#, &yes).len(), yes.len());
    assert_eq!(matching(r#"{"a.b":null}"#, &no), [0; 0]);
    assert_eq!(matching(r#"{"a.b":{"$ne":null}}"#, &no).len(), no.len());
}

#[test]
fn comparison_is_within_a_kind() {
    let bodies = [
        r#"{"a":1}"#,
        r#"{"a":5}"#,
        r#"{"a":"5"}"#,
        r#"{"a":true}"#,
        r#"{"a":[0,9]}"#,
        r#"{"a":{}}"#,
        "{}",
    ];
    assert_eq!(matching(r#"{"a":{"$gt":1}}"#, &bodies), [1, 4]);
    assert_eq!(matching(r#"{"a":{"$gte":1}}"#, &bodies), [0, 1, 4]);
    assert_eq!(matching(r#"{"a":{"$lt":5}}"#, &bodies), [0, 4]);
    // Each bound may be met by another element.
    assert_eq!(matching(r#"{"a":{"$gt":1,"$lt":5}}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$gt":"4"}}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a":{"$gt":false}}"#, &bodies), [3]);
    assert_eq!(matching(r#"{"a":{"$lt":[1]}}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$gte":{}}}"#, &bodies), [5]);
    let large = [r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992.0}"#];
    assert_eq!(matching(r#"{"a":{"$gt":9007199254740992}}"#, &large), [0]);
}

#[test]
fn paths_reach_through_arrays() {
    let bodies = [
        r#"{"a":{"b":1}}"#,
        r#"{"a":[{"b":1},{"b":2}]}"#,
        r#"{"a":[{"b":[3,1]}]}"#,
        r#"{"a":[[{"b":1}]]}"#,
        r#"{"a.b":1}"#,
    ];
    assert_eq!(matching(r#"{"a.b":1}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a.1.b":2}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a.0.b.1":1}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a.0.0.b":1}"#, &bodies), [3]);
    assert_eq!(matching(r#"{"a.0.b":1}"#, &bodies), [1, 2, 3]);
}

#[test]
fn the_id_and_the_version_are_members() {
    let stored = r#"{"_id":"x","a":1}"#.to_owned().into_boxed_str();
    let (_, stored) = Document::trusted(stored, monsterdb::Version::new(17)).unwrap();
    assert!(Filter::parse(r#"{"_id":"x","_version":{"$gte":17}}"#).unwrap().matches(&stored));
    assert!(!field("_version").gt(17).matches(&stored));
    let id = |text: &str| Filter::parse(text).unwrap().id_equality().map(String::from);
    assert_eq!(id(r#"{"_id":"x"}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"a":1,"$and":[{"_id":{"$eq":"\u0078"}}]}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"_id":{"$gte":"x"}}"#), None);
    assert_eq!(id(r#"{"_id":1}"#), None);
}

#[test]
fn what_is_no_filter() {
    for (text, pointer, named) in [
        ("[]", "", "object"),
        (r#"{"$xor":[{"a":1}]}"#, "/$xor", "$xor"),
        (r#"{"a":{"$above":1}}"#, "/a/$above", "$above"),
        (r#"{"a":{"$gt":1,"b":2}}"#, "/a/b", "plain"),
        (r#"{"a":{"b":1,"$gt":2}}"#, "/a/b", "plain"),
        (r#"{"a":{"$in":1}}"#, "/a/$in", "$in"),
        (r#"{"$and":[]}"#, "/$and", "$and"),
        (r#"{"$and":{}}"#, "/$and", "$and"),
        (r#"{"$and":[{"a":1},2]}"#, "/$and/1", "object"),
        (r#"{"$and":[{"a/b":{"$x":1}}]}"#, "/$and/0/a~1b/$x", "$x"),
        (r#"{"a..b":1}"#, "/a..b", "a..b"),
        (r#"{"":1}"#, "/", "empty"),
        (r#"{"a":1,"a":2}"#, "/a", "twice"),
        (r#"{"a":1e999}"#, "/a", "overflows"),
    ] {
        match Filter::parse(text).unwrap_err() {
            Error::InvalidFilter { pointer: found, reason } => {
                assert_eq!(found, pointer, "{text}");
                assert!(reason.contains(named), "{text}: {reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    assert_eq!(Filter::parse("{").unwrap_err().code(), "invalid-json");
    assert_eq!(Filter::parse(&" ".repeat(2 << 20)).unwrap_err().code(), "limit-exceeded");
    let invalid = field("a").eq(1).and(field("b..c").gt(2));
    assert_eq!(invalid.check().unwrap_err().code(), "invalid-filter");
    assert!(!invalid.matches(&document(r#"{"a":1}"#)));
}

#[test]
fn the_builder_makes_what_the_json_form_makes() {
    for (built, text) in [
        (Filter::all(), "{}"),
        (field("a").eq("b"), r#"{"a":"b"}"#),
        (field("a.b").gte(18), r#"{"a.b":{"$gte":18}}"#),
        (field("a").gt(1).and(field("a").lt(2.5)), r#"{"a":{"$gt":1,"$lt":2.5}}"#),
        (field("a").ne(true).and(field("b").lte("z")), r#"{"a":{"$ne":true},"b":{"$lte":"z"}}"#),
        (field("a").is_in([1, 2]), r#"{"a":{"$in":[1,2]}}"#),
        (field("a").not_in(["x"]), r#"{"a":{"$nin":["x"]}}"#),
        (field("a").eq(1).and(field("a").eq(2)), r#"{"$and":[{"a":1},{"a":2}]}"#),
        (field("a").eq(1).and(field("a").gt(0)), r#"{"a":{"$eq":1,"$gt":0}}"#),
        (field("a").eq(Json::parse(r#"{"$x":1}"#).unwrap()), r#"{"a":{"$eq":{"$x":1}}}"#),
        (Filter::all().and(field("a").eq(None::<i64>)), r#"{"a":null}"#),
    ] {
        assert_eq!(built, Filter::parse(text).unwrap());
        assert_eq!(built.to_json(), text);
        built.check().unwrap();
    }
    let nested = Filter::parse(r#"{"$and":[{"$and":[{"a":{"$eq":1}},{}]}]}"#).unwrap();
    assert_eq!(nested.to_json(), r#"{"a":1}"#);
    let paths = Filter::parse(r#"{"b.c":1,"a":{"$gt":1,"$lt":3}}"#).unwrap();
    assert!(paths.paths().into_iter().map(|path| path.as_str()).eq(["a", "b.c"]));
}

fn scalar() -> impl Strategy<Value = Value> {
    select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(2),
        json!(1.0),
        json!(1.5),
        json!(-3),
        json!("a"),
        json!("b"),
        json!("é"),
        json!(""),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::Array), object(inner)]
    })
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(select(vec!["a", "b", "0", "1"]), values, 0..4).prop_map(
        |members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    )
}

const PATHS: &[&str] = &["a", "b", "a.b", "b.a", "a.0", "a.1.b", "b.0.0", "a.b.a"];
const OPERATORS: &[&str] = &["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn matching_agrees_with_a_naive_evaluation(
        body in object(value()),
        conditions in vec((select(PATHS), select(OPERATORS), value(), vec(value(), 0..4)), 1..4),
    ) {
        let stored = document(&body.to_string());
        let tree: Value = serde_json::from_str(stored.json()).unwrap();
        let mut parts = Vec::new();
        let mut expected = true;
        for (path, operator, operand, list) in conditions {
            let operand = if operator.ends_with("in") { Value::Array(list) } else { operand };
            expected &= holds(&tree, path, operator, &operand);
            parts.push(json!({ path: { operator: operand } }));
        }
        let text = json!({ "$and": parts }).to_string();
        let filter = Filter::parse(&text).unwrap();
        prop_assert_eq!(filter.matches(&stored), expected, "{} {}", text, body);
        let again = Filter::parse(&filter.to_json()).unwrap();
        prop_assert_eq!(again.to_json(), filter.to_json());
        prop_assert_eq!(again, filter);
    }
}

fn holds(tree: &Value, path: &str, operator: &str, operand: &Value) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    reach(&parts, Some(tree), true, &mut found);
    let any = |test: &dyn Fn(&Value) -> bool| found.iter().any(test);
    let within = |fits: fn(Ordering) -> bool| {
        any(&|value| rank(value) == rank(operand) && fits(order(value, operand)))
    };
    let listed =
        || any(&|value| operand.as_array().unwrap().iter().any(|o| order(value, o).is_eq()));
    match operator {
        "$eq" => any(&|value| order(value, operand).is_eq()),
        "$ne" => !any(&|value| order(value, operand).is_eq()),
        "$gt" => within(Ordering::is_gt),
        "$gte" => within(Ordering::is_ge),
        "$lt" => within(Ordering::is_lt),
        "$lte" => within(Ordering::is_le),
        "$in" => listed(),
        "$nin" => !listed(),
        other => panic!("{other}"),
    }
}

/// All values at the end of a path; missing is null here, since no operator tells them apart.
fn reach(parts: &[&str], value: Option<&Value>, expand: bool, found: &mut Vec<Value>) {
    match (parts, value) {
        ([], Some(Value::Array(elements))) if expand => {
            found.extend(elements.iter().cloned());
            found.push(Value::Array(elements.clone()));
        }
        ([], value) => found.push(value.cloned().unwrap_or(Value::Null)),
        ([name, rest @ ..], Some(Value::Object(members))) => match members.get(*name) {
            Some(member) => reach(rest, Some(member), true, found),
            None => found.push(Value::Null),
        },
        ([name, rest @ ..], Some(Value::Array(elements))) => {
            for element in elements.iter().filter(|element| element.is_object()) {
                reach(parts, Some(element), true, found);
            }
            if let Some(element) = name.parse::<usize>().ok().and_then(|index| elements.get(index))
            {
                let container = element.is_object() || element.is_array();
                if rest.is_empty() || container {
                    reach(rest, Some(element), !rest.is_empty(), found);
                }
            }
        }
        (_, Some(_) | None) => found.push(Value::Null),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

/// The total order; members are sorted already, and numbers small, in these tests.
fn order(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.as_f64().unwrap().total_cmp(&b.as_f64().unwrap()),
        (Value::String(a), Value::String(b)) => a.chars().cmp(b.chars()),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|o| o.is_ne());
            unequal.unwrap_or(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let pairs = a.iter().zip(b).map(|((m, a), (n, b))| m.cmp(n).then_with(|| order(a, b)));
            pairs.into_iter().find(|o| o.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        _ => Ordering::Equal,
    })
}
