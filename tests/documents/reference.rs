//! What the engine is compared with: serde_json, and changes of a tree written without any care for
//! speed.

use std::{collections::BTreeSet, fmt};

use monsterdb::{Error, Json};
use serde_json::Value;

/// What serde sees of the rules that serde itself does not check.
#[derive(Default, Clone, Copy)]
struct Seen {
    depth: usize,
    broken: bool,
    /// A number that serde could only hold as a float this large may have been an integer.
    large: bool,
}

impl Seen {
    fn inside(self, inner: Seen) -> Seen {
        Seen {
            depth: self.depth.max(inner.depth + 1),
            broken: self.broken || inner.broken,
            large: self.large || inner.large,
        }
    }
}

impl<'de> serde::Deserialize<'de> for Seen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Seen, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Seen;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Seen, E> {
                Ok(Seen::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Seen, E> {
                Ok(Seen::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
                Ok(Seen::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Seen, E> {
                Ok(Seen::default())
            }
            fn visit_f64<E>(self, float: f64) -> Result<Seen, E> {
                Ok(Seen { large: float.abs() >= 9e18, ..Seen::default() })
            }
            fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
                Ok(Seen::default())
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Seen, A::Error> {
                let mut seen = Seen { depth: 1, ..Seen::default() };
                while let Some(inner) = seq.next_element()? {
                    seen = seen.inside(inner);
                }
                Ok(seen)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Seen, A::Error> {
                let mut seen = Seen { depth: 1, ..Seen::default() };
                let mut names = BTreeSet::new();
                while let Some((name, inner)) = map.next_entry::<String, Seen>()? {
                    seen = seen.inside(inner);
                    seen.broken |= name.contains('\0') || !names.insert(name);
                }
                Ok(seen)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The border lets in what serde_json reads and the rules allow, and nothing else.
pub(crate) fn check_border(input: &[u8]) {
    let shown = String::from_utf8_lossy(input);
    let reference = serde_json::from_slice::<Seen>(input);
    let text = std::str::from_utf8(input).map_err(|_| "utf-8");
    match text.map(Json::parse) {
        Ok(Ok(json)) => {
            let seen = reference.unwrap_or_else(|error| panic!("let in {shown}: {error}"));
            assert!(!seen.broken && seen.depth <= 64, "{shown}");
            let values: Vec<Value> = [input, json.as_str().as_bytes()]
                .map(|t| serde_json::from_slice(t).unwrap())
                .into();
            assert_eq!(values[0], values[1], "{shown}");
        }
        Ok(Err(Error::InvalidDocument { reason, .. })) => {
            let allowed = |seen: Seen| !seen.broken && seen.depth <= 64 && !seen.large;
            assert!(!reference.is_ok_and(allowed), "refused {shown}: {reason}");
        }
        Ok(Err(_)) | Err(_) => assert!(reference.is_err(), "refused {shown}"),
    }
}

/// The pseudo-code of RFC 7396.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let members = target.as_object_mut().unwrap();
    for (name, change) in patch {
        if change.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.as_str()).or_insert(Value::Null), change);
        }
    }
}

/// One change of an update; false when it does not fit.
pub(crate) fn change(
    target: Option<&mut Value>,
    path: &[&str],
    operator: &str,
    operand: &Value,
) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return change_leaf(target.unwrap(), operator, operand);
    };
    let removes = operator == "$unset";
    match target.unwrap() {
        Value::Object(members) if removes && rest.is_empty() => {
            members.remove(*name).is_none_or(|_| true)
        }
        Value::Object(members) if removes => match members.get_mut(*name) {
            Some(inner) => change(Some(inner), rest, operator, operand),
            None => true,
        },
        Value::Object(members) => {
            let new = if rest.is_empty() {
                Value::from("new")
            } else {
                Value::Object(Default::default())
            };
            if !members.contains_key(*name) && rest.is_empty() {
                members.insert((*name).to_owned(), operand.clone());
                return true;
            }
            change(Some(members.entry(*name).or_insert(new)), rest, operator, operand)
        }
        Value::Array(elements) => match name.parse::<usize>() {
            Err(_) => removes,
            Ok(index) if removes => match elements.get_mut(index) {
                Some(inner) => change(Some(inner), rest, operator, operand),
                None => true,
            },
            Ok(index) if index < elements.len() => {
                change(elements.get_mut(index), rest, operator, operand)
            }
            Ok(index) => {
                elements.resize(index, Value::Null);
                let new = if rest.is_empty() {
                    operand.clone()
                } else {
                    Value::Object(Default::default())
                };
                elements.push(new);
                rest.is_empty() || change(elements.last_mut(), rest, operator, operand)
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => removes,
    }
}

fn change_leaf(value: &mut Value, operator: &str, operand: &Value) -> bool {
    let sum = match (operator, &*value) {
        ("$set", _) => operand.clone(),
        ("$unset", _) => Value::Null,
        (_, Value::Number(number)) => match (number.as_i128(), number.as_f64()) {
            (Some(integer), _) => match (i64::try_from(integer + 2), u64::try_from(integer + 2)) {
                (Ok(sum), _) => Value::from(sum),
                (_, Ok(sum)) => Value::from(sum),
                _ => return false,
            },
            (None, float) => Value::from(float.unwrap() + 2.0),
        },
        _ => return false,
    };
    *value = sum;
    true
}
