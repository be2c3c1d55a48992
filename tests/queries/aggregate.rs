//! Groups and what is made of them.

use std::cmp::Ordering;

use monsterdb::{Aggregate, Collection, Database, Error, Filter, Json, Metric, Query, field};
use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::{Value, json};

use crate::{
    filled,
    reference::{object, order, value},
    value as parsed,
};

/// An aggregate as the command line has it: `city,age n=count mean=avg:age`.
fn aggregate(text: &str) -> Result<Aggregate, Error> {
    let mut words = text.split(' ');
    let paths = words.next().unwrap().split(',').filter(|path| !path.is_empty());
    words.try_fold(Aggregate::by(paths)?, |aggregate, word| {
        let (name, metric) = word.split_once('=').unwrap();
        let (metric, path) = match metric.split_once(':') {
            Some((metric, path)) => (metric, Some(path)),
            None => (metric, None),
        };
        aggregate.metric(name, Metric::parse(metric, path)?)
    })
}

#[track_caller]
fn groups(c: &Collection<Json>, text: &str, expected: &[&str]) {
    let found = c.aggregate(Filter::all(), &aggregate(text).unwrap()).unwrap();
    assert_eq!(found.iter().map(Json::as_str).collect::<Vec<_>>(), expected);
}

fn people() -> Collection<Json> {
    filled(&[
        json!({"city": "Oslo", "age": 40, "tags": ["a", "b"]}),
        json!({"city": "Rome", "age": "unknown"}),
        json!({"city": "Oslo", "age": 43, "tags": ["a"], "at": {"zip": 1}}),
        json!({"age": 0.5, "at": {"zip": 1}}),
        json!({"city": null, "age": null, "tags": ["a", "b"], "at": [{"zip": 1}, {}, 2]}),
    ])
}

