//! Operators where they meet: what the manual leaves to the reader.

use crate::{document, matching};
use monsterdb::Filter;

#[test]
fn an_element_stands_for_itself() {
    let bodies = [
        r#"{"a":[[5]]}"#,
        r#"{"a":[5]}"#,
        r#"{"a":5}"#,
        r#"{"a":[null]}"#,
        r#"{"a":[]}"#,
        r#"{"a":[["x",7]]}"#,
    ];
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$gt":1}}}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$eq":[5]}}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$elemMatch":{"$gt":1}}}}"#, &bodies), [0, 5]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$size":1}}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$not":{"$gt":1}}}}"#, &bodies), [0, 3, 5]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$eq":null}}}"#, &bodies), [3]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$exists":true}}}"#, &bodies), [0, 1, 3, 5]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$exists":false}}}"#, &bodies), [0; 0]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"$nin":[5]}}}"#, &bodies), [0, 3, 5]);
    // An array in an array is entered as an object whose names are its indexes.
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"0":"x","1":7}}}"#, &bodies), [5]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{"b":null}}}"#, &bodies), [0, 5]);
    assert_eq!(matching(r#"{"a":{"$elemMatch":{}}}"#, &bodies), [0, 5]);
}

#[test]
fn sizes_and_elements_below_paths() {
    let bodies = [
        r#"{"a":[{"b":[1,2]},{"b":3}]}"#,
        r#"{"a":[[1,2],[3]]}"#,
        r#"{"a":{"b":[]}}"#,
        r#"{"a":{"b":{"0":1,"1":2}}}"#,
    ];
    assert_eq!(matching(r#"{"a.b":{"$size":2}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$size":2}}"#, &bodies), [0, 1]);
    assert_eq!(matching(r#"{"a.0":{"$size":2}}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a.b":{"$size":0}}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a.b":{"$elemMatch":{"$gt":1}}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a.0":{"$elemMatch":{"$gt":1}}}"#, &bodies), [1]);
    // By its index an array stands for itself.
    assert_eq!(matching(r#"{"a.0":1}"#, &bodies), [0; 0]);
    assert_eq!(matching(r#"{"a.0":[1,2]}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a.0.0":1}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a.b":{"$exists":true}}"#, &bodies), [0, 2, 3]);
    assert_eq!(matching(r#"{"a.b.0":{"$exists":true}}"#, &bodies), [0, 3]);
}

#[test]
fn types_of_numbers_are_those_of_their_spelling() {
    let bodies = [
        r#"{"a":1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":1e2}"#,
        r#"{"a":18446744073709551615}"#,
        r#"{"a":[[2]]}"#,
    ];
    for int in [r#""int""#, r#""long""#, "16", "18", "16.0"] {
        assert_eq!(matching(&format!(r#"{{"a":{{"$type":{int}}}}}"#), &bodies), [0, 3], "{int}");
    }
    assert_eq!(matching(r#"{"a":{"$type":["double"]}}"#, &bodies), [1, 2]);
    assert_eq!(matching(r#"{"a":{"$type":["int","double"]}}"#, &bodies), [0, 1, 2, 3]);
    assert_eq!(matching(r#"{"a.0":{"$type":"int"}}"#, &bodies), [0; 0]);
    assert_eq!(matching(r#"{"a.0":{"$type":"array"}}"#, &bodies), [4]);
}

#[test]
fn remainders_are_exact_up_to_the_ends() {
    let bodies = [
        r#"{"a":18446744073709551615}"#,
        r#"{"a":-9223372036854775808}"#,
        r#"{"a":9007199254740993}"#,
        r#"{"a":9007199254740992.0}"#,
        r#"{"a":1e300}"#,
        r#"{"a":-7.9}"#,
    ];
    assert_eq!(matching(r#"{"a":{"$mod":[10,5]}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$mod":[10,-8]}}"#, &bodies), [1]);
    assert_eq!(matching(r#"{"a":{"$mod":[-1,0]}}"#, &bodies), [0, 1, 2, 3, 5]);
    assert_eq!(matching(r#"{"a":{"$mod":[10,3]}}"#, &bodies), [2]);
    assert_eq!(matching(r#"{"a":{"$mod":[10,-7]}}"#, &bodies), [5]);
    assert_eq!(matching(r#"{"a":{"$mod":[18446744073709551615,0]}}"#, &bodies), [0]);
}

#[test]
fn texts_are_read_unescaped() {
    let bodies = [r#"{"a":"\u0061b\"c"}"#, r#"{"a":["x","ab"]}"#, r#"{"a":{"b":"ab"}}"#, "{}"];
    assert_eq!(matching(r#"{"a":{"$startsWith":"ab"}}"#, &bodies), [0, 1]);
    assert_eq!(matching(r#"{"a":{"$startsWith":"ab\"\u0063"}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$startsWith":""}}"#, &bodies), [0, 1]);
    assert_eq!(matching(r#"{"a":{"$regex":"^ab\"c$"}}"#, &bodies), [0]);
    assert_eq!(matching(r#"{"a":{"$all":[{"$regex":"^a"},"x"]}}"#, &bodies), [1]);
}

#[test]
fn members_with_escaped_names_are_found() {
    let many = (0..20).map(|i| format!(r#""k{i}":{i}"#)).collect::<Vec<_>>().join(",");
    let body = format!(r#"{{"\u0061":1,"\u006b7":0,{many},"z":{{"\u0062":[{{"c":2}}]}}}}"#)
        .replace(r#""k7":7,"#, "");
    assert_eq!(matching(r#"{"a":1,"z.b.c":2}"#, &[&body]), [0]);
    let all: Vec<String> =
        (0..20).filter(|i| *i != 7).map(|i| format!(r#"{{"k{i}":{i}}}"#)).collect();
    let wide = format!(r#"{{"a":1,"k7":0,"$and":[{}]}}"#, all.join(","));
    assert_eq!(matching(&wide, &[&body, "{}"]), [0]);
}

/// Each numeric step can be a name or an index, so that a walk that tried all ways would not end.
#[test]
fn numeric_paths_through_nested_arrays_end() {
    let depth = 30;
    let body = format!(r#"{{"0":{}1{}}}"#, r#"[{"0":"#.repeat(depth), "}]".repeat(depth));
    let path = vec!["0"; depth + depth / 2].join(".");
    let filter = Filter::parse(&format!(r#"{{"{path}":{{"$in":[2,"x"]}}}}"#)).unwrap();
    assert!(!filter.matches(&document(&body)));
    let found = Filter::parse(&format!(r#"{{"{path}":{{"$exists":true}}}}"#)).unwrap();
    assert!(found.matches(&document(&body)));
}
