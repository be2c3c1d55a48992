//! Reading the operators that test what a path reaches.
//!
//! ```text
//! operator = ("$eq" "$ne" "$gt" "$gte" "$lt" "$lte"): value
//!          | ("$in" "$nin"): [ (value | pattern)* ]
//!          | "$all": [ (value | pattern)* ]  |  "$all": [ { "$elemMatch": … }* ]
//!          | "$exists": true | false
//!          | "$type": type | [ type+ ]                      a name, or MongoDB's number for it
//!          | "$regex": text, "$options": text               i m s x
//!          | "$startsWith": text
//!          | "$mod": [ divisor, remainder ]
//!          | "$size": count
//!          | "$elemMatch": { operator+ } | filter
//!          | "$not": { operator+ }
//! pattern  = { "$regex": text, "$options": text }           the options may be left out
//! ```
//!
//! Invariant: an object with a member that begins with `$` is never taken for a value where
//! operators or patterns may stand; only the operand of a comparison may be one.

use std::collections::BTreeSet;

use super::{
    Filter,
    node::{ElemMatch, Operands, Test},
    parse::{self, Place, is_operator},
    pattern::Pattern,
    types::{Type, Types},
};
use crate::document::{Kind, Number, Raw};
use crate::error::Result;

/// Every operator that stands below a path.
const OPERATORS: [&str; 18] = [
    "$all",
    "$elemMatch",
    "$eq",
    "$exists",
    "$gt",
    "$gte",
    "$in",
    "$lt",
    "$lte",
    "$mod",
    "$ne",
    "$nin",
    "$not",
    "$options",
    "$regex",
    "$size",
    "$startsWith",
    "$type",
];
/// Those that combine filters.
const LOGICAL: [&str; 3] = ["$and", "$nor", "$or"];

/// True for an object that names operators.
pub(super) fn among(raw: Raw<'_>) -> bool {
    raw.members().any(|member| is_operator(&member))
}

/// What an operator that stands in a wrong place, or is none, is told.
pub(super) fn misplaced<T>(operator: &str, place: &Place<'_>) -> Result<T> {
    place.error(match operator {
        "$not" => "$not stands below a path; use $nor to negate a filter".to_owned(),
        below if OPERATORS.contains(&below) => format!("{below} tests a path, and stands below it"),
        beside if LOGICAL.contains(&beside) => {
            format!("{beside} combines filters, and stands beside paths")
        }
        unknown => format!("the operator {unknown:?} is not known"),
    })
}

/// The tests of an object of operators, of which there is at least one.
pub(super) fn tests(raw: Raw<'_>, place: &Place<'_>) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for member in raw.members() {
        let (name, place) = (member.name(), place.step(&member.name()));
        if !is_operator(&member) {
            return place.error("a plain member stands among operators; use $eq for an object");
        }
        if name == "$options" {
            // It is read with its pattern.
            if raw.member("$regex").is_none() {
                return place.error("$options needs a $regex beside it");
            }
        } else {
            tests.push(test(&name, member.value, raw, &place)?);
        }
    }
    Ok(tests)
}

/// True when tests can stand in one object of operators: there is one, and none comes twice.
pub(super) fn distinct<'a>(tests: impl IntoIterator<Item = &'a Test>) -> bool {
    let mut names = BTreeSet::new();
    tests.into_iter().all(|test| names.insert(test.operator())) && !names.is_empty()
}

fn test(name: &str, operand: Raw<'_>, siblings: Raw<'_>, place: &Place<'_>) -> Result<Test> {
    Ok(match name {
        "$eq" => Test::Eq(place.value(operand)?),
        "$ne" => Test::Ne(place.value(operand)?),
        "$gt" => Test::Gt(place.value(operand)?),
        "$gte" => Test::Gte(place.value(operand)?),
        "$lt" => Test::Lt(place.value(operand)?),
        "$lte" => Test::Lte(place.value(operand)?),
        "$in" => Test::In(operands(array(name, operand, place)?, place)?),
        "$nin" => Test::Nin(operands(array(name, operand, place)?, place)?),
        "$exists" => match operand.text() {
            "true" => Test::Exists(true),
            "false" => Test::Exists(false),
            _ => return place.error("$exists needs true or false"),
        },
        "$type" => types(operand, place)?,
        "$regex" => Test::Regex(pattern(operand, siblings.member("$options"), place)?),
        "$startsWith" => match operand.as_str() {
            Some(prefix) => Test::StartsWith(prefix.into()),
            None => return place.error("$startsWith needs a string"),
        },
        "$mod" => remainder(operand, place)?,
        "$size" => match integer(operand, f64::fract).map(u64::try_from) {
            Some(Ok(size)) => Test::Size(size),
            Some(Err(_)) | None => {
                return place.error("$size needs a whole number that is not negative");
            }
        },
        "$all" => all(array(name, operand, place)?, place)?,
        "$elemMatch" => Test::ElemMatch(elem_match(operand, place)?),
        "$not" if among(operand) => Test::Not(tests(operand, place)?),
        "$not" => return place.error("$not needs an object of operators"),
        unknown => return misplaced(unknown, place),
    })
}

fn array<'a>(
    name: &str,
    operand: Raw<'a>,
    place: &Place<'_>,
) -> Result<impl Iterator<Item = Raw<'a>> + use<'a>> {
    if operand.kind() != Kind::Array {
        return place.error(format!("{name} needs an array of values"));
    }
    Ok(operand.elements())
}

