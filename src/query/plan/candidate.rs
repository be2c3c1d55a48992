//! One way to answer a query: what it reads, what is left to do, what it costs.

use super::{
    Purpose,
    bounds::{Bounds, Reading},
    count,
    reason::{Disorder, Unusable},
};
use crate::{
    document::{Direction, Path},
    filter::{Conjunct, Filter},
    query::{
        Query, Sort,
        access::{Access, Scan},
    },
    snapshot::{Collection, Index, IndexPath},
    sync::LazyLock,
};

/// What is read of a document besides its key, in keys.
const COST_DOCUMENT: u64 = 1;
/// What it costs to test a document's text, in keys.
const COST_TEST: u64 = 4;
/// What it costs to put a document in its place in an order, in keys.
const COST_SORT: u64 = 3;
/// One document in so many is thought to pass what no index serves.
const PASSES_ONE_IN: u64 = 3;

/// What the map of documents is ordered by.
static PRIMARY: LazyLock<[IndexPath; 1]> = LazyLock::new(|| {
    let path = Path::parse("_id").expect("_id is a path");
    [IndexPath { path, direction: Direction::Ascending }]
});

/// What a plan has to achieve.
pub(super) struct Needs<'q> {
    pub(super) query: &'q Query,
    pub(super) purpose: Purpose,
    /// Documents of the collection.
    pub(super) documents: u64,
}

/// One way to answer a query.
pub(in crate::query) struct Candidate<'a> {
    /// `_id`, the index's name, or `$or`.
    pub(in crate::query) name: &'a str,
    index: Option<&'a Index>,
    pub(in crate::query) access: Access<'a>,
    /// How it gives the query's order, or why it does not.
    pub(in crate::query) reading: Result<Reading, Disorder>,
    /// Why it cannot be taken at all.
    pub(in crate::query) unusable: Option<Unusable>,
    /// How many of its paths the filter bounds.
    pub(in crate::query) bounded: usize,
    /// Parts of the filter that bound it.
    pub(in crate::query) used: Vec<usize>,
    /// Parts of the filter that need no test.
    served: Vec<usize>,
    /// How many parts it has.
    parts: usize,
    /// Keys in its ranges, as far as they were counted.
    pub(in crate::query) keys: u64,
    /// They were counted to the end.
    pub(in crate::query) is_counted: bool,
    /// See the planner's document.
    pub(in crate::query) cost: u64,
    pub(in crate::query) is_chosen: bool,
}

impl<'q> Needs<'q> {
    pub(super) fn new(query: &'q Query, base: &Collection, purpose: Purpose) -> Needs<'q> {
        Needs { query, purpose, documents: base.count() as u64 }
    }

    /// As many documents as will be taken, where that is known before.
    pub(super) fn limit(&self) -> Option<u64> {
        match self.purpose {
            Purpose::Documents => self.query.consumption().map(|limit| limit as u64),
            Purpose::Count => None,
        }
    }
}

impl<'a> Candidate<'a> {
    /// The map of documents, which is ordered by id.
    pub(super) fn primary(conjuncts: &[Conjunct<'_>], needs: &Needs<'_>) -> Candidate<'a> {
        let paths = &*PRIMARY;
        let bounds = Bounds::of(paths, conjuncts, |_| false);
        let sort = &needs.query.sort;
        let reading = match (sort.parts.is_empty(), bounds.order(paths, sort)) {
            (true, _) => Ok(Reading::Straight(Direction::Ascending)),
            (false, reading) => reading,
        };
        let access = |scan| Access::Primary(scan);
        let mut primary = Candidate::new("_id", bounds, reading, access, conjuncts.len());
        primary.know_whole(needs.documents);
        primary
    }

    /// An index.
    pub(super) fn index(
        index: &'a Index,
        conjuncts: &[Conjunct<'_>],
        needs: &Needs<'_>,
    ) -> Candidate<'a> {
        let definition = index.definition();
        let paths = &definition.paths;
        let mut bounds = Bounds::of(paths, conjuncts, |place| index.has_arrays_at(place));
        let reading = match index.is_multikey() {
            true => Err(Disorder::Multikey),
            false => bounds.order(paths, &needs.query.sort),
        };
        let mut unusable = None;
        if let Some(filter) = &definition.filter {
            match implied(filter, conjuncts) {
                Some(equal) => bounds.served.extend(equal),
                None => unusable = Some(Unusable::NotImplied),
            }
        }
        if bounds.bounded == 0 && definition.filter.is_none() && unusable.is_none() {
            let is_of_use = reading.is_ok() && needs.purpose == Purpose::Documents;
            unusable = (!is_of_use).then_some(Unusable::Unbounded);
        }
        let access = |scan| Access::Index(index, scan);
        let name = index.name().as_str();
        let mut candidate = Candidate::new(name, bounds, reading, access, conjuncts.len());
        candidate.index = Some(index);
        candidate.unusable = unusable;
        candidate.know_whole(index.len() as u64);
        candidate
    }

