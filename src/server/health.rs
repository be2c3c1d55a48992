//! Whether the server lives and takes requests. No key is needed, so nothing is told that names
//! files or contents.

use actix_web::{http::StatusCode, web::Data};
use serde::Serialize;

use super::{
    Service,
    respond::{Answer, json_text},
};
use crate::{
    commit::Durability,
    database::{Health, RecoveryReport, Status},
};

#[derive(Serialize)]
struct Body {
    status: &'static str,
    version: u64,
    durability: &'static str,
    uptime_s: u64,
    reason: Option<&'static str>,
    recovery: Recovery,
}

/// What opening the database found.
#[derive(Serialize)]
pub(super) struct Recovery {
    checkpoint: u64,
    replayed: u64,
    in_doubt: u64,
    cut_bytes: u64,
}

impl From<&RecoveryReport> for Recovery {
    fn from(report: &RecoveryReport) -> Recovery {
        Recovery {
            checkpoint: report.checkpoint.get(),
            replayed: report.replayed,
            in_doubt: report.in_doubt,
            cut_bytes: report.cut.as_ref().map_or(0, |cut| cut.bytes),
        }
    }
}

/// `GET /health`: how the server is doing; 200 as long as it can say so.
pub(super) async fn health(service: Data<Service>) -> Answer {
    let (_, body) = look(&service);
    Answer::json(StatusCode::OK, json_text(&body))
}

/// `GET /health/live`: 200 while the process serves; a restart would not help.
pub(super) async fn live(service: Data<Service>) -> Answer {
    health(service).await
}

/// `GET /health/ready`: 200 when reads and writes are taken, else 503.
pub(super) async fn ready(service: Data<Service>) -> Answer {
    let (ready, body) = look(&service);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::json(status, json_text(&body))
}

/// The durability by its name.
pub(super) fn durability(durability: Durability) -> &'static str {
    match durability {
        Durability::Always => "always",
        Durability::Interval(_) => "interval",
        Durability::None => "none",
    }
}

fn look(service: &Service) -> (bool, Body) {
    let status = service.database.status();
    let (name, reason) = match (*service.stopping.borrow(), status.health) {
        (true, _) => ("stopping", Some("the server is shutting down")),
        (false, Health::Ready) => ("ready", None),
        (false, Health::ReadOnly) => ("read-only", Some(read_only_reason(&status))),
        (false, Health::Closed) => ("closed", Some("the database is closed")),
    };
    let body = Body {
        status: name,
        version: status.version.get(),
        durability: durability(status.durability),
        uptime_s: status.uptime.as_secs(),
        reason,
        recovery: Recovery::from(&status.recovery),
    };
    (name == "ready", body)
}

/// The engine's own words name files; those are for `/admin/stats` and the log.
fn read_only_reason(status: &Status) -> &'static str {
    match &status.reason {
        Some(reason) if reason.contains("opened for reading") => "it was opened for reading",
        Some(_) | None => {
            "the storage failed; reads go on from the last published version until a restart"
        }
    }
}
