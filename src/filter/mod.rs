//! Filters: which documents a query means.
//!
//! A filter is read from MongoDB's JSON form ([`Filter::parse`]) or built in Rust ([`field`]); both
//! make the same value. It is compiled once, when it is first used, and evaluated in one pass over a
//! document's text, without building a tree.
//!
//! Invariant: a filter is in its canonical shape (see `node`), and its JSON form reads back as an
//! equal filter.

mod build;
mod element;
mod matches;
mod node;
mod operators;
mod parse;
mod pattern;
mod print;
mod program;
mod ranges;
mod types;

pub use build::{Field, field};
pub(crate) use element::ElementTest;
pub(crate) use ranges::{Admitted, Conjunct, Exactness};
pub use types::Type;

use std::{borrow::Cow, collections::BTreeSet, fmt, str::FromStr};

use crate::document::{Document, Path, Raw};
use crate::error::{Error, Result};
use crate::sync::{Arc, OnceLock};
use node::{Node, Test};
use program::Program;

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
#[derive(Clone)]
pub struct Filter {
    root: Node,
    /// The compiled form, made when it is first needed and shared by clones made later.
    program: OnceLock<Arc<Program>>,
}

impl Filter {
    /// The filter that every document matches.
    pub fn all() -> Filter {
        Filter::new(Node::And(Vec::new()))
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
    /// One pass over the document's text up to the last member that the filter names, and for each
    /// condition a look at what it names.
    pub fn matches(&self, document: &Document) -> bool {
        self.program().matches(document)
    }

    /// The filter that both match.
    #[must_use]
    pub fn and(self, other: Filter) -> Filter {
        Filter::all_of([self, other])
    }

    /// The filter that at least one of them matches.
    ///
    /// ```
    /// use monsterdb::field;
    /// let filter = field("a").eq(1).or(field("b").eq(2));
    /// assert_eq!(filter.to_string(), r#"{"$or":[{"a":1},{"b":2}]}"#);
    /// ```
    #[must_use]
    pub fn or(self, other: Filter) -> Filter {
        Filter::any_of([self, other])
    }

    /// The filter that matches what this one does not.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").gt(1).negate().to_string(), r#"{"$nor":[{"a":{"$gt":1}}]}"#);
    /// ```
    #[must_use]
    pub fn negate(self) -> Filter {
        Filter::none_of([self])
    }

    /// The filter that all of them match.
    pub fn all_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        Filter::new(Node::all(filters.into_iter().map(|filter| filter.root).collect()))
    }

    /// The filter that at least one of them matches; without any, nothing matches.
    pub fn any_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        Filter::new(Node::any(filters.into_iter().map(|filter| filter.root).collect()))
    }

    /// The filter that none of them matches.
    pub fn none_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        Filter::new(Node::none(filters.into_iter().map(|filter| filter.root).collect()))
    }

    /// Finds what the builder could not say: a path that is none, a pattern that does not compile,
    /// operators nested too deep. A filter that was parsed is always good.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFilter`] that names the place.
    pub fn check(&self) -> Result<()> {
        match &self.root {
            Node::Invalid(invalid) => Err(invalid.to_error()),
            Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Condition(_) => Ok(()),
        }
    }

    /// The one id that a matching document can have, when the filter says so.
    pub fn id_equality(&self) -> Option<Cow<'_, str>> {
        self.root.conjuncts().iter().find_map(|part| match part {
            Node::Condition(condition) if condition.path.as_str() == "_id" => {
                let Test::Eq(operand) = &condition.test else { return None };
                operand.as_raw().as_str()
            }
            Node::Condition(_) | Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Invalid(_) => {
                None
            }
        })
    }

    /// The paths that the filter looks at, those of `$elemMatch` up to its array.
    pub fn paths(&self) -> BTreeSet<&Path> {
        let mut conditions = Vec::new();
        self.root.collect_conditions(&mut conditions);
        conditions.into_iter().map(|condition| &condition.path).collect()
    }

    /// The JSON form, canonical: equal filters have equal texts.
    pub fn to_json(&self) -> String {
        self.to_string()
    }

    fn new(root: Node) -> Filter {
        Filter { root, program: OnceLock::new() }
    }

    /// Whether a value inside a document matches, with paths that begin in it.
    fn matches_value(&self, value: Raw<'_>) -> bool {
        self.program().matches_value(value)
    }

    fn program(&self) -> &Program {
        self.program.get_or_init(|| Arc::new(Program::new(&self.root)))
    }
}

/// Equal when they are the same tree, however far they have been compiled.
impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.root == other.root
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
        print::node(&self.root, f)
    }
}
