//! A Rust source as text, twice: as it stands, and with comments and literals blanked.

/// A source file.
pub(crate) struct Source {
    /// Below the root of the repository, with `/`.
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) text: String,
    /// The same without the contents of comments, strings and characters.
    pub(crate) code: String,
    /// Within an item that is built only for tests.
    pub(crate) is_test: bool,
}

/// A path in the code, as far as checks look at it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// From 1.
    pub(crate) line: usize,
    /// What follows the root: `sync` of `std::sync::Arc`.
    pub(crate) name: String,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Source {
        let code = blanked(text);
        let mut lines: Vec<Line> = text
            .lines()
            .zip(code.lines())
            .map(|(text, code)| Line { text: text.into(), code: code.into(), is_test: false })
            .collect();
        mark_tests(&mut lines);
        Source { name: name.to_owned(), lines }
    }

    /// Every `root::name`, also within `use root::{one::…, other::…}`.
    pub(crate) fn uses_of(&self, root: &str) -> Vec<Use> {
        let code: Vec<&str> = self.lines.iter().map(|line| line.code.as_str()).collect();
        let code = code.join("\n");
        let mut found = Vec::new();
        for (at, _) in code.match_indices(&format!("{root}::")) {
            if code[..at].ends_with(|c: char| is_word(c) || c == ':' || c == '$') {
                continue;
            }
            let start = at + root.len() + 2;
            let line_at = |at: usize| code[..at].matches('\n').count() + 1;
            let names = first_names(&code[start..]);
            found.extend(
                names.into_iter().map(|(offset, name)| Use { line: line_at(start + offset), name }),
            );
        }
        found
    }
}

/// The names that a path begins with: one, or those of a group in braces. Each with its place.
fn first_names(path: &str) -> Vec<(usize, String)> {
    if !path.starts_with('{') {
        return vec![(0, word(path))];
    }
    let (mut depth, mut names, mut expects_name) = (0, Vec::new(), false);
    for (at, c) in path.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && expects_name && is_word(c) {
            names.push((at, word(&path[at..])));
            expects_name = false;
        }
        expects_name |= depth == 1 && matches!(c, '{' | ',');
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|&c| is_word(c)).collect()
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

pub(crate) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Marks the items under `#[cfg(test)]`.
fn mark_tests(lines: &mut [Line]) {
    let mut item_indent = None;
    for line in lines {
        let starts = line.code.trim_start().starts_with("#[cfg(test)]");
        if item_indent.is_none() && starts {
            item_indent = Some(indent(&line.code));
        }
        line.is_test = item_indent.is_some();
        let code = line.code.trim();
        let ends = code.starts_with('}') || code.ends_with(';') || code.ends_with('}');
        if !starts && ends && item_indent == Some(indent(&line.code)) {
            item_indent = None;
        }
    }
}

/// The text with spaces for what stands in comments, strings and characters. Lines stay lines.
fn blanked(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let after_word = out.ends_with(is_word);
        let length = skipped(rest, after_word);
        let taken = length.max(c.len_utf8());
        if length == 0 {
            out.push(c);
        } else {
            out.extend(rest[..taken].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = &rest[taken..];
    }
    out
}

/// Bytes of the comment or literal that the text begins with.
fn skipped(text: &str, after_word: bool) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text, '"');
    }
    if text.starts_with('\'') {
        return character(text);
    }
    if after_word { 0 } else { raw_string(text) }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        match &text.as_bytes()[at..text.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character in quotes; nothing for a lifetime.
fn character(text: &str) -> usize {
    let mut inside = text.chars().skip(1);
    let (first, second) = (inside.next(), inside.next());
    if first == Some('\\') || second == Some('\'') { quoted(text, '\'') } else { 0 }
}

fn raw_string(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("br").or_else(|| text.strip_prefix('r')) else { return 0 };
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let start = text.len() - rest.len() + hashes;
    if !text[start..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[start + 1..].find(&end).map_or(text.len(), |at| start + 1 + at + end.len())
}

#[test]
fn comments_and_literals_are_blanked_and_lines_stay() {
    for (text, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("x\"y", z)"#, "f(      , z)"),
        ("r#\"a\"b\"# c br\"d\" e", "         c       e"),
        ("'a' b '\\'' c 'x d", "    b      c 'x d"),
        ("x<'a> \"", "x<'a>  "),
        ("car\"x\"", "car   "),
    ] {
        assert_eq!(blanked(text), code, "{text}");
    }
}

#[test]
fn uses_are_found_in_paths_and_in_groups() {
    let text = "use crate::{a::{b, c}, d,\n    e::F};\ncrate::g::h(); xcrate::i; std::crate::j;\n\
                // crate::k\npub(crate) fn l() {}\n$crate::m!()";
    let found: Vec<(usize, String)> =
        Source::new("x.rs", text).uses_of("crate").into_iter().map(|u| (u.line, u.name)).collect();
    let expected = [(1, "a"), (1, "d"), (2, "e"), (3, "g")];
    assert_eq!(found, expected.map(|(line, name)| (line, name.to_owned())));
}

#[test]
fn items_for_tests_are_known() {
    let text = "a\n#[cfg(test)]\nuse b;\nc\n#[cfg(test)]\nmod d {\n    fn e() {}\n}\nf";
    let tests: Vec<bool> = Source::new("x.rs", text).lines.iter().map(|l| l.is_test).collect();
    assert_eq!(tests, [false, true, true, false, true, true, true, true, false]);
}
