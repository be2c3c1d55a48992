//! A request's body: read within a limit and a deadline, and taken apart where it is an object of
//! the interface's own.
//!
//! Documents, filters and updates inside a body are handed on as text, to be read at the engine's
//! own border. Here only the frame around them is read.
//!
//! Invariant: a body over the limit costs the memory of the limit. What comes after it is read
//! and dropped, up to a bound, so that the client gets to see the answer.

use std::{
    borrow::Cow,
    fmt,
    future::{Future, Ready, poll_fn, ready},
    pin::{Pin, pin},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest,
    body::{BodyStream, MessageBody},
    dev::Payload,
    rt::time::timeout,
    web::{BytesMut, Data},
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Service, kinds::Kind, problem::Problem};

/// Bytes of a request's body.
pub(super) const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes that are read and dropped after a body has passed its limit. A client that goes on
/// beyond them finds the connection closed.
const DROPPED_BYTES_MAX: usize = 96 * 1024 * 1024;

/// The whole body of a request.
pub(super) struct Body(BytesMut);

impl Body {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its text.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.0).map_err(|error| {
            let place = error.valid_up_to();
            Problem::new(Kind::InvalidJson, format!("the body is not UTF-8 at byte {place}"))
        })?;
        match text.starts_with('\u{feff}') {
            true => Err(Problem::new(Kind::InvalidJson, "the body begins with a byte order mark")),
            false => Ok(text),
        }
    }
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Body, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let deadline = request.app_data::<Data<Service>>().map(|service| service.body_timeout);
        let incoming = Incoming(payload.take());
        Box::pin(async move { incoming.whole(deadline.ok_or_else(Problem::internal)?).await })
    }
}

/// A body of which nothing was read yet.
pub(super) struct Incoming(pub(super) Payload);

impl Incoming {
    /// All of it, if it comes within a time.
    pub(super) async fn whole(self, deadline: Duration) -> Result<Body, Problem> {
        match timeout(deadline, read(self.0)).await {
            Ok(read) => read,
            Err(_) => Err(too_slow(deadline)),
        }
    }
}

impl FromRequest for Incoming {
    type Error = Problem;
    type Future = Ready<Result<Incoming, Problem>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Incoming(payload.take())))
    }
}

/// Reads a body that nobody wants, so that the client gets to see the answer.
pub(super) async fn discard(service: &Service, payload: Payload) {
    // Whether it came to its end changes nothing.
    let _ = timeout(service.body_timeout, read(payload)).await;
}

async fn read(payload: Payload) -> Result<Body, Problem> {
    let mut payload = pin!(BodyStream::new(payload));
    let mut bytes = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = poll_fn(|context| payload.as_mut().poll_next(context)).await {
        let chunk = chunk.map_err(|_| broken_off())?;
        length += chunk.len();
        if length <= BODY_BYTES_MAX {
            bytes.extend_from_slice(&chunk);
        } else if length <= DROPPED_BYTES_MAX {
            bytes = BytesMut::new();
        } else {
            break;
        }
    }
    if length > BODY_BYTES_MAX {
        let detail = format!("a body has at most {BODY_BYTES_MAX} bytes");
        return Err(Problem::new(Kind::PayloadTooLarge, detail));
    }
    Ok(Body(bytes))
}

fn too_slow(patience: Duration) -> Problem {
    let detail = format!("the body was not there within {} seconds", patience.as_secs());
    Problem::new(Kind::RequestTimeout, detail)
}

fn broken_off() -> Problem {
    Problem::new(Kind::InvalidRequest, "the body broke off before its end")
}

/// The lines of a body that may be as long as it likes, of which one is held at a time.
pub(super) struct Lines {
    payload: Payload,
    patience: Duration,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// Lines that were begun.
    count: usize,
    ended: bool,
}

impl Lines {
    /// The lines of this body, each piece of which has to come within a time.
    pub(super) fn new(payload: Payload, patience: Duration) -> Lines {
        Lines { payload, patience, begun: Vec::new(), count: 1, ended: false }
    }

