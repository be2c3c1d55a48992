//! Every update operator against a naive reference over `serde_json::Value`, which knows nothing of
//! text, trees of paths or canonical forms.
//!
//! Values are drawn from a small set, so that elements repeat and bounds are met.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "updates/reference.rs"]
mod reference;

use monsterdb::{Database, DocumentId, Draft, Filter, Json, Update, field};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const PATHS: [&str; 8] = ["a", "b", "c", "a.x", "a.0", "b.y.z", "c.1", "b.2.x"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        (-3_i64..4).prop_map(|n| json!(n as f64 / 2.0)),
        Just(json!(i64::MAX)),
        "[ab]{0,2}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[xyz]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn document() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[abc]", value(), 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn push() -> impl Strategy<Value = Value> {
    let each = prop::collection::vec(value(), 0..4);
    let place = prop::option::of(-6_i64..7);
    let sort = prop::option::of(prop_oneof![
        Just(json!(1)),
        Just(json!(-1)),
        Just(json!({"x": 1})),
        Just(json!({"x.y": -1})),
    ]);
    (each, place.clone(), sort, place).prop_map(|(each, position, sort, slice)| {
        let mut operand = Map::new();
        operand.insert("$each".into(), each.into());
        let modifiers = [
            ("$position", position.map(Value::from)),
            ("$sort", sort),
            ("$slice", slice.map(Value::from)),
        ];
        let given = modifiers.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
        operand.extend(given);
        Value::Object(operand)
    })
}

/// An operator and its operand at one path.
fn operation() -> impl Strategy<Value = (&'static str, Value)> {
    let number = prop_oneof![(-3_i64..4).prop_map(Value::from), Just(json!(0.5)), Just(json!(2.0))];
    let test = prop_oneof![
        scalar().prop_map(|v| json!({"$gte": v})),
        prop::collection::vec(scalar(), 0..3).prop_map(|list| json!({"$in": list})),
        scalar().prop_map(|v| json!({"x": v})),
        value().prop_filter("an object is a filter", |v| !v.is_object()),
    ];
    prop_oneof![
        value().prop_map(|v| ("$set", v)),
        Just(("$unset", json!(""))),
        number.clone().prop_map(|v| ("$inc", v)),
        number.prop_map(|v| ("$mul", v)),
        value().prop_map(|v| ("$min", v)),
        value().prop_map(|v| ("$max", v)),
        value().prop_map(|v| ("$push", v)),
        push().prop_map(|v| ("$push", v)),
        value().prop_map(|v| ("$addToSet", v)),
        prop::collection::vec(value(), 0..4).prop_map(|v| ("$addToSet", json!({"$each": v}))),
        test.prop_map(|v| ("$pull", v)),
        prop::sample::select(&PATHS[..]).prop_map(|to| ("$rename", json!(to))),
    ]
}

fn run(body: &Value, update: &Value) -> Result<Value, String> {
    let id = DocumentId::new("x").unwrap();
    let document = Draft::parse(body.to_string().as_bytes()).unwrap().into_document(&id).unwrap();
    let update = Update::parse(&update.to_string()).map_err(|error| error.to_string())?;
    let updated = update.apply(&document).map_err(|error| error.to_string())?;
    assert_eq!(updated, update.apply(&document).unwrap(), "a pure function");
    let mut value: Value = serde_json::from_str(updated.json()).unwrap();
    value.as_object_mut().unwrap().remove("_id");
    Ok(value)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn operators_agree_with_the_reference(
        body in document(),
        path in prop::sample::select(&PATHS[..]),
        (operator, operand) in operation(),
    ) {
        let update = json!({operator: {path: operand}});
        let expected = reference::apply(&body, operator, path, &operand);
        let found = run(&body, &update);
        match (&expected, &found) {
            (Ok(expected), Ok(found)) => prop_assert_eq!(expected, found, "{}", update),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "{body} {update}\n{expected:?}\n{found:?}"),
        }
    }

    /// Operators at places that do not meet are the same as one after the other.
    #[test]
    fn two_operators_are_one_after_the_other(
        body in document(),
        first in operation(),
        second in operation(),
    ) {
        prop_assume!(first.0 != "$rename" && second.0 != "$rename");
        let one = |(operator, operand): &(&str, Value), path: &str| json!({*operator: {path: operand}});
        let both = match first.0 == second.0 {
            true => json!({first.0: {"a": first.1, "b": second.1}}),
            false => json!({first.0: {"a": first.1}, second.0: {"b": second.1}}),
        };
        let in_turn = run(&body, &one(&first, "a")).and_then(|body| run(&body, &one(&second, "b")));
        match (run(&body, &both), in_turn) {
            (Ok(both), Ok(in_turn)) => prop_assert_eq!(both, in_turn),
            (both, in_turn) => prop_assert_eq!(both.is_err(), in_turn.is_err()),
        }
    }
}

#[test]
fn one_filter_changes_a_bounded_number_of_documents() {
    let db = Database::in_memory();
    let tx = db.begin();
    let numbers = tx.collection::<Json>("c").unwrap();
    for n in 0..10_001 {
        numbers.put(&format!("{n:05}"), &Json::parse(r#"{"n":1}"#).unwrap()).unwrap();
    }
    let update = r#"{"$inc":{"n":1}}"#;
    let refused = numbers.update_many(Filter::all(), update).unwrap_err();
    assert_eq!(refused.code(), "limit-exceeded");
    assert!(refused.to_string().contains("go on with the rest"), "{refused}");
    assert_eq!(numbers.delete_many(Filter::all()).unwrap_err().code(), "limit-exceeded");
    assert_eq!(numbers.count(field("n").eq(1)).unwrap(), 10_001, "neither changed anything");
    assert_eq!(numbers.update_many(field("_id").lt("10000"), update).unwrap(), 10_000);
    assert_eq!(numbers.delete_many(field("n").eq(2)).unwrap(), 10_000);
    assert_eq!(numbers.count(Filter::all()).unwrap(), 1);
}
