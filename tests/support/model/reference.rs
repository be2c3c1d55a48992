//! The model: states as plain maps, a transaction's writes as a plain map over one, and the rules
//! for what a read rests on, written down once more and as simply as they can be.

use std::collections::BTreeMap;

use super::operation::{Content, Filter, Find, IDS, Operation, Place, Sort};

/// One version of the database.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) collections: BTreeMap<usize, Collection>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Collection {
    /// The version that made it.
    pub(crate) created: u64,
    pub(crate) documents: BTreeMap<usize, Stored>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stored {
    /// Zero for an own write.
    pub(crate) version: u64,
    pub(crate) content: Content,
}

/// A transaction's own writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes(pub BTreeMap<Place, Own>);

#[derive(Debug, Clone)]
pub(crate) enum Own {
    Put(Content),
    Delete,
    /// Not looked at yet.
    Updates(Vec<Update>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Update {
    Increment(i64),
    SetGroup(i64),
}

/// What an operation answers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Documents(Vec<(usize, Stored)>),
    Count(usize),
    WasThere(bool),
    Done,
    Refused(&'static str),
}

/// What a transaction rests on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Dependency {
    /// A document, with the version that was seen.
    Document(Place, Option<u64>),
    /// What matches in a collection.
    Predicate(Predicate),
    /// The collection is written, and was created by this version.
    Created(usize, u64),
}

/// A set of documents that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Predicate {
    pub(crate) collection: usize,
    pub(crate) filter: Filter,
    /// The last document that a limited query consumed.
    pub(crate) boundary: Option<(Sort, usize, Content)>,
    /// Only this document of the set.
    pub(crate) only: Option<usize>,
}

impl State {
    pub(crate) fn get(&self, (collection, id): Place) -> Option<Stored> {
        self.collections.get(&collection)?.documents.get(&id).copied()
    }

    pub(crate) fn version_of(&self, place: Place) -> Option<u64> {
        self.get(place).map(|stored| stored.version)
    }

    /// The state with writes over it, and whether they change anything; none when an update meets
    /// no document.
    pub(crate) fn apply(&self, writes: &Writes, version: u64) -> Option<(State, bool)> {
        let mut next = self.clone();
        let mut changed = false;
        for (&(collection, id), own) in &writes.0 {
            let before = self.get((collection, id));
            let after = own.over(before);
            if matches!(own, Own::Updates(_)) && before.is_none() {
                return None;
            }
            if before.map(|b| b.content) == after.map(|a| a.content) {
                continue;
            }
            changed = true;
            let target = next.collections.entry(collection).or_default();
            if target.created == 0 {
                target.created = version;
            }
            match after {
                Some(Stored { content, .. }) => {
                    target.documents.insert(id, Stored { version, content })
                }
                None => target.documents.remove(&id),
            };
        }
        Some((next, changed))
    }

    fn view(&self, writes: &Writes, collection: usize) -> Vec<(usize, Stored)> {
        let seen = |id| Some((id, writes.over(self, (collection, id))?));
        (0..IDS.len()).filter_map(seen).collect()
    }
}

impl Own {
    fn over(&self, stored: Option<Stored>) -> Option<Stored> {
        match self {
            Own::Put(content) => Some(Stored { version: 0, content: *content }),
            Own::Delete => None,
            Own::Updates(updates) => stored.map(|Stored { content, .. }| Stored {
                version: 0,
                content: updates.iter().fold(content, |content, update| update.apply(content)),
            }),
        }
    }
}

impl Update {
    pub(crate) fn apply(self, content: Content) -> Content {
        match self {
            Update::Increment(by) => {
                Content { number: Some(content.number.unwrap_or(0) + by), ..content }
            }
            Update::SetGroup(group) => Content { group, ..content },
        }
    }
}

impl Writes {
    pub(crate) fn over(&self, state: &State, place: Place) -> Option<Stored> {
        let stored = state.get(place);
        self.0.get(&place).map_or(stored, |own| own.over(stored))
    }

    /// Runs an operation over a state and says what it rests on. Savepoints are the caller's.
    pub(crate) fn run(
        &mut self,
        state: &State,
        operation: &Operation,
    ) -> (Answer, Vec<Dependency>) {
        match operation {
            Operation::Get(place) => {
                let rests = self.look(state, *place);
                (one(place.1, self.over(state, *place)), rests)
            }
            Operation::SnapshotRead(place) => (one(place.1, self.over(state, *place)), Vec::new()),
            Operation::Find(collection, find) => self.find(state, *collection, find),
            Operation::Count(collection, filter) => {
                let mut rests = self.look_at_updates(state, *collection);
                rests.push(Dependency::whole(*collection, *filter));
                let all = self.view(state, *collection);
                let matching = all.iter().filter(|(id, doc)| filter.matches(*id, doc.content));
                (Answer::Count(matching.count()), rests)
            }
            Operation::Insert(place, content) => {
                let rests = self.look(state, *place);
                let there = self.over(state, *place).is_some();
                (self.put_if(!there, *place, *content, "already-exists"), rests)
            }
            Operation::Replace(place, content) => {
                let rests = self.look(state, *place);
                let there = self.over(state, *place).is_some();
                (self.put_if(there, *place, *content, "not-found"), rests)
            }
            Operation::Put(place, content) => {
                (self.put_if(true, *place, *content, "not-found"), Vec::new())
            }
            Operation::Delete(place) => {
                let rests = self.look(state, *place);
                let there = self.over(state, *place).is_some();
                if there {
                    self.0.insert(*place, Own::Delete);
                }
                (Answer::WasThere(there), rests)
            }
            Operation::Merge(place, number) => {
                let rests = self.look(state, *place);
                let before = self.over(state, *place).map(|stored| stored.content);
                let merged = before.map(|content| Content { number: *number, ..content });
                let unused = Content { group: 0, number: None };
                let merged = merged.unwrap_or(unused);
                (self.put_if(before.is_some(), *place, merged, "not-found"), rests)
            }
            Operation::Increment(place, by) => {
                (self.update(*place, Update::Increment(*by)), vec![])
            }
            Operation::SetGroup(place, to) => (self.update(*place, Update::SetGroup(*to)), vec![]),
            Operation::Savepoint | Operation::RollbackTo(_) | Operation::Release(_) => {
                unreachable!("savepoints are the caller's")
            }
        }
    }

