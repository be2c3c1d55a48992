//! The places of some bytes in a text: of those that end strings, mostly.
//!
//! They are not sought one by one: each search would have to wait for the one before it. The marks
//! of 64 bytes are found at once and then taken from a mask, after "Parsing Gigabytes of JSON per
//! Second" (Langdale and Lemire, 2019).

use wide::u8x16;

/// The bytes of one block.
pub(super) const BLOCK: usize = 64;

/// The places of some bytes, found a block at a time.
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    /// Where the block begins.
    base: usize,
    /// A bit for each byte of the block that is wanted, the lowest for the first.
    mask: u64,
}

impl<'a> Marks<'a> {
    /// No block has been looked at: every place is before this one.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Marks<'a> {
        Marks { bytes, base: bytes.len() + BLOCK, mask: 0 }
    }

    /// The first wanted byte at or after `from`; the length of the text when there is none. What is
    /// wanted stays the same from call to call, and `from` only grows.
    #[inline]
    pub(super) fn next(&mut self, mut from: usize, wanted: impl Fn(u8x16) -> u8x16) -> usize {
        loop {
            let offset = from.wrapping_sub(self.base);
            if offset < BLOCK {
                let left = self.mask & (u64::MAX << offset);
                if left != 0 {
                    // Behind the end there are zeros, which may be wanted.
                    return self.bytes.len().min(self.base + left.trailing_zeros() as usize);
                }
                from = self.base + BLOCK;
            }
            if from >= self.bytes.len() {
                return self.bytes.len();
            }
            (self.base, self.mask) = (from, mask(&block(self.bytes, from), &wanted));
        }
    }
}

/// The block that begins at `at`, with zeros behind the end.
#[inline]
pub(super) fn block(bytes: &[u8], at: usize) -> [u8; BLOCK] {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; BLOCK];
        padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        padded
    })
}

#[inline]
pub(super) fn mask(block: &[u8; BLOCK], wanted: impl Fn(u8x16) -> u8x16) -> u64 {
    let (lanes, _) = block.as_chunks();
    lanes.iter().rev().fold(0, |mask, lane| {
        let bits = wanted(u8x16::new(*lane)).move_mask();
        (mask << 16) | u64::from(bits as u16)
    })
}

/// What does not stand for itself in a JSON string: a quote, a backslash, a control character.
#[inline]
pub(super) fn is_special(lane: u8x16) -> u8x16 {
    let is_control = lane.min(u8x16::splat(0x1f)).cmp_eq(lane);
    is_control | lane.cmp_eq(u8x16::splat(b'"')) | lane.cmp_eq(u8x16::splat(b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_is_found_as_by_a_look_at_each_byte() {
        let alphabet = [b'a', b'"', b'\\', 0x1f, 0x20, 0x00, 0x7f, 0x80, 0xff, b'!', b']', 0xa2];
        let mut state = 1_u32;
        for length in (0..140).cycle().take(5_000) {
            let mut bytes = vec![b'x'; length];
            for byte in &mut bytes {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if state >> 28 == 0 {
                    *byte = alphabet[(state >> 8) as usize % alphabet.len()];
                }
            }
            let mut marks = Marks::of(&bytes);
            let mut from = 0;
            while from < length {
                let is_special = |b: &u8| *b < 0x20 || *b == b'"' || *b == b'\\';
                let slow = bytes.iter().skip(from).position(is_special);
                let expected = slow.map_or(length, |place| from + place);
                assert_eq!(marks.next(from, super::is_special), expected, "{bytes:?} {from}");
                from = expected + 1 + (state >> 30) as usize;
            }
        }
    }
}
