//! A document being patched: its text, opened into a tree where the patch has gone.
//!
//! Invariant: what was not opened is the text as it was. The size is that of the text that would be
//! written now, and never above the limit of a document, so copies of copies end soon; what was opened
//! is no deeper than documents are, so recursion ends; and work is counted, so that many steps through
//! large arrays end too.

use std::borrow::Cow;

use crate::document::{Kind, Raw, compare, index_of, quote, too_large};
use crate::error::Error;
use crate::limits::{DOCUMENT_BYTES_MAX, NESTING_DEPTH_MAX, PATCH_WORK_MAX};
use crate::update::{members::Members, rewrite::separate};

pub(super) struct Tree<'a> {
    root: Node<'a>,
    size: usize,
    work: usize,
}

#[derive(Clone)]
pub(super) enum Node<'a> {
    Text(Raw<'a>),
    Object(Vec<Entry<'a>>),
    Array(Vec<Node<'a>>),
}

#[derive(Clone)]
pub(super) struct Entry<'a> {
    name: Cow<'a, str>,
    /// The name as it is written, with its quotes.
    key: Cow<'a, str>,
    value: Node<'a>,
}

/// Why a step was not taken.
pub(super) enum Refusal {
    /// The place is not there; the sentence says why.
    Place(&'static str),
    /// A limit was reached.
    Limit(Error),
}

type Taken<T = ()> = std::result::Result<T, Refusal>;

/// The bytes that a value is written in, and its levels of nesting as far as it was opened.
struct Extent {
    size: usize,
    depth: usize,
}

impl Extent {
    fn take_in(&mut self, inner: Extent, around: usize) {
        self.size += inner.size + around;
        self.depth = self.depth.max(inner.depth + 1);
    }
}

impl<'a> Tree<'a> {
    pub(super) fn new(document: Raw<'a>) -> Tree<'a> {
        Tree { root: Node::Text(document), size: document.text().len(), work: 0 }
    }

    /// A copy of what stands at a place.
    pub(super) fn copy(&mut self, steps: &[Box<str>]) -> Taken<Node<'a>> {
        let (node, work) = self.look(steps)?;
        node.measure(work)?;
        Ok(node.clone())
    }

    /// Whether the value at a place is equal to another: numbers by value, objects whatever the
    /// order of their members.
    pub(super) fn is_equal(&mut self, steps: &[Box<str>], other: Raw<'_>) -> Taken<bool> {
        let (node, work) = self.look(steps)?;
        let Extent { size, .. } = node.measure(work)?;
        spend(work, size)?;
        Ok(match node {
            Node::Text(raw) => compare(Some(*raw), Some(other)).is_eq(),
            Node::Object(_) | Node::Array(_) => {
                let mut text = String::with_capacity(size);
                node.write(&mut text);
                compare(Some(Raw::trusted(&text)), Some(other)).is_eq()
            }
        })
    }

    /// Takes a value out. The root cannot be.
    pub(super) fn take(&mut self, way: &[Box<str>], last: &str) -> Taken<Node<'a>> {
        let (holder, work) = self.look(way)?;
        let taken = holder.take(last, work)?;
        let Extent { size, .. } = taken.measure(&mut self.work)?;
        self.size = self.size.saturating_sub(size);
        Ok(taken)
    }

    /// Puts a value in: as a member, or between elements.
    pub(super) fn insert(&mut self, way: &[Box<str>], last: &str, value: Node<'a>) -> Taken {
        let Extent { size, depth } = value.measure(&mut self.work)?;
        if way.len() + 1 + depth > NESTING_DEPTH_MAX {
            return Err(Refusal::Place("it would be nested too deep"));
        }
        let (holder, work) = self.look(way)?;
        let replaced = holder.insert(last, value, work)?;
        let freed = replaced.map(|old| old.measure(&mut self.work)).transpose()?;
        self.grow(size + last.len(), freed.map_or(0, |freed| freed.size))
    }

    /// Puts a value in the place of one that is there.
    pub(super) fn replace(&mut self, steps: &[Box<str>], value: Node<'a>) -> Taken {
        let added = value.measure(&mut self.work)?.size;
        let (node, _) = self.look(steps)?;
        let old = std::mem::replace(node, value);
        let freed = old.measure(&mut self.work)?.size;
        self.grow(added, freed)
    }

    pub(super) fn into_text(self) -> String {
        let mut text = String::with_capacity(self.size);
        self.root.write(&mut text);
        text
    }

    fn grow(&mut self, added: usize, freed: usize) -> Taken {
        self.size = (self.size + added).saturating_sub(freed);
        if self.size > DOCUMENT_BYTES_MAX {
            return Err(Refusal::Limit(too_large(self.size)));
        }
        Ok(())
    }

    fn look(&mut self, steps: &[Box<str>]) -> Taken<(&mut Node<'a>, &mut usize)> {
        let mut node = &mut self.root;
        for step in steps {
            node = node.child(step, &mut self.work)?;
        }
        Ok((node, &mut self.work))
    }
}

impl<'a> Node<'a> {
    /// Opens text into members or elements.
    fn open(&mut self, work: &mut usize) -> Taken {
        let Node::Text(raw) = *self else { return Ok(()) };
        match raw.kind() {
            Kind::Object => {
                spend(work, raw.text().len())?;
                let entry = |member: crate::document::Member<'a>| Entry {
                    name: member.name(),
                    key: Cow::Borrowed(member.key()),
                    value: Node::Text(member.value),
                };
                *self = Node::Object(raw.members().map(entry).collect());
            }
            Kind::Array => {
                spend(work, raw.text().len())?;
                *self = Node::Array(raw.elements().map(Node::Text).collect());
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => {}
        }
        Ok(())
    }

    fn child(&mut self, step: &str, work: &mut usize) -> Taken<&mut Node<'a>> {
        self.open(work)?;
        match self {
            Node::Object(entries) => {
                let place = place_of(entries, step, work)?;
                let entry = place.and_then(|place| entries.get_mut(place));
                entry.map(|entry| &mut entry.value).ok_or(Refusal::Place("there is no such member"))
            }
            Node::Array(elements) => {
                let element = index_of(step).and_then(|index| elements.get_mut(index));
                element.ok_or(Refusal::Place("there is no such element"))
            }
            Node::Text(_) => Err(Refusal::Place("the way leads through a scalar")),
        }
    }

    fn take(&mut self, last: &str, work: &mut usize) -> Taken<Node<'a>> {
        self.open(work)?;
        match self {
            Node::Object(entries) => match place_of(entries, last, work)? {
                Some(place) => Ok(entries.remove(place).value),
                None => Err(Refusal::Place("there is no such member")),
            },
            Node::Array(elements) => {
                let index = index_of(last).filter(|index| *index < elements.len());
                let index = index.ok_or(Refusal::Place("there is no such element"))?;
                spend(work, elements.len() - index)?;
                Ok(elements.remove(index))
            }
            Node::Text(_) => Err(Refusal::Place("the way leads through a scalar")),
        }
    }

    /// Puts a value in and returns the member that it replaces.
    fn insert(&mut self, last: &str, value: Node<'a>, work: &mut usize) -> Taken<Option<Node<'a>>> {
        self.open(work)?;
        match self {
            Node::Object(entries) => {
                let place = place_of(entries, last, work)?;
                if let Some(entry) = place.and_then(|place| entries.get_mut(place)) {
                    return Ok(Some(std::mem::replace(&mut entry.value, value)));
                }
                let mut key = String::new();
                quote(last, &mut key);
                let name = Cow::Owned(last.to_owned());
                entries.push(Entry { name, key: Cow::Owned(key), value });
                Ok(None)
            }
            Node::Array(elements) => {
                let index = if last == "-" { Some(elements.len()) } else { index_of(last) };
                let index = index.filter(|index| *index <= elements.len());
                let index = index.ok_or(Refusal::Place("the index is behind the array's end"))?;
                spend(work, elements.len() - index)?;
                elements.insert(index, value);
                Ok(None)
            }
            Node::Text(_) => Err(Refusal::Place("what it should go into is a scalar")),
        }
    }

    /// About how large it is, and how deep it was opened.
    fn measure(&self, work: &mut usize) -> Taken<Extent> {
        spend(work, 1)?;
        let mut whole = Extent { size: 2, depth: 1 };
        match self {
            Node::Text(raw) => whole.size = raw.text().len(),
            Node::Object(entries) => {
                for entry in entries {
                    whole.take_in(entry.value.measure(work)?, entry.key.len() + 2);
                }
            }
            Node::Array(elements) => {
                for element in elements {
                    whole.take_in(element.measure(work)?, 1);
                }
            }
        }
        Ok(whole)
    }

    fn write(&self, out: &mut String) {
        match self {
            Node::Text(raw) => out.push_str(raw.text()),
            Node::Object(entries) => {
                let mut members = Members::open(out);
                entries.iter().for_each(|entry| entry.value.write(members.key(&entry.key)));
                members.close();
            }
            Node::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    separate(index, out);
                    element.write(out);
                }
                out.push(']');
            }
        }
    }
}

fn place_of(entries: &[Entry<'_>], name: &str, work: &mut usize) -> Taken<Option<usize>> {
    let place = entries.iter().position(|entry| entry.name == name);
    spend(work, place.unwrap_or(entries.len()))?;
    Ok(place)
}

fn spend(work: &mut usize, steps: usize) -> Taken {
    *work += steps;
    if *work <= PATCH_WORK_MAX {
        return Ok(());
    }
    let (max, actual) = (PATCH_WORK_MAX as u64, *work as u64);
    let what = "the number of values that a JSON Patch passes by";
    Err(Refusal::Limit(Error::LimitExceeded { what, max, actual }))
}
