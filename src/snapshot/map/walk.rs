//! Walking over a map from both ends.
//!
//! Between the leaf that is read at the front and the one that is read at the back lie children
//! that were not looked at yet, in order. Each end opens the child next to it when its own leaf is
//! at its end; where there is none, it goes on in the other end's leaf.

use std::{collections::VecDeque, iter::FusedIterator, slice};

use equivalent::Comparable;

use super::{Child, Node, place_of, search};

/// The entries of a part of a map that are not read yet.
pub(in crate::snapshot) struct Walk<'a, K, V> {
    front: slice::Iter<'a, (K, V)>,
    between: VecDeque<&'a [Child<K, V>]>,
    back: slice::Iter<'a, (K, V)>,
}

impl<'a, K, V> Walk<'a, K, V> {
    fn empty() -> Walk<'a, K, V> {
        Walk { front: [].iter(), between: VecDeque::new(), back: [].iter() }
    }

    /// All entries below a node.
    pub(super) fn over(node: &'a Node<K, V>) -> Walk<'a, K, V> {
        let mut walk = Walk::empty();
        match node {
            Node::Leaf(entries) => walk.front = entries.iter(),
            Node::Branch(children) => walk.between.push_back(children),
        }
        walk
    }

    /// The entries below a node from one place on up to another.
    pub(super) fn between<Q: Comparable<K>>(
        mut node: &'a Node<K, V>,
        from: &Q,
        to: Option<&Q>,
    ) -> Walk<'a, K, V> {
        let mut walk = Walk::empty();
        loop {
            match node {
                Node::Leaf(entries) => {
                    let end = to.map_or(entries.len(), |to| place_in(entries, to));
                    let entries = entries.get(place_in(entries, from)..end);
                    walk.front = entries.unwrap_or_default().iter();
                    return walk;
                }
                Node::Branch(children) => {
                    let first = place_of(children, from);
                    let last = to.map_or(children.len() - 1, |to| place_of(children, to));
                    match (children.get(first..=last), to) {
                        (Some([only]), _) => node = &only.node,
                        (Some([first, between @ .., last]), to) => {
                            walk.between.push_back(between);
                            walk.begin(&first.node, from);
                            walk.end(&last.node, to);
                            return walk;
                        }
                        // The places are in the wrong order.
                        (Some([]) | None, _) => return walk,
                    }
                }
            }
        }
    }

    /// Puts what is below a node, from a place on, in front.
    fn begin<Q: Comparable<K>>(&mut self, mut node: &'a Node<K, V>, from: &Q) {
        while let Node::Branch(children) = node {
            let (_, from) = children.split_at(place_of(children, from));
            let Some((child, behind)) = from.split_first() else { return };
            self.between.push_front(behind);
            node = &child.node;
        }
        if let Node::Leaf(entries) = node {
            self.front = entries.get(place_in(entries, from)..).unwrap_or_default().iter();
        }
    }

    /// Puts what is below a node, up to a place, behind.
    fn end<Q: Comparable<K>>(&mut self, mut node: &'a Node<K, V>, to: Option<&Q>) {
        while let Node::Branch(children) = node {
            let last = to.map_or(children.len() - 1, |to| place_of(children, to));
            let (before, from) = children.split_at(last);
            let Some(child) = from.first() else { return };
            self.between.push_back(before);
            node = &child.node;
        }
        if let Node::Leaf(entries) = node {
            let end = to.map_or(entries.len(), |to| place_in(entries, to));
            self.back = entries.get(..end).unwrap_or_default().iter();
        }
    }

    #[inline(never)]
    fn next_leaf(&mut self) -> Option<&'a (K, V)> {
        while let Some(children) = self.between.pop_front() {
            let Some((child, behind)) = children.split_first() else { continue };
            self.between.push_front(behind);
            match &child.node {
                Node::Branch(children) => self.between.push_front(children),
                Node::Leaf(entries) => {
                    self.front = entries.iter();
                    return self.front.next();
                }
            }
        }
        self.back.next()
    }

    #[inline(never)]
    fn next_leaf_back(&mut self) -> Option<&'a (K, V)> {
        while let Some(children) = self.between.pop_back() {
            let Some((child, before)) = children.split_last() else { continue };
            self.between.push_back(before);
            match &child.node {
                Node::Branch(children) => self.between.push_back(children),
                Node::Leaf(entries) => {
                    self.back = entries.iter();
                    return self.back.next_back();
                }
            }
        }
        self.front.next_back()
    }
}

/// How many entries are in front of a place.
fn place_in<K, V, Q: Comparable<K>>(entries: &[(K, V)], place: &Q) -> usize {
    search(entries, |(key, _)| place.compare(key)).unwrap_or_else(|place| place)
}

impl<'a, K, V> Iterator for Walk<'a, K, V> {
    type Item = (&'a K, &'a V);

    #[inline]
    fn next(&mut self) -> Option<(&'a K, &'a V)> {
        let (key, value) = match self.front.next() {
            Some(entry) => entry,
            None => self.next_leaf()?,
        };
        Some((key, value))
    }
}

impl<K, V> DoubleEndedIterator for Walk<'_, K, V> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let (key, value) = match self.back.next_back() {
            Some(entry) => entry,
            None => self.next_leaf_back()?,
        };
        Some((key, value))
    }
}

impl<K, V> FusedIterator for Walk<'_, K, V> {}
