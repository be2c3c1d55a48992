//! The program itself, run as a person or a script runs it: what it prints, what it leaves behind,
//! and what it ends with.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod damage;
#[path = "../support/data_set.rs"]
mod data_set;
mod directory;
mod import;
mod index;
mod keys;
mod log;
mod program;
mod remote;
mod round_trip;
#[path = "../support/skipped.rs"]
mod skipped;
