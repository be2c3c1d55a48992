//! The border: the one place where bytes from outside become text that the engine trusts.
//!
//! One pass validates and compacts: whitespace goes, the order of members and the spelling of
//! numbers and strings stay. What passes is valid JSON in UTF-8, without duplicate members, with
//! numbers that fit `i64`, `u64` or a finite `f64`, without NUL in names, and no deeper than
//! [`NESTING_DEPTH_MAX`]; nothing behind the border checks any of it again.
//!
//! Recursion goes no deeper than the limit on nesting, so no input can overflow the stack.

use std::{borrow::Cow, ops::Range};

use super::{
    fault::{Checked, Fault, FaultKind},
    kept::Kept,
    marks::{Marks, is_special},
    number::Number,
    once::Names,
    string::{four_hex, unescape},
};
use crate::error::{Error, Result};
use crate::limits::{DOCUMENT_BYTES_MAX, NESTING_DEPTH_MAX};
use crate::names::DocumentId;
use crate::version::Version;

/// Characters of an integer that fits `i64` whatever they are.
const INTEGER_DIGITS_FIT: usize = 18;

/// Characters of a number without an exponent that fits `f64` whatever they are.
const FLOAT_DIGITS_FIT: usize = 300;

/// A document's body as the border lets it in.
pub(super) struct Body {
    /// `_id`, when it was given.
    pub(super) id: Option<DocumentId>,
    /// `_version`, when it was given.
    pub(super) expected: Option<Version>,
    /// Compact, without `_version`, without `_id` unless that came first, without the last brace.
    pub(super) text: String,
    /// Where the other members begin in it: behind the brace, or behind the id.
    pub(super) front: usize,
}

/// Lets in the body of a document.
pub(super) fn document(input: &[u8]) -> Result<Body> {
    let mut border = Border::new(input, NESTING_DEPTH_MAX)?;
    let (id, expected) = border.document().map_err(|fault| fault.into_error())?;
    Ok(Body { id, expected, front: border.front, text: border.kept.into_text() })
}

/// Lets in any JSON value, with the rules for values inside documents but for its depth.
pub(super) fn value(input: &[u8], depth_max: usize) -> Result<Box<str>> {
    let mut border = Border::new(input, depth_max)?;
    border.whole().map_err(|fault| fault.into_error())?;
    Ok(border.kept.into_text().into_boxed_str())
}

struct Border<'a> {
    text: &'a str,
    at: usize,
    /// The comma before what comes next, where it is not the first of its object or array.
    comma: Option<usize>,
    kept: Kept<'a>,
    marks: Marks<'a>,
    names: Names<'a>,
    /// How much of what is kept comes before a document's members.
    front: usize,
    depth_max: usize,
}

/// A string where it stands, with its quotes.
struct Quoted {
    place: Range<usize>,
    is_escaped: bool,
}

/// A member's key where it stands, and the colon behind it.
struct Key {
    place: Range<usize>,
    colon: usize,
}

