//! Dotted paths into documents, such as `address.city` or `items.0.price`.
//!
//! Invariant: a path is not empty, no part of it is, and no part begins with `$`.
//!
//! A path reaches values as MongoDB's do. An object is entered by name. An array is entered
//! through each of its elements that is an object, and besides by index where the part is a
//! number. What an object does not have, and what lies below a scalar, is *missing*; an array none
//! of whose elements can be entered reaches nothing at all, not even something missing.

use std::{borrow::Cow, cmp::Ordering, collections::HashSet, fmt, str::FromStr};

use super::{
    Document,
    order::{Direction, compare},
    raw::{Kind, Raw},
};
use crate::limits::NESTING_DEPTH_MAX;
use crate::version::Version;

/// A dotted path, checked once.
///
/// ```
/// use monsterdb::document::Path;
/// assert!(Path::parse("address.city").is_ok());
/// assert!(Path::parse("address..city").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: Box<str>,
    parts: Box<[Part]>,
}

/// Text that is not a path, and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid path {path:?}: {rule}")]
pub struct InvalidPath {
    /// The text as given, cut to 64 characters.
    pub path: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

/// One step of a path: a member's name, and an element's index when it reads as one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Part {
    pub(super) name: Box<str>,
    pub(super) index: Option<usize>,
}

/// What a path reaches, handed to a visitor.
#[derive(Clone, Copy)]
struct Reached<'a> {
    /// None is missing.
    value: Option<Raw<'a>>,
    /// True when the last step named this one element of an array: it then stands for itself even
    /// if it is an array.
    by_index: bool,
}

impl Path {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// [`InvalidPath`] when a part is empty, begins with `$` or holds NUL, or when the path is
    /// longer than documents are deep.
    pub fn parse(text: &str) -> Result<Path, InvalidPath> {
        let invalid = |rule| Err(InvalidPath { path: text.chars().take(64).collect(), rule });
        if text.split('.').any(str::is_empty) {
            return invalid("a part of it is empty");
        }
        if text.split('.').any(|part| part.starts_with('$')) {
            return invalid("a part of it begins with $");
        }
        if text.contains('\0') {
            return invalid("it holds NUL");
        }
        if text.split('.').count() > NESTING_DEPTH_MAX {
            return invalid("it has more parts than documents are deep");
        }
        let parts = text.split('.').map(Part::new).collect();
        Ok(Path { text: text.into(), parts })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names of the steps.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| &*part.name)
    }

    /// What is left of the path behind its first steps.
    pub(crate) fn tail(&self, steps: usize) -> Tail<'_> {
        Tail(self.parts.get(steps..).unwrap_or_default())
    }

    /// True when the test holds for something the path reaches in the document: a value, each
    /// element of it if it is an array, or none for missing. `_version` reaches the document's.
    pub fn any(&self, document: &Document, test: &mut dyn FnMut(Option<Raw<'_>>) -> bool) -> bool {
        match self.version_of(document) {
            Some(version) => test(Some(Raw::trusted(&version))),
            None => self.tail(0).any(document.raw(), Leaf::Elements, test),
        }
    }

    /// Shows the visitor the text of each value that the path reaches: of an array its elements,
    /// one by one. What is missing is passed over.
    pub fn each_value<'a>(&self, document: &'a Document, visitor: &mut dyn FnMut(Cow<'a, str>)) {
        if let Some(version) = self.version_of(document) {
            return visitor(Cow::Owned(version));
        }
        self.tail(0).visit(document.raw(), &mut |reached| {
            match reached.value {
                Some(array) if array.kind() == Kind::Array => {
                    array.elements().for_each(|element| visitor(Cow::Borrowed(element.text())));
                }
                Some(value) => visitor(Cow::Borrowed(value.text())),
                None => {}
            }
            false
        });
    }

    /// The text of the value that the document sorts by: of the elements of arrays the least when
    /// ascending, the greatest when descending. None is missing, as is an array without elements.
    pub fn sort_value<'a>(
        &self,
        document: &'a Document,
        direction: Direction,
    ) -> Option<Cow<'a, str>> {
        if let Some(version) = self.version_of(document) {
            return Some(Cow::Owned(version));
        }
        let mut first: Option<Option<Raw<'a>>> = None;
        let mut offer = |value: Option<Raw<'a>>| {
            let before = |old| direction.apply(compare(value, old)) == Ordering::Less;
            if first.is_none_or(before) {
                first = Some(value);
            }
        };
        self.tail(0).visit(document.raw(), &mut |reached| {
            match reached.value {
                Some(array) if array.kind() == Kind::Array => {
                    array.elements().for_each(|element| offer(Some(element)));
                }
                value => offer(value),
            }
            false
        });
        first.flatten().map(|raw| Cow::Borrowed(raw.text()))
    }

    /// The document's version as text, when that is what the path names.
    fn version_of(&self, document: &Document) -> Option<String> {
        let version = document.version();
        (&*self.text == "_version" && version > Version::ZERO).then(|| version.to_string())
    }
}

