//! Finding the ends of strings and values in JSON text, without allocating.
//!
//! Invariant: nothing here panics or fails to end, whatever the bytes; on text that has passed the
//! border the answers are right.

use super::members::{container_end, scalar_end};

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

/// The first quote or backslash at or after `from`; the length of the text when there is none.
/// Behind the border strings hold no control characters, so that this is all there is to look for.
#[inline]
fn quote_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(sixteen) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let word = u128::from_le_bytes(*sixteen);
        let below =
            (word ^ spread(b'"')).wrapping_sub(LOW) | (word ^ spread(b'\\')).wrapping_sub(LOW);
        // A byte with its high bit set is neither.
        let special = below & !word & HIGH;
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 16;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|&b| matches!(b, b'"' | b'\\')).unwrap_or(tail.len())
}

/// The place behind the string whose opening quote is at `at`.
#[inline]
pub(super) fn string_end(bytes: &[u8], at: usize) -> usize {
    let end = quote_end(bytes, at + 1);
    if bytes.get(end) == Some(&b'"') { end + 1 } else { escaped_string_end(bytes, end) }
}

/// The same, from the first backslash in the string.
fn escaped_string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(_) => at = quote_end(bytes, at + 2),
            None => return bytes.len(),
        }
    }
}

/// The place behind the value that begins at `at`, in compact text.
#[inline]
pub(super) fn value_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at),
        Some(b'{' | b'[') => container_end(bytes, at),
        Some(_) | None => scalar_end(bytes, at),
    }
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
    fn ends_are_found() {
        assert_eq!(string_end(br#""a\"b","c""#, 0), 6);
        assert_eq!(value_end(br#"[1,"]",{"a":[]}],2"#, 0), 16);
        assert_eq!(value_end(b"12,3", 0), 2);
        assert_eq!(value_end(br#""open\"#, 0), 6);
        assert_eq!(value_end(b"[[[", 0), 3);
        assert_eq!(value_end(b"", 5), 5);
    }
}
