//! Columns of text, two spaces or more between them.

use crate::{Comparison, Expected, Row};

const MEGABYTE: f64 = 1e6;

/// The rows as a table, with the least and the greatest figure.
pub(crate) fn rows(rows: &[Row]) -> String {
    let head = [
        "workload",
        "size",
        "threads",
        "engine",
        "durability",
        "median",
        "min",
        "max",
        "unit",
        "ops/s",
        "p50 µs",
        "p99 µs",
        "max µs",
        "memory MB",
        "disk MB",
    ];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    cells.extend(rows.iter().map(|row| {
        vec![
            row.workload.clone(),
            row.size.to_string(),
            row.threads.to_string(),
            row.engine.clone(),
            row.durability.clone(),
            number(row.figure.median),
            number(row.figure.min),
            number(row.figure.max),
            row.unit.clone(),
            number(row.throughput),
            number(row.p50_us),
            number(row.p99_us),
            number(row.max_us),
            number(row.memory_bytes as f64 / MEGABYTE),
            number(row.disk_bytes as f64 / MEGABYTE),
        ]
    }));
    columns(&cells)
}

/// The comparisons as a table, each beside what is expected.
pub(crate) fn comparisons(comparisons: &[Comparison]) -> String {
    let head = ["monsterdb", "median", "min", "max", "unit", "expected", "met"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    cells.extend(comparisons.iter().map(|comparison| {
        let expected = match comparison.expected {
            None => String::new(),
            Some(Expected::AtLeast(bound)) => format!(">= {bound}"),
            Some(Expected::Below(bound)) => format!("< {bound}"),
        };
        let met = comparison.is_met().map_or("", |met| if met { "yes" } else { "NO" });
        vec![
            comparison.what.clone(),
            number(comparison.measured.median),
            number(comparison.measured.min),
            number(comparison.measured.max),
            comparison.unit.clone(),
            expected,
            met.to_owned(),
        ]
    }));
    columns(&cells)
}

/// Aligns cells: numbers to the right, words to the left.
fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column: usize| rows.iter().map(|row| cell(row, column).chars().count()).max();
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        for (column, width) in widths.iter().copied().enumerate() {
            let cell = cell(row, column);
            match cell.starts_with(|first: char| first.is_ascii_digit()) {
                true => text.push_str(&format!("{cell:>width$}  ")),
                false => text.push_str(&format!("{cell:<width$}  ")),
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// Three figures that count, thousands set apart.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..0.01 => format!("{value:.4}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let mut text = String::new();
            for (place, digit) in digits.chars().enumerate() {
                if place > 0 && (digits.len() - place) % 3 == 0 {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
    }
}
