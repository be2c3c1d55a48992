//! Indexes that are made while writers go on, and documents that expire.

mod expiry;
#[path = "../support/indexed.rs"]
#[allow(dead_code, reason = "not everything that is shared is asked for here")]
mod indexed;
mod online;
