//! What is no filter: every refusal names the operator and the place.

use std::fmt::Write;

use monsterdb::{Error, Filter, Json, field, filter::Type, limits};

use crate::document;

/// Each text with the JSON Pointer and a word of the reason that it is refused with.
fn check(cases: &[(&str, &str, &str)]) {
    for (text, pointer, named) in cases {
        match Filter::parse(text) {
            Err(Error::InvalidFilter { pointer: found, reason }) => {
                assert_eq!(found, *pointer, "{text}: {reason}");
                assert!(reason.contains(named), "{text}: {reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_is_no_filter() {
    check(&[
        ("[]", "", "object"),
        ("null", "", "object"),
        (r#"{"$xor":[{"a":1}]}"#, "/$xor", "$xor"),
        (r#"{"$comment":"x"}"#, "/$comment", "$comment"),
        (r#"{"$where":"1"}"#, "/$where", "$where"),
        (r#"{"$expr":{}}"#, "/$expr", "$expr"),
        (r#"{"$not":{"a":1}}"#, "/$not", "$nor"),
        (r#"{"$gt":1}"#, "/$gt", "$gt tests a path"),
        (r#"{"a":{"$above":1}}"#, "/a/$above", "$above"),
        (r#"{"a":{"$or":[{"b":1}]}}"#, "/a/$or", "$or combines filters"),
        (r#"{"a":{"$gt":1,"b":2}}"#, "/a/b", "plain"),
        (r#"{"a":{"b":1,"$gt":2}}"#, "/a/b", "plain"),
        (r#"{"$and":[]}"#, "/$and", "$and"),
        (r#"{"$or":[]}"#, "/$or", "$or"),
        (r#"{"$nor":{}}"#, "/$nor", "$nor"),
        (r#"{"$and":[{"a":1},2]}"#, "/$and/1", "object"),
        (r#"{"$or":[{"a":1},{"$nor":[{"a/b":{"$x":1}}]}]}"#, "/$or/1/$nor/0/a~1b/$x", "$x"),
        (r#"{"a..b":1}"#, "/a..b", "a..b"),
        (r#"{"":1}"#, "/", "empty"),
        (r#"{"a":1,"a":2}"#, "/a", "twice"),
        (r#"{"a":1e999}"#, "/a", "overflows"),
    ]);
    assert_eq!(Filter::parse("{").unwrap_err().code(), "invalid-json");
    assert_eq!(Filter::parse(&" ".repeat(2 << 20)).unwrap_err().code(), "limit-exceeded");
}

#[test]
fn operands_that_do_not_fit() {
    check(&[
        (r#"{"a":{"$in":1}}"#, "/a/$in", "$in needs an array"),
        (r#"{"a":{"$nin":{}}}"#, "/a/$nin", "$nin needs an array"),
        (r#"{"a":{"$in":[1,{"$gt":1}]}}"#, "/a/$in/1/$gt", "$gt"),
        (r#"{"a":{"$nin":[{"b":1,"$regex":"x"}]}}"#, "/a/$nin/0/b", "b"),
        (r#"{"a":{"$in":[{"$options":"i"}]}}"#, "/a/$in/0/$options", "$regex"),
        (r#"{"a":{"$exists":1}}"#, "/a/$exists", "$exists"),
        (r#"{"a":{"$exists":"true"}}"#, "/a/$exists", "$exists"),
        (r#"{"a":{"$type":"text"}}"#, "/a/$type", r#""text""#),
        (r#"{"a":{"$type":"date"}}"#, "/a/$type", "date"),
        (r#"{"a":{"$type":9}}"#, "/a/$type", "9"),
        (r#"{"a":{"$type":1.5}}"#, "/a/$type", "1.5"),
        (r#"{"a":{"$type":null}}"#, "/a/$type", "$type"),
        (r#"{"a":{"$type":["int","x"]}}"#, "/a/$type/1", "x"),
        (r#"{"a":{"$type":[]}}"#, "/a/$type", "at least one"),
        (r#"{"a":{"$regex":1}}"#, "/a/$regex", "$regex"),
        (r#"{"a":{"$regex":"x","$options":1}}"#, "/a/$regex", "$options"),
        (r#"{"a":{"$regex":"x","$options":"ig"}}"#, "/a/$regex", "'g'"),
        (r#"{"a":{"$options":"i"}}"#, "/a/$options", "$regex"),
        (r#"{"a":{"$gt":1,"$options":"i"}}"#, "/a/$options", "$regex"),
        (r#"{"a":{"$regex":"(x"}}"#, "/a/$regex", "unclosed group"),
        (r#"{"a":{"$regex":"(?=x)"}}"#, "/a/$regex", "look-around"),
        (r#"{"a":{"$regex":"(x)\\1"}}"#, "/a/$regex", "backreferences"),
        (r#"{"a":{"$startsWith":1}}"#, "/a/$startsWith", "$startsWith"),
        (r#"{"a":{"$mod":4}}"#, "/a/$mod", "two numbers"),
        (r#"{"a":{"$mod":[4]}}"#, "/a/$mod", "two numbers"),
        (r#"{"a":{"$mod":[4,1,2]}}"#, "/a/$mod", "two numbers"),
        (r#"{"a":{"$mod":["4",1]}}"#, "/a/$mod/0", "$mod"),
        (r#"{"a":{"$mod":[4,null]}}"#, "/a/$mod/1", "$mod"),
        (r#"{"a":{"$mod":[1e300,1]}}"#, "/a/$mod/0", "64 bits"),
        (r#"{"a":{"$mod":[0,1]}}"#, "/a/$mod/0", "must not be 0"),
        (r#"{"a":{"$mod":[0.9,1]}}"#, "/a/$mod/0", "must not be 0"),
        (r#"{"a":{"$size":-1}}"#, "/a/$size", "$size"),
        (r#"{"a":{"$size":1.5}}"#, "/a/$size", "$size"),
        (r#"{"a":{"$size":"1"}}"#, "/a/$size", "$size"),
        (r#"{"a":{"$all":1}}"#, "/a/$all", "$all"),
        (r#"{"a":{"$all":[1,{"$gt":1}]}}"#, "/a/$all/1/$gt", "$gt"),
        (r#"{"a":{"$all":[1,{"$elemMatch":{}}]}}"#, "/a/$all/1", "throughout"),
        (r#"{"a":{"$all":[{"$elemMatch":{}},1]}}"#, "/a/$all/1", "throughout"),
        (r#"{"a":{"$all":[{"$elemMatch":{},"$gt":1}]}}"#, "/a/$all/0", "alone"),
        (r#"{"a":{"$elemMatch":1}}"#, "/a/$elemMatch", "object"),
        (r#"{"a":{"$elemMatch":[]}}"#, "/a/$elemMatch", "object"),
        (r#"{"a":{"$elemMatch":{"$gt":1,"b":2}}}"#, "/a/$elemMatch/b", "plain"),
        (r#"{"a":{"$elemMatch":{"b":1,"$gt":2}}}"#, "/a/$elemMatch/$gt", "tests a path"),
        (r#"{"a":{"$elemMatch":{"b":{"$x":1}}}}"#, "/a/$elemMatch/b/$x", "$x"),
        (r#"{"a":{"$not":1}}"#, "/a/$not", "$not"),
        (r#"{"a":{"$not":{}}}"#, "/a/$not", "$not"),
        (r#"{"a":{"$not":{"b":1}}}"#, "/a/$not", "$not"),
        (r#"{"a":{"$not":{"$regex":"["}}}"#, "/a/$not/$regex", "unclosed"),
        (r#"{"a":{"$not":{"$not":{"$mod":[0,0]}}}}"#, "/a/$not/$not/$mod/0", "$mod"),
    ]);
}

#[test]
fn patterns_have_limits() {
    let of = |pattern: &str| Filter::parse(&format!(r#"{{"a":{{"$regex":"{pattern}"}}}}"#));
    let refused = |pattern: &str| match of(pattern).unwrap_err() {
        Error::InvalidFilter { pointer, reason } => {
            assert_eq!(pointer, "/a/$regex");
            reason
        }
        other => panic!("{other:?}"),
    };
    for bomb in
        ["(a{500}){500}", "((a{100}){100}){100}", r"\\w{5000}", "(?:){4294967295}x{1000}{1000}"]
    {
        let reason = refused(bomb);
        assert!(reason.contains("$regex"), "{bomb}: {reason}");
    }
    assert!(of(&"a".repeat(limits::PATTERN_BYTES_MAX)).is_ok());
    assert!(refused(&"a".repeat(limits::PATTERN_BYTES_MAX + 1)).contains("longer"));
    // A usual pattern of words stays far below the limit.
    of(r"^(\\w+\\s+){0,8}[\\p{L}\\d_.+-]{1,16}@(\\w+\\.){1,5}\\w{2,}$").unwrap();

    let list = |count: usize| {
        let patterns = vec![r#"{"$regex":"x"}"#; count].join(",");
        Filter::parse(&format!(r#"{{"a":{{"$in":[{patterns}]}}}}"#))
    };
    list(limits::FILTER_PATTERNS_MAX).unwrap();
    let text = list(limits::FILTER_PATTERNS_MAX + 1).unwrap_err().to_string();
    assert!(text.contains(&format!("/a/$in/{}/$regex", limits::FILTER_PATTERNS_MAX)), "{text}");
    let many = Filter::any_of((0..=limits::FILTER_PATTERNS_MAX).map(|_| field("a").regex("x")));
    assert!(many.check().unwrap_err().to_string().contains("patterns"));
}

/// A pattern that a backtracking engine would need ages for.
#[test]
fn patterns_run_in_linear_time() {
    let body = format!(r#"{{"a":"{}"}}"#, "a".repeat(100_000));
    let filter = Filter::parse(r#"{"a":{"$regex":"^(a+)+(a|aa)*b$"}}"#).unwrap();
    assert!(!filter.matches(&document(&body)));
}

#[test]
fn nesting_has_a_limit() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    let not = |count| format!(r#"{{"a":{}}}"#, nested(r#"{"$not":"#, r#"{"$gt":1}"#, "}", count));
    let nor = |count| nested(r#"{"$nor":["#, r#"{"a":1}"#, "]}", count);
    let elements = |count| nested(r#"{"a":{"$elemMatch":"#, r#"{"b":1}"#, "}}", count);
    let all = |count| {
        format!(r#"{{"a":{}}}"#, nested(r#"{"$all":[{"$elemMatch":"#, r#"{"$gt":1}"#, "}]}", count))
    };
    for (make, deepest) in [
        (&not as &dyn Fn(usize) -> String, limits::FILTER_DEPTH_MAX),
        (&nor, limits::FILTER_DEPTH_MAX),
        (&elements, limits::FILTER_DEPTH_MAX),
        (&all, limits::FILTER_DEPTH_MAX / 2),
    ] {
        let filter = Filter::parse(&make(deepest)).unwrap();
        assert_eq!(Filter::parse(&filter.to_json()).unwrap(), filter);
        assert!(!filter.matches(&document(r#"{"a":[]}"#)) || filter.matches(&document("{}")));
        for count in [deepest + 1, 10_000] {
            let error = Filter::parse(&make(count)).unwrap_err();
            assert_eq!(error.code(), "invalid-filter", "{count}");
            assert!(error.to_string().contains("nested deeper"), "{error}");
        }
    }
    // What is flat in the end may have been written deep.
    let and = nested(r#"{"$and":["#, r#"{"a":1}"#, "]}", 90);
    assert_eq!(Filter::parse(&and).unwrap(), field("a").eq(1));
    let wide = format!(r#"{{"$or":[{}{{"a":1}}]}}"#, r#"{"b":2},"#.repeat(100_000));
    assert!(Filter::parse(&wide).unwrap().matches(&document(r#"{"a":1}"#)));
}

#[test]
fn values_are_no_deeper_than_documents() {
    let value = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = limits::NESTING_DEPTH_MAX;
    for operand in [value(deepest), format!(r#"{{"$in":[{}]}}"#, value(deepest))] {
        let filter = Filter::parse(&format!(r#"{{"a":{operand}}}"#)).unwrap();
        assert_eq!(Filter::parse(&filter.to_json()).unwrap(), filter);
    }
    check(&[
        (&format!(r#"{{"a":{}}}"#, value(deepest + 1)), "/a", "nested deeper"),
        (
            &format!(r#"{{"a":{{"$all":[1,{}]}}}}"#, value(deepest + 1)),
            "/a/$all/1",
            "nested deeper",
        ),
    ]);
}

#[test]
fn the_builder_refuses_the_same() {
    let pattern = || Json::parse(r#"{"$regex":"("}"#).unwrap();
    let mut deep = field("a").eq(1);
    for _ in 0..10_000 {
        deep = deep.negate();
    }
    let mut inner = field("a").eq(1);
    for _ in 0..10_000 {
        inner = field("a").elem_match(inner);
    }
    let mut places = String::new();
    for invalid in [
        field("b..c").gt(2),
        field("b..c").is_in([2]),
        field("a").is_in([pattern()]),
        field("a").not_in([Json::parse(r#"{"$gt":1}"#).unwrap()]),
        field("a").all([pattern()]),
        field("a").regex("("),
        field("a").regex_with("x", "g"),
        field("a").modulo(0, 1),
        field("a").is_type([] as [Type; 0]),
        field("a").not(|_| field("b").eq(1)),
        field("a").not(|_| Filter::all()),
        field("a").any_element(|a| a.clone().eq(1).and(a.eq(2))),
        field("a").any_element(|a| a.eq(1).negate()),
        deep,
        inner,
    ] {
        let error = invalid.check().unwrap_err();
        assert_eq!(error.code(), "invalid-filter");
        writeln!(places, "{error}").unwrap();
        // No matter how it is put together with others, it matches nothing.
        for filter in [
            invalid.clone(),
            invalid.clone().negate(),
            invalid.clone().or(Filter::all()),
            Filter::none_of([field("a").eq(2), invalid.clone()]),
            field("a").elem_match(invalid.clone()),
            field("a").not(|_| invalid.clone()),
            invalid.and(field("a").eq(1)),
        ] {
            assert!(!filter.matches(&document(r#"{"a":1}"#)), "{filter}");
            assert_eq!(filter.check().unwrap_err().to_string(), error.to_string());
            assert_ne!(Filter::parse(&filter.to_json()).ok(), Some(filter));
        }
    }
    let expected = r#"invalid filter at "/b..c": invalid path "b..c": a part of it is empty
invalid filter at "/b..c": invalid path "b..c": a part of it is empty
invalid filter at "/a/$in/0/$regex": $regex does not take this pattern: unclosed group
invalid filter at "/a/$nin/0/$gt": "$gt" stands in a list, which takes values and patterns
invalid filter at "/a/$all/0/$regex": $regex does not take this pattern: unclosed group
invalid filter at "/a/$regex": $regex does not take this pattern: unclosed group
invalid filter at "/a/$regex": $options knows i, m, s and x, and not 'g'
invalid filter at "/a/$mod/0": the divisor of $mod must not be 0
invalid filter at "/a/$type": $type needs at least one type
invalid filter at "/a/$not": $not takes tests of the path that it was given
invalid filter at "/a/$not": $not takes each operator once, and at least one
invalid filter at "/a/$elemMatch": $elemMatch takes each operator once, and at least one
invalid filter at "/a/$elemMatch": $elemMatch takes tests of the path that it was given
invalid filter at "": operators are nested deeper than 32 levels
invalid filter at "": operators are nested deeper than 32 levels
"#;
    assert_eq!(places, expected);
}
