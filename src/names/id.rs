//! The ids of documents: text that is compared as numbers.
//!
//! A look-up goes down a map of ids by a dozen comparisons or more, each of which waits for the one
//! before it. So an id holds in its own 24 bytes what mostly decides: all of a short text, and of
//! a longer one the front. Texts are compared only where that leaves them equal.
//!
//! Invariant: ids are ordered and equal as their texts are, which [`Borrow`] promises to maps. For
//! short ones that holds because they are filled up with zeros and hold none themselves; for those
//! that begin as a UUID does because the digits of the fronts stand at the same places, and `0` to
//! `9` come before `a` to `f`.

use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use equivalent::{Comparable, Equivalent};

use super::InvalidName;
use crate::sync::Arc;

/// A document's id has at most this many bytes, so that ids stay cheap to compare and to index.
pub const DOCUMENT_ID_MAX: usize = 256;

/// Bytes of the longest id that lies in the value itself.
const SHORT_MAX: usize = 22;

/// Bytes of a longer id's front.
const FRONT_BYTES: usize = 7;

/// The id of a document: 1 to 256 bytes of UTF-8 without control characters.
///
/// Ids of up to 22 bytes lie in the value itself, so that a look-up in a map of them follows no
/// pointers; longer ones are shared. Either way a copy costs no allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentId(Text);

#[derive(Clone, PartialEq, Eq)]
enum Text {
    /// The whole of it, filled up with zeros.
    Short { length: u8, bytes: [u8; SHORT_MAX] },
    /// Begins as a UUID does; the front is its first 14 digits.
    Uuid { front: [u8; FRONT_BYTES], text: Arc<str> },
    /// Any other; the front is its first bytes.
    Long { front: [u8; FRONT_BYTES], text: Arc<str> },
}

/// An id to look for, made of any text without an allocation. Text that is no id is found nowhere.
pub(crate) struct Sought<'a> {
    text: &'a str,
    key: Key,
}

/// What decides a comparison before the text does.
#[derive(Clone, Copy)]
enum Key {
    Short([u8; SHORT_MAX]),
    Uuid([u8; FRONT_BYTES]),
    Long([u8; FRONT_BYTES]),
}

impl DocumentId {
    /// Checks an id.
    ///
    /// # Errors
    ///
    /// [`InvalidName`] when it is empty, too long or holds a control character.
    pub fn new(id: &str) -> Result<DocumentId, InvalidName> {
        let invalid = |rule| Err(InvalidName::new("document id", id, rule));
        if id.is_empty() {
            return invalid("it is empty");
        }
        if id.len() > DOCUMENT_ID_MAX {
            return invalid("it is longer than 256 bytes of UTF-8");
        }
        let is_plain = id.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_plain && id.chars().any(char::is_control) {
            return invalid("it holds a control character");
        }
        Ok(DocumentId::checked(id))
    }

    /// A new id that sorts after those made before it (UUIDv7, RFC 9562).
    pub fn generate() -> DocumentId {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        DocumentId::checked(uuid::Uuid::now_v7().hyphenated().encode_lower(&mut text))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Short { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .expect("it was made of text of this length"),
            Text::Uuid { text, .. } | Text::Long { text, .. } => text,
        }
    }

    /// Apart from the comparison of short ids, so that this is small enough to be part of the
    /// loops that search.
    #[inline(never)]
    fn cmp_long(&self, other: &DocumentId) -> Ordering {
        match (&self.0, &other.0) {
            (Text::Uuid { front: one, text: own }, Text::Uuid { front: two, text })
            | (Text::Long { front: one, text: own }, Text::Long { front: two, text }) => {
                one.cmp(two).then_with(|| own.cmp(text))
            }
            (Text::Short { .. } | Text::Uuid { .. } | Text::Long { .. }, _) => {
                self.as_str().cmp(other.as_str())
            }
        }
    }

    /// Bytes of its text.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Text::Short { length, .. } => usize::from(*length),
            Text::Uuid { text, .. } | Text::Long { text, .. } => text.len(),
        }
    }

    fn checked(id: &str) -> DocumentId {
        DocumentId(match Key::of(id) {
            Key::Short(bytes) => Text::Short { length: id.len() as u8, bytes },
            Key::Uuid(front) => Text::Uuid { front, text: id.into() },
            Key::Long(front) => Text::Long { front, text: id.into() },
        })
    }
}

