//! What a crash, a fault or damage may leave of a database.
//!
//! Every storage operation of every script is the last one once ([`every_operation`]), and the
//! recovery after it is interrupted too ([`recovery`]). Every operation fails once while the process
//! lives ([`failures`], [`waiters`]), commits and panics come in the middle of one ([`meanwhile`]),
//! the device is full ([`full`]), the database is closed ([`closing`]); random work meets random
//! plans of faults ([`plans`]). Every byte of every file is damaged once ([`damage`]), segments are
//! renamed and lost ([`segments`]), and what a checkpoint finished is found again ([`index_files`],
//! [`chains`]).
//! `MONSTERDB_TEST_DEPTH=20` tries that many times more seeds.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod chains;
mod closing;
mod damage;
mod ends;
mod every_operation;
mod failures;
mod files;
mod full;
mod hooked;
mod index_files;
mod meanwhile;
#[path = "../support/occurrences.rs"]
mod occurrences;
mod plan_run;
mod plans;
mod recovery;
mod scripts;
#[path = "../support/seeded.rs"]
mod seeded;
mod segments;
mod tally;
mod together;
mod waiters;
#[path = "../workload/mod.rs"]
mod workload;
