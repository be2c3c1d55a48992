//! What a client is told when a request fails (RFC 9457).
//!
//! Every error of the engine and every refusal of the server becomes a [`Problem`] of one
//! [`Kind`]. Its type is a link to a page that this server serves.
//!
//! Invariant: a problem's text names nothing that the client did not send or cannot read: no
//! paths, no panic texts, no library's wording.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    keys::KeyError,
    kinds::Kind,
    respond::{DB_VERSION, REQUEST_ID, json_text},
    sides::Contents,
};
use crate::{
    document::Document,
    error::{Conflict, Dependency, Error},
    sync::Arc,
    version::Version,
};

/// The media type of problems.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// One failed request's problem. It is boxed, so that a result that is none stays small.
#[derive(Debug, Clone)]
pub(super) struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    kind: Kind,
    detail: String,
    retryable: bool,
    pointer: Option<String>,
    line: Option<usize>,
    operation: Option<usize>,
    nearest: Option<u64>,
    oldest: Option<u64>,
    conflicts: Vec<Overtaken>,
    headers: Vec<(HeaderName, HeaderValue)>,
    instance: String,
    /// What the engine says of a fault of the server: for the log alone.
    cause: Option<String>,
}

/// A problem as it is written.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: &'a str,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<usize>,
    /// The version that can be read in the place of one that is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<u64>,
    /// The oldest version that can be read, or whose changes are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    conflicts: &'a [Overtaken],
}

/// A [`Conflict`] as it is written.
#[derive(Debug, Clone, Serialize)]
struct Overtaken {
    collection: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicate: Option<Box<RawValue>>,
    read_version: u64,
    overtaken_by: u64,
    #[serde(flatten)]
    contents: Option<Sides>,
}

/// A document's [`Contents`] as they are written; null where it is absent.
#[derive(Debug, Clone, Serialize)]
struct Sides {
    base: Option<Box<RawValue>>,
    theirs: Option<Box<RawValue>>,
    mine: Option<Box<RawValue>>,
}

impl Problem {
    /// A problem of this kind; `detail` says what is wrong with this one request.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem(Box::new(Parts {
            kind,
            detail: detail.into(),
            retryable: kind.is_retryable(),
            pointer: None,
            line: None,
            operation: None,
            nearest: None,
            oldest: None,
            conflicts: Vec::new(),
            headers: Vec::new(),
            instance: String::new(),
            cause: None,
        }))
    }

    /// What a handler that failed by a fault of the server says.
    pub(super) fn internal() -> Problem {
        Problem::new(Kind::Internal, "the server failed; its log has more under this request's id")
    }

    /// The same problem, in this line of the body.
    pub(super) fn in_line(mut self, line: usize) -> Problem {
        self.0.detail = format!("line {line}: {}", self.0.detail);
        self.0.line = Some(line);
        self
    }

    /// The same problem, in this operation of a batch.
    pub(super) fn in_operation(mut self, operation: usize) -> Problem {
        self.0.operation = Some(operation);
        self
    }

    /// The same problem, at this place (a JSON Pointer) of the body.
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Problem {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// The same problem, answered with one more header.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.0.headers.push((name, value));
        self
    }

    /// The same problem, seen at this version: reads tell theirs also when they find nothing.
    pub(super) fn read_at(self, version: Version) -> Problem {
        self.with_header(DB_VERSION, HeaderValue::from(version.get()))
    }

    /// The same problem, with the contents of the documents in its conflicts, in their order.
    pub(super) fn with_contents(mut self, contents: Vec<Option<Contents>>) -> Problem {
        for (conflict, contents) in self.0.conflicts.iter_mut().zip(contents) {
            conflict.contents = contents.as_ref().map(Sides::from);
        }
        self
    }

    /// The same problem of the request with this id. A fault of the server is logged here, under it.
    pub(super) fn of_request(mut self, instance: &str) -> Problem {
        if let Some(cause) = self.0.cause.take() {
            tracing::error!(id = instance, cause, "a request failed by a fault of the server");
        }
        instance.clone_into(&mut self.0.instance);
        self
    }

    /// What is wrong with this one request.
    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The oldest version whose changes are kept, where that is what is wrong.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.0.oldest
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        self.0.kind
    }

    pub(super) fn text(&self) -> String {
        json_text(&Body {
            r#type: format!("/problems/{}", self.0.kind.row().slug),
            title: self.0.kind.row().title,
            status: self.0.kind.status().as_u16(),
            detail: &self.0.detail,
            instance: &self.0.instance,
            retryable: self.0.retryable,
            pointer: self.0.pointer.as_deref(),
            line: self.0.line,
            operation: self.0.operation,
            nearest: self.0.nearest,
            oldest: self.0.oldest,
            conflicts: &self.0.conflicts,
        })
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.kind.status());
        response.insert_header((header::CONTENT_TYPE, PROBLEM_JSON));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if !self.0.instance.is_empty() {
            response.insert_header((REQUEST_ID, self.0.instance.as_str()));
        }
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if self.0.kind == Kind::RequestTimeout {
            response.force_close();
        }
        response.body(self.text())
    }
}

