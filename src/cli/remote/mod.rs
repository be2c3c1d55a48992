//! A running server, asked over HTTP.
//!
//! Invariant: a change that may have reached the server but was not answered is told as one whose
//! outcome is unknown, never as one that failed.

mod documents;
mod tls;

pub(super) use tls::health_over_tls;

use std::{
    error::Error as _,
    io::{self, BufRead, BufReader},
    thread,
    time::Duration,
};

use reqwest::{
    StatusCode,
    blocking::{RequestBuilder, Response},
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;
use crate::{
    error::Error,
    names::{CollectionName, IndexName},
    server::{KeyError, MadeIndex},
    version::Version,
};

/// A server that does not answer a connection this long is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time for one request: the server's own limits are shorter.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Time for an index to be built, which the server does not limit.
const BUILD_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Longer than this nobody waits for a server that is asked too often.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// How often one request is held back.
const WAITS_MAX: usize = 10;

/// Time for all documents of a collection to come.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// A running server.
pub(super) struct Client {
    url: String,
    key: Option<String>,
    http: reqwest::blocking::Client,
}

/// A problem as the server describes it (RFC 9457).
#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    r#type: String,
    title: String,
    detail: String,
}

/// A collection, as far as it is of interest.
#[derive(Deserialize)]
struct Described {
    count: u64,
}

/// What a server answers to a query: documents, values or groups, each as JSON text; a count.
pub(super) struct Reply {
    pub(super) lines: Vec<String>,
    /// Where the next page of documents begins, if there is more.
    pub(super) cursor: Option<String>,
}

#[derive(Deserialize)]
struct ReplyBody<'a> {
    #[serde(borrow, alias = "values", alias = "groups")]
    documents: Option<Vec<&'a RawValue>>,
    count: Option<u64>,
    cursor: Option<String>,
}

