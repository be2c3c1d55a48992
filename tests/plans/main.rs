//! Answers do not depend on plans: with no index, with each single one, with any set of them, and
//! inside a transaction with writes of its own, every query gives the same bytes.

#[path = "../support/generator.rs"]
mod generator;
#[path = "../support/indexed.rs"]
mod indexed;
mod same;
