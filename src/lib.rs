#![doc = include_str!("../README.md")]
//!
//! # The map
//!
//! A module uses only those below its own line; a test keeps it so.
//!
//! ```text
//! cli                      commands                                    (feature "server")
//! server                   HTTP                                        (feature "server")
//! database                 the handle: open, recovery, maintenance
//! commit   feed            lock, validate, prepare, sequence, sync, publish  |  what changed
//! transaction              read set, own writes, savepoints
//! query   checkpoint       questions to a snapshot  |  state on disk
//! snapshot   wal           immutable state  |  append-only lines
//! update                   operators, merge patch, JSON Patch
//! filter                   parse, match
//! document   storage       values, order  |  files
//! error                    what went wrong and what to do
//! names  version  limits  histogram  sync
//! ```
//!
//! How to use it, from opening to closing, is on the page [`guide`]. What each guarantee rests on, and
//! how to check it, is on the page [`proof`].

pub mod checkpoint;
#[cfg(feature = "server")]
pub mod cli;
pub mod commit;
pub mod database;
pub mod document;
pub mod error;
pub mod feed;
pub mod filter;
pub mod guide;
pub mod histogram;
pub mod limits;
pub mod names;
pub mod proof;
pub mod query;
#[cfg(feature = "server")]
pub mod server;
pub mod snapshot;
pub mod storage;
mod sync;
pub mod transaction;
pub mod update;
pub mod version;
pub mod wal;

pub use commit::{Committed, Durability, IndexMade, IndexProgress, TransactOptions};
pub use database::{Builder, Changes, Collection, Database, Health, Status};
pub use document::{Document, Draft, Json};
pub use error::{Conflict, Damage, Dependency, Error, IndexError, Result};
pub use feed::{Change, Selection};
pub use filter::{Filter, field};
pub use names::{CollectionName, DocumentId, IndexName};
pub use query::{Aggregate, Cursor, Metric, Projection, Query, Sort};
pub use snapshot::{CollectionOptions, IndexDefinition, Snapshot};
pub use transaction::{Entry, Isolation, Savepoint, Transaction};
pub use update::{JsonPatch, MergePatch, Update};
pub use version::Version;
