//! Finding the ends of strings and values in JSON text, without allocating.
//!
//! Invariant: nothing here panics or fails to end, whatever the bytes; on text that has passed the
//! border the answers are right.

use std::ops::Range;

use super::string::unescape;

const LOW: u128 = u128::from_ne_bytes([0x01; 16]);
const HIGH: u128 = u128::from_ne_bytes([0x80; 16]);

/// The first byte at or after `from` that does not stand for itself in a JSON string: a quote, a
/// backslash or a control character. The length of the text when there is none.
///
/// It looks at sixteen bytes at a time, which holds most strings whole, so that the processor can
/// foresee how often it goes round. The test for a byte below a bound is the one in "Bit Twiddling
/// Hacks" (Anderson): what is subtracted borrows from the high bit. It is exact for the lowest such
/// byte, and a byte equals another when their difference in bits is below one.
pub(super) fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(sixteen) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let word = u128::from_le_bytes(*sixteen);
        let below = word.wrapping_sub(spread(0x20))
            | (word ^ spread(b'"')).wrapping_sub(LOW)
            | (word ^ spread(b'\\')).wrapping_sub(LOW);
        // A byte with its high bit set is none of the three.
        let special = below & !word & HIGH;
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 16;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|&b| matches!(b, b'"' | b'\\' | ..0x20)).unwrap_or(tail.len())
}

/// The place behind the string whose opening quote is at `at`.
pub(super) fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = plain_end(bytes, at + 1);
    loop {
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at = plain_end(bytes, at + 2),
            Some(_) => at = plain_end(bytes, at + 1),
            None => return bytes.len(),
        }
    }
}

/// The value of the first member of an object that stands under `name`, as a range of bytes.
/// Filters spend their time here.
pub(super) fn member(object: &str, name: &str) -> Option<Range<usize>> {
    let bytes = object.as_bytes();
    let mut at = 1;
    while bytes.get(at) == Some(&b'"') {
        let plain = plain_end(bytes, at + 1);
        let (key_end, found) = match bytes.get(plain) {
            Some(b'"') => (plain + 1, bytes.get(at + 1..plain) == Some(name.as_bytes())),
            Some(_) | None => {
                let end = string_end(bytes, at);
                (end, object.get(at + 1..end - 1).is_some_and(|inner| unescape(inner) == name))
            }
        };
        // A colon stands between key and value, and a comma behind the value.
        let value = key_end + 1..value_end(bytes, key_end + 1);
        if found {
            return Some(value);
        }
        at = value.end + 1;
    }
    None
}

/// The place behind the value that begins at `at`, in compact text.
pub(super) fn value_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at),
        Some(b'{' | b'[') => container_end(bytes, at),
        Some(_) | None => {
            let rest = bytes.get(at..).unwrap_or_default();
            at + rest.iter().position(|b| matches!(b, b',' | b']' | b'}')).unwrap_or(rest.len())
        }
    }
}

fn container_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The most arrays and objects that are open at one place of the text.
pub(super) fn depth(bytes: &[u8]) -> usize {
    let (mut open, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

const fn spread(byte: u8) -> u128 {
    LOW * byte as u128
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plain_end_agrees_with_a_look_at_each_byte() {
        let alphabet = [b'a', b'"', b'\\', 0x1f, 0x20, 0x00, 0x7f, 0x80, 0xff, b'!', b']', 0xa2];
        let mut state = 1_u32;
        for _ in 0..20_000 {
            let mut bytes = [b'x'; 19];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 29 == 0 {
                    *byte = alphabet[(state >> 8) as usize % alphabet.len()];
                }
            }
            let slow = bytes.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\');
            assert_eq!(plain_end(&bytes, 0), slow.unwrap_or(bytes.len()), "{bytes:?}");
        }
    }

    #[test]
    fn members_are_found() {
        let object = r#"{"a":[1,{"b":2}],"\u0062":"x","c\"":null,"":{}}"#;
        let found = |name| member(object, name).map(|range| object.get(range).unwrap());
        assert_eq!(found("a"), Some(r#"[1,{"b":2}]"#));
        assert_eq!(found("b"), Some(r#""x""#));
        assert_eq!(found("c\""), Some("null"));
        assert_eq!(found(""), Some("{}"));
        assert_eq!(found("d"), None);
        for damaged in ["", "{", "{\"", "{\"a", "{\"\\", "{\"a\"", "{\"a\":", "{\"b\":1,", "[1]"] {
            let value = member(damaged, "a").and_then(|range| damaged.get(range));
            assert_eq!(value.unwrap_or_default(), "", "{damaged}");
        }
    }

    #[test]
    fn ends_are_found() {
        assert_eq!(string_end(br#""a\"b","c""#, 0), 6);
        assert_eq!(value_end(br#"[1,"]",{"a":[]}],2"#, 0), 16);
        assert_eq!(value_end(b"12,3", 0), 2);
        assert_eq!(value_end(br#""open\"#, 0), 6);
        assert_eq!(value_end(b"[[[", 0), 3);
        assert_eq!(value_end(b"", 5), 5);
    }
}
