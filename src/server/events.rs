//! Changes as text, in the three forms of the feed.
//!
//! ```text
//! text/event-stream      id: 17 LF event: commit LF data: {"version":17,"time":"…","ops":[…]} LF LF
//! application/x-ndjson   {"version":17,"time":"…","ops":[…]} LF
//! application/json       {"changes":[{"version":17,"time":"…","ops":[…]}],"version":17}
//! ```
//!
//! An operation is written as in the log, so that one reader does for both. With old contents it has
//! a member more: `"old":{…}` or `"old":null` when the document was not there, and `"old_unknown"` with
//! the reason in its place when that is not known.
//!
//! The last event of a stream that the server ends is `resync` when the client has missed something
//! and should read anew, or come back at once, and `end` in all other cases.

use serde::Serialize;

use super::{
    kinds::Kind,
    problem::Problem,
    respond::{JSON, NDJSON, json_text},
};
use crate::{
    feed::{Action, Change, Old, Operation},
    version::Version,
};

pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// Milliseconds after which a browser comes back.
const RETRY_MS: u64 = 2000;

/// The form of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedForm {
    /// Events as browsers know them.
    Events,
    /// One change a line.
    Lines,
    /// One answer with what is there, waited for when there is nothing.
    Poll,
}

/// Why a stream ends.
#[derive(Debug, Serialize)]
pub(super) struct Ending {
    /// The slug of a problem, or `too-slow`.
    reason: &'static str,
    detail: String,
    /// The position: what to come back with.
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<u64>,
    #[serde(skip)]
    event: &'static str,
}

impl FeedForm {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            FeedForm::Events => EVENT_STREAM,
            FeedForm::Lines => NDJSON,
            FeedForm::Poll => JSON,
        }
    }

    /// What a stream begins with. The id is where a browser comes back that was cut off before the
    /// first commit.
    pub(super) fn greeting(self, position: Version) -> String {
        match self {
            FeedForm::Events => format!("retry: {RETRY_MS}\nid: {position}\n\n"),
            FeedForm::Lines | FeedForm::Poll => String::new(),
        }
    }

    /// A sign of life. To browsers it also tells the position, which commits that were not asked for
    /// have moved.
    pub(super) fn heartbeat(self, position: Version) -> String {
        match self {
            FeedForm::Events => format!(": heartbeat\nid: {position}\n\n"),
            FeedForm::Lines | FeedForm::Poll => "\n".to_owned(),
        }
    }

    /// Some changes, as they follow each other.
    pub(super) fn changes(self, changes: &[Change]) -> String {
        let mut out = String::new();
        for change in changes {
            match self {
                FeedForm::Events => {
                    out.push_str(&format!("id: {}\nevent: commit\ndata: ", change.version));
                    write_change(change, &mut out);
                    out.push_str("\n\n");
                }
                FeedForm::Lines | FeedForm::Poll => {
                    write_change(change, &mut out);
                    out.push('\n');
                }
            }
        }
        out
    }

    /// The last event of a stream.
    pub(super) fn ending(self, ending: &Ending) -> String {
        let Ending { event, .. } = ending;
        let data = json_text(ending);
        match self {
            FeedForm::Events => format!("event: {event}\ndata: {data}\n\n"),
            FeedForm::Lines | FeedForm::Poll => {
                format!("{{\"event\":\"{event}\",\"data\":{data}}}\n")
            }
        }
    }
}

impl Ending {
    /// A stream at this position ends by a problem.
    pub(super) fn of(problem: &Problem, position: Version) -> Ending {
        let event = if problem.kind() == Kind::ChangesGone { "resync" } else { "end" };
        Ending {
            reason: problem.kind().row().slug,
            detail: problem.detail().to_owned(),
            version: position.get(),
            oldest: problem.oldest(),
            event,
        }
    }

    /// The client took nothing for too long.
    pub(super) fn too_slow(position: Version) -> Ending {
        Ending {
            reason: "too-slow",
            detail: "nothing was taken of what was sent for too long".to_owned(),
            version: position.get(),
            oldest: None,
            event: "resync",
        }
    }
}

/// The answer to a long poll.
pub(super) fn poll_answer(changes: &[Change], position: Version) -> String {
    let mut out = r#"{"changes":["#.to_owned();
    for (place, change) in changes.iter().enumerate() {
        out.push_str(if place > 0 { "," } else { "" });
        write_change(change, &mut out);
    }
    out.push_str(&format!(r#"],"version":{position}}}"#));
    out
}

fn write_change(change: &Change, out: &mut String) {
    let time = humantime::format_rfc3339_micros(change.time);
    out.push_str(&format!(r#"{{"version":{},"time":"{time}","ops":["#, change.version));
    for (place, operation) in change.operations.iter().enumerate() {
        out.push_str(if place > 0 { "," } else { "" });
        write_operation(operation, change.version, out);
    }
    out.push_str("]}");
}

/// Names of collections and indexes need no escapes.
fn write_operation(operation: &Operation, version: Version, out: &mut String) {
    let Operation { collection, action } = operation;
    let name = match action {
        Action::Put { .. } => "put",
        Action::Delete { .. } => "delete",
        Action::CreateCollection(_) => "create_collection",
        Action::DropCollection => "drop_collection",
        Action::CreateIndex(..) => "create_index",
        Action::DropIndex(_) => "drop_index",
    };
    out.push_str(&format!(r#"{{"op":"{name}","collection":"{collection}""#));
    match action {
        Action::Put { id, document, old } => {
            let id = json_text(&id.as_str());
            out.push_str(&format!(r#","id":{id},"doc":{}"#, document.json()));
            write_old(old, version, out);
        }
        Action::Delete { id, old } => {
            out.push_str(&format!(r#","id":{}"#, json_text(&id.as_str())));
            write_old(old, version, out);
        }
        Action::CreateCollection(options) => {
            out.push_str(&format!(r#","options":{}"#, json_text(options)));
        }
        Action::CreateIndex(index, definition) => {
            out.push_str(&format!(r#","index":"{index}","definition":{}"#, definition.to_json()));
        }
        Action::DropIndex(index) => out.push_str(&format!(r#","index":"{index}""#)),
        Action::DropCollection => {}
    }
    out.push('}');
}

fn write_old(old: &Old, version: Version, out: &mut String) {
    match old {
        Old::NotAsked => {}
        Old::Absent => out.push_str(r#","old":null"#),
        Old::Document(document) => out.push_str(&format!(r#","old":{}"#, document.json())),
        Old::Unknown => {
            let reason = format!("the state before version {version} is not kept");
            out.push_str(&format!(r#","old_unknown":{}"#, json_text(&reason)));
        }
    }
}
