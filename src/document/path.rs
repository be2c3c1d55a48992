//! Dotted paths into documents, such as `address.city` or `items.0.price`.
//!
//! Invariant: a path is not empty, no part of it is, and no part begins with `$`.
//!
//! A path reaches values as MongoDB's do. An object is entered by name. An array is entered
//! through each of its elements that is an object, and besides by index where the part is a
//! number. What an object does not have, and what lies below a scalar, is *missing*; an array none
//! of whose elements can be entered reaches nothing at all, not even something missing.

use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr};

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

    /// True when the test holds for something the path reaches in the document: a value, each
    /// element of it if it is an array, or none for missing. `_version` reaches the document's.
    pub fn any(&self, document: &Document, test: &mut dyn FnMut(Option<Raw<'_>>) -> bool) -> bool {
        if let Some(version) = self.version_of(document) {
            return test(Some(Raw::trusted(&version)));
        }
        visit(&self.parts, document.raw(), &mut |reached| match reached.value {
            Some(array) if array.kind() == Kind::Array && !reached.by_index => {
                array.elements().any(|element| test(Some(element))) || test(Some(array))
            }
            value => test(value),
        })
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
        visit(&self.parts, document.raw(), &mut |reached| {
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

/// Shows the visitor all that is reached, until it returns true; says whether it did.
fn visit<'a>(parts: &[Part], value: Raw<'a>, visitor: &mut dyn FnMut(Reached<'a>) -> bool) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return visitor(Reached { value: Some(value), by_index: false });
    };
    match value.kind() {
        Kind::Object => match value.member(&part.name) {
            Some(member) => visit(rest, member, visitor),
            None => visitor(Reached { value: None, by_index: false }),
        },
        Kind::Array => value.elements().enumerate().any(|(index, element)| {
            let enters = element.kind() == Kind::Object;
            (enters && visit(parts, element, visitor))
                || (part.index == Some(index) && visit_element(rest, element, visitor))
        }),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => {
            visitor(Reached { value: None, by_index: false })
        }
    }
}

/// Goes on from the one element that an index names.
fn visit_element<'a>(
    rest: &[Part],
    element: Raw<'a>,
    visitor: &mut dyn FnMut(Reached<'a>) -> bool,
) -> bool {
    match element.kind() {
        _ if rest.is_empty() => visitor(Reached { value: Some(element), by_index: true }),
        Kind::Object | Kind::Array => visit(rest, element, visitor),
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => false,
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
