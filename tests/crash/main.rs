//! What a crash, a fault or damage may leave of a database.
//!
//! Every storage operation of every script is the last one once ([`every_operation`]), and the
//! recovery after it is interrupted too ([`recovery`]); every operation fails once while the
//! process lives ([`failures`], [`waiters`]); the device is full ([`full`]); every byte of every
//! file is damaged once ([`damage`]); and random work meets random plans of faults ([`plans`]).
//! `MONSTERDB_TEST_DEPTH=20` tries that many times more seeds.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod damage;
mod ends;
mod every_operation;
mod failures;
mod files;
mod full;
#[path = "../support/occurrences.rs"]
mod occurrences;
mod plan_run;
mod plans;
mod recovery;
mod scripts;
#[path = "../support/seeded.rs"]
mod seeded;
mod tally;
mod together;
mod waiters;
#[path = "../workload/mod.rs"]
mod workload;
