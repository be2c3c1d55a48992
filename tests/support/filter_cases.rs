//! Documents and filters for properties: few names and few values, so that filters meet what they
//! ask for, and among the values all that filters have to tell apart.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const NAMES: [&str; 4] = ["a", "b", "0", "1"];
const PATHS: [&str; 14] = [
    "a",
    "b",
    "a.b",
    "b.a",
    "a.0",
    "a.1",
    "a.b.a",
    "a.0.b",
    "a.1.b",
    "b.0.0",
    "b.b",
    "0.a",
    "a.0.0.1.0.1.0",
    "c",
];
const PATTERNS: [&str; 7] = ["^a", "b$", "a.*b", "^É", "[ab]{2}", "", "^a b"];
const OPTIONS: [&str; 6] = ["", "i", "s", "mx", "im", "x"];

/// A document's body. Most have what the shortest path names.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    (prop::option::weighted(0.8, value()), object(value())).prop_map(|(first, mut members)| {
        if let (Some(first), Value::Object(members)) = (first, &mut members) {
            members.insert("a".to_owned(), first);
        }
        members
    })
}

/// Some documents, at least one.
pub(crate) fn documents(most: usize) -> impl Strategy<Value = Vec<Value>> {
    vec(document(), 1..=most)
}

/// A value at any place.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let nested = scalar().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Value::Array),
            2 => object(inner.clone()),
            // Arrays of objects are what most paths lead through.
            1 => vec(object(inner), 0..3).prop_map(Value::Array),
        ]
    });
    prop_oneof![3 => scalar(), 2 => nested]
}

/// Numbers, also such as differ in less than a float can tell.
pub(crate) fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (-3..6_i64).prop_map(Value::from),
        2 => select(vec![json!(1.0), json!(0.5), json!(-2.5), json!(2.0), json!(4.75), json!(-0.0)]),
        1 => select(vec![
            json!(9_007_199_254_740_992_u64),
            json!(9_007_199_254_740_993_u64),
            json!(9_007_199_254_740_992.0),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(u64::MAX - 1),
            json!(18_446_744_073_709_551_616.0),
            json!(-9_223_372_036_854_775_808.0),
            json!(1e300),
            json!(-1e300),
        ]),
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        5 => number(),
        4 => text().prop_map(Value::from),
    ]
}

fn text() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "ab", "A", "aXb", "é", "É\"", "", "a\nb", "a b", "\\a"])
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(select(NAMES.to_vec()), values, 0..4)
        .prop_map(|members| members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
}

pub(crate) fn path() -> impl Strategy<Value = &'static str> {
    // Short paths are those that most often lead somewhere.
    prop_oneof![2 => Just("a"), 2 => select(PATHS[..4].to_vec()), 2 => select(PATHS.to_vec())]
}

/// A filter with every operator in it, nested up to three levels.
pub(crate) fn filter() -> impl Strategy<Value = Value> {
    condition(3).prop_recursive(3, 12, 3, |inner| {
        let logical = (select(vec!["$and", "$or", "$nor"]), vec(inner.clone(), 1..4))
            .prop_map(|(name, filters)| json!({ name: filters }));
        // Of two members with one name the last stays.
        let both = vec(inner, 0..4).prop_map(|filters| {
            let members = filters.into_iter().filter_map(|filter| match filter {
                Value::Object(members) => Some(members),
                _ => None,
            });
            Value::Object(members.flatten().collect())
        });
        prop_oneof![logical, both]
    })
}

/// A path with operators or a value.
fn condition(depth: u32) -> BoxedStrategy<Value> {
    let operand = prop_oneof![1 => value(), 4 => operators(depth)];
    (path(), operand).prop_map(|(path, operand)| json!({ path: operand })).boxed()
}

/// One or two operators.
fn operators(depth: u32) -> BoxedStrategy<Value> {
    vec(operator(depth), 1..3)
        .prop_map(|parts| Value::Object(parts.into_iter().flatten().collect()))
        .boxed()
}

/// The members of one operator: two for a pattern with options.
fn operator(depth: u32) -> BoxedStrategy<Map<String, Value>> {
    let one = |name: &'static str, operand: BoxedStrategy<Value>| {
        operand.prop_map(move |operand| Map::from_iter([(name.to_owned(), operand)])).boxed()
    };
    let compared = (select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), value())
        .prop_map(|(name, operand)| Map::from_iter([(name.to_owned(), operand)]));
    let listed = (select(vec!["$in", "$nin"]), list())
        .prop_map(|(name, operand)| Map::from_iter([(name.to_owned(), operand)]));
    let flat = prop_oneof![
        6 => compared,
        3 => listed,
        1 => one("$exists", any::<bool>().prop_map(Value::from).boxed()),
        1 => one("$type", types().boxed()),
        1 => pattern(),
        1 => one("$startsWith", text().prop_map(Value::from).boxed()),
        1 => one("$mod", modulo().boxed()),
        1 => one("$size", (0..4_u8).prop_map(Value::from).boxed()),
        1 => one("$all", list().boxed()),
    ];
    if depth == 0 {
        return flat.boxed();
    }
    let element = || prop_oneof![operators(depth - 1), inner_filter(depth - 1)];
    let elements = vec(element().prop_map(|asked| json!({ "$elemMatch": asked })), 1..3);
    prop_oneof![
        8 => flat,
        2 => one("$elemMatch", element().boxed()),
        1 => one("$all", elements.prop_map(Value::Array).boxed()),
        2 => one("$not", operators(depth - 1)),
    ]
    .boxed()
}

fn inner_filter(depth: u32) -> BoxedStrategy<Value> {
    let logical = (select(vec!["$and", "$or", "$nor"]), vec(condition(depth), 1..3))
        .prop_map(|(name, filters)| json!({ name: filters }));
    prop_oneof![1 => Just(json!({})), 4 => condition(depth), 1 => logical].boxed()
}

fn list() -> impl Strategy<Value = Value> {
    let pattern = pattern().prop_map(Value::Object);
    vec(prop_oneof![5 => value(), 1 => pattern], 0..4).prop_map(Value::Array)
}

fn pattern() -> impl Strategy<Value = Map<String, Value>> {
    (select(PATTERNS.to_vec()), select(OPTIONS.to_vec())).prop_map(|(pattern, options)| {
        let mut members = Map::from_iter([("$regex".to_owned(), pattern.into())]);
        if !options.is_empty() {
            members.insert("$options".to_owned(), options.into());
        }
        members
    })
}

fn types() -> impl Strategy<Value = Value> {
    let one = || {
        select(vec![
            json!("null"),
            json!("bool"),
            json!("number"),
            json!("int"),
            json!("long"),
            json!("double"),
            json!("string"),
            json!("array"),
            json!("object"),
            json!(1),
            json!(2),
            json!(3),
            json!(4),
            json!(8),
            json!(10),
            json!(16),
            json!(18),
        ])
    };
    prop_oneof![2 => one(), 1 => vec(one(), 1..3).prop_map(Value::Array)]
}

fn modulo() -> impl Strategy<Value = Value> {
    let divisors = vec![json!(1), json!(2), json!(3), json!(-2), json!(2.9), json!(u64::MAX)];
    let remainders = vec![json!(0), json!(1), json!(-1), json!(0.5), json!(2)];
    (select(divisors), select(remainders)).prop_map(|(divisor, rest)| json!([divisor, rest]))
}
