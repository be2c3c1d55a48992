//! Answers: their headers, and bodies that are written as text.
//!
//! Invariant: a document's text is copied into the answer as it is stored; no tree is built. A
//! page of documents takes the memory of its longest document, not of their sum: what does not
//! fit one chunk is written while it is sent.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BodySize, BoxBody, MessageBody},
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
    web::Bytes,
};
use serde::Serialize;

use super::problem::Problem;
use crate::{
    database,
    document::{Document, Json},
    names::{CollectionName, DocumentId},
    query::{Cursor, Projection},
    sync::Arc,
    version::Version,
};

pub(super) const JSON: &str = "application/json";
pub(super) const NDJSON: &str = "application/x-ndjson";

/// Says which request an answer is to.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Says at which version an answer was read.
pub(super) const DB_VERSION: HeaderName = HeaderName::from_static("db-version");

/// Says where the next page begins, also where the body has no place for it.
const DB_CURSOR: HeaderName = HeaderName::from_static("db-cursor");

/// Bytes of a page that are written at once.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// The form of a page of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Ndjson,
}

impl Form {
    fn media_type(self) -> &'static str {
        match self {
            Form::Json => JSON,
            Form::Ndjson => NDJSON,
        }
    }
}

/// A value as JSON text. For the server's own plain structures, which always can be written.
pub(super) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain structures with names for keys can be written")
}

/// An answer of success: a plain value, so that it can be made on any thread.
pub(super) struct Answer {
    status: StatusCode,
    media_type: &'static str,
    headers: Vec<(HeaderName, String)>,
    content: Content,
}

enum Content {
    Nothing,
    Text(String),
    /// A page's first chunk, and the rest of it.
    Page(String, Page),
}

impl Answer {
    /// An answer without a body.
    pub(super) fn empty(status: StatusCode) -> Answer {
        Answer { status, media_type: "", headers: Vec::new(), content: Content::Nothing }
    }

    /// An answer with a JSON body.
    pub(super) fn json(status: StatusCode, text: String) -> Answer {
        Answer::text(status, JSON, text)
    }

    /// An answer with a JSON body that was read at this version.
    pub(super) fn read(version: Version, text: String) -> Answer {
        Answer::json(StatusCode::OK, text).read_at(version)
    }

    /// An answer that lists values read at this version, under this name or one a line.
    pub(super) fn list(name: &str, values: &[Json], version: Version, form: Form) -> Answer {
        let mut text = String::new();
        match form {
            Form::Json => {
                text.push_str(&format!("{{\"{name}\":["));
                for (place, value) in values.iter().enumerate() {
                    text.push_str(if place > 0 { "," } else { "" });
                    text.push_str(value.as_str());
                }
                text.push_str(&format!("],\"version\":{version}}}"));
            }
            Form::Ndjson => {
                for value in values {
                    text.push_str(value.as_str());
                    text.push('\n');
                }
            }
        }
        Answer::text(StatusCode::OK, form.media_type(), text).read_at(version)
    }

    /// An answer with a body of this media type.
    pub(super) fn text(status: StatusCode, media_type: &'static str, text: String) -> Answer {
        Answer { media_type, content: Content::Text(text), ..Answer::empty(status) }
    }

    /// The answer to a write of one document: its id and version, or the whole of it.
    pub(super) fn written(
        status: StatusCode,
        id: &DocumentId,
        version: Version,
        representation: Option<String>,
    ) -> Answer {
        #[derive(Serialize)]
        struct Written<'a> {
            _id: &'a str,
            _version: u64,
        }
        let answer = match representation {
            Some(text) => Answer::json(status, text)
                .with(PREFERENCE_APPLIED, "return=representation".to_owned()),
            None => {
                let written = Written { _id: id.as_str(), _version: version.get() };
                Answer::json(status, json_text(&written))
            }
        };
        answer.with(header::ETAG, etag(version))
    }

    /// The same answer with one more header. The value is ASCII text.
    pub(super) fn with(mut self, name: HeaderName, value: String) -> Answer {
        self.headers.push((name, value));
        self
    }

    /// The same answer, read at this version.
    pub(super) fn read_at(self, version: Version) -> Answer {
        self.with(DB_VERSION, version.to_string())
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Answer { status, media_type, headers, content } = self;
        let mut response = HttpResponse::build(status);
        for (name, value) in headers {
            response.insert_header((name, value));
        }
        if !media_type.is_empty() {
            response.content_type(media_type);
        }
        match content {
            Content::Nothing => response.finish(),
            Content::Text(text) => response.body(text),
            Content::Page(first, rest) => response.body(Streamed(Some(first), rest)),
        }
    }
}

/// A document's strong validator.
pub(super) fn etag(version: Version) -> String {
    format!("\"{version}\"")
}

