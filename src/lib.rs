//! MonsterDB: a JSON document database with serializable transactions.

pub mod error;
pub mod limits;
pub mod names;
pub mod storage;
mod sync;
pub mod version;

pub use error::{Conflict, Damage, Dependency, Error, Result};
pub use names::{CollectionName, DocumentId};
pub use version::Version;
