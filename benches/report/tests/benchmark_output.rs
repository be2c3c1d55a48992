//! Properties 31 and 32 of the specification: what a benchmark prints is complete, and its forms
//! agree.
//!
//! The table is read as a person reads it: columns are what two spaces part, figures are digits
//! with thousands set apart.

use bench_report::{Comparison, Report, Row, Spread};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

/// A column of the table, the member of a row in JSON, and by how much that is the greater number.
const FIGURES: [(&str, &str, f64); 11] = [
    ("size", "/size", 1.0),
    ("threads", "/threads", 1.0),
    ("median", "/figure/median", 1.0),
    ("min", "/figure/min", 1.0),
    ("max", "/figure/max", 1.0),
    ("ops/s", "/throughput", 1.0),
    ("p50 µs", "/p50_us", 1.0),
    ("p99 µs", "/p99_us", 1.0),
    ("max µs", "/max_us", 1.0),
    ("memory MB", "/memory_bytes", 1e6),
    ("disk MB", "/disk_bytes", 1e6),
];

const WORDS: [(&str, &str); 4] = [
    ("workload", "/workload"),
    ("engine", "/engine"),
    ("durability", "/durability"),
    ("unit", "/unit"),
];

/// Names as engines have them: they hold no two spaces, and begin with a letter.
fn name() -> impl Strategy<Value = String> {
    "[a-z]{1,9}( [a-z]{1,7}|-[a-z0-9]{1,9}|, [a-z]{1,6}|/[a-z]{1,4}){0,2}"
}

/// Few, so that rows share one.
fn workload() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just("insert".to_owned()), 1 => Just("reads-beside".to_owned()), 1 => name()]
}

/// Anything that can be measured, from nanoseconds to the bytes of a large disk.
fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![0.001..10.0, 10.0..1e4, 1e4..1e13_f64]
}

fn spread() -> impl Strategy<Value = Spread> {
    vec(figure(), 1..6).prop_map(Spread::of)
}

prop_compose! {
    fn row()(
        (workload, engine, durability, unit) in (workload(), name(), name(), name()),
        (size, threads) in (1..10_000_000_usize, prop_oneof![1..3_usize, 1..200_usize]),
        figure in spread(),
        (throughput, p50_us, p99_us, max_us) in (figure(), figure(), figure(), figure()),
        (memory_bytes, disk_bytes) in (0..1_u64 << 45, 0..1_u64 << 45),
    ) -> Row {
        Row {
            workload, size, threads, engine, durability, figure, unit, throughput, p50_us, p99_us,
            max_us, memory_bytes, disk_bytes,
        }
    }
}

fn report() -> impl Strategy<Value = Report> {
    let comparison = (name(), name(), spread()).prop_map(|(what, unit, measured)| Comparison {
        what,
        unit,
        measured,
        expected: None,
    });
    (vec(row(), 1..12), vec(comparison, 0..3))
        .prop_map(|(rows, comparisons)| Report { rows, comparisons })
}

proptest! {
    #[test]
    fn p31_benchmark_output_completeness(report in report()) {
        let (table, json) = (Table::read(&report.table()), read(&report));
        prop_assert_eq!(table.rows.len(), report.rows.len());
        prop_assert_eq!(json.len(), report.rows.len());
        for (cells, row) in table.rows.iter().zip(&json) {
            prop_assert_eq!(cells.len(), table.head.len(), "a cell is empty: {:?}", cells);
            for (column, member) in WORDS {
                prop_assert!(table.cell(cells, column).is_some(), "no column {}", column);
                prop_assert!(row.pointer(member).is_some_and(Value::is_string), "no {}", member);
            }
            for (column, member, _) in FIGURES {
                let cell = table.cell(cells, column);
                prop_assert!(cell.is_some_and(|cell| digits(cell).is_some()), "no {}", column);
                prop_assert!(row.pointer(member).is_some_and(Value::is_number), "no {}", member);
            }
        }
        let bars: usize = report.charts().iter().map(|chart| bars(&chart.svg)).sum();
        prop_assert_eq!(bars, report.rows.len());
    }

    #[test]
    fn p32_benchmark_output_format(report in report()) {
        let (table, json) = (Table::read(&report.table()), read(&report));
        prop_assert_eq!(table.rows.len(), json.len());
        for (cells, row) in table.rows.iter().zip(&json) {
            for (column, member) in WORDS {
                prop_assert_eq!(table.cell(cells, column), row.pointer(member).and_then(Value::as_str));
            }
            for (column, member, divisor) in FIGURES {
                let cell = table.cell(cells, column).and_then(digits).expect("p31");
                let exact = row.pointer(member).and_then(Value::as_f64).expect("p31") / divisor;
                prop_assert!(cell.agrees(exact), "{}: {:?} for {}", column, cell, exact);
            }
        }
    }
}

