//! Requests that take effect once, however often they are sent (`Idempotency-Key`).
//!
//! A request with a key writes what came of it into the reserved collection `_requests`, by the
//! transaction that does its work. So both stand in one record of the log, and neither can be
//! there without the other, whatever crashes. A repetition finds the result in its own
//! transaction, does nothing, and is answered as the first one was; the version is that of the
//! stored result, which is the commit's.
//!
//! ```text
//! _requests  {"_id":"<SHA-256 of owner and key>","fingerprint":"<SHA-256 of the request>",
//!             "created":"RFC 3339","ids":["u1"]}
//! ```
//!
//! What is kept are the ids, which with the version are the whole of every such answer. A document
//! that was asked for in the answer is not kept: a repetition has it if it has not changed since.
//!
//! A key belongs to the API key that sent it: another caller's same word is another key. Results
//! are kept for a day. An index with that time to live lets them go; until it has, what is older
//! counts as not there. Only what succeeded is kept: whatever was refused may be sent again.
//!
//! Invariant: of all requests with one key, one at most takes effect in a day. Two at once meet
//! in memory: the second is refused while the first runs ([`UnderWay`]).

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    auth::Identity,
    extract::header_text,
    ground::Base,
    keys::hex,
    kinds::Kind,
    problem::Problem,
    respond::{Answer, json_text},
};
use crate::{
    database::Database,
    document::Draft,
    error::{Error, Result},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    names::{CollectionName, DocumentId, IndexName},
    snapshot::IndexDefinition,
    sync::{Arc, Clock, Mutex, lock},
    transaction::Transaction,
    version::Version,
};

/// The reserved collection that results are kept in.
const REQUESTS: &str = "_requests";

/// How long a result is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The requests that run at this moment, by the ids of their results.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<HashSet<DocumentId>>);

/// A request that is to take effect once. While it lives no other one of its key begins.
pub(super) struct Once {
    id: DocumentId,
    fingerprint: String,
    under_way: Arc<UnderWay>,
}

/// What came of a request.
pub(super) struct Effect {
    /// The documents that it names in its answer.
    pub(super) ids: Vec<DocumentId>,
    /// The version of the commit, that of the first request where this one repeats it.
    pub(super) version: Version,
    pub(super) is_repeated: bool,
}

/// A result as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    fingerprint: String,
    created: String,
    ids: Vec<String>,
}

