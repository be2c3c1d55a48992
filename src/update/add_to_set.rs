//! `$addToSet`: elements added to an array unless it has them.
//!
//! Elements are the same as filters mean it ([`crate::document::same`]): `1` is `1.0`, and objects
//! are the same with their members in the same order.
//!
//! Invariant: two values have one canonical text exactly when they are the same. So the work grows
//! with the sum of both lists, not with their product.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    members::Members,
    operators::{Outcome, json},
    push::{has_modifiers, read_each},
    rewrite::separate,
};
use crate::document::{Json, Kind, Number, Raw, quote};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct AddToSet {
    /// Without repetitions, in the order in which they are added.
    values: Vec<Json>,
    /// The place of each value by its canonical text.
    places: BTreeMap<String, usize>,
}

impl AddToSet {
    pub(super) fn read(operand: Raw<'_>) -> Outcome<AddToSet> {
        let given = match has_modifiers(operand) {
            false => vec![json(operand)],
            true => read_each(operand)?,
        };
        if has_modifiers(operand) && operand.members().count() > 1 {
            return Err("$addToSet knows no modifier beside $each".to_owned());
        }
        let mut set = AddToSet { values: Vec::new(), places: BTreeMap::new() };
        for value in given {
            let mut text = String::new();
            write_canonical(value.as_raw(), &mut text);
            if !set.places.contains_key(&text) {
                set.places.insert(text, set.values.len());
                set.values.push(value);
            }
        }
        Ok(set)
    }

    pub(super) fn write(&self, array: Raw<'_>, out: &mut String) {
        let mut has = vec![false; self.values.len()];
        let mut canonical = String::new();
        let mut length = 0;
        out.push('[');
        for element in array.elements() {
            separate(length, out);
            out.push_str(element.text());
            length += 1;
            canonical.clear();
            write_canonical(element, &mut canonical);
            let place = self.places.get(canonical.as_str());
            if let Some(has) = place.and_then(|place| has.get_mut(*place)) {
                *has = true;
            }
        }
        for (value, _) in self.values.iter().zip(has).filter(|(_, has)| !has) {
            separate(length, out);
            out.push_str(value.as_str());
            length += 1;
        }
        out.push(']');
    }
}

/// Writes one text for all values that are the same.
fn write_canonical(value: Raw<'_>, out: &mut String) {
    match value.kind() {
        Kind::Null | Kind::Bool => out.push_str(value.text()),
        Kind::Number => write_number(value, out),
        Kind::String => quote(&value.as_str().unwrap_or_default(), out),
        Kind::Array => {
            out.push('[');
            for (index, element) in value.elements().enumerate() {
                separate(index, out);
                write_canonical(element, out);
            }
            out.push(']');
        }
        Kind::Object => {
            let mut members = Members::open(out);
            for member in value.members() {
                write_canonical(member.value, members.name(&member.name()));
            }
            members.close();
        }
    }
}

/// A float that is an integer of the documents' range is written as that integer.
fn write_number(value: Raw<'_>, out: &mut String) {
    let integer = match value.number() {
        Some(Number::Int(integer)) => Some(integer),
        // The conversion goes to the nearest integer, and comparison is exact.
        Some(float @ Number::Float(number)) => {
            Some(number as i128).filter(|&integer| Number::Int(integer) == float)
        }
        None => None,
    };
    // Writing to a string does not fail.
    let _ = match (integer, value.number()) {
        (Some(integer), _) => write!(out, "{integer}"),
        (None, Some(number)) => write!(out, "{number}"),
        (None, None) => Ok(()),
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::same;

    #[test]
    fn canonical_texts_are_equal_exactly_for_the_same_values() {
        let values = [
            "null",
            "true",
            "0",
            "-0.0",
            "1",
            "1.0",
            "1e0",
            "1.5",
            "15e-1",
            "9007199254740993",
            "9007199254740993.0",
            "9007199254740992",
            "18446744073709551615",
            "18446744073709551616.0",
            "-9223372036854775808",
            "-9223372036854775808.0",
            "1e300",
            r#""1""#,
            r#""a""#,
            r#""\u0061""#,
            r#""a\n""#,
            r#""a\u000a""#,
            "[]",
            "[1]",
            "[1.0]",
            "[[1]]",
            "[1,1]",
            "{}",
            r#"{"a":1,"b":2}"#,
            r#"{"\u0061":1.0,"b":2}"#,
            r#"{"b":2,"a":1}"#,
            r#"{"a":[1,{"b":2}]}"#,
        ];
        let canonical = |text: &str| {
            let mut out = String::new();
            write_canonical(Raw::trusted(text), &mut out);
            out
        };
        for a in values {
            for b in values {
                let same = same(Raw::trusted(a), Raw::trusted(b));
                assert_eq!(canonical(a) == canonical(b), same, "{a} {b}");
            }
        }
    }
}
