//! The kinds of problems: one table, from which the answers and their pages are made.
//!
//! Invariant: the slug of a kind never changes once it was released; where the engine has a code
//! for the same thing ([`Error::code`]), it is that code.

use actix_web::http::StatusCode;

use crate::error::{Error, IndexError};

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidJson,
    InvalidRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    TransactionNotFound,
    CollectionNotFound,
    IndexNotFound,
    KeyNotFound,
    RouteNotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    AlreadyExists,
    CollectionExists,
    IndexExists,
    UniqueViolation,
    VersionMismatch,
    TestFailed,
    LastAdminKey,
    Conflict,
    TransactionBusy,
    IdempotencyInProgress,
    VersionGone,
    ChangesGone,
    TransactionEnded,
    PreconditionFailed,
    PayloadTooLarge,
    UnsupportedMediaType,
    InvalidName,
    InvalidDocument,
    InvalidFilter,
    InvalidUpdate,
    InvalidQuery,
    InvalidIndex,
    UnindexableDocument,
    HintRefused,
    InvalidBody,
    IdempotencyMismatch,
    LimitExceeded,
    PreconditionRequired,
    TooManySessions,
    TooManyStreams,
    TooManyRequests,
    Internal,
    OutcomeUnknown,
    ReadOnly,
    Closed,
    MemoryLimit,
    StorageFull,
}

/// What is to be said of a kind.
#[derive(Debug)]
pub(super) struct Row {
    kind: Kind,
    /// The status that it is answered with.
    status: u16,
    /// Its name in links.
    pub(super) slug: &'static str,
    /// Its name for people.
    pub(super) title: &'static str,
    /// What to do about it.
    pub(super) advice: &'static str,
}

impl Kind {
    /// The kind that an error of the engine is.
    pub(super) fn of(error: &Error) -> Kind {
        match error {
            Error::InvalidName(_) => Kind::InvalidName,
            Error::InvalidJson { .. } => Kind::InvalidJson,
            Error::InvalidDocument { .. } => Kind::InvalidDocument,
            Error::InvalidFilter { .. } => Kind::InvalidFilter,
            Error::InvalidUpdate { .. } => Kind::InvalidUpdate,
            Error::InvalidQuery { .. } => Kind::InvalidQuery,
            Error::AlreadyExists { .. } => Kind::AlreadyExists,
            Error::NotFound | Error::DocumentNotFound { .. } => Kind::NotFound,
            Error::CollectionNotFound { .. } => Kind::CollectionNotFound,
            Error::CollectionExists { .. } => Kind::CollectionExists,
            Error::Index(error) => Kind::of_index(error),
            Error::VersionMismatch { .. } => Kind::VersionMismatch,
            Error::TestFailed { .. } => Kind::TestFailed,
            Error::PreconditionRequired { .. } => Kind::PreconditionRequired,
            Error::Conflict(_) => Kind::Conflict,
            Error::VersionGone { .. } => Kind::VersionGone,
            Error::ChangesGone { .. } => Kind::ChangesGone,
            // Every limit names its unit: those on bytes are about the payload.
            Error::LimitExceeded { what, .. } if what.contains("bytes") => Kind::PayloadTooLarge,
            Error::LimitExceeded { .. } => Kind::LimitExceeded,
            Error::MemoryLimit { .. } => Kind::MemoryLimit,
            Error::OutcomeUnknown { .. } => Kind::OutcomeUnknown,
            Error::ReadOnly { .. } => Kind::ReadOnly,
            Error::StorageFull { .. } => Kind::StorageFull,
            Error::Closed => Kind::Closed,
            Error::Encode { .. }
            | Error::Decode { .. }
            | Error::Aborted(_)
            | Error::Nested
            | Error::SavepointGone
            | Error::OutOfReach { .. }
            | Error::Locked { .. }
            | Error::Damaged(_)
            | Error::NewerFormat { .. }
            | Error::Io { .. } => Kind::Internal,
        }
    }

    fn of_index(error: &IndexError) -> Kind {
        match error {
            IndexError::Invalid { .. } => Kind::InvalidIndex,
            IndexError::NotFound { .. } => Kind::IndexNotFound,
            IndexError::Exists { .. } => Kind::IndexExists,
            IndexError::Unique { .. } => Kind::UniqueViolation,
            IndexError::Unindexable { .. } => Kind::UnindexableDocument,
            IndexError::Hint { .. } => Kind::HintRefused,
        }
    }

