//! Where statements come from.

use std::{io::BufRead, path::PathBuf};

use super::{super::Failure, words};

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A statement, or a part of one that ends where nothing more can belong to it.
    Statement(String),
    /// A person typed something and dropped it.
    Dropped,
    /// There is no more.
    End,
}

/// Gives statements, one after the other.
pub(super) trait Reader {
    /// The next one.
    fn next(&mut self) -> Result<Input, Failure>;

    /// Columns that an answer may take, where it is shown to a person.
    fn width(&mut self) -> Option<usize>;
}

/// Statements as lines of text: a script by a pipe.
pub(super) struct Script<R> {
    lines: R,
}

impl<R: BufRead> Script<R> {
    pub(super) fn new(lines: R) -> Script<R> {
        Script { lines }
    }
}

impl<R: BufRead> Reader for Script<R> {
    fn next(&mut self) -> Result<Input, Failure> {
        let mut text = String::new();
        loop {
            let read = self.lines.read_line(&mut text).map_err(|source| Failure::Read {
                path: PathBuf::from("standard input"),
                source,
            })?;
            match (read, text.as_str()) {
                (0, "") => return Ok(Input::End),
                // What is not closed by now never will be; whoever parses it says so.
                (0, _) => return Ok(Input::Statement(text)),
                (_, text) if text.trim_start().starts_with('#') || words::is_whole(text) => break,
                (_, _) => {}
            }
        }
        Ok(Input::Statement(text))
    }

    fn width(&mut self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_with_its_brackets() {
        let text = "a\n\n# {\nb {\n  \"x\": [1,\n2]}\nc \"{\nd {";
        let mut script = Script::new(text.as_bytes());
        let mut read = Vec::new();
        while let Input::Statement(statement) = script.next().unwrap() {
            read.push(statement);
        }
        let expected = ["a\n", "\n", "# {\n", "b {\n  \"x\": [1,\n2]}\n", "c \"{\n", "d {"];
        assert_eq!(read, expected);
    }
}
