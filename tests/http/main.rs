//! The HTTP interface from outside: a real server on a free port, a real client.
//!
//! What must hold: every request, well formed or not, gets the documented status, and every
//! refusal is a problem of a type that the server has a page for.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod backup;
mod batches;
mod bulk;
mod changes;
mod changes_cut;
mod changes_end;
mod collections;
mod cursors;
mod documents;
mod exposition;
mod forwarder;
#[path = "../support/generated.rs"]
mod generated;
#[path = "../support/generator.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod generator;
mod hostile;
mod idempotency;
mod indexes;
mod interface;
mod keys;
mod life;
mod logs;
#[path = "../support/met.rs"]
mod met;
mod metrics;
mod network;
mod p26;
mod p27;
mod p28;
mod p29;
mod p30;
mod queries;
mod reference;
mod routes;
mod schema;
mod server;
mod session_ends;
mod sessions;
#[path = "../support/skipped.rs"]
mod skipped;
mod stream;
mod table;
mod tables;
mod wire;
