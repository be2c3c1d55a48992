//! What users write: documents that say whose they are, and changes to them.
//!
//! Invariant: a user knows the content that a change makes before it sends it, whichever way the
//! change is sent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::dice::Dice;

/// Tags after which an update takes all of them away.
const TAGS_MAX: usize = 6;

/// A bound on the letters of a note.
const NOTE_LETTERS: u64 = 120;

const CITIES: [&str; 5] = ["Bergen", "Łódź", "Oslo", "Tromsø", "京都"];

/// The content of one document, without its id and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    /// Whose it is. A copy under another id gives itself away by this and the number.
    pub(super) user: u32,
    /// Which of the user's.
    pub(super) number: u64,
    /// How often it was changed.
    pub(super) revision: u64,
    note: String,
    tags: Vec<String>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    city: String,
    floor: i64,
}

/// A document as the server tells it.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) version: u64,
    /// The members besides.
    pub(super) rest: Value,
}

/// How a change is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// The whole document anew, by PUT.
    Put,
    /// A merge patch.
    Merge,
    /// Update operators.
    Operators,
    /// The whole document anew, in a batch.
    Batch,
}

/// A change of one document: what it makes, and what is sent for it.
pub(super) struct Change {
    pub(super) way: Way,
    pub(super) after: Content,
    pub(super) body: Value,
}

/// The id of a user's document.
pub(super) fn id(user: u32, number: u64) -> String {
    format!("user-{user:04}-{number:06}")
}

impl Content {
    /// A new document.
    pub(super) fn new(user: u32, number: u64, dice: &mut Dice) -> Content {
        Content {
            user,
            number,
            revision: 0,
            note: dice.text(NOTE_LETTERS),
            tags: (0..dice.below(3)).map(|_| dice.text(12)).collect(),
            place: Place { city: city(dice), floor: dice.below(20) as i64 - 5 },
        }
    }

    /// The id that it belongs under.
    pub(super) fn id(&self) -> String {
        id(self.user, self.number)
    }

    /// The document with its id, as it is sent.
    pub(super) fn document(&self) -> Value {
        let mut document = json!(self);
        document["_id"] = self.id().into();
        document
    }

    /// A change of it.
    pub(super) fn change(&self, dice: &mut Dice) -> Change {
        let mut after = self.clone();
        after.revision += 1;
        after.note = dice.text(NOTE_LETTERS);
        let way = dice.one_of(&[Way::Put, Way::Merge, Way::Operators, Way::Batch]);
        let way = way.unwrap_or(Way::Put);
        let body = match way {
            Way::Put | Way::Batch => {
                after.place = Place { city: city(dice), floor: self.place.floor + 1 };
                json!(after)
            }
            Way::Merge => {
                after.place.city = city(dice);
                let place = json!({ "city": after.place.city });
                json!({ "revision": after.revision, "note": after.note, "place": place })
            }
            Way::Operators => {
                after.place.floor -= 3;
                let increase = json!({ "revision": 1, "place.floor": -3 });
                if self.tags.len() < TAGS_MAX {
                    let tag = dice.text(12);
                    after.tags.push(tag.clone());
                    let set = json!({ "note": after.note });
                    json!({ "$inc": increase, "$set": set, "$push": { "tags": tag } })
                } else {
                    after.tags.clear();
                    json!({ "$inc": increase, "$set": { "note": after.note, "tags": [] } })
                }
            }
        };
        Change { way, after, body }
    }

    /// The content of a stored document, if it has the form that users write.
    pub(super) fn of(stored: &Stored) -> Option<Content> {
        Content::deserialize(&stored.rest).ok()
    }
}

impl Stored {
    /// A document as it is answered, with its id and its version.
    pub(super) fn read(text: &str) -> Option<Stored> {
        Stored::of(serde_json::from_str(text).ok()?)
    }

    /// The same, where it stands in a list.
    pub(super) fn of(mut members: Map<String, Value>) -> Option<Stored> {
        let id = members.remove("_id")?.as_str()?.to_owned();
        let version = members.remove("_version")?.as_u64()?;
        Some(Stored { id, version, rest: Value::Object(members) })
    }
}

fn city(dice: &mut Dice) -> String {
    dice.one_of(&CITIES).unwrap_or_default().to_owned()
}
