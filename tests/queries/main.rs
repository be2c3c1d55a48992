//! What is shown of documents and what is made of them, over the public interface: projections,
//! distinct values, groups; each against a naive evaluation over trees.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod aggregate;
mod deadline;
mod distinct;
mod pages;
mod projection;
mod reference;

use monsterdb::{Collection, Database, Json};
use serde_json::Value;

/// A collection of these documents, with the ids `d00`, `d01` and so on.
fn filled(bodies: &[Value]) -> Collection<Json> {
    let collection = Database::in_memory().collection("c").unwrap();
    for (place, body) in bodies.iter().enumerate() {
        collection.put(&format!("d{place:02}"), &Json::parse(&body.to_string()).unwrap()).unwrap();
    }
    collection
}

fn value(json: &Json) -> Value {
    serde_json::from_str(json.as_str()).unwrap()
}
