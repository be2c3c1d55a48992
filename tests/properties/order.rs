//! Sorts, and documents put into their order without any care for speed.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::cmp::Ordering;

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;

use super::reference::{PATHS, order, reached};

/// One part of a sort: a path, and whether it descends.
pub(crate) type Part = (&'static str, bool);

/// Puts documents, in the order of their ids, into the order of a sort.
pub(crate) fn sort(trees: &mut [Value], parts: &[Part]) {
    let key = |tree: &Value, (path, descends): Part| {
        let found = reached(tree, path);
        let by_order = |a: &&Option<Value>, b: &&Option<Value>| order(a.as_ref(), b.as_ref());
        let place =
            if descends { found.iter().max_by(by_order) } else { found.iter().min_by(by_order) };
        place.cloned().flatten()
    };
    trees.sort_by(|one, two| {
        let by_part = parts.iter().map(|part| {
            let [one, two] = [one, two].map(|tree| key(tree, *part));
            let ascending = order(one.as_ref(), two.as_ref());
            if part.1 { ascending.reverse() } else { ascending }
        });
        by_part.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
}

/// A sort as it is written.
pub(crate) fn written(parts: &[Part]) -> String {
    let part = |(path, descends): &Part| format!("{}{path}", if *descends { "-" } else { "" });
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// One to three parts.
pub(crate) fn parts() -> impl Strategy<Value = Vec<Part>> {
    vec((select(PATHS), any::<bool>()), 1..4)
}