    /// The lines that end with the next piece that ends any, each with its number; none at the end
    /// of the body. Empty ones are passed over.
    ///
    /// # Errors
    ///
    /// When no piece comes in time, when the body breaks off, and when a line is longer than a
    /// document may be.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<(usize, Vec<u8>)>>, Problem> {
        let mut lines = Vec::new();
        while lines.is_empty() && !self.ended {
            let mut body = pin!(BodyStream::new(&mut self.payload));
            let piece = poll_fn(|context| body.as_mut().poll_next(context));
            let Ok(piece) = timeout(self.patience, piece).await else {
                return Err(too_slow(self.patience));
            };
            match piece {
                Some(piece) => {
                    let piece = piece.map_err(|_| broken_off())?;
                    self.take(&piece, &mut lines)?;
                }
                None => {
                    self.ended = true;
                    self.end_line(&mut lines);
                }
            }
        }
        Ok(Some(lines).filter(|lines| !lines.is_empty()))
    }

    fn take(&mut self, piece: &[u8], lines: &mut Vec<(usize, Vec<u8>)>) -> Result<(), Problem> {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if self.begun.len() > BODY_BYTES_MAX {
                let detail = format!("a line has at most {BODY_BYTES_MAX} bytes");
                return Err(Problem::new(Kind::PayloadTooLarge, detail).in_line(self.count));
            }
            if part.ends_with(b"\n") {
                self.end_line(lines);
            }
        }
        Ok(())
    }

    fn end_line(&mut self, lines: &mut Vec<(usize, Vec<u8>)>) {
        let line = std::mem::take(&mut self.begun);
        if !line.trim_ascii().is_empty() {
            lines.push((self.count, line));
        }
        self.count += 1;
    }
}

/// An object whose members are taken out one by one, each as its JSON text. A member that nobody
/// takes is refused.
pub(super) struct Object<'a> {
    pointer: String,
    members: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Object<'a> {
    /// The object that this text is; `pointer` is its place in the body.
    pub(super) fn parse(text: &'a str, pointer: &str) -> Result<Object<'a>, Problem> {
        if !text.trim_start().starts_with('{') {
            check_syntax(text)?;
            return Err(invalid(pointer, "an object is expected"));
        }
        let Members(members) = serde_json::from_str(text).map_err(not_json)?;
        let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let twins = names.iter().zip(names.iter().skip(1)).find(|(one, two)| one == two);
        if let Some((name, _)) = twins {
            return Err(invalid(&format!("{pointer}/{name}"), "the member stands twice"));
        }
        Ok(Object { pointer: pointer.to_owned(), members })
    }

    /// Takes out a member's text. One that is null counts as missing.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let place = self.members.iter().position(|(other, _)| other == name)?;
        Some(self.members.swap_remove(place).1).filter(|text| *text != "null")
    }

    /// Takes out a member that must be there.
    pub(super) fn require(&mut self, name: &str) -> Result<&'a str, Problem> {
        self.take(name).ok_or_else(|| self.invalid(name, "the member is missing"))
    }

    /// Takes out a string.
    pub(super) fn string(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Problem> {
        let text = self.take(name);
        text.map(|text| string(text).ok_or_else(|| self.invalid(name, "a string is expected")))
            .transpose()
    }

    /// Takes out an integer that is not negative. It may be written as `3.0`, as some programs do.
    pub(super) fn integer(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let number = self.take(name).map(|text| {
            integer(text).ok_or_else(|| {
                self.invalid(name, "an integer of 64 bits that is not negative is expected")
            })
        });
        number.transpose()
    }

    /// Takes out true or false.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        let value = self
            .take(name)
            .map(|text| text.parse().map_err(|_| self.invalid(name, "true or false is expected")));
        value.transpose()
    }

    /// What nobody took so far, in the order of the text: for objects whose names are anybody's.
    pub(super) fn into_members(self) -> impl Iterator<Item = (Cow<'a, str>, &'a str)> {
        self.members.into_iter()
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.members.first() {
            None => Ok(()),
            Some((name, _)) => Err(self.invalid(name, "this release does not know the member")),
        }
    }

    /// The refusal of one of its members.
    pub(super) fn invalid(&self, name: &str, reason: &str) -> Problem {
        invalid(&format!("{}/{name}", self.pointer), reason)
    }
}

