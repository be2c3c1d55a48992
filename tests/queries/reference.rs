//! What queries are compared with: trees of `serde_json`, and what is made of them without any care
//! for speed.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::cmp::Ordering;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

pub(crate) const PATHS: &[&str] = &["a", "b", "a.b", "b.a", "a.0", "a.b.a", "c", "a.1.b"];

const SCALARS: &[&str] = &[
    "null",
    "false",
    "true",
    "0",
    "1",
    "1.0",
    "-1.5",
    "2",
    "9007199254740993",
    "9007199254740992.0",
    "18446744073709551615",
    "-9223372036854775808",
    r#""""#,
    r#""x""#,
    r#""é""#,
    r#""\u0000""#,
];

/// Values that meet each other often, and stand close together.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let scalar = select(SCALARS).prop_map(|text| serde_json::from_str(text).unwrap());
    let scalar = scalar.boxed();
    scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..4).prop_map(Value::Array), object(inner)]
    })
}

/// An object with some of the names that paths are made of.
pub(crate) fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let names = select(vec!["a", "b", "c", "0", "1"]);
    prop::collection::btree_map(names, values, 0..4).prop_map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

/// What a path reaches, each element of an array by itself; none where it is missing.
pub(crate) fn reached(tree: &Value, path: &str) -> Vec<Option<Value>> {
    let mut found = Vec::new();
    reach(&path.split('.').collect::<Vec<_>>(), tree, &mut found);
    found
}

fn reach(parts: &[&str], value: &Value, found: &mut Vec<Option<Value>>) {
    let unwind = |value: &Value, found: &mut Vec<_>| match value {
        Value::Array(elements) => found.extend(elements.iter().cloned().map(Some)),
        other => found.push(Some(other.clone())),
    };
    let Some((name, rest)) = parts.split_first() else { return unwind(value, found) };
    match value {
        Value::Object(members) => match members.get(*name) {
            Some(member) => reach(rest, member, found),
            None => found.push(None),
        },
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if element.is_object() {
                    reach(parts, element, found);
                }
                let named = name.parse() == Ok(index);
                if named && (rest.is_empty() || element.is_object() || element.is_array()) {
                    reach(rest, element, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(None),
    }
}

/// The total order; missing is the least.
pub(crate) fn order(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => a.cmp(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            exact(a).partial_cmp(&exact(b)).unwrap()
        }
        (Some(Value::String(a)), Some(Value::String(b))) => a.chars().cmp(b.chars()),
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            let unequal = a.iter().zip(b).map(|(a, b)| order(Some(a), Some(b)));
            unequal.into_iter().find(|o| o.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let pairs = a.iter().zip(b);
            let mut unequal =
                pairs.map(|((m, a), (n, b))| m.cmp(n).then_with(|| order(Some(a), Some(b))));
            unequal.find(|o| o.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        _ => Ordering::Equal,
    })
}

fn rank(value: Option<&Value>) -> u8 {
    match value {
        None => 0,
        Some(Value::Null) => 1,
        Some(Value::Bool(_)) => 2,
        Some(Value::Number(_)) => 3,
        Some(Value::String(_)) => 4,
        Some(Value::Array(_)) => 5,
        Some(Value::Object(_)) => 6,
    }
}

/// A number as the integer below it and what is above that. None here is too large to be split.
fn exact(number: &serde_json::Number) -> (i128, f64) {
    match (number.as_i128(), number.as_f64()) {
        (Some(integer), _) => (integer, 0.0),
        (None, float) => {
            let float = float.unwrap();
            (float.floor() as i128, float - float.floor())
        }
    }
}