/// The path of a document, percent-encoded.
pub(super) fn location(collection: &CollectionName, id: &DocumentId) -> String {
    let mut path = format!("/collections/{collection}/documents/");
    for byte in id.as_str().bytes() {
        // The unreserved characters of RFC 3986, section 2.3.
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => path.push(char::from(byte)),
            false => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// A page of documents as a body.
pub(super) struct Page {
    documents: std::vec::IntoIter<(DocumentId, Arc<Document>)>,
    fields: Projection,
    form: Form,
    version: Version,
    cursor: Option<Cursor>,
    /// False where no page can follow, and so no cursor is told of.
    paged: bool,
    state: PageState,
}

#[derive(PartialEq)]
enum PageState {
    Begun,
    Within,
    Ended,
}

impl Page {
    /// The page of a listing, these fields of each document.
    pub(super) fn new(page: database::Page, fields: Projection, form: Form) -> Page {
        let database::Page { version, documents, cursor } = page;
        let documents = documents.into_iter();
        let paged = true;
        Page { documents, fields, form, version, cursor, paged, state: PageState::Begun }
    }

    /// Documents that no page follows.
    pub(super) fn whole(
        version: Version,
        documents: Vec<(DocumentId, Arc<Document>)>,
        fields: Projection,
        form: Form,
    ) -> Page {
        let page = database::Page { version, documents, cursor: None };
        Page { paged: false, ..Page::new(page, fields, form) }
    }

    /// The answer with this page: sized when it fits one chunk.
    pub(super) fn into_answer(mut self) -> Answer {
        let (version, form) = (self.version, self.form);
        let cursor = self.cursor.as_ref().map(Cursor::to_string);
        let first = self.next_chunk().unwrap_or_default();
        let content = match self.state {
            PageState::Ended => Content::Text(first),
            PageState::Begun | PageState::Within => Content::Page(first, self),
        };
        let media_type = form.media_type();
        let answer = Answer { media_type, content, ..Answer::empty(StatusCode::OK) };
        match cursor {
            Some(cursor) => answer.read_at(version).with(DB_CURSOR, cursor),
            None => answer.read_at(version),
        }
    }

    fn next_chunk(&mut self) -> Option<String> {
        if self.state == PageState::Ended {
            return None;
        }
        let mut out = String::new();
        while out.len() < CHUNK_BYTES && self.state != PageState::Ended {
            match (self.form, self.documents.next()) {
                (Form::Json, Some((_, document))) => {
                    let begun = self.state == PageState::Begun;
                    out.push_str(if begun { r#"{"documents":["# } else { "," });
                    self.fields.write(&document, &mut out);
                    self.state = PageState::Within;
                }
                (Form::Ndjson, Some((_, document))) => {
                    self.fields.write(&document, &mut out);
                    out.push('\n');
                    self.state = PageState::Within;
                }
                (Form::Json, None) => {
                    if self.state == PageState::Begun {
                        out.push_str(r#"{"documents":["#);
                    }
                    let cursor = self.cursor.as_ref().map(Cursor::to_string);
                    let cursor = Json::from(cursor);
                    out.push_str(&format!(r#"],"version":{}"#, self.version));
                    if self.paged {
                        out.push_str(&format!(r#","cursor":{cursor}"#));
                    }
                    out.push('}');
                    self.state = PageState::Ended;
                }
                (Form::Ndjson, None) => self.state = PageState::Ended,
            }
        }
        Some(out)
    }
}

/// A page that is sent while it is written; its first chunk is written already.
struct Streamed(Option<String>, Page);

impl MessageBody for Streamed {
    type Error = Problem;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Problem>>> {
        let Streamed(first, page) = &mut *self;
        Poll::Ready(first.take().or_else(|| page.next_chunk()).map(|text| Ok(Bytes::from(text))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::Draft;

    fn page(count: usize, form: Form) -> Page {
        let body = format!(r#"{{"text":"{}"}}"#, "x".repeat(1000));
        let draft = Draft::parse(body.as_bytes()).unwrap();
        let document = |n: usize| {
            let id = DocumentId::new(&n.to_string()).unwrap();
            let document = draft.clone().into_document(&id).unwrap();
            (id, Arc::new(document))
        };
        let documents = (0..count).map(document).collect();
        let page = database::Page { version: Version::new(9), documents, cursor: None };
        Page::new(page, Projection::all(), form)
    }

    #[test]
    fn a_page_in_chunks_is_the_page() {
        for count in [0, 1, 2, 60, 70, 1000] {
            let mut json = page(count, Form::Json);
            let text: String = std::iter::from_fn(|| json.next_chunk()).collect();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["documents"].as_array().unwrap().len(), count);
            assert_eq!(value["version"], 9);

            let mut lines = page(count, Form::Ndjson);
            let text: String = std::iter::from_fn(|| lines.next_chunk()).collect();
            assert_eq!(text.lines().count(), count);
            assert!(text.lines().all(|line| line.ends_with("\"}")));
        }
    }

    #[test]
    fn a_location_is_percent_encoded() {
        let location =
            location(&CollectionName::new("c").unwrap(), &DocumentId::new("a/b ä%").unwrap());
        assert_eq!(location, "/collections/c/documents/a%2Fb%20%C3%A4%25");
    }
}
