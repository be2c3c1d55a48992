//! The change feed.

use actix_web::web::to;

use crate::server::{
    changes,
    keys::Role,
    kinds::Kind,
    route::{Content, Parameter, Place, Route, Scope, Section, get, json, ndjson},
    routes::parts::{query, read},
};

pub(super) static SECTION: Section = Section {
    name: "Changes",
    description: "Every commit, once and in order, as it is published.",
    routes: &ROUTES,
};

static ROUTES: [Route; 1] = [Route {
    name: "followChanges",
    handler: || to(changes::changes),
    role: Some(Role::Read),
    summary: "Follow the changes",
    description: "The commits after a version, and then each commit when it is published; what of \
        them is asked for, and what the key is for. As `text/event-stream` and \
        `application/x-ndjson` the answer goes on; it has empty lines or comments as signs of life. \
        As `application/json` it comes when there is something, or after 25 s without; `version` is \
        the `since` to go on with. A filter lets pass what matches after the commit, or, where old \
        contents are asked for and known, before it; and what has no content. A stream that the \
        server ends has a last event: `resync` when the client has missed something or is too slow, \
        else `end`.",
    parameters: &[SINCE, COLLECTIONS, FILTER, OLD, LAST_EVENT_ID],
    replies: &[read(&[json("Changes", &[CHANGES]), LINES, EVENTS])],
    kinds: &[Kind::ChangesGone, Kind::Closed, Kind::Forbidden, Kind::TooManyStreams],
    ..get("/changes")
}];

const SINCE: Parameter = query(
    "since",
    r##"{"$ref":"#/components/schemas/Version"}"##,
    "0",
    "The version after which to begin; from now on without it. 410 with the `oldest` that can be \
     asked for when what follows is not kept any more.",
);

const COLLECTIONS: Parameter = Parameter {
    kinds: &[Kind::InvalidName],
    ..query(
        "collections",
        r#"{"type":"string"}"#,
        r#""people,log""#,
        "Names of collections, separated by commas; all that the key is for without it.",
    )
};

const FILTER: Parameter = Parameter {
    place: Place::QueryJson,
    kinds: &[Kind::InvalidFilter, Kind::InvalidJson, Kind::PayloadTooLarge, Kind::LimitExceeded],
    ..query(
        "filter",
        r##"{"$ref":"#/components/schemas/Filter"}"##,
        r#"{"age":{"$gte":18}}"#,
        "What documents have to match, as JSON.",
    )
};

const OLD: Parameter = query(
    "old",
    r#"{"type":"boolean","default":false}"#,
    "false",
    "Tell with each document what it was before the commit: `old`, or `old_unknown` with the reason.",
);

const LAST_EVENT_ID: Parameter = Parameter {
    place: Place::Header,
    scope: Scope::Database,
    ..query(
        "Last-Event-ID",
        r##"{"$ref":"#/components/schemas/Version"}"##,
        "",
        "The last version that was seen, which goes before `since`; browsers send it by themselves.",
    )
};

const CHANGES: &str = r#"{"changes":[{"version":17,"time":"2026-01-01T00:00:00.000000Z","ops":[{"op":"put","collection":"people","id":"ada","doc":{"_id":"ada","name":"Ada"}}]}],"version":17}"#;

const LINES: Content = ndjson(&[
    "{\"version\":17,\"time\":\"2026-01-01T00:00:00.000000Z\",\"ops\":[{\"op\":\"delete\",\"collection\":\"people\",\"id\":\"ada\"}]}\n",
]);

const EVENTS: Content =
    Content { media_type: "text/event-stream", schema: "EventStream", examples: &[] };