#[test]
fn a_row_knows_what_it_lacks() {
    let spread = |value| Spread::of([value]);
    let row = Row {
        workload: "get".to_owned(),
        size: 1,
        threads: 1,
        engine: "monsterdb".to_owned(),
        durability: "always".to_owned(),
        figure: spread(5.0),
        unit: "gets/s".to_owned(),
        throughput: 5.0,
        p50_us: 1.0,
        p99_us: 2.0,
        max_us: 3.0,
        memory_bytes: 0,
        disk_bytes: 0,
    };
    assert_eq!(row.lacks(), None);
    assert_eq!(Row { p99_us: 0.0, ..row.clone() }.lacks(), Some("p99"));
    assert_eq!(Row { throughput: f64::NAN, ..row.clone() }.lacks(), Some("throughput"));
    assert_eq!(Row { figure: spread(f64::INFINITY), ..row }.lacks(), Some("figure"));
}

#[test]
fn a_chart_is_well_formed_whatever_the_names_are() {
    let row = Row {
        workload: "a < b & c".to_owned(),
        size: 1,
        threads: 1,
        engine: "<&>".to_owned(),
        durability: "none".to_owned(),
        figure: Spread::of([1.0, 2.0]),
        unit: "ms".to_owned(),
        throughput: 1.0,
        p50_us: 1.0,
        p99_us: 1.0,
        max_us: 1.0,
        memory_bytes: 0,
        disk_bytes: 0,
    };
    let charts = Report { rows: vec![row], comparisons: Vec::new() }.charts();
    let [chart] = &*charts else { panic!("one workload makes one chart") };
    assert!(chart.svg.contains("a &lt; b &amp; c") && chart.svg.contains("&lt;&amp;&gt;"));
}

/// A table as it reads.
struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The first of the tables in a text.
    fn read(text: &str) -> Table {
        let cells = |line: &str| line.split("  ").map(str::trim).map(str::to_owned).collect();
        let cells = |line: &str| -> Vec<String> {
            let all: Vec<String> = cells(line);
            all.into_iter().filter(|cell| !cell.is_empty()).collect()
        };
        let mut lines = text.lines().take_while(|line| !line.is_empty()).map(cells);
        Table { head: lines.next().unwrap_or_default(), rows: lines.collect() }
    }

    fn cell<'a>(&self, cells: &'a [String], column: &str) -> Option<&'a str> {
        let place = self.head.iter().position(|name| name == column)?;
        cells.get(place).map(String::as_str)
    }
}

/// The rows of a report, read from its JSON.
fn read(report: &Report) -> Vec<Value> {
    let text = report.json().expect("a report can be written");
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    value.get("rows").and_then(Value::as_array).cloned().expect("there are rows")
}

/// A printed number, and how much its last digit stands for.
#[derive(Debug)]
struct Printed {
    value: f64,
    last: f64,
}

impl Printed {
    /// Whether it is this number, rounded.
    fn agrees(&self, exact: f64) -> bool {
        (self.value - exact).abs() <= self.last / 2.0 + exact.abs() * 1e-9
    }
}

fn digits(cell: &str) -> Option<Printed> {
    let plain = cell.replace(',', "");
    let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some(Printed { value: plain.parse().ok()?, last: 0.1_f64.powi(decimals as i32) })
}

/// The bars in a picture: each has its whisker.
fn bars(svg: &str) -> usize {
    svg.matches(r#"<path class="whisker""#).count()
}
