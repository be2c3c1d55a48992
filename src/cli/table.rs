//! Tables for people: columns as wide as what stands in them, cut where the terminal ends.
//!
//! Invariant: a row is one line, whatever stands in its cells.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: &str = "  ";

/// Columns of text that a column keeps when the terminal is too narrow for all.
const COLUMN_MIN: usize = 8;

/// To which side a cell is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// As numbers are read.
    Right,
}

/// A table.
pub(super) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<(String, Align)>>,
}

impl Table {
    /// An empty table with the names of its columns.
    pub(super) fn new(head: Vec<String>) -> Table {
        Table { head, rows: Vec::new() }
    }

    /// Adds a row of as many cells as there are columns.
    pub(super) fn row(&mut self, cells: Vec<String>, aligns: &[Align]) {
        let cells = cells.into_iter().map(|cell| on_one_line(&cell));
        self.rows.push(cells.zip(aligns.iter().copied()).collect());
    }

    /// The lines, each ended, not wider than a terminal of a width where one is given.
    pub(super) fn to_text(&self, width: Option<usize>) -> String {
        let widths = fitted(self.widths(), width);
        let head = self.head.iter().map(|name| (name.clone(), Align::Left));
        let mut text = line(&head.collect::<Vec<_>>(), &widths);
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        text.push_str(&rules.join(GAP));
        text.push('\n');
        self.rows.iter().for_each(|row| text.push_str(&line(row, &widths)));
        text
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.head.iter().map(|name| name.width()).collect();
        for row in &self.rows {
            for (width, (cell, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        widths
    }
}

/// The widths with the widest made narrower until all fit, or none is left to be.
fn fitted(mut widths: Vec<usize>, width: Option<usize>) -> Vec<usize> {
    let Some(most) = width else { return widths };
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > most {
        match widths.iter_mut().max() {
            Some(widest) if *widest > COLUMN_MIN => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn line(row: &[(String, Align)], widths: &[usize]) -> String {
    let mut line = String::new();
    for ((cell, align), width) in row.iter().zip(widths) {
        let cell = cut(cell, *width);
        let space = " ".repeat(width.saturating_sub(cell.width()));
        match align {
            Align::Left => line.extend([cell.as_str(), &space]),
            Align::Right => line.extend([space.as_str(), &cell]),
        }
        line.push_str(GAP);
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

/// As much of a text as fits, and a mark where it is cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |char: &char| {
        taken += char.width().unwrap_or_default();
        taken < width
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// Text without what would move a terminal's cursor.
fn on_one_line(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '·' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec!["name".into(), "n".into()]);
        table.row(vec!["Ada Lovelace".into(), "1".into()], &[Align::Left, Align::Right]);
        table.row(vec!["東京\n\u{1b}[2J".into(), "22".into()], &[Align::Left, Align::Right]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        assert_eq!(
            table().to_text(None),
            "name          n\n------------  --\nAda Lovelace   1\n東京··[2J     22\n"
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest() {
        assert_eq!(
            table().to_text(Some(12)),
            "name      n\n--------  --\nAda Lov…   1\n東京··[…  22\n"
        );
        assert_eq!(Table::new(vec![]).to_text(Some(3)), "\n\n");
    }
}
