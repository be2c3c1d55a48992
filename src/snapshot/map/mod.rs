//! Ordered maps whose versions share what did not change: B+ trees without slack.
//!
//! A node is one piece of memory exactly as large as what it holds. It never changes: a batch of
//! changes goes down the tree once ([`change`]), and each node that it meets is made anew, however
//! many of the changes meet it. A commit copies the nodes that it changes in any case, because
//! older snapshots hold them, so room for later entries would be paid for and seldom used. Of the
//! memory of nodes with a fixed size, half was such room: a document takes 36 bytes here besides
//! itself, an entry of an index about 60, where it was 76 and 110.
//!
//! Invariant: all leaves are equally deep, no node but an empty map's root is empty, and with each
//! child stands its first key as it is now.

mod change;
mod difference;
mod walk;

pub(super) use change::Changed;
use walk::Walk;

use std::{cmp::Ordering, fmt};

use equivalent::Comparable;

use crate::sync::Arc;

/// An ordered map. A copy costs no more than a count.
pub(crate) struct Map<K, V> {
    root: Node<K, V>,
    len: usize,
}

enum Node<K, V> {
    Leaf(Arc<[(K, V)]>),
    Branch(Arc<[Child<K, V>]>),
}

/// A part of a branch.
struct Child<K, V> {
    /// The least key below it.
    first: K,
    node: Node<K, V>,
}

impl<K, V> Map<K, V> {
    /// A map without entries.
    pub(super) fn new() -> Map<K, V> {
        Map { root: Node::Leaf(Arc::default()), len: 0 }
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// True when it has none.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    ///
    /// # Complexity
    ///
    /// O(log entries), as for all that looks for one place.
    pub(super) fn get<Q: Comparable<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    /// The value of a key, and the key as it lies in the map.
    pub(super) fn get_key_value<Q: Comparable<K> + ?Sized>(&self, key: &Q) -> Option<(&K, &V)> {
        let mut node = &self.root;
        loop {
            match node {
                Node::Branch(children) => node = &children.get(place_of(children, key))?.node,
                Node::Leaf(entries) => {
                    let found = search(entries, |(own, _)| key.compare(own));
                    return entries.get(found.ok()?).map(|(key, value)| (key, value));
                }
            }
        }
    }

    /// The entry of the greatest key.
    pub(super) fn last(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// All entries, in order.
    pub(super) fn iter(&self) -> Walk<'_, K, V> {
        Walk::over(&self.root)
    }

    /// The entries from one place on up to another, in order.
    pub(super) fn range<Q: Comparable<K>>(&self, from: &Q, to: Option<&Q>) -> Walk<'_, K, V> {
        Walk::between(&self.root, from, to)
    }
}

/// Which child a key belongs to; the first also of keys in front of them all.
fn place_of<K, V, Q: Comparable<K> + ?Sized>(children: &[Child<K, V>], key: &Q) -> usize {
    match search(children, |child| key.compare(&child.first)) {
        Ok(place) => place,
        Err(behind) => behind.saturating_sub(1),
    }
}

/// Finds a key among sorted ones, or the place where it would stand.
///
/// Unlike the standard library's search it branches, and ends where it finds the key. A processor
/// guesses the branch and loads what comes next meanwhile; without branches it would wait for each
/// comparison, and those of keys take longer than those of numbers.
#[inline]
fn search<T>(items: &[T], compare: impl Fn(&T) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (0, items.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match items.get(middle).map_or(Ordering::Less, &compare) {
            Ordering::Less => high = middle,
            Ordering::Equal => return Ok(middle),
            Ordering::Greater => low = middle + 1,
        }
    }
    Err(low)
}

impl<K, V> Node<K, V> {
    fn len(&self) -> usize {
        match self {
            Node::Leaf(entries) => entries.len(),
            Node::Branch(children) => children.len(),
        }
    }

    /// The least key below it.
    fn first(&self) -> Option<&K> {
        match self {
            Node::Leaf(entries) => entries.first().map(|(key, _)| key),
            Node::Branch(children) => children.first().map(|child| &child.first),
        }
    }

    /// Levels below it.
    fn depth(&self) -> usize {
        match self {
            Node::Leaf(_) => 0,
            Node::Branch(children) => 1 + children.first().map_or(0, |child| child.node.depth()),
        }
    }

    /// True when both are the same memory, so that nothing can differ.
    fn is_shared(&self, other: &Node<K, V>) -> bool {
        match (self, other) {
            (Node::Leaf(one), Node::Leaf(two)) => Arc::ptr_eq(one, two),
            (Node::Branch(one), Node::Branch(two)) => Arc::ptr_eq(one, two),
            (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => false,
        }
    }
}

impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Map<K, V> {
        Map { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Clone for Node<K, V> {
    fn clone(&self) -> Node<K, V> {
        match self {
            Node::Leaf(entries) => Node::Leaf(Arc::clone(entries)),
            Node::Branch(children) => Node::Branch(Arc::clone(children)),
        }
    }
}

impl<K: Clone, V> Clone for Child<K, V> {
    fn clone(&self) -> Child<K, V> {
        Child { first: self.first.clone(), node: self.node.clone() }
    }
}

/// Two maps are equal when they hold the same, whatever their nodes.
impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Map<K, V>) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests;
