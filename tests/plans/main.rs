//! Answers do not depend on plans: with no index, with each single one, with any set of them, and
//! inside a transaction with writes of its own, every query gives the same bytes.
//!
//! A long run, which takes six seconds and prints its seeds, its times, and how often what occurred
//! (operators, kinds of values where a path leads, stages of plans, hints that served) and something
//! was found then:
//!
//! ```text
//! PROPTEST_CASES=10000 cargo test --release --test plans -- --nocapture
//! ```
//!
//! `PLANS_SEED=…` (64 hexadecimal digits, as printed) with the same number of cases repeats a run.

#[path = "../support/generator.rs"]
mod generator;
#[path = "../support/indexed.rs"]
mod indexed;
#[path = "../support/occurrences.rs"]
mod occurrences;
mod run;
mod same;
#[path = "../support/seeded.rs"]
mod seeded;
