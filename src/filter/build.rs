//! Building filters in Rust: all that the JSON form can say.
//!
//! Invariant: the builder makes the same filter that reading its JSON form would make.

use std::cell::Cell;

use super::{
    Filter,
    node::{ElemMatch, Invalid, Node, Test},
    operators,
    parse::Place,
    pattern::Pattern,
    types::{Type, Types},
};
use crate::document::{InvalidPath, Json, Path};
use crate::error::{Error, Result};

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

    /// [Equal](Field::eq) to one of the values. A value `{"$regex": …}` is a pattern, as in JSON.
    pub fn is_in<T: Into<Json>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        let values = jsons(values);
        let list = || values.iter().map(Json::as_raw);
        self.asks("$in", |place| operators::operands(list(), place).map(Test::In))
    }

    /// [Equal](Field::eq) to none of the values. A value `{"$regex": …}` is a pattern, as in JSON.
    pub fn not_in<T: Into<Json>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        let values = jsons(values);
        let list = || values.iter().map(Json::as_raw);
        self.asks("$nin", |place| operators::operands(list(), place).map(Test::Nin))
    }

    /// There, be it null; or not there.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").exists(true).to_string(), r#"{"a":{"$exists":true}}"#);
    /// ```
    pub fn exists(self, wanted: bool) -> Filter {
        self.passes(Test::Exists(wanted))
    }

    /// Of one of the types; for arrays, `Type::Array` or the type of an element.
    ///
    /// ```
    /// use monsterdb::{field, filter::Type};
    /// assert_eq!(field("a").is_type([Type::Int]).to_string(), r#"{"a":{"$type":"int"}}"#);
    /// ```
    pub fn is_type(self, types: impl IntoIterator<Item = Type>) -> Filter {
        let types: Types = types.into_iter().collect();
        self.asks("$type", |place| operators::type_test(types, place))
    }

    /// A string in which the pattern is found.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").regex("^x").to_string(), r#"{"a":{"$regex":"^x"}}"#);
    /// ```
    pub fn regex(self, pattern: &str) -> Filter {
        self.regex_with(pattern, "")
    }

    /// A string in which the pattern is found, with options: `i` takes upper and lower case for
    /// one, `m` lets `^` and `$` stand at lines, `s` lets `.` be a line's end, `x` leaves out blanks.
    ///
    /// ```
    /// use monsterdb::field;
    /// let filter = field("a").regex_with("^x", "i");
    /// assert_eq!(filter.to_string(), r#"{"a":{"$regex":"^x","$options":"i"}}"#);
    /// ```
    pub fn regex_with(self, pattern: &str, options: &str) -> Filter {
        self.asks("$regex", |place| {
            Pattern::new(pattern, options).map(Test::Regex).or_else(|reason| place.error(reason))
        })
    }

    /// A string that begins with the text.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").starts_with("x").to_string(), r#"{"a":{"$startsWith":"x"}}"#);
    /// ```
    pub fn starts_with(self, prefix: &str) -> Filter {
        self.passes(Test::StartsWith(prefix.into()))
    }

    /// A number that leaves the remainder when its whole part is divided.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").modulo(4, 0).to_string(), r#"{"a":{"$mod":[4,0]}}"#);
    /// ```
    pub fn modulo(self, divisor: i64, remainder: i64) -> Filter {
        self.asks("$mod", |place| operators::mod_test(divisor.into(), remainder.into(), place))
    }

    /// An array of so many elements.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").size(2).to_string(), r#"{"a":{"$size":2}}"#);
    /// ```
    pub fn size(self, elements: u64) -> Filter {
        self.passes(Test::Size(elements))
    }

    /// [Equal](Field::eq) to each of the values, of which an array may hold all. Without values
    /// nothing matches. A value `{"$regex": …}` is a pattern, and values `{"$elemMatch": …}` ask for
    /// elements, as in JSON.
    ///
    /// ```
    /// use monsterdb::field;
    /// assert_eq!(field("a").all([1, 2]).to_string(), r#"{"a":{"$all":[1,2]}}"#);
    /// ```
    pub fn all<T: Into<Json>>(self, values: impl IntoIterator<Item = T>) -> Filter {
        let values = jsons(values);
        self.asks("$all", |place| operators::all(values.iter().map(Json::as_raw), place))
    }

    /// An array with an object in it that matches the filter, whose paths begin in that object.
    ///
    /// ```
    /// use monsterdb::field;
    /// let filter = field("items").elem_match(field("n").gt(1).and(field("name").eq("x")));
    /// assert_eq!(filter.to_string(), r#"{"items":{"$elemMatch":{"n":{"$gt":1},"name":"x"}}}"#);
    /// ```
    pub fn elem_match(self, filter: Filter) -> Filter {
        match filter.root {
            Node::Invalid(invalid) => Filter::new(Node::Invalid(invalid)),
            root => self.passes(Test::ElemMatch(ElemMatch::Filter(Box::new(Filter::new(root))))),
        }
    }

    /// An array with an element that passes all tests of the closure.
    ///
    /// ```
    /// use monsterdb::field;
    /// let filter = field("a").any_element(|element| element.clone().gt(1).and(element.lt(5)));
    /// assert_eq!(filter.to_string(), r#"{"a":{"$elemMatch":{"$gt":1,"$lt":5}}}"#);
    /// ```
    pub fn any_element(self, tests: impl FnOnce(Field) -> Filter) -> Filter {
        let filter = tests(self.clone());
        self.of_tests("$elemMatch", filter, |tests| Test::ElemMatch(ElemMatch::Tests(tests)))
    }

    /// Does not pass all tests of the closure, or is missing.
    ///
    /// ```
    /// use monsterdb::field;
    /// let filter = field("a").not(|a| a.regex("^x"));
    /// assert_eq!(filter.to_string(), r#"{"a":{"$not":{"$regex":"^x"}}}"#);
    /// ```
    pub fn not(self, tests: impl FnOnce(Field) -> Filter) -> Filter {
        let filter = tests(self.clone());
        self.of_tests("$not", filter, Test::Not)
    }

    /// A test made of the tests in a filter, all of which have to be of this very path.
    fn of_tests(self, name: &str, filter: Filter, make: fn(Vec<Test>) -> Test) -> Filter {
        if let Node::Invalid(invalid) = filter.root {
            return Filter::new(Node::Invalid(invalid));
        }
        let own = |node: &Node| match node {
            Node::Condition(condition) if Ok(&condition.path) == self.0.as_ref() => {
                Some(condition.test.clone())
            }
            Node::Condition(_) | Node::And(_) | Node::Or(_) | Node::Nor(_) | Node::Invalid(_) => {
                None
            }
        };
        let tests: Option<Vec<Test>> = filter.root.conjuncts().iter().map(own).collect();
        self.asks(name, |place| match tests {
            Some(tests) if operators::distinct(&tests) => Ok(make(tests)),
            Some(_) => place.error(format!("{name} takes each operator once, and at least one")),
            None => place.error(format!("{name} takes tests of the path that it was given")),
        })
    }

    fn passes(self, test: Test) -> Filter {
        Filter::new(match self.0 {
            Ok(path) => Node::condition(path, test),
            Err(invalid) => Node::Invalid(Invalid::path(&invalid)),
        })
    }

    /// The filter of a test that may turn out to be none.
    fn asks(self, name: &str, make: impl FnOnce(&Place<'_>) -> Result<Test>) -> Filter {
        let patterns = Cell::new(0);
        let at = |path: &Path| make(&Place::root(&patterns).step(path.as_str()).step(name));
        match self.0.as_ref().map(at) {
            Ok(Ok(test)) => self.passes(test),
            Ok(Err(Error::InvalidFilter { pointer, reason })) => {
                Filter::new(Node::Invalid(Invalid { pointer, reason }))
            }
            Ok(Err(other)) => {
                let reason = other.to_string();
                Filter::new(Node::Invalid(Invalid { pointer: String::new(), reason }))
            }
            Err(invalid) => Filter::new(Node::Invalid(Invalid::path(invalid))),
        }
    }
}

fn jsons<T: Into<Json>>(values: impl IntoIterator<Item = T>) -> Vec<Json> {
    values.into_iter().map(Into::into).collect()
}