    fn find(&mut self, state: &State, collection: usize, find: &Find) -> (Answer, Vec<Dependency>) {
        if find.limit == Some(0) {
            return (Answer::Documents(Vec::new()), Vec::new());
        }
        let whole = Dependency::whole(collection, find.filter);
        let mut rests = match find.filter.pinned() {
            None => self.look_at_updates(state, collection),
            Some(id) => {
                let stored = state.get((collection, id));
                let unwritten = !self.0.contains_key(&(collection, id));
                let matches = stored.is_some_and(|doc| find.filter.matches(id, doc.content));
                match unwritten && !matches {
                    true => vec![whole.clone()],
                    false => self.look(state, (collection, id)),
                }
            }
        };
        let mut found = self.view(state, collection);
        found.retain(|(id, document)| find.filter.matches(*id, document.content));
        found.sort_by(|a, b| find.sort.compare((a.0, a.1.content), (b.0, b.1.content)));
        let taken = find.limit.map_or(usize::MAX, |limit| limit + find.offset);
        let reached = found.len() >= taken;
        found.truncate(taken);
        if find.filter.pinned().is_none() {
            let boundary = found.last().filter(|_| reached);
            let boundary = boundary.map(|(id, last)| (find.sort, *id, last.content));
            let (filter, only) = (find.filter, None);
            rests.push(Dependency::Predicate(Predicate { collection, filter, boundary, only }));
        }
        (Answer::Documents(found.into_iter().skip(find.offset).collect()), rests)
    }

    fn view(&self, state: &State, collection: usize) -> Vec<(usize, Stored)> {
        state.view(self, collection)
    }

    /// Looking at a document rests on what is stored, unless an own write has decided it. Updates
    /// that waited are settled by it.
    fn look(&mut self, state: &State, place: Place) -> Vec<Dependency> {
        match self.0.get(&place) {
            Some(Own::Put(_) | Own::Delete) => return Vec::new(),
            Some(Own::Updates(_)) => {
                if let Some(settled) = self.over(state, place) {
                    self.0.insert(place, Own::Put(settled.content));
                }
            }
            None => {}
        }
        vec![Dependency::Document(place, state.version_of(place))]
    }

    fn look_at_updates(&mut self, state: &State, collection: usize) -> Vec<Dependency> {
        let places = (0..IDS.len()).map(|id| (collection, id));
        let waiting: Vec<Place> =
            places.filter(|p| matches!(self.0.get(p), Some(Own::Updates(_)))).collect();
        waiting.into_iter().flat_map(|place| self.look(state, place)).collect()
    }

    fn put_if(&mut self, fits: bool, place: Place, to: Content, code: &'static str) -> Answer {
        if !fits {
            return Answer::Refused(code);
        }
        self.0.insert(place, Own::Put(to));
        Answer::Done
    }

    fn update(&mut self, place: Place, update: Update) -> Answer {
        match self.0.entry(place).or_insert_with(|| Own::Updates(Vec::new())) {
            Own::Put(content) => *content = update.apply(*content),
            Own::Updates(updates) => updates.push(update),
            Own::Delete => return Answer::Refused("not-found"),
        }
        Answer::Done
    }
}

impl Dependency {
    /// True when a later state has overtaken it.
    pub(crate) fn is_overtaken(&self, from: &State, to: &State) -> bool {
        match self {
            Dependency::Document(place, version) => to.version_of(*place) != *version,
            Dependency::Created(collection, created) => {
                to.collections.get(collection).is_none_or(|now| now.created != *created)
            }
            Dependency::Predicate(predicate) => (0..IDS.len()).any(|id| {
                let [old, new] = [from, to].map(|state| state.get((predicate.collection, id)));
                let changed = old.map(|doc| doc.version) != new.map(|doc| doc.version);
                let contents = [old, new].into_iter().flatten().map(|doc| doc.content);
                changed && contents.into_iter().any(|content| predicate.holds(id, content))
            }),
        }
    }

    fn whole(collection: usize, filter: Filter) -> Dependency {
        Dependency::Predicate(Predicate { collection, filter, boundary: None, only: None })
    }
}

impl Predicate {
    fn holds(&self, id: usize, content: Content) -> bool {
        self.only.is_none_or(|only| only == id)
            && self.filter.matches(id, content)
            && self
                .boundary
                .is_none_or(|(sort, last, at)| sort.compare((id, content), (last, at)).is_le())
    }
}

fn one(id: usize, found: Option<Stored>) -> Answer {
    Answer::Documents(found.map(|stored| (id, stored)).into_iter().collect())
}
