//! Columns of text.

use super::Line;
use crate::targets::{Comparison, Expected};

const MEGABYTE: f64 = 1e6;

/// The rows as a table: medians, with the least and the greatest figure.
pub(super) fn rows(lines: &[Line]) -> String {
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
        "p50 µs",
        "p99 µs",
        "memory MB",
        "disk MB",
    ];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    cells.extend(lines.iter().map(|line| {
        vec![
            line.workload.to_owned(),
            line.size.to_string(),
            line.threads.to_string(),
            line.engine.to_owned(),
            line.durability.to_owned(),
            number(line.figure.median),
            number(line.figure.min),
            number(line.figure.max),
            line.unit.to_owned(),
            line.p50_us.map_or_else(String::new, number),
            line.p99_us.map_or_else(String::new, number),
            number(line.memory_bytes as f64 / MEGABYTE),
            number(line.disk_bytes as f64 / MEGABYTE),
        ]
    }));
    columns(&cells)
}

/// The comparisons as a table, each beside what is expected.
pub(super) fn comparisons(comparisons: &[Comparison]) -> String {
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
            comparison.unit.to_owned(),
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
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
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
