//! Interactive transactions: begin, commit, roll back. What is done in between stands below
//! their own path, with the routes of collections.
//!
//! Invariant: a commit ends its session whatever comes of it; what is told of the commit is what
//! the engine said of it.

use std::time::SystemTime;

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::{Data, ReqData},
};
use serde::Serialize;

use super::{
    Service,
    auth::{Allowed, Caller, Read},
    body::{Body, Object},
    extract::{MediaType, wants_representation},
    ground::hold,
    idempotency::Once,
    problem::Problem,
    respond::{Answer, json_text},
    sessions::Held,
    sides::Sides,
};
use crate::{database::Database, sync::Clock, transaction::Isolation, version::Version};

#[derive(Serialize)]
struct Begun<'a> {
    token: &'a str,
    version: u64,
    /// When it ends unless more is asked of it.
    expires_at: String,
}

#[derive(Serialize)]
struct Committed {
    version: u64,
}

/// `POST /transactions`: begins one that reads the latest committed state.
pub(super) async fn begin(
    _: Allowed<Read>,
    caller: ReqData<Caller>,
    request: HttpRequest,
    service: Data<Service>,
    body: Body,
) -> Result<Answer, Problem> {
    Once::refuse(&request)?;
    let isolation = match body.bytes().is_empty() {
        true => Isolation::default(),
        false => {
            MediaType::require_json(&request)?;
            read_isolation(body.text()?)?
        }
    };
    let transaction = service.database.begin_with(isolation);
    let version = transaction.version();
    let begun = service.sessions.begin(caller.identity(), transaction);
    let token = begun.map_err(|problem| {
        problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    })?;
    let expires: SystemTime = Clock::now() + service.sessions.patience();
    let expires_at = humantime::format_rfc3339_millis(expires).to_string();
    let text = json_text(&Begun { token: &token, version: version.get(), expires_at });
    let answer = Answer::json(StatusCode::CREATED, text).read_at(version);
    Ok(answer.with(header::LOCATION, format!("/transactions/{token}")))
}

/// `POST /transactions/{token}/commit`
pub(super) async fn commit(
    Allowed { caller, .. }: Allowed<Read>,
    request: HttpRequest,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let once = Once::of(&request, caller.identity(), b"", &service.under_way)?;
    // A session that was committed has ended, so the result is looked for before it.
    let earlier = once.as_ref().map(|once| once.earlier(&service.database.begin())).transpose()?;
    if let Some((_, version)) = earlier.flatten() {
        return Ok(committed(version).marked(true));
    }
    let held = hold(&request, &service)?;
    let representation = wants_representation(&request);
    let commit = move |database: &Database| {
        // One that wrote nothing stays a reader, which never conflicts.
        if let Some(once) = once.filter(|_| held.transaction().has_writes()) {
            once.prepare(database)?;
            once.record(held.transaction(), &[])?;
        }
        let sides = representation.then(|| Sides::of(held.transaction()));
        held.commit(database).map_err(|error| match sides {
            Some(sides) => sides.tell(error, database),
            None => Problem::from(error),
        })
    };
    Ok(committed(service.block(commit).await?))
}

fn committed(version: Version) -> Answer {
    Answer::json(StatusCode::OK, json_text(&Committed { version: version.get() }))
}

/// `DELETE /transactions/{token}`: rolls back and answers 204.
pub(super) async fn roll_back(_: Allowed<Read>, held: Held) -> Answer {
    held.roll_back();
    Answer::empty(StatusCode::NO_CONTENT)
}

fn read_isolation(text: &str) -> Result<Isolation, Problem> {
    let mut body = Object::parse(text, "")?;
    let isolation = match body.string("isolation")?.as_deref() {
        None | Some("serializable") => Isolation::Serializable,
        Some("snapshot") => Isolation::Snapshot,
        Some(_) => return Err(body.invalid("isolation", "serializable or snapshot is expected")),
    };
    body.finish()?;
    Ok(isolation)
}
