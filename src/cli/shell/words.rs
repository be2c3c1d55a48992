//! A statement as words: what stands between spaces, outside of brackets and quotes.
//!
//! ```text
//! find people {"name": "Ada"} --sort -age      find · people · {"name": "Ada"} · --sort · -age
//! get notes 'two words'                        get · notes · two words
//! ```
//!
//! Invariant: JSON is one word, just as it was written, and nobody has to quote it.

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Outside of everything.
    Whole,
    /// With brackets that are not closed.
    Open,
    /// Within quotes, or a line ends within them.
    Quoted,
}

/// Reads characters and knows what they are in.
#[derive(Default)]
struct Scan {
    depth: usize,
    quote: Option<char>,
    escaped: bool,
    broken: bool,
}

/// True when nothing more can belong to the statement. Brackets that are not closed go on on the
/// next line; quotes do not, or one that was forgotten would swallow all that follows.
pub(super) fn is_whole(text: &str) -> bool {
    let mut scan = Scan::default();
    text.chars().for_each(|char| scan.pass(char));
    scan.end() != End::Open
}

/// How many brackets are open at the end of a text.
pub(super) fn depth(text: &str) -> usize {
    let mut scan = Scan::default();
    text.chars().for_each(|char| scan.pass(char));
    scan.depth
}

/// The words of a statement.
///
/// # Errors
///
/// What is not closed.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut scan = Scan::default();
    for char in text.chars() {
        let before = (scan.depth, scan.quote);
        scan.pass(char);
        let is_mark = before.0 == 0 && before.1 != scan.quote;
        match before {
            (0, None) if char.is_whitespace() => words.extend(word.take()),
            // Quotes around a word are not of it; those in JSON are.
            _ if is_mark => drop(word.get_or_insert_default()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    match scan.end() {
        End::Whole => Ok(words),
        End::Open => Err("a bracket is not closed".to_owned()),
        End::Quoted => Err("a quote is not closed on its line".to_owned()),
    }
}

impl Scan {
    fn pass(&mut self, char: char) {
        match (self.quote, char) {
            (Some(_), '\n') => self.broken = true,
            (Some(_), _) if self.escaped => self.escaped = false,
            (Some('"'), '\\') => self.escaped = true,
            (Some(quote), _) if quote == char => self.quote = None,
            (Some(_), _) => {}
            // In JSON a single quote is a slip, which the parser of JSON tells.
            (None, '\'') if self.depth == 0 => self.quote = Some(char),
            (None, '"') => self.quote = Some(char),
            (None, '{' | '[') => self.depth += 1,
            (None, '}' | ']') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
    }

    fn end(&self) -> End {
        match (self.quote, self.depth) {
            _ if self.broken => End::Quoted,
            (Some(_), _) => End::Quoted,
            (None, 0) => End::Whole,
            (None, _) => End::Open,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn json_is_one_word() {
        for (text, words) in [
            ("", &[][..]),
            ("  find   c ", &["find", "c"]),
            (
                r#"find c {"a": "b c", "d": [1, 2]} --limit 3"#,
                &["find", "c", r#"{"a": "b c", "d": [1, 2]}"#, "--limit", "3"],
            ),
            ("insert c {\n  \"a\": 1\n} {}", &["insert", "c", "{\n  \"a\": 1\n}", "{}"]),
            (r#"get c 'two words' "and two" x' 'y"#, &["get", "c", "two words", "and two", "x y"]),
            (r#"find c --filter={"a": "}"} '' "#, &["find", "c", r#"--filter={"a": "}"}"#, ""]),
            (r#"x {"a": "\" }"} {"it's": 1} 2"#, &["x", r#"{"a": "\" }"}"#, r#"{"it's": 1}"#, "2"]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
            assert!(is_whole(text), "{text}");
        }
    }

    #[test]
    fn only_brackets_go_on_on_the_next_line() {
        for open in ["insert c {", "insert c {\"a\": [1,\n2]", "find c ["] {
            assert!(!is_whole(open) && split(open).is_err(), "{open}");
            assert!(depth(open) > 0);
        }
        for broken in ["get c 'a", "find c {\"a", "find c {\"a\n\"}", "x \"\\"] {
            assert!(is_whole(broken) && split(broken).is_err(), "{broken}");
        }
        assert!(is_whole("}}") && depth("}}") == 0);
    }
}
