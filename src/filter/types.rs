//! The types that `$type` tells apart: the kinds of JSON values, and of numbers the two spellings.
//!
//! A number written without fraction and exponent is an `int`, any other a `double`. JSON knows no
//! width, so MongoDB's `int` (16) and `long` (18) are one.

use crate::document::{Kind, Raw};

/// A type of JSON value, as `$type` names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// `null`; what is missing has no type.
    Null,
    /// `true` and `false`.
    Bool,
    /// Every number.
    Number,
    /// A number without fraction and exponent, such as `3`.
    Int,
    /// A number with a fraction or an exponent, such as `3.0`.
    Double,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The names that `$type` takes, and MongoDB's numbers for them. The first of a type is canonical.
const NAMES: [(&str, Option<u32>, Type); 9] = [
    ("null", Some(10), Type::Null),
    ("bool", Some(8), Type::Bool),
    ("number", None, Type::Number),
    ("int", Some(16), Type::Int),
    ("long", Some(18), Type::Int),
    ("double", Some(1), Type::Double),
    ("string", Some(2), Type::String),
    ("array", Some(4), Type::Array),
    ("object", Some(3), Type::Object),
];

/// A set of types, of which a value has to have one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Types(u8);

impl Type {
    /// The type of a name, such as `string`.
    pub(super) fn named(name: &str) -> Option<Type> {
        NAMES.iter().find(|(known, ..)| *known == name).map(|(.., found)| *found)
    }

    /// The type that MongoDB gives a number, such as 2 for strings.
    pub(super) fn numbered(number: i128) -> Option<Type> {
        NAMES.iter().find(|(_, known, _)| known.map(i128::from) == Some(number)).map(|(.., t)| *t)
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(.., named)| *named == self).map_or("", |(name, ..)| name)
    }

    fn bits(self) -> u8 {
        match self {
            Type::Null => 1,
            Type::Bool => 2,
            Type::Int => 4,
            Type::Double => 8,
            Type::Number => Type::Int.bits() | Type::Double.bits(),
            Type::String => 16,
            Type::Array => 32,
            Type::Object => 64,
        }
    }
}

impl Types {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fewest types that make up the set, in one order.
    pub(super) fn list(self) -> Vec<Type> {
        let mut left = self.0;
        let mut list = Vec::new();
        for (.., candidate) in NAMES {
            if left & candidate.bits() == candidate.bits() {
                left &= !candidate.bits();
                list.push(candidate);
            }
        }
        list
    }

    pub(super) fn contain(self, value: Raw<'_>) -> bool {
        let found = match value.kind() {
            Kind::Null => Type::Null,
            Kind::Bool => Type::Bool,
            Kind::Number if value.text().contains(['.', 'e', 'E']) => Type::Double,
            Kind::Number => Type::Int,
            Kind::String => Type::String,
            Kind::Array => Type::Array,
            Kind::Object => Type::Object,
        };
        self.0 & found.bits() != 0
    }
}

impl FromIterator<Type> for Types {
    fn from_iter<I: IntoIterator<Item = Type>>(types: I) -> Types {
        Types(types.into_iter().fold(0, |bits, of| bits | of.bits()))
    }
}
