//! What handlers take from a request besides its body: names in the path, the query string,
//! preconditions, media types.
//!
//! Invariant: text from the URL is percent-decoded here, once, and must be UTF-8. A collection that
//! the path names is handed out only when the request's key is for it.

use std::{
    cmp::Reverse,
    future::{Ready, ready},
    str::FromStr,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderName},
};

use super::{
    auth::Caller,
    kinds::Kind,
    problem::Problem,
    respond::{Form, JSON, NDJSON},
    routes::Pattern,
};
use crate::{
    error::Error,
    names::{CollectionName, DocumentId, IndexName},
    version::Version,
};

/// The collection that the path names.
pub(super) struct CollectionPath(pub(super) CollectionName);

/// The document that the path names.
#[derive(Clone)]
pub(super) struct DocumentPath {
    pub(super) collection: CollectionName,
    pub(super) id: DocumentId,
}

/// The index that the path names.
pub(super) struct IndexPath {
    pub(super) collection: CollectionName,
    pub(super) index: IndexName,
}

/// The parameters of the query string. Each stands there once; one that nobody takes is refused.
pub(super) struct Parameters(Vec<(String, String)>);

/// The media types of bodies that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    Json,
    Ndjson,
    MergePatch,
    JsonPatch,
    Other,
}

impl FromRequest for CollectionPath {
    type Error = Problem;
    type Future = Ready<Result<CollectionPath, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(collection(request).map(CollectionPath))
    }
}

impl FromRequest for DocumentPath {
    type Error = Problem;
    type Future = Ready<Result<DocumentPath, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let document = || {
            let collection = collection(request)?;
            let id = DocumentId::new(&path_segment(request, "{id}")?);
            Ok(DocumentPath { collection, id: id.map_err(Error::from)? })
        };
        ready(document())
    }
}

impl FromRequest for IndexPath {
    type Error = Problem;
    type Future = Ready<Result<IndexPath, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let index = || {
            let collection = collection(request)?;
            let index = IndexName::new(&path_segment(request, "{index}")?);
            Ok(IndexPath { collection, index: index.map_err(Error::from)? })
        };
        ready(index())
    }
}

impl FromRequest for Parameters {
    type Error = Problem;
    type Future = Ready<Result<Parameters, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Parameters::parse(request.query_string()))
    }
}

impl Parameters {
    fn parse(query: &str) -> Result<Parameters, Problem> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let [name, value] = [name, value].map(|text| percent_decode(&text.replace('+', " ")));
            let (name, value) = (name?, value?);
            if parameters.iter().any(|(other, _)| *other == name) {
                let detail = format!("the parameter {name:?} stands twice in the query string");
                return Err(Problem::new(Kind::InvalidRequest, detail));
            }
            parameters.push((name, value));
        }
        Ok(Parameters(parameters))
    }

    /// Takes a parameter out, if it is there.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(place).1)
    }

    /// Takes a parameter out if it has this value.
    pub(super) fn take_if(&mut self, name: &str, value: &str) -> bool {
        let has = |(other, given): &(String, String)| other == name && given == value;
        let place = self.0.iter().position(has);
        place.map(|place| self.0.swap_remove(place)).is_some()
    }

    /// Takes out an integer that is not negative.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        self.parsed(name, "an integer that is not negative")
    }

    /// Takes out true or false.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        self.parsed(name, "true or false")
    }

    /// Takes out the version to read at, when it is not the latest.
    pub(super) fn version(&mut self) -> Result<Option<Version>, Problem> {
        Ok(self.integer("at")?.map(Version::new))
    }

    fn parsed<T: FromStr>(&mut self, name: &str, rule: &str) -> Result<Option<T>, Problem> {
        let parsed = self.take(name).map(|text| text.parse()).transpose();
        parsed.map_err(|_| {
            Problem::new(Kind::InvalidQuery, format!("the parameter {name} must be {rule}"))
        })
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("this release does not know the parameter {name:?}");
                Err(Problem::new(Kind::InvalidQuery, detail))
            }
        }
    }
}

impl MediaType {
    /// The media type of the request's body; JSON when the request does not say.
    pub(super) fn of(request: &HttpRequest) -> MediaType {
        let Some(value) = request.headers().get(header::CONTENT_TYPE) else {
            return MediaType::Json;
        };
        let essence = value.to_str().ok().and_then(|text| text.split(';').next());
        match essence.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => MediaType::Json,
            "application/x-ndjson" => MediaType::Ndjson,
            "application/merge-patch+json" => MediaType::MergePatch,
            "application/json-patch+json" => MediaType::JsonPatch,
            _ => MediaType::Other,
        }
    }

    /// Refuses a body that is not JSON.
    pub(super) fn require_json(request: &HttpRequest) -> Result<(), Problem> {
        match MediaType::of(request) {
            MediaType::Json => Ok(()),
            MediaType::Ndjson | MediaType::MergePatch | MediaType::JsonPatch | MediaType::Other => {
                Err(unsupported("application/json"))
            }
        }
    }
}

/// The refusal of a body's media type where only `understood` is.
pub(super) fn unsupported(understood: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType, format!("this route understands {understood}"))
}

/// In which form the request wants a page of documents.
pub(super) fn accepted_form(request: &HttpRequest) -> Result<Form, Problem> {
    let accept = header_text(request, &header::ACCEPT)?;
    match accepted(&accept, &[JSON, NDJSON]) {
        Some(JSON) => Ok(Form::Json),
        Some(_) => Ok(Form::Ndjson),
        None => {
            let detail = "the answer has the forms application/json and application/x-ndjson";
            Err(Problem::new(Kind::NotAcceptable, detail))
        }
    }
}

