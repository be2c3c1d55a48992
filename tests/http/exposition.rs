//! The text format of Prometheus (0.0.4), read strictly: whatever a scraper could stumble over
//! fails.
//!
//! ```text
//! page   = { "# HELP" name text  "# TYPE" name type  { sample } }     families apart, each once
//! sample = name [ "{" label "=" quoted { "," label "=" quoted } "}" ] value
//! ```

use std::collections::{BTreeMap, BTreeSet};

/// The series of a page with their values, by name and labels as they are written.
#[derive(Debug, Clone)]
pub(crate) struct Exposition(BTreeMap<String, f64>);

struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl Exposition {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut series = BTreeMap::new();
        let mut families = BTreeSet::new();
        let mut lines = text.lines().peekable();
        while let Some(help) = lines.next() {
            let (name, _) = comment(help, "HELP");
            let line = lines.next().unwrap_or_default();
            let (typed, kind) = comment(line, "TYPE");
            assert_eq!(name, typed, "{line}");
            assert!(families.insert(name), "{name} is there twice");
            let mut samples = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                let sample = Sample::parse(line);
                let (written, _) = line.rsplit_once(' ').unwrap();
                assert!(series.insert(written.to_owned(), sample.value).is_none(), "twice: {line}");
                samples.push(sample);
            }
            check(name, kind, &samples);
        }
        Exposition(series)
    }

    /// The value of a series, which has to be there.
    #[track_caller]
    pub(crate) fn get(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("there is no {series}"))
    }

    /// The value of a series, or zero while it is not there.
    pub(crate) fn count(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(0.0)
    }

    /// The series of a name, labels or not.
    pub(crate) fn named(&self, name: &str) -> Vec<&str> {
        let all = self.0.keys().map(String::as_str);
        all.filter(|series| series.split('{').next() == Some(name)).collect()
    }
}

#[track_caller]
fn comment<'a>(line: &'a str, keyword: &str) -> (&'a str, &'a str) {
    let rest = line.strip_prefix("# ").and_then(|rest| rest.strip_prefix(keyword));
    let rest = rest.and_then(|rest| rest.strip_prefix(' '));
    let (name, text) = rest
        .unwrap_or_else(|| panic!("# {keyword} is expected: {line:?}"))
        .split_once(' ')
        .unwrap();
    assert!(is_name(name, true) && !text.is_empty(), "{line}");
    (name, text)
}

/// A family's samples are those of its type.
#[track_caller]
fn check(name: &str, kind: &str, samples: &[Sample<'_>]) {
    match kind {
        "counter" => {
            assert!(name.ends_with("_total"), "{name}");
            let is_count = |value: f64| value.is_finite() && value >= 0.0;
            assert!(samples.iter().all(|one| one.name == name && is_count(one.value)), "{name}");
        }
        "gauge" => assert!(samples.iter().all(|one| one.name == name), "{name}"),
        "histogram" => histogram(name, samples),
        other => panic!("{other} is no type: {name}"),
    }
}

#[track_caller]
fn histogram(name: &str, samples: &[Sample<'_>]) {
    let mut groups: BTreeMap<String, Vec<&Sample<'_>>> = BTreeMap::new();
    for sample in samples {
        let labels: Vec<_> = sample.labels.iter().filter(|(label, _)| *label != "le").collect();
        groups.entry(format!("{labels:?}")).or_default().push(sample);
    }
    for (labels, samples) in groups {
        let one = |suffix: &str| {
            let found = samples.iter().filter(|one| one.name == format!("{name}_{suffix}"));
            let found: Vec<f64> = found.map(|one| one.value).collect();
            assert_eq!(found.len(), 1, "{name}_{suffix}{labels}");
            found[0]
        };
        let (sum, count) = (one("sum"), one("count"));
        assert!(sum >= 0.0, "{name}{labels}");
        let buckets = samples.iter().filter(|one| one.name == format!("{name}_bucket"));
        let buckets: Vec<(f64, f64)> = buckets
            .map(|one| {
                let (_, bound) = one.labels.iter().find(|(label, _)| *label == "le").unwrap();
                (number(bound), one.value)
            })
            .collect();
        assert_eq!(buckets.len() + 2, samples.len(), "{name}{labels}");
        let grow = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        assert!(buckets.windows(2).all(grow), "{name}{labels}: {buckets:?}");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{name}{labels}");
    }
}

impl<'a> Sample<'a> {
    #[track_caller]
    fn parse(line: &'a str) -> Sample<'a> {
        let end = line.find(['{', ' ']).unwrap_or(line.len());
        let (name, mut rest) = line.split_at(end);
        assert!(is_name(name, true), "{line}");
        let mut labels = Vec::new();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner;
            loop {
                let (label, after) = rest.split_once("=\"").unwrap();
                assert!(is_name(label, false), "{line}");
                let (value, after) = quoted(after);
                assert!(labels.iter().all(|(other, _)| *other != label), "{line}");
                labels.push((label, value));
                if let Some(after) = after.strip_prefix('}') {
                    rest = after;
                    break;
                }
                rest = after.strip_prefix(',').unwrap();
            }
        }
        Sample { name, labels, value: number(rest.strip_prefix(' ').unwrap()) }
    }
}

/// What stands before the closing quote, and what comes behind it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    loop {
        match characters.next().unwrap() {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => value.push(match characters.next().unwrap().1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => panic!("\\{other} is no escape"),
            }),
            (_, plain) => value.push(plain),
        }
    }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        _ => {
            assert!(text.starts_with(|first: char| first.is_ascii_digit()), "{text:?}");
            text.parse().unwrap()
        }
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

#[test]
fn what_is_no_exposition_is_refused() {
    let page = |samples: &str| format!("# HELP a_total Text.\n# TYPE a_total counter\n{samples}");
    let good = [
        page(""),
        page("a_total 1\n"),
        page("a_total{b=\"c\",d=\"\\\"\\\\\\n}\"} 1.5\n"),
        "# HELP h H\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n\
         h_count 2\n"
            .to_owned(),
    ];
    for text in &good {
        Exposition::parse(text);
    }
    let bad = [
        "a_total 1\n".to_owned(),
        page("a_total 1"),
        page("a_total 1\na_total 2\n"),
        page("b_total 1\n"),
        page("a_total{b=c} 1\n"),
        page("a_total{b=\"c\",b=\"d\"} 1\n"),
        page("a_total{b=\"\\x\"} 1\n"),
        page("a_total -1\n"),
        page("a_total \n"),
        page("") + &page(""),
        page("").replace("a_total", "a"),
        good[3].replace("\"1\"} 1", "\"1\"} 3"),
        good[3].replace("h_count 2", "h_count 3"),
        good[3].replace("h_sum 3\n", ""),
        good[3].replace("histogram", "gauge"),
    ];
    for text in bad {
        let parsed = std::panic::catch_unwind(|| Exposition::parse(&text));
        assert!(parsed.is_err(), "{text}");
    }
}
