//! The one writer of objects.
//!
//! Invariant: commas stand between members and nowhere else.

use crate::document::{Member, quote};

/// An object being written.
pub(super) struct Members<'a> {
    out: &'a mut String,
    empty: bool,
}

impl<'a> Members<'a> {
    pub(super) fn open(out: &'a mut String) -> Members<'a> {
        out.push('{');
        Members { out, empty: true }
    }

    /// Writes a key as it is given, quotes included; the caller writes the value.
    pub(super) fn key(&mut self, key: &str) -> &mut String {
        if !self.empty {
            self.out.push(',');
        }
        self.empty = false;
        self.out.push_str(key);
        self.out.push(':');
        self.out
    }

    /// Writes a key that is given as a plain name.
    pub(super) fn name(&mut self, name: &str) -> &mut String {
        let mut key = String::with_capacity(name.len() + 2);
        quote(name, &mut key);
        self.key(&key)
    }

    /// Writes a member as it stands.
    pub(super) fn copy(&mut self, member: Member<'_>) {
        self.key(member.key()).push_str(member.value.text());
    }

    pub(super) fn close(self) {
        self.out.push('}');
    }
}
