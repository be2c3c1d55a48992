//! JSON Pointers (RFC 6901) as they stand in a patch.

/// The steps from the root of a document to a place in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    text: Box<str>,
    steps: Box<[Box<str>]>,
}

impl Pointer {
    /// Reads a pointer; the error is the rule that it breaks.
    pub(super) fn parse(text: &str) -> Result<Pointer, &'static str> {
        if text.is_empty() {
            return Ok(Pointer { text: text.into(), steps: Box::default() });
        }
        let Some(steps) = text.strip_prefix('/') else {
            return Err("a pointer is empty or begins with /");
        };
        let steps = steps.split('/').map(unescape).collect::<Option<_>>();
        let steps = steps.ok_or("in a pointer ~ stands only in ~0 and ~1")?;
        Ok(Pointer { text: text.into(), steps })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn steps(&self) -> &[Box<str>] {
        &self.steps
    }

    /// The way to what holds the place, and the last step; none for the root.
    pub(super) fn split_last(&self) -> Option<(&[Box<str>], &str)> {
        self.steps.split_last().map(|(last, way)| (way, &**last))
    }

    /// True when the other place lies inside this one.
    pub(super) fn holds(&self, other: &Pointer) -> bool {
        other.steps.len() > self.steps.len() && other.steps.starts_with(&self.steps)
    }

    /// The member that the engine keeps, if the place is that or lies in it.
    pub(super) fn kept_member(&self) -> Option<&str> {
        self.steps.first().map(|name| &**name).filter(|name| ["_id", "_version"].contains(name))
    }
}

fn unescape(step: &str) -> Option<Box<str>> {
    let mut parts = step.split('~');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escaped, rest) = match part.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', part.strip_prefix('1')?),
        };
        name.push(escaped);
        name.push_str(rest);
    }
    Some(name.into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// RFC 6901, section 5, and what breaks its grammar.
    #[test]
    fn steps() {
        for (text, steps) in [
            ("", &[][..]),
            ("/foo/0", &["foo", "0"]),
            ("/", &[""]),
            ("/a~1b", &["a/b"]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
            ("/ ", &[" "]),
            ("//", &["", ""]),
        ] {
            let pointer = Pointer::parse(text).unwrap();
            assert!(pointer.steps().iter().map(|step| &**step).eq(steps.iter().copied()), "{text}");
        }
        for text in ["a", "a/b", "/~", "/~2", "/a~"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }
}