impl std::error::Error for Problem {}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let kind = Kind::of(&error);
        match error {
            Error::Aborted(own) => match own.downcast::<Problem>() {
                Ok(problem) => *problem,
                Err(_) => Problem::internal(),
            },
            Error::InvalidDocument { ref pointer, .. }
            | Error::InvalidFilter { ref pointer, .. }
            | Error::InvalidUpdate { ref pointer, .. }
            | Error::TestFailed { ref pointer, .. } => {
                Problem::new(kind, error.to_string()).at(pointer)
            }
            Error::Conflict(ref conflicts) => {
                let mut problem = Problem::new(kind, error.to_string());
                problem.0.conflicts = conflicts.iter().map(Overtaken::from).collect();
                problem
            }
            Error::VersionGone { nearest, oldest, .. } => {
                let mut problem = Problem::new(kind, error.to_string());
                problem.0.nearest = Some(nearest.get());
                problem.0.oldest = Some(oldest.get());
                problem
            }
            Error::ChangesGone { oldest, .. } => {
                let mut problem = Problem::new(kind, error.to_string());
                problem.0.oldest = Some(oldest.get());
                problem
            }
            // What the engine says of these names files of the server, or serde's own words.
            Error::OutcomeUnknown { .. } => Problem::new(
                kind,
                "the device failed under the commit: whether it took effect is seen at the next start",
            ),
            Error::ReadOnly { .. } => {
                Problem::new(kind, "the database takes no writes; GET /health/ready says more")
            }
            Error::StorageFull { .. } => {
                Problem::new(kind, "the device has no room left; reads go on")
            }
            _ if kind == Kind::Internal => {
                let mut problem = Problem::internal();
                problem.0.cause = Some(error.to_string());
                problem
            }
            _ => Problem::new(kind, error.to_string()),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Problem {
        let detail = error.to_string();
        match error {
            KeyError::Invalid { member, .. } => {
                Problem::new(Kind::InvalidBody, detail).at(format!("/{member}"))
            }
            KeyError::NotFound { .. } => Problem::new(Kind::KeyNotFound, detail),
            KeyError::LastAdmin => Problem::new(Kind::LastAdminKey, detail),
            KeyError::Database(error) => error.into(),
        }
    }
}

/// Ends a `transact` closure with a problem.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::aborted(problem)
    }
}

impl From<&Contents> for Sides {
    fn from(contents: &Contents) -> Sides {
        let written = |document: &Option<Arc<Document>>| {
            let text = document.as_deref().map(|document| match document.version() {
                // What was not committed has no version.
                Version::ZERO => document.json().to_owned(),
                _ => document.to_json_with_version(),
            });
            text.and_then(|text| RawValue::from_string(text).ok())
        };
        let Contents { base, theirs, mine } = contents;
        Sides { base: written(base), theirs: written(theirs), mine: written(mine) }
    }
}

impl From<&Conflict> for Overtaken {
    fn from(conflict: &Conflict) -> Overtaken {
        let (document, predicate) = match &conflict.dependency {
            Dependency::Document(id) => (Some(id.to_string()), None),
            Dependency::Predicate(filter) => (None, RawValue::from_string(filter.clone()).ok()),
            Dependency::Collection => (None, None),
        };
        Overtaken {
            collection: conflict.collection.to_string(),
            document,
            predicate,
            read_version: conflict.read_version.get(),
            overtaken_by: conflict.overtaken_by.get(),
            contents: None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{CollectionName, DocumentId};

    #[test]
    fn a_conflict_names_what_was_read_and_what_overtook_it() {
        let conflict = |dependency| Conflict {
            collection: CollectionName::new("c").unwrap(),
            dependency,
            read_version: Version::new(16),
            overtaken_by: Version::new(17),
        };
        let error = Error::Conflict(vec![
            conflict(Dependency::Document(DocumentId::new("u1").unwrap())),
            conflict(Dependency::Predicate(r#"{"n":{"$gt":1}}"#.to_owned())),
        ]);
        let text = Problem::from(error).of_request("r1").text();
        assert!(
            text.starts_with(
                r#"{"type":"/problems/tx-conflict","title":"Overtaken by another commit","status":409,"#
            ),
            "{text}"
        );
        assert!(text.contains(r#""instance":"r1","retryable":true,"#), "{text}");
        assert!(
            text.ends_with(concat!(
                r#""conflicts":[{"collection":"c","document":"u1","read_version":16,"overtaken_by":17},"#,
                r#"{"collection":"c","predicate":{"n":{"$gt":1}},"read_version":16,"overtaken_by":17}]}"#
            )),
            "{text}"
        );
    }

    #[test]
    fn what_names_files_of_the_server_is_told_in_neutral_words() {
        let reason = || "cannot sync /srv/secret/wal: gone".to_owned();
        let source = || std::io::Error::other("an operating system's words");
        for error in [
            Error::ReadOnly { reason: reason() },
            Error::StorageFull { reason: reason() },
            Error::OutcomeUnknown { reason: reason() },
            Error::Io { action: "read", path: "/srv/secret".into(), source: source() },
            Error::Locked { path: "/srv/secret".into(), pid: Some(1) },
            Error::aborted(source()),
        ] {
            let text = Problem::from(error).text();
            assert!(!text.contains("secret") && !text.contains("words"), "{text}");
        }
    }
}
