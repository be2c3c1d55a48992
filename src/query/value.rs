//! Values to tell apart and to put in order: those of `distinct`, the keys of groups.
//!
//! Invariant: two values are equal here exactly when filters hold them to be equal, so that a
//! group is what an equality on its key finds: `1` and `1.0` are one value, objects with the same
//! members in another order are two. The order is the total order of values, which such objects
//! share a place in; there they stand by the order of their members.

use std::{borrow::Cow, cmp::Ordering};

use crate::{
    document::{Document, Kind, Number, Path, Raw, compare},
    version::Version,
};

/// A value as JSON text, borrowed from a document where it stands there as a whole.
#[derive(Debug, Clone)]
pub(super) struct Value<'a>(Cow<'a, str>);

impl<'a> Value<'a> {
    pub(super) const NULL: Value<'static> = Value(Cow::Borrowed("null"));

    /// The value that this text is. The caller knows it to be valid and compact.
    pub(super) fn trusted(text: impl Into<Cow<'a, str>>) -> Value<'a> {
        Value(text.into())
    }

    /// What stands at a path, as a whole: arrays are not taken apart. Where the path goes on below
    /// an array, the array of what stands there in each of its objects, as MongoDB's aggregation
    /// has it. None is missing.
    pub(super) fn at(path: &Path, document: &'a Document) -> Option<Value<'a>> {
        let version = document.version();
        if path.as_str() == "_version" && version > Version::ZERO {
            return Some(Value(Cow::Owned(version.to_string())));
        }
        below(document.raw(), path.as_str()).map(Value)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn raw(&self) -> Raw<'_> {
        Raw::trusted(&self.0)
    }

    pub(super) fn number(&self) -> Option<Number> {
        match self.raw().kind() {
            Kind::Number => self.raw().number(),
            Kind::Null | Kind::Bool | Kind::String | Kind::Array | Kind::Object => None,
        }
    }
}

fn below<'a>(object: Raw<'a>, path: &str) -> Option<Cow<'a, str>> {
    let Some((name, rest)) = path.split_once('.') else {
        return object.member(path).map(|value| Cow::Borrowed(value.text()));
    };
    let value = object.member(name)?;
    match value.kind() {
        Kind::Object => below(value, rest),
        Kind::Array => {
            let found: Vec<_> =
                value.elements().filter_map(|element| below(element, rest)).collect();
            Some(Cow::Owned(format!("[{}]", found.join(","))))
        }
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
    }
}

/// The order by members of two values that stand at one place of the total order.
fn by_order_of_members(a: Raw<'_>, b: Raw<'_>) -> Ordering {
    let elements = a.elements().zip(b.elements()).map(|(a, b)| by_order_of_members(a, b));
    let members = a
        .members()
        .zip(b.members())
        .map(|(a, b)| a.name().cmp(&b.name()).then_with(|| by_order_of_members(a.value, b.value)));
    elements.chain(members).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

impl Ord for Value<'_> {
    fn cmp(&self, other: &Value<'_>) -> Ordering {
        let (a, b) = (self.raw(), other.raw());
        compare(Some(a), Some(b)).then_with(|| by_order_of_members(a, b))
    }
}

impl PartialOrd for Value<'_> {
    fn partial_cmp(&self, other: &Value<'_>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Value<'_>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value<'_> {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;
    use crate::{document::Draft, names::DocumentId};

    #[test]
    fn equality_is_that_of_filters() {
        let texts = [
            "1",
            "1.0",
            r#"{"a":1,"b":2}"#,
            r#"{"b":2,"a":1}"#,
            r#"{"\u0061":1.0,"b":2}"#,
            r#"[{"a":1,"b":2}]"#,
            r#"[{"b":2,"a":1}]"#,
            r#"{"x":{"a":1,"b":2}}"#,
            r#"{"x":{"b":2,"a":1}}"#,
            "[1]",
            "null",
        ];
        for a in texts.map(Value::trusted) {
            for b in texts.map(Value::trusted) {
                let same = crate::document::same(a.raw(), b.raw());
                assert_eq!(a == b, same, "{a:?} {b:?}");
                assert_eq!(a.cmp(&b), b.cmp(&a).reverse(), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn what_stands_at_a_path() {
        let text = br#"{"a":[{"b":1},{"b":[2,3]},{},4,[{"b":5}]],"c":{"d":null},"e":1}"#;
        let document =
            Draft::parse(text).unwrap().into_document(&DocumentId::new("x").unwrap()).unwrap();
        let at = |path: &str| {
            let value = Value::at(&Path::parse(path).unwrap(), &document);
            value.map(|value| value.text().to_owned())
        };
        assert_eq!(at("a.b").as_deref(), Some("[1,[2,3]]"));
        assert_eq!(at("a.0").as_deref(), Some("[]"));
        assert_eq!(at("c.d").as_deref(), Some("null"));
        assert_eq!(at("c").as_deref(), Some(r#"{"d":null}"#));
        assert_eq!((at("e.f"), at("f")), (None, None));
        assert_eq!(at("_id").as_deref(), Some(r#""x""#));
        assert_eq!(at("_version"), None);
        document.stamp(Version::new(9));
        assert_eq!(at("_version").as_deref(), Some("9"));
    }
}
