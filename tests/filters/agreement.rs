//! Filters over random documents agree with a naive evaluation over trees.
//!
//! A long run, which takes two seconds and prints its seed, its time, and how often what occurred
//! (each operator; null, missing, arrays and other kinds where a path leads; types that differ from
//! the operand's; numbers that floats do not tell apart) and a document then matched:
//!
//! ```text
//! FILTER_CASES=10000 cargo test --release --test filters agree -- --nocapture
//! ```
//!
//! `FILTER_SEED=…` (64 hexadecimal digits, as printed) repeats a run.

use std::{cell::RefCell, env, time::Instant};

use monsterdb::Filter;
use proptest::{prelude::*, test_runner::Config};
use serde_json::Value;

use crate::{document, filter_cases, occurrences::Occurrences, reference_filter, seeded::seeded};

/// Cases of an ordinary run.
const CASES: u32 = 256;

/// Documents of a case, at most.
const DOCUMENTS: usize = 6;

#[test]
fn filters_agree_with_the_reference() {
    let cases = env::var("FILTER_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let (mut runner, seed) = seeded("FILTER_SEED", config);
    println!("{cases} cases from {seed}");
    let (start, counts) = (Instant::now(), RefCell::new(Occurrences::default()));
    let strategy = (filter_cases::filter(), filter_cases::documents(DOCUMENTS));
    runner
        .run(&strategy, |(filter, bodies)| agree(&filter, &bodies, &counts))
        .unwrap_or_else(|error| panic!("{error}\n{seed}"));
    let (time, counts) = (start.elapsed(), counts.into_inner());
    println!("{time:.1?}; what occurred, and in how many documents that matched:\n{counts}");
    for what in OPERATORS {
        let [all, matched] = counts.of(what);
        assert!(0 < matched && matched < all, "{what}: {matched} of {all} matched");
    }
    for what in MET {
        assert!(counts.of(what)[0] > 0, "{what} did not occur");
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

fn agree(
    filter: &Value,
    bodies: &[Value],
    counts: &RefCell<Occurrences>,
) -> Result<(), TestCaseError> {
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
        counts.borrow_mut().note_filter(filter, &tree, expected);
    }
    Ok(())
}
