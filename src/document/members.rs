//! A walk over the members of an object: where filters spend their time.
//!
//! The ends of strings are not sought one by one: they are taken from masks (see `marks`).
//!
//! Invariant: nothing here panics or fails to end, whatever the bytes; on text that has passed the
//! border the answers are right.

use std::{borrow::Cow, ops::Range};

use wide::u8x16;

use super::{
    marks::{BLOCK, Marks, block, mask},
    scan::string_end,
    string::unescape,
};

/// A walk over the members of an object.
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
    marks: Marks<'a>,
}

/// Where a member stands in its object.
pub(crate) struct Place {
    /// The name as it is written, without its quotes.
    name: Range<usize>,
    /// True when the name is written without escapes.
    is_plain: bool,
    value: Range<usize>,
}

/// Where the value of a member that was sought begins.
pub(super) struct Found(usize);

impl Place {
    /// Bytes of the name; none when it is written with escapes.
    #[inline]
    pub(crate) fn plain_length(&self) -> Option<usize> {
        self.is_plain.then(|| self.name.len())
    }
}

impl<'a> Members<'a> {
    /// The members of an object; anything else has none.
    #[inline]
    pub(super) fn of(text: &'a str) -> Members<'a> {
        let at = if text.starts_with('{') { 1 } else { text.len() };
        Members { text, at, marks: Marks::of(text.as_bytes()) }
    }

    /// The place of the next member.
    #[inline]
    pub(crate) fn place(&mut self) -> Option<Place> {
        let place = self.begin()?;
        let end = self.value_end(place.value.start);
        Some(Place { value: place.value.start..end, ..place })
    }

    /// Goes to the next member of this name and no further: its value is still to be passed.
    #[inline]
    pub(super) fn find(&mut self, name: &str) -> Option<Found> {
        loop {
            let place = self.begin()?;
            if self.is_named(&place, name) {
                return Some(Found(place.value.start));
            }
            self.value_end(place.value.start);
        }
    }

    /// Goes into the object that was found; false when it is none.
    #[inline]
    pub(super) fn enter(&mut self, found: &Found) -> bool {
        let is_object = self.text.as_bytes().get(found.0) == Some(&b'{');
        if is_object {
            self.at = found.0 + 1;
        }
        is_object
    }

    /// The text of the value that was found.
    #[inline]
    pub(super) fn found(&mut self, found: &Found) -> &'a str {
        let end = self.value_end(found.0);
        self.text.get(found.0..end).unwrap_or_default()
    }

    /// The place of the next member, as far as its value's beginning.
    #[inline]
    fn begin(&mut self) -> Option<Place> {
        let key = self.at;
        if self.text.as_bytes().get(key) != Some(&b'"') {
            return None;
        }
        let (key_end, is_plain) = self.string_end(key);
        // A colon stands between key and value.
        let start = key_end + 1;
        Some(Place { name: key + 1..key_end.saturating_sub(1), is_plain, value: start..start })
    }

    /// The place behind the value that begins at `start`; the walk goes on behind it.
    #[inline]
    fn value_end(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let end = match bytes.get(start) {
            Some(b'"') => self.string_end(start).0,
            Some(b'{' | b'[') => container_end(bytes, start),
            Some(_) | None => scalar_end(bytes, start),
        };
        // A comma stands behind the value.
        self.at = end + 1;
        end
    }

    /// The name of the member there.
    #[inline]
    pub(crate) fn name(&self, place: &Place) -> Cow<'a, str> {
        let written = self.text.get(place.name.clone()).unwrap_or_default();
        if place.is_plain { Cow::Borrowed(written) } else { unescape(written) }
    }

    /// True when the member there has this name.
    #[inline]
    pub(crate) fn is_named(&self, place: &Place, name: &str) -> bool {
        match place.plain_length() {
            Some(length) => {
                length == name.len()
                    && self.text.as_bytes().get(place.name.clone()) == Some(name.as_bytes())
            }
            None => self.name(place) == name,
        }
    }

    /// The name of the member there as it is written, with its quotes.
    #[inline]
    pub(super) fn key(&self, place: &Place) -> &'a str {
        self.text.get(place.name.start - 1..place.name.end + 1).unwrap_or_default()
    }

    /// The text of the value of the member there.
    #[inline]
    pub(crate) fn value(&self, place: &Place) -> &'a str {
        self.text.get(place.value.clone()).unwrap_or_default()
    }

    /// The place behind the string that begins at `at`, and whether it is without escapes.
    #[inline]
    fn string_end(&mut self, at: usize) -> (usize, bool) {
        let end = self.marks.next(at + 1, is_quote_or_backslash);
        match self.text.as_bytes().get(end) {
            Some(b'\\') => (string_end(self.text.as_bytes(), at), false),
            Some(_) => (end + 1, true),
            None => (self.text.len(), true),
        }
    }
}

/// The place behind the number or word that begins at `at`.
#[inline]
pub(super) fn scalar_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| matches!(b, b',' | b']' | b'}')).unwrap_or(rest.len())
}

/// The place behind the array or object that begins at `at`.
pub(super) fn container_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut end = bytes.len();
    brackets(bytes, at, |place, opens| {
        depth = if opens { depth + 1 } else { depth.saturating_sub(1) };
        end = if depth == 0 { place + 1 } else { end };
        depth > 0
    });
    end
}

