//! The load test itself is tested: on a good server it passes, whatever happens on the way, and
//! whatever is planted behind its back it names.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../support/met.rs"]
mod met;
mod p33;
mod p34;
mod p35;
#[path = "../support/proxy.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod proxy;
mod server;
mod wrong;
