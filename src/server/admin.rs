//! Operations, for admin keys.

use actix_web::{http::StatusCode, web::Data};
use serde::Serialize;

use super::{
    Service,
    auth::{Admin, Allowed},
    health::{Recovery, durability},
    problem::Problem,
    respond::{Answer, json_text},
    sessions::SessionCounts,
};
use crate::{
    commit::{CommitCounts, Logged},
    database::Status,
};

#[derive(Serialize)]
struct Checkpoint {
    version: u64,
}

#[derive(Serialize)]
struct Stats {
    version: u64,
    synced: u64,
    checkpoint: u64,
    durability: &'static str,
    uptime_s: u64,
    reason: Option<String>,
    documents: u64,
    bytes: u64,
    memory_limit: u64,
    recovery: Recovery,
    log: Log,
    commits: Commits,
    sessions: SessionCounts,
}

/// What went into the log since the start.
#[derive(Serialize)]
struct Log {
    bytes: u64,
    operations: u64,
}

/// How many commits went which way since the start.
#[derive(Serialize)]
struct Commits {
    committed: u64,
    conflicts: u64,
    retries: u64,
    locked_runs: u64,
}

/// `POST /admin/checkpoint`: writes a checkpoint and answers its version.
pub(super) async fn checkpoint(
    _: Allowed<Admin>,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let version = service.block(|database| database.checkpoint()).await?;
    Ok(Answer::json(StatusCode::OK, json_text(&Checkpoint { version: version.get() })))
}

/// `GET /admin/stats`: how the database is doing, in numbers.
pub(super) async fn stats(_: Allowed<Admin>, service: Data<Service>) -> Answer {
    let status = service.database.status();
    Answer::read(status.version, json_text(&Stats::of(status, service.sessions.counts())))
}

impl Stats {
    fn of(status: Status, sessions: SessionCounts) -> Stats {
        let Logged { bytes, operations, .. } = status.logged;
        let CommitCounts { committed, conflicts, retries, locked_runs } = status.commits;
        Stats {
            version: status.version.get(),
            synced: status.synced.get(),
            checkpoint: status.checkpoint.get(),
            durability: durability(status.durability),
            uptime_s: status.uptime.as_secs(),
            reason: status.reason,
            documents: status.documents,
            bytes: status.bytes,
            memory_limit: status.memory_limit,
            recovery: Recovery::from(&status.recovery),
            log: Log { bytes, operations },
            commits: Commits { committed, conflicts, retries, locked_runs },
            sessions,
        }
    }
}
