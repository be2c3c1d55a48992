//! What the properties of filters share: a database that is asked, and a naive evaluation that is
//! asked the same.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../support/filter_cases.rs"]
pub(crate) mod filter_cases;
#[path = "../support/reference_filter.rs"]
mod reference_filter;

use monsterdb::{Collection, Database, Filter, Json};
use proptest::prelude::*;
use serde_json::Value;

/// Documents of one case, at most.
pub(crate) const DOCUMENTS: usize = 12;

/// A collection of documents, and the same as trees.
pub(crate) struct Filtered {
    collection: Collection<Json>,
    trees: Vec<Value>,
}

impl Filtered {
    pub(crate) fn new(bodies: &[Value]) -> Filtered {
        let collection: Collection<Json> = Database::in_memory().collection("c").unwrap();
        let insert = |(index, body): (usize, &Value)| {
            let id = format!("d{index:02}");
            let mut tree = body.clone();
            tree["_id"] = id.into();
            collection.insert(&Json::parse(&tree.to_string()).unwrap()).unwrap();
            tree
        };
        let trees = bodies.iter().enumerate().map(insert).collect();
        Filtered { collection, trees }
    }

    /// The ids that a filter finds, in order, after they were compared with the naive answer.
    pub(crate) fn find(&self, filter: &Value) -> Result<Vec<String>, TestCaseError> {
        let parsed = Filter::parse(&filter.to_string()).unwrap();
        let entries: Vec<_> = self.collection.find(parsed).unwrap().collect().unwrap();
        let found: Vec<String> = entries.into_iter().map(|entry| entry.id.to_string()).collect();
        let matching = self.trees.iter().filter(|tree| reference_filter::matches(filter, tree));
        let expected: Vec<&str> = matching.map(|tree| tree["_id"].as_str().unwrap()).collect();
        prop_assert_eq!(&found, &expected, "{} of {:?}", filter, self.trees);
        Ok(found)
    }

    /// True when a path leads to values of several kinds, one of which an operand is not.
    pub(crate) fn is_mixed(&self, path: &str, operand: &Value) -> bool {
        let found = self
            .trees
            .iter()
            .filter_map(|tree| path.split('.').try_fold(tree, |tree, step| tree.get(step)));
        found.map(kind).any(|found| found != kind(operand))
    }

    /// The ids of all documents.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.trees.iter().map(|tree| tree["_id"].as_str().unwrap().to_owned()).collect()
    }

    /// A value that one of the documents has, or another one.
    pub(crate) fn operand(&self, path: &str, place: usize, other: &Value) -> Value {
        let tree = &self.trees[place % self.trees.len()];
        path.split('.').try_fold(tree, |tree, step| tree.get(step)).unwrap_or(other).clone()
    }
}

/// What kind of value an operand is.
pub(crate) fn kind(operand: &Value) -> &'static str {
    match operand {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
