//! The bytes of a file, stored only as far as something was ever written into them.
//!
//! Invariant: `stored.len() <= length`; what lies between the two reads as zeros. A prepared log
//! segment of megabytes of zeros therefore takes no memory.

use std::ops::Range;

/// What a file holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Bytes {
    stored: Vec<u8>,
    length: u64,
}

impl Bytes {
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Bytes from the start that may be other than zero.
    pub(super) fn stored_len(&self) -> u64 {
        self.stored.len() as u64
    }

    /// Copies from `offset` on and returns how many bytes there were.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let there = index(self.length.saturating_sub(offset)).min(buffer.len());
        let wanted = buffer.get_mut(..there).unwrap_or_default();
        wanted.fill(0);
        let stored = self.stored.get(index(offset)..).unwrap_or_default();
        for (to, from) in wanted.iter_mut().zip(stored) {
            *to = *from;
        }
        there
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let range = index(offset)..index(offset) + bytes.len();
        if self.stored.len() < range.end {
            self.stored.resize(range.end, 0);
        }
        self.stored.get_mut(range).expect("it was just made long enough").copy_from_slice(bytes);
        self.length = self.length.max(self.stored_len());
    }

    pub(super) fn write_zeros(&mut self, range: Range<u64>) {
        let end = index(range.end).min(self.stored.len());
        if let Some(part) = self.stored.get_mut(index(range.start)..end) {
            part.fill(0);
        }
        self.length = self.length.max(range.end);
    }

    /// Cuts the bytes off, or lengthens them by zeros.
    pub(super) fn set_len(&mut self, length: u64) {
        self.stored.truncate(index(length));
        self.length = length;
    }

    /// Changes one byte's bits; false when it lies behind the end.
    pub(super) fn alter(&mut self, offset: u64, xor: u8) -> bool {
        if offset >= self.length {
            return false;
        }
        let mut byte = [0];
        self.read(offset, &mut byte);
        self.write(offset, &byte.map(|b| b ^ xor));
        true
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut all = self.stored.clone();
        all.resize(index(self.length), 0);
        all
    }
}

/// An offset as a place in memory. What does not fit in memory was never stored.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
