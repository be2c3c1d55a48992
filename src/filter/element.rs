//! Filters over one element of an array, as `$pull` asks them.
//!
//! The element is dressed as a document and the filter asked of that, so that there is one meaning
//! of each operator. Tests stand at a member that holds the element. An array would be looked into
//! there, element by element; so it is put into an array of one, where its index names it as a whole.

use super::Filter;
use crate::document::{Document, Kind, Raw};
use crate::error::{Error, Result};

/// Which elements of an array are meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ElementTest {
    /// Objects that match a filter.
    Filter(Filter),
    /// Elements that pass tests. The second filter is for arrays.
    Tests(Filter, Filter),
}

impl ElementTest {
    /// Reads an object: tests such as `{"$gte":6}`, or else a filter.
    ///
    /// # Errors
    ///
    /// As [`Filter::parse`], with the place in the object.
    pub(crate) fn parse(operand: Raw<'_>) -> Result<ElementTest> {
        let logical = ["$and", "$or", "$nor"];
        let is_test = |name: &str| name.starts_with('$') && !logical.contains(&name);
        if !operand.members().any(|member| is_test(&member.name())) {
            return Ok(ElementTest::Filter(Filter::parse(operand.text())?));
        }
        let at = |path: &str| {
            let filter = Filter::parse(&format!(r#"{{"{path}":{}}}"#, operand.text()));
            filter.map_err(|error| within(error, path))
        };
        Ok(ElementTest::Tests(at("v")?, at("v.0")?))
    }

    /// True when the element is meant.
    pub(crate) fn matches(&self, element: Raw<'_>) -> bool {
        let text = element.text();
        match (self, element.kind()) {
            (ElementTest::Filter(filter), Kind::Object) => filter.matches(&Document::part(text)),
            (ElementTest::Filter(_), _) => false,
            (ElementTest::Tests(_, array), Kind::Array) => {
                array.matches(&Document::part(&format!(r#"{{"v":[{text}]}}"#)))
            }
            (ElementTest::Tests(value, _), _) => {
                value.matches(&Document::part(&format!(r#"{{"v":{text}}}"#)))
            }
        }
    }
}

/// The same error with its place in the operand.
fn within(error: Error, path: &str) -> Error {
    match error {
        Error::InvalidFilter { pointer, reason } => {
            let inner = pointer.strip_prefix('/').and_then(|rest| rest.strip_prefix(path));
            Error::InvalidFilter { pointer: inner.unwrap_or(&pointer).to_owned(), reason }
        }
        other => other,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn elements_that_are_meant() {
        for (operand, element, is_meant) in [
            (r#"{"$gte":6}"#, "6", true),
            (r#"{"$gte":6}"#, "5", false),
            (r#"{"$gte":6}"#, r#""7""#, false),
            (r#"{"$gte":6,"$lt":8}"#, "8", false),
            // An array is one element, whatever it holds.
            (r#"{"$gte":6}"#, "[7]", false),
            (r#"{"$eq":[7]}"#, "[7]", true),
            (r#"{"$eq":7}"#, "[7]", false),
            (r#"{"$in":[1,[2]]}"#, "[2]", true),
            (r#"{"$ne":1}"#, r#"{"v":1}"#, true),
            (r#"{"$eq":{"a":1}}"#, r#"{"a":1}"#, true),
            (r#"{"$eq":null}"#, r#"{"a":1}"#, false),
            (r#"{"$eq":null}"#, "null", true),
            (r#"{"a":1}"#, r#"{"a":[1,2],"b":3}"#, true),
            (r#"{"a":1}"#, "1", false),
            (r#"{"a":1}"#, r#"[{"a":1}]"#, false),
            (r#"{"a.b":{"$gt":1},"c":null}"#, r#"{"a":{"b":2}}"#, true),
            (r#"{"$and":[{"a":1},{"b":2}]}"#, r#"{"b":2,"a":1}"#, true),
            (r#"{"_id":3}"#, r#"{"a":1,"_id":3}"#, true),
            ("{}", r#"{"a":1}"#, true),
            ("{}", "1", false),
        ] {
            let test = ElementTest::parse(Raw::trusted(operand)).unwrap();
            assert_eq!(test.matches(Raw::trusted(element)), is_meant, "{operand} {element}");
        }
        for (operand, place) in [
            (r#"{"$above":1}"#, "/$above"),
            (r#"{"$gt":1,"a":2}"#, "/a"),
            (r#"{"a":{"$x":1}}"#, "/a/$x"),
        ] {
            match ElementTest::parse(Raw::trusted(operand)).unwrap_err() {
                Error::InvalidFilter { pointer, .. } => assert_eq!(pointer, place),
                other => panic!("{other:?}"),
            }
        }
    }
}
