//! What is told of each request when it ends: a span around its work, one line in the log, and the
//! numbers of [`Metrics`](super::metrics::Metrics).
//!
//! The span (target `monsterdb::request`) has the request's id, method and route, so that whatever
//! the engine says during the work can be laid to it. It is there when it is asked for
//! (`MONSTERDB_LOG=info,monsterdb::request=debug`): it takes as long as a fifth of a read. The line
//! (target `monsterdb::access`) stands outside of it, at the level `info`, that of a health check
//! which found nothing at `debug`, and has the status and the time besides. What is wrong with a
//! request names its id without the span.
//!
//! Invariant: a request is told of exactly once, also one whose client goes away before its answer,
//! which ends with the status 499. No key, no content of a document and no whole token of a
//! transaction gets into a log: whoever reads a log could otherwise go on with the transaction.

use std::{borrow::Cow, future::Future, time::Instant};

use actix_web::{
    HttpMessage, HttpRequest,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, Uri},
    web::Data,
};
use tracing::{Instrument, Span};

use super::{Service, routes::Pattern, sessions::TOKEN_BYTES};
use crate::sync::Arc;

/// The target of the line of each request.
const ACCESS: &str = "monsterdb::access";

/// The target of the span of each request.
const REQUEST: &str = "monsterdb::request";

/// Characters of a token that are shown, for lines about one transaction to be found.
const TOKEN_SHOWN: usize = 6;

/// The id of a request, for those who work on it.
#[derive(Debug, Clone)]
pub(super) struct RequestId(Arc<str>);

/// A request that is not answered yet. Dropped, it is one whose client has gone.
pub(super) struct Exchange {
    service: Data<Service>,
    id: RequestId,
    method: Method,
    uri: Uri,
    route: Option<&'static Pattern>,
    span: Span,
    begun: Instant,
    is_ended: bool,
}

impl RequestId {
    pub(super) fn new(id: &str) -> RequestId {
        RequestId(id.into())
    }

    /// The id of a request that went through the envelope; empty for any other.
    pub(super) fn of(request: &HttpRequest) -> RequestId {
        let id = request.extensions().get::<RequestId>().cloned();
        id.unwrap_or_else(|| RequestId::new(""))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Exchange {
    /// A request that has come, and has this id from now on.
    pub(super) fn begin(
        service: &Data<Service>,
        request: &ServiceRequest,
        id: &RequestId,
        route: Option<&'static Pattern>,
    ) -> Exchange {
        let begun = Instant::now();
        request.extensions_mut().insert(id.clone());
        service.metrics.begun();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let span = tracing::debug_span!(
            target: REQUEST, "request",
            id = id.as_str(), method = method.as_str(), route = route.map(Pattern::text),
        );
        let (service, id) = (service.clone(), id.clone());
        Exchange { service, id, method, uri, route, span, begun, is_ended: false }
    }

    /// Runs the work on the request within its span.
    pub(super) fn within<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.span.clone())
    }

    /// Tells of a request that was answered.
    pub(super) fn answered(mut self, response: &ServiceResponse) {
        // What the router found, which decodes the path for that.
        self.route = Pattern::of(response.request()).or(self.route);
        self.end(response.status());
    }

    /// Tells of a request that failed before it had an answer.
    pub(super) fn failed(mut self, status: StatusCode) {
        self.end(status);
    }

    fn end(&mut self, status: StatusCode) {
        self.is_ended = true;
        let time = self.begun.elapsed();
        let route = self.route.map(Pattern::text);
        self.service.metrics.ended(route, &self.method, status, time);
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let (id, method, status) = (self.id.as_str(), self.method.as_str(), status.as_u16());
        let path = self.uri.path();
        // One every few seconds that finds nothing would bury the others.
        if self.is_check() && status == StatusCode::OK.as_u16() {
            tracing::debug!(
                target: ACCESS, id, route, status, microseconds, "{method} {}", shown(path),
            );
        } else {
            tracing::info!(
                target: ACCESS, id, route, status, microseconds, "{method} {}", shown(path),
            );
        }
    }

    /// Whether it asks how the server is doing.
    fn is_check(&self) -> bool {
        self.route.is_some_and(|route| route.text().starts_with("/health"))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_ended {
            self.end(client_is_gone());
        }
    }
}

/// The status that nginx gives to requests whose client went away.
fn client_is_gone() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT)
}

/// The path as it may be shown: of a token only the beginning. It does not matter whether there is
/// such a route: a token in a path with a slip in it is no less one.
fn shown(path: &str) -> Cow<'_, str> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next().unwrap_or_default();
    if first == "collections" {
        // Most paths; and ids may look like tokens.
        return path.into();
    }
    let is_session = first == "transactions" || first.contains('%');
    let second = segments.next().filter(|second| is_session && *second != "batch");
    let hide = |segment: &str| Some(segment) == second || looks_like_token(segment);
    let parts: Vec<Cow<'_, str>> = path
        .split('/')
        .map(|segment| match (hide(segment), segment.char_indices().nth(TOKEN_SHOWN)) {
            (true, Some((end, _))) => format!("{}…", &segment[..end]).into(),
            (true, None) | (false, _) => segment.into(),
        })
        .collect();
    parts.join("/").into()
}

/// True for what looks like one that the server has given out.
fn looks_like_token(segment: &str) -> bool {
    segment.len() == TOKEN_BYTES && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_token_only_the_beginning_is_shown() {
        let token = "0123456789abcdef0123456789abcdef";
        let paths = [
            "/transactions/{}",
            "/transactions/{}/commit",
            "/transactions/{}/collections/c/documents/a",
            "//transactions//{}/",
            "/%74ransactions/{}/commit",
            "/transaction/{}",
            "/v1/transactions/{}/commit",
            "/{}",
        ];
        for path in paths {
            let asked = path.replace("{}", token);
            assert_eq!(shown(&asked), path.replace("{}", "012345…"));
        }
        assert_eq!(shown("/transactions/not-a-token/commit"), "/transactions/not-a-…/commit");
        assert_eq!(shown("/transactions/ééééééé"), "/transactions/éééééé…");
    }

    #[test]
    fn everything_else_is_shown_as_it_is() {
        let id = "/collections/transactions/documents/0123456789abcdef0123456789abcdef";
        for path in ["", "/", "/health", "/transactions", "/transactions/batch", "*", id, "/a//b/"]
        {
            assert_eq!(shown(path), path);
        }
    }
}
