//! Operations, for admin keys.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use serde::Serialize;

use super::{
    Service,
    auth::{Admin, Allowed},
    extract::Parameters,
    health::{Recovery, durability},
    problem::Problem,
    respond::{Answer, json_text},
    sessions::SessionCounts,
    stream::streamed_by_thread,
};
use crate::{
    commit::{CommitCounts, ConflictCounts, Logged},
    database::{Retained, Status},
    histogram::Distribution,
    version::Version,
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
    conflicts: Vec<Conflicts>,
    checkpoints: Checkpoints,
    retained: Kept,
    sessions: SessionCounts,
}

/// What went into the log since the start.
#[derive(Serialize)]
struct Log {
    bytes: u64,
    operations: u64,
    /// Each of one or more commits.
    writes: u64,
    syncs: Times,
}

/// How many commits went which way since the start.
#[derive(Serialize)]
struct Commits {
    committed: u64,
    conflicts: u64,
    retries: u64,
    locked_runs: u64,
}

/// Refused commits by what they had read of a collection; without a name, of all beyond a bound.
#[derive(Serialize)]
struct Conflicts {
    collection: Option<String>,
    documents: u64,
    predicates: u64,
    collections: u64,
}

/// Checkpoints since the start.
#[derive(Serialize)]
struct Checkpoints {
    written: Times,
    failed: u64,
}

/// Versions kept to be read.
#[derive(Serialize)]
struct Kept {
    versions: u64,
    bytes: u64,
    oldest_s: u64,
}

/// How often something took how long. Of the last two it is known only that they are not above.
#[derive(Serialize)]
struct Times {
    count: u64,
    mean_us: u64,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
}

/// `POST /admin/checkpoint`: writes a checkpoint and answers its version.
pub(super) async fn checkpoint(
    _: Allowed<Admin>,
    service: Data<Service>,
) -> Result<Answer, Problem> {
    let version = service.block(|database| database.checkpoint()).await?;
    Ok(Answer::json(StatusCode::OK, json_text(&Checkpoint { version: version.get() })))
}

/// `GET /admin/backup`: the files of a checkpoint as an archive.
pub(super) async fn backup(
    _: Allowed<Admin>,
    service: Data<Service>,
    mut parameters: Parameters,
) -> Result<HttpResponse, Problem> {
    let since = Version::new(parameters.integer("since")?.unwrap_or(0));
    parameters.finish()?;
    let backup = service.block(|database| database.backup()).await?;
    Ok(streamed_by_thread("application/x-tar", move |out| backup.write_tar(since, out)))
}

/// `GET /admin/stats`: how the database is doing, in numbers.
pub(super) async fn stats(_: Allowed<Admin>, service: Data<Service>) -> Answer {
    let status = service.database.status();
    Answer::read(status.version, json_text(&Stats::of(status, service.sessions.counts())))
}

impl Stats {
    fn of(status: Status, sessions: SessionCounts) -> Stats {
        let Logged { bytes, operations } = status.logged;
        let CommitCounts { committed, conflicts, retries, locked_runs } = status.commits;
        let Retained { versions, bytes: kept, oldest } = status.retained;
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
            log: Log {
                bytes,
                operations,
                writes: status.writes.count(),
                syncs: Times::of(&status.syncs),
            },
            commits: Commits { committed, conflicts, retries, locked_runs },
            conflicts: status.conflicts.into_iter().map(Conflicts::from).collect(),
            checkpoints: Checkpoints {
                written: Times::of(&status.checkpoints),
                failed: status.checkpoints_failed,
            },
            retained: Kept { versions, bytes: kept, oldest_s: oldest.as_secs() },
            sessions,
        }
    }
}

impl Times {
    fn of(times: &Distribution) -> Times {
        Times {
            count: times.count(),
            mean_us: times.mean(),
            p50_us: times.quantile(0.5),
            p99_us: times.quantile(0.99),
        }
    }
}

impl From<ConflictCounts> for Conflicts {
    fn from(counts: ConflictCounts) -> Conflicts {
        let ConflictCounts { collection, documents, predicates, collections } = counts;
        let collection = collection.map(|name| name.to_string());
        Conflicts { collection, documents, predicates, collections }
    }
}
