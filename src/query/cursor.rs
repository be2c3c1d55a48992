//! Cursors: where a page of a listing ended, to go on from there.
//!
//! A cursor is text that means nothing to its holder. It is stateless: all there is to know stands
//! in it, and whoever asks for the next page sends it along with the same collection, filter and
//! sort, and a limit of its own. Pages are read at the version of the first one, so they neither
//! skip nor repeat a document, whatever is written meanwhile.
//!
//! ```text
//! cursor   = hex of: format check opening version listing last
//! format   = 1 byte, 1
//! check    = 4 bytes, CRC-32 of what follows
//! opening  = 8 bytes, drawn when the database was opened: a version number is not enough to name
//!            a state, since a crash may take back commits that asked for no sync
//! version  = 8 bytes, at which the listing is read
//! listing  = 8 bytes, a fingerprint of collection, filter and sort
//! last     = the id of the last document of the page, 1 to 256 bytes of UTF-8
//! ```
//!
//! Numbers are big-endian. The values that the last document sorts by are not in it: the document
//! itself is there at that version, and they may be megabytes. The check is against accidents; a
//! cursor is taken as input from outside, and one that was made up names at worst another place in
//! a listing that its sender may see anyway.

use std::{
    cmp::Ordering,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    str::FromStr,
};

use super::{Query, Sort, SortKey, invalid};
use crate::{
    document::Document,
    error::{Error, Result},
    names::{CollectionName, DOCUMENT_ID_MAX, DocumentId},
    version::Version,
};

/// The format that is written, and the only one that is read.
const FORMAT: u8 = 1;

/// Bytes before the id.
const HEAD_BYTES: usize = 1 + 4 + 8 + 8 + 8;

/// Where a page of a listing ended; see the module's document.
///
/// ```
/// use monsterdb::query::Cursor;
/// assert!("no cursor".parse::<Cursor>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which opening of the database its version is one of.
    pub(crate) opening: u64,
    pub(crate) version: Version,
    /// What [`Query::fingerprint`] said of the listing.
    pub(crate) listing: u64,
    /// The last document of the page.
    pub(crate) last: DocumentId,
}

/// A place in an order of documents: that of a document, there or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    key: SortKey,
    id: DocumentId,
}

impl Cursor {
    /// The version that its listing is read at.
    pub fn version(&self) -> Version {
        self.version
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(HEAD_BYTES + self.last.as_str().len());
        for number in [self.opening, self.version.get(), self.listing] {
            body.extend(number.to_be_bytes());
        }
        body.extend(self.last.as_str().as_bytes());
        let check = crc32fast::hash(&body).to_be_bytes();
        [&[FORMAT], &check[..], &body].concat()
    }

    fn of_bytes(bytes: &[u8]) -> Option<Cursor> {
        let (format, rest) = bytes.split_first()?;
        let (check, body) = rest.split_first_chunk()?;
        if *format != FORMAT || u32::from_be_bytes(*check) != crc32fast::hash(body) {
            return None;
        }
        let (opening, rest) = body.split_first_chunk()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (listing, last) = rest.split_first_chunk()?;
        Some(Cursor {
            opening: u64::from_be_bytes(*opening),
            version: Version::new(u64::from_be_bytes(*version)),
            listing: u64::from_be_bytes(*listing),
            last: DocumentId::new(std::str::from_utf8(last).ok()?).ok()?,
        })
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Cursor> {
        let longest = 2 * (HEAD_BYTES + DOCUMENT_ID_MAX);
        let bytes = if text.len() <= longest { of_hex(text) } else { None };
        let cursor = bytes.and_then(|bytes| Cursor::of_bytes(&bytes));
        cursor.ok_or_else(|| invalid("the cursor is damaged, or none that this database made"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Position {
    /// The place of a document in an order.
    pub fn of(sort: &Sort, id: DocumentId, document: &Document) -> Position {
        Position { key: sort.key(document), id }
    }

    /// The id that it stands at among equal values.
    pub(crate) fn id(&self) -> &DocumentId {
        &self.id
    }

    /// How a document stands to this place. The order is the one that the place was made for.
    pub(crate) fn compare(&self, sort: &Sort, id: &DocumentId, document: &Document) -> Ordering {
        sort.key(document).cmp(&self.key).then_with(|| id.cmp(&self.id))
    }
}

impl Query {
    /// Only what comes behind a place in its order.
    #[must_use]
    pub fn after(mut self, position: Position) -> Query {
        self.after = Some(position);
        self
    }

    /// A number for the listing that this is of a collection, whatever its limit: two listings
    /// have the same one by an accident only.
    pub(crate) fn fingerprint(&self, collection: &CollectionName) -> u64 {
        let mut hasher = DefaultHasher::new();
        let listing = (collection.as_str(), self.filter.to_json(), self.sort.to_string());
        listing.hash(&mut hasher);
        hasher.finish()
    }

    /// True when a document comes behind the place that the query goes on from, if there is one.
    pub(super) fn is_behind(&self, id: &DocumentId, document: &Document) -> bool {
        let position = self.after.as_ref();
        position.is_none_or(|position| position.compare(&self.sort, id, document).is_gt())
    }
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn cursor(last: &str) -> Cursor {
        let last = DocumentId::new(last).unwrap();
        Cursor { opening: u64::MAX, version: Version::new(17), listing: 3, last }
    }

    #[test]
    fn what_is_written_is_read() {
        for id in ["a", "Zoë 😀", &"x".repeat(256)] {
            let text = cursor(id).to_string();
            assert_eq!(text.parse::<Cursor>().unwrap(), cursor(id));
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "it goes into URLs");
        }
    }

    /// The format, byte for byte.
    #[test]
    fn the_format() {
        let text = cursor("u1").to_string();
        let body = "ffffffffffffffff000000000000001100000000000000037531";
        assert_eq!(text.get(..2), Some("01"));
        assert_eq!(text.get(10..), Some(body));
    }

    #[test]
    fn what_is_damaged_is_refused() {
        let text = cursor("u1").to_string();
        for end in 0..text.len() {
            assert!(text[..end].parse::<Cursor>().is_err(), "cut to {end}");
            let mut bytes = text.clone().into_bytes();
            bytes[end] = if bytes[end] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed.parse::<Cursor>().is_err(), "changed at {end}");
        }
        for text in ["", "0", "zz", "+1", "é", &"0".repeat(10_000), &format!("{text}00")] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
        // What a true check vouches for is looked at all the same.
        let body = cursor("u1").bytes()[5..HEAD_BYTES].to_vec();
        for id in [&b""[..], b"\xff", b"a\x00", &[b'x'; 257]] {
            let body = [&body, id].concat();
            let check = crc32fast::hash(&body).to_be_bytes();
            assert_eq!(Cursor::of_bytes(&[&[FORMAT], &check[..], &body].concat()), None);
        }
    }
}