/// The one of these media types that a header `Accept` prefers (RFC 9110, section 12.5.1), the
/// first when there is no such header. Of two that it likes equally it is the one that it names,
/// then the one that it names first, then the first of ours.
pub(super) fn accepted(accept: &str, forms: &[&'static str]) -> Option<&'static str> {
    if accept.trim().is_empty() {
        return forms.first().copied();
    }
    let ranges: Vec<(String, f32)> = accept.split(',').map(media_range).collect();
    let mut best: Option<(&'static str, Liking)> = None;
    for form in forms {
        if let Some(liking) = liking(form, &ranges)
            && best.is_none_or(|(_, most)| liking > most)
        {
            best = Some((form, liking));
        }
    }
    best.map(|(form, _)| form)
}

/// How much a form is liked: by the weight, the closeness and the place of the range that is about
/// it.
type Liking = (f32, usize, Reverse<usize>);

/// How much these ranges like a form; nothing when they refuse it or do not name it.
fn liking(form: &str, ranges: &[(String, f32)]) -> Option<Liking> {
    let kind = form.split_once('/').map_or(form, |(kind, _)| kind);
    let names = ["*/*".to_owned(), format!("{kind}/*"), form.to_owned()];
    // What is said of the form itself counts, not what is said of its kind or of all.
    let said = names.iter().enumerate().rev().find_map(|(closeness, name)| {
        let place = ranges.iter().position(|(range, _)| range == name)?;
        Some((ranges.get(place)?.1, closeness, Reverse(place)))
    });
    said.filter(|(weight, ..)| *weight > 0.0)
}

/// A range of media types and its weight.
fn media_range(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").map(str::to_owned));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
}

/// True when the request asks for the document in the answer (RFC 7240).
pub(super) fn wants_representation(request: &HttpRequest) -> bool {
    let prefer = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
    prefer.flat_map(|value| value.split([',', ';'])).any(|preference| {
        preference.trim().replace('"', "").eq_ignore_ascii_case("return=representation")
    })
}

/// All values of a header, joined as RFC 9110 (section 5.3) allows.
pub(super) fn header_text(request: &HttpRequest, name: &HeaderName) -> Result<String, Problem> {
    let values = request.headers().get_all(name).map(|value| value.to_str());
    let values = values.collect::<Result<Vec<_>, _>>().map_err(|_| {
        Problem::new(Kind::InvalidRequest, format!("the header {name} is not ASCII text"))
    })?;
    Ok(values.join(","))
}

/// The segment of the path that stands where the route's pattern has this name.
///
/// It is read from the path as it was sent: the router decodes in part and replaces what is not
/// UTF-8.
pub(super) fn path_segment(request: &HttpRequest, name: &str) -> Result<String, Problem> {
    let pattern = Pattern::of(request).map(Pattern::text).unwrap_or_default();
    let mut segments = pattern.split('/').zip(request.uri().path().split('/'));
    let (_, segment) = segments.find(|(pattern, _)| *pattern == name).ok_or_else(|| {
        tracing::error!(name, pattern, "a handler asks for a name that its route does not have");
        Problem::internal()
    })?;
    percent_decode(segment)
}

fn collection(request: &HttpRequest) -> Result<CollectionName, Problem> {
    let name = CollectionName::new(&path_segment(request, "{collection}")?).map_err(Error::from)?;
    Caller::of(request)?.check_covers(&name)?;
    Ok(name)
}

fn percent_decode(text: &str) -> Result<String, Problem> {
    let broken = || {
        let detail = "the URL's percent-encoding is broken, or does not stand for UTF-8";
        Problem::new(Kind::InvalidRequest, detail)
    };
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()]
                    .map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
                let [Some(high), Some(low)] = digits else { return Err(broken()) };
                u8::try_from(high * 16 + low).map_err(|_| broken())?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn percent_encoding_is_decoded_or_refused() {
        assert_eq!(percent_decode("a%2Fb%25%C3%A4+").unwrap(), "a/b%ä+");
        for broken in ["%", "%2", "%zz", "%+1", "%ff", "%C3"] {
            assert!(percent_decode(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn parameters_stand_once() {
        let mut parameters = Parameters::parse("filter=%7B%7D&sort=-a+b&limit").unwrap();
        assert_eq!(parameters.take("filter").as_deref(), Some("{}"));
        assert_eq!(parameters.take("sort").as_deref(), Some("-a b"));
        assert_eq!(parameters.take("offset"), None);
        assert!(parameters.finish().is_err(), "limit was not taken");
        assert!(Parameters::parse("a=1&a=2").is_err());
    }

    #[test]
    fn the_form_with_the_greatest_weight_is_chosen() {
        let form = |accept: &'static str| {
            accepted_form(
                &TestRequest::default().insert_header(("accept", accept)).to_http_request(),
            )
        };
        assert_eq!(form("").unwrap(), Form::Json);
        assert_eq!(form("*/*").unwrap(), Form::Json);
        assert_eq!(form("application/x-ndjson").unwrap(), Form::Ndjson);
        assert_eq!(form("application/x-ndjson;q=0.5, application/json").unwrap(), Form::Json);
        assert_eq!(
            form("application/json;q=0.1,application/x-ndjson; q=0.2").unwrap(),
            Form::Ndjson
        );
        assert_eq!(form("application/x-ndjson, */*").unwrap(), Form::Ndjson);
        assert_eq!(form("application/json;q=0, */*").unwrap(), Form::Ndjson);
        assert_eq!(form("*/*, application/x-ndjson;q=0.2").unwrap(), Form::Json);
        assert!(form("text/html").is_err());
        assert!(form("application/json;q=0").is_err());
    }
}
