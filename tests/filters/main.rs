//! Filters over the public interface: MongoDB's documented semantics, the JSON form, the builder,
//! and agreement with a naive evaluation over trees.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test stops at the first surprise")]

#[path = "../support/filter_cases.rs"]
mod filter_cases;
#[path = "../support/occurrences.rs"]
mod occurrences;
#[path = "../support/reference_filter.rs"]
mod reference_filter;
#[path = "../support/seeded.rs"]
mod seeded;

mod agreement;
mod basics;
mod builder;
mod manual;
mod operators;
mod refusals;

use monsterdb::{Document, DocumentId, Draft, Filter};

fn document(body: &str) -> Document {
    Draft::parse(body.as_bytes()).unwrap().into_document(&DocumentId::new("x").unwrap()).unwrap()
}

/// The documents that a filter matches, by their place in the list.
fn matching(filter: &str, bodies: &[&str]) -> Vec<usize> {
    let filter = Filter::parse(filter).unwrap();
    let matches = |place: &usize| filter.matches(&document(bodies[*place]));
    (0..bodies.len()).filter(matches).collect()
}
