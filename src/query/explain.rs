//! What the planner chose and why, and what the answer took.
//!
//! The plan is a tree: each stage works on what its input gives. Reasons are sentences that tell what
//! to change.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Query, Source,
    access::{Access, Examined, Scan},
    plan::{Candidate, Plan, Purpose, Reading},
};
use crate::{
    document::Direction,
    error::Result,
    filter::{Conjunct, Filter},
    sync::Clock,
};

/// How a query was answered.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// The stages, from the last to the first.
    pub plan: Stage,
    /// Everything that was considered.
    pub candidates: Vec<Considered>,
    /// Keys that were read. Where ties are in the way of reading an index backwards, a further look
    /// for each distinct value finds where its entries begin; those are not counted.
    pub keys_examined: u64,
    /// Documents that were read, be it to test or to return them.
    pub documents_examined: u64,
    /// Documents of the answer; for a count, what was counted.
    pub documents_returned: u64,
    /// How long planning and answering took, in microseconds.
    pub time_us: u64,
}

/// One stage of a plan.
#[derive(Debug, Default, Serialize)]
pub struct Stage {
    /// What it does: `limit`, `sort`, `filter`, `union`, `index`, `primary`, `all documents`,
    /// `point`, `nothing`, `count`.
    pub stage: &'static str,
    /// The index that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// `backwards` where it is read from its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    /// In how many ranges of keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<usize>,
    /// What is tested of each document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Box<RawValue>>,
    /// The order that is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// How many documents go on at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How many are skipped before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// Where this stage's documents come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<Stage>,
}

/// A way to answer the query that was considered.
#[derive(Debug, Serialize)]
pub struct Considered {
    /// The index, `_id` for the documents themselves, `$or` for a union of look-ups.
    pub index: String,
    /// It was taken.
    pub chosen: bool,
    /// What it costs by estimate, in reads of a key; at least, when it was given up before it was
    /// counted to the end. None when it cannot be taken.
    pub cost: Option<u64>,
    /// Why it was taken or not.
    pub reason: String,
}

impl Query {
    /// Answers the query and tells how. The answer itself is thrown away.
    ///
    /// # Errors
    ///
    /// As [`Query::execute`].
    pub fn explain(&self, source: &dyn Source) -> Result<Explanation> {
        self.explain_for(source, Purpose::Documents)
    }

    /// Counts what matches and tells how.
    ///
    /// # Errors
    ///
    /// As [`Query::count`].
    pub fn explain_count(&self, source: &dyn Source) -> Result<Explanation> {
        self.explain_for(source, Purpose::Count)
    }

    fn explain_for(&self, source: &dyn Source, purpose: Purpose) -> Result<Explanation> {
        self.check()?;
        let begun = Clock::instant();
        if let (Some(id), None) = (self.filter.id_equality(), &self.hint) {
            return Ok(self.explain_point(source, &id, begun));
        }
        let plan = self.plan_over(source, purpose)?;
        let examined = Examined::of(self);
        let returned = match (purpose, &plan, source.base()) {
            (Purpose::Count, Some(plan), Some(base)) => {
                self.count_stored(source, base, plan, &examined)
            }
            _ => self.run(source, plan.as_ref(), &examined)?.len().saturating_sub(self.offset),
        };
        examined.deadline.check()?;
        let time = Clock::instant() - begun;
        let considered = plan.iter().flat_map(|plan| &plan.candidates);
        Ok(Explanation {
            plan: self.stages(plan.as_ref(), purpose),
            candidates: considered.map(|candidate| self.considered(candidate, purpose)).collect(),
            keys_examined: examined.keys.get(),
            documents_examined: examined.documents.get(),
            documents_returned: returned as u64,
            time_us: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        })
    }

    fn explain_point(
        &self,
        source: &dyn Source,
        id: &str,
        begun: std::time::Instant,
    ) -> Explanation {
        let found = source.get(id);
        let examined = u64::from(found.is_some());
        let returned = found.filter(|(_, document)| self.filter.matches(document)).is_some();
        let time = Clock::instant() - begun;
        Explanation {
            plan: Stage { stage: "point", index: Some("_id".to_owned()), ..Stage::default() },
            candidates: vec![Considered {
                index: "_id".to_owned(),
                chosen: true,
                cost: Some(1),
                reason: "the filter names the one id that can match".to_owned(),
            }],
            keys_examined: examined,
            documents_examined: examined,
            documents_returned: u64::from(returned),
            time_us: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        }
    }

    fn stages(&self, plan: Option<&Plan<'_>>, purpose: Purpose) -> Stage {
        let Some(plan) = plan else { return Stage { stage: "nothing", ..Stage::default() } };
        let mut stage = access_stage(&plan.access);
        if let Some(filter) = &plan.residual {
            stage = Stage { filter: Some(json(filter)), ..stage.into_input("filter") };
        }
        if purpose == Purpose::Count {
            return stage.into_input("count");
        }
        if !plan.is_ordered {
            let sort = if self.sort.is_by_id() { "_id".to_owned() } else { self.sort.to_string() };
            stage = Stage { sort: Some(sort), ..stage.into_input("sort") };
        }
        if self.limit.is_some() || self.offset > 0 {
            let offset = Some(self.offset).filter(|offset| *offset > 0);
            stage = Stage { limit: self.limit, offset, ..stage.into_input("limit") };
        }
        stage
    }

