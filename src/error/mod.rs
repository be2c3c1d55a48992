//! The one error of the engine: what happened, where, and what to do next.
//!
//! Every variant has a stable code ([`Error::code`]), which is also the slug of its problem page
//! in the HTTP interface, and says whether the same transaction may succeed when it is run again
//! ([`Error::is_retryable`]).

mod advice;
mod conflict;
mod damage;
mod index;

pub use conflict::{Conflict, Dependency};
pub use damage::Damage;
pub use index::{IndexError, Offender};

use std::{io, path::PathBuf};

use crate::{
    names::{CollectionName, DocumentId, InvalidName},
    version::Version,
};
use conflict::ConflictList;

/// What every fallible function of the engine returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
///
/// Unless a variant says otherwise, nothing was changed when it is returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A collection name or a document id breaks the rules.
    #[error(transparent)]
    InvalidName(#[from] InvalidName),

    /// The text is not JSON, or not UTF-8.
    #[error("invalid JSON at byte {offset}: {reason}")]
    InvalidJson {
        /// Bytes before the place.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },

    /// The text is JSON but breaks a rule for documents.
    #[error("invalid document at {pointer:?}: {reason}")]
    InvalidDocument {
        /// JSON Pointer (RFC 6901) of the place.
        pointer: String,
        /// The rule it breaks.
        reason: String,
    },

    /// The filter holds something that is not understood.
    #[error("invalid filter at {pointer:?}: {reason}")]
    InvalidFilter {
        /// JSON Pointer of the place in the filter.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },

    /// The update cannot be understood, or does not fit the document it is applied to.
    #[error("invalid update at {pointer:?}: {reason}")]
    InvalidUpdate {
        /// JSON Pointer of the place in the update.
        pointer: String,
        /// What is wrong there.
        reason: String,
    },

    /// A test of a JSON Patch found another value.
    #[error("the test at {pointer:?} failed: another value stands at {path:?}")]
    TestFailed {
        /// JSON Pointer of the operation in the patch.
        pointer: String,
        /// JSON Pointer of the place that it tested in the document.
        path: String,
    },

    /// A part of the query but its filter is not understood, or cannot be served.
    #[error("invalid query: {reason}")]
    InvalidQuery {
        /// What is wrong with it.
        reason: String,
    },

    /// The value given by the program cannot be written as a JSON object.
    #[error("the value cannot be stored as a document: {source}")]
    Encode {
        /// What serde says.
        source: serde_json::Error,
    },

    /// The stored document does not have the shape of the program's type.
    #[error("document {id} in {collection} does not fit the type asked for: {source}")]
    Decode {
        /// The collection read.
        collection: CollectionName,
        /// The document read.
        id: DocumentId,
        /// What serde says.
        source: serde_json::Error,
    },

    /// An insert met a document of the same id.
    #[error("document {id} already exists in {collection}")]
    AlreadyExists {
        /// The collection written.
        collection: CollectionName,
        /// The id that is taken.
        id: DocumentId,
    },

    /// What the program looked for is not there: for the use of programs, in a `transact` closure.
    #[error("not found")]
    NotFound,

    /// The program's own error, that ends a `transact` closure (see [`Error::aborted`]).
    #[error("the transaction was aborted: {0}")]
    Aborted(Box<dyn std::error::Error + Send + Sync>),

    /// A write needs a document that is not there.
    #[error("document {id} does not exist in {collection}")]
    DocumentNotFound {
        /// The collection looked in.
        collection: CollectionName,
        /// The id looked for.
        id: DocumentId,
    },

    /// The collection is not there.
    #[error("collection {collection} does not exist")]
    CollectionNotFound {
        /// The name looked for.
        collection: CollectionName,
    },

    /// The collection is there already, with other options.
    #[error("collection {collection} already exists with other options")]
    CollectionExists {
        /// The name that is taken.
        collection: CollectionName,
    },

    /// An index refuses it.
    #[error(transparent)]
    Index(#[from] IndexError),

    /// The stored document has another version than the write requires.
    #[error(
        "document {id} in {collection} is at {}, not at version {expected}",
        found.map_or_else(|| "no version (absent)".to_owned(), |v| format!("version {v}"))
    )]
    VersionMismatch {
        /// The collection written.
        collection: CollectionName,
        /// The document written.
        id: DocumentId,
        /// The version the write requires; zero requires absence.
        expected: Version,
        /// The version stored; none when the document is absent.
        found: Option<Version>,
    },

    /// The collection takes no write without a precondition.
    #[error("collection {collection} requires a precondition for every write")]
    PreconditionRequired {
        /// The collection written.
        collection: CollectionName,
    },

    /// Other commits changed what this transaction read. Run it again on a new snapshot.
    #[error("{}", ConflictList(.0))]
    Conflict(Vec<Conflict>),

    /// A published limit was reached.
    #[error("{what} is limited to {max}, and this is {actual}")]
    LimitExceeded {
        /// What is limited, with its unit.
        what: &'static str,
        /// The limit.
        max: u64,
        /// What was asked for.
        actual: u64,
    },

    /// The database would grow over its memory limit.
    #[error("the memory limit of {max} bytes would be exceeded ({actual} bytes)")]
    MemoryLimit {
        /// The limit in bytes.
        max: u64,
        /// What the write would have made of it.
        actual: u64,
    },

    /// The commit was written to the log but the device failed before it was known to be safe:
    /// whether it took effect is seen at the next open.
    #[error("the outcome of the commit is unknown: {reason}")]
    OutcomeUnknown {
        /// What failed.
        reason: String,
    },

    /// The database takes no writes, since its storage failed or it was opened for reading.
    #[error("the database is read-only: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },

    /// There is no room on the device for the log. Reads go on; writes succeed once there is room.
    #[error("the device is full: {reason}")]
    StorageFull {
        /// What could not be made.
        reason: String,
    },

    /// The state of a version is not kept any more.
    #[error(
        "version {requested} is gone; the nearest that is kept is {nearest}, the oldest {oldest}"
    )]
    VersionGone {
        /// The version asked for.
        requested: Version,
        /// The nearest one that can be read.
        nearest: Version,
        /// The oldest one that can be read.
        oldest: Version,
    },

    /// A restore was asked for a version that backup and archive do not lead to.
    #[error(
        "version {requested} cannot be restored: {}",
        if first == last {
            format!("what there is leads to version {first} alone")
        } else {
            format!("the backup is of version {first}, and the archive ends at version {last}")
        }
    )]
    OutOfReach {
        /// The version asked for.
        requested: Version,
        /// That of the backup, which is the first that can be restored.
        first: Version,
        /// The last one that can be restored.
        last: Version,
    },

    /// The changes after a version are not kept any more.
    #[error("the changes after version {since} are gone; those after {oldest} are the oldest kept")]
    ChangesGone {
        /// The version asked for.
        since: Version,
        /// The oldest version that can be asked for.
        oldest: Version,
    },

    /// The database was closed.
    #[error("the database is closed")]
    Closed,

    /// A commit was asked for inside a `transact` closure of the same thread. Write through the
    /// transaction given to the closure.
    #[error("a commit inside a transact closure of the same thread and database")]
    Nested,

    /// A transaction's savepoint was released or rolled back over.
    #[error("the savepoint is gone: it was released, or an earlier one was rolled back to")]
    SavepointGone,

    /// Another process, or another handle in this one, holds the data directory.
    #[error(
        "{} is in use by {}",
        path.display(),
        pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// The holder, when its LOCK file says so.
        pid: Option<u32>,
    },

    /// A file of the database is damaged where it is provably acknowledged. Nothing was opened.
    #[error(transparent)]
    Damaged(Box<Damage>),

    /// A file was written by a newer release.
    #[error("{file} has format {found}, and this release reads up to format {supported}")]
    NewerFormat {
        /// The file, relative to the data directory.
        file: String,
        /// The format it states.
        found: u64,
        /// The newest format understood.
        supported: u64,
    },

    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Error {
    /// Wraps the program's own error, to end a `transact` closure with it.
    pub fn aborted(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Aborted(error.into())
    }

    /// What a refused file operation means: no room, or something worse.
    pub(crate) fn io(action: &'static str, path: PathBuf, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::StorageFull {
                reason: format!("cannot {action} {}: {source}", path.display()),
            },
            _ => Error::Io { action, path, source },
        }
    }

    /// An [`Error::Damaged`].
    pub(crate) fn damaged(
        file: impl Into<String>,
        offset: u64,
        version: Option<Version>,
        reason: impl Into<String>,
    ) -> Error {
        Error::Damaged(Box::new(Damage {
            file: file.into(),
            offset,
            version,
            reason: reason.into(),
        }))
    }
}
