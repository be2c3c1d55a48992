//! A naive evaluation of filters over trees, written from MongoDB's documented semantics and from
//! nothing of the engine: [`matches`] says whether a document matches a filter.
//!
//! It is slow and plain on purpose. A filter that is not one makes it panic. Trees of `serde_json`
//! sort the members of objects, so the order of members is beyond it.
#![allow(dead_code, reason = "each test takes the part that it needs")]
#![allow(clippy::unwrap_used, reason = "a filter that cannot be read stops its test")]

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// Whether the document matches the filter.
pub(crate) fn matches(filter: &Value, document: &Value) -> bool {
    let entries = filter.as_object().unwrap();
    entries.iter().all(|(name, operand)| {
        let filters = || operand.as_array().unwrap().iter();
        match name.as_str() {
            "$and" => filters().all(|filter| matches(filter, document)),
            "$or" => filters().any(|filter| matches(filter, document)),
            "$nor" => !filters().any(|filter| matches(filter, document)),
            path => {
                let steps: Vec<&str> = path.split('.').collect();
                let mut reached = Vec::new();
                reach(document, &steps, &mut reached);
                condition(operand, &reached)
            }
        }
    })
}

/// What a path leads to.
struct Reached<'a> {
    /// None is missing.
    value: Option<&'a Value>,
    /// An array is looked into, unless the path named it by its place in another array.
    opens: bool,
}

/// Follows a path. Documents in an array are entered each, and one element by its index; what an
/// array does not have is not missing, it is just not there.
fn reach<'a>(value: &'a Value, steps: &[&str], reached: &mut Vec<Reached<'a>>) {
    let Some((name, rest)) = steps.split_first() else {
        reached.push(Reached { value: Some(value), opens: true });
        return;
    };
    match value {
        Value::Object(members) => match members.get(*name) {
            Some(member) => reach(member, rest, reached),
            None => reached.push(Reached { value: None, opens: true }),
        },
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if element.is_object() {
                    reach(element, steps, reached);
                }
                if *name == index.to_string() {
                    match element {
                        _ if rest.is_empty() => {
                            reached.push(Reached { value: Some(element), opens: false });
                        }
                        Value::Object(_) | Value::Array(_) => reach(element, rest, reached),
                        _ => {}
                    }
                }
            }
        }
        _ => reached.push(Reached { value: None, opens: true }),
    }
}

