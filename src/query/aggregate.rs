//! Aggregation: documents gathered into groups, and numbers made of each group.
//!
//! ```text
//! Aggregate::by(["city"])?.metric("n", Metric::Count)?.metric("mean", Metric::parse("avg", Some("age"))?)?
//! [{"city":"Oslo","n":3,"mean":41.5}, …]
//! ```
//!
//! - A group has one value for each of its paths: what stands there as a whole, arrays not taken
//!   apart. Missing is grouped with null. Values that filters hold to be equal are one group, in
//!   the spelling of its first document by id.
//! - Grouping by no path makes one group of all documents, also of none.
//! - Groups come in the order of their values. The query's sort, limit and offset are about
//!   groups: a sort names group paths and metrics, and compares whole values.
//! - Documents are taken in the order of their ids, which decides what is first, what is last and
//!   how floats are rounded: the answer is the same whatever index served.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{Query, Source, accumulator::Accumulator, deadline::Deadline, invalid, value::Value};
use crate::{
    document::{Direction, Document, Json, Path},
    error::Result,
    limits::{
        GROUP_BYTES_MAX, GROUP_PATHS_MAX, METRIC_NAME_BYTES_MAX, METRICS_MAX, VALUE_OVERHEAD_BYTES,
    },
};

/// Which groups to make, and which numbers of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    group: Vec<Path>,
    metrics: Vec<(Box<str>, Metric)>,
}

/// What to make of the documents of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// How many they are.
    Count,
    /// The sum of the numbers at a path; what is no number is passed over. A sum of integers is
    /// exact, and an integer while 64 bits hold it; else it is the nearest float. One that no
    /// float holds is null.
    Sum(Path),
    /// The sum of the numbers at a path by how many they are, as a float; null without any.
    Avg(Path),
    /// The least value at a path, null and missing passed over; null without any.
    Min(Path),
    /// The greatest value at a path, null and missing passed over; null without any.
    Max(Path),
    /// The value at a path in the document with the least id; null where it is missing.
    First(Path),
    /// The value at a path in the document with the greatest id; null where it is missing.
    Last(Path),
}

/// The groups made so far.
struct Groups<'a, 'q> {
    aggregate: &'q Aggregate,
    groups: BTreeMap<Vec<Value<'a>>, Vec<Accumulator<'a, 'q>>>,
    bytes: usize,
}

/// One group as it is answered: the values of its paths, then those of its metrics.
type Row<'a> = Vec<Value<'a>>;

impl Metric {
    /// Reads a metric from its name and path: `count` has none, the others have one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) that says what is expected.
    pub fn parse(name: &str, path: Option<&str>) -> Result<Metric> {
        let metric = match (name, path) {
            ("count", None) => return Ok(Metric::Count),
            ("sum", Some(path)) => Metric::Sum(parse_path(path)?),
            ("avg", Some(path)) => Metric::Avg(parse_path(path)?),
            ("min", Some(path)) => Metric::Min(parse_path(path)?),
            ("max", Some(path)) => Metric::Max(parse_path(path)?),
            ("first", Some(path)) => Metric::First(parse_path(path)?),
            ("last", Some(path)) => Metric::Last(parse_path(path)?),
            _ => {
                return Err(invalid(format!(
                    "{name:?} {} is no metric: there are count, and sum, avg, min, max, first and \
                     last of a path",
                    if path.is_some() { "of a path" } else { "without a path" }
                )));
            }
        };
        Ok(metric)
    }
}

impl Aggregate {
    /// Groups by these paths.
    ///
    /// ```
    /// use monsterdb::{Aggregate, Database, Filter, Json, Metric};
    /// let db = Database::in_memory();
    /// let people = db.collection::<Json>("people")?;
    /// for text in [r#"{"city":"Oslo","age":40}"#, r#"{"city":"Oslo","age":43}"#] {
    ///     people.insert(&Json::parse(text)?)?;
    /// }
    /// let by_city = Aggregate::by(["city"])?.metric("mean", Metric::parse("avg", Some("age"))?)?;
    /// let groups = people.aggregate(Filter::all(), &by_city)?;
    /// assert_eq!(groups[0].as_str(), r#"{"city":"Oslo","mean":41.5}"#);
    /// # Ok::<(), monsterdb::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when one is no path or stands twice, or
    /// when there are too many.
    pub fn by<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Aggregate> {
        let group: Vec<Path> = paths.into_iter().map(parse_path).collect::<Result<_>>()?;
        if group.len() > GROUP_PATHS_MAX {
            return Err(invalid(format!("an aggregate groups by at most {GROUP_PATHS_MAX} paths")));
        }
        for (place, path) in group.iter().enumerate() {
            if group.iter().take(place).any(|other| other == path) {
                return Err(invalid(format!("an aggregate groups by {path} twice")));
            }
        }
        Ok(Aggregate { group, metrics: Vec::new() })
    }

    /// And makes this of each group, under a name of one part.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when it cannot be named so, or when
    /// there are too many.
    pub fn metric(mut self, name: &str, metric: Metric) -> Result<Aggregate> {
        let refuse = |reason: &str| Err(invalid(format!("the metric {name:?} {reason}")));
        let misread = |c: char| matches!(c, '.' | ',') || c.is_control();
        if name.len() > METRIC_NAME_BYTES_MAX {
            return refuse(&format!("has a name of more than {METRIC_NAME_BYTES_MAX} bytes"));
        }
        if name.is_empty() || name.starts_with(['$', '-', '+']) || name.contains(misread) {
            return refuse("has a name that is empty, begins with $, - or +, or holds . or ,");
        }
        if name.trim() != name {
            return refuse("has a name with space around it");
        }
        if self.column(name).is_some() {
            return refuse("has the name of another, or of a path that is grouped by");
        }
        if self.metrics.len() == METRICS_MAX {
            return Err(invalid(format!("an aggregate has at most {METRICS_MAX} metrics")));
        }
        self.metrics.push((name.into(), metric));
        Ok(self)
    }