    /// For each `$or` among the parts, the union of look-ups for its branches.
    pub(super) fn unions(
        base: &'a Collection,
        conjuncts: &[Conjunct<'_>],
        needs: &Needs<'_>,
    ) -> Vec<Candidate<'a>> {
        let unions = conjuncts.iter().enumerate().filter_map(|(place, conjunct)| {
            let branches = conjunct.branches()?;
            let parts: Result<Vec<_>, String> =
                branches.iter().map(|branch| look_up(base, branch)).collect();
            let (unusable, parts) = match parts {
                Ok(parts) => (None, parts),
                Err(reason) => (Some(Unusable::Branch(reason)), Vec::new()),
            };
            let is_exact = parts.iter().all(|(_, is_exact)| *is_exact);
            let sorted = match needs.purpose {
                Purpose::Count => Ok(Reading::Straight(Direction::Ascending)),
                Purpose::Documents => Err(Disorder::Union),
            };
            Some(Candidate {
                name: "$or",
                index: None,
                access: Access::Union(parts.into_iter().map(|(access, _)| access).collect()),
                reading: sorted,
                unusable,
                bounded: 1,
                used: Vec::new(),
                served: is_exact.then_some(place).into_iter().collect(),
                parts: conjuncts.len(),
                keys: 0,
                is_counted: false,
                cost: 0,
                is_chosen: false,
            })
        });
        unions.collect()
    }

    fn new(
        name: &'a str,
        bounds: Bounds,
        reading: Result<Reading, Disorder>,
        access: impl FnOnce(Scan) -> Access<'a>,
        parts: usize,
    ) -> Candidate<'a> {
        let is_empty = bounds.ranges.is_empty();
        let scan = Scan {
            ranges: bounds.ranges,
            reading: reading.unwrap_or(Reading::Straight(Direction::Ascending)),
        };
        Candidate {
            name,
            index: None,
            access: if is_empty { Access::Nothing } else { access(scan) },
            reading: if is_empty { Ok(Reading::Straight(Direction::Ascending)) } else { reading },
            unusable: None,
            bounded: bounds.bounded,
            used: bounds.used,
            served: bounds.served,
            parts,
            keys: 0,
            is_counted: is_empty,
            cost: 0,
            is_chosen: false,
        }
    }

    /// Where all keys are read there is nothing to count.
    fn know_whole(&mut self, keys: u64) {
        let (Access::Primary(scan) | Access::Index(_, scan)) = &self.access else { return };
        if scan.is_whole() {
            self.know(keys);
        }
    }

    /// It reads so many keys and no more.
    pub(super) fn know(&mut self, keys: u64) {
        (self.keys, self.is_counted) = (keys, true);
    }

    /// True when a hint means this one.
    pub(super) fn is_named(&self, hint: &str) -> bool {
        self.name == hint
    }

    /// Why it cannot be taken; none when it can.
    pub(in crate::query) fn why_unusable(&self, sort: &Sort) -> Option<String> {
        Some(match self.unusable.as_ref()? {
            Unusable::Branch(reason) => reason.clone(),
            Unusable::NotImplied => {
                let filter = self.index.and_then(|index| index.definition().filter.as_ref());
                let filter = filter.map(ToString::to_string).unwrap_or_default();
                format!(
                    "it holds only documents that match {filter}, which the filter does not imply"
                )
            }
            Unusable::Unbounded => {
                let first = self.paths().first();
                let first = first.map(|part| part.path.to_string()).unwrap_or_default();
                match self.why_unordered(sort) {
                    None => format!("the filter does not bound {first}"),
                    Some(order) => {
                        format!("the filter does not bound {first}, and it gives no order: {order}")
                    }
                }
            }
        })
    }

    /// Why it does not give an order; none when it does.
    pub(in crate::query) fn why_unordered(&self, sort: &Sort) -> Option<String> {
        self.reading.err().map(|disorder| disorder.text(self.paths(), sort))
    }

