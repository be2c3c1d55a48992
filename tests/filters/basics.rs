//! Equality, comparison, paths and null, case by case.

use monsterdb::{Document, Filter, field};

use crate::matching;

#[test]
fn equality() {
    let bodies =
        [r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":[2,1]}"#, r#"{"a":"1"}"#, r#"{"a":[[1]]}"#, "{}"];
    assert_eq!(matching(r#"{"a":1}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a":{"$ne":1}}"#, &bodies), [3, 4, 5]);
    assert_eq!(matching(r#"{"a":[2,1]}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a":[1]}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$in":["1",[1]]}}"#, &bodies), [3, 4]);
    assert_eq!(matching(r#"{"a":{"$nin":[1,"1"]}}"#, &bodies), [4, 5]);
    assert_eq!(matching(r#"{"a":{"$in":[]}}"#, &bodies), [0; 0]);
    assert_eq!(matching(r#"{"a":{"$nin":[]}}"#, &bodies).len(), bodies.len());
    assert_eq!(matching("{}", &bodies).len(), bodies.len());
}

#[test]
fn equality_of_objects_minds_the_order_of_members() {
    let bodies =
        [r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2,"b":1}}"#, r#"{"a":[{"\u0062":1.0,"c":2}]}"#];
    assert_eq!(matching(r#"{"a":{"b":1,"c":2}}"#, &bodies), [0, 2]);
    assert_eq!(matching(r#"{"a":{"$in":[{"c":2,"b":1},{"c":2}]}}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a":{"$in":[{"c":2,"b":1},{"b":1,"c":2}]}}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a":{"b":1}}"#, &bodies), [0; 0]);
}

#[test]
fn null_is_equal_to_missing() {
    let bodies = [r#"{"a":null}"#, "{}", r#"{"a":[null,1]}"#, r#"{"a":[]}"#, r#"{"a":0}"#];
    for filter in ["null", r#"{"$gte":null}"#, r#"{"$lte":null}"#, r#"{"$in":[7,null]}"#] {
        assert_eq!(matching(&format!(r#"{{"a":{filter}}}"#), &bodies), [0, 1, 2], "{filter}");
    }
    for filter in [r#"{"$gt":null}"#, r#"{"$lt":null}"#] {
        assert_eq!(matching(&format!(r#"{{"a":{filter}}}"#), &bodies), [0; 0], "{filter}");
    }
    assert_eq!(matching(r#"{"a":{"$ne":null}}"#, &bodies), [3, 4]);
}

/// The cases that MongoDB's own tests of null name for `{"a.b": null}`.
#[test]
fn null_below_arrays() {
    let yes = [
        "{}",
        r#"{"a":{}}"#,
        r#"{"a":null}"#,
        r#"{"a":4}"#,
        r#"{"a":{"b":null}}"#,
        r#"{"a":[{"b":null},{}]}"#,
        r#"{"a":[{"b":null},{"b":3}]}"#,
        r#"{"a":[{"b":3},{}]}"#,
    ];
    let no = [
        r#"{"a":[[]]}"#,
        r#"{"a":[]}"#,
        r#"{"a":[{"b":1},{"b":"string"}]}"#,
        r#"{"a":[null,null]}"#,
        r#"{"a":[1,"string",4]}"#,
        r#"{"a":{"b":1}}"#,
    ];
    assert_eq!(matching(r#"{"a.b":null}"#, &yes).len(), yes.len());
    assert_eq!(matching(r#"{"a.b":null}"#, &no), [0; 0]);
    assert_eq!(matching(r#"{"a.b":{"$ne":null}}"#, &no).len(), no.len());
}

#[test]
fn comparison_is_within_a_kind() {
    let bodies = [
        r#"{"a":1}"#,
        r#"{"a":5}"#,
        r#"{"a":"5"}"#,
        r#"{"a":true}"#,
        r#"{"a":[0,9]}"#,
        r#"{"a":{}}"#,
        "{}",
    ];
    assert_eq!(matching(r#"{"a":{"$gt":1}}"#, &bodies), [1, 4]);
    assert_eq!(matching(r#"{"a":{"$gte":1}}"#, &bodies), [0, 1, 4]);
    assert_eq!(matching(r#"{"a":{"$lt":5}}"#, &bodies), [0, 4]);
    // Each bound may be met by another element.
    assert_eq!(matching(r#"{"a":{"$gt":1,"$lt":5}}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$gt":"4"}}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a":{"$gt":false}}"#, &bodies), [3]);
    assert_eq!(matching(r#"{"a":{"$lt":[1]}}"#, &bodies), [4]);
    assert_eq!(matching(r#"{"a":{"$gte":{}}}"#, &bodies), [5]);
    let large = [r#"{"a":9007199254740993}"#, r#"{"a":9007199254740992.0}"#];
    assert_eq!(matching(r#"{"a":{"$gt":9007199254740992}}"#, &large), [0]);
}

#[test]
fn paths_reach_through_arrays() {
    let bodies = [
        r#"{"a":{"b":1}}"#,
        r#"{"a":[{"b":1},{"b":2}]}"#,
        r#"{"a":[{"b":[3,1]}]}"#,
        r#"{"a":[[{"b":1}]]}"#,
        r#"{"a.b":1}"#,
    ];
    assert_eq!(matching(r#"{"a.b":1}"#, &bodies), [0, 1, 2]);
    assert_eq!(matching(r#"{"a.1.b":2}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a.0.b.1":1}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a.0.0.b":1}"#, &bodies), [3]);
    assert_eq!(matching(r#"{"a.0.b":1}"#, &bodies), [1, 2, 3]);
}

#[test]
fn the_id_and_the_version_are_members() {
    let stored = r#"{"_id":"x","a":1}"#.to_owned().into_boxed_str();
    let (_, stored) = Document::trusted(stored, monsterdb::Version::new(17)).unwrap();
    assert!(Filter::parse(r#"{"_id":"x","_version":{"$gte":17}}"#).unwrap().matches(&stored));
    assert!(!field("_version").gt(17).matches(&stored));
    let id = |text: &str| Filter::parse(text).unwrap().id_equality().map(String::from);
    assert_eq!(id(r#"{"_id":"x"}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"a":1,"$and":[{"_id":{"$eq":"\u0078"}}]}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"_id":{"$gte":"x"}}"#), None);
    assert_eq!(id(r#"{"_id":1}"#), None);
}

/// The canonical text names each value of a list once, however often it was given.
#[test]
fn lists_name_each_value_once() {
    let list = r#"{"a":{"$in":[2,1,{"x":1,"y":2},2,{"y":2,"x":1},1.0,{"x":1,"y":2}]}}"#;
    let filter = Filter::parse(list).unwrap();
    let once = r#"{"a":{"$in":[1,1.0,2,{"x":1,"y":2},{"y":2,"x":1}]}}"#;
    assert_eq!(filter.to_json(), once);
    assert_eq!(Filter::parse(once).unwrap(), filter);
}

#[test]
fn a_shape_has_the_names_and_none_of_the_values() {
    let cases = [
        ("{}", "{}"),
        (r#"{"a":"secret"}"#, r#"{"a":?}"#),
        (r#"{"a":{"secret":1},"b.c":null}"#, r#"{"a":?,"b.c":?}"#),
        (r#"{"age":{"$gte":18,"$lt":65}}"#, r#"{"age":{"$gte":?,"$lt":?}}"#),
        (
            r#"{"a":{"$in":["secret",1]},"b":{"$exists":true}}"#,
            r#"{"a":{"$in":?},"b":{"$exists":?}}"#,
        ),
        (r#"{"a":{"$regex":"secret","$options":"i"}}"#, r#"{"a":{"$regex":?}}"#),
        (r#"{"a":{"$not":{"$startsWith":"secret"}}}"#, r#"{"a":{"$not":{"$startsWith":?}}}"#),
        (
            r#"{"$or":[{"a":"secret"},{"b":{"$mod":[4,0]}}]}"#,
            r#"{"$or":[{"a":?},{"b":{"$mod":?}}]}"#,
        ),
        (
            r#"{"a":{"$elemMatch":{"b":"secret","c":{"$ne":2}}}}"#,
            r#"{"a":{"$elemMatch":{"b":?,"c":{"$ne":?}}}}"#,
        ),
        (r#"{"a":{"$all":["secret",1]}}"#, r#"{"a":{"$all":?}}"#),
    ];
    for (filter, shape) in cases {
        assert_eq!(Filter::parse(filter).unwrap().shape(), shape, "{filter}");
    }
}
