//! Applying an update: the text is copied once, and changed where the tree of changes says so.
//!
//! Invariant: what no change names is copied byte for byte. The result is checked by the border
//! afterwards, so nothing here checks depth; size is looked at only where a small update could make
//! a large text.

use std::collections::BTreeSet;

use super::{
    invalid,
    members::Members,
    tree::{Branch, Change, Node},
};
use crate::document::{Kind, Raw, too_large};
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
            create(node, members.name(name))?;
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
        Node::Leaf(change) => change.operation.change(value, out).map_err(|why| change.fails(why)),
    }
}

/// Writes what a change makes where nothing was.
fn create(node: &Node, out: &mut String) -> Result<()> {
    match node {
        Node::Leaf(change) => change.operation.create(out).map_err(|why| change.fails(why)),
        Node::Branch(changes) => rewrite_object(changes, Raw::trusted("{}"), out),
    }
}

/// Writes the comma between elements.
pub(super) fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}