impl<'a> Border<'a> {
    fn new(input: &'a [u8], depth_max: usize) -> Result<Border<'a>> {
        let invalid =
            |offset, reason: &str| Error::InvalidJson { offset, reason: reason.to_owned() };
        let text = std::str::from_utf8(input)
            .map_err(|error| invalid(error.valid_up_to(), "the text is not UTF-8"))?;
        if text.starts_with('\u{feff}') {
            return Err(invalid(0, "the text begins with a byte order mark"));
        }
        let (kept, marks, names) = (Kept::new(text), Marks::of(text.as_bytes()), Names::new());
        Ok(Border { text, at: 0, comma: None, kept, marks, names, front: 1, depth_max })
    }

    /// The whole input as one value.
    fn whole(&mut self) -> Checked {
        self.space();
        self.value(1)?;
        self.end()
    }

    fn end(&mut self) -> Checked {
        self.space();
        if self.at < self.text.len() { self.syntax("text goes on after the value") } else { Ok(()) }
    }

    fn document(&mut self) -> Checked<(Option<DocumentId>, Option<Version>)> {
        self.space();
        if self.peek() != Some(b'{') {
            self.whole()?;
            return Err(Fault::rule("a document must be a JSON object"));
        }
        let (mut id, mut expected) = (None, None);
        self.keep(self.at..self.at + 1)?;
        self.members(|border, key, name| {
            match name {
                "_id" => id = Some(border.id(key)?),
                "_version" => expected = Some(border.expected_version()?),
                _ if name.starts_with(['_', '$']) => {
                    return Err(Fault::rule("names that begin with _ or $ are reserved"));
                }
                _ => border.member(key, 2)?,
            }
            Ok(())
        })?;
        self.end()?;
        Ok((id, expected))
    }

    /// Reads a document's id. Where it comes first it is kept: compact input is the text then.
    fn id(&mut self, key: Key) -> Checked<DocumentId> {
        let quoted = match self.peek() {
            Some(b'"') => self.string()?,
            Some(_) => return Err(Fault::rule("_id must be a string")),
            None => return self.syntax("the text ends where a value is expected"),
        };
        let id = DocumentId::new(&self.unquote(&quoted)).map_err(|e| Fault::rule(e.to_string()))?;
        let is_plain = !quoted.is_escaped && key.place.len() == r#""_id""#.len();
        if is_plain && self.kept.len() == 1 {
            self.keep(key.place)?;
            self.keep(key.colon..key.colon + 1)?;
            self.keep(quoted.place)?;
            self.front = self.kept.len();
        }
        Ok(id)
    }

    fn expected_version(&mut self) -> Checked<Version> {
        let must = || Fault::rule("_version must be an integer that is not negative");
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return Err(must());
        }
        let number = self.number()?;
        let number = self.text.get(number).and_then(|number| number.parse().ok());
        number.map(Version::new).ok_or_else(must)
    }

