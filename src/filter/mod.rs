//! Filters: which documents a query means.
//!
//! A filter is read from MongoDB's JSON form ([`Filter::parse`]) or built in Rust ([`field`]); both
//! make the same value. It is evaluated over a document's text, without building a tree.
//!
//! Invariant: a filter is flat: an `$and` holds no `$and`, and never exactly one part.

mod element;
mod matches;
mod parse;
mod print;
mod ranges;

pub(crate) use element::ElementTest;
pub(crate) use ranges::{Admitted, Conjunct, Exactness};

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use crate::document::{Document, InvalidPath, Json, Path, compare};
use crate::error::{Error, Result};

/// Which documents a query means.
///
/// ```
/// use monsterdb::{Filter, field};
/// let built = field("age").gte(18).and(field("city").eq("Oslo"));
/// let parsed = Filter::parse(r#"{"age": {"$gte": 18}, "city": "Oslo"}"#)?;
/// assert_eq!(built, parsed);
/// assert_eq!(built.to_string(), r#"{"age":{"$gte":18},"city":"Oslo"}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    root: Node,
}

/// One part of a filter.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    /// All of them hold; with no parts, always.
    And(Vec<Node>),
    /// What a path reaches passes a test.
    Condition(Condition),
    /// The builder was given text that is no path: matches nothing, and [`Filter::check`] says so.
    Invalid(InvalidPath),
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    path: Path,
    test: Test,
}

/// A test of what a path reaches.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    Eq(Json),
    Ne(Json),
    Gt(Json),
    Gte(Json),
    Lt(Json),
    Lte(Json),
    In(Operands),
    Nin(Operands),
}

/// The values of a list operator, kept in the order of values so that a long list is searched fast.
#[derive(Clone, Debug, PartialEq)]
struct Operands(Vec<Json>);

impl Operands {
    fn new(values: impl IntoIterator<Item = Json>) -> Operands {
        let mut values: Vec<Json> = values.into_iter().collect();
        values.sort_by(|a, b| compare(Some(a.as_raw()), Some(b.as_raw())));
        Operands(values)
    }
}

impl Filter {
    /// The filter that every document matches.
    pub fn all() -> Filter {
        Filter { root: Node::And(Vec::new()) }
    }

    /// True for the filter that every document matches.
    pub fn is_all(&self) -> bool {
        self.root == Node::And(Vec::new())
    }

    /// Reads a filter in its JSON form.
    ///
    /// ```
    /// use monsterdb::Filter;
    /// let filter = Filter::parse(r#"{"total": {"$gt": 100}}"#)?;
    /// assert!(Filter::parse(r#"{"total": {"$above": 100}}"#).is_err());
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`] when it is not JSON, [`Error::InvalidFilter`] with the place when it
    /// holds an operator that is not known or an operand that does not fit its operator,
    /// [`Error::LimitExceeded`] when the text is too long.
    pub fn parse(text: &str) -> Result<Filter> {
        parse::filter(text)
    }

    /// True when the document matches.
    ///
    /// ```
    /// use monsterdb::{DocumentId, Draft, field};
    /// let document = Draft::parse(br#"{"tags": ["a", "b"]}"#)?.into_document(&DocumentId::new("x")?)?;
    /// assert!(field("tags").eq("b").matches(&document));
    /// assert!(!field("tags").gt("b").matches(&document));
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Complexity
    ///
    /// One look over the document's text a condition, up to the value it names.
    pub fn matches(&self, document: &Document) -> bool {
        matches::matches(&self.root, document)
    }

    /// The filter that both match.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        Filter::all_of([self, other])
    }

    /// The filter that all of them match.
    pub fn all_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        let mut parts = Vec::new();
        for filter in filters {
            match filter.root {
                Node::And(inner) => parts.extend(inner),
                part @ (Node::Condition(_) | Node::Invalid(_)) => parts.push(part),
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (Some(only), true) => Filter { root: only },
            (last, _) => {
                parts.extend(last);
                Filter { root: Node::And(parts) }
            }
        }
    }

    /// Finds what the builder could not say: a path that is none. A filter that was parsed is
    /// always good.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] that names the path.
    pub fn check(&self) -> Result<()> {
        for part in self.parts() {
            if let Node::Invalid(invalid) = part {
                let reason = invalid.to_string();
                return Err(Error::InvalidFilter { pointer: String::new(), reason });
            }
        }
        Ok(())
    }

    /// The one id that a matching document can have, when the filter says so.
    pub fn id_equality(&self) -> Option<Cow<'_, str>> {
        let mut of_id = self.conditions().filter(|condition| condition.path.as_str() == "_id");
        of_id.find_map(|condition| {
            let Test::Eq(operand) = &condition.test else { return None };
            operand.as_raw().as_str()
        })
    }

    /// The paths that the filter looks at.
    pub fn paths(&self) -> BTreeSet<&Path> {
        self.conditions().map(|condition| &condition.path).collect()
    }

    /// The JSON form, canonical: equal filters have equal texts.
    pub fn to_json(&self) -> String {
        self.to_string()
    }

    fn parts(&self) -> &[Node] {
        match &self.root {
            Node::And(parts) => parts,
            only @ (Node::Condition(_) | Node::Invalid(_)) => std::slice::from_ref(only),
        }
    }

    fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.parts().iter().filter_map(|part| match part {
            Node::Condition(condition) => Some(condition),
            Node::And(_) | Node::Invalid(_) => None,
        })
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter> {
        Filter::parse(text)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::write(self.parts(), f)
    }
}

/// Begins a filter on what a dotted path reaches.
///
/// ```
/// use monsterdb::field;
/// assert_eq!(field("a.b").lt(3).to_string(), r#"{"a.b":{"$lt":3}}"#);
/// ```
///
/// Text that is no path is told by the query that takes the filter (see [`Filter::check`]).
pub fn field(path: &str) -> Field {
    Field(Path::parse(path))
}

/// A path that waits for its test; made by [`field`].
#[derive(Clone, Debug)]
pub struct Field(Result<Path, InvalidPath>);

impl Field {
    /// Equal to the value; for arrays, as a whole or one of its elements. Null is equal to missing.
    pub fn eq(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Eq(value.into()))
    }

    /// Not [equal](Field::eq), or missing.
    pub fn ne(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Ne(value.into()))
    }

    /// Of the value's kind and greater.
    pub fn gt(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Gt(value.into()))
    }

    /// Of the value's kind and greater or equal.
    pub fn gte(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Gte(value.into()))
    }

    /// Of the value's kind and less.
    pub fn lt(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Lt(value.into()))
    }

    /// Of the value's kind and less or equal.
    pub fn lte(self, value: impl Into<Json>) -> Filter {
        self.passes(Test::Lte(value.into()))
    }

    /// [Equal](Field::eq) to one of the values.
    pub fn is_in<T: Into<Json>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        self.passes(Test::In(Operands::new(values.into_iter().map(Into::into))))
    }

    /// [Equal](Field::eq) to none of the values.
    pub fn not_in<T: Into<Json>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        self.passes(Test::Nin(Operands::new(values.into_iter().map(Into::into))))
    }

    fn passes(self, test: Test) -> Filter {
        let root = match self.0 {
            Ok(path) => Node::Condition(Condition { path, test }),
            Err(invalid) => Node::Invalid(invalid),
        };
        Filter { root }
    }
}