    fn considered(&self, candidate: &Candidate<'_>, purpose: Purpose) -> Considered {
        let reason = match (candidate.why_unusable(&self.sort), candidate.is_chosen) {
            (Some(reason), _) => reason,
            (None, true) => self.why_chosen(candidate, purpose),
            (None, false) => self.why_not(candidate, purpose),
        };
        Considered {
            index: candidate.name.to_owned(),
            chosen: candidate.is_chosen,
            cost: candidate.unusable.is_none().then_some(candidate.cost),
            reason,
        }
    }

    fn why_chosen(&self, candidate: &Candidate<'_>, purpose: Purpose) -> String {
        let mut reason = match candidate.bounded {
            0 if candidate.name == "_id" => "reads every document".to_owned(),
            0 => "reads all of it".to_owned(),
            _ => format!("bounded by {}", self.bounding(candidate)),
        };
        reason.push_str(match candidate.is_exact() {
            true => ", nothing left to test",
            false => ", the rest of the filter is tested",
        });
        match (candidate.why_unordered(&self.sort), purpose) {
            (_, Purpose::Count) => {}
            (None, Purpose::Documents) => reason.push_str(", in the order asked for"),
            (Some(order), Purpose::Documents) if candidate.is_unordered() => {
                reason.push_str(&format!(", then sorted, since {order}"));
            }
            (Some(_), Purpose::Documents) => {
                reason.push_str(", then sorted");
                if !self.sort.is_by_id() {
                    reason.push_str(": an index on ");
                    reason.push_str(&self.fitting_index());
                    reason.push_str(" would give the order");
                }
            }
        }
        reason
    }

    fn why_not(&self, candidate: &Candidate<'_>, purpose: Purpose) -> String {
        let more = if candidate.is_counted { "" } else { " or more" };
        let mut reason = format!("dearer: reads {}{more} keys", candidate.keys);
        if candidate.bounded > 0 {
            reason.push_str(&format!(" bounded by {}", self.bounding(candidate)));
        }
        if !candidate.is_exact() {
            reason.push_str(" and tests each");
        }
        if let (Some(order), Purpose::Documents) = (candidate.why_unordered(&self.sort), purpose) {
            reason.push_str(&format!(", then sorts, since {order}"));
        }
        reason
    }

    /// The parts of the filter that bound a candidate.
    fn bounding(&self, candidate: &Candidate<'_>) -> String {
        let parts: Vec<Conjunct<'_>> = self.filter.conjuncts().collect();
        let used = candidate.used.iter().filter_map(|place| parts.get(*place));
        let texts: Vec<String> = used.map(|part| part.to_filter().to_string()).collect();
        match texts.is_empty() {
            true => "its branches".to_owned(),
            false => texts.join(" and "),
        }
    }

    /// The paths of the index that would serve both filter and order best.
    fn fitting_index(&self) -> String {
        let points = self.filter.conjuncts().filter(|part| part.is_point());
        let mut paths: Vec<String> = points
            .filter_map(|part| part.path())
            .filter(|path| path.as_str() != "_id")
            .map(ToString::to_string)
            .collect();
        paths.extend(self.sort.to_string().split(',').map(str::to_owned));
        format!("({})", paths.join(", "))
    }
}

impl Stage {
    fn into_input(self, stage: &'static str) -> Stage {
        Stage { stage, input: vec![self], ..Stage::default() }
    }
}

fn access_stage(access: &Access<'_>) -> Stage {
    let direction = |scan: &Scan| match scan.reading {
        Reading::Straight(Direction::Ascending) => None,
        Reading::Straight(Direction::Descending) | Reading::BackwardsByGroup => Some("backwards"),
    };
    match access {
        Access::Nothing => Stage { stage: "nothing", ..Stage::default() },
        Access::Primary(scan) if scan.is_whole() => {
            Stage { stage: "all documents", direction: direction(scan), ..Stage::default() }
        }
        Access::Primary(scan) => Stage {
            stage: "primary",
            index: Some("_id".to_owned()),
            direction: direction(scan),
            ranges: Some(scan.ranges.len()),
            ..Stage::default()
        },
        Access::Index(index, scan) => Stage {
            stage: "index",
            index: Some(index.name().to_string()),
            direction: direction(scan),
            ranges: Some(scan.ranges.len()),
            ..Stage::default()
        },
        Access::Union(parts) => Stage {
            stage: "union",
            input: parts.iter().map(access_stage).collect(),
            ..Stage::default()
        },
    }
}

fn json(filter: &Filter) -> Box<RawValue> {
    RawValue::from_string(filter.to_json()).expect("a filter prints as JSON")
}