/// The operands of `$in` and `$nin`: values, and patterns as objects.
pub(super) fn operands<'a>(
    list: impl Iterator<Item = Raw<'a>>,
    place: &Place<'_>,
) -> Result<Operands> {
    let (mut values, mut patterns) = (Vec::new(), Vec::new());
    for (index, operand) in list.enumerate() {
        let place = place.step(&index.to_string());
        if among(operand) {
            patterns.push(pattern_object(operand, &place)?);
        } else {
            values.push(place.value(operand)?);
        }
    }
    Ok(Operands::new(values, patterns))
}

/// The operands of `$all`, each a test of its own.
pub(super) fn all<'a>(list: impl Iterator<Item = Raw<'a>>, place: &Place<'_>) -> Result<Test> {
    let mut tests = Vec::new();
    for (index, operand) in list.enumerate() {
        let place = place.step(&index.to_string());
        let is_element = operand.member("$elemMatch").is_some();
        let is_first = tests.is_empty();
        if !is_first && is_element != matches!(tests.first(), Some(Test::ElemMatch(_))) {
            return place.error("$all takes values, or $elemMatch throughout");
        }
        tests.push(match (is_element, among(operand)) {
            (true, _) if operand.members().count() == 1 => {
                self::tests(operand, &place)?.pop().unwrap_or(Test::Not(Vec::new()))
            }
            (true, _) => return place.error("$elemMatch stands alone in an operand of $all"),
            (false, true) => Test::Regex(pattern_object(operand, &place)?),
            (false, false) => Test::Eq(place.value(operand)?),
        });
    }
    Ok(Test::All(tests))
}

fn pattern_object(raw: Raw<'_>, place: &Place<'_>) -> Result<Pattern> {
    let stranger = raw.members().find(|m| !matches!(&*m.name(), "$regex" | "$options"));
    if let Some(stranger) = stranger {
        let (name, place) = (stranger.name(), place.step(&stranger.name()));
        return place.error(format!("{name:?} stands in a list, which takes values and patterns"));
    }
    match raw.member("$regex") {
        Some(text) => pattern(text, raw.member("$options"), &place.step("$regex")),
        None => place.step("$options").error("$options needs a $regex beside it"),
    }
}

fn pattern(text: Raw<'_>, options: Option<Raw<'_>>, place: &Place<'_>) -> Result<Pattern> {
    place.count_pattern()?;
    let Some(text) = text.as_str() else { return place.error("$regex needs a string") };
    let Some(options) = options.map_or(Some("".into()), Raw::as_str) else {
        return place.error("$options needs a string");
    };
    Pattern::new(&text, &options).or_else(|reason| place.error(reason))
}

fn types(operand: Raw<'_>, place: &Place<'_>) -> Result<Test> {
    let types: Types = if operand.kind() == Kind::Array {
        let list = operand.elements().enumerate();
        list.map(|(i, named)| one_type(named, &place.step(&i.to_string())))
            .collect::<Result<_>>()?
    } else {
        [one_type(operand, place)?].into_iter().collect()
    };
    type_test(types, place)
}

pub(super) fn type_test(types: Types, place: &Place<'_>) -> Result<Test> {
    if types.is_empty() {
        return place.error("$type needs at least one type");
    }
    Ok(Test::Type(types))
}

fn one_type(named: Raw<'_>, place: &Place<'_>) -> Result<Type> {
    let by_name = named.as_str().and_then(|name| Type::named(&name));
    let found = by_name.or_else(|| integer(named, f64::fract).and_then(Type::numbered));
    found.map_or_else(
        || {
            let reason = "is no type of $type: it knows null, bool, number, int, double, string, \
                          array and object";
            place.error(format!("{named} {reason}", named = named.text()))
        },
        Ok,
    )
}

fn remainder(operand: Raw<'_>, place: &Place<'_>) -> Result<Test> {
    let elements: Vec<_> = operand.elements().collect();
    let [divisor, remainder] = *elements else {
        return place.error("$mod needs an array of two numbers: divisor and remainder");
    };
    let whole = |raw, index: &str| match integer(raw, |_| 0.0) {
        Some(whole) => Ok(whole),
        None => place.step(index).error("$mod needs numbers that fit 64 bits"),
    };
    mod_test(whole(divisor, "0")?, whole(remainder, "1")?, place)
}

pub(super) fn mod_test(divisor: i128, remainder: i128, place: &Place<'_>) -> Result<Test> {
    if divisor == 0 {
        return place.step("0").error("the divisor of $mod must not be 0");
    }
    Ok(Test::Mod { divisor, remainder })
}

/// The integer that a number is, when what `refused` makes of a float is zero.
fn integer(raw: Raw<'_>, refused: fn(f64) -> f64) -> Option<i128> {
    match raw.number()? {
        Number::Float(float) if refused(float) != 0.0 => None,
        number => number.truncated(),
    }
}

fn elem_match(operand: Raw<'_>, place: &Place<'_>) -> Result<ElemMatch> {
    if operand.kind() != Kind::Object {
        return place.error("$elemMatch needs an object");
    }
    let first = operand.members().next();
    let of_values = first.is_some_and(|m| is_operator(&m) && !LOGICAL.contains(&&*m.name()));
    Ok(if of_values {
        ElemMatch::Tests(tests(operand, place)?)
    } else {
        ElemMatch::Filter(Box::new(Filter::new(parse::object(operand, place)?)))
    })
}
