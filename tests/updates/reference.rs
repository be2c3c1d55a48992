//! The naive reference: it rebuilds values, and looks through all of an array for each question.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

/// What the operator makes of the document, or that it does not fit.
pub(crate) fn apply(
    body: &Value,
    operator: &str,
    path: &str,
    operand: &Value,
) -> Result<Value, ()> {
    let steps: Vec<&str> = path.split('.').collect();
    let mut changed = body.clone();
    match operator {
        "$rename" => rename(&mut changed, &steps, operand.as_str().unwrap())?,
        "$unset" => unset(&mut changed, &steps),
        "$pull" => {
            let found = find(&mut changed, &steps);
            if let Some(found) = found {
                let Value::Array(elements) = found else { return Err(()) };
                elements.retain(|element| !is_pulled(element, operand));
            }
        }
        _ => at(&mut changed, &steps, &|old| calculate(operator, old, operand))?,
    }
    Ok(changed)
}

/// Changes the value at a path, which is made where it is missing.
fn at(
    value: &mut Value,
    steps: &[&str],
    change: &dyn Fn(Option<&Value>) -> Result<Value, ()>,
) -> Result<(), ()> {
    let Some((step, rest)) = steps.split_first() else {
        *value = change(Some(value))?;
        return Ok(());
    };
    let place = match value {
        Value::Object(members) => members.entry(*step).or_insert(Value::String("\0".into())),
        Value::Array(elements) => {
            let index: usize = step.parse().map_err(drop)?;
            while elements.len() < index {
                elements.push(Value::Null);
            }
            if elements.len() == index {
                elements.push(Value::String("\0".into()));
            }
            &mut elements[index]
        }
        _ => return Err(()),
    };
    // The mark of what was missing.
    if *place == "\0" {
        *place = match rest {
            [] => change(None)?,
            _ => json!({}),
        };
        return if rest.is_empty() { Ok(()) } else { at(place, rest, change) };
    }
    at(place, rest, change)
}

fn calculate(operator: &str, old: Option<&Value>, operand: &Value) -> Result<Value, ()> {
    let array = || match old {
        Some(Value::Array(elements)) => Ok(elements.clone()),
        Some(_) => Err(()),
        None => Ok(Vec::new()),
    };
    Ok(match (operator, old) {
        ("$set", _) | ("$inc" | "$min" | "$max", None) => operand.clone(),
        ("$mul", None) => {
            if operand.is_i64() {
                json!(0)
            } else {
                json!(0.0)
            }
        }
        ("$inc", Some(old)) => arithmetic(old, operand, |a, b| a + b, |a, b| a + b)?,
        ("$mul", Some(old)) => arithmetic(old, operand, |a, b| a * b, |a, b| a * b)?,
        ("$min", Some(old)) if order(operand, old).is_lt() => operand.clone(),
        ("$max", Some(old)) if order(operand, old).is_gt() => operand.clone(),
        ("$min" | "$max", Some(old)) => old.clone(),
        ("$push", _) => push(array()?, operand),
        ("$addToSet", _) => {
            let mut elements = array()?;
            let each = operand.get("$each").and_then(Value::as_array).cloned();
            for new in each.unwrap_or_else(|| vec![operand.clone()]) {
                if !elements.iter().any(|element| order(element, &new).is_eq()) {
                    elements.push(new);
                }
            }
            elements.into()
        }
        _ => unreachable!("{operator}"),
    })
}

