//! The program as its image runs it: told by its environment alone, its data in a volume.
//!
//! What can be shown without a container engine is shown on the plain program, run as the image runs
//! it; and the files beside it (Dockerfile, compose file, systemd unit) are read as text. The same
//! table of settings and the same checks then run in a container where `MONSTERDB_TEST_DOCKER` is set:
//! `docker/test` builds the image, sees to an engine if there is none, and runs all of it.
#![cfg(all(feature = "server", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod compose;
mod container;
mod dockerfile;
mod effects;
mod engine;
mod environment;
mod host;
mod life;
mod lines;
#[path = "../support/met.rs"]
mod met;
mod page;
mod persistence;
mod plain;
mod service;
mod settings;
#[path = "../support/skipped.rs"]
mod skipped;
mod unit;
mod wire;
