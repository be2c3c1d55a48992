//! What an error is called, whether to try again, and what to do about it.

use super::Error;

impl Error {
    /// A stable name of the kind of error, in the form of a slug.
    pub fn code(&self) -> &'static str {
        match self {
            Error::InvalidName(_) => "invalid-name",
            Error::InvalidJson { .. } => "invalid-json",
            Error::InvalidDocument { .. } => "invalid-document",
            Error::InvalidFilter { .. } => "invalid-filter",
            Error::InvalidUpdate { .. } => "invalid-update",
            Error::TestFailed { .. } => "test-failed",
            Error::InvalidQuery { .. } => "invalid-query",
            Error::Encode { .. } => "encode",
            Error::Decode { .. } => "decode",
            Error::AlreadyExists { .. } => "already-exists",
            Error::NotFound | Error::DocumentNotFound { .. } => "not-found",
            Error::Aborted(_) => "aborted",
            Error::CollectionNotFound { .. } => "collection-not-found",
            Error::CollectionExists { .. } => "collection-exists",
            Error::Index(error) => error.code(),
            Error::VersionMismatch { .. } => "version-mismatch",
            Error::PreconditionRequired { .. } => "precondition-required",
            Error::Conflict(_) => "tx-conflict",
            Error::LimitExceeded { .. } => "limit-exceeded",
            Error::MemoryLimit { .. } => "memory-limit",
            Error::OutcomeUnknown { .. } => "outcome-unknown",
            Error::ReadOnly { .. } => "read-only",
            Error::StorageFull { .. } => "storage-full",
            Error::VersionGone { .. } => "version-gone",
            Error::ChangesGone { .. } => "changes-gone",
            Error::Closed => "closed",
            Error::Nested => "nested-transaction",
            Error::SavepointGone => "savepoint-gone",
            Error::Locked { .. } => "locked",
            Error::Damaged(_) => "damaged",
            Error::NewerFormat { .. } => "newer-format",
            Error::Io { .. } => "io",
        }
    }

    /// True when the same transaction, run again on a new snapshot, may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Error::Conflict(_) | Error::StorageFull { .. })
    }

    /// What to do about it, as a sentence for a person.
    pub fn advice(&self) -> &'static str {
        match self {
            Error::InvalidName(_)
            | Error::InvalidJson { .. }
            | Error::InvalidDocument { .. }
            | Error::InvalidFilter { .. }
            | Error::InvalidUpdate { .. }
            | Error::InvalidQuery { .. }
            | Error::Encode { .. } => "Correct the input and send it again.",
            Error::Decode { .. } => "Read it as raw JSON, or widen the type.",
            Error::AlreadyExists { .. } => "Use put to overwrite it, or choose another id.",
            Error::NotFound | Error::DocumentNotFound { .. } | Error::CollectionNotFound { .. } => {
                "Check the name, or create it first."
            }
            Error::Aborted(_) => "Nothing was changed; the program's own error says why.",
            Error::CollectionExists { .. } => "Drop it first, or ask for the options it has.",
            Error::Index(error) => error.advice(),
            Error::VersionMismatch { .. } | Error::TestFailed { .. } => {
                "Read the document again and decide anew."
            }
            Error::PreconditionRequired { .. } => {
                "Send If-Match, if_version or _version with the version you read."
            }
            Error::Conflict(_) => "Run the transaction again; transact does so by itself.",
            Error::LimitExceeded { what, .. } if what.contains("time") => {
                "Narrow the filter, set a limit, or make an index that serves it."
            }
            Error::LimitExceeded { .. } => "Split the work into smaller parts.",
            Error::MemoryLimit { .. } => "Delete documents or raise the memory limit.",
            Error::OutcomeUnknown { .. } => {
                "Restart the database, then look whether the write is there."
            }
            Error::ReadOnly { .. } => "Look at the device and the log, then restart the database.",
            Error::StorageFull { .. } => "Make room on the device; no restart is needed.",
            Error::VersionGone { .. } => "Begin the listing again, or read a version that is kept.",
            Error::ChangesGone { .. } => {
                "Read the documents anew, and follow the changes from the version of that reading."
            }
            Error::Closed => "Open the database again.",
            Error::Nested => "Write through the transaction that the closure was given.",
            Error::SavepointGone => "Roll back to a savepoint that is still set.",
            Error::Locked { .. } => "Stop the other process, or talk to it with --url.",
            Error::Damaged(_) => {
                "Run `monsterdb check` on the directory to see all of it; then restore a backup, or \
                 save what can be saved with `monsterdb repair`."
            }
            Error::NewerFormat { .. } => "Use the release that wrote it, or a later one.",
            Error::Io { .. } => "Look at the path, its permissions and the device.",
        }
    }
}
