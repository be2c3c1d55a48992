//! MonsterDB: a JSON document database with serializable transactions.

pub mod checkpoint;
pub mod commit;
pub mod database;
pub mod document;
pub mod error;
pub mod filter;
pub mod limits;
pub mod names;
pub mod query;
#[cfg(feature = "server")]
pub mod server;
pub mod snapshot;
pub mod storage;
mod sync;
pub mod transaction;
pub mod version;
pub mod wal;

pub use commit::{Committed, Durability, TransactOptions};
pub use database::{Builder, Collection, Database, Health, Status};
pub use document::{Document, Draft, Json, MergePatch, Update};
pub use error::{Conflict, Damage, Dependency, Error, Result};
pub use filter::{Filter, field};
pub use names::{CollectionName, DocumentId};
pub use query::{Query, Sort};
pub use snapshot::{CollectionOptions, Snapshot};
pub use transaction::{Entry, Isolation, Savepoint, Transaction};
pub use version::Version;