    fn paths(&self) -> &[IndexPath] {
        self.index.map_or(&*PRIMARY, |index| &index.definition().paths)
    }

    /// What has to be tested of the documents read.
    pub(super) fn residual(&self, conjuncts: &[Conjunct<'_>]) -> Option<Filter> {
        let open = conjuncts.iter().enumerate().filter(|(place, _)| !self.served.contains(place));
        let open: Vec<Filter> = open.map(|(_, conjunct)| conjunct.to_filter()).collect();
        (!open.is_empty()).then(|| Filter::all_of(open))
    }

    /// True when every document read matches.
    pub(in crate::query) fn is_exact(&self) -> bool {
        (0..self.parts).all(|place| self.served.contains(&place))
    }

    /// True when it gives no order at all, whatever is asked for.
    pub(in crate::query) fn is_unordered(&self) -> bool {
        match &self.access {
            Access::Union(_) => true,
            Access::Index(index, _) => index.is_multikey(),
            Access::Nothing | Access::Primary(_) => false,
        }
    }

    /// As many keys as are worth counting: more are never read.
    pub(super) fn keys_wanted(&self, needs: &Needs<'_>) -> Option<u64> {
        needs.limit().filter(|_| self.reading.is_ok() && self.is_exact())
    }

    /// What it costs with so many keys; `matches` is at least as many as there are.
    pub(super) fn estimate(&self, keys: u64, needs: &Needs<'_>, matches: u64) -> u64 {
        let is_tested = !self.is_exact();
        let is_ordered = self.reading.is_ok() || needs.purpose == Purpose::Count;
        let mut read = keys;
        if let Some(limit) = needs.limit().filter(|_| is_ordered) {
            let wanted = match is_tested {
                true => limit.saturating_mul(keys) / (matches / PASSES_ONE_IN).max(1),
                false => limit,
            };
            read = read.min(wanted.max(limit));
        }
        let for_each = match (is_tested, needs.purpose) {
            (true, _) => COST_DOCUMENT + COST_TEST,
            (false, Purpose::Documents) => COST_DOCUMENT,
            (false, Purpose::Count) => 0,
        };
        let sorted = if is_tested { read / PASSES_ONE_IN } else { read };
        let sort = if is_ordered { 0 } else { sorted * COST_SORT };
        read + read * for_each + sort
    }
}

/// The parts of the filter that a partial index makes needless; none when the filter does not imply
/// the index's own.
fn implied(of_index: &Filter, conjuncts: &[Conjunct<'_>]) -> Option<Vec<usize>> {
    let mut equal = Vec::new();
    for wanted in of_index.conjuncts() {
        equal.extend(conjuncts.iter().position(|part| part.is_same(&wanted)));
        if !conjuncts.iter().any(|part| part.implies(&wanted)) {
            return None;
        }
    }
    Some(equal)
}

/// The cheapest look-up for a branch of an `$or`, and whether what it finds needs no test; an error
/// says that nothing but all documents would serve.
fn look_up<'a>(base: &'a Collection, branch: &Filter) -> Result<(Access<'a>, bool), String> {
    let query = Query::new(branch.clone());
    let needs = Needs::new(&query, base, Purpose::Count);
    let conjuncts: Vec<Conjunct<'_>> = branch.conjuncts().collect();
    let mut candidates = vec![Candidate::primary(&conjuncts, &needs)];
    let indexes = base.indexes().iter();
    candidates.extend(indexes.map(|index| Candidate::index(index, &conjuncts, &needs)));
    candidates.retain(|candidate| candidate.unusable.is_none() && candidate.bounded > 0);
    if candidates.is_empty() {
        return Err(no_look_up(branch, &conjuncts));
    }
    let chosen = count::cheapest(&mut candidates, base, &needs);
    let best = candidates.swap_remove(chosen);
    let is_exact = best.is_exact();
    Ok((best.access, is_exact))
}

/// Why a branch of an `$or` cannot be looked up, and what would change that.
fn no_look_up(branch: &Filter, conjuncts: &[Conjunct<'_>]) -> String {
    let mut helpful = conjuncts.iter().filter(|part| part.admitted().is_some());
    match helpful.find_map(|part| part.path()) {
        Some(path) => format!("no index bounds its branch {branch}: one on ({path}) would"),
        None => format!("no index can bound its branch {branch}"),
    }
}
