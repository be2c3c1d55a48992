//! Preconditions in headers: `If-Match` and `If-None-Match` (RFC 9110, section 13).
//!
//! Invariant: they are checked against the version that a transaction read, inside it, so that
//! nothing can come between the check and the write.

use actix_web::{HttpRequest, http::header};

use super::{extract::header_text, kinds::Kind, problem::Problem};
use crate::version::Version;

/// What must hold of a document's version.
#[derive(Debug, Clone, Default)]
pub(super) struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The entity tags of a header.
#[derive(Debug, Clone)]
enum Tags {
    /// `*`: any version, as long as there is one.
    Any,
    List(Vec<Tag>),
}

#[derive(Debug, Clone)]
struct Tag {
    weak: bool,
    opaque: String,
}

impl Preconditions {
    /// Those of a request.
    pub(super) fn of(request: &HttpRequest) -> Result<Preconditions, Problem> {
        Ok(Preconditions {
            if_match: Tags::of(request, &header::IF_MATCH)?,
            if_none_match: Tags::of(request, &header::IF_NONE_MATCH)?,
        })
    }

    /// True when there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Refuses a write to a document of this version, none when it is absent.
    pub(super) fn check_write(&self, current: Option<Version>) -> Result<(), Problem> {
        self.check_match(current)?;
        if self.if_none_match.as_ref().is_some_and(|tags| tags.hold(current, Comparison::Weak)) {
            return Err(failed("If-None-Match", current));
        }
        Ok(())
    }

    /// Refuses a read of a document of this version.
    pub(super) fn check_match(&self, current: Option<Version>) -> Result<(), Problem> {
        match &self.if_match {
            Some(tags) if !tags.hold(current, Comparison::Strong) => {
                Err(failed("If-Match", current))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// True when the reader has this version already.
    pub(super) fn is_not_modified(&self, current: Version) -> bool {
        let tags = self.if_none_match.as_ref();
        tags.is_some_and(|tags| tags.hold(Some(current), Comparison::Weak))
    }
}

/// How entity tags are compared (RFC 9110, section 8.8.3.2).
#[derive(Clone, Copy, PartialEq)]
enum Comparison {
    Strong,
    Weak,
}

impl Tags {
    fn of(request: &HttpRequest, name: &header::HeaderName) -> Result<Option<Tags>, Problem> {
        if !request.headers().contains_key(name) {
            return Ok(None);
        }
        let text = header_text(request, name)?;
        Tags::parse(&text).map(Some).ok_or_else(|| {
            let detail = format!(r#"the header {name} is neither * nor a list of tags like "17""#);
            Problem::new(Kind::InvalidRequest, detail)
        })
    }

    fn parse(text: &str) -> Option<Tags> {
        if text.trim() == "*" {
            return Some(Tags::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return (!tags.is_empty()).then_some(Tags::List(tags));
            }
            let (weak, quoted) = match rest.strip_prefix("W/") {
                Some(quoted) => (true, quoted),
                None => (false, rest),
            };
            let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
            tags.push(Tag { weak, opaque: opaque.to_owned() });
            rest = after.trim_start();
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
    }

    fn hold(&self, current: Option<Version>, comparison: Comparison) -> bool {
        let Some(current) = current else { return false };
        let current = current.to_string();
        match self {
            Tags::Any => true,
            Tags::List(tags) => tags
                .iter()
                .any(|tag| tag.opaque == current && (comparison == Comparison::Weak || !tag.weak)),
        }
    }
}

fn failed(header: &str, current: Option<Version>) -> Problem {
    let found = current.map_or("absent".to_owned(), |version| format!("at version {version}"));
    Problem::new(Kind::PreconditionFailed, format!("{header} failed: the document is {found}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hold(tags: &str, current: Option<u64>, comparison: Comparison) -> bool {
        Tags::parse(tags).unwrap().hold(current.map(Version::new), comparison)
    }

    #[test]
    fn tags_compare_as_the_rfc_says() {
        for (tags, current, strong, weak) in [
            ("*", Some(17), true, true),
            ("*", None, false, false),
            (r#""17""#, Some(17), true, true),
            (r#""17""#, Some(18), false, false),
            (r#""17""#, None, false, false),
            (r#""a,b" , W/"3","17""#, Some(17), true, true),
            (r#"W/"17""#, Some(17), false, true),
            (r#""017""#, Some(17), false, false),
        ] {
            let current_text = format!("{tags} {current:?}");
            assert_eq!(hold(tags, current, Comparison::Strong), strong, "{current_text}");
            assert_eq!(hold(tags, current, Comparison::Weak), weak, "{current_text}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for text in ["", ",", "17", r#""17"#, r#""17" "18""#, "*, \"17\"", "w/\"17\""] {
            assert!(Tags::parse(text).is_none(), "{text}");
        }
    }
}