/// The elements of an array, each as its JSON text.
pub(super) fn elements<'a>(text: &'a str, pointer: &str) -> Result<Vec<&'a str>, Problem> {
    if !text.trim_start().starts_with('[') {
        return Err(invalid(pointer, "an array is expected"));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The string that this JSON text is; none when it is something else.
pub(super) fn string(text: &str) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(text).ok().map(|Borrowed(text)| text)
}

/// The integer that this JSON text is. One with a point or an exponent is one as long as a float holds
/// it without rounding.
fn integer(text: &str) -> Option<u64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let float = || text.parse::<f64>().ok();
    let whole = || float().filter(|n| n.fract() == 0.0 && (0.0..=EXACT_MAX).contains(n));
    text.parse().ok().or_else(|| whole().map(|number| number as u64))
}

/// The refusal of what stands at a place of a body.
pub(super) fn invalid(pointer: &str, reason: &str) -> Problem {
    let place = if pointer.is_empty() { "the body" } else { pointer };
    Problem::new(Kind::InvalidBody, format!("{place}: {reason}")).at(pointer)
}

fn check_syntax(text: &str) -> Result<(), Problem> {
    serde_json::from_str::<&RawValue>(text).map(drop).map_err(not_json)
}

/// The library knows the place; its wording stays inside.
fn not_json(error: serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = format!("the body is not JSON at line {line}, column {column}");
    Problem::new(Kind::InvalidJson, detail)
}

/// The members of an object in their order, twins included.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'de>, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name.0, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A name that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_apart_to_the_last_member() {
        let text = r#" {"filter": {"a" : 1e999}, "limit":3,"n\u0061me":"\u00e4","no":null} "#;
        let mut object = Object::parse(text, "").unwrap();
        assert_eq!(object.take("filter"), Some(r#"{"a" : 1e999}"#));
        assert_eq!(object.integer("limit").unwrap(), Some(3));
        assert_eq!(object.string("name").unwrap().as_deref(), Some("ä"));
        assert_eq!(object.take("no"), None);
        assert_eq!(object.take("filter"), None);
        object.finish().unwrap();
    }

    #[test]
    fn what_is_no_such_object_is_refused() {
        let kind = |text: &str| Object::parse(text, "").err().map(|problem| problem.kind());
        for broken in ["", "{", r#"{"a":}"#, r#"{"a":1,}"#, "{} {}", "[1", "nul", "{1:2}"] {
            assert_eq!(kind(broken), Some(Kind::InvalidJson), "{broken}");
        }
        for other in ["[]", "1", "null", "\"{}\"", r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(kind(other), Some(Kind::InvalidBody), "{other}");
        }
        let unknown = Object::parse(r#"{"a":1}"#, "").unwrap().finish().unwrap_err();
        assert_eq!(unknown.kind(), Kind::InvalidBody);
        for wrong in ["-1", "1.5", "\"1\"", "1e400", "18446744073709551616", "true", "[]"] {
            let text = format!("{{\"n\":{wrong}}}");
            assert!(Object::parse(&text, "").unwrap().integer("n").is_err(), "{wrong}");
        }
        for (text, number) in [("18446744073709551615", u64::MAX), ("1.0", 1), ("2e3", 2000)] {
            let text = format!("{{\"n\":{text}}}");
            assert_eq!(Object::parse(&text, "").unwrap().integer("n").unwrap(), Some(number));
        }
    }
}