impl Once {
    /// The promise that a request asks for, if it does.
    ///
    /// # Errors
    ///
    /// When its key is none, and while another request of the key runs.
    pub(super) fn of(
        request: &HttpRequest,
        owner: &Identity,
        body: &[u8],
        under_way: &Arc<UnderWay>,
    ) -> Result<Option<Once>, Problem> {
        if !request.headers().contains_key(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        let key = key_of(request)?;
        let id = digest([owner.as_text(), &key].map(str::as_bytes));
        let id = DocumentId::new(&id).map_err(Error::from)?;
        let media_type = header_text(request, &CONTENT_TYPE)?;
        let (method, target) = (request.method().as_str(), request.uri().to_string());
        let fingerprint =
            digest([method.as_bytes(), target.as_bytes(), media_type.as_bytes(), body]);
        if !lock(&under_way.0).insert(id.clone()) {
            let detail = "the first request with this Idempotency-Key is not done yet";
            let wait = HeaderValue::from_static("1");
            let problem = Problem::new(Kind::IdempotencyInProgress, detail);
            return Err(problem.with_header(RETRY_AFTER, wait));
        }
        Ok(Some(Once { id, fingerprint, under_way: Arc::clone(under_way) }))
    }

    /// Refuses the key where nothing is committed that could keep the result with it.
    pub(super) fn refuse(request: &HttpRequest) -> Result<(), Problem> {
        match request.headers().contains_key(IDEMPOTENCY_KEY) {
            false => Ok(()),
            true => {
                let detail = "this route keeps no results: an Idempotency-Key goes with \
                              insertions, batches, and the commit of a transaction";
                Err(Problem::new(Kind::InvalidRequest, detail))
            }
        }
    }

    /// Makes the collection of results with its index, where it is not there yet.
    ///
    /// # Errors
    ///
    /// As [`Database::create_index`].
    pub(super) fn prepare(&self, database: &Database) -> Result<()> {
        let (collection, index) = (requests()?, IndexName::new("created")?);
        let snapshot = database.snapshot();
        let is_there = snapshot
            .collection(REQUESTS)
            .is_some_and(|requests| requests.index(index.as_str()).is_some());
        if is_there {
            return Ok(());
        }
        let definition = IndexDefinition::on(["created"])?.expire_after(KEPT)?;
        database.create_index_in(&collection, &index, definition, &mut |_| {})?;
        Ok(())
    }

    /// The ids and the version that an earlier request was answered with. The transaction rests on
    /// there being none.
    ///
    /// # Errors
    ///
    /// When it was another request that had this key.
    pub(super) fn earlier(&self, tx: &Transaction) -> Result<Option<(Vec<DocumentId>, Version)>> {
        let Some(document) = tx.get(&requests()?, &self.id)? else { return Ok(None) };
        let stored: Stored = serde_json::from_str(document.json())
            .map_err(|error| Error::aborted(std::io::Error::other(error)))?;
        let created = humantime::parse_rfc3339(&stored.created).unwrap_or(SystemTime::UNIX_EPOCH);
        if Clock::now().duration_since(created).is_ok_and(|age| age >= KEPT) {
            return Ok(None);
        }
        if stored.fingerprint != self.fingerprint {
            let detail = "another request was sent with this Idempotency-Key: repeat that one as \
                          it was, or take a new key";
            return Err(Problem::new(Kind::IdempotencyMismatch, detail).into());
        }
        let ids = stored.ids.iter().map(|id| DocumentId::new(id).map_err(Error::from));
        Ok(Some((ids.collect::<Result<_>>()?, document.version())))
    }

    /// Writes a result, to be committed with what it is the result of.
    ///
    /// # Errors
    ///
    /// As [`Transaction::put`].
    pub(super) fn record(&self, tx: &Transaction, ids: &[DocumentId]) -> Result<()> {
        let stored = Stored {
            fingerprint: self.fingerprint.clone(),
            created: humantime::format_rfc3339_millis(Clock::now()).to_string(),
            ids: ids.iter().map(DocumentId::to_string).collect(),
        };
        tx.put(&requests()?, &self.id, Draft::parse(json_text(&stored).as_bytes())?)
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        lock(&self.under_way.0).remove(&self.id);
    }
}

/// Does the work of a request in one transaction and keeps the ids that come of it, or, where it
/// was done before, finds them. Without a key it just does the work.
///
/// # Errors
///
/// What the work returns; as [`Once::earlier`] and [`Database::transact`].
pub(super) fn take_effect(
    once: Option<&Once>,
    base: &Base<'_>,
    mut work: impl FnMut(&Transaction) -> Result<Vec<DocumentId>>,
) -> Result<Effect> {
    if let (Some(once), Base::Database(database)) = (once, base) {
        once.prepare(database)?;
    }
    let committed = base.transact(|tx| {
        if let Some(once) = once
            && let Some(earlier) = once.earlier(tx)?
        {
            return Ok(Err(earlier));
        }
        let ids = work(tx)?;
        once.map(|once| once.record(tx, &ids)).transpose()?;
        Ok(Ok(ids))
    })?;
    Ok(match committed.value {
        Ok(ids) => Effect { ids, version: committed.version, is_repeated: false },
        Err((ids, version)) => Effect { ids, version, is_repeated: true },
    })
}

impl Answer {
    /// The same answer, marked when it is that of an earlier request.
    pub(super) fn marked(self, is_repeated: bool) -> Answer {
        if is_repeated { self.with(REPLAYED, "true".to_owned()) } else { self }
    }
}

fn requests() -> Result<CollectionName> {
    Ok(CollectionName::stored(REQUESTS)?)
}

/// The key: a word of visible ASCII, with or without the quotes of a structured field.
fn key_of(request: &HttpRequest) -> Result<String, Problem> {
    let text = header_text(request, &IDEMPOTENCY_KEY)?;
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let key = quoted.unwrap_or(text);
    let is_sane = (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    match is_sane {
        true => Ok(key.to_owned()),
        false => {
            let detail = format!(
                "an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible characters of ASCII"
            );
            Err(Problem::new(Kind::InvalidRequest, detail))
        }
    }
}

/// The SHA-256 of parts of which none can be mistaken for another's end.
fn digest<const N: usize>(parts: [&[u8]; N]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    let bytes: [u8; 32] = digest.finalize().into();
    hex(&bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_second_request_is_refused_while_the_first_runs() {
        let under_way = Arc::default();
        let of = |key: &'static str| {
            let request = TestRequest::post().insert_header((IDEMPOTENCY_KEY, key));
            Once::of(&request.to_http_request(), &Identity::Open, b"{}", &under_way)
        };
        let first = of("a").unwrap();
        let refused = of("\"a\"").err().unwrap();
        assert_eq!(refused.kind(), Kind::IdempotencyInProgress);
        assert!(of("b").is_ok(), "another key has nothing to wait for");
        drop(first);
        assert!(of("a").unwrap().is_some());
        let request = TestRequest::post().to_http_request();
        assert!(Once::of(&request, &Identity::Open, b"{}", &under_way).unwrap().is_none());
    }
}
