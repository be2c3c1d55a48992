//! Batches, and transactions that stay open between requests.

use actix_web::web::to;

use crate::server::{
    batch,
    keys::Role,
    kinds::Kind,
    route::{BodyIs, Effect, Link, Route, Section, delete, json, post},
    routes::parts::{IDEMPOTENCY_KEY, PREFER, begun, committed, done},
    transactions,
};

pub(super) static SECTION: Section = Section {
    name: "Transactions",
    description: "Several changes as one: as a batch, or in a transaction that stays open between \
        requests, to look first and decide then. Both are serializable. A transaction that another \
        commit has overtaken is refused with `tx-conflict`, which names what was overtaken; run it \
        again.",
    routes: &ROUTES,
};

static ROUTES: [Route; 4] = [
    Route {
        name: "batch",
        handler: || to(batch::batch),
        role: Some(Role::Write),
        summary: "Run a batch",
        description: "Ordered operations, one commit: all take effect at one version or none \
            does. `if_version` is the version that a document must have before, 0 for absent. A \
            refusal names the operation. With `dry_run` everything is done but the commit.",
        parameters: &[IDEMPOTENCY_KEY],
        bodies: &[json("Batch", &[BATCH, DRY_RUN])],
        replies: &[committed(
            "All took effect, or with `dry_run` would have.",
            &[json("BatchResult", &[r#"{"version":17,"results":[{"id":"cy"},{"id":"ada"}]}"#])],
        )],
        kinds: &[
            Kind::AlreadyExists,
            Kind::CollectionNotFound,
            Kind::InvalidBody,
            Kind::InvalidDocument,
            Kind::InvalidFilter,
            Kind::InvalidName,
            Kind::InvalidUpdate,
            Kind::LimitExceeded,
            Kind::NotFound,
            Kind::PreconditionRequired,
            Kind::TestFailed,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
            Kind::VersionMismatch,
        ],
        ..post("/transactions/batch")
    },
    Route {
        name: "beginTransaction",
        handler: || to(transactions::begin),
        role: Some(Role::Read),
        summary: "Begin a transaction",
        description: "It reads the latest committed version, `version`. Its routes are those of \
            documents below `/transactions/{token}`. It ends by its commit, by being rolled back, \
            when nothing is asked of it for 30 seconds, or after 5 minutes in all.",
        bodies: &[json(
            "Begin",
            &[r#"{"isolation":"serializable"}"#, r#"{"isolation":"snapshot"}"#],
        )],
        body: BodyIs::Optional,
        replies: &[begun(&[json("Begun", &[BEGUN])])],
        kinds: &[Kind::InvalidBody, Kind::TooManySessions],
        links: &[
            in_it("findDocumentsInTransaction"),
            in_it("insertDocumentsInTransaction"),
            in_it("queryInTransaction"),
            in_it("readDocumentInTransaction"),
            in_it("putDocumentInTransaction"),
            in_it("patchDocumentInTransaction"),
            in_it("deleteDocumentInTransaction"),
            in_it("commitTransaction"),
            in_it("rollBackTransaction"),
        ],
        effect: Effect::Reads,
        ..post("/transactions")
    },
    Route {
        name: "commitTransaction",
        handler: || to(transactions::commit),
        role: Some(Role::Read),
        summary: "Commit a transaction",
        description: "All of its writes take effect at one version, or none does. It has ended \
            then, whatever the answer. Where another commit has overtaken it, `conflicts` names \
            what; with `Prefer: return=representation` also each document as it was read (`base`), \
            as it is now (`theirs`), and as the transaction wanted it (`mine`).",
        parameters: &[IDEMPOTENCY_KEY, PREFER],
        replies: &[committed(
            "It is committed at this version.",
            &[json("AtVersion", &[r#"{"version":17}"#])],
        )],
        kinds: &[
            Kind::AlreadyExists,
            Kind::CollectionNotFound,
            Kind::InvalidDocument,
            Kind::InvalidUpdate,
            Kind::LimitExceeded,
            Kind::NotFound,
            Kind::PayloadTooLarge,
            Kind::PreconditionRequired,
            Kind::TransactionBusy,
            Kind::TransactionEnded,
            Kind::TransactionNotFound,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
            Kind::VersionMismatch,
        ],
        ..post("/transactions/{token}/commit")
    },
    Route {
        name: "rollBackTransaction",
        handler: || to(transactions::roll_back),
        role: Some(Role::Read),
        summary: "Roll a transaction back",
        description: "It leaves no trace.",
        replies: &[done("It has ended.")],
        kinds: &[Kind::TransactionBusy, Kind::TransactionEnded, Kind::TransactionNotFound],
        effect: Effect::Reads,
        ..delete("/transactions/{token}")
    },
];

/// A route of the transaction that was begun.
const fn in_it(to: &'static str) -> Link {
    Link { to, parameters: &[("token", "$response.body#/token")] }
}

const BATCH: &str = r#"{"operations":[{"op":"insert","collection":"people","id":"cy","document":{"name":"Cy","age":41}},{"op":"update","collection":"people","id":"ada","update":{"$inc":{"age":1}}}]}"#;

const DRY_RUN: &str = r#"{"operations":[{"op":"put","collection":"people","id":"cy","document":{"name":"Cy"}},{"op":"merge","collection":"people","id":"ada","merge":{"age":37}},{"op":"patch","collection":"people","id":"ada","patch":[{"op":"replace","path":"/age","value":38}]},{"op":"delete","collection":"people","id":"ada"}],"dry_run":true}"#;

const BEGUN: &str = r#"{"token":"6b0f8d2c4e9a47b1a3d5c7e9f1b3d5a7","version":17,"expires_at":"2026-01-31T09:30:00.000Z"}"#;
