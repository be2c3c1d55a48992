//! One user's connection to the server, kept open from request to request.
//!
//! Invariant: a write that may have reached the server and was not answered for certain is told as
//! one that may have taken effect. What the server refuses by a status that says so is told as one
//! that did not.

use std::{
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode, blocking, header::RETRY_AFTER};
use serde_json::Value;

use super::{
    super::{Failure, remote},
    tally::Tally,
};
use crate::names::CollectionName;

/// How often one request is held back before it counts as failed.
const HELD_BACK_MAX: u32 = 10;

/// Refusals by a status above 499 that say that nothing was done.
const WITHOUT_EFFECT: [&str; 4] = ["read-only", "closed", "storage-full", "memory-limit"];

/// Where the server is, and what is told to it with every request.
pub(super) struct Peer<'a> {
    pub(super) url: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) collection: &'a CollectionName,
    pub(super) timeout: Duration,
}

/// The connection of one user.
pub(super) struct Connection<'a> {
    http: blocking::Client,
    peer: &'a Peer<'a>,
    tally: &'a Tally,
    /// When nobody waits any more for a server that asks to wait.
    end: Option<Instant>,
}

/// A request.
pub(super) struct Request {
    method: Method,
    path: String,
    version: Option<u64>,
    body: Option<(&'static str, String)>,
}

/// An answer, whatever its status.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Why something did not succeed.
#[derive(Debug)]
pub(super) struct Miss {
    /// The slug of the problem that the server answered with, or what happened on the way.
    pub(super) reason: String,
    /// No answer came in time.
    pub(super) is_timeout: bool,
    /// It may have taken effect, or may still.
    pub(super) may_have_effect: bool,
}

impl Request {
    pub(super) fn new(method: Method, path: String) -> Request {
        Request { method, path, version: None, body: None }
    }

    pub(super) fn get(path: String) -> Request {
        Request::new(Method::GET, path)
    }

    /// Only while the document has this version.
    pub(super) fn if_version(self, version: u64) -> Request {
        Request { version: Some(version), ..self }
    }

    pub(super) fn json(self, body: &Value) -> Request {
        self.typed("application/json", body)
    }

    pub(super) fn typed(self, media_type: &'static str, body: &Value) -> Request {
        Request { body: Some((media_type, body.to_string())), ..self }
    }
}

impl<'a> Connection<'a> {
    /// A connection, which is opened with the first request.
    ///
    /// # Errors
    ///
    /// When the system has no room for it.
    pub(super) fn new(peer: &'a Peer<'a>, tally: &'a Tally) -> Result<Connection<'a>, Failure> {
        let http = remote::http(peer.url, peer.timeout)?;
        Ok(Connection { http, peer, tally, end: None })
    }

    /// Says when the run ends.
    pub(super) fn end_at(&mut self, end: Instant) {
        self.end = Some(end);
    }

    /// The path of a document.
    pub(super) fn document(&self, id: &str) -> String {
        format!("/collections/{}/documents/{id}", self.peer.collection)
    }

    /// The path of something of the collection.
    pub(super) fn in_collection(&self, what: &str) -> String {
        format!("/collections/{}/{what}", self.peer.collection)
    }

    /// The collection's name.
    pub(super) fn collection(&self) -> &'a str {
        self.peer.collection.as_str()
    }

    /// Sends a request, and again when the server asks to wait: it was not looked at then.
    pub(super) fn send(&self, request: &Request) -> Result<Reply, Miss> {
        for _ in 0..HELD_BACK_MAX {
            let (reply, wait) = self.exchange(request)?;
            match wait {
                Some(wait) if self.end.is_none_or(|end| Instant::now() + wait < end) => {
                    self.tally.note_held_back();
                    self.tally.note_retry();
                    thread::sleep(wait);
                }
                _ => return Ok(reply),
            }
        }
        Ok(self.exchange(request)?.0)
    }

    fn exchange(&self, request: &Request) -> Result<(Reply, Option<Duration>), Miss> {
        let url = format!("{}{}", self.peer.url, request.path);
        let mut sent = self.http.request(request.method.clone(), url);
        if let Some(key) = self.peer.key {
            sent = sent.header("X-API-Key", key);
        }
        if let Some(version) = request.version {
            sent = sent.header("If-Match", format!("\"{version}\""));
        }
        if let Some((media_type, body)) = &request.body {
            sent = sent.header("Content-Type", *media_type).body(body.clone());
        }
        let _flight = self.tally.depart();
        let answer = sent.send().map_err(|error| Miss::on_the_way(&error))?;
        let status = answer.status();
        let wait =
            answer.headers().get(RETRY_AFTER).and_then(|text| text.to_str().ok()?.parse().ok());
        let wait = wait.filter(|_| status == StatusCode::TOO_MANY_REQUESTS);
        let body = answer.text().map_err(|error| Miss::on_the_way(&error))?;
        Ok((Reply { status: status.as_u16(), body }, wait.map(Duration::from_secs)))
    }
}

impl Reply {
    /// The version that a write was acknowledged with.
    pub(super) fn written(&self) -> Result<u64, Miss> {
        let body: Value = match self.status {
            200 | 201 => serde_json::from_str(&self.body).unwrap_or_default(),
            _ => return Err(self.miss()),
        };
        let version = body.get("_version").or(body.get("version")).and_then(Value::as_u64);
        version.ok_or_else(|| Miss::lost("not-understood"))
    }

    /// True where a precondition or another transaction was in the way.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self.status, 409 | 412)
    }

    /// Why it is not what was wanted.
    pub(super) fn miss(&self) -> Miss {
        let slug = remote::slug(&self.body);
        let reason = if slug.is_empty() { format!("status-{}", self.status) } else { slug };
        let may_have_effect = match self.status {
            400..500 => false,
            _ => !WITHOUT_EFFECT.contains(&reason.as_str()),
        };
        Miss { reason, is_timeout: false, may_have_effect }
    }
}

impl Miss {
    /// Nothing was done, for this reason.
    pub(super) fn refused(reason: &str) -> Miss {
        Miss { reason: reason.to_owned(), is_timeout: false, may_have_effect: false }
    }

    /// An answer that does not tell whether something was done.
    pub(super) fn lost(reason: &str) -> Miss {
        Miss { reason: reason.to_owned(), is_timeout: false, may_have_effect: true }
    }

    /// The same, of a request that could not have had an effect.
    pub(super) fn without_effect(self) -> Miss {
        Miss { may_have_effect: false, ..self }
    }

    fn on_the_way(error: &reqwest::Error) -> Miss {
        let is_timeout = error.is_timeout();
        let reason = match (error.is_connect(), is_timeout) {
            (true, _) => "no-connection",
            (false, true) => "timeout",
            (false, false) => "connection-lost",
        };
        let may_have_effect = !error.is_connect();
        Miss { reason: reason.to_owned(), is_timeout, may_have_effect }
    }
}
