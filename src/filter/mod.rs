//! Filters: which documents a query means.
//!
//! A filter is read from MongoDB's JSON form ([`Filter::parse`]) or built in Rust ([`field`]); both
//! make the same value. It is compiled once, when it is first used, and evaluated in one pass over a
//! document's text, without building a tree.
//!
//! ```text
//! {"age": 36}                          equal, or an array with such an element; null is missing too
//! {"age": {"$gte": 18, "$lt": 65}}     $eq $ne $gt $gte $lt $lte: within one kind of value
//! {"city": {"$in": ["Oslo", null]}}    $in $nin; {"$regex": "^O"} in the list is a pattern
//! {"email": {"$exists": true}}         there, be it null
//! {"zip": {"$type": "string"}}         null bool number int double string array object
//! {"name": {"$regex": "^a", "$options": "i"}}      i m s x; in linear time
//! {"name": {"$startsWith": "Ad"}}      a string's first characters
//! {"n": {"$mod": [4, 0]}}              divisor and remainder
//! {"tags": {"$size": 2}}               {"tags": {"$all": ["a", "b"]}}
//! {"items": {"$elemMatch": {"n": 1, "price": {"$gt": 2}}}}   one element that matches it all
//! {"scores": {"$elemMatch": {"$gt": 80, "$lt": 85}}}         one element that passes it all
//! {"age": {"$not": {"$gt": 18}}}       or missing
//! {"$and": […]}  {"$or": […]}  {"$nor": […]}
//! ```
//!
//! The semantics are those of MongoDB's manual, but for these:
//!
//! - `$startsWith` is not MongoDB's. `$comment`, `$where`, `$expr` and all that is not named above
//!   are refused, as is an operand that does not fit, with the place.
//! - JSON has no literal for a pattern: `{"$regex": …}` is one below a path, in the lists of `$in`,
//!   `$nin` and `$all`, and below `$not`; as the operand of `$eq`, `$ne` and comparisons it is an
//!   object like any other. How the syntax differs is told in `pattern`.
//! - An object with a member that begins with `$` is one of operators, even if another member comes
//!   first; a mix is refused. `$eq` compares with such an object.
//! - `$exists` takes `true` and `false` alone; MongoDB takes anything.
//! - `$type` knows the types of JSON. A number without fraction and exponent is an `int`, whatever
//!   its size; `long` and the numbers 16 and 18 mean the same. `1.0` is a `double`.
//! - `$mod` also takes integers up to those of `u64`; a float beyond them matches nothing.
//! - Objects compare by their sorted members (see [`compare`](crate::document::compare)); equality
//!   minds the order of members, as MongoDB's does.
//! - Operators are nested up to [`FILTER_DEPTH_MAX`](crate::limits::FILTER_DEPTH_MAX) levels, and
//!   MongoDB's up to 100.
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

    /// The JSON form with a question mark in the place of each value, such as `{"age":{"$gte":?}}`:
    /// names of members are told, contents of documents are not.
    pub fn shape(&self) -> String {
        format!("{self:#}")
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
        // Not with the flags of `{:#?}`, which would leave out what is compared with.
        write!(f, "{self}")
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
