//! Repairing a damaged database: whatever is damaged, the old directory stays as it is, the new one
//! opens and is good, and what it lacks of the state that it is of is exactly what the report lists.
//!
//! [`world`] is a database with every state that it had, [`verdict`] holds a repair against them,
//! [`bytes`] damages every kind of file in every way, [`cases`] tells what is expected of some,
//! [`interrupted`] is a checkpoint that did not get to its manifest, which is lost.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bytes;
mod cases;
#[path = "../support/dice.rs"]
mod dice;
#[path = "../crash/files.rs"]
mod files;
mod interrupted;
mod verdict;
#[path = "../workload/mod.rs"]
mod workload;
mod world;
