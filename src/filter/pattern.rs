//! Patterns of `$regex`: compiled once, matched in time linear in the text.
//!
//! The syntax is that of the crate `regex`, which is Perl's without look-around and back-references:
//! those cannot be matched in linear time. Two things differ from MongoDB's engine: `\d`, `\w`, `\s`
//! and `\b` know all of Unicode, and `$` without the option `m` means the very end of the text, not
//! also the place before a last newline.

use regex::{Regex, RegexBuilder};

use crate::limits::{PATTERN_BYTES_MAX, PATTERN_COMPILED_BYTES_MAX};

/// The options in their canonical order.
const OPTIONS: [char; 4] = ['i', 'm', 's', 'x'];

/// A compiled pattern. Two are equal when text and options are.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    options: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// A sentence that names the operator and says what is wrong.
    pub(super) fn new(text: &str, options: &str) -> Result<Pattern, String> {
        if let Some(unknown) = options.chars().find(|option| !OPTIONS.contains(option)) {
            return Err(format!("$options knows i, m, s and x, and not {unknown:?}"));
        }
        if text.len() > PATTERN_BYTES_MAX {
            return Err(format!("the pattern of $regex is longer than {PATTERN_BYTES_MAX} bytes"));
        }
        let has = |option| options.contains(option);
        let regex = RegexBuilder::new(text)
            .case_insensitive(has('i'))
            .multi_line(has('m'))
            .dot_matches_new_line(has('s'))
            .ignore_whitespace(has('x'))
            .size_limit(PATTERN_COMPILED_BYTES_MAX)
            .dfa_size_limit(PATTERN_COMPILED_BYTES_MAX)
            .build()
            .map_err(|error| reason(&error))?;
        let options = OPTIONS.into_iter().filter(|option| has(*option)).collect();
        Ok(Pattern { text: text.into(), options, regex })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The options, each once, in one order.
    pub(super) fn options(&self) -> &str {
        &self.options
    }

    /// What every text that it matches begins with, as far as that is plain to see: the letters and
    /// digits behind a leading `^`.
    pub(super) fn prefix(&self) -> Option<&str> {
        let plain = self.options.is_empty() && !self.text.contains('|');
        let text = self.text.strip_prefix('^').filter(|_| plain)?;
        let is_literal = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '@' | '/' | ':');
        let end = text.find(|c| !is_literal(c)).unwrap_or(text.len());
        let (literal, rest) = text.split_at(end);
        // What is repeated may be left out.
        let is_repeated = rest.starts_with(['*', '?', '{']);
        let last = literal.chars().next_back().filter(|_| is_repeated).map_or(0, char::len_utf8);
        literal.get(..literal.len() - last).filter(|prefix| !prefix.is_empty())
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text && self.options == other.options
    }
}

fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => format!(
            "the pattern of $regex unfolds to more than {PATTERN_COMPILED_BYTES_MAX} bytes; repeat \
             less"
        ),
        other => {
            // The library draws the pattern with a mark below it; its last line says what is wrong.
            let text = other.to_string();
            let said = text.lines().last().unwrap_or_default();
            format!("$regex does not take this pattern: {}", said.trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        for (pattern, options, prefix) in [
            ("^abc", "", Some("abc")),
            ("^abc.*", "", Some("abc")),
            ("^ab*", "", Some("a")),
            ("^a?", "", None),
            ("^ab{2}", "", Some("a")),
            ("^ab+", "", Some("ab")),
            ("^a|b", "", None),
            ("^a", "i", None),
            ("a", "", None),
            ("^", "", None),
            (r"^\d", "", None),
            ("^é*", "", None),
        ] {
            assert_eq!(Pattern::new(pattern, options).unwrap().prefix(), prefix, "{pattern}");
        }
    }
}