/// The most arrays and objects that are open at one place of the text.
pub(super) fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    brackets(bytes, 0, |_, opens| {
        open = if opens { open + 1 } else { open.saturating_sub(1) };
        deepest = deepest.max(open);
        true
    });
    deepest
}

/// Shows `each` the brackets and braces that stand outside of strings, with whether they open, as
/// long as it returns true.
#[inline]
fn brackets(bytes: &[u8], at: usize, mut each: impl FnMut(usize, bool) -> bool) {
    // All bits are set while a block begins inside a string.
    let (mut inside, mut is_escaped) = (0, false);
    for base in (at..bytes.len()).step_by(BLOCK) {
        let block = block(bytes, base);
        let backslashes = mask(&block, |lane| lane.cmp_eq(u8x16::splat(b'\\')));
        let quotes = mask(&block, |lane| lane.cmp_eq(u8x16::splat(b'"')));
        let strings = since_odd(quotes & !escaped(backslashes, &mut is_escaped)) ^ inside;
        inside = if strings >> (BLOCK - 1) == 0 { 0 } else { u64::MAX };
        let mut left = mask(&block, is_bracket) & !strings;
        while left != 0 {
            let place = base + left.trailing_zeros() as usize;
            left &= left - 1;
            if !each(place, matches!(bytes.get(place), Some(b'{' | b'['))) {
                return;
            }
        }
    }
}

/// The bytes that a backslash escapes; `is_escaped` goes from block to block for the first of them.
#[inline]
fn escaped(mut backslashes: u64, is_escaped: &mut bool) -> u64 {
    let mut escaped = u64::from(*is_escaped);
    backslashes &= !escaped;
    *is_escaped = backslashes >> (BLOCK - 1) != 0;
    while backslashes != 0 {
        let next = 2 << backslashes.trailing_zeros();
        escaped |= next;
        *is_escaped &= next >> (BLOCK - 1) == 0;
        backslashes &= (backslashes - 1) & !next;
    }
    escaped
}

/// A bit is set where an odd number of bits was set, itself counted: from the quote that opens a
/// string up to the one that closes it.
#[inline]
const fn since_odd(bits: u64) -> u64 {
    let mut odd = bits;
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    odd ^= odd << 8;
    odd ^= odd << 16;
    odd ^ (odd << 32)
}

#[inline]
fn is_quote_or_backslash(lane: u8x16) -> u8x16 {
    lane.cmp_eq(u8x16::splat(b'"')) | lane.cmp_eq(u8x16::splat(b'\\'))
}

/// With the bit `0x20` set brackets are braces, and nothing else that stands outside of strings is.
#[inline]
fn is_bracket(lane: u8x16) -> u8x16 {
    let folded = lane | u8x16::splat(0x20);
    folded.cmp_eq(u8x16::splat(b'{')) | folded.cmp_eq(u8x16::splat(b'}'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    type Found<'a> = Vec<(Cow<'a, str>, &'a str, &'a str)>;

    fn found(text: &str) -> Found<'_> {
        let mut members = Members::of(text);
        let next = || {
            let place = members.place()?;
            let name = members.name(&place);
            assert_eq!(place.plain_length(), place.is_plain.then_some(name.len()));
            assert!(members.is_named(&place, &name));
            assert!(!members.is_named(&place, &format!("{name}x")));
            Some((name, members.key(&place), members.value(&place)))
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn members_are_found() {
        let object = r#"{"a":[1,{"b":2}],"\u0062":"x","c\"":null,"":{}}"#;
        let expected = [
            ("a", r#""a""#, r#"[1,{"b":2}]"#),
            ("b", r#""\u0062""#, r#""x""#),
            ("c\"", r#""c\"""#, "null"),
            ("", r#""""#, "{}"),
        ];
        assert_eq!(found(object), expected.map(|(name, key, value)| (name.into(), key, value)));
        for none in ["[1]", "{}", "7", ""] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn members_are_found_wherever_blocks_end() {
        for long in 0..200 {
            let (name, text) = ("n".repeat(long), "t\\\\\\\"]}é".repeat(long));
            let nested = format!(r#"{{"{name}":["{text}",{{}}]}}"#);
            let object = format!(r#"{{"{name}":"{text}","x":{nested},"y":-1.5e3,"z":true}}"#);
            let values: Vec<&str> = found(&object).iter().map(|found| found.2).collect();
            assert_eq!(values, [&format!("\"{text}\""), &nested, "-1.5e3", "true"]);
            assert_eq!(depth(object.as_bytes()), 4, "{object}");
        }
    }

    #[test]
    fn damaged_text_ends_without_a_panic() {
        let damaged =
            ["{", "{\"", "{\"a", "{\"\\", "{\"a\"", "{\"a\":", "{\"b\":1,", "{,}", "{\"a\":\"é\\"];
        for text in damaged {
            let mut members = Members::of(text);
            while let Some(place) = members.place() {
                let _ = (members.name(&place), members.key(&place), members.value(&place));
            }
            assert!(container_end(text.as_bytes(), 0) <= text.len());
        }
    }
}
