//! That no object names a member twice.
//!
//! Every name sets one of 256 bits, which its bytes choose. As long as each finds its bit free, the
//! names differ, and nothing is compared. Where one does not, all names of the object are sorted:
//! that is cheap for any number of them.

use std::borrow::Cow;

/// Names of all open objects together, commonly: so many have room from the start.
const NAMES_COMMON: usize = 16;

/// Names of the members met so far of all objects that are open, innermost last.
pub(super) struct Names<'a>(Vec<Cow<'a, str>>);

/// The names of one object.
pub(super) struct Object {
    /// How many names the objects around it have so far.
    outer: usize,
    bits: [u64; 4],
    is_doubtful: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Names<'a> {
        Names(Vec::with_capacity(NAMES_COMMON))
    }

    /// Begins an object inside those that are open.
    pub(super) fn open(&self) -> Object {
        Object { outer: self.0.len(), bits: [0; 4], is_doubtful: false }
    }

    /// Notes a name of the innermost object.
    pub(super) fn meet(&mut self, object: &mut Object, name: Cow<'a, str>) {
        let place = place(name.as_bytes());
        let mask = 1 << (place % 64);
        if let Some(bits) = object.bits.get_mut(place / 64) {
            object.is_doubtful |= *bits & mask != 0;
            *bits |= mask;
        }
        self.0.push(name);
    }

    /// Ends the innermost object, and returns a name that it has twice.
    pub(super) fn close(&mut self, object: &Object) -> Option<String> {
        let twice = if object.is_doubtful { self.twice(object.outer) } else { None };
        self.0.truncate(object.outer);
        twice
    }

    #[inline(never)]
    fn twice(&mut self, outer: usize) -> Option<String> {
        let names = self.0.get_mut(outer..).unwrap_or_default();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(a.clone().into_owned()),
            _ => None,
        })
    }
}

/// Which of the bits is a name's, by its length, its first bytes and its last.
fn place(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => name.iter().fold((0, 0), |(bytes, _), byte| (bytes << 8 | u32::from(*byte), 0)),
    };
    let all = u64::from(first) << 32 | u64::from(last) ^ name.len() as u64;
    // The multiplier is 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming,
    // 6.4); the highest bits of the product depend on all of the name's.
    (all.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice<'a>(names: &mut Names<'a>, object: &[&'a str]) -> Option<String> {
        let mut open = names.open();
        object.iter().for_each(|name| names.meet(&mut open, Cow::Borrowed(name)));
        names.close(&open)
    }

    #[test]
    fn a_name_is_found_twice_only_in_its_own_object() {
        let mut names = Names::new();
        let mut outer = names.open();
        names.meet(&mut outer, "a".into());
        assert_eq!(twice(&mut names, &["a", "b", ""]), None);
        assert_eq!(twice(&mut names, &["b", "a", "b"]), Some("b".to_owned()));
        names.meet(&mut outer, "b".into());
        assert_eq!(names.close(&outer), None);
        assert_eq!(twice(&mut names, &["", ""]), Some(String::new()));
    }

    #[test]
    fn names_that_share_a_bit_are_told_apart() {
        // More names than there are bits, of every length, alike in front and behind.
        let many: Vec<String> =
            (0..300).map(|n| format!("same{}{n}same", "x".repeat(n % 7))).collect();
        let mut all: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(twice(&mut Names::new(), &all), None);
        for name in &many {
            all.push(name);
            assert_eq!(twice(&mut Names::new(), &all).as_ref(), Some(name));
            all.pop();
        }
    }
}
