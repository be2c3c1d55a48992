//! Distinct values.

use monsterdb::{Error, Filter, Json, field};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    filled,
    reference::{PATHS, object, order, reached, value},
    value as parsed,
};

fn texts(values: &[Json]) -> Vec<&str> {
    values.iter().map(Json::as_str).collect()
}

#[test]
fn arrays_are_unwound_null_counts_and_missing_does_not() {
    let bodies = [
        json!({"n": 1, "a": ["x", "y", null]}),
        json!({"n": 2, "a": "x"}),
        json!({"n": 3, "a": []}),
        json!({"n": 4}),
        json!({"n": 5, "a": [["x"], 2]}),
    ];
    let c = filled(&bodies);
    let found = c.distinct("a", Filter::all()).unwrap();
    assert_eq!(texts(&found), ["null", "2", r#""x""#, r#""y""#, r#"["x"]"#]);
    assert_eq!(texts(&c.distinct("a", field("n").lte(2)).unwrap()), ["null", r#""x""#, r#""y""#]);
    assert_eq!(texts(&c.distinct("a", field("_id").eq("d01")).unwrap()), [r#""x""#]);
    assert_eq!(texts(&c.distinct("_version", field("n").gt(3)).unwrap()), ["4", "5"]);
    assert_eq!(texts(&c.distinct("b", Filter::all()).unwrap()), [""; 0]);
    assert!(matches!(c.distinct("a..b", Filter::all()), Err(Error::InvalidQuery { .. })));
    assert!(matches!(c.distinct("a", field("").eq(1)), Err(Error::InvalidFilter { .. })));
}

#[test]
fn equal_values_are_one_in_the_first_spelling() {
    let c = filled(&[]);
    for (id, text) in [
        ("1", r#"{"a":1.0}"#),
        ("2", r#"{"a":1}"#),
        ("3", r#"{"a":{"x":1,"y":2}}"#),
        ("4", r#"{"a":{"y":2,"x":1}}"#),
        ("5", r#"{"a":{"\u0078":1,"y":2}}"#),
    ] {
        c.put(id, &Json::parse(text).unwrap()).unwrap();
    }
    let found = c.distinct("a", Filter::all()).unwrap();
    assert_eq!(texts(&found), ["1.0", r#"{"x":1,"y":2}"#, r#"{"y":2,"x":1}"#]);
}

#[test]
fn values_take_so_much_memory_and_no_more() {
    let c = filled(&[]);
    let text = "x".repeat(1 << 20);
    for id in 0..20 {
        let body = format!(r#"{{"same":"{text}","own":"{id}{text}"}}"#);
        c.put(&id.to_string(), &Json::parse(&body).unwrap()).unwrap();
    }
    assert_eq!(c.distinct("same", Filter::all()).unwrap().len(), 1);
    let refused = c.distinct("own", Filter::all());
    assert!(matches!(&refused, Err(Error::InvalidQuery { reason }) if reason.contains("16777216")));
}

proptest! {
    #[test]
    fn distinct_agrees_with_a_naive_evaluation(
        bodies in vec(object(value()), 0..12),
        path in select(PATHS),
    ) {
        let mut expected: Vec<Value> = Vec::new();
        for value in bodies.iter().flat_map(|body| reached(body, path)).flatten() {
            if !expected.iter().any(|other| order(Some(other), Some(&value)).is_eq()) {
                expected.push(value);
            }
        }
        expected.sort_by(|a, b| order(Some(a), Some(b)));
        let found = filled(&bodies).distinct(path, Filter::all()).unwrap();
        prop_assert_eq!(found.iter().map(parsed).collect::<Vec<_>>(), expected);
    }
}
