//! Which web pages may ask this server (the fetch standard's CORS protocol). None, unless they
//! are named.

use std::{fmt, str::FromStr};

use actix_cors::Cors;
use actix_web::http::{Method, Uri};

/// Headers that a page may send.
const SENT: [&str; 9] = [
    "Accept",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-API-Key",
    "X-Request-Id",
];

/// Headers that a page may read, besides those that every page may.
const READ: [&str; 11] = [
    "Db-Cursor",
    "Db-Version",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
];

/// Seconds for which a browser need not ask again.
const MAX_AGE: usize = 600;

/// Where pages come from that may ask this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Anywhere.
    Any,
    /// One origin, such as `https://app.example`.
    One(String),
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Origin, &'static str> {
        if text == "*" {
            return Ok(Origin::Any);
        }
        let rule = "an origin is * or a scheme and a host, such as https://app.example:8443";
        let uri: Uri = text.parse().map_err(|_| rule)?;
        let is_bare = uri.path_and_query().is_none_or(|rest| rest.as_str() == "/");
        match (uri.scheme_str(), uri.authority()) {
            (Some("http" | "https"), Some(_)) if is_bare && !text.ends_with('/') => {
                Ok(Origin::One(text.to_owned()))
            }
            _ => Err(rule),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Any => "*",
            Origin::One(origin) => origin,
        })
    }
}

/// What answers for these origins. Keys are sent in a header of their own, so that a browser adds
/// no credentials of itself.
pub(super) fn cors(origins: &[Origin]) -> Cors {
    use Method as M;
    let cors = Cors::default()
        .allowed_methods([M::GET, M::HEAD, M::POST, M::PUT, M::PATCH, M::DELETE])
        .allowed_headers(SENT)
        .expose_headers(READ)
        .max_age(MAX_AGE);
    origins.iter().fold(cors, |cors, origin| match origin {
        Origin::Any => cors.allow_any_origin(),
        Origin::One(origin) => cors.allowed_origin(origin),
    })
}
