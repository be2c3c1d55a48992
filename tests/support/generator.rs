//! Documents, indexes and queries that meet: few paths, few values, every kind of them.

use proptest::{
    collection::vec,
    option,
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{select, subsequence},
};

const PATHS: [&str; 6] = ["a", "b", "c", "a.x", "c.y", "a.0"];

/// Paths that most filters, indexes and sorts have, so that they meet.
const FREQUENT: [&str; 2] = ["a", "b"];

/// Values that are equal, near or of another kind; half of them few, so that filters find them.
pub(crate) fn scalar() -> impl Strategy<Value = String> {
    let few = select(vec!["null", "1", "1.0", "2", r#""a""#]);
    let all = select(vec![
        "null",
        "false",
        "true",
        "0",
        "1",
        "1.0",
        "2",
        "2.5",
        "-3",
        "9007199254740993",
        "9007199254740992.0",
        r#""""#,
        r#""a""#,
        r#""ab""#,
        r#""b""#,
        r#""\u0000""#,
        "{}",
        r#"{"x":1}"#,
        r#"{"x":1,"y":2}"#,
        r#"{"y":2,"x":1}"#,
    ]);
    prop_oneof![few, all].prop_map(str::to_owned)
}

/// A path that a filter tests.
fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![select(FREQUENT.to_vec()), select(PATHS.to_vec())]
}

/// Some paths in any order, at least so many.
fn paths(least: usize) -> impl Strategy<Value = Vec<&'static str>> {
    let any = subsequence(vec!["a", "b", "c", "a.x", "c.y", "_id"], least..4).prop_shuffle();
    prop_oneof![subsequence(FREQUENT.to_vec(), least..3).prop_shuffle(), any]
}