fn push(mut elements: Vec<Value>, operand: &Value) -> Value {
    let Some(each) = operand.get("$each") else {
        elements.push(operand.clone());
        return elements.into();
    };
    let length = elements.len() as i64;
    let position = match operand.get("$position").and_then(Value::as_i64) {
        None => length,
        Some(place) if place < 0 => (length + place).max(0),
        Some(place) => place.min(length),
    };
    for new in each.as_array().unwrap().iter().rev() {
        elements.insert(position as usize, new.clone());
    }
    match operand.get("$sort") {
        Some(Value::Object(parts)) => {
            let (path, direction) = parts.iter().next().unwrap();
            let key = |element: &Value| {
                path.split('.')
                    .try_fold(element.clone(), |value, name| value.as_object()?.get(name).cloned())
            };
            elements.sort_by(|a, b| {
                let ascending = match (key(a), key(b)) {
                    (Some(a), Some(b)) => order(&a, &b),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                };
                if *direction == 1 { ascending } else { ascending.reverse() }
            });
        }
        Some(direction) if *direction == 1 => elements.sort_by(order),
        Some(_) => elements.sort_by(|a, b| order(b, a)),
        None => {}
    }
    match operand.get("$slice").and_then(Value::as_i64) {
        Some(last) if last < 0 => {
            while elements.len() as i64 > -last {
                elements.remove(0);
            }
        }
        Some(first) => elements.truncate(first as usize),
        None => {}
    }
    elements.into()
}

fn is_pulled(element: &Value, operand: &Value) -> bool {
    let Value::Object(tests) = operand else { return order(element, operand).is_eq() };
    let (name, bound) = tests.iter().next().unwrap();
    match name.as_str() {
        "$gte" => rank(element) == rank(bound) && order(element, bound).is_ge(),
        "$in" => bound.as_array().unwrap().iter().any(|one| order(element, one).is_eq()),
        member => element.as_object().is_some_and(|object| match object.get(member) {
            None => bound.is_null(),
            Some(Value::Array(inner)) => inner.iter().any(|value| order(value, bound).is_eq()),
            Some(value) => order(value, bound).is_eq(),
        }),
    }
}

fn arithmetic(
    old: &Value,
    operand: &Value,
    whole: fn(i128, i128) -> i128,
    float: fn(f64, f64) -> f64,
) -> Result<Value, ()> {
    match (integer(old), integer(operand)) {
        (Some(a), Some(b)) => {
            let result = whole(a, b);
            let signed = i64::try_from(result).map(Value::from);
            signed.or_else(|_| u64::try_from(result).map(Value::from)).map_err(drop)
        }
        _ => Ok(json!(float(old.as_f64().ok_or(())?, operand.as_f64().ok_or(())?))),
    }
}

fn integer(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

fn find<'v>(value: &'v mut Value, steps: &[&str]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match value {
        Value::Object(members) => members.get_mut(*step),
        Value::Array(elements) => elements.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn unset(value: &mut Value, steps: &[&str]) {
    let (last, way) = steps.split_last().unwrap();
    match find(value, way) {
        Some(Value::Object(members)) => drop(members.remove(*last)),
        Some(Value::Array(elements)) => {
            let index = last.parse::<usize>().ok();
            if let Some(element) = index.and_then(|index| elements.get_mut(index)) {
                *element = Value::Null;
            }
        }
        _ => {}
    }
}

fn rename(value: &mut Value, from: &[&str], to: &str) -> Result<(), ()> {
    let to: Vec<&str> = to.split('.').collect();
    if from.starts_with(&to) || to.starts_with(from) {
        return Err(());
    }
    let Some(moved) = member(value, from)? else { return Ok(()) };
    member(value, &to)?;
    unset(value, from);
    at(value, &to, &|_| Ok(moved.clone()))
}

/// What stands at a path of names; an array on the way is refused.
fn member(value: &Value, steps: &[&str]) -> Result<Option<Value>, ()> {
    let mut value = Some(value);
    for step in steps {
        if value.is_some_and(Value::is_array) {
            return Err(());
        }
        value = value.and_then(Value::as_object).and_then(|members: &Map<_, _>| members.get(*step));
    }
    Ok(value.cloned())
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 1,
        Value::Bool(_) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

/// The total order, for the small numbers of these tests. Members are sorted by `serde_json`.
fn order(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap(),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let pairs = a.iter().zip(b).map(|(a, b)| order(a, b));
            pairs.into_iter().find(|order| order.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let by_member = |((a_name, a), (b_name, b)): ((&String, &Value), (&String, &Value))| {
                a_name.cmp(b_name).then_with(|| order(a, b))
            };
            let pairs = a.iter().zip(b).map(by_member);
            pairs.into_iter().find(|order| order.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        _ => Ordering::Equal,
    })
}
