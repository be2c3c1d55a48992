//! The paths of an update as a tree.
//!
//! Invariant: no path is the beginning of another.

use std::collections::BTreeMap;

use super::{invalid, operators::Operation};
use crate::document::{Path, index_of};
use crate::error::{Error, Result};

/// All changes below one place, by the next step.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Branch {
    pub(super) children: BTreeMap<Box<str>, Node>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Branch(Branch),
    Leaf(Change),
}

/// One change, and its place in the update.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) pointer: String,
    pub(super) operation: Operation,
}

impl Branch {
    /// Hangs a change into the tree. Where two paths meet, one is the beginning of the other.
    pub(super) fn insert(&mut self, path: &Path, change: Change) -> Result<()> {
        let conflict = |pointer: String| {
            let reason = format!("{path} is, or lies on the way to, another path of the update");
            Err(invalid(pointer, reason))
        };
        let (way, last) = match path.as_str().rsplit_once('.') {
            Some((way, last)) => (Some(way), last),
            None => (None, path.as_str()),
        };
        let mut branch = self;
        for part in way.into_iter().flat_map(|way| way.split('.')) {
            let deeper = || Node::Branch(Branch::default());
            match branch.children.entry(part.into()).or_insert_with(deeper) {
                Node::Branch(next) => branch = next,
                Node::Leaf(_) => return conflict(change.pointer),
            }
        }
        if branch.children.contains_key(last) {
            return conflict(change.pointer);
        }
        branch.children.insert(last.into(), Node::Leaf(change));
        Ok(())
    }

    /// The first change that makes something where nothing is.
    pub(super) fn first_creating(&self) -> Option<&Change> {
        self.children.values().find_map(Node::first_creating)
    }

    /// The changes to an array's elements. A name that is no index reaches nothing in an array.
    pub(super) fn by_index(&self) -> Result<BTreeMap<usize, &Node>> {
        let mut by_index = BTreeMap::new();
        for (name, node) in &self.children {
            match (index_of(name), node.first_creating()) {
                (Some(index), _) => {
                    by_index.insert(index, node);
                }
                (None, Some(change)) => {
                    let reason = format!("{name:?} is not an index, and the path meets an array");
                    return Err(invalid(&*change.pointer, reason));
                }
                (None, None) => {}
            }
        }
        Ok(by_index)
    }
}

impl Change {
    /// The error that this change does not fit.
    pub(super) fn fails(&self, reason: String) -> Error {
        invalid(&*self.pointer, reason)
    }
}

impl Node {
    /// True when it takes its place out of an object.
    pub(super) fn removes(&self) -> bool {
        matches!(self, Node::Leaf(Change { operation: Operation::Unset, .. }))
    }

    /// True when it makes something where nothing was.
    pub(super) fn creates(&self) -> bool {
        self.first_creating().is_some()
    }

    pub(super) fn first_creating(&self) -> Option<&Change> {
        match self {
            Node::Branch(branch) => branch.first_creating(),
            Node::Leaf(change) => change.operation.creates().then_some(change),
        }
    }
}