    /// The row of the kind with this slug.
    pub(super) fn find(slug: &str) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.slug == slug)
    }

    /// All of them, in their order.
    pub(super) fn rows() -> &'static [Row] {
        &TABLE
    }

    /// Its row in the table.
    pub(super) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.kind == self).expect("every kind has a row")
    }

    /// The status that it is answered with.
    pub(super) fn status(self) -> StatusCode {
        self.row().status()
    }

    /// True when the same request may succeed when it is sent again.
    pub(super) fn is_retryable(self) -> bool {
        matches!(
            self,
            Kind::Conflict
                | Kind::TransactionBusy
                | Kind::IdempotencyInProgress
                | Kind::TooManySessions
                | Kind::TooManyStreams
                | Kind::TooManyRequests
                | Kind::RequestTimeout
                | Kind::Closed
                | Kind::StorageFull
        )
    }
}

impl Row {
    /// True when the same request may succeed when it is sent again.
    pub(super) fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// The status that it is answered with.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("the table holds statuses only")
    }
}

const fn row(
    kind: Kind,
    status: u16,
    slug: &'static str,
    title: &'static str,
    advice: &'static str,
) -> Row {
    Row { kind, status, slug, title, advice }
}

/// One row a kind, in the order of the kinds.
#[rustfmt::skip]
static TABLE: [Row; 50] = [
    row(Kind::InvalidJson, 400, "invalid-json", "Not JSON",
        "Send valid JSON in UTF-8, without a byte order mark."),
    row(Kind::InvalidRequest, 400, "invalid-request", "Not understood",
        "Correct the header, the query string or the percent-encoding that the detail names."),
    row(Kind::Unauthorized, 401, "unauthorized", "No valid key",
        "Send a key in the header X-API-Key. The first start printed one."),
    row(Kind::Forbidden, 403, "forbidden", "The key does not allow this",
        "Use a key of a stronger role (read, write or admin), or one for the collection that the detail names."),
    row(Kind::NotFound, 404, "not-found", "No such document",
        "Check the id, or create the document first."),
    row(Kind::TransactionNotFound, 404, "tx-not-found", "No such transaction",
        "Begin one. A token is good only with the key that began its transaction, and not after a restart."),
    row(Kind::CollectionNotFound, 404, "collection-not-found", "No such collection",
        "Check the name, or create the collection first."),
    row(Kind::IndexNotFound, 404, "index-not-found", "No such index",
        "List the collection's indexes and check the name."),
    row(Kind::KeyNotFound, 404, "key-not-found", "No such key",
        "List the keys and check the id."),
    row(Kind::RouteNotFound, 404, "route-not-found", "No such route",
        "Check the path."),
    row(Kind::MethodNotAllowed, 405, "method-not-allowed", "The route has no such method",
        "Use one of the methods in the header Allow."),
    row(Kind::NotAcceptable, 406, "not-acceptable", "No form of the answer is accepted",
        "Accept application/json or application/x-ndjson."),
    row(Kind::RequestTimeout, 408, "request-timeout", "The body came too slowly",
        "Send it again over a better connection, or in smaller parts."),
    row(Kind::AlreadyExists, 409, "already-exists", "The document exists already",
        "Use PUT to overwrite it, or choose another id."),
    row(Kind::CollectionExists, 409, "collection-exists", "The collection exists with other options",
        "Drop it first, or ask for the options it has."),
    row(Kind::IndexExists, 409, "index-exists", "The index exists with another definition",
        "Drop it first, or choose another name."),
    row(Kind::UniqueViolation, 409, "unique-violation", "Two documents have one key in a unique index",
        "Change one of the documents that the detail names, or drop the index."),
    row(Kind::VersionMismatch, 409, "version-mismatch", "The document has another version",
        "Read the document again and decide anew."),
    row(Kind::TestFailed, 409, "test-failed", "A test of the JSON Patch failed",
        "Read the document again and decide anew."),
    row(Kind::LastAdminKey, 409, "last-admin-key", "The last admin key stays",
        "Make another admin key, then revoke this one with it."),
    row(Kind::Conflict, 409, "tx-conflict", "Overtaken by another commit",
        "Run the transaction again. The member conflicts names what was overtaken."),
    row(Kind::TransactionBusy, 409, "tx-busy", "The transaction is in use",
        "Send one request of a transaction at a time: wait for the answer to the one before."),
    row(Kind::IdempotencyInProgress, 409, "idempotency-in-progress", "The first request still runs",
        "Wait as long as the header Retry-After says, then send the same request again."),
    row(Kind::VersionGone, 410, "version-gone", "The version is not kept any more",
        "Begin the listing again without a cursor, or read at the version that nearest names."),
    row(Kind::ChangesGone, 410, "changes-gone", "The changes are not kept any more",
        "Read the documents anew, and follow the changes from the version of that reading on. The member oldest is the oldest version that can be asked for."),
    row(Kind::TransactionEnded, 410, "tx-ended", "The transaction has ended",
        "Begin another one. The detail says how this one ended."),
    row(Kind::PreconditionFailed, 412, "precondition-failed", "A precondition in the header failed",
        "Read the document again and decide anew."),
    row(Kind::PayloadTooLarge, 413, "payload-too-large", "Too many bytes",
        "Send less at once. A document has at most 16 MiB, a body 32 MiB."),
    row(Kind::UnsupportedMediaType, 415, "unsupported-media-type", "The body's media type is not understood",
        "Send one of the media types that the detail names, in the header Content-Type."),
    row(Kind::InvalidName, 422, "invalid-name", "Not a name",
        "A collection is named by letters and digits of ASCII and _ . - (at most 128, a letter or digit first), a document by 1 to 256 bytes of UTF-8 without control characters."),
    row(Kind::InvalidDocument, 422, "invalid-document", "Not a document",
        "Correct the place that the pointer names."),
    row(Kind::InvalidFilter, 422, "invalid-filter", "Not a filter",
        "Correct the place that the pointer names."),
    row(Kind::InvalidUpdate, 422, "invalid-update", "Not an update, or not one of this document",
        "Correct the place that the pointer names."),
    row(Kind::InvalidQuery, 422, "invalid-query", "Not a query",
        "Correct the part of the query that the detail names."),
    row(Kind::InvalidIndex, 422, "invalid-index", "Not an index",
        "Correct the place that the detail names."),
    row(Kind::UnindexableDocument, 422, "unindexable-document", "The document does not fit an index",
        "Change the document, or drop the index. A key has at most 1 KiB, and one path of an index may hold arrays."),
    row(Kind::HintRefused, 422, "hint-refused", "The index of the hint cannot serve the query",
        "Leave the hint out, or name an index that fits. The detail says what is in the way."),
    row(Kind::InvalidBody, 422, "invalid-body", "The body's members are not understood",
        "Correct the member that the pointer names."),
    row(Kind::IdempotencyMismatch, 422, "idempotency-mismatch", "The Idempotency-Key was another request's",
        "Repeat the request as it was first sent, or take a new key for a new one."),
    row(Kind::LimitExceeded, 422, "limit-exceeded", "A limit was reached",
        "Split the work into smaller parts."),
    row(Kind::PreconditionRequired, 428, "precondition-required", "The collection requires preconditions",
        "Send If-Match, if_version or _version with the version you read."),
    row(Kind::TooManySessions, 429, "too-many-sessions", "Too many open transactions",
        "Commit or roll back some, or wait until they expire."),
    row(Kind::TooManyStreams, 429, "too-many-streams", "Too many followers of the changes",
        "Close some, or try again later."),
    row(Kind::TooManyRequests, 429, "too-many-requests", "Too many requests",
        "Wait as long as the header Retry-After says. After wrong keys: correct the key first."),
    row(Kind::Internal, 500, "internal", "The server failed",
        "Look for the request's id in the server's log."),
    row(Kind::OutcomeUnknown, 500, "outcome-unknown", "The outcome of the commit is unknown",
        "Once the server has been restarted, send the request again with the same Idempotency-Key, \
         or look whether the write is there."),
    row(Kind::ReadOnly, 503, "read-only", "The database takes no writes",
        "Look at the device and the log, then restart the server. Reads go on."),
    row(Kind::Closed, 503, "closed", "The server is shutting down",
        "Send the request again when the server is back."),
    row(Kind::MemoryLimit, 507, "memory-limit", "The memory limit is reached",
        "Delete documents, or raise the memory limit."),
    row(Kind::StorageFull, 507, "storage-full", "The device is full",
        "Make room on the device. No restart is needed."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_row() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, place, "{row:?} stands elsewhere in the enumeration");
            assert!(row.status().is_client_error() || row.status().is_server_error(), "{row:?}");
            let found = Kind::find(row.slug).map(|found| found.kind);
            assert_eq!(found, Some(row.kind), "two rows have the slug {}", row.slug);
        }
    }
}
