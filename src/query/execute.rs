//! Answering a query by a walk over the documents.

use super::{Predicate, Query, SortKey, invalid};
use crate::{
    document::Document, error::Result, filter::Filter, limits, names::DocumentId,
    snapshot::Collection, sync::Arc,
};

/// Documents to ask: a collection, or a view of one.
pub trait Source {
    /// One document.
    fn get(&self, id: &str) -> Option<(DocumentId, Arc<Document>)>;

    /// All documents in the order of their ids.
    fn documents(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_>;

    /// How many documents there are.
    fn count(&self) -> usize {
        self.documents().count()
    }
}

/// The answer to a query and what it rests on.
#[derive(Debug)]
pub struct Matches {
    /// The documents, in the query's order.
    pub documents: Vec<(DocumentId, Arc<Document>)>,
    /// The set of documents whose change would change the answer.
    pub predicate: Predicate,
}

type Found<'a> = (&'a DocumentId, &'a Arc<Document>);

impl Query {
    /// Answers the query.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidQuery`](crate::Error::InvalidQuery) when a sort would hold more than
    /// [`limits::SORT_BYTES_MAX`] in memory, or the filter is not one.
    ///
    /// # Complexity
    ///
    /// O(log documents) when the filter pins `_id`; else O(documents), plus a sort of the matches
    /// where the order is not that of ids.
    pub fn execute(&self, source: &dyn Source) -> Result<Matches> {
        self.check()?;
        if let Some(position) = &self.after {
            return self.execute_behind(position, source);
        }
        if let Some(id) = self.filter.id_equality() {
            return Ok(self.point(source, &id));
        }
        let found = if self.sort.is_by_id() {
            self.first_by_id(source)
        } else {
            self.first_by_sort(source)?
        };
        Ok(self.answer(&found))
    }

    /// How many documents match, limit and offset aside.
    ///
    /// # Errors
    ///
    /// When the filter is not one.
    ///
    /// # Complexity
    ///
    /// O(1) when the filter is [`Filter::all`](crate::Filter::all); else O(documents).
    pub fn count(&self, source: &dyn Source) -> Result<usize> {
        self.check()?;
        if self.filter == Filter::all() {
            return Ok(source.count());
        }
        Ok(source.documents().filter(|(_, document)| self.filter.matches(document)).count())
    }

    /// At most one document can match, whatever the order.
    fn point(&self, source: &dyn Source, id: &str) -> Matches {
        let found = source.get(id).filter(|(_, document)| self.filter.matches(document));
        let kept = self.offset == 0 && self.limit != Some(0);
        Matches {
            documents: found.into_iter().filter(|_| kept).collect(),
            predicate: Predicate::whole(self.filter.clone()),
        }
    }

    fn first_by_id<'a>(&self, source: &'a dyn Source) -> Vec<Found<'a>> {
        let matching = source.documents().filter(|(_, document)| self.filter.matches(document));
        matching.take(self.consumption().unwrap_or(usize::MAX)).collect()
    }

    fn first_by_sort<'a>(&self, source: &'a dyn Source) -> Result<Vec<Found<'a>>> {
        let mut bytes = 0;
        let mut matching: Vec<(SortKey<'a>, Found<'a>)> = Vec::new();
        for found in source.documents().filter(|(_, document)| self.filter.matches(document)) {
            bytes += found.1.json().len();
            if bytes > limits::SORT_BYTES_MAX {
                return Err(invalid(format!(
                    "the sort would hold more than {} bytes of documents; narrow the filter",
                    limits::SORT_BYTES_MAX
                )));
            }
            matching.push((self.sort.key(found.1), found));
        }
        matching.sort_unstable_by(|(one, found_one), (two, found_two)| {
            self.sort.compare(one, two).then_with(|| found_one.0.cmp(found_two.0))
        });
        matching.truncate(self.consumption().unwrap_or(usize::MAX));
        Ok(matching.into_iter().map(|(_, found)| found).collect())
    }

    /// `found` are the matches consumed: all of them, or as many as offset and limit take.
    fn answer(&self, found: &[Found<'_>]) -> Matches {
        let complete = self.consumption().is_none_or(|consumption| found.len() < consumption);
        let predicate = match found.last() {
            Some((id, last)) if !complete => {
                Predicate::up_to(self.filter.clone(), self.sort.clone(), last, (*id).clone())
            }
            Some(_) | None => Predicate::whole(self.filter.clone()),
        };
        let returned = found.iter().skip(self.offset);
        Matches {
            documents: returned.map(|(id, doc)| ((*id).clone(), Arc::clone(doc))).collect(),
            predicate,
        }
    }
}

impl Source for Collection {
    fn get(&self, id: &str) -> Option<(DocumentId, Arc<Document>)> {
        let (id, document) = self.get_key_value(id)?;
        Some((id.clone(), Arc::clone(document)))
    }

    fn documents(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_> {
        Box::new(Collection::documents(self))
    }

    fn count(&self) -> usize {
        Collection::count(self)
    }
}

/// The source that a collection which does not exist is.
pub(crate) struct Nothing;

impl Source for Nothing {
    fn get(&self, _id: &str) -> Option<(DocumentId, Arc<Document>)> {
        None
    }

    fn documents(&self) -> Box<dyn Iterator<Item = (&DocumentId, &Arc<Document>)> + '_> {
        Box::new(std::iter::empty())
    }
}
