//! What must be there: the documents of one user, as their acknowledgements say.
//!
//! Only its user writes a document, one operation after the other, so each has exactly one state,
//! until the outcome of a write is unknown. From then on it has two, that before and that after
//! the write, which may still take effect at any time; so the document is left alone.
//!
//! Invariant: what was acknowledged is in every state that is allowed.

use std::collections::BTreeMap;

use super::{
    content::{Content, Stored, id},
    dice::Dice,
    finding::{Finding, Kind},
};

/// The longest part of a document that a finding cites.
const CITED_LETTERS: usize = 200;

/// The documents of one user.
pub(super) struct Documents {
    pub(super) user: u32,
    /// The states that each may have, by its number.
    allowed: BTreeMap<u64, Allowed>,
    /// Those that are there for certain and may be changed.
    live: Vec<u64>,
    /// Those that are deleted for certain.
    gone: Vec<u64>,
}

/// The states that a document may have.
enum Allowed {
    Known(State),
    Either(State, State),
}

/// One of them.
#[derive(Clone)]
pub(super) enum State {
    Absent,
    /// It is there, with this version if that was told.
    Present(Content, Option<u64>),
}

/// A document that is there for certain.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) content: Content,
    pub(super) version: u64,
}

impl Documents {
    pub(super) fn new(user: u32) -> Documents {
        Documents { user, allowed: BTreeMap::new(), live: Vec::new(), gone: Vec::new() }
    }

    /// The number of the next document.
    pub(super) fn next_number(&self) -> u64 {
        self.allowed.last_key_value().map_or(0, |(last, _)| last + 1)
    }

    /// One that is there for certain.
    pub(super) fn pick(&self, dice: &mut Dice) -> Option<Known> {
        match self.allowed.get(&dice.one_of(&self.live)?)? {
            Allowed::Known(State::Present(content, Some(version))) => {
                Some(Known { content: content.clone(), version: *version })
            }
            Allowed::Known(State::Absent | State::Present(_, None)) | Allowed::Either(_, _) => None,
        }
    }

    /// The number of one that was deleted.
    pub(super) fn pick_gone(&self, dice: &mut Dice) -> Option<u64> {
        dice.one_of(&self.gone)
    }

    /// An insertion or a change was acknowledged.
    pub(super) fn written(&mut self, content: Content, version: u64) {
        let number = content.number;
        let before =
            self.allowed.insert(number, Allowed::Known(State::Present(content, Some(version))));
        if before.is_none() {
            self.live.push(number);
        }
    }

    /// A deletion was acknowledged.
    pub(super) fn deleted(&mut self, number: u64) {
        self.allowed.insert(number, Allowed::Known(State::Absent));
        self.leave_alone(number);
        self.gone.push(number);
    }

    /// The outcome of a write is unknown.
    pub(super) fn doubted(&mut self, number: u64, before: State, after: State) {
        self.allowed.insert(number, Allowed::Either(before, after));
        self.leave_alone(number);
    }

    /// A write was refused, certainly without effect.
    pub(super) fn refused_insert(&mut self, number: u64) {
        self.allowed.insert(number, Allowed::Known(State::Absent));
    }

    /// Takes a document out of those that may be changed; what must be there stays.
    pub(super) fn leave_alone(&mut self, number: u64) {
        self.live.retain(|live| *live != number);
    }

    /// Documents that are there for certain, and those that may be.
    pub(super) fn counts(&self) -> (u64, u64) {
        let (mut certain, mut uncertain) = (0, 0);
        for allowed in self.allowed.values() {
            match allowed {
                Allowed::Known(State::Absent) => {}
                Allowed::Known(State::Present(_, _)) => certain += 1,
                Allowed::Either(State::Absent, _) | Allowed::Either(_, State::Absent) => {
                    uncertain += 1;
                }
                Allowed::Either(State::Present(_, _), State::Present(_, _)) => certain += 1,
            }
        }
        (certain, uncertain)
    }

    /// The numbers of all that were ever sent.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.allowed.keys().copied()
    }

    /// What is otherwise when this is found under a number, or nothing is.
    pub(super) fn difference(&self, number: u64, found: Option<&Stored>) -> Option<Finding> {
        const NEVER: Allowed = Allowed::Known(State::Absent);
        self.allowed.get(&number).unwrap_or(&NEVER).difference(&id(self.user, number), found)
    }
}

impl Allowed {
    fn difference(&self, id: &str, found: Option<&Stored>) -> Option<Finding> {
        let is_allowed = match self {
            Allowed::Known(state) => state.is(found),
            Allowed::Either(before, after) => before.is(found) || after.is(found),
        };
        if is_allowed {
            return None;
        }
        let expected = self.told();
        Some(match (found, self) {
            (None, _) => Finding::new(Kind::Lost, id, format!("it is not there, and {expected}")),
            (Some(found), Allowed::Known(State::Absent)) => {
                Finding::new(Kind::Unexpected, id, format!("there is {found}, and {expected}"))
            }
            (Some(found), Allowed::Known(_) | Allowed::Either(_, _)) => {
                Finding::new(Kind::Changed, id, format!("there is {found}, and {expected}"))
            }
        })
    }

