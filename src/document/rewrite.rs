//! Applying an update: the text is copied once, and changed where the tree of changes says so.
//!
//! Invariant: what no change names is copied byte for byte. The result is checked by the border
//! afterwards, so nothing here checks depth; size is looked at only where a small update could make
//! a large text.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    fault::too_large,
    patch::Members,
    raw::{Kind, Raw},
    string::quote,
    update::{Branch, Change, Node, Operation, invalid},
};
use crate::error::Result;
use crate::limits::{ARRAY_PADDING_MAX, DOCUMENT_BYTES_MAX};

/// Writes `value` with the changes below it.
pub(super) fn rewrite(changes: &Branch, value: Raw<'_>, out: &mut String) -> Result<()> {
    match value.kind() {
        Kind::Object => rewrite_object(changes, value, out),
        Kind::Array => rewrite_array(changes, value, out),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => match changes.first_creating() {
            // There is nothing to unset below a scalar.
            None => {
                out.push_str(value.text());
                Ok(())
            }
            Some(change) => Err(invalid(&*change.pointer, "the path goes through a scalar")),
        },
    }
}

fn rewrite_object(changes: &Branch, object: Raw<'_>, out: &mut String) -> Result<()> {
    let mut changed = BTreeSet::new();
    let mut members = Members::open(out);
    for member in object.members() {
        let name = member.name();
        match changes.children.get(&*name) {
            None => members.copy(member),
            Some(node) => {
                if !node.removes() {
                    rewrite_value(node, member.value, members.key(member.key()))?;
                }
                changed.insert(name);
            }
        }
    }
    for (name, node) in &changes.children {
        if !changed.contains(&**name) && node.creates() {
            create(node, members.key(&quoted(name)))?;
        }
    }
    members.close();
    Ok(())
}

fn rewrite_array(changes: &Branch, array: Raw<'_>, out: &mut String) -> Result<()> {
    let mut by_index = changes.by_index()?;
    let mut length = 0;
    out.push('[');
    for (index, element) in array.elements().enumerate() {
        separate(index, out);
        match by_index.remove(&index) {
            None => out.push_str(element.text()),
            // An element that is unset leaves null, so that those behind it keep their places.
            Some(node) if node.removes() => out.push_str("null"),
            Some(node) => rewrite_value(node, element, out)?,
        }
        length = index + 1;
    }
    for (index, node) in by_index {
        if let Some(change) = node.first_creating() {
            pad(index, &mut length, change, out)?;
            separate(index, out);
            create(node, out)?;
            length = index + 1;
        }
    }
    out.push(']');
    Ok(())
}

/// Writes nulls until the array has `index` elements.
fn pad(index: usize, length: &mut usize, change: &Change, out: &mut String) -> Result<()> {
    if index - *length > ARRAY_PADDING_MAX {
        let reason = format!("the index is more than {ARRAY_PADDING_MAX} behind the array's end");
        return Err(invalid(&*change.pointer, reason));
    }
    for place in *length..index {
        separate(place, out);
        out.push_str("null");
    }
    *length = index;
    // Many arrays, each padded a little, must not make a text without bound.
    if out.len() > DOCUMENT_BYTES_MAX { Err(too_large(out.len())) } else { Ok(()) }
}

fn rewrite_value(node: &Node, value: Raw<'_>, out: &mut String) -> Result<()> {
    match node {
        Node::Branch(changes) => rewrite(changes, value, out),
        Node::Leaf(Change { operation: Operation::Unset, .. }) => Ok(()),
        Node::Leaf(Change { operation: Operation::Set(new), .. }) => {
            out.push_str(new.as_str());
            Ok(())
        }
        Node::Leaf(Change { operation: Operation::Inc(_, step), pointer }) => {
            let Some(number) = value.number() else {
                return Err(invalid(pointer, "the value to increment is not a number"));
            };
            let Some(sum) = number.checked_add(*step) else {
                return Err(invalid(pointer, format!("{number} + {step} is out of range")));
            };
            out.push_str(&sum.to_string());
            Ok(())
        }
    }
}

/// Writes what a change makes where nothing was.
fn create(node: &Node, out: &mut String) -> Result<()> {
    match node {
        Node::Leaf(Change { operation: Operation::Set(new) | Operation::Inc(new, _), .. }) => {
            out.push_str(new.as_str());
            Ok(())
        }
        Node::Leaf(Change { operation: Operation::Unset, .. }) => Ok(()),
        Node::Branch(changes) => rewrite_object(changes, Raw::trusted("{}"), out),
    }
}

impl Node {
    /// True when it takes its place out of an object.
    fn removes(&self) -> bool {
        matches!(self, Node::Leaf(Change { operation: Operation::Unset, .. }))
    }

    /// True when it makes something where nothing was.
    fn creates(&self) -> bool {
        self.first_creating().is_some()
    }

    fn first_creating(&self) -> Option<&Change> {
        match self {
            Node::Branch(branch) => branch.first_creating(),
            Node::Leaf(change) => match change.operation {
                Operation::Set(_) | Operation::Inc(..) => Some(change),
                Operation::Unset => None,
            },
        }
    }
}

impl Branch {
    fn first_creating(&self) -> Option<&Change> {
        self.children.values().find_map(Node::first_creating)
    }

    /// The changes to an array's elements. A name that is no index reaches nothing in an array.
    fn by_index(&self) -> Result<BTreeMap<usize, &Node>> {
        let mut by_index = BTreeMap::new();
        for (name, node) in &self.children {
            match (super::path::index_of(name), node.first_creating()) {
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

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn quoted(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 2);
    quote(name, &mut key);
    key
}
