//! Documents: JSON objects kept as the text that was given, compacted.
//!
//! Bytes from outside pass one border ([`Draft::parse`], [`Json::parse`]), which checks every rule
//! and writes compact text. Behind it everything works on that text: [`Raw`] looks into it,
//! [`compare`] orders it. What changes it stands in [`crate::update`].
//!
//! Invariant: a document's text is compact, begins with `{"_id":"`, and has passed the border. It
//! never changes; its version is stamped once, before anyone else can see the document.

mod draft;
mod fault;
mod interval;
mod json;
mod kept;
pub mod key;
mod marks;
mod members;
mod number;
mod once;
mod order;
mod path;
mod raw;
mod scan;
mod string;
mod value;

pub use draft::Draft;
pub(crate) use fault::{push_pointer, too_large};
pub use interval::{Interval, KeyRange};
pub use key::KeyBytes;
pub(crate) use members::{Members, Place};
pub use number::Number;
pub use order::{Direction, compare, same};
pub(crate) use path::index_of;
pub use path::{InvalidPath, Path};
pub(crate) use path::{Leaf, Tail};
pub use raw::{Kind, Member, Raw};
pub(crate) use string::quote;
pub use value::Json;

use std::{borrow::Cow, fmt};

use crate::error::Result;
use crate::names::DocumentId;
use crate::sync::WriteOnce;
use crate::version::Version;

/// One document: its text, and the version of the commit that wrote it.
///
/// Two are equal when text and version are.
///
/// ```
/// use monsterdb::{DocumentId, Draft};
/// let document = Draft::parse(br#"{"n": 1}"#)?.into_document(&DocumentId::new("a")?)?;
/// assert_eq!(document.json(), r#"{"_id":"a","n":1}"#);
/// assert_eq!(document.raw().member("n").map(|n| n.text()), Some("1"));
/// # Ok::<(), monsterdb::Error>(())
/// ```
pub struct Document {
    version: WriteOnce,
    json: Box<str>,
}

impl Document {
    /// What every document's text begins with; the id's opening quote follows.
    const FRONT: &str = r#"{"_id":"#;

    /// A document of text that a checksum vouches for: only the id is read, nothing is checked
    /// again.
    ///
    /// # Errors
    ///
    /// A sentence that says why the text cannot have been written by this engine.
    pub fn trusted(text: Box<str>, version: Version) -> Result<(DocumentId, Document), String> {
        let document = Document { version: WriteOnce::new(version.get()), json: text };
        if !document.json.starts_with(r#"{"_id":""#) || !document.json.ends_with('}') {
            return Err("the document does not begin with its _id".to_owned());
        }
        let id = DocumentId::new(&document.id()).map_err(|invalid| invalid.to_string())?;
        Ok((id, document))
    }

    /// A document that no commit has taken yet. The caller knows the text to be valid.
    fn unstamped(json: String) -> Document {
        Document { version: WriteOnce::new(0), json: json.into_boxed_str() }
    }

    /// An object inside a document, dressed as one so that filters can be asked of it. It has no id
    /// and must not be stored.
    pub(crate) fn part(object: &str) -> Document {
        Document::unstamped(object.to_owned())
    }

    /// The compact text, `_id` first, without `_version`.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The version of the commit that wrote it; [`Version::ZERO`] until it is committed.
    pub fn version(&self) -> Version {
        Version::new(self.version.get())
    }

    /// Gives the document its version, before anyone else can see it.
    pub(crate) fn stamp(&self, version: Version) {
        self.version.set(version.get());
    }

    /// The id, read from the front of the text.
    pub fn id(&self) -> Cow<'_, str> {
        Raw::trusted(self.quoted_id()).as_str().unwrap_or_default()
    }

    /// The id as it stands in the text, with its quotes.
    pub(crate) fn quoted_id(&self) -> &str {
        self.json.get(Self::FRONT.len()..self.id_end()).unwrap_or_default()
    }

    /// The whole object, to look into.
    pub fn raw(&self) -> Raw<'_> {
        Raw::trusted(&self.json)
    }

    /// Writes the text with `_version` right after `_id`, as reads show it. Before it is committed
    /// a document has no version to show.
    pub fn write_with_version(&self, out: &mut String) {
        let version = self.version();
        match self.json.split_at_checked(self.id_end()) {
            Some((front, rest)) if version > Version::ZERO => {
                out.push_str(front);
                out.push_str(r#","_version":"#);
                out.push_str(&version.to_string());
                out.push_str(rest);
            }
            Some(_) | None => out.push_str(&self.json),
        }
    }

    /// The text with `_version` right after `_id`, as reads show it.
    pub fn to_json_with_version(&self) -> String {
        let mut text = String::with_capacity(self.json.len() + r#","_version":"#.len() + 20);
        self.write_with_version(&mut text);
        text
    }

    /// The place behind the id's closing quote.
    fn id_end(&self) -> usize {
        scan::string_end(self.json.as_bytes(), Self::FRONT.len())
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Document) -> bool {
        self.version() == other.version() && self.json == other.json
    }
}

impl Eq for Document {}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.version(), self.json)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn document(id: &str, body: &str) -> Document {
        Draft::parse(body.as_bytes()).unwrap().into_document(&DocumentId::new(id).unwrap()).unwrap()
    }

    #[test]
    fn the_id_comes_first_and_is_read_back() {
        for id in ["a", "quote\"back\\slash", "Zoë 😀", "\\\"", "\\"] {
            let document = document(id, r#"{"z":1,"_id":"other","a":2}"#);
            assert_eq!(document.id(), id);
            let text = document.json().to_owned().into_boxed_str();
            let (read, loaded) = Document::trusted(text, Version::new(3)).unwrap();
            assert_eq!((read.as_str(), loaded.version()), (id, Version::new(3)));
            assert_eq!(loaded.json(), document.json());
        }
        assert_eq!(document("x", "{}").json(), r#"{"_id":"x"}"#);
    }

    #[test]
    fn the_version_is_shown_once_stamped() {
        let document = document("x", r#"{"a":1}"#);
        assert_eq!(document.to_json_with_version(), r#"{"_id":"x","a":1}"#);
        document.stamp(Version::new(17));
        assert_eq!(document.version(), Version::new(17));
        assert_eq!(document.to_json_with_version(), r#"{"_id":"x","_version":17,"a":1}"#);
    }

    #[test]
    fn text_that_no_engine_wrote_is_refused() {
        for text in
            ["", "{}", r#"{"_id":1}"#, r#"{"_id":""}"#, r#"{"a":1,"_id":"x"}"#, r#"{"_id":"x"#]
        {
            assert!(Document::trusted(text.into(), Version::ZERO).is_err(), "{text}");
        }
    }
}
