//! The documentation holds: every block of code in the README and in `docs` is run or says why not,
//! every command, metric and page is where a reader looks for it, and every link leads somewhere.
//!
//! What is compared elsewhere: `docs/configuration.md` with the settings and `docs/shell.md` with a
//! session (`tests/cli`), `docs/http.md` with the description of the service (`tests/http`), and the
//! code of the library by rustdoc.
#![cfg(feature = "server")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../support/generated.rs"]
mod generated;
#[path = "../support/skipped.rs"]
mod skipped;

mod blocks;
mod commands;
mod errors;
mod links;
mod metrics;
mod names;
mod page;
mod server;
