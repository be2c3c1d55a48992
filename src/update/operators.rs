//! What the operators do to the value at their path.
//!
//! | operator | there | absent |
//! |---|---|---|
//! | `$set` | replaced | made |
//! | `$unset` | removed; an element becomes null | nothing |
//! | `$inc` `$mul` | the sum, the product | the operand; zero |
//! | `$min` `$max` | replaced by what is less, greater in the total order | the operand |
//! | `$push` `$addToSet` | the array with more elements | a new array |
//! | `$pull` | the array with fewer elements | nothing |
//! | `$currentDate` | replaced by the time | made |
//!
//! Invariant: an operation is a pure function of the value. The time of `$currentDate` is taken when
//! the update is read, so that resolving it again gives the same document.

use std::{cmp::Ordering, time::UNIX_EPOCH};

use super::{add_to_set::AddToSet, pull::Pull, push::Push};
use crate::document::{Json, Kind, Number, Raw, compare};
use crate::sync::Clock;

/// What a refused operand or value is told.
pub(super) type Outcome<T = ()> = std::result::Result<T, String>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    Set(Json),
    Unset,
    Inc(Json, Number),
    Mul(Number),
    Min(Json),
    Max(Json),
    Push(Push),
    AddToSet(AddToSet),
    Pull(Pull),
}

/// Reads the operand of one path.
pub(super) type Read = fn(Raw<'_>) -> Outcome<Operation>;

/// How the operand of this operator is read; none when there is no such operator.
pub(super) fn reader(name: &str) -> Option<Read> {
    Some(match name {
        "$set" => |value| Ok(Operation::Set(json(value))),
        "$unset" => |_| Ok(Operation::Unset),
        "$inc" => |value| Ok(Operation::Inc(json(value), number(value)?)),
        "$mul" => |value| Ok(Operation::Mul(number(value)?)),
        "$min" => |value| Ok(Operation::Min(json(value))),
        "$max" => |value| Ok(Operation::Max(json(value))),
        "$push" => |value| Ok(Operation::Push(Push::read(value)?)),
        "$addToSet" => |value| Ok(Operation::AddToSet(AddToSet::read(value)?)),
        "$pull" => |value| Ok(Operation::Pull(Pull::read(value)?)),
        "$currentDate" => |value| Ok(Operation::Set(current_date(value)?)),
        _ => return None,
    })
}

impl Operation {
    /// True when it makes something where nothing was.
    pub(super) fn creates(&self) -> bool {
        match self {
            Operation::Set(_)
            | Operation::Inc(..)
            | Operation::Mul(_)
            | Operation::Min(_)
            | Operation::Max(_)
            | Operation::Push(_)
            | Operation::AddToSet(_) => true,
            Operation::Unset | Operation::Pull(_) => false,
        }
    }

    /// Writes what becomes of a value that is there.
    pub(super) fn change(&self, value: Raw<'_>, out: &mut String) -> Outcome {
        match self {
            Operation::Set(new) => out.push_str(new.as_str()),
            // Its caller has left the member out, or written null for the element.
            Operation::Unset => {}
            Operation::Inc(_, step) => {
                let sum = calculate(value, '+', *step, Number::checked_add)?;
                out.push_str(&sum.to_string());
            }
            Operation::Mul(factor) => {
                let product = calculate(value, '*', *factor, Number::checked_mul)?;
                out.push_str(&product.to_string());
            }
            Operation::Min(bound) => out.push_str(nearer(value, bound, Ordering::Less)),
            Operation::Max(bound) => out.push_str(nearer(value, bound, Ordering::Greater)),
            Operation::Push(push) => push.write(array(value)?, out),
            Operation::AddToSet(set) => set.write(array(value)?, out),
            Operation::Pull(pull) => pull.write(array(value)?, out),
        }
        Ok(())
    }

    /// Writes what it makes where nothing was.
    pub(super) fn create(&self, out: &mut String) -> Outcome {
        match self {
            Operation::Set(new)
            | Operation::Inc(new, _)
            | Operation::Min(new)
            | Operation::Max(new) => out.push_str(new.as_str()),
            Operation::Mul(Number::Int(_)) => out.push('0'),
            Operation::Mul(Number::Float(_)) => out.push_str("0.0"),
            Operation::Push(push) => push.write(Raw::EMPTY_ARRAY, out),
            Operation::AddToSet(set) => set.write(Raw::EMPTY_ARRAY, out),
            Operation::Unset | Operation::Pull(_) => {}
        }
        Ok(())
    }
}

/// The value that a piece of the update is, to keep.
pub(super) fn json(value: Raw<'_>) -> Json {
    Json::trusted(value.text())
}

fn number(value: Raw<'_>) -> Outcome<Number> {
    value.number().ok_or_else(|| "a number is needed".to_owned())
}

fn array(value: Raw<'_>) -> Outcome<Raw<'_>> {
    match value.kind() {
        Kind::Array => Ok(value),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String | Kind::Object => {
            Err("the value to change is not an array".to_owned())
        }
    }
}

fn calculate(
    value: Raw<'_>,
    sign: char,
    operand: Number,
    calculation: fn(Number, Number) -> Option<Number>,
) -> Outcome<Number> {
    let Some(number) = value.number() else {
        return Err("the value to calculate with is not a number".to_owned());
    };
    let result = calculation(number, operand);
    result.ok_or_else(|| format!("{number} {sign} {operand} is out of range"))
}

/// The bound where it lies on this side of the value, else the value.
fn nearer<'a>(value: Raw<'a>, bound: &'a Json, side: Ordering) -> &'a str {
    match compare(Some(bound.as_raw()), Some(value)) == side {
        true => bound.as_str(),
        false => value.text(),
    }
}

/// The time now: as text of RFC 3339 in UTC, or in milliseconds since 1970.
fn current_date(operand: Raw<'_>) -> Outcome<Json> {
    let form = operand.member("$type").and_then(Raw::as_str);
    let is_alone = operand.members().count() == 1;
    let now = Clock::now();
    match form.as_deref() {
        Some("timestamp") if is_alone => {
            let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
            Ok(Json::from(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
        }
        Some("date") if is_alone => Ok(date(now)),
        Some(_) | None if operand.text() == "true" => Ok(date(now)),
        Some(_) | None => {
            let forms = r#"true, {"$type":"date"} or {"$type":"timestamp"}"#;
            Err(format!("$currentDate needs {forms}"))
        }
    }
}

fn date(time: std::time::SystemTime) -> Json {
    Json::from(humantime::format_rfc3339_millis(time).to_string())
}
