//! Documents, one by one and many at once.

use actix_web::web::to;

use crate::server::{
    documents,
    keys::Role,
    kinds::Kind,
    route::{
        Content, Link, Reply, Route, Scope, Section, delete, get, json, ndjson, patch, post, put,
    },
    routes::parts::{
        AT, ATOMIC, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, IF_NONE_MATCH_READ, NOT_MODIFIED,
        PREFER, document, done, inserted, written,
    },
};

pub(super) static SECTION: Section = Section {
    name: "Documents",
    description: "A document is a JSON object under an `_id`, which is a string. `_version` is the \
        version that last wrote it, and its `ETag`. State the version that you have seen, in \
        `If-Match` or as `_version` in the body, and a change takes effect only if nobody else \
        was faster.",
    routes: &ROUTES,
};

/// What `atomic=false` is answered with.
const EACH: Reply = Reply {
    status: 200,
    description: "With `atomic=false`: what came of each line.",
    headers: &[],
    contents: &[ndjson(&["{\"line\":1,\"_id\":\"dan\",\"_version\":18}\n"])],
};

static ROUTES: [Route; 5] = [
    Route {
        name: "insertDocuments",
        handler: || to(documents::insert),
        role: Some(Role::Write),
        summary: "Insert one document, or many",
        description: "Without `_id` one is made, which sorts by time. As `application/x-ndjson` a \
            document stands on each line, and all are inserted by one commit or none is. With \
            `atomic=false` there may be any number of lines; the answer (200) has a line for each, \
            in their order, sent while later ones are read: `_id` and `_version`, or the \
            `problem`.",
        parameters: &[ATOMIC, PREFER, IDEMPOTENCY_KEY],
        bodies: &[
            json("NewDocument", &[BOB]),
            ndjson(&["{\"_id\":\"dan\",\"name\":\"Dan\"}\n{\"name\":\"Eve\"}\n"]),
        ],
        replies: &[
            inserted(&[json(
                "Inserted",
                &[
                    r#"{"_id":"bob","_version":17}"#,
                    r#"{"version":18,"inserted":2,"ids":["dan","019c1f0e-7a2b-7c3d-8e4f-5a6b7c8d9e0f"]}"#,
                ],
            )]),
            EACH,
        ],
        kinds: &[
            Kind::AlreadyExists,
            Kind::InvalidDocument,
            Kind::LimitExceeded,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
            Kind::VersionMismatch,
        ],
        links: &[
            inserted_in("readDocument"),
            inserted_in("putDocument"),
            inserted_in("patchDocument"),
            inserted_in("deleteDocument"),
        ],
        scope: Scope::Both,
        ..post("/collections/{collection}/documents")
    },
    Route {
        name: "readDocument",
        handler: || to(documents::read),
        role: Some(Role::Read),
        summary: "Read a document",
        description: "Its text is as it was stored, with `_id` and `_version` in front.",
        parameters: &[IF_MATCH, IF_NONE_MATCH_READ, AT],
        replies: &[document(&[json("Document", &[ADA])]), NOT_MODIFIED],
        kinds: &[Kind::NotFound],
        scope: Scope::Both,
        ..get("/collections/{collection}/documents/{id}")
    },
    Route {
        name: "putDocument",
        handler: || to(documents::put),
        role: Some(Role::Write),
        summary: "Make or replace a document",
        description: "A write that changes nothing takes no version of its own.",
        parameters: &[IF_MATCH, IF_NONE_MATCH, PREFER],
        bodies: &[json("NewDocument", &[r#"{"name":"Ada","age":36,"address":{"city":"London"}}"#])],
        replies: &[written(200, "It was replaced."), written(201, "It was made.")],
        kinds: &[
            Kind::InvalidDocument,
            Kind::LimitExceeded,
            Kind::PreconditionRequired,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
            Kind::VersionMismatch,
        ],
        links: &[same("readDocument"), same("patchDocument"), same("deleteDocument")],
        scope: Scope::Both,
        ..put("/collections/{collection}/documents/{id}")
    },
    Route {
        name: "patchDocument",
        handler: || to(documents::patch),
        role: Some(Role::Write),
        summary: "Change a document",
        description: "By the media type of the body: update operators, a merge patch (RFC 7396) \
            or a JSON Patch (RFC 6902). Members that are not named keep their place and their \
            spelling. Operators such as `$inc` read nothing, so that concurrent counters do not \
            conflict.",
        parameters: &[IF_MATCH, IF_NONE_MATCH, PREFER],
        bodies: &[
            json("Update", &[r#"{"$set":{"address.city":"Paris"},"$inc":{"age":1}}"#]),
            Content {
                media_type: "application/merge-patch+json",
                schema: "MergePatch",
                examples: &[r#"{"age":37,"nickname":null}"#],
            },
            Content {
                media_type: "application/json-patch+json",
                schema: "JsonPatch",
                examples: &[
                    r#"[{"op":"test","path":"/name","value":"Ada"},{"op":"add","path":"/age","value":38}]"#,
                ],
            },
        ],
        replies: &[written(200, "It was changed.")],
        kinds: &[
            Kind::InvalidDocument,
            Kind::InvalidFilter,
            Kind::InvalidUpdate,
            Kind::LimitExceeded,
            Kind::NotFound,
            Kind::PreconditionRequired,
            Kind::TestFailed,
            Kind::UnindexableDocument,
            Kind::UniqueViolation,
            Kind::VersionMismatch,
        ],
        scope: Scope::Both,
        ..patch("/collections/{collection}/documents/{id}")
    },
    Route {
        name: "deleteDocument",
        handler: || to(documents::remove),
        role: Some(Role::Write),
        summary: "Delete a document",
        description: "One that is not there is 404.",
        parameters: &[IF_MATCH, IF_NONE_MATCH],
        replies: &[done("It is deleted.")],
        kinds: &[Kind::NotFound, Kind::PreconditionRequired],
        scope: Scope::Both,
        ..delete("/collections/{collection}/documents/{id}")
    },
];

/// A route of the document that was inserted; of many there is none.
const fn inserted_in(to: &'static str) -> Link {
    let parameters = &[("collection", "$request.path.collection"), ("id", "$response.body#/_id")];
    Link { to, parameters }
}

/// A route of the same document.
const fn same(to: &'static str) -> Link {
    let parameters = &[("collection", "$request.path.collection"), ("id", "$request.path.id")];
    Link { to, parameters }
}

const BOB: &str = r#"{"_id":"bob","name":"Bob","age":17,"address":{"city":"Oslo"}}"#;

const ADA: &str =
    r#"{"_id":"ada","_version":17,"name":"Ada","age":36,"address":{"city":"London"}}"#;
