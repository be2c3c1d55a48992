//! A borrowed JSON value: a slice of a document's own text.
//!
//! Invariant: the text has passed the border once, so it is valid and compact, and nothing here
//! can fail. Members and elements are found by skipping bytes; nothing is built.

use std::borrow::Cow;

use super::{
    members::{Members, depth},
    number::Number,
    scan::value_end,
    string::unescape,
};

/// A JSON value that borrows a document's text.
///
/// ```
/// use monsterdb::Json;
/// let json = Json::parse(r#"{"name": "Ada", "langs": ["en", "fr"]}"#)?;
/// let name = json.as_raw().member("name").and_then(|name| name.as_str());
/// assert_eq!(name.as_deref(), Some("Ada"));
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raw<'a>(&'a str);

/// The kinds of JSON values, in the total order of values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `null`.
    Null,
    /// `false` and `true`.
    Bool,
    /// Integers and floats.
    Number,
    /// Strings.
    String,
    /// Arrays.
    Array,
    /// Objects.
    Object,
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    key: &'a str,
    /// The member's value.
    pub value: Raw<'a>,
}

impl<'a> Raw<'a> {
    /// `null`.
    pub const NULL: Raw<'static> = Raw("null");

    /// `[]`.
    pub const EMPTY_ARRAY: Raw<'static> = Raw("[]");

    /// The value that this text is. The caller knows it to be valid and compact.
    pub(crate) fn trusted(text: &'a str) -> Raw<'a> {
        Raw(text)
    }

    /// The text itself.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The text that a string stands for; none when it is no string.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?;
        Some(unescape(inner.strip_suffix('"').unwrap_or(inner)))
    }

    /// The number; none when it is no number.
    pub fn number(self) -> Option<Number> {
        Number::parse(self.0)
    }

    /// The members of an object in the order of the text; none of anything else.
    pub fn members(self) -> impl Iterator<Item = Member<'a>> {
        let mut members = self.walk();
        std::iter::from_fn(move || {
            let place = members.place()?;
            let (key, value) = (members.key(&place), Raw(members.value(&place)));
            Some(Member { key, value })
        })
    }

    /// The members one by one, for who does not want them all.
    #[inline]
    pub(crate) fn walk(self) -> Members<'a> {
        Members::of(self.0)
    }

    /// The elements of an array; none of anything else.
    pub fn elements(self) -> impl Iterator<Item = Raw<'a>> {
        let mut items = self.items("[");
        std::iter::from_fn(move || items.value())
    }

    /// The value of an object's member; none when there is none, or no object.
    pub fn member(self, name: &str) -> Option<Raw<'a>> {
        let mut members = self.walk();
        while let Some(place) = members.place() {
            if members.is_named(&place, name) {
                return Some(Raw(members.value(&place)));
            }
        }
        None
    }

    /// Levels of nesting, itself counted: 1 for `[]`, none for what is neither array nor object.
    pub(crate) fn depth(self) -> usize {
        depth(self.0.as_bytes())
    }

    fn items(self, open: &str) -> Items<'a> {
        Items { rest: self.0.strip_prefix(open).unwrap_or_default() }
    }
}

impl<'a> Member<'a> {
    /// The name it stands under.
    pub fn name(&self) -> Cow<'a, str> {
        unescape(self.key.get(1..self.key.len().saturating_sub(1)).unwrap_or_default())
    }

    /// The name as it is written, with its quotes.
    pub fn key(&self) -> &'a str {
        self.key
    }
}

/// What is left of the inside of an object or array.
struct Items<'a> {
    rest: &'a str,
}

impl<'a> Items<'a> {
    /// The next value and the comma after it. Damaged text ends here rather than looping.
    fn value(&mut self) -> Option<Raw<'a>> {
        let end = value_end(self.rest.as_bytes(), 0);
        let text = self.take(end).filter(|text| !text.is_empty())?;
        self.skip(b',');
        Some(Raw(text))
    }

    fn take(&mut self, end: usize) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        Some(taken)
    }

    fn skip(&mut self, byte: u8) {
        if self.rest.as_bytes().first() == Some(&byte) {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_elements_are_slices() {
        let raw = Raw::trusted(r#"{"a":[1,"x,]",{"b":null}],"q\"":true,"\u0061b":-1e3,"":{}}"#);
        let members: Vec<_> = raw.members().map(|m| (m.name(), m.value.text())).collect();
        let expected =
            [("a", r#"[1,"x,]",{"b":null}]"#), ("q\"", "true"), ("ab", "-1e3"), ("", "{}")];
        assert!(members.iter().map(|(n, v)| (&**n, *v)).eq(expected));
        let elements = raw.member("a").into_iter().flat_map(Raw::elements);
        assert!(elements.map(Raw::kind).eq([Kind::Number, Kind::String, Kind::Object]));
        assert_eq!(raw.member("ab").map(Raw::text), Some("-1e3"));
        assert_eq!(raw.member("b"), None);
        assert_eq!(Raw::trusted("[]").elements().count(), 0);
        assert_eq!(Raw::trusted("{}").members().count(), 0);
        assert_eq!(Raw::trusted("7").members().count(), 0);
    }

    #[test]
    fn depth_counts_levels() {
        for (text, depth) in [("1", 0), (r#""[[""#, 0), ("{}", 1), (r#"[1,{"a]":[]},[]]"#, 3)] {
            assert_eq!(Raw::trusted(text).depth(), depth, "{text}");
        }
    }

    #[test]
    fn damaged_text_ends_without_a_panic() {
        for text in
            ["", "{", "[", "{\"", "{\"a", "{\"a\"", "{\"a\":", "[1", "[,,", "{,}", "[\"é", "}"]
        {
            let raw = Raw::trusted(text);
            assert!(raw.members().count() + raw.elements().count() < 4, "{text}");
        }
    }
}
