//! How a query was answered, as it is printed: for programs the document that a server gives, for
//! people the plan as a tree, what was considered, and what it took.
//!
//! ```text
//! limit 3
//!   filter {"n":{"$lt":30}}
//!     index by_city, 1 range
//! candidates (* chosen):
//!   * by_city  cost 31  bounded by {"city":"c1"}, the rest of the filter is tested
//!     _id      cost 80  dearer: reads 40 keys and tests each
//!     late     unfit    it holds only documents that match …
//! examined 10 keys and 10 documents, returned 3, in 42 us, at version 7
//! ```

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Failure;

#[derive(Deserialize)]
struct Explained<'a> {
    #[serde(borrow)]
    plan: Stage<'a>,
    candidates: Vec<Candidate>,
    keys_examined: u64,
    documents_examined: u64,
    documents_returned: u64,
    time_us: u64,
    version: u64,
}

#[derive(Deserialize)]
struct Stage<'a> {
    stage: String,
    index: Option<String>,
    direction: Option<String>,
    ranges: Option<u64>,
    #[serde(borrow)]
    filter: Option<&'a RawValue>,
    sort: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
    #[serde(default)]
    input: Vec<Stage<'a>>,
}

#[derive(Deserialize)]
struct Candidate {
    index: String,
    chosen: bool,
    cost: Option<u64>,
    reason: String,
}

/// An explanation that is given in its JSON form, for people or for programs, without the end of
/// its last line.
pub(super) fn shown(text: String, json: bool) -> Result<String, Failure> {
    if json {
        return Ok(text);
    }
    let explained: Explained<'_> = serde_json::from_str(&text).map_err(|error| {
        let reason = format!("the explanation is not understood: {error}; see it with --json");
        Failure::Usage { argument: "--explain", reason }
    })?;
    Ok(explained.tree().trim_end().to_owned())
}

impl Explained<'_> {
    fn tree(&self) -> String {
        let mut text = String::new();
        self.plan.write(0, &mut text);
        if !self.candidates.is_empty() {
            text.push_str("candidates (* chosen):\n");
        }
        let costs: Vec<String> = self.candidates.iter().map(Candidate::cost).collect();
        let widest = |width: Option<usize>| width.unwrap_or_default();
        let names = widest(self.candidates.iter().map(|one| one.index.len()).max());
        let width = widest(costs.iter().map(String::len).max());
        for (Candidate { index, chosen, reason, .. }, cost) in self.candidates.iter().zip(&costs) {
            let mark = if *chosen { '*' } else { ' ' };
            text.push_str(&format!("  {mark} {index:names$}  {cost:width$}  {reason}\n"));
        }
        let Explained { keys_examined, documents_examined, documents_returned, .. } = self;
        text.push_str(&format!(
            "examined {keys_examined} keys and {documents_examined} documents, returned \
             {documents_returned}, in {} us, at version {}\n",
            self.time_us, self.version
        ));
        text
    }
}

impl Stage<'_> {
    /// A line for itself, and those of its input below it, further to the right.
    fn write(&self, depth: usize, text: &mut String) {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&self.line());
        text.push('\n');
        self.input.iter().for_each(|stage| stage.write(depth + 1, text));
    }

    fn line(&self) -> String {
        let mut line = self.stage.clone();
        let filter = self.filter.map(RawValue::get);
        let names = [self.index.as_deref(), filter, self.sort.as_deref()];
        names.into_iter().flatten().for_each(|name| line.push_str(&format!(" {name}")));
        if let Some(limit) = self.limit {
            line.push_str(&format!(" {limit}"));
        }
        let offset = self.offset.map(|offset| format!("offset {offset}"));
        let ranges = self.ranges.map(|ranges| match ranges {
            1 => "1 range".to_owned(),
            more => format!("{more} ranges"),
        });
        let more = [offset, self.direction.clone(), ranges];
        more.into_iter().flatten().for_each(|part| line.push_str(&format!(", {part}")));
        line
    }
}

impl Candidate {
    fn cost(&self) -> String {
        self.cost.map_or_else(|| "unfit".to_owned(), |cost| format!("cost {cost}"))
    }
}
