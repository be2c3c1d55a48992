//! MonsterDB: a JSON document database with serializable transactions.

pub mod document;
pub mod error;
pub mod filter;
pub mod limits;
pub mod names;
pub mod storage;
mod sync;
pub mod version;

pub use document::{Document, Draft, Json, MergePatch, Update};
pub use error::{Conflict, Damage, Dependency, Error, Result};
pub use filter::{Filter, field};
pub use names::{CollectionName, DocumentId};
pub use version::Version;
