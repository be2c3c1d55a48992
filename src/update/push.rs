//! `$push`: elements added to an array, which may then be sorted and cut.
//!
//! ```text
//! operand  = value  |  { "$each": [ value* ], modifier* }
//! modifier = "$position": integer | "$sort": order | "$slice": integer
//! order    = direction  |  { (path: direction)+ }
//! ```
//!
//! Invariant: whatever the order in the text, elements are put in at the position first, then all
//! are sorted, then cut. Sorting is stable.

use std::cmp::Ordering;

use super::{
    operators::{Outcome, json},
    rewrite::separate,
};
use crate::document::{Direction, Json, Kind, Number, Path, Raw, compare, index_of};

#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Push {
    each: Vec<Json>,
    /// Elements before the new ones; a negative number counts from the end.
    position: Option<i64>,
    sort: Vec<SortPart>,
    /// Elements to keep: the first ones, or if negative the last ones.
    slice: Option<i64>,
}

/// One key of a sort; without a path it is the element itself.
#[derive(Clone, Debug, PartialEq)]
struct SortPart {
    path: Option<Path>,
    direction: Direction,
}

impl Push {
    pub(super) fn read(operand: Raw<'_>) -> Outcome<Push> {
        if !has_modifiers(operand) {
            return Ok(Push { each: vec![json(operand)], ..Push::default() });
        }
        let mut push = Push { each: read_each(operand)?, ..Push::default() };
        for member in operand.members() {
            match &*member.name() {
                "$each" => {}
                "$position" => push.position = Some(integer("$position", member.value)?),
                "$slice" => push.slice = Some(integer("$slice", member.value)?),
                "$sort" => push.sort = read_sort(member.value)?,
                unknown => return Err(format!("$push knows no {unknown:?} beside $each")),
            }
        }
        Ok(push)
    }

    pub(super) fn write(&self, array: Raw<'_>, out: &mut String) {
        let mut elements: Vec<Raw<'_>> = array.elements().collect();
        let place = self.position.map_or(elements.len(), |at| from_either_end(at, elements.len()));
        elements.splice(place..place, self.each.iter().map(Json::as_raw));
        if !self.sort.is_empty() {
            elements.sort_by(|a, b| self.order(*a, *b));
        }
        let kept = match self.slice {
            None => 0..elements.len(),
            Some(last @ ..0) => from_either_end(last, elements.len())..elements.len(),
            Some(first) => 0..from_either_end(first, elements.len()),
        };
        out.push('[');
        for (place, element) in elements.get(kept).unwrap_or_default().iter().enumerate() {
            separate(place, out);
            out.push_str(element.text());
        }
        out.push(']');
    }

    fn order(&self, a: Raw<'_>, b: Raw<'_>) -> Ordering {
        let by = |part: &SortPart| part.direction.apply(compare(part.key(a), part.key(b)));
        self.sort.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

impl SortPart {
    /// The value to sort an element by: objects are entered by name, arrays by index.
    fn key<'a>(&self, element: Raw<'a>) -> Option<Raw<'a>> {
        let names = self.path.iter().flat_map(|path| path.as_str().split('.'));
        names.into_iter().try_fold(element, |value, name| match value.kind() {
            Kind::Object => value.member(name),
            Kind::Array => value.elements().nth(index_of(name)?),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => None,
        })
    }
}

/// True for an object with a member such as `$each`: it is no value, but says how to add some.
pub(super) fn has_modifiers(operand: Raw<'_>) -> bool {
    operand.members().any(|member| member.name().starts_with('$'))
}

/// The values of `$each`.
pub(super) fn read_each(operand: Raw<'_>) -> Outcome<Vec<Json>> {
    match operand.member("$each") {
        Some(each) if each.kind() == Kind::Array => Ok(each.elements().map(json).collect()),
        Some(_) => Err("$each needs an array of values".to_owned()),
        None => Err("modifiers need $each, with the values to add".to_owned()),
    }
}

fn read_sort(operand: Raw<'_>) -> Outcome<Vec<SortPart>> {
    if operand.kind() != Kind::Object {
        return Ok(vec![SortPart { path: None, direction: direction(operand)? }]);
    }
    let read = |member: crate::document::Member<'_>| {
        let path = Path::parse(&member.name()).map_err(|invalid| invalid.to_string())?;
        Ok(SortPart { path: Some(path), direction: direction(member.value)? })
    };
    let parts: Vec<_> = operand.members().map(read).collect::<Outcome<_>>()?;
    if parts.is_empty() { Err("$sort needs a path".to_owned()) } else { Ok(parts) }
}

fn direction(value: Raw<'_>) -> Outcome<Direction> {
    match value.text() {
        "1" => Ok(Direction::Ascending),
        "-1" => Ok(Direction::Descending),
        _ => Err("$sort needs 1 or -1, or an object of paths and these".to_owned()),
    }
}

fn integer(name: &str, value: Raw<'_>) -> Outcome<i64> {
    match value.number() {
        Some(Number::Int(integer)) => i64::try_from(integer).or(Ok(i64::MAX)),
        Some(Number::Float(_)) | None => Err(format!("{name} needs an integer")),
    }
}

/// A place among so many elements: a negative one counts from the end, and none lies outside.
fn from_either_end(place: i64, length: usize) -> usize {
    let distance = usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX);
    if place < 0 { length.saturating_sub(distance) } else { distance.min(length) }
}
