//! Projections.

use monsterdb::{Database, Document, DocumentId, Draft, Error, Filter, Json, Projection, Version};
use proptest::{prelude::*, sample::subsequence};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::reference::{object, value};

fn document(body: &str) -> Document {
    Draft::parse(body.as_bytes()).unwrap().into_document(&DocumentId::new("x").unwrap()).unwrap()
}

#[track_caller]
fn shows(body: &str, fields: &str, expected: &str) {
    let fields = format!("{fields},-_id").parse::<Projection>().unwrap();
    assert_eq!(fields.apply(&document(body)).as_str(), expected, "{fields:?}");
}

#[test]
fn what_is_included() {
    let body = r#"{"b":1.50,"a":{"x":"\u0061","y":[1,2]},"c":null}"#;
    shows(body, "a,b", r#"{"b":1.50,"a":{"x":"\u0061","y":[1,2]}}"#);
    shows(body, "a.x", r#"{"a":{"x":"\u0061"}}"#);
    shows(body, "a.y,c", r#"{"a":{"y":[1,2]},"c":null}"#);
    // An absent child leaves nothing; a parent that is there stays, one that is not is not made.
    shows(body, "a.z", r#"{"a":{}}"#);
    shows(body, "d.e", "{}");
    shows(body, "b.x,c.y", "{}");
}

#[test]
fn what_is_excluded() {
    let body = r#"{"b":1.50,"a":{"x":"\u0061","y":[1,2]},"c":null}"#;
    shows(body, "-a", r#"{"b":1.50,"c":null}"#);
    shows(body, "-a.x,-c", r#"{"b":1.50,"a":{"y":[1,2]}}"#);
    shows(body, "-b.x,-c.y,-d", body);
    shows(r#"{"a":{"x":1}}"#, "-a.x", r#"{"a":{}}"#);
}

#[test]
fn arrays_are_reached_through() {
    let body = r#"{"a":[{"x":1,"y":2},3,{"y":4},[{"x":5},6],null],"0":7}"#;
    shows(body, "a.x", r#"{"a":[{"x":1},{},[{"x":5}]]}"#);
    shows(body, "-a.x", r#"{"a":[{"y":2},3,{"y":4},[{},6],null],"0":7}"#);
    // A number is a name like any other.
    shows(body, "0", r#"{"0":7}"#);
    shows(body, "a.0", r#"{"a":[{},{},[{}]]}"#);
    shows(r#"{"a":[]}"#, "a.x", r#"{"a":[]}"#);
}

#[test]
fn the_id_and_the_version_stay_unless_they_are_left_out() {
    let stored = r#"{"_id":"x","a":1,"b":2}"#.to_owned().into_boxed_str();
    let (_, stored) = Document::trusted(stored, Version::new(9)).unwrap();
    for (fields, expected) in [
        ("a", r#"{"_id":"x","_version":9,"a":1}"#),
        ("-a", r#"{"_id":"x","_version":9,"b":2}"#),
        ("a,-_id", r#"{"_version":9,"a":1}"#),
        ("-a,-_version", r#"{"_id":"x","b":2}"#),
        ("-_version,a,-_id", r#"{"a":1}"#),
        ("-_id,-_version", r#"{"a":1,"b":2}"#),
        ("-_id,-_version,c", "{}"),
        ("_id", r#"{"_id":"x","_version":9}"#),
        ("_id,-_version", r#"{"_id":"x"}"#),
        ("_id,a", r#"{"_id":"x","_version":9,"a":1}"#),
        ("_id,-a", r#"{"_id":"x","_version":9,"b":2}"#),
        (" a , b ", r#"{"_id":"x","_version":9,"a":1,"b":2}"#),
    ] {
        let fields: Projection = fields.parse().unwrap();
        assert_eq!(fields.apply(&stored).as_str(), expected, "{fields:?}");
    }
    let all = Projection::parse([]).unwrap();
    assert_eq!(all.apply(&stored).as_str(), stored.to_json_with_version());
}

#[test]
fn what_is_no_projection() {
    for fields in ["", "a,", "a..b", "-", "$a", "a,-b", "-a,b", "a,a", "a,a.b", "a.b,a", "_id,-_id"]
    {
        let refused = fields.parse::<Projection>();
        assert!(matches!(refused, Err(Error::InvalidQuery { .. })), "{fields}: {refused:?}");
    }
    let many: Vec<String> = (0..257).map(|n| format!("f{n}")).collect();
    assert!(Projection::parse(many.iter().take(256).map(|s| &**s)).is_ok());
    assert!(Projection::parse(many.iter().map(|s| &**s)).is_err());
}

#[test]
fn a_typed_query_reads_what_is_shown() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Name {
        name: String,
    }
    let db = Database::in_memory();
    let raw = db.collection::<Json>("people").unwrap();
    raw.put("ada", &Json::parse(r#"{"name":"Ada","age":36}"#).unwrap()).unwrap();
    let names = db.collection::<Name>("people").unwrap();
    let found: Vec<_> = names.find(Filter::all()).unwrap().fields("name").collect().unwrap();
    assert_eq!((found[0].id.as_str(), &*found[0].name), ("ada", "Ada"));
    assert_eq!(found[0].version, Version::new(1));
    let found: Vec<_> = raw.find(Filter::all()).unwrap().fields("-name").collect().unwrap();
    assert_eq!(found[0].value.as_str(), r#"{"_id":"ada","age":36}"#);
    let without = names.find(Filter::all()).unwrap().fields("-name").collect::<Vec<_>>();
    assert!(matches!(without, Err(Error::Decode { .. })));
    let mixed = names.find(Filter::all()).unwrap().fields("name,-age").collect::<Vec<_>>();
    assert!(matches!(mixed, Err(Error::InvalidQuery { .. })));
}

/// Paths of which none is within another.
const APART: &[&str] = &["a.b", "a.a.b", "a.0", "b", "c.a", "c.b.a", "1"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn projections_agree_with_a_naive_evaluation(
        body in object(value()),
        paths in subsequence(APART, 1..APART.len()).prop_shuffle(),
        excludes: bool,
    ) {
        let document = document(&body.to_string());
        let tree: Value = serde_json::from_str(document.json()).unwrap();
        let sign = if excludes { "-" } else { "" };
        let fields: Vec<String> = paths.iter().map(|path| format!("{sign}{path}")).collect();
        let fields = fields.join(",").parse::<Projection>().unwrap();
        let shown: Value = serde_json::from_str(fields.apply(&document).as_str()).unwrap();
        let mut kept: Vec<&str> = paths.clone();
        kept.push("_id");
        let paths = if excludes { &paths } else { &kept };
        let expected = at(&tree, "", paths, excludes).unwrap();
        prop_assert_eq!(shown, expected, "{:?} of {}", fields, tree);
    }
}

/// What is left of the value at a place, if anything is.
fn at(value: &Value, place: &str, paths: &[&str], excludes: bool) -> Option<Value> {
    let below = |path: &&str| path.starts_with(&format!("{place}."));
    if paths.contains(&place) {
        return (!excludes).then(|| value.clone());
    }
    if !place.is_empty() && !paths.iter().any(below) {
        return excludes.then(|| value.clone());
    }
    match value {
        Value::Object(members) => {
            let inner = members.iter().filter_map(|(name, value)| {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                Some((name.clone(), at(value, &place, paths, excludes)?))
            });
            Some(Value::Object(inner.collect()))
        }
        Value::Array(elements) => {
            let inner = elements.iter().filter_map(|element| at(element, place, paths, excludes));
            Some(Value::Array(inner.collect()))
        }
        scalar => excludes.then(|| scalar.clone()),
    }
}
