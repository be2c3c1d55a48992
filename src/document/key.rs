//! Keys: bytes that compare as the total order of values does.
//!
//! # The encoding
//!
//! ```text
//! key     = part*                          one part a path, in the order of the paths
//! part    = value                          ascending
//!         | value with every bit inverted  descending
//! value   = 10                             missing
//!         | 20                             null
//!         | 30 | 31                        false, true
//!         | 40 double rest                 number
//!         | 50 text 00                     string
//!         | 60 value* 00                   array
//!         | 70 (01 text 00 value)* 00      object, its members sorted by name
//! double  = 8 bytes: the greatest double not above the number, its sign bit inverted where it is
//!           positive, every bit where it is negative, so that bytes compare as numbers do
//! rest    = 2 bytes: what the number is above that, which only integers past 2^53 are
//! text    = UTF-8, its bytes 00 and 01 written as 01 01 and 01 02
//! ```
//!
//! The first byte tells the kind, in the order of kinds, so everything of one kind is one range.
//!
//! Invariant: no part is the beginning of another, so keys of several parts compare part by part;
//! two values have one encoding when and only when [`compare`](super::compare) finds them equal.

use std::{cmp::Ordering, fmt};

use super::{
    number::Number,
    order::{Direction, sorted_members},
    raw::{Kind, Raw},
};
use crate::sync::Arc;

pub(super) const MISSING: u8 = 0x10;
const NULL: u8 = 0x20;
const FALSE: u8 = 0x30;
const TRUE: u8 = 0x31;
const NUMBER: u8 = 0x40;
pub(super) const STRING: u8 = 0x50;
pub(super) const ARRAY: u8 = 0x60;
pub(super) const OBJECT: u8 = 0x70;

/// Ends a text, an array and an object: below everything that could go on there.
pub(super) const END: u8 = 0x00;
/// Begins a member of an object.
const MEMBER: u8 = 0x01;
/// Stands before a byte of a text that would read as [`END`] or as itself.
const ESCAPE: u8 = 0x01;

/// Keys up to this long lie in the value itself.
const INLINE: usize = 22;

/// A finished key. A copy costs no allocation.
#[derive(Clone)]
pub enum KeyBytes {
    /// A short one, and its length.
    Inline(u8, [u8; INLINE]),
    /// A longer one.
    Shared(Arc<[u8]>),
}

/// Adds a part to a key.
pub fn push_part(key: &mut Vec<u8>, value: Option<Raw<'_>>, direction: Direction) {
    let begun = key.len();
    match value {
        Some(value) => push_value(key, value),
        None => key.push(MISSING),
    }
    if direction == Direction::Descending {
        invert(key, begun);
    }
}

/// The encoding of a text without control characters, byte by byte.
pub fn text_encoding(text: &str) -> impl Iterator<Item = u8> {
    std::iter::once(STRING).chain(text.bytes()).chain(std::iter::once(END))
}

/// The first bytes behind every key that begins with these; none when there is nothing behind.
pub fn successor(mut prefix: Vec<u8>) -> Option<Vec<u8>> {
    while let Some(last) = prefix.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return Some(prefix);
        }
        prefix.pop();
    }
    None
}

/// The length of the first part of a key.
pub fn part_end(key: &[u8], direction: Direction) -> usize {
    let mask = if direction == Direction::Descending { u8::MAX } else { 0 };
    value_end(key, 0, mask)
}

pub(super) fn invert(key: &mut [u8], from: usize) {
    key.iter_mut().skip(from).for_each(|byte| *byte = !*byte);
}

pub(super) fn push_value(key: &mut Vec<u8>, value: Raw<'_>) {
    match value.kind() {
        Kind::Null => key.push(NULL),
        Kind::Bool => key.push(if value.text() == "true" { TRUE } else { FALSE }),
        Kind::Number => {
            key.push(NUMBER);
            push_number(key, value.number().unwrap_or(Number::Int(0)));
        }
        Kind::String => {
            key.push(STRING);
            push_text(key, &value.as_str().unwrap_or_default());
            key.push(END);
        }
        Kind::Array => {
            key.push(ARRAY);
            value.elements().for_each(|element| push_value(key, element));
            key.push(END);
        }
        Kind::Object => {
            key.push(OBJECT);
            for (name, value) in sorted_members(value) {
                key.push(MEMBER);
                push_text(key, &name);
                key.push(END);
                push_value(key, value);
            }
            key.push(END);
        }
    }
}

pub(super) fn push_text(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte <= ESCAPE {
            key.push(ESCAPE);
            key.push(byte + 1);
        } else {
            key.push(byte);
        }
    }
}

fn push_number(key: &mut Vec<u8>, number: Number) {
    let (floor, rest) = match number {
        // Minus zero is zero.
        Number::Float(float) => (float + 0.0, 0),
        Number::Int(integer) => floor_double(integer),
    };
    let bits = floor.to_bits();
    let ordered = if floor.is_sign_negative() { !bits } else { bits ^ (1 << 63) };
    key.extend_from_slice(&ordered.to_be_bytes());
    key.extend_from_slice(&rest.to_be_bytes());
}

