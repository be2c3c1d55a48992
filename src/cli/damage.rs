//! How places that are damaged are told: one after the other to a program, in a few words to a person.

use std::fmt;

use serde_json::{Value, json};

use crate::error::Damage;

/// One place, for programs.
pub(super) fn damage_json(damage: &Damage) -> Value {
    json!({
        "file": damage.file,
        "offset": damage.offset,
        "seq": damage.version.map(|version| version.get()),
        "reason": damage.reason,
    })
}

/// Several places in a few words.
pub(super) struct DamageList<'a>(pub(super) &'a [Damage]);

impl fmt::Display for DamageList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("damaged"),
            [only] => only.fmt(f),
            [first, rest @ ..] => write!(f, "{first}, and {} more", rest.len()),
        }
    }
}