impl Part {
    fn new(name: &str) -> Part {
        Part { name: name.into(), index: index_of(name) }
    }
}

/// The array index that a name reads as: digits without a leading zero.
pub(crate) fn index_of(name: &str) -> Option<usize> {
    let canonical = name == "0" || !name.starts_with(['0', '+']);
    name.parse::<u32>().ok().filter(|_| canonical).map(|index| index as usize)
}

/// What is left of a path behind its first steps; with nothing left it reaches the value it begins
/// at.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'p>(&'p [Part]);

/// What a test is shown of an array at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Each element, and then the array.
    Elements,
    /// The array alone.
    Whole,
}

/// More numeric steps than this, and an element may be entered in so many ways that walks have to
/// be kept from taking one twice: each such step is a name or an index, which doubles the ways.
const NUMERIC_STEPS_FREE: usize = 4;

impl Tail<'_> {
    /// True when the test holds for something that is reached from the value.
    pub(crate) fn any<'a>(
        self,
        from: Raw<'a>,
        leaf: Leaf,
        test: &mut dyn FnMut(Option<Raw<'a>>) -> bool,
    ) -> bool {
        self.visit(from, &mut |reached| match reached.value {
            Some(array)
                if leaf == Leaf::Elements && array.kind() == Kind::Array && !reached.by_index =>
            {
                array.elements().any(|element| test(Some(element))) || test(Some(array))
            }
            value => test(value),
        })
    }

    /// Shows the visitor all that is reached, until it returns true; says whether it did.
    fn visit<'a>(self, from: Raw<'a>, visitor: &mut dyn FnMut(Reached<'a>) -> bool) -> bool {
        let numeric = self.0.iter().filter(|part| part.index.is_some()).count();
        let entered = (numeric > NUMERIC_STEPS_FREE).then(HashSet::new);
        Walk { visitor, entered }.below(self.0, from)
    }
}

/// A walk along a path, which forks where an array is entered by index and by name.
struct Walk<'v, 'a> {
    visitor: &'v mut dyn FnMut(Reached<'a>) -> bool,
    /// The arrays that were entered, by their place in memory, each with the count of steps left.
    entered: Option<HashSet<(usize, usize)>>,
}

impl<'a> Walk<'_, 'a> {
    fn below(&mut self, parts: &[Part], value: Raw<'a>) -> bool {
        let Some((part, rest)) = parts.split_first() else {
            return (self.visitor)(Reached { value: Some(value), by_index: false });
        };
        match value.kind() {
            Kind::Object => self.in_object(parts, value),
            Kind::Array if self.was_entered(parts, value) => false,
            Kind::Array => value.elements().enumerate().any(|(index, element)| {
                let enters = element.kind() == Kind::Object;
                (enters && self.below(parts, element))
                    || (part.index == Some(index) && self.at_index(rest, element))
            }),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => {
                (self.visitor)(Reached { value: None, by_index: false })
            }
        }
    }

    /// Goes down as far as names lead from object to object, in one walk over the text.
    fn in_object(&mut self, parts: &[Part], object: Raw<'a>) -> bool {
        let (mut members, mut left) = (object.walk(), parts);
        while let Some((part, rest)) = left.split_first() {
            let Some(found) = members.find(&part.name) else { break };
            if rest.is_empty() || !members.enter(&found) {
                return self.below(rest, Raw::trusted(members.found(&found)));
            }
            left = rest;
        }
        (self.visitor)(Reached { value: None, by_index: false })
    }

    /// Goes on from the one element that an index names.
    fn at_index(&mut self, rest: &[Part], element: Raw<'a>) -> bool {
        match element.kind() {
            _ if rest.is_empty() => {
                (self.visitor)(Reached { value: Some(element), by_index: true })
            }
            Kind::Object | Kind::Array => self.below(rest, element),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => false,
        }
    }

    fn was_entered(&mut self, parts: &[Part], array: Raw<'a>) -> bool {
        let place = (array.text().as_ptr().addr(), parts.len());
        self.entered.as_mut().is_some_and(|entered| !entered.insert(place))
    }
}

impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Path, InvalidPath> {
        Path::parse(text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::document::Draft;
    use crate::names::DocumentId;

    fn document(body: &str) -> Document {
        Draft::parse(body.as_bytes())
            .unwrap()
            .into_document(&DocumentId::new("x").unwrap())
            .unwrap()
    }

    fn reached(body: &str, path: &str) -> Vec<String> {
        let mut found = Vec::new();
        Path::parse(path).unwrap().any(&document(body), &mut |value| {
            found.push(value.map_or("missing", Raw::text).to_owned());
            false
        });
        found
    }

    #[test]
    fn what_a_path_reaches() {
        assert_eq!(reached(r#"{"a":{"b":1}}"#, "a.b"), ["1"]);
        assert_eq!(reached(r#"{"a":4}"#, "a.b"), ["missing"]);
        assert_eq!(reached(r#"{"a":[4]}"#, "a.b"), [""; 0]);
        assert_eq!(reached(r#"{"a":[]}"#, "a"), ["[]"]);
        let mixed = r#"{"a":[{"b":5},3,{},{"b":[9,11]},{"b":7}]}"#;
        assert_eq!(reached(mixed, "a.b"), ["5", "missing", "9", "11", "[9,11]", "7"]);
        assert_eq!(reached(r#"{"a":[5,[2,4],3]}"#, "a.1"), ["[2,4]"]);
        assert_eq!(reached(r#"{"a":[5,[2,4],3]}"#, "a.1.0"), ["2"]);
        assert_eq!(reached(r#"{"a":[5,{"1":4},3]}"#, "a.1"), ["4", r#"{"1":4}"#]);
        assert_eq!(reached(r#"{"a":[5,{"b":4}]}"#, "a.1.b"), ["missing", "4"]);
        assert_eq!(reached("{}", "_id"), [r#""x""#]);
        assert_eq!(reached("{}", "_version"), ["missing"]);
    }

    #[test]
    fn what_a_document_sorts_by() {
        let sorted = |body: &str, path: &str| {
            let (document, path) = (document(body), Path::parse(path).unwrap());
            let text = |direction| path.sort_value(&document, direction).map(Cow::into_owned);
            (text(Direction::Ascending), text(Direction::Descending))
        };
        let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
        assert_eq!(sorted(r#"{"a":[3,"x",1.5]}"#, "a"), some("1.5", r#""x""#));
        assert_eq!(sorted(r#"{"a":7}"#, "a"), some("7", "7"));
        assert_eq!(sorted(r#"{"a":[]}"#, "a"), (None, None));
        assert_eq!(sorted("{}", "a"), (None, None));
        assert_eq!(sorted(r#"{"a":[{"b":2},{}]}"#, "a.b"), (None, Some("2".to_owned())));
    }

    #[test]
    fn the_version_is_reached_though_it_is_not_in_the_text() {
        let (document, path) = (document("{}"), Path::parse("_version").unwrap());
        document.stamp(Version::new(9));
        assert!(path.any(&document, &mut |value| value.map(Raw::text) == Some("9")));
        assert_eq!(path.sort_value(&document, Direction::Ascending).as_deref(), Some("9"));
    }

    #[test]
    fn what_is_no_path() {
        let long = vec!["a"; NESTING_DEPTH_MAX + 1].join(".");
        for text in ["", ".", "a.", ".a", "a..b", "$a", "a.$", "a\0", &long] {
            assert!(Path::parse(text).is_err(), "{text:?}");
        }
        for (name, index) in
            [("0", Some(0)), ("10", Some(10)), ("01", None), ("+1", None), ("-1", None)]
        {
            assert_eq!(index_of(name), index);
        }
    }
}