/// The greatest double not above an integer of 64 bits, and what is left: less than the distance
/// of doubles below 2^64, which is 2048.
fn floor_double(integer: i128) -> (f64, u16) {
    let nearest = integer as f64;
    let floor = if nearest as i128 > integer { nearest.next_down() } else { nearest };
    let rest = u16::try_from(integer - floor as i128);
    (floor, rest.expect("doubles up to 2^64 are less than 2^16 apart"))
}

/// The place behind the value that begins at `at`, its bits inverted by `mask`.
pub(super) fn value_end(key: &[u8], at: usize, mask: u8) -> usize {
    let byte = |at: usize| key.get(at).map_or(END, |byte| byte ^ mask);
    match byte(at) {
        NUMBER => at + 11,
        STRING => text_end(key, at + 1, mask),
        ARRAY => {
            let mut at = at + 1;
            while byte(at) != END {
                at = value_end(key, at, mask);
            }
            at + 1
        }
        OBJECT => {
            let mut at = at + 1;
            while byte(at) != END {
                at = value_end(key, text_end(key, at + 1, mask), mask);
            }
            at + 1
        }
        _ => at + 1,
    }
}

fn text_end(key: &[u8], at: usize, mask: u8) -> usize {
    let rest = key.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| byte ^ mask == END).map_or(rest.len(), |place| place + 1)
}

/// What the encodings of a kind begin with; the least such byte.
pub(super) fn first_byte(kind: Kind) -> u8 {
    match kind {
        Kind::Null => NULL,
        Kind::Bool => FALSE,
        Kind::Number => NUMBER,
        Kind::String => STRING,
        Kind::Array => ARRAY,
        Kind::Object => OBJECT,
    }
}

impl KeyBytes {
    /// The key of these bytes.
    pub fn new(bytes: &[u8]) -> KeyBytes {
        let mut inline = [0; INLINE];
        match inline.get_mut(..bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                KeyBytes::Inline(bytes.len() as u8, inline)
            }
            None => KeyBytes::Shared(bytes.into()),
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            KeyBytes::Inline(length, bytes) => {
                bytes.get(..usize::from(*length)).unwrap_or_default()
            }
            KeyBytes::Shared(bytes) => bytes,
        }
    }

    /// Bytes of memory besides the value itself.
    pub fn heap_bytes(&self) -> usize {
        match self {
            KeyBytes::Inline(..) => 0,
            KeyBytes::Shared(bytes) => bytes.len() + 32,
        }
    }
}

impl PartialEq for KeyBytes {
    fn eq(&self, other: &KeyBytes) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for KeyBytes {}

impl Ord for KeyBytes {
    fn cmp(&self, other: &KeyBytes) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for KeyBytes {
    fn partial_cmp(&self, other: &KeyBytes) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::order::compare;

    const VALUES: [&str; 38] = [
        "null",
        "false",
        "true",
        "-1e300",
        "-9223372036854775808",
        "-9007199254740993",
        "-9007199254740992.0",
        "-1.5",
        "-1",
        "-0.0",
        "0",
        "5e-324",
        "0.5",
        "1",
        "1.0",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994.0",
        "9223372036854775807",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616.0",
        "1e300",
        r#""""#,
        r#""a""#,
        r#""a\u0000""#,
        r#""a\u0001""#,
        r#""a\u0002""#,
        r#""ab""#,
        r#""😀""#,
        "[]",
        "[null]",
        r#"["a",1]"#,
        "[[]]",
        "{}",
        r#"{"a":1,"b":[]}"#,
        r#"{"b":[],"a":1}"#,
        r#"{"a\u0001":1}"#,
    ];

    fn encoded(value: Option<&str>, direction: Direction) -> Vec<u8> {
        let mut key = Vec::new();
        push_part(&mut key, value.map(Raw::trusted), direction);
        key
    }

    #[test]
    fn keys_compare_as_values_do() {
        let values: Vec<Option<&str>> = VALUES.iter().copied().map(Some).chain([None]).collect();
        for one in &values {
            for two in &values {
                let expected = compare(one.map(Raw::trusted), two.map(Raw::trusted));
                for direction in [Direction::Ascending, Direction::Descending] {
                    let (a, b) = (encoded(*one, direction), encoded(*two, direction));
                    assert_eq!(a.cmp(&b), direction.apply(expected), "{one:?} {two:?}");
                    // What follows a part must not matter unless the parts are equal.
                    let followed = |key: &[u8], by| [key, &[by; 3]].concat();
                    let found = followed(&a, 0).cmp(&followed(&b, 255));
                    assert_eq!(found, direction.apply(expected).then(Ordering::Less));
                }
            }
        }
    }

    #[test]
    fn parts_are_told_apart() {
        for direction in [Direction::Ascending, Direction::Descending] {
            for value in VALUES.iter().copied().map(Some).chain([None]) {
                let mut key = encoded(value, direction);
                let end = key.len();
                push_part(&mut key, Some(Raw::trusted("[7]")), direction);
                assert_eq!(part_end(&key, direction), end, "{value:?}");
            }
        }
    }

    #[test]
    fn short_and_long_keys_are_the_same_thing() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).collect();
            let key = KeyBytes::new(&bytes);
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(matches!(key, KeyBytes::Inline(..)), bytes.len() <= INLINE);
            assert!(KeyBytes::new(&[&bytes[..], &[0]].concat()) > key);
        }
        assert_eq!(size_of::<KeyBytes>(), 24);
    }
}