impl<'a> Sought<'a> {
    /// The id of this text.
    pub(crate) fn new(text: &'a str) -> Sought<'a> {
        Sought { text, key: Key::of(text) }
    }

    /// Apart for the same reason as [`DocumentId::cmp_long`].
    #[inline(never)]
    fn compare_long(&self, id: &DocumentId) -> Ordering {
        match (&self.key, &id.0) {
            (Key::Uuid(one), Text::Uuid { front: two, text })
            | (Key::Long(one), Text::Long { front: two, text }) => {
                one.cmp(two).then_with(|| self.text.cmp(text))
            }
            (Key::Short(_) | Key::Uuid(_) | Key::Long(_), _) => self.text.cmp(id.as_str()),
        }
    }
}

impl Key {
    fn of(text: &str) -> Key {
        let text = text.as_bytes();
        let mut short = [0; SHORT_MAX];
        match short.get_mut(..text.len()) {
            // A zero in the text would pass for one that fills it up.
            Some(part) if !text.contains(&0) => {
                part.copy_from_slice(text);
                Key::Short(short)
            }
            Some(_) | None => match uuid_front(text) {
                Some(front) => Key::Uuid(front),
                None => Key::Long(std::array::from_fn(|at| text.get(at).copied().unwrap_or(0))),
            },
        }
    }
}

/// The first 14 digits of a text that begins as a UUID in lower case does.
fn uuid_front(text: &[u8]) -> Option<[u8; FRONT_BYTES]> {
    let digit = |at: usize| match text.get(at)? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if (text.get(8), text.get(13)) != (Some(&b'-'), Some(&b'-')) {
        return None;
    }
    let mut front = [0; FRONT_BYTES];
    for (byte, at) in front.iter_mut().zip([0, 2, 4, 6, 9, 11, 14]) {
        *byte = digit(at)? << 4 | digit(at + 1)?;
    }
    Some(front)
}

/// A short text as three numbers. They are cut where the value's words of eight bytes are, behind
/// the two bytes in front of the text: a processor that has just copied an id, as an insertion
/// does, need not wait until it can read across two of them.
#[inline]
fn numbers(short: &[u8; SHORT_MAX]) -> (u64, u64, u64) {
    let [a, b, c, d, e, f, rest @ ..] = short;
    let middle = rest.first_chunk().expect("16 bytes begin with 8");
    let last = rest.last_chunk().expect("16 bytes end with 8");
    let first = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
    (first, u64::from_be_bytes(*middle), u64::from_be_bytes(*last))
}

impl Ord for DocumentId {
    #[inline]
    fn cmp(&self, other: &DocumentId) -> Ordering {
        match (&self.0, &other.0) {
            (Text::Short { bytes: one, .. }, Text::Short { bytes: two, .. }) => {
                numbers(one).cmp(&numbers(two))
            }
            (Text::Short { .. } | Text::Uuid { .. } | Text::Long { .. }, _) => self.cmp_long(other),
        }
    }
}

impl PartialOrd for DocumentId {
    fn partial_cmp(&self, other: &DocumentId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Comparable<DocumentId> for Sought<'_> {
    #[inline]
    fn compare(&self, id: &DocumentId) -> Ordering {
        match (&self.key, &id.0) {
            (Key::Short(one), Text::Short { bytes: two, .. }) => numbers(one).cmp(&numbers(two)),
            (Key::Short(_) | Key::Uuid(_) | Key::Long(_), _) => self.compare_long(id),
        }
    }
}

impl Equivalent<DocumentId> for Sought<'_> {
    fn equivalent(&self, id: &DocumentId) -> bool {
        self.compare(id).is_eq()
    }
}

impl Hash for DocumentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for DocumentId {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for DocumentId {
    type Err = InvalidName;

    fn from_str(id: &str) -> Result<DocumentId, InvalidName> {
        DocumentId::new(id)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts that share fronts of every length with one another, and UUIDs that are none.
    fn texts() -> Vec<String> {
        let uuid = "0190b2c3-d4e5-7f00-8a1b-2c3d4e5f6071";
        let mut texts: Vec<String> =
            ["a", "Zoë", "~", "é", "user-00000007", "user-00000070"].map(str::to_owned).to_vec();
        for base in [uuid, "0190b2c3-d4e5-7f00-8a1b-2c3d4e5f6071-and-on", &"x".repeat(40)] {
            texts.extend((1..=base.len()).filter_map(|end| base.get(..end)).map(str::to_owned));
            for at in 0..base.len() {
                for other in ["0", "9", "a", "f", "g", "F", "-", " ", "é", "😀"] {
                    texts.push([&base[..at], other, &base[at + 1..]].concat());
                }
            }
        }
        texts
    }

    #[test]
    fn ids_are_ordered_as_their_texts_are() {
        let texts = texts();
        let ids: Vec<_> =
            texts.iter().map(|text| text.parse::<DocumentId>().expect(text)).collect();
        for (one, id) in texts.iter().zip(&ids) {
            assert_eq!(id.as_str(), one);
            let sought = Sought::new(one);
            for (two, other) in texts.iter().zip(&ids) {
                assert_eq!(id.cmp(other), one.cmp(two), "{one} {two}");
                assert_eq!(sought.compare(other), one.cmp(two), "{one} {two}");
                assert_eq!(id == other, one == two, "{one} {two}");
            }
        }
    }

    #[test]
    fn text_that_is_no_id_is_ordered_too() {
        for text in ["", "a\0", "\0", "a\n"] {
            for id in texts() {
                let found = Sought::new(text).compare(&id.parse().expect("an id"));
                assert_eq!(found, text.cmp(&id), "{text:?} {id}");
            }
        }
    }

    #[test]
    fn ids_keep_their_size() {
        assert_eq!(size_of::<DocumentId>(), 24);
        assert_eq!(size_of::<Option<DocumentId>>(), 24);
    }
}
