//! A body that has passed the border but is not bound to an id yet.
//!
//! Invariant: it keeps every rule for documents; only its final size is still to be checked.

use super::{Document, fault::too_large, json, string::quote};
use crate::error::Result;
use crate::limits::DOCUMENT_BYTES_MAX;
use crate::names::DocumentId;
use crate::version::Version;

/// A checked body on its way to become a [`Document`].
///
/// ```
/// use monsterdb::{DocumentId, Draft};
/// let draft = Draft::parse(br#"{ "name": "Ada", "_version": 17 }"#)?;
/// assert_eq!(draft.expected().map(|version| version.get()), Some(17));
/// let document = draft.into_document(&DocumentId::new("u1")?)?;
/// assert_eq!(document.json(), r#"{"_id":"u1","name":"Ada"}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Draft {
    id: Option<DocumentId>,
    expected: Option<Version>,
    /// The document's text up to the brace at its end, with the id where the body began with it.
    text: String,
    /// Where the other members begin in it: behind the brace, or behind the id.
    front: usize,
}

impl Draft {
    /// Checks and compacts a body.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidJson`](crate::Error::InvalidJson) when it is not JSON in UTF-8,
    /// [`Error::InvalidDocument`](crate::Error::InvalidDocument) with the place when it breaks a
    /// rule for documents, [`Error::LimitExceeded`](crate::Error::LimitExceeded) when it is too
    /// large; that error tells how far the reading got.
    pub fn parse(input: &[u8]) -> Result<Draft> {
        let json::Body { id, expected, text, front } = json::document(input)?;
        Ok(Draft { id, expected, text, front })
    }

    /// The `_id` that the body gives, if it does.
    pub fn id(&self) -> Option<&DocumentId> {
        self.id.as_ref()
    }

    /// The `_version` that the body gives: a precondition, zero for absence.
    pub fn expected(&self) -> Option<Version> {
        self.expected
    }

    /// The same body without a precondition, as an import takes it.
    #[must_use]
    pub fn without_expected(self) -> Draft {
        Draft { expected: None, ..self }
    }

    /// The document of this id with this body. An id that the body gives is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::LimitExceeded`](crate::Error::LimitExceeded) when the text gets too large.
    pub fn into_document(self, id: &DocumentId) -> Result<Document> {
        let mut text = self.text;
        let is_there = self.front > 1 && self.id.as_ref() == Some(id);
        if !is_there {
            let mut front = String::with_capacity(id.bytes() + r#"{"_id":"","#.len());
            front.push_str(Document::FRONT);
            quote(id.as_str(), &mut front);
            if self.front == 1 && text.len() > 1 {
                front.push(',');
            }
            // The members were read from text with an id, as a rule: there is room for one.
            text.reserve_exact(front.len() + 1);
            text.replace_range(..self.front, &front);
        }
        text.push('}');
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(too_large(text.len()));
        }
        Ok(Document::unstamped(text))
    }

    /// The members other than `_id` and `_version`, as an object's text.
    pub(crate) fn object(&self) -> String {
        format!("{{{}}}", self.members())
    }

    /// The members other than `_id` and `_version`, joined by commas.
    fn members(&self) -> &str {
        let members = self.text.get(self.front..).unwrap_or_default();
        members.strip_prefix(',').unwrap_or(members)
    }
}

/// Two are equal when they are the same draft, wherever the id stood.
impl PartialEq for Draft {
    fn eq(&self, other: &Draft) -> bool {
        (&self.id, self.expected, self.members()) == (&other.id, other.expected, other.members())
    }
}

impl Eq for Draft {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn wherever_the_id_stands_it_comes_first_and_can_be_another() {
        let bodies = [
            (r#"{"_id":"a","n":1,"m":{}}"#, true),
            (r#" { "_id" : "a" , "n":1,"m":{} } "#, true),
            (r#"{"n":1,"_id":"a","m":{}}"#, true),
            (r#"{"n":1,"m":{},"_id":"a"}"#, true),
            (r#"{"_version":3,"_id":"a","n":1,"m":{}}"#, true),
            (r#"{"_id":"a","_version":3,"n":1,"m":{}}"#, true),
            (r#"{"\u005fid":"a","n":1,"m":{}}"#, true),
            (r#"{"_id":"\u0061","n":1,"m":{}}"#, true),
            (r#"{"n":1,"m":{}}"#, true),
            (r#"{"_id":"a"}"#, false),
            (r#"{"_version":3,"_id":"a"}"#, false),
            (r#"{}"#, false),
        ];
        for (body, has_members) in bodies {
            for id in ["a", "another"] {
                let draft = Draft::parse(body.as_bytes()).unwrap();
                let members = if has_members { r#""n":1,"m":{}"# } else { "" };
                assert_eq!(draft.object(), format!("{{{members}}}"));
                let document = draft.into_document(&DocumentId::new(id).unwrap()).unwrap();
                let comma = if has_members { "," } else { "" };
                assert_eq!(document.json(), format!(r#"{{"_id":"{id}"{comma}{members}}}"#));
            }
        }
        let [one, two] =
            [0, 2].map(|place: usize| Draft::parse(bodies[place].0.as_bytes()).unwrap());
        assert!(one == two);
    }
}