    fn value(&mut self, depth: usize) -> Checked {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => {
                let quoted = self.string()?;
                self.keep(quoted.place)
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                self.keep(number)
            }
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) => self.syntax("a value is expected"),
            None => self.syntax("the text ends where a value is expected"),
        }
    }

    fn object(&mut self, depth: usize) -> Checked {
        self.check_depth(depth)?;
        self.keep(self.at..self.at + 1)?;
        self.members(|border, key, _| border.member(key, depth + 1))?;
        self.keep(self.at - 1..self.at)
    }

    fn member(&mut self, key: Key, depth: usize) -> Checked {
        self.separate()?;
        self.keep(key.place)?;
        self.keep(key.colon..key.colon + 1)?;
        self.value(depth)
    }

    /// Reads an object; `each` gets every member's key as written and its name, and reads its
    /// value.
    fn members(&mut self, mut each: impl FnMut(&mut Self, Key, &str) -> Checked) -> Checked {
        let mut object = self.names.open();
        self.comma = None;
        self.at += 1;
        self.space();
        if !self.eat(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return self.syntax("a member's name in quotes is expected");
                }
                let quoted = self.string()?;
                let name = self.unquote(&quoted);
                if quoted.is_escaped && name.contains('\0') {
                    return Err(Fault::rule("a name holds NUL").at(name));
                }
                self.space();
                if !self.eat(b':') {
                    return self.syntax("a colon is expected");
                }
                let key = Key { place: quoted.place, colon: self.at - 1 };
                self.space();
                each(self, key, &name).map_err(|fault| fault.at(&*name))?;
                self.names.meet(&mut object, name);
                self.space();
                if self.eat(b'}') {
                    break;
                }
                if !self.eat_comma() {
                    return self.syntax("a comma or a closing brace is expected");
                }
            }
        }
        match self.names.close(&object) {
            Some(name) => Err(Fault::rule("the name stands twice in its object").at(name)),
            None => Ok(()),
        }
    }

    fn array(&mut self, depth: usize) -> Checked {
        self.check_depth(depth)?;
        self.keep(self.at..self.at + 1)?;
        self.comma = None;
        self.at += 1;
        self.space();
        if !self.eat(b']') {
            for index in 0_usize.. {
                self.space();
                self.separate()?;
                self.value(depth + 1).map_err(|fault| fault.at(index.to_string()))?;
                self.space();
                if self.eat(b']') {
                    break;
                }
                if !self.eat_comma() {
                    return self.syntax("a comma or a closing bracket is expected");
                }
            }
        }
        self.keep(self.at - 1..self.at)
    }

    fn string(&mut self) -> Checked<Quoted> {
        let start = self.at;
        let mut is_escaped = false;
        self.at += 1;
        loop {
            self.at = self.marks.next(self.at, is_special);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Quoted { place: start..self.at, is_escaped });
                }
                Some(b'\\') => {
                    is_escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.syntax("a control character stands in a string"),
                None => return self.syntax("the text ends inside a string"),
            }
        }
    }

    /// The text that a string stands for.
    fn unquote(&self, Quoted { place, is_escaped }: &Quoted) -> Cow<'a, str> {
        let inner = self.text.get(place.start + 1..place.end - 1).unwrap_or_default();
        if *is_escaped { unescape(inner) } else { Cow::Borrowed(inner) }
    }

    fn escape(&mut self) -> Checked {
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => match self.code_unit(self.at) {
                Some(0xd800..=0xdbff) => match self.code_unit(self.at + 6) {
                    Some(0xdc00..=0xdfff) => self.at += 12,
                    Some(_) | None => return self.syntax("a lone surrogate"),
                },
                Some(0xdc00..=0xdfff) => return self.syntax("a lone surrogate"),
                Some(_) => self.at += 6,
                None => return self.syntax("four hexadecimal digits are expected after \\u"),
            },
            Some(_) | None => return self.syntax("an unknown escape"),
        }
        Ok(())
    }

    /// The UTF-16 code unit of the escape `\uXXXX` that begins at `at`.
    fn code_unit(&self, at: usize) -> Option<u16> {
        self.text.get(at..)?.strip_prefix("\\u").and_then(four_hex)
    }

    /// A number where it stands.
    fn number(&mut self) -> Checked<Range<usize>> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        let (mut integer, mut digits_max) = (true, INTEGER_DIGITS_FIT);
        if self.eat(b'.') {
            (integer, digits_max) = (false, FLOAT_DIGITS_FIT);
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            (integer, digits_max) = (false, 0);
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let place = start..self.at;
        let fits = || Number::parse(self.text.get(place.clone()).unwrap_or_default()).is_some();
        if place.len() <= digits_max || fits() {
            return Ok(place);
        }
        Err(Fault::rule(match integer {
            true => "the integer fits neither i64 nor u64",
            false => "the number overflows a 64-bit float",
        }))
    }

    fn digits(&mut self) -> Checked {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        match rest.iter().take_while(|b| b.is_ascii_digit()).count() {
            0 => self.syntax("a digit is expected"),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &str) -> Checked {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return self.syntax("a value is expected");
        }
        let start = self.at;
        self.at += word.len();
        self.keep(start..self.at)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn eat_comma(&mut self) -> bool {
        self.comma = Some(self.at);
        self.eat(b',')
    }

    /// Writes the comma before what comes, unless it would follow the bracket or brace.
    fn separate(&mut self) -> Checked {
        match self.comma {
            Some(comma) if self.kept.len() > 1 => self.keep(comma..comma + 1),
            Some(_) | None => Ok(()),
        }
    }

    fn keep(&mut self, part: Range<usize>) -> Checked {
        match self.kept.keep(part) {
            ..=DOCUMENT_BYTES_MAX => Ok(()),
            size => Err(Fault::new(FaultKind::Size(size))),
        }
    }

    fn check_depth(&self, depth: usize) -> Checked {
        if depth <= self.depth_max {
            return Ok(());
        }
        Err(Fault::rule(format!("it is nested deeper than {} levels", self.depth_max)))
    }

    fn syntax<T>(&self, reason: &'static str) -> Checked<T> {
        Err(Fault::new(FaultKind::Syntax { offset: self.at, reason }))
    }
}
