//! Making the next version of a map, and a map of what is sorted already.
//!
//! A node that overflows is cut into equal parts; but where entries were added at its end, as ids
//! that ascend are, into full ones, because nothing will come between those. Neighbours that are
//! nearly empty are laid together whenever their branch is made anew.

use super::{Child, Map, Node, place_of, search};
use crate::sync::Arc;

/// Entries of a leaf, and children of a branch, at most: more make look-ups a little faster, and
/// each commit copy more.
pub(super) const NODE_MAX: usize = 24;

/// Neighbours that have no more than this together become one.
const NEIGHBOURS_MIN: usize = NODE_MAX / 2;

/// What becomes of one key: its new value, or none.
pub(in crate::snapshot) type Changed<K, V> = (K, Option<V>);

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// A map of entries that are in the order of keys, each key once. Its nodes are full.
    ///
    /// # Complexity
    ///
    /// O(entries).
    pub(in crate::snapshot) fn from_sorted(entries: Vec<(K, V)>) -> Map<K, V> {
        let len = entries.len();
        Map { root: rooted(leaves(entries, true)), len }
    }

    /// Puts and removes entries. The changes are in the order of keys, each key once.
    ///
    /// # Complexity
    ///
    /// O(changes × log entries), less where changes meet the same nodes.
    pub(in crate::snapshot) fn apply(&mut self, changes: &[Changed<K, V>]) {
        debug_assert!(changes.is_sorted_by(|(one, _), (two, _)| one < two), "in order, each once");
        if !changes.is_empty() && !self.root.change_in_place(changes, &mut self.len) {
            self.root = rooted(self.root.changed(changes, &mut self.len));
        }
    }
}

impl<K: Ord + Clone, V: Clone> Node<K, V> {
    /// Changes one leaf and nothing else, where that is enough and nobody else holds the branches
    /// above it, as in recovery. False when it is not: then nothing was done.
    fn change_in_place(&mut self, changes: &[Changed<K, V>], len: &mut usize) -> bool {
        match self {
            Node::Leaf(entries) => {
                let merged = merged(entries, changes);
                let least = entries.len().clamp(1, NEIGHBOURS_MIN);
                let fits = (least..=NODE_MAX).contains(&merged.len());
                if fits {
                    *len = *len + merged.len() - entries.len();
                    *entries = merged.into();
                }
                fits
            }
            Node::Branch(children) => {
                let (Some(children), [(from, _), ..], [.., (to, _)]) =
                    (Arc::get_mut(children), changes, changes)
                else {
                    return false;
                };
                let place = place_of(children, from);
                let is_alone = place == place_of(children, to);
                let Some(child) = children.get_mut(place).filter(|_| is_alone) else {
                    return false;
                };
                let fits = child.node.change_in_place(changes, len);
                if let Some(first) = child.node.first().filter(|first| **first != child.first) {
                    child.first = first.clone();
                }
                fits
            }
        }
    }

    /// What takes this node's place: any number of nodes of the same depth.
    fn changed(&self, changes: &[Changed<K, V>], len: &mut usize) -> Vec<Child<K, V>> {
        match self {
            Node::Leaf(entries) => {
                let merged = merged(entries, changes);
                *len = *len + merged.len() - entries.len();
                let last = merged.last().map(|(key, _)| key);
                let is_appended = last > entries.last().map(|(key, _)| key);
                leaves(merged, is_appended)
            }
            Node::Branch(children) => {
                let changed = changed_children(children, changes, len);
                let last = changed.last().map(|child| &child.first);
                let is_appended = last > children.last().map(|child| &child.first);
                branches(changed, is_appended)
            }
        }
    }
}

