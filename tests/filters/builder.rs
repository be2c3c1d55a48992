//! The builder and the JSON form make the same filters, and print them in one way.

use monsterdb::{Filter, Json, field, filter::Type};

#[test]
fn the_builder_makes_what_the_json_form_makes() {
    let json = |text| Json::parse(text).unwrap();
    let a = || field("a");
    for (built, text) in [
        (Filter::all(), "{}"),
        (a().eq("b"), r#"{"a":"b"}"#),
        (field("a.b").gte(18), r#"{"a.b":{"$gte":18}}"#),
        (a().gt(1).and(a().lt(2.5)), r#"{"a":{"$gt":1,"$lt":2.5}}"#),
        (a().ne(true).and(field("b").lte("z")), r#"{"a":{"$ne":true},"b":{"$lte":"z"}}"#),
        (a().is_in([1, 2]), r#"{"a":{"$in":[1,2]}}"#),
        (a().not_in(["x"]), r#"{"a":{"$nin":["x"]}}"#),
        (a().eq(1).and(a().eq(2)), r#"{"$and":[{"a":1},{"a":2}]}"#),
        (a().eq(1).and(a().gt(0)), r#"{"a":{"$eq":1,"$gt":0}}"#),
        (a().eq(json(r#"{"$x":1}"#)), r#"{"a":{"$eq":{"$x":1}}}"#),
        (a().ne(json(r#"{"$regex":"x"}"#)), r#"{"a":{"$ne":{"$regex":"x"}}}"#),
        (Filter::all().and(a().eq(None::<i64>)), r#"{"a":null}"#),
        (a().exists(false), r#"{"a":{"$exists":false}}"#),
        (a().is_type([Type::String]), r#"{"a":{"$type":"string"}}"#),
        (a().is_type([Type::Array, Type::Null]), r#"{"a":{"$type":["null","array"]}}"#),
        (a().is_type([Type::Double, Type::Int]), r#"{"a":{"$type":"number"}}"#),
        (a().regex(r#"^"\d"#), r#"{"a":{"$regex":"^\"\\d"}}"#),
        (
            a().regex_with("x", "xii").and(a().gt(1)),
            r#"{"a":{"$regex":"x","$options":"ix","$gt":1}}"#,
        ),
        (a().starts_with("é\n"), r#"{"a":{"$startsWith":"é\n"}}"#),
        (a().modulo(-4, 1), r#"{"a":{"$mod":[-4,1]}}"#),
        (a().size(3), r#"{"a":{"$size":3}}"#),
        (a().all(["x", "y"]), r#"{"a":{"$all":["x","y"]}}"#),
        (a().all([] as [i32; 0]), r#"{"a":{"$all":[]}}"#),
        (
            a().all([json(r#"{"$elemMatch":{"$gt":1}}"#), json(r#"{"$elemMatch":{"b":2}}"#)]),
            r#"{"a":{"$all":[{"$elemMatch":{"$gt":1}},{"$elemMatch":{"b":2}}]}}"#,
        ),
        (
            a().is_in([json(r#"{"$regex":"x","$options":"i"}"#), json("1"), json(r#""y""#)]),
            r#"{"a":{"$in":[1,"y",{"$regex":"x","$options":"i"}]}}"#,
        ),
        (
            a().elem_match(field("b").eq(1).and(field("c").gt(2))),
            r#"{"a":{"$elemMatch":{"b":1,"c":{"$gt":2}}}}"#,
        ),
        (a().elem_match(Filter::all()), r#"{"a":{"$elemMatch":{}}}"#),
        (
            a().elem_match(field("b").eq(1).and(field("b").eq(2))),
            r#"{"a":{"$elemMatch":{"$and":[{"b":1},{"b":2}]}}}"#,
        ),
        (
            a().any_element(|a| a.clone().eq(1).and(a.is_in([1, 2]))),
            r#"{"a":{"$elemMatch":{"$eq":1,"$in":[1,2]}}}"#,
        ),
        (a().not(|a| a.clone().gt(1).and(a.lt(3))), r#"{"a":{"$not":{"$gt":1,"$lt":3}}}"#),
        (a().not(|a| a.not(|a| a.regex("x"))), r#"{"a":{"$not":{"$not":{"$regex":"x"}}}}"#),
        (a().eq(1).or(field("b").eq(2)), r#"{"$or":[{"a":1},{"b":2}]}"#),
        (a().eq(1).or(field("b").eq(2)).or(a().eq(3)), r#"{"$or":[{"a":1},{"b":2},{"a":3}]}"#),
        (a().gt(1).negate(), r#"{"$nor":[{"a":{"$gt":1}}]}"#),
        (Filter::none_of([a().eq(1), field("b").eq(2)]), r#"{"$nor":[{"a":1},{"b":2}]}"#),
        (Filter::any_of([]), r#"{"$nor":[{}]}"#),
        (Filter::none_of([]), "{}"),
        (Filter::any_of([a().eq(1)]), r#"{"a":1}"#),
        (
            a().eq(1).or(a().eq(2)).and(field("b").eq(1).or(field("b").eq(2))),
            r#"{"$and":[{"$or":[{"a":1},{"a":2}]},{"$or":[{"b":1},{"b":2}]}]}"#,
        ),
        (
            field("b").eq(1).and(a().eq(1).or(a().eq(2))).and(a().eq(1).negate()),
            r#"{"b":1,"$or":[{"a":1},{"a":2}],"$nor":[{"a":1}]}"#,
        ),
    ] {
        assert_eq!(built, Filter::parse(text).unwrap());
        assert_eq!(built.to_json(), text);
        built.check().unwrap();
    }
}

#[test]
fn what_means_the_same_is_the_same() {
    for (text, canonical) in [
        (r#"{"$and":[{"$and":[{"a":{"$eq":1}},{}]}]}"#, r#"{"a":1}"#),
        (r#"{"$or":[{"$or":[{"a":1},{"b":1}]},{"c":1}]}"#, r#"{"$or":[{"a":1},{"b":1},{"c":1}]}"#),
        (r#"{"$or":[{"a":1}]}"#, r#"{"a":1}"#),
        (r#"{"a":{"$type":[16,"double","long"]}}"#, r#"{"a":{"$type":"number"}}"#),
        (r#"{"a":{"$type":[2]}}"#, r#"{"a":{"$type":"string"}}"#),
        (r#"{"a":{"$mod":[4.9,-1.5]}}"#, r#"{"a":{"$mod":[4,-1]}}"#),
        (r#"{"a":{"$size":2.0}}"#, r#"{"a":{"$size":2}}"#),
        (r#"{"a":{"$options":"","$regex":"x"}}"#, r#"{"a":{"$regex":"x"}}"#),
        (r#"{"a":{"$in":[3,1,2]}}"#, r#"{"a":{"$in":[1,2,3]}}"#),
    ] {
        assert_eq!(Filter::parse(text).unwrap().to_json(), canonical);
    }
    assert_ne!(field("a").regex("x"), field("a").regex_with("x", "i"));
    assert_eq!(format!("{:?}", field("a").eq(1)), r#"{"a":1}"#);
}

#[test]
fn a_filter_that_was_used_is_the_same() {
    let (used, fresh) = (field("a").regex("x"), field("a").regex("x"));
    assert!(!used.matches(&crate::document("{}")));
    assert_eq!(used.clone(), fresh);
    let threads = std::thread::scope(|scope| {
        let run = || scope.spawn(|| fresh.matches(&crate::document(r#"{"a":"xy"}"#)));
        [run(), run()].map(|thread| thread.join().unwrap())
    });
    assert_eq!(threads, [true, true]);
}

#[test]
fn the_paths_that_a_filter_looks_at() {
    let text = r#"{"b.c":1,"a":{"$gt":1,"$lt":3},"$or":[{"d":1},{"$nor":[{"e":{"$elemMatch":{"f":1}}}]}]}"#;
    let filter = Filter::parse(text).unwrap();
    assert!(filter.paths().into_iter().map(|path| path.as_str()).eq(["a", "b.c", "d", "e"]));
    assert!(Filter::all().paths().is_empty());
}

#[test]
fn an_id_is_pinned_by_conjuncts_alone() {
    let id = |text: &str| Filter::parse(text).unwrap().id_equality().map(String::from);
    assert_eq!(id(r#"{"_id":"x","a":1}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"$and":[{"a":1},{"$and":[{"_id":"x"}]}]}"#).as_deref(), Some("x"));
    assert_eq!(id(r#"{"_id":{"$gt":"a","$eq":"x"}}"#).as_deref(), Some("x"));
    for none in [
        "{}",
        r#"{"$or":[{"_id":"x"},{"a":1}]}"#,
        r#"{"$nor":[{"_id":"x"}]}"#,
        r#"{"_id":{"$not":{"$eq":"x"}}}"#,
        r#"{"_id":{"$in":["x"]}}"#,
        r#"{"_id":{"$elemMatch":{"_id":"x"}}}"#,
        r#"{"a._id":"x"}"#,
    ] {
        assert_eq!(id(none), None, "{none}");
    }
}
