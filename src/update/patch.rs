//! JSON Merge Patch (RFC 7396) over text.
//!
//! Invariant: members that the patch does not name keep their place and their spelling.

use std::collections::{BTreeMap, BTreeSet};

use super::{finish, members::Members};
use crate::document::{Document, Draft, Json, Kind, Raw};
use crate::error::{Error, Result};
use crate::names::DocumentId;
use crate::version::Version;

/// A merge patch: an object whose members replace those of a document, and whose nulls remove
/// them.
///
/// ```
/// use monsterdb::{DocumentId, Draft, MergePatch};
/// let document = Draft::parse(br#"{"a": 1, "b": {"c": 2}}"#)?.into_document(&DocumentId::new("x")?)?;
/// let patched = MergePatch::parse(br#"{"a": null, "b": {"d": 3}}"#)?.apply(&document)?;
/// assert_eq!(patched.json(), r#"{"_id":"x","b":{"c":2,"d":3}}"#);
/// # Ok::<(), monsterdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePatch {
    id: Option<DocumentId>,
    expected: Option<Version>,
    object: Json,
}

impl MergePatch {
    /// Checks a patch; the rules for documents are those for patches.
    ///
    /// # Errors
    ///
    /// As [`Draft::parse`].
    pub fn parse(input: &[u8]) -> Result<MergePatch> {
        let draft = Draft::parse(input)?;
        let object = Json::trusted(draft.object());
        Ok(MergePatch { id: draft.id().cloned(), expected: draft.expected(), object })
    }

    /// The `_version` that the patch gives: a precondition.
    pub fn expected(&self) -> Option<Version> {
        self.expected
    }

    /// The patched document, not stamped yet.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUpdate`] when the patch gives another `_id` than the document's, or makes
    /// it too deep; [`Error::LimitExceeded`] when it makes it too large.
    pub fn apply(&self, document: &Document) -> Result<Document> {
        if self.id.as_ref().is_some_and(|id| id.as_str() != document.id()) {
            let reason = "_id never changes".to_owned();
            return Err(Error::InvalidUpdate { pointer: "/_id".to_owned(), reason });
        }
        let mut text = String::with_capacity(document.json().len() + self.object.as_str().len());
        merge(Some(document.raw()), self.object.as_raw(), &mut text);
        finish(&text, document)
    }
}

/// `MergePatch(Target, Patch)` of RFC 7396, section 2.
fn merge(target: Option<Raw<'_>>, patch: Raw<'_>, out: &mut String) {
    if patch.kind() != Kind::Object {
        out.push_str(patch.text());
        return;
    }
    let changes: BTreeMap<_, _> = patch.members().map(|m| (m.name(), m.value)).collect();
    let mut merged = BTreeSet::new();
    let mut members = Members::open(out);
    for member in target.into_iter().flat_map(Raw::members) {
        let name = member.name();
        match changes.get(&name) {
            None => members.copy(member),
            Some(change) => {
                if change.kind() != Kind::Null {
                    merge(Some(member.value), *change, members.key(member.key()));
                }
                merged.insert(name);
            }
        }
    }
    for change in patch.members() {
        if change.value.kind() != Kind::Null && !merged.contains(&change.name()) {
            merge(None, change.value, members.key(change.key()));
        }
    }
    members.close();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn patched(body: &str, patch: &str) -> Result<String> {
        let id = DocumentId::new("x")?;
        let document = Draft::parse(body.as_bytes())?.into_document(&id)?;
        let patched = MergePatch::parse(patch.as_bytes())?.apply(&document)?;
        Ok(patched.json().replacen(r#""_id":"x","#, "", 1).replacen(r#""_id":"x""#, "", 1))
    }

    /// The examples of RFC 7396, appendix A, that end in a value: each is a member here, as a
    /// document is always an object.
    #[test]
    fn examples_of_the_rfc_below_the_root() {
        for (target, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
            (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ] {
            let member = |value: &str| format!(r#"{{"k":{value}}}"#);
            assert_eq!(patched(&member(target), &member(patch)).unwrap(), member(result));
            if [target, patch].iter().all(|text| text.starts_with('{')) {
                assert_eq!(patched(target, patch).unwrap(), result);
            }
        }
        assert_eq!(patched(r#"{"k":{"a":"foo"}}"#, r#"{"k":null}"#).unwrap(), "{}");
    }

    #[test]
    fn untouched_members_keep_place_and_spelling() {
        let found = patched(
            r#"{"z":1.50,"\u0062":{"y":1e2,"x":0},"a":2}"#,
            r#"{"b":{"x":7},"n":{"m":null}}"#,
        );
        assert_eq!(found.unwrap(), r#"{"z":1.50,"\u0062":{"y":1e2,"x":7},"a":2,"n":{}}"#);
    }

    #[test]
    fn the_id_stays_and_the_version_is_a_precondition() {
        assert_eq!(patched(r#"{"a":1}"#, r#"{"_id":"x","a":2}"#).unwrap(), r#"{"a":2}"#);
        assert_eq!(patched("{}", r#"{"_id":"y"}"#).unwrap_err().code(), "invalid-update");
        for patch in [r#"{"_id":null}"#, "[]", r#"{"$a":1}"#, r#"{"a":1,"a":2}"#] {
            assert_eq!(patched("{}", patch).unwrap_err().code(), "invalid-document", "{patch}");
        }
        let patch = MergePatch::parse(br#"{"_version":7}"#).unwrap();
        assert_eq!(patch.expected(), Some(Version::new(7)));
    }
}
