//! Choosing how to answer a query: by estimated cost, among the primary key, every index, and the
//! union of look-ups that a top-level `$or` is.
//!
//! # Costs
//!
//! A cost is what reading one key takes, times so much. Keys are counted, not guessed: the ranges of
//! all candidates are walked side by side, each twice as far as before, until one is known to be
//! cheaper than what the others have come to. So planning costs a small part of the cheapest plan,
//! and needs no statistics that could be out of date. What is guessed is only how many documents a
//! part of the filter lets through that no index serves.
//!
//! The choice is a function of the snapshot and the query alone, and so are results: the same,
//! whatever is chosen.

mod bounds;
mod candidate;
mod count;
mod reason;

pub(super) use bounds::Reading;
pub(super) use candidate::Candidate;

use super::{Query, Source, access::Access};
use crate::{
    error::{IndexError, Result},
    filter::{Conjunct, Filter},
    snapshot::{Collection, Index},
};
use candidate::Needs;

/// How a query will be answered.
pub(super) struct Plan<'a> {
    /// Where its documents are read.
    pub(super) access: Access<'a>,
    /// What has to be tested of each; none when the access leaves nothing to test.
    pub(super) residual: Option<Filter>,
    /// The documents themselves are read, not only their keys.
    pub(super) reads_documents: bool,
    /// They come in the query's order.
    pub(super) is_ordered: bool,
    /// Everything that was considered, the chosen one among it.
    pub(super) candidates: Vec<Candidate<'a>>,
}

/// What a plan is to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Documents, in the query's order.
    Documents,
    /// Their number, or something else to which their order is all the same.
    Count,
}

impl Plan<'_> {
    /// No document can match.
    fn nothing() -> Self {
        Plan {
            access: Access::Nothing,
            residual: None,
            reads_documents: false,
            is_ordered: true,
            candidates: Vec::new(),
        }
    }
}

impl Query {
    /// Chooses a plan over what is committed; none where the collection does not exist.
    ///
    /// # Errors
    ///
    /// [`IndexError::Hint`] when the query's hint names no index or one that cannot serve it.
    pub(super) fn plan_over<'a>(
        &self,
        source: &'a dyn Source,
        purpose: Purpose,
    ) -> Result<Option<Plan<'a>>> {
        match source.base() {
            Some(base) => self.plan(base, purpose).map(Some),
            None => self.check_hint_is_there(&[]).map(|()| None),
        }
    }

    /// Chooses a plan over a collection.
    fn plan<'a>(&self, base: &'a Collection, purpose: Purpose) -> Result<Plan<'a>> {
        let conjuncts: Vec<Conjunct<'_>> = self.filter.conjuncts().collect();
        if conjuncts.iter().any(|conjunct| conjunct.admits_nothing()) {
            self.check_hint_is_there(base.indexes())?;
            return Ok(Plan::nothing());
        }
        let needs = Needs::new(self, base, purpose);
        let mut candidates = vec![Candidate::primary(&conjuncts, &needs)];
        let indexes = base.indexes().iter();
        candidates.extend(indexes.map(|index| Candidate::index(index, &conjuncts, &needs)));
        candidates.extend(Candidate::unions(base, &conjuncts, &needs));
        if let Some(hint) = &self.hint {
            candidates.retain(|candidate| candidate.is_named(hint));
            self.check_hint(hint, &candidates)?;
        }
        let chosen = count::cheapest(&mut candidates, base, &needs);
        let best = &candidates[chosen];
        let residual = best.residual(&conjuncts);
        let (mut access, is_ordered) = (best.access.clone(), best.reading.is_ok());
        if let Some(position) = self.after.as_ref().filter(|_| self.sort.is_by_id()) {
            access.begin_behind(position.id());
        }
        let reads_documents = residual.is_some() || purpose == Purpose::Documents;
        Ok(Plan { access, residual, reads_documents, is_ordered, candidates })
    }

    /// Where nothing is read a hint has nothing to serve, but it still names something: a mistyped
    /// one should not come to light with the first document.
    fn check_hint_is_there(&self, indexes: &[Index]) -> Result<()> {
        let is_there = |hint: &str| match hint {
            "_id" => true,
            "$or" => self.filter.conjuncts().any(|part| part.branches().is_some()),
            name => indexes.iter().any(|index| index.name().as_str() == name),
        };
        match &self.hint {
            Some(hint) if !is_there(hint) => refuse(hint, "there is no such index"),
            Some(_) | None => Ok(()),
        }
    }

    fn check_hint(&self, hint: &str, candidates: &[Candidate<'_>]) -> Result<()> {
        // A filter may have several `$or`s, and one that serves is enough.
        let mut reasons = Vec::new();
        for candidate in candidates {
            match &candidate.unusable {
                None => return Ok(()),
                Some(_) => reasons.extend(candidate.why_unusable(&self.sort)),
            }
        }
        match reasons.is_empty() {
            true => refuse(hint, "there is no such index"),
            false => refuse(hint, &reasons.join("; ")),
        }
    }
}

fn refuse(hint: &str, reason: &str) -> Result<()> {
    Err(IndexError::Hint { index: hint.to_owned(), reason: reason.to_owned() }.into())
}
