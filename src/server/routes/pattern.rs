//! The patterns of paths, such as `/collections/{collection}/documents/{id}`, each with the rows of
//! the table that are its methods.
//!
//! They are made once. A request finds its own twice: ahead of routing, in the path as it was sent,
//! for all that has to be said of a request which may be refused before it is routed; and with its
//! resource, for its handler.
//!
//! Invariant: the first that fits a path is its pattern, here and for the framework, and where two
//! would fit, the fixed segment stands before the variable one.

use std::sync::LazyLock;

use actix_web::HttpRequest;

use super::placed;
use crate::server::route::{Placed, Route};

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut patterns: Vec<Pattern> = Vec::new();
    for Placed { path, route, .. } in placed() {
        match patterns.iter_mut().find(|pattern| pattern.text == path) {
            Some(pattern) => pattern.rows.push(route),
            None => {
                let segments = path.split('/').count();
                patterns.push(Pattern { text: path, segments, rows: vec![route] });
            }
        }
    }
    for pattern in &mut patterns {
        pattern.rows.sort_by_key(|row| row.method);
    }
    patterns
});

/// See the module's document.
pub(in crate::server) struct Pattern {
    text: String,
    segments: usize,
    rows: Vec<&'static Route>,
}

impl Pattern {
    /// All of them, in the order in which they are looked through.
    pub(super) fn all() -> &'static [Pattern] {
        &PATTERNS
    }

    /// That of a request which has reached its route.
    pub(in crate::server) fn of(request: &HttpRequest) -> Option<&'static Pattern> {
        request.app_data::<&Pattern>().copied()
    }

    /// That of a path which is not routed yet, as far as it can be told without decoding it.
    pub(in crate::server) fn ahead(path: &str) -> Option<&'static Pattern> {
        let segments = path.split('/').count();
        PATTERNS.iter().find(|pattern| pattern.segments == segments && pattern.fits(path))
    }

    pub(in crate::server) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn rows(&self) -> &[&'static Route] {
        &self.rows
    }

    /// True for a path that needs no key, whatever the method.
    pub(in crate::server) fn is_open(&self) -> bool {
        self.rows.iter().all(|row| row.role.is_none())
    }

    /// True when the path has the fixed segments, and something for each variable one. The number
    /// of segments is the same.
    fn fits(&self, path: &str) -> bool {
        let mut pairs = self.text.split('/').zip(path.split('/'));
        pairs.all(|(own, segment)| match own.starts_with('{') {
            true => !segment.is_empty(),
            false => own == segment,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_of_a_path_is_known_before_it_is_routed() {
        let names = ["{collection}", "{id}", "{index}", "{key}", "{slug}", "{token}"];
        for pattern in Pattern::all() {
            let asked =
                names.iter().fold(pattern.text.clone(), |path, name| path.replace(name, "x"));
            assert_eq!(Pattern::ahead(&asked).unwrap().text, pattern.text);
        }
        for other in ["/", "/nowhere", "/collections/", "/collections/x/documents/y/z"] {
            assert!(Pattern::ahead(other).is_none(), "{other}");
        }
    }

    #[test]
    fn no_pattern_hides_another_that_is_behind_it() {
        let mut behind = Pattern::all().iter();
        while let Some(first) = behind.next() {
            let mut same = behind.clone().filter(|pattern| pattern.segments == first.segments);
            let hidden = same.find(|pattern| first.fits(&pattern.text)).map(Pattern::text);
            assert_eq!(hidden, None, "{} would take its requests", first.text);
        }
    }

    #[test]
    fn what_needs_no_key_is_what_says_so() {
        for (path, is_open) in [("/health", true), ("/problems/x", true), ("/metrics", false)] {
            assert_eq!(Pattern::ahead(path).unwrap().is_open(), is_open, "{path}");
        }
    }
}
