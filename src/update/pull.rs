//! `$pull`: elements removed from an array.
//!
//! The operand is a value, and elements that are the same go; or tests such as `{"$gte":6}`, for
//! elements of any kind; or a filter such as `{"score":8}`, for elements that are objects.

use super::{
    operators::{Outcome, json},
    rewrite::separate,
};
use crate::document::{Json, Kind, Raw, same};
use crate::error::Error;
use crate::filter::ElementTest;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pull {
    Value(Json),
    Test(ElementTest),
}

impl Pull {
    pub(super) fn read(operand: Raw<'_>) -> Outcome<Pull> {
        if operand.kind() != Kind::Object {
            return Ok(Pull::Value(json(operand)));
        }
        match ElementTest::parse(operand) {
            Ok(test) => Ok(Pull::Test(test)),
            Err(Error::InvalidFilter { pointer, reason }) => Err(format!("{pointer:?}: {reason}")),
            Err(other) => Err(other.to_string()),
        }
    }

    pub(super) fn write(&self, array: Raw<'_>, out: &mut String) {
        let stays = |element: &Raw<'_>| match self {
            Pull::Value(value) => !same(*element, value.as_raw()),
            Pull::Test(test) => !test.matches(*element),
        };
        out.push('[');
        for (place, element) in array.elements().filter(stays).enumerate() {
            separate(place, out);
            out.push_str(element.text());
        }
        out.push(']');
    }
}
