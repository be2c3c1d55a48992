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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    id: Option<DocumentId>,
    expected: Option<Version>,
    /// The other members: compact, joined by commas, without braces.
    members: String,
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
        let json::Body { id, expected, members } = json::document(input)?;
        Ok(Draft { id, expected, members })
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
        let mut front = String::with_capacity(id.bytes() + r#"{"_id":"",}"#.len());
        front.push_str(Document::FRONT);
        quote(id.as_str(), &mut front);
        if !self.members.is_empty() {
            front.push(',');
        }
        // The members were read from text with an id, as a rule: there is room for one.
        let mut text = self.members;
        text.reserve_exact(front.len() + 1);
        text.insert_str(0, &front);
        text.push('}');
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(too_large(text.len()));
        }
        Ok(Document::unstamped(text))
    }

    /// The members other than `_id` and `_version`, as an object's text.
    pub(crate) fn object(&self) -> String {
        format!("{{{}}}", self.members)
    }
}