    fn told(&self) -> String {
        match self {
            Allowed::Known(state) => format!("acknowledged is {}", state.told()),
            Allowed::Either(before, after) => {
                format!("possible are {} and {}", before.told(), after.told())
            }
        }
    }
}

impl State {
    fn is(&self, found: Option<&Stored>) -> bool {
        match (self, found) {
            (State::Absent, None) => true,
            (State::Present(content, version), Some(found)) => {
                version.is_none_or(|version| version == found.version)
                    && Content::of(found).is_some_and(|found| found == *content)
            }
            (State::Absent, Some(_)) | (State::Present(_, _), None) => false,
        }
    }

    fn told(&self) -> String {
        match self {
            State::Absent => "no document".to_owned(),
            State::Present(content, version) => {
                let text = cited(&serde_json::json!(content).to_string());
                match version {
                    Some(version) => format!("{text} at version {version}"),
                    None => text,
                }
            }
        }
    }
}

impl std::fmt::Display for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at version {}", cited(&self.rest.to_string()), self.version)
    }
}

/// The beginning of a text that may be long.
fn cited(text: &str) -> String {
    match text.char_indices().nth(CITED_LETTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(content: &Content, version: u64) -> Stored {
        let mut document = content.document();
        document["_version"] = version.into();
        Stored::read(&document.to_string()).expect("it is whole")
    }

    fn kind(documents: &Documents, number: u64, found: Option<&Stored>) -> Option<Kind> {
        documents.difference(number, found).map(|finding| finding.kind)
    }

    #[test]
    fn what_was_acknowledged_is_all_that_is_allowed() {
        let mut dice = Dice::new(1, 1);
        let mut documents = Documents::new(3);
        let content = Content::new(3, documents.next_number(), &mut dice);
        documents.written(content.clone(), 7);
        let after = content.change(&mut dice).after;
        let (old, new) = (stored(&content, 7), stored(&after, 8));
        assert_eq!(kind(&documents, 0, Some(&old)), None);
        assert_eq!(kind(&documents, 0, None), Some(Kind::Lost));
        assert_eq!(kind(&documents, 0, Some(&new)), Some(Kind::Changed));
        assert_eq!(kind(&documents, 0, Some(&stored(&content, 8))), Some(Kind::Changed));
        assert_eq!(kind(&documents, 1, Some(&old)), Some(Kind::Unexpected), "never written");
        documents.written(after, 8);
        assert_eq!(kind(&documents, 0, Some(&new)), None);
        assert_eq!(documents.pick(&mut dice).expect("it is there").version, 8);
        documents.deleted(0);
        assert_eq!(kind(&documents, 0, None), None);
        assert_eq!(kind(&documents, 0, Some(&new)), Some(Kind::Unexpected));
        assert!(documents.pick(&mut dice).is_none());
        assert_eq!((documents.pick_gone(&mut dice), documents.counts()), (Some(0), (0, 0)));
    }

    #[test]
    fn an_unknown_outcome_allows_both_states_and_no_other() {
        let mut dice = Dice::new(1, 1);
        let mut documents = Documents::new(3);
        let content = Content::new(3, 0, &mut dice);
        let (first, second) = (content.change(&mut dice).after, content.change(&mut dice).after);
        let present = |content: &Content, version| State::Present(content.clone(), version);
        documents.written(content.clone(), 7);
        documents.doubted(0, present(&content, Some(7)), present(&first, None));
        assert_eq!(kind(&documents, 0, Some(&stored(&content, 7))), None);
        assert_eq!(kind(&documents, 0, Some(&stored(&first, 99))), None);
        assert_eq!(kind(&documents, 0, Some(&stored(&content, 8))), Some(Kind::Changed));
        assert_eq!(kind(&documents, 0, Some(&stored(&second, 9))), Some(Kind::Changed));
        assert_eq!(kind(&documents, 0, None), Some(Kind::Lost));
        assert!(documents.pick(&mut dice).is_none(), "it is left alone");
        assert_eq!((documents.counts(), documents.next_number()), ((1, 0), 1));
        let other = Content::new(3, 1, &mut dice);
        documents.doubted(1, State::Absent, present(&other, None));
        assert_eq!(kind(&documents, 1, None), None);
        assert_eq!(kind(&documents, 1, Some(&stored(&other, 9))), None);
        assert_eq!(documents.counts(), (1, 1));
    }
}