/// Whether what was reached passes an operand: operators, or a value that it is equal to.
fn condition(operand: &Value, reached: &[Reached<'_>]) -> bool {
    match operand.as_object() {
        Some(operators) if has_operators(operators) => {
            operators.iter().all(|(name, operand)| test(name, operand, operators, reached))
        }
        _ => test("$eq", operand, &Map::new(), reached),
    }
}

fn test(name: &str, operand: &Value, beside: &Map<String, Value>, reached: &[Reached<'_>]) -> bool {
    let any = |holds: &dyn Fn(Option<&Value>) -> bool| {
        reached.iter().any(|Reached { value, opens }| match value {
            Some(Value::Array(elements)) if *opens => {
                elements.iter().any(|element| holds(Some(element))) || holds(*value)
            }
            _ => holds(*value),
        })
    };
    let whole = |holds: &dyn Fn(&Value) -> bool| {
        reached.iter().any(|Reached { value, .. }| value.is_some_and(holds))
    };
    let text =
        |holds: &dyn Fn(&str) -> bool| any(&|v| v.and_then(Value::as_str).is_some_and(holds));
    let list = || operand.as_array().unwrap().iter();
    match name {
        "$eq" => any(&|value| equal(value, operand)),
        "$ne" => !any(&|value| equal(value, operand)),
        "$gt" => any(&|value| bracketed(value, operand, Ordering::is_gt)),
        "$gte" => any(&|value| bracketed(value, operand, Ordering::is_ge)),
        "$lt" => any(&|value| bracketed(value, operand, Ordering::is_lt)),
        "$lte" => any(&|value| bracketed(value, operand, Ordering::is_le)),
        "$in" => any(&|value| list().any(|one| equal_or_like(value, one))),
        "$nin" => !any(&|value| list().any(|one| equal_or_like(value, one))),
        "$exists" => whole(&|_| true) == operand.as_bool().unwrap(),
        "$type" => any(&|value| value.is_some_and(|value| has_type(value, operand))),
        "$regex" => text(&|text| is_like(text, beside)),
        "$options" => true,
        "$startsWith" => text(&|text| text.starts_with(operand.as_str().unwrap())),
        "$mod" => any(&|value| value.is_some_and(|value| leaves(value, operand))),
        "$size" => whole(&|value| {
            let size = number(operand.as_number().unwrap()).0;
            value.as_array().is_some_and(|elements| elements.len() as i128 == size)
        }),
        "$all" => {
            let each = |one: &Value| match one.as_object().filter(|one| has_operators(one)) {
                Some(_) => condition(one, reached),
                None => any(&|value| equal(value, one)),
            };
            list().len() > 0 && list().all(each)
        }
        "$elemMatch" => whole(&|value| {
            let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
            elements.iter().any(|element| fits(element, operand))
        }),
        "$not" => !condition(operand, reached),
        other => panic!("{other}"),
    }
}

fn has_operators(members: &Map<String, Value>) -> bool {
    members.keys().any(|name| name.starts_with('$'))
}

/// Whether one element is what `$elemMatch` asks for.
fn fits(element: &Value, asked: &Value) -> bool {
    let first = asked.as_object().unwrap().keys().next();
    let of_values = first.is_some_and(|name| {
        name.starts_with('$') && !["$and", "$or", "$nor"].contains(&name.as_str())
    });
    match element {
        _ if of_values => condition(asked, &[Reached { value: Some(element), opens: false }]),
        Value::Object(_) => matches(asked, element),
        // An array is taken for an object whose names are its indexes.
        Value::Array(elements) => {
            let named = elements.iter().enumerate().map(|(i, v)| (i.to_string(), v.clone()));
            matches(asked, &Value::Object(named.collect()))
        }
        _ => false,
    }
}

fn equal(value: Option<&Value>, operand: &Value) -> bool {
    compare(value.unwrap_or(&Value::Null), operand).is_eq()
}

fn equal_or_like(value: Option<&Value>, operand: &Value) -> bool {
    match operand.as_object().filter(|members| members.contains_key("$regex")) {
        Some(pattern) => value.and_then(Value::as_str).is_some_and(|text| is_like(text, pattern)),
        None => equal(value, operand),
    }
}

/// Comparison is within one kind of value; missing compares as null does.
fn bracketed(value: Option<&Value>, operand: &Value, fits: fn(Ordering) -> bool) -> bool {
    let value = value.unwrap_or(&Value::Null);
    rank(value) == rank(operand) && fits(compare(value, operand))
}

fn is_like(text: &str, pattern: &Map<String, Value>) -> bool {
    let options = pattern.get("$options").map_or("", |options| options.as_str().unwrap());
    let inline = if options.is_empty() { String::new() } else { format!("(?{options})") };
    regex::Regex::new(&(inline + pattern["$regex"].as_str().unwrap())).unwrap().is_match(text)
}

fn has_type(value: &Value, named: &Value) -> bool {
    let number = |wanted: fn(&Number) -> bool| value.as_number().is_some_and(wanted);
    match named {
        Value::Array(list) => list.iter().any(|named| has_type(value, named)),
        Value::String(name) => match name.as_str() {
            "null" => value.is_null(),
            "bool" => value.is_boolean(),
            "number" => value.is_number(),
            "int" | "long" => number(|number| !number.is_f64()),
            "double" => number(Number::is_f64),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{other}"),
        },
        Value::Number(code) => {
            let name = match code.as_u64().unwrap() {
                1 => "double",
                2 => "string",
                3 => "object",
                4 => "array",
                8 => "bool",
                10 => "null",
                16 | 18 => "int",
                other => panic!("{other}"),
            };
            has_type(value, &name.into())
        }
        other => panic!("{other}"),
    }
}

/// `$mod`: all fractions are cut off, and the remainder has the sign of the value.
fn leaves(value: &Value, operand: &Value) -> bool {
    let cut = |value: &Value| {
        let (whole, fraction) = number(value.as_number()?);
        let towards_zero = if whole < 0 && fraction > 0.0 { whole + 1 } else { whole };
        let fits = (i64::MIN.into()..=u64::MAX.into()).contains(&towards_zero);
        fits.then_some(towards_zero)
    };
    let (divisor, remainder) = (cut(&operand[0]).unwrap(), cut(&operand[1]).unwrap());
    cut(value).is_some_and(|value| value - value / divisor * divisor == remainder)
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

/// The total order of values.
pub(crate) fn compare(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => {
            // Two floats may both be too large for what holds their whole parts.
            let (a_float, b_float) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let exact = || number(a).partial_cmp(&number(b)).unwrap();
            if a.is_f64() && b.is_f64() { a_float.partial_cmp(&b_float).unwrap() } else { exact() }
        }
        (Value::String(a), Value::String(b)) => a.chars().cmp(b.chars()),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|o| o.is_ne());
            unequal.unwrap_or(a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let mut pairs =
                a.iter().zip(b).map(|((m, a), (n, b))| m.cmp(n).then_with(|| compare(a, b)));
            pairs.find(|o| o.is_ne()).unwrap_or(a.len().cmp(&b.len()))
        }
        _ => Ordering::Equal,
    })
}

/// A number as its whole part, rounded down, and the fraction that was left of it: exact as long as
/// the whole part fits, and every integer's does.
fn number(number: &Number) -> (i128, f64) {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(integer), ..) => (integer.into(), 0.0),
        (None, Some(integer), _) => (integer.into(), 0.0),
        (None, None, float) => {
            let float = float.unwrap();
            (float.floor() as i128, float - float.floor())
        }
    }
}