impl Problem {
    fn slug(&self) -> String {
        self.r#type.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

impl Client {
    /// A client for the server at a URL; nothing is sent yet.
    pub(super) fn new(url: &str, key: Option<&str>) -> Result<Client, Failure> {
        if !url.starts_with("http://") {
            let reason = "it must begin with http://, the only scheme that is spoken".to_owned();
            return Err(Failure::Usage { argument: "--url", reason });
        }
        let http = http(url, REQUEST_TIMEOUT)?;
        let url = url.trim_end_matches('/').to_owned();
        Ok(Client { url, key: key.map(str::to_owned), http })
    }

    /// Whether it is ready, and what it says of itself. It is asked once: who asks has a rhythm of
    /// their own.
    pub(super) fn health(&self, timeout: Duration) -> Result<(bool, String), Failure> {
        let request = self.http.get(format!("{}/health/ready", self.url)).timeout(timeout);
        let answer = request.send().map_err(|error| unreachable(&self.url, &error))?;
        match answer.status() {
            StatusCode::SERVICE_UNAVAILABLE => Ok((false, self.text(answer)?)),
            _ => Ok((true, self.text(accepted(answer)?)?)),
        }
    }

    /// Inserts documents, one a line, as one commit, and returns what the server says of it.
    pub(super) fn insert_many(
        &self,
        collection: &CollectionName,
        lines: String,
    ) -> Result<String, Failure> {
        let url = format!("{}/collections/{collection}/documents", self.url);
        let request = self.http.post(url).header(CONTENT_TYPE, "application/x-ndjson").body(lines);
        self.text(self.write(request)?)
    }

    /// Makes an index with a definition, and returns what the server says of it.
    pub(super) fn create_index(
        &self,
        collection: &CollectionName,
        index: &IndexName,
        definition: String,
    ) -> Result<MadeIndex, Failure> {
        let request = self.http.put(self.index_url(collection, index));
        let request = request.header(CONTENT_TYPE, "application/json").body(definition);
        let answer = self.write(request.timeout(BUILD_TIMEOUT))?;
        let is_new = answer.status() == StatusCode::CREATED;
        Ok(MadeIndex { is_new, text: self.text(answer)? })
    }

    /// Drops an index.
    pub(super) fn drop_index(
        &self,
        collection: &CollectionName,
        index: &IndexName,
    ) -> Result<(), Failure> {
        self.write(self.http.delete(self.index_url(collection, index))).map(drop)
    }

    /// Drops a collection with all that is in it.
    pub(super) fn drop_collection(&self, collection: &CollectionName) -> Result<(), Failure> {
        self.write(self.http.delete(format!("{}/collections/{collection}", self.url))).map(drop)
    }

    /// The archive of a backup, as the server sends it, without what one of the version `since` has.
    pub(super) fn backup(&self, since: Version) -> Result<Response, Failure> {
        let url = format!("{}/admin/backup?since={since}", self.url);
        let request = self.http.get(url).timeout(EXPORT_TIMEOUT);
        accepted(self.send(request).map_err(|error| unreachable(&self.url, &error))?)
    }

    /// The list of a collection's indexes, as JSON.
    pub(super) fn indexes(&self, collection: &CollectionName) -> Result<String, Failure> {
        self.read(self.http.get(format!("{}/collections/{collection}/indexes", self.url)))
    }

    /// Makes a key of this description, and returns what the server says of it.
    pub(super) fn create_key(&self, description: String) -> Result<String, Failure> {
        let request = self.http.post(format!("{}/admin/keys", self.url));
        let request = request.header(CONTENT_TYPE, "application/json").body(description);
        self.text(self.write(request)?)
    }

    /// The list of all keys, as JSON.
    pub(super) fn keys(&self) -> Result<String, Failure> {
        self.read(self.http.get(format!("{}/admin/keys", self.url)))
    }

    /// Revokes a key.
    pub(super) fn revoke_key(&self, id: &str) -> Result<(), Failure> {
        // No address can end in these, and no key is called so.
        if ["", ".", ".."].contains(&id) {
            return Err(KeyError::NotFound { id: id.to_owned() }.into());
        }
        let url = self.below(&["admin", "keys", id])?;
        self.write(self.http.delete(url)).map(drop)
    }

    /// How many documents a collection holds, which must be there: queries hold one that is not to
    /// be empty.
    pub(super) fn count(&self, collection: &CollectionName) -> Result<u64, Failure> {
        let described = self.read(self.http.get(format!("{}/collections/{collection}", self.url)));
        let described = described.map_err(|failure| match &failure {
            Failure::Refused { slug, .. } if slug == "collection-not-found" => {
                Failure::Engine(Error::CollectionNotFound { collection: collection.clone() })
            }
            _ => failure,
        })?;
        let Described { count } = understood(&described)?;
        Ok(count)
    }

    /// Reads all documents of one version, each as its text, while the server sends them.
    pub(super) fn export(
        &self,
        collection: &CollectionName,
        versions: bool,
        mut document: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let fields = if versions { "" } else { "&fields=-_version" };
        let url = format!("{}/collections/{collection}/documents?limit=all{fields}", self.url);
        let request = self.http.get(url).header(ACCEPT, "application/x-ndjson");
        let answer = self.send(request.timeout(EXPORT_TIMEOUT));
        let answer = accepted(answer.map_err(|error| unreachable(&self.url, &error))?)?;
        for line in BufReader::new(answer).lines() {
            let broken = |error: io::Error| Failure::Unreachable {
                url: self.url.clone(),
                reason: format!("the answer broke off: {error}"),
            };
            document(&line.map_err(broken)?)?;
        }
        Ok(())
    }

    /// Asks with the body of a query; documents come with their versions.
    pub(super) fn query(
        &self,
        collection: &CollectionName,
        body: String,
    ) -> Result<Reply, Failure> {
        let text = self.ask(collection, body)?;
        let not_understood = |reason: &str| Failure::Unreachable {
            url: self.url.clone(),
            reason: format!("its answer is not understood: {reason}"),
        };
        let body: ReplyBody<'_> =
            serde_json::from_str(&text).map_err(|error| not_understood(&error.to_string()))?;
        let lines = match (body.documents, body.count) {
            (Some(documents), _) => documents.iter().map(|raw| raw.get().to_owned()).collect(),
            (None, Some(count)) => vec![count.to_string()],
            (None, None) => {
                return Err(not_understood("it holds neither documents nor a count"));
            }
        };
        Ok(Reply { lines, cursor: body.cursor })
    }

    /// Asks with the body of a query, and returns the answer as it is.
    pub(super) fn ask(&self, collection: &CollectionName, body: String) -> Result<String, Failure> {
        let url = format!("{}/collections/{collection}/query", self.url);
        self.read(self.http.post(url).header(CONTENT_TYPE, "application/json").body(body))
    }

    /// The address of something. Its names are anybody's text, and each stays one segment of the
    /// path.
    fn below(&self, segments: &[&str]) -> Result<reqwest::Url, Failure> {
        let wrong = |reason| Failure::Usage { argument: "--url", reason };
        let mut url = reqwest::Url::parse(&self.url).map_err(|error| wrong(error.to_string()))?;
        let base = url.path_segments_mut();
        base.map_err(|()| wrong("no base".to_owned()))?.pop_if_empty().extend(segments);
        Ok(url)
    }

    fn index_url(&self, collection: &CollectionName, index: &IndexName) -> String {
        format!("{}/collections/{collection}/indexes/{index}", self.url)
    }

    /// Sends what changes nothing: without an answer nothing is lost.
    fn read(&self, request: RequestBuilder) -> Result<String, Failure> {
        let answer = self.send(request).map_err(|error| unreachable(&self.url, &error))?;
        self.text(accepted(answer)?)
    }

    /// Sends what changes something.
    fn write(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let answer = self.send(request).map_err(|error| match error.is_connect() {
            true => unreachable(&self.url, &error),
            false => Failure::Engine(Error::OutcomeUnknown { reason: reason(&error) }),
        })?;
        accepted(answer)
    }

    fn text(&self, answer: Response) -> Result<String, Failure> {
        answer.text().map_err(|error| unreachable(&self.url, &error))
    }

    /// Sends a request, and again when the server says that it came too soon after the others: it
    /// was not looked at then.
    fn send(&self, request: RequestBuilder) -> reqwest::Result<Response> {
        let mut request = self.signed(request);
        for _ in 0..WAITS_MAX {
            let Some(copy) = request.try_clone() else { break };
            let answer = request.send()?;
            match wait_asked_for(&answer) {
                Some(wait) => thread::sleep(wait),
                None => return Ok(answer),
            }
            request = copy;
        }
        request.send()
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(key) => request.header("X-API-Key", key),
            None => request,
        }
    }
}

/// What speaks HTTP with the server at a URL, and gives up a request after a time.
pub(super) fn http(url: &str, timeout: Duration) -> Result<reqwest::blocking::Client, Failure> {
    // A database beside us is not reached through the proxy of the web.
    let builder = reqwest::blocking::Client::builder().no_proxy();
    let builder = builder.connect_timeout(CONNECT_TIMEOUT.min(timeout)).timeout(timeout);
    builder.build().map_err(|error| unreachable(url, &error))
}

/// The slug of the problem that an answer's text describes, empty if it is none.
pub(super) fn slug(text: &str) -> String {
    serde_json::from_str(text).map(|problem: Problem| problem.slug()).unwrap_or_default()
}

/// How long a server that was asked too often wants to be left alone, if that is not too long.
fn wait_asked_for(answer: &Response) -> Option<Duration> {
    let is_asked = answer.status() == StatusCode::TOO_MANY_REQUESTS;
    let seconds = answer.headers().get(RETRY_AFTER).filter(|_| is_asked)?;
    let wait = Duration::from_secs(seconds.to_str().ok()?.parse().ok()?);
    (wait <= WAIT_MAX).then_some(wait)
}

/// A description that a server, or the engine, gave.
pub(super) fn understood<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Unreachable {
        url: "the server".to_owned(),
        reason: format!("its answer is not understood: {error}"),
    })
}

/// An answer, if it is none of a problem.
fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.text().unwrap_or_default();
    let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
    let slug = problem.slug();
    let detail = [problem.detail, problem.title].into_iter().find(|text| !text.is_empty());
    Err(Failure::Refused {
        status: status.as_u16(),
        slug,
        detail: detail.unwrap_or_else(|| "it does not say why".to_owned()),
    })
}

fn unreachable(url: &str, error: &reqwest::Error) -> Failure {
    Failure::Unreachable { url: url.to_owned(), reason: reason(error) }
}

/// The innermost cause: what stands around it only repeats the address.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(next) = innermost.and_then(|cause| cause.source()) {
        innermost = Some(next);
    }
    innermost.map_or_else(|| error.to_string(), |cause| cause.to_string())
}