fn object() -> impl Strategy<Value = String> {
    (option::of(scalar()), option::of(scalar())).prop_map(|(x, y)| {
        let members = [("x", x), ("y", y)].into_iter();
        let members = members.filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
}

fn value() -> impl Strategy<Value = String> {
    let array = vec(prop_oneof![4 => scalar(), 1 => Just("[1]".to_owned())], 0..4)
        .prop_map(|elements| format!("[{}]", elements.join(",")));
    let objects = vec(object(), 0..3).prop_map(|all| format!("[{}]", all.join(",")));
    prop_oneof![6 => scalar(), 2 => array, 2 => object(), 1 => objects]
}

/// The body of a document.
pub(crate) fn body() -> impl Strategy<Value = String> {
    (
        option::weighted(0.8, value()),
        option::weighted(0.8, scalar()),
        option::weighted(0.5, value()),
    )
        .prop_map(|(a, b, c)| {
            let members = [("a", a), ("b", b), ("c", c)].into_iter();
            let members =
                members.filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        })
}

/// Some documents with ids.
pub(crate) fn documents(most: usize) -> impl Strategy<Value = Vec<(String, String)>> {
    vec((0..most * 2, body()), 0..most)
        .prop_map(|all| all.into_iter().map(|(id, body)| (format!("d{id:02}"), body)).collect())
}

/// One to three paths with directions, sometimes with a filter.
pub(crate) fn index() -> impl Strategy<Value = String> {
    (paths(1), vec(proptest::bool::ANY, 3), option::weighted(0.2, filter())).prop_map(
        |(paths, descending, filter)| {
            let paths = paths.iter().zip(descending);
            let paths: Vec<String> = paths
                .map(|(path, descending)| {
                    format!("\"{}{path}\"", if descending { "-" } else { "" })
                })
                .collect();
            let filter = filter.map_or_else(String::new, |filter| format!(",\"filter\":{filter}"));
            format!("{{\"paths\":[{}]{filter}}}", paths.join(","))
        },
    )
}

/// A test of one value, without `$not`.
fn plain_test() -> BoxedStrategy<String> {
    let compared = (select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), value())
        .prop_map(|(operator, value)| format!("\"{operator}\":{value}"));
    let listed = (select(vec!["$in", "$nin", "$all"]), vec(value(), 0..4))
        .prop_map(|(operator, values)| format!("\"{operator}\":[{}]", values.join(",")));
    let types =
        select(vec!["null", "bool", "number", "int", "double", "string", "array", "object"]);
    let other = prop_oneof![
        any::<bool>().prop_map(|exists| format!("\"$exists\":{exists}")),
        types.prop_map(|of| format!("\"$type\":\"{of}\"")),
        select(vec!["^a", "b$", "^ab?", "", "^(a|b)", "^a|b"])
            .prop_map(|pattern| format!("\"$regex\":\"{pattern}\"")),
        select(vec!["", "a", "ab"]).prop_map(|text| format!("\"$startsWith\":\"{text}\"")),
        (1..4, 0..3).prop_map(|(divisor, rest)| format!("\"$mod\":[{divisor},{rest}]")),
        (0..3).prop_map(|size| format!("\"$size\":{size}")),
        Just("\"$in\":[{\"$regex\":\"^a\"},null,2]".to_owned()),
    ];
    prop_oneof![4 => compared, 2 => listed, 3 => other].boxed()
}

fn test() -> BoxedStrategy<String> {
    prop_oneof![
        6 => plain_test(),
        1 => plain_test().prop_map(|test| format!("\"$not\":{{{test}}}")),
        1 => vec(plain_test(), 1..3).prop_filter("operators differ", |tests| differ(tests))
            .prop_map(|tests| format!("\"$elemMatch\":{{{}}}", tests.join(","))),
        1 => (select(vec!["x", "y"]), plain_test())
            .prop_map(|(path, test)| format!("\"$elemMatch\":{{\"{path}\":{{{test}}}}}")),
    ]
    .boxed()
}

/// No operator stands twice.
fn differ(tests: &[String]) -> bool {
    let mut operators: Vec<_> = tests.iter().map(|test| test.split(':').next()).collect();
    operators.sort_unstable();
    operators.dedup();
    operators.len() == tests.len()
}

/// A condition on one path.
fn condition() -> impl Strategy<Value = String> {
    let equals = (path(), scalar());
    prop_oneof![
        equals.prop_map(|(path, value)| format!("{{\"{path}\":{{\"$eq\":{value}}}}}")),
        (path(), test()).prop_map(|(path, test)| format!("{{\"{path}\":{{{test}}}}}")),
        (path(), vec(test(), 2))
            .prop_filter("operators differ", |(_, tests)| differ(tests))
            .prop_map(|(path, tests)| format!("{{\"{path}\":{{{}}}}}", tests.join(","))),
        test().prop_map(|test| format!("{{\"_id\":{{{test}}}}}")),
        (0..20).prop_map(|id| format!("{{\"_id\":{{\"$gte\":\"d{id:02}\"}}}}")),
    ]
}

/// Filters below one operator.
fn group(part: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (select(vec!["$or", "$nor", "$and"]), vec(part, 1..4))
        .prop_map(|(operator, parts)| format!("{{\"{operator}\":[{}]}}", parts.join(",")))
}

/// A filter of a few conditions, some of them below `$or`, `$nor` and `$and`, once or twice.
pub(crate) fn filter() -> impl Strategy<Value = String> {
    let below = prop_oneof![4 => condition(), 1 => group(condition())];
    let part = prop_oneof![4 => condition(), 1 => group(below)];
    vec(part, 0..3).prop_map(|parts| match parts.len() {
        0 => "{}".to_owned(),
        _ => format!("{{\"$and\":[{}]}}", parts.join(",")),
    })
}

/// An `$or` each branch of which an index on `a` or on `b` bounds; branches overlap often.
#[allow(dead_code, reason = "not every test that shares this asks for it")]
pub(crate) fn union() -> impl Strategy<Value = String> {
    let compared = select(vec!["$eq", "$gte", "$lt", "$lte"]);
    let branch = (select(vec!["a", "b"]), compared, scalar())
        .prop_map(|(path, operator, value)| format!("{{\"{path}\":{{\"{operator}\":{value}}}}}"));
    vec(branch, 2..4).prop_map(|branches| format!("{{\"$or\":[{}]}}", branches.join(",")))
}

/// A sort, or none for the order of ids.
pub(crate) fn sort() -> impl Strategy<Value = String> {
    (paths(0), vec(proptest::bool::ANY, 4)).prop_map(|(paths, descending)| {
        let parts = paths.iter().zip(descending);
        let parts = parts.map(|(path, down)| format!("{}{path}", if down { "-" } else { "" }));
        parts.collect::<Vec<_>>().join(",")
    })
}