/// A leaf's entries after changes.
fn merged<K: Ord + Clone, V: Clone>(entries: &[(K, V)], changes: &[Changed<K, V>]) -> Vec<(K, V)> {
    let mut out = Vec::with_capacity(entries.len() + changes.len());
    let mut rest = entries;
    for (key, value) in changes {
        let place = search(rest, |(own, _)| key.cmp(own)).unwrap_or_else(|place| place);
        let (before, from) = rest.split_at(place);
        out.extend_from_slice(before);
        rest = match from.split_first() {
            Some(((own, _), behind)) if own == key => behind,
            Some(_) | None => from,
        };
        out.extend(value.as_ref().map(|value| (key.clone(), value.clone())));
    }
    out.extend_from_slice(rest);
    out
}

/// A branch's children after changes.
fn changed_children<K: Ord + Clone, V: Clone>(
    children: &[Child<K, V>],
    changes: &[Changed<K, V>],
    len: &mut usize,
) -> Vec<Child<K, V>> {
    let mut out = Vec::with_capacity(children.len() + 1);
    let (mut children, mut changes) = (children, changes);
    while let Some((key, _)) = changes.first() {
        let (before, from) = children.split_at(place_of(children, key));
        before.iter().for_each(|child| push(&mut out, child.clone()));
        let Some((child, behind)) = from.split_first() else { break };
        let end = behind.first().map(|next| &next.first);
        let own = changes.partition_point(|(key, _)| end.is_none_or(|end| key < end));
        let (own, others) = changes.split_at(own);
        child.node.changed(own, len).into_iter().for_each(|child| push(&mut out, child));
        (children, changes) = (behind, others);
    }
    children.iter().for_each(|child| push(&mut out, child.clone()));
    out
}

/// Adds a child, to the one before it where they are nearly empty.
fn push<K: Clone, V: Clone>(out: &mut Vec<Child<K, V>>, child: Child<K, V>) {
    if let Some(last) = out.last_mut()
        && last.node.len() + child.node.len() <= NEIGHBOURS_MIN
        && let Some(joined) = joined(&last.node, &child.node)
    {
        last.node = joined;
        return;
    }
    out.push(child);
}

/// Two nodes of one depth as one.
fn joined<K: Clone, V: Clone>(one: &Node<K, V>, two: &Node<K, V>) -> Option<Node<K, V>> {
    match (one, two) {
        (Node::Leaf(one), Node::Leaf(two)) => Some(Node::Leaf([&**one, two].concat().into())),
        (Node::Branch(one), Node::Branch(two)) => Some(Node::Branch([&**one, two].concat().into())),
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => None,
    }
}

fn leaves<K: Clone, V: Clone>(entries: Vec<(K, V)>, is_appended: bool) -> Vec<Child<K, V>> {
    let leaf = |entries: Arc<[(K, V)]>| {
        let (first, _) = entries.first()?;
        Some(Child { first: first.clone(), node: Node::Leaf(entries) })
    };
    pieces(entries, is_appended).into_iter().filter_map(leaf).collect()
}

fn branches<K: Clone, V>(children: Vec<Child<K, V>>, is_appended: bool) -> Vec<Child<K, V>> {
    let branch = |children: Arc<[Child<K, V>]>| {
        let Child { first, .. } = children.first()?;
        Some(Child { first: first.clone(), node: Node::Branch(children) })
    };
    pieces(children, is_appended).into_iter().filter_map(branch).collect()
}

/// Cuts what is too much for one node.
fn pieces<T: Clone>(all: Vec<T>, is_appended: bool) -> Vec<Arc<[T]>> {
    if all.len() <= NODE_MAX {
        return vec![all.into()];
    }
    let equal = all.len().div_ceil(all.len().div_ceil(NODE_MAX));
    all.chunks(if is_appended { NODE_MAX } else { equal }).map(Arc::from).collect()
}

/// One node over all these.
fn rooted<K: Ord + Clone, V: Clone>(mut nodes: Vec<Child<K, V>>) -> Node<K, V> {
    while nodes.len() > 1 {
        nodes = branches(nodes, true);
    }
    let mut root = nodes.pop().map_or_else(|| Node::Leaf(Arc::default()), |child| child.node);
    while let Node::Branch(children) = &root
        && let [only] = &**children
    {
        root = only.node.clone();
    }
    root
}
