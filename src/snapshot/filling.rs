//! Maps that are made of sorted entries, laid out for look-ups.
//!
//! A leaf splits in half, and of entries that come in order the first half gets no more: every leaf
//! would stay half empty. So every other entry goes first, and those between fill up. Fewer leaves
//! take less memory, and more of them stay in the processor's cache.

use im::OrdMap;

/// A map that is being made.
pub(super) struct Filling<K, V> {
    map: OrdMap<K, V>,
    between: Vec<(K, V)>,
    /// True when the next entry is one that goes first.
    first: bool,
}

impl<K: Ord + Clone, V: Clone> Filling<K, V> {
    /// Of about so many entries.
    pub(super) fn new(entries: usize) -> Filling<K, V> {
        Filling { map: OrdMap::new(), between: Vec::with_capacity(entries / 2), first: true }
    }

    /// The next entry in the order of keys.
    pub(super) fn push(&mut self, key: K, value: V) {
        match self.first {
            true => drop(self.map.insert(key, value)),
            false => self.between.push((key, value)),
        }
        self.first = !self.first;
    }

    /// The whole map.
    pub(super) fn finish(mut self) -> OrdMap<K, V> {
        self.map.extend(self.between);
        self.map
    }
}
