//! Charts as SVG: a bar for each engine, with a whisker from the least run to the greatest.

use std::fmt::Write;

use crate::{Row, table::number};

/// The engine whose bars stand out.
const OWN: &str = "monsterdb";

const WIDTH: f64 = 820.0;
/// Where bars begin: names of engines stand before it.
const LEFT: f64 = 200.0;
/// The longest whisker: figures stand behind it.
const BAR_MAX: f64 = 480.0;
const LINE: f64 = 24.0;

/// One workload as a picture.
#[derive(Debug, Clone)]
pub struct Chart {
    /// The workload.
    pub workload: String,
    /// The picture.
    pub svg: String,
}

/// One chart for each workload, in the order of the rows.
pub(crate) fn of(rows: &[Row]) -> Vec<Chart> {
    let same = |one: &Row, other: &Row| one.workload == other.workload;
    let chart = |rows: &[Row]| {
        let workload = rows.first()?.workload.clone();
        Some(Chart { workload, svg: draw(rows) })
    };
    rows.chunk_by(same).filter_map(chart).collect()
}

fn draw(rows: &[Row]) -> String {
    let title = rows.first().map_or_else(String::new, |row| {
        format!("{}, {}, {} documents", row.workload, row.unit, row.size)
    });
    let greatest = rows.iter().map(|row| row.figure.max).fold(f64::MIN_POSITIVE, f64::max);
    let scale = BAR_MAX / greatest;
    let mut body = text(10.0, 24.0, "title", &title);
    let mut y = 40.0;
    for group in rows.chunk_by(|one, other| one.threads == other.threads) {
        let threads = group.first().map_or(1, |row| row.threads);
        let name = if threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
        y += LINE;
        body.push_str(&text(10.0, y - 7.0, "threads", &name));
        for row in group {
            body.push_str(&bar(row, y, scale));
            y += LINE;
        }
    }
    let height = y + 16.0;
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" "#,
            r#"width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">"#,
            "\n<style>.title{{font-size:16px;font-weight:bold}}.threads{{font-weight:bold}}",
            ".own{{fill:#c2410c}}.other{{fill:#94a3b8}}.whisker{{stroke:#1e293b}}</style>\n",
            r##"<rect width="100%" height="100%" fill="#fff"/>"##,
            "\n{body}</svg>\n"
        ),
        WIDTH = WIDTH,
        height = height,
        body = body
    )
}

/// Name, bar, whisker and figures of a row.
fn bar(row: &Row, y: f64, scale: f64) -> String {
    let kind = if row.engine == OWN { "own" } else { "other" };
    let (least, end) = (LEFT + row.figure.min * scale, LEFT + row.figure.max * scale);
    let (middle, width) = (y + LINE / 2.0, row.figure.median * scale);
    let mut out =
        text(20.0, middle + 5.0, "engine", &format!("{} ({})", row.engine, row.durability));
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        r#"<rect class="{kind}" x="{LEFT}" y="{:.1}" width="{width:.1}" height="{:.1}"/>"#,
        y + 3.0,
        LINE - 6.0,
    );
    let _ = writeln!(
        out,
        r#"<path class="whisker" fill="none" d="M{least:.1} {:.1}v8m0 -4H{end:.1}m0 -4v8"/>"#,
        middle - 4.0,
    );
    out + &text(end + 8.0, middle + 5.0, "figure", &number(row.figure.median))
}

fn text(x: f64, y: f64, kind: &str, words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<text class=\"{kind}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>\n")
}
