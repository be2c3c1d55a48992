//! Answering a query by its plan.
//!
//! What a transaction wrote itself is not in any index. It is asked apart, the committed documents
//! that it overwrites are left out, and the two are laid together in the query's order. So the same
//! plans serve inside a transaction and outside.

use super::{
    Predicate, Query,
    access::Examined,
    deadline::Deadline,
    plan::{Plan, Purpose},
    scan::{self, passes},
    source::{Found, Source, merge},
    top::Top,
};
use crate::{
    document::Document,
    error::{Error, Result},
    names::DocumentId,
    snapshot::Collection,
    sync::Arc,
};

/// The answer to a query and what it rests on.
#[derive(Debug)]
pub struct Matches {
    /// The documents, in the query's order.
    pub documents: Vec<(DocumentId, Arc<Document>)>,
    /// The set of documents whose change would change the answer.
    pub predicate: Predicate,
}

impl Query {
    /// Answers the query.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`] when a sort would hold more than it may
    /// in memory, or the filter is not one; [`Error::Index`] for a hint that
    /// cannot serve; [`Error::LimitExceeded`] when it takes longer than [`Query::within`] says.
    ///
    /// # Complexity
    ///
    /// O(log documents) when the filter pins `_id`. Else as the plan says: O(keys read) where an
    /// index serves filter and order, O(documents) where none does, plus O(matches × log limit)
    /// where the order is made.
    pub fn execute(&self, source: &dyn Source) -> Result<Matches> {
        let give = |documents, last: Option<&Found<'_>>| {
            let predicate = self.rests_on(last);
            Matches { documents, predicate }
        };
        self.answer(source, give)
    }

    /// Answers the query for whoever does not have to know what the answer rests on.
    ///
    /// # Errors
    ///
    /// As [`Query::execute`].
    ///
    /// # Complexity
    ///
    /// As [`Query::execute`].
    pub fn find(&self, source: &dyn Source) -> Result<Vec<(DocumentId, Arc<Document>)>> {
        self.answer(source, |documents, _| documents)
    }

    /// How many documents match, limit and offset aside.
    ///
    /// # Errors
    ///
    /// As [`Query::execute`].
    ///
    /// # Complexity
    ///
    /// O(1) without a filter, O(keys read) where an index serves all of it, else O(documents).
    pub fn count(&self, source: &dyn Source) -> Result<usize> {
        self.check()?;
        let own = source.own().filter(|(_, document)| self.filter.matches(document)).count();
        if self.filter.is_all() && source.is_committed() && self.hint.is_none() {
            return Ok(source.base().map_or(0, Collection::count));
        }
        let plan = self.plan_over(source, Purpose::Count)?;
        if let Some(work) = self.notes.get() {
            work.note_plan(plan.as_ref(), Purpose::Count);
        }
        let (Some(plan), Some(base)) = (plan, source.base()) else { return Ok(own) };
        let examined = Examined::of(self);
        let count = own + self.count_stored(source, base, &plan, &examined);
        examined.deadline.check()?;
        if let Some(work) = self.notes.get() {
            work.note_answer(&examined, count);
        }
        Ok(count)
    }

    pub(super) fn count_stored(
        &self,
        source: &dyn Source,
        base: &Collection,
        plan: &Plan<'_>,
        examined: &Examined,
    ) -> usize {
        plan.access.note_usage();
        let residual = plan.residual.as_ref();
        if plan.access.is_whole() && source.is_committed() && scan::is_large(base) {
            examined.add_whole(base, plan.reads_documents);
            let (front, back) =
                scan::halves(base, residual, &examined.deadline, |documents| documents.count());
            return front + back;
        }
        stored(source, base, plan, examined).count()
    }

    /// The matches that are consumed, those that the offset skips among them.
    pub(super) fn run<'a>(
        &self,
        source: &'a dyn Source,
        plan: Option<&'a Plan<'a>>,
        examined: &'a Examined,
    ) -> Result<Vec<Found<'a>>> {
        let own = source
            .own()
            .filter(|(id, document)| self.filter.matches(document) && self.is_behind(id, document));
        let (Some(plan), Some(base)) = (plan, source.base()) else {
            return self.put_in_order(own);
        };
        plan.access.note_usage();
        let is_from_start = source.is_committed() && self.after.is_none();
        if plan.access.is_whole() && is_from_start && scan::is_large(base) {
            let is_long = plan.is_ordered && self.consumption().is_none();
            if is_long || !plan.is_ordered {
                examined.add_whole(base, plan.reads_documents);
                return self.run_in_halves(base, plan, &examined.deadline);
            }
        }
        let stored = stored(source, base, plan, examined);
        let stored = stored.filter(|(id, document)| self.is_behind(id, document));
        match (plan.is_ordered, source.is_committed()) {
            (true, true) => Ok(stored.take(self.taken()).collect()),
            (true, false) => {
                let keyed = |found: Found<'a>| (self.sort.key(found.1), found);
                let own = self.put_in_order(own)?.into_iter().map(keyed);
                let all =
                    merge(stored.map(keyed), own, |(one, a), (two, b)| (one, a.0) < (two, b.0));
                Ok(all.map(|(_, found)| found).take(self.taken()).collect())
            }
            (false, _) => self.put_in_order(stored.chain(own)),
        }
    }

    fn run_in_halves<'a>(
        &self,
        base: &'a Collection,
        plan: &Plan<'a>,
        deadline: &Deadline,
    ) -> Result<Vec<Found<'a>>> {
        let residual = plan.residual.as_ref();
        if plan.is_ordered {
            let collect = |documents: &mut dyn Iterator<Item = Found<'a>>| documents.collect();
            let (mut found, back): (Vec<_>, Vec<_>) =
                scan::halves(base, residual, deadline, collect);
            found.extend(back.into_iter().rev());
            return Ok(found);
        }
        let (front, back) = scan::halves(base, residual, deadline, |documents| {
            let mut top = Top::new(self);
            for found in documents {
                top.offer(found)?;
            }
            Ok::<_, Error>(top)
        });
        let mut top: Top<'_, '_> = front?;
        top.merge(back?)?;
        Ok(top.finish())
    }

    fn put_in_order<'a>(&self, found: impl Iterator<Item = Found<'a>>) -> Result<Vec<Found<'a>>> {
        let mut top = Top::new(self);
        let mut found = found;
        found.try_for_each(|found| top.offer(found))?;
        Ok(top.finish())
    }

    /// As many matches as are consumed at most.
    fn taken(&self) -> usize {
        self.consumption().unwrap_or(usize::MAX)
    }

    /// At most one document can match, whatever the order.
    fn point(&self, source: &dyn Source, id: &str) -> Vec<(DocumentId, Arc<Document>)> {
        let found = source
            .get(id)
            .filter(|(id, document)| self.filter.matches(document) && self.is_behind(id, document));
        let kept = self.offset == 0 && self.limit != Some(0);
        let returned: Vec<_> = found.into_iter().filter(|_| kept).collect();
        if let Some(work) = self.notes.get() {
            work.note_point(source.get(id).is_some(), !returned.is_empty());
        }
        returned
    }

    /// The part of a set that the query goes on to.
    fn behind(&self, predicate: Predicate) -> Predicate {
        match &self.after {
            Some(position) => predicate.behind(self.sort.clone(), position.clone()),
            None => predicate,
        }
    }

    /// Gives the documents and, where more might have followed, the last one that was consumed.
    fn answer<R>(
        &self,
        source: &dyn Source,
        give: impl FnOnce(Vec<(DocumentId, Arc<Document>)>, Option<&Found<'_>>) -> R,
    ) -> Result<R> {
        self.check()?;
        if let (Some(id), None) = (self.filter.id_equality(), &self.hint) {
            return Ok(give(self.point(source, &id), None));
        }
        let plan = self.plan_over(source, Purpose::Documents)?;
        if let Some(work) = self.notes.get() {
            work.note_plan(plan.as_ref(), Purpose::Documents);
        }
        let examined = Examined::of(self);
        let found = self.run(source, plan.as_ref(), &examined)?;
        examined.deadline.check()?;
        let is_complete = self.consumption().is_none_or(|consumption| found.len() < consumption);
        let returned = found.iter().skip(self.offset);
        let documents: Vec<_> =
            returned.map(|(id, doc)| ((*id).clone(), Arc::clone(doc))).collect();
        if let Some(work) = self.notes.get() {
            work.note_answer(&examined, documents.len());
        }
        Ok(give(documents, found.last().filter(|_| !is_complete)))
    }

    /// The set of documents that decides the answer: all that match, or those up to the last one
    /// consumed.
    fn rests_on(&self, last: Option<&Found<'_>>) -> Predicate {
        self.behind(match last {
            Some((id, last)) => {
                Predicate::up_to(self.filter.clone(), self.sort.clone(), last, (*id).clone())
            }
            None => Predicate::whole(self.filter.clone()),
        })
    }
}

/// The committed documents that match and that the transaction did not write itself.
fn stored<'a>(
    source: &'a dyn Source,
    base: &'a Collection,
    plan: &'a Plan<'a>,
    examined: &'a Examined,
) -> impl Iterator<Item = Found<'a>> {
    let residual = plan.residual.as_ref();
    let is_committed = source.is_committed();
    plan.access.documents(base, examined).filter(move |(id, document)| {
        if !is_committed && source.overwrites(id) {
            return false;
        }
        if plan.reads_documents {
            examined.document();
        }
        passes(residual, document)
    })
}