    /// Refuses one that asks for nothing.
    pub(crate) fn check(&self) -> Result<()> {
        match self.columns().next() {
            Some(_) => Ok(()),
            None => Err(invalid("an aggregate needs a path to group by, or a metric")),
        }
    }

    /// The names of the members of a group, in their order.
    fn columns(&self) -> impl Iterator<Item = &str> {
        let metrics = self.metrics.iter().map(|(name, _)| &**name);
        self.group.iter().map(Path::as_str).chain(metrics)
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns().position(|column| column == name)
    }
}

impl Query {
    /// The groups of the documents that match, each an object of the paths' values and the
    /// metrics. Order, limit and offset of the query are about the groups.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when the aggregate asks for nothing,
    /// when the sort names what is no member of a group, and when the groups take more than
    /// [`GROUP_BYTES_MAX`]; else as [`Query::execute`].
    pub fn aggregate(&self, aggregate: &Aggregate, source: &dyn Source) -> Result<Vec<Json>> {
        aggregate.check()?;
        let order = self.order_of_groups(aggregate)?;
        let deadline = Deadline::of(self);
        let matches = self.all_matches().find(source)?;
        let mut groups = Groups::new(aggregate);
        for (_, document) in matches.iter().take_while(deadline.guard()) {
            groups.add(document)?;
        }
        deadline.check()?;
        let mut rows = groups.into_rows();
        // Groups come in the order of their values, and the sort is stable.
        rows.sort_by(|one, two| compare_rows(&order, one, two));
        let limit = self.limit.unwrap_or(usize::MAX);
        write_rows(aggregate, rows.into_iter().skip(self.offset).take(limit))
    }

    /// The columns that its sort names.
    pub(crate) fn order_of_groups(&self, aggregate: &Aggregate) -> Result<Vec<(usize, Direction)>> {
        let column = |(path, direction): (&str, Direction)| match aggregate.column(path) {
            Some(column) => Ok((column, direction)),
            None => Err(invalid(format!(
                "groups cannot be sorted by {path}, which is neither grouped by nor a metric"
            ))),
        };
        self.sort.columns().map(column).collect()
    }
}

impl<'a, 'q> Groups<'a, 'q> {
    fn new(aggregate: &'q Aggregate) -> Groups<'a, 'q> {
        let mut groups = BTreeMap::new();
        if aggregate.group.is_empty() {
            groups.insert(Vec::new(), accumulators(aggregate));
        }
        Groups { aggregate, groups, bytes: 0 }
    }

    fn add(&mut self, document: &'a Document) -> Result<()> {
        let key: Vec<Value<'a>> = self
            .aggregate
            .group
            .iter()
            .map(|path| Value::at(path, document).unwrap_or(Value::NULL))
            .collect();
        let cost = key.iter().map(|value| value.text().len() + VALUE_OVERHEAD_BYTES).sum::<usize>()
            + self.aggregate.metrics.len() * VALUE_OVERHEAD_BYTES;
        let group = self.groups.entry(key).or_insert_with(|| {
            self.bytes += cost;
            accumulators(self.aggregate)
        });
        group.iter_mut().for_each(|accumulator| accumulator.add(document));
        check_bytes(self.bytes)
    }

    fn into_rows(self) -> Vec<Row<'a>> {
        let row = |(mut row, group): (Row<'a>, Vec<Accumulator<'a, 'q>>)| {
            row.extend(group.into_iter().map(Accumulator::end));
            row
        };
        self.groups.into_iter().map(row).collect()
    }
}

fn accumulators<'a, 'q>(aggregate: &'q Aggregate) -> Vec<Accumulator<'a, 'q>> {
    aggregate.metrics.iter().map(|(_, metric)| Accumulator::new(metric)).collect()
}

fn compare_rows(order: &[(usize, Direction)], one: &Row<'_>, two: &Row<'_>) -> Ordering {
    let by_column = order
        .iter()
        .map(|(column, direction)| direction.apply(one.get(*column).cmp(&two.get(*column))));
    by_column.into_iter().find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

fn write_rows<'a>(aggregate: &Aggregate, rows: impl Iterator<Item = Row<'a>>) -> Result<Vec<Json>> {
    let names: Vec<Json> = aggregate.columns().map(Json::from).collect();
    let mut written = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let members = names.iter().zip(&row);
        let members: Vec<String> =
            members.map(|(name, value)| format!("{name}:{}", value.text())).collect();
        let text = format!("{{{}}}", members.join(","));
        bytes += text.len();
        check_bytes(bytes)?;
        written.push(Json::trusted(text));
    }
    Ok(written)
}

fn check_bytes(bytes: usize) -> Result<()> {
    match bytes > GROUP_BYTES_MAX {
        true => Err(invalid(format!(
            "the groups take more than {GROUP_BYTES_MAX} bytes; narrow the filter, or group by less"
        ))),
        false => Ok(()),
    }
}

fn parse_path(path: &str) -> Result<Path> {
    Path::parse(path).map_err(|reason| invalid(reason.to_string()))
}
