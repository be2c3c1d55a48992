//! What differs between two versions of a map, without a look at what they share.
//!
//! Both are walked at once, in the order of keys. A child that nobody has opened stands for the
//! first key below it; where both sides come to the same memory, both pass it. Else the higher of
//! the two is opened, so that what is shared below is met on both sides at the same time.

use std::{cmp::Ordering, slice};

use super::{Child, Map, Node};

/// The keys whose values differ, each with the earlier value and the later.
pub(in crate::snapshot) struct Difference<'a, K, V> {
    earlier: Side<'a, K, V>,
    later: Side<'a, K, V>,
}

/// What is left of one map.
struct Side<'a, K, V> {
    /// Of the leaf that is open.
    entries: slice::Iter<'a, (K, V)>,
    /// Nodes that are not open, the next one last; each with its first key.
    waiting: Vec<Waiting<'a, K, V>>,
}

struct Waiting<'a, K, V> {
    first: &'a K,
    node: &'a Node<K, V>,
    depth: usize,
}

/// What comes next on a side.
enum Next<'a, 's, K, V> {
    Entry(&'a (K, V)),
    Waiting(&'s Waiting<'a, K, V>),
}

impl<K: Ord, V: PartialEq> Map<K, V> {
    /// What differs in a later version.
    ///
    /// # Complexity
    ///
    /// O(differences × log entries) where the one was made of the other.
    pub(in crate::snapshot) fn difference<'a>(
        &'a self,
        later: &'a Map<K, V>,
    ) -> Difference<'a, K, V> {
        Difference { earlier: Side::of(&self.root), later: Side::of(&later.root) }
    }
}

impl<'a, K: Ord, V: PartialEq> Iterator for Difference<'a, K, V> {
    type Item = (&'a K, Option<&'a V>, Option<&'a V>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = match (self.earlier.peek(), self.later.peek()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(earlier), Some(later)) => earlier.key().cmp(later.key()),
            };
            let found = match order {
                Ordering::Less => self.earlier.entry().map(|(key, value)| (key, Some(value), None)),
                Ordering::Greater => {
                    self.later.entry().map(|(key, value)| (key, None, Some(value)))
                }
                Ordering::Equal => self.same_key(),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl<'a, K: Ord, V: PartialEq> Difference<'a, K, V> {
    /// Goes on where both sides come to one key; gives it when both have come to its value.
    fn same_key(&mut self) -> Option<(&'a K, Option<&'a V>, Option<&'a V>)> {
        let (earlier, later) = (self.earlier.peek()?, self.later.peek()?);
        match (earlier, later) {
            (Next::Entry((key, old)), Next::Entry((_, new))) => {
                self.earlier.entries.next();
                self.later.entries.next();
                (old != new).then_some((key, Some(old), Some(new)))
            }
            (Next::Waiting(one), Next::Waiting(two)) if one.node.is_shared(two.node) => {
                self.earlier.waiting.pop();
                self.later.waiting.pop();
                None
            }
            (Next::Waiting(one), Next::Waiting(two)) => {
                let order = one.depth.cmp(&two.depth);
                if order.is_ge() {
                    self.earlier.open();
                }
                if order.is_le() {
                    self.later.open();
                }
                None
            }
            (Next::Waiting(_), Next::Entry(_)) => {
                self.earlier.open();
                None
            }
            (Next::Entry(_), Next::Waiting(_)) => {
                self.later.open();
                None
            }
        }
    }
}

impl<'a, K, V> Side<'a, K, V> {
    fn of(root: &'a Node<K, V>) -> Side<'a, K, V> {
        let mut side = Side { entries: [].iter(), waiting: Vec::new() };
        if let Some(first) = root.first() {
            side.waiting.push(Waiting { first, node: root, depth: root.depth() });
        }
        side
    }

    fn peek(&self) -> Option<Next<'a, '_, K, V>> {
        match self.entries.as_slice().first() {
            Some(entry) => Some(Next::Entry(entry)),
            None => self.waiting.last().map(Next::Waiting),
        }
    }

    /// The next entry, if it lies open; else the next node is opened.
    fn entry(&mut self) -> Option<&'a (K, V)> {
        let entry = self.entries.next();
        if entry.is_none() {
            self.open();
        }
        entry
    }

    fn open(&mut self) {
        let Some(Waiting { node, depth, .. }) = self.waiting.pop() else { return };
        match node {
            Node::Leaf(entries) => self.entries = entries.iter(),
            Node::Branch(children) => {
                let waiting = |child: &'a Child<K, V>| Waiting {
                    first: &child.first,
                    node: &child.node,
                    depth: depth.saturating_sub(1),
                };
                self.waiting.extend(children.iter().rev().map(waiting));
            }
        }
    }
}

impl<'a, K, V> Next<'a, '_, K, V> {
    fn key(&self) -> &'a K {
        match self {
            Next::Entry((key, _)) => key,
            Next::Waiting(waiting) => waiting.first,
        }
    }
}
