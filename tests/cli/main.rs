//! The program itself, run as a person or a script runs it: what it prints, what it leaves behind,
//! and what it ends with.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod backup;
mod compressed;
mod config;
mod damage;
#[path = "../support/data_set.rs"]
mod data_set;
mod directory;
mod import;
mod index;
mod keys;
mod load_test;
mod log;
mod pages;
mod program;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod proxy;
mod remote;
mod repair;
mod round_trip;
mod screen;
mod shell;
#[path = "../support/skipped.rs"]
mod skipped;