#[test]
fn documents_are_grouped_and_counted() {
    let c = people();
    groups(
        &c,
        "city n=count",
        &[r#"{"city":null,"n":2}"#, r#"{"city":"Oslo","n":2}"#, r#"{"city":"Rome","n":1}"#],
    );
    groups(&c, "tags", &[r#"{"tags":null}"#, r#"{"tags":["a"]}"#, r#"{"tags":["a","b"]}"#]);
    groups(
        &c,
        "at.zip n=count",
        &[r#"{"at.zip":null,"n":2}"#, r#"{"at.zip":1,"n":2}"#, r#"{"at.zip":[1],"n":1}"#],
    );
    groups(
        &c,
        "city,at.zip",
        &[
            r#"{"city":null,"at.zip":1}"#,
            r#"{"city":null,"at.zip":[1]}"#,
            r#"{"city":"Oslo","at.zip":null}"#,
            r#"{"city":"Oslo","at.zip":1}"#,
            r#"{"city":"Rome","at.zip":null}"#,
        ],
    );
}

#[test]
fn what_is_made_of_a_group() {
    let c = people();
    groups(
        &c,
        "city sum=sum:age mean=avg:age",
        &[
            r#"{"city":null,"sum":0.5,"mean":0.5}"#,
            r#"{"city":"Oslo","sum":83,"mean":41.5}"#,
            r#"{"city":"Rome","sum":0,"mean":null}"#,
        ],
    );
    groups(
        &c,
        " least=min:age most=max:age first=first:city last=last:city",
        &[r#"{"least":0.5,"most":"unknown","first":"Oslo","last":null}"#],
    );
    groups(
        &c,
        "city t=first:tags z=last:at.zip least=min:tags",
        &[
            r#"{"city":null,"t":null,"z":[1],"least":["a","b"]}"#,
            r#"{"city":"Oslo","t":["a","b"],"z":1,"least":["a"]}"#,
            r#"{"city":"Rome","t":null,"z":null,"least":null}"#,
        ],
    );
}

#[test]
fn nothing_to_group_by_is_one_group_also_of_no_documents() {
    let none = filled(&[]);
    groups(&none, " n=count s=sum:x a=avg:x m=max:x", &[r#"{"n":0,"s":0,"a":null,"m":null}"#]);
    groups(&none, "city n=count", &[]);
}

#[test]
fn sort_limit_and_offset_are_about_groups() {
    let db = Database::in_memory();
    let c = db.collection::<Json>("c").unwrap();
    for (id, city) in ["x", "y", "y", "z", "z", "w"].iter().enumerate() {
        c.put(&id.to_string(), &Json::parse(&json!({"city": city}).to_string()).unwrap()).unwrap();
    }
    let by_city = aggregate("city n=count").unwrap();
    let snapshot = db.snapshot();
    let source = &**snapshot.collection("c").unwrap();
    let ask = |query: Query| {
        let rows = query.aggregate(&by_city, source);
        rows.map(|rows| rows.iter().map(|row| parsed(row)["city"].clone()).collect::<Vec<_>>())
    };
    let all = || Query::new(Filter::all());
    assert_eq!(ask(all()).unwrap(), ["w", "x", "y", "z"]);
    assert_eq!(ask(all().sort("-n".parse().unwrap())).unwrap(), ["y", "z", "w", "x"]);
    assert_eq!(ask(all().sort("n,-city".parse().unwrap())).unwrap(), ["x", "w", "z", "y"]);
    assert_eq!(ask(all().sort("-n".parse().unwrap()).offset(1).limit(2)).unwrap(), ["z", "w"]);
    assert_eq!(ask(all().limit(0)).unwrap(), [""; 0]);
    let refused = ask(all().sort("age".parse().unwrap()));
    assert!(matches!(refused, Err(Error::InvalidQuery { reason }) if reason.contains("age")));
}

#[test]
fn what_is_no_aggregate() {
    for text in [
        "a..b n=count",
        "a,a n=count",
        "a a=count",
        "a n=count n=count",
        "a n=median:x",
        "a n=sum",
        "a n=count:x",
        "a n=sum:x..y",
        "a =count",
        "a -n=count",
        "a $n=count",
        "a n.m=count",
        "a n,m=count",
        "a \u{3000}n=count",
    ] {
        assert!(matches!(aggregate(text), Err(Error::InvalidQuery { .. })), "{text}");
    }
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    let by = |count| Aggregate::by(many(count).iter().map(|path| &**path));
    assert!(by(16).is_ok() && by(17).is_err());
    let metrics = |count| many(count).iter().map(|n| format!(" m{n}=count")).collect::<String>();
    assert!(aggregate(&metrics(64)).is_ok() && aggregate(&metrics(65)).is_err());
    let nothing = people().aggregate(Filter::all(), &Aggregate::by([]).unwrap());
    assert!(matches!(nothing, Err(Error::InvalidQuery { .. })));
    let none = people().aggregate(field("").eq(1), &aggregate("a").unwrap());
    assert!(matches!(none, Err(Error::InvalidFilter { .. })));
}

#[test]
fn groups_take_so_much_memory_and_no_more() {
    let c = filled(&[]);
    let text = "x".repeat(4 << 20);
    for id in 0..17 {
        let body = format!(r#"{{"same":"{text}","own":"{id}{text}"}}"#);
        c.put(&id.to_string(), &Json::parse(&body).unwrap()).unwrap();
    }
    groups(&c, "missing n=count", &[r#"{"missing":null,"n":17}"#]);
    // Neither as a key nor, in many groups, as a value.
    for text in ["own n=count", "_id f=first:own"] {
        let refused = c.aggregate(Filter::all(), &aggregate(text).unwrap());
        assert!(
            matches!(&refused, Err(Error::InvalidQuery { reason }) if reason.contains("67108864"))
        );
    }
    assert_eq!(c.aggregate(field("_id").eq("1"), &aggregate("own").unwrap()).unwrap().len(), 1);
}

const METRICS: &[&str] = &["count", "sum", "avg", "min", "max", "first", "last"];

proptest! {
    #[test]
    fn groups_agree_with_a_naive_evaluation(
        bodies in vec(object(value()), 0..14),
        paths in subsequence(vec!["a", "b", "a.b", "c.0"], 0..3),
        metric_path in prop::sample::select(vec!["a", "b", "a.b", "c"]),
    ) {
        let metrics = METRICS.iter().map(|metric| match *metric {
            "count" => " m-count=count".to_owned(),
            metric => format!(" m-{metric}={metric}:{metric_path}"),
        });
        let aggregate = aggregate(&format!("{}{}", paths.join(","), metrics.collect::<String>()));
        let at = |body: &Value, path: &str| whole(body, &path.split('.').collect::<Vec<_>>());
        let mut groups: Vec<(Vec<Value>, Vec<&Value>)> = Vec::new();
        for body in &bodies {
            let key: Vec<_> = paths.iter().map(|p| at(body, p).unwrap_or(Value::Null)).collect();
            match groups.iter_mut().find(|(other, _)| by_key(other, &key).is_eq()) {
                Some((_, members)) => members.push(body),
                None => groups.push((key, vec![body])),
            }
        }
        if paths.is_empty() && groups.is_empty() {
            groups.push((Vec::new(), Vec::new()));
        }
        groups.sort_by(|(one, _), (two, _)| by_key(one, two));
        let expected: Vec<Value> = groups.into_iter().map(|(key, members)| {
            let keys = paths.iter().map(|path| (*path).to_owned()).zip(key);
            let values: Vec<_> = members.iter().map(|body| at(body, metric_path)).collect();
            let made = METRICS.iter().map(|metric| (format!("m-{metric}"), made(metric, &values)));
            Value::Object(keys.chain(made).collect())
        }).collect();
        let found = filled(&bodies).aggregate(Filter::all(), &aggregate.unwrap()).unwrap();
        prop_assert_eq!(found.iter().map(parsed).collect::<Vec<_>>(), expected);
    }
}

fn by_key(one: &[Value], two: &[Value]) -> Ordering {
    let pairs = one.iter().zip(two).map(|(one, two)| order(Some(one), Some(two)));
    pairs.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn made(metric: &str, values: &[Option<Value>]) -> Value {
    let by_order = |a: &&Value, b: &&Value| order(Some(a), Some(b));
    let present = values.iter().flatten().filter(|value| !value.is_null());
    let numbers = || values.iter().flatten().filter_map(Value::as_number);
    let integers: i128 = numbers().filter_map(|number| number.as_i128()).sum();
    let floats = || numbers().filter(|number| number.is_f64());
    // The floats of these tests are halves, so that their sum can be had exactly.
    let halves: i128 = floats().map(|number| (number.as_f64().unwrap() * 2.0) as i128).sum();
    let float = integers as f64 + halves as f64 / 2.0;
    match metric {
        "count" => values.len().into(),
        "sum" => match (floats().next(), u64::try_from(integers), i64::try_from(integers)) {
            (None, Ok(sum), _) => sum.into(),
            (None, _, Ok(sum)) => sum.into(),
            _ => float.into(),
        },
        "avg" if numbers().next().is_none() => Value::Null,
        "avg" => (float / numbers().count() as f64).into(),
        "min" => present.min_by(by_order).cloned().unwrap_or(Value::Null),
        // Of equal values the first is kept, and not the last as `max_by` does.
        "max" => present.rev().max_by(by_order).cloned().unwrap_or(Value::Null),
        "first" => values.first().cloned().flatten().unwrap_or(Value::Null),
        "last" => values.last().cloned().flatten().unwrap_or(Value::Null),
        other => panic!("{other}"),
    }
}

/// What stands at a path as a whole.
fn whole(tree: &Value, parts: &[&str]) -> Option<Value> {
    let value = tree.as_object()?.get(parts[0])?;
    match (&parts[1..], value) {
        ([], value) => Some(value.clone()),
        (rest, Value::Object(_)) => whole(value, rest),
        (rest, Value::Array(elements)) => {
            Some(Value::Array(elements.iter().filter_map(|element| whole(element, rest)).collect()))
        }
        _ => None,
    }
}
