//! The two directions between text and JSON strings.
//!
//! Invariant: `unescape` of what `quote` wrote is the text again.

use std::borrow::Cow;

use super::scan::plain_end;

/// The text that the inside of a JSON string stands for (without its quotes).
pub(super) fn unescape(inner: &str) -> Cow<'_, str> {
    if !inner.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut after = escape.chars();
        match after.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let (character, length) = code_point(after.as_str());
                text.push(character);
                after = after.as_str().get(length..).unwrap_or_default().chars();
            }
            Some(itself) => text.push(itself),
            None => {}
        }
        rest = after.as_str();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Writes text as a JSON string, with the fewest escapes.
pub(crate) fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut from = 0;
    loop {
        let end = plain_end(text.as_bytes(), from);
        out.push_str(text.get(from..end).unwrap_or_default());
        from = end + 1;
        match text.as_bytes().get(end) {
            None => break,
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(b'\x08') => out.push_str("\\b"),
            Some(b'\x0c') => out.push_str("\\f"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            Some(control) => out.push_str(&format!("\\u{control:04x}")),
        }
    }
    out.push('"');
}

/// The number of four hexadecimal digits at the front.
pub(super) fn four_hex(digits: &str) -> Option<u16> {
    let four = digits.get(..4).filter(|four| four.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(four, 16).ok()
}

/// The character after `\u`, and how many bytes its escape takes from there.
fn code_point(after: &str) -> (char, usize) {
    let low = || after.get(4..)?.strip_prefix("\\u").and_then(four_hex);
    let found = four_hex(after).and_then(|unit| match char::from_u32(u32::from(unit)) {
        Some(character) => Some((character, 4)),
        None => {
            let pair = [unit, low()?];
            let character = char::decode_utf16(pair).next()?.ok()?;
            Some((character, 10))
        }
    });
    // The border lets no other escape pass.
    found.unwrap_or((char::REPLACEMENT_CHARACTER, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        assert_eq!(unescape("plain"), "plain");
        assert_eq!(unescape(r#"\"\\\/\b\f\n\r\t"#), "\"\\/\u{8}\u{c}\n\r\t");
        assert_eq!(unescape(r"\u0041\ud83d\ude00\u0000b"), "A😀\0b");
        assert_eq!(unescape(r"\ud83d"), "\u{fffd}d83d");
    }

    #[test]
    fn quoting_agrees_with_serde() {
        let all: String =
            (0..0x250_u32).filter_map(char::from_u32).chain("😀\u{2028}".chars()).collect();
        let mut quoted = String::new();
        quote(&all, &mut quoted);
        assert_eq!(quoted, serde_json::Value::from(all.as_str()).to_string());
        assert_eq!(unescape(&quoted[1..quoted.len() - 1]), all);
    }
}
