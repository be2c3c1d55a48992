//! Filters over random documents agree with a naive evaluation over trees.
//!
//! A long run, which prints its seed, its time and what occurred how often:
//!
//! ```text
//! FILTER_CASES=10000 cargo test --release --test filters agree -- --nocapture
//! ```
//!
//! `FILTER_SEED=…` (64 hexadecimal digits, as printed) repeats a run.

use std::{cell::RefCell, collections::BTreeMap, env, time::Instant};

use monsterdb::Filter;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::Value;

use crate::{document, filter_cases, reference_filter};

/// Cases of an ordinary run.
const CASES: u32 = 256;

/// Documents of a case, at most.
const DOCUMENTS: usize = 6;

/// How often something occurred, and how often a document then matched.
type Counts = BTreeMap<String, [u32; 2]>;

#[test]
fn filters_agree_with_the_reference() {
    let cases = env::var("FILTER_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let seed = env::var("FILTER_SEED").map_or_else(|_| random_seed(), |seed| read_seed(&seed));
    let shown: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{cases} cases from FILTER_SEED={shown}");
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let (start, counts) = (Instant::now(), RefCell::new(Counts::new()));
    let strategy = (filter_cases::filter(), filter_cases::documents(DOCUMENTS));
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |(filter, bodies)| agree(&filter, &bodies, &counts))
        .unwrap_or_else(|error| panic!("{error}\nFILTER_SEED={shown}"));
    println!("{:.1?}; what occurred, and in how many documents that matched:", start.elapsed());
    let counts = counts.into_inner();
    for (what, [all, matched]) in &counts {
        println!("  {what:<14}{all:>9}{matched:>9}");
    }
    for what in OPERATORS {
        let [all, matched] = counts.get(what).copied().unwrap_or_default();
        assert!(0 < matched && matched < all, "{what}: {matched} of {all} matched");
    }
    for what in MET {
        assert!(counts.contains_key(what), "{what} did not occur");
    }
}

/// What every run has to ask, of documents that match and of such as do not.
const OPERATORS: [&str; 22] = [
    "value",
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$startsWith",
    "$mod",
    "$size",
    "$all",
    "$elemMatch",
    "$not",
    "$and",
    "$or",
    "$nor",
];

/// What the paths of every run have to meet in documents.
const MET: [&str; 6] = ["null", "missing", "array", "object", "mixed types", "past 2^53"];

fn agree(filter: &Value, bodies: &[Value], counts: &RefCell<Counts>) -> Result<(), TestCaseError> {
    let text = filter.to_string();
    let parsed = Filter::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let again = Filter::parse(&parsed.to_json()).unwrap();
    prop_assert_eq!(again.to_json(), parsed.to_json());
    prop_assert_eq!(&again, &parsed);
    for body in bodies {
        let stored = document(&body.to_string());
        let tree: Value = serde_json::from_str(stored.json()).unwrap();
        let expected = reference_filter::matches(filter, &tree);
        prop_assert_eq!(parsed.matches(&stored), expected, "{} {}", text, body);
        prop_assert_eq!(again.matches(&stored), expected, "printed: {} {}", again, body);
        prop_assert_eq!(parsed.clone().negate().matches(&stored), !expected, "{} {}", text, body);
        count(filter, &tree, expected, &mut counts.borrow_mut());
    }
    Ok(())
}

/// Counts what stands in the filter and what its paths meet in the document.
fn count(filter: &Value, tree: &Value, matched: bool, counts: &mut Counts) {
    let mut met = Vec::new();
    names(filter, &mut met);
    let (mut kinds, mut operands) = (Vec::new(), Vec::new());
    for (path, operand) in conditions(filter) {
        let value = path.split('.').try_fold(tree, |value, step| value.get(step));
        kinds.push(value.map_or("missing", kind));
        if !operand.is_object() {
            met.push("value".to_owned());
        }
        operands.push(operand);
    }
    if operands.iter().any(|operand| is_past_floats(operand)) {
        met.push("past 2^53".to_owned());
    }
    let differs = |kind: &&str| operands.iter().any(|operand| self::kind(operand) != *kind);
    if kinds.iter().any(|kind| *kind != "missing" && differs(kind)) {
        met.push("mixed types".to_owned());
    }
    met.extend(kinds.into_iter().map(str::to_owned));
    met.sort_unstable();
    met.dedup();
    for what in met {
        let [all, matching] = counts.entry(what).or_default();
        *all += 1;
        *matching += u32::from(matched);
    }
}

/// True when a number is in it that is further from zero than floats tell integers apart.
fn is_past_floats(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(is_past_floats),
        Value::Object(members) => members.values().any(is_past_floats),
        Value::Number(number) => number.as_f64().unwrap().abs() >= 9_007_199_254_740_992.0,
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
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.keys().filter(|name| name.starts_with('$')).cloned());
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

fn random_seed() -> [u8; 32] {
    let halves = [uuid::Uuid::now_v7(), uuid::Uuid::now_v7()];
    std::array::from_fn(|at| halves[at / 16].as_bytes()[at % 16])
}

fn read_seed(text: &str) -> [u8; 32] {
    let byte = |index: usize| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
    std::array::from_fn(byte)
}
