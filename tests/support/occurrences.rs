//! What occurs in random filters and in the documents that they are asked of, and how often: a run
//! that never met an array has shown nothing about arrays.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

/// How often something occurred, and how often a document then matched.
#[derive(Default)]
pub(crate) struct Occurrences(BTreeMap<String, [u32; 2]>);

impl Occurrences {
    /// How often something occurred, and how often a document then matched.
    pub(crate) fn of(&self, what: &str) -> [u32; 2] {
        self.0.get(what).copied().unwrap_or_default()
    }

    /// Notes that something occurred.
    pub(crate) fn note(&mut self, what: &str, matched: bool) {
        let [all, matching] = self.0.entry(what.to_owned()).or_default();
        *all += 1;
        *matching += u32::from(matched);
    }

    /// Notes that what was noted before did match in the end.
    pub(crate) fn note_match(&mut self, what: &str) {
        self.0.entry(what.to_owned()).or_default()[1] += 1;
    }

    /// Notes what stands in a filter and what its paths meet in a document.
    pub(crate) fn note_filter(&mut self, filter: &Value, tree: &Value, matched: bool) {
        let mut met = Vec::new();
        names(filter, &mut met);
        let (mut kinds, mut operands) = (Vec::new(), Vec::new());
        for (path, operand) in conditions(filter) {
            let value = path.split('.').try_fold(tree, |value, step| value.get(step));
            kinds.push(value.map_or("missing", kind));
            if !operand.is_object() {
                met.push("value");
            }
            operands.push(operand);
        }
        if operands.iter().any(|operand| is_past_floats(operand)) {
            met.push("past 2^53");
        }
        let differs = |of: &&str| operands.iter().any(|operand| kind(operand) != *of);
        if kinds.iter().any(|kind| *kind != "missing" && differs(kind)) {
            met.push("mixed types");
        }
        met.extend(kinds);
        met.sort_unstable();
        met.dedup();
        met.into_iter().for_each(|what| self.note(what, matched));
    }
}

impl fmt::Display for Occurrences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, [all, matched]) in &self.0 {
            writeln!(f, "  {what:<36}{all:>9}{matched:>9}")?;
        }
        Ok(())
    }
}

/// True when a number is in it that is further from zero than floats tell integers apart.
fn is_past_floats(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(is_past_floats),
        Value::Object(members) => members.values().any(is_past_floats),
        Value::Number(number) => {
            number.as_f64().is_some_and(|n| n.abs() >= 9_007_199_254_740_992.0)
        }
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The names of all operators.
fn names<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            let operators = members.keys().map(String::as_str).filter(|name| name.starts_with('$'));
            found.extend(operators);
            members.values().for_each(|value| names(value, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The paths that begin in the document, each with what stands below it.
fn conditions(filter: &Value) -> Vec<(&str, &Value)> {
    let entries = filter.as_object().into_iter().flatten();
    let below = entries.flat_map(|(name, operand)| {
        if name.starts_with('$') {
            operand.as_array().into_iter().flatten().flat_map(conditions).collect()
        } else {
            let operators = operand.as_object().filter(|o| o.keys().any(|n| n.starts_with('$')));
            match operators {
                Some(operators) => operators.values().map(|o| (name.as_str(), o)).collect(),
                None => vec![(name.as_str(), operand)],
            }
        }
    });
    below.collect()
}
