//! What a transaction can do, as data.

use std::cmp::Ordering;

use proptest::{collection::vec, option, prelude::*};

/// Few collections and few documents, so that transactions meet.
pub(crate) const COLLECTIONS: [&str; 2] = ["a", "b"];
pub(crate) const IDS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];

/// Transactions that may be open at once. The last of them run at snapshot isolation.
pub(crate) const SLOTS: usize = 5;
pub(crate) const SERIALIZABLE_SLOTS: usize = 3;

/// A document without its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) group: i64,
    pub(crate) number: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// An operation of a transaction, which begins where it has not.
    Operation(usize, Operation),
    Commit(usize),
    Rollback(usize),
    Create(usize),
    Drop(usize),
}

#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Get(Place),
    SnapshotRead(Place),
    Find(usize, Find),
    Count(usize, Filter),
    Insert(Place, Content),
    Replace(Place, Content),
    Put(Place, Content),
    Delete(Place),
    /// A merge patch of the number.
    Merge(Place, Option<i64>),
    /// `$inc` of the number: blind.
    Increment(Place, i64),
    /// `$set` of the group: blind.
    SetGroup(Place, i64),
    Savepoint,
    /// Back to one of the savepoints that are set.
    RollbackTo(usize),
    Release(usize),
}

/// A collection and an id.
pub(crate) type Place = (usize, usize);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Find {
    pub(crate) filter: Filter,
    pub(crate) sort: Sort,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Filter {
    All,
    Group(i64),
    NumberAtLeast(i64),
    GroupAndNumberBelow(i64, i64),
    Id(usize),
    IdAndGroup(usize, i64),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sort {
    ById,
    Number,
    NumberDescending,
    GroupThenNumberDescending,
}

impl Content {
    pub(crate) fn json(self) -> String {
        let number = self.number.map_or_else(String::new, |n| format!(r#","n":{n}"#));
        format!(r#"{{"g":{}{number}}}"#, self.group)
    }
}

impl Filter {
    pub(crate) fn json(self) -> String {
        match self {
            Filter::All => "{}".into(),
            Filter::Group(group) => format!(r#"{{"g":{group}}}"#),
            Filter::NumberAtLeast(least) => format!(r#"{{"n":{{"$gte":{least}}}}}"#),
            Filter::GroupAndNumberBelow(group, end) => {
                format!(r#"{{"g":{group},"n":{{"$lt":{end}}}}}"#)
            }
            Filter::Id(id) => format!(r#"{{"_id":"{}"}}"#, IDS[id]),
            Filter::IdAndGroup(id, group) => format!(r#"{{"_id":"{}","g":{group}}}"#, IDS[id]),
        }
    }

    pub(crate) fn matches(self, id: usize, content: Content) -> bool {
        match self {
            Filter::All => true,
            Filter::Group(group) => content.group == group,
            Filter::NumberAtLeast(least) => content.number.is_some_and(|n| n >= least),
            Filter::GroupAndNumberBelow(group, end) => {
                content.group == group && content.number.is_some_and(|n| n < end)
            }
            Filter::Id(wanted) => id == wanted,
            Filter::IdAndGroup(wanted, group) => id == wanted && content.group == group,
        }
    }

    /// The only id that can match.
    pub(crate) fn pinned(self) -> Option<usize> {
        match self {
            Filter::Id(id) | Filter::IdAndGroup(id, _) => Some(id),
            Filter::All
            | Filter::Group(_)
            | Filter::NumberAtLeast(_)
            | Filter::GroupAndNumberBelow(..) => None,
        }
    }
}

impl Sort {
    pub(crate) fn paths(self) -> &'static str {
        match self {
            Sort::ById => "",
            Sort::Number => "n",
            Sort::NumberDescending => "-n",
            Sort::GroupThenNumberDescending => "g,-n",
        }
    }

    /// A missing number is less than any.
    pub(crate) fn compare(self, one: (usize, Content), two: (usize, Content)) -> Ordering {
        let by_value = match self {
            Sort::ById => Ordering::Equal,
            Sort::Number => one.1.number.cmp(&two.1.number),
            Sort::NumberDescending => two.1.number.cmp(&one.1.number),
            Sort::GroupThenNumberDescending => {
                (one.1.group, two.1.number).cmp(&(two.1.group, one.1.number))
            }
        };
        by_value.then(one.0.cmp(&two.0))
    }
}

/// Histories of up to so many steps.
pub(crate) fn steps(at_most: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..at_most)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        60 => (0..SLOTS, operation()).prop_map(|(slot, operation)| Step::Operation(slot, operation)),
        20 => (0..SLOTS).prop_map(Step::Commit),
        3 => (0..SLOTS).prop_map(Step::Rollback),
        1 => (0..COLLECTIONS.len()).prop_map(Step::Create),
        1 => (0..COLLECTIONS.len()).prop_map(Step::Drop),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => place().prop_map(Operation::Get),
        1 => place().prop_map(Operation::SnapshotRead),
        6 => (0..COLLECTIONS.len(), find()).prop_map(|(c, find)| Operation::Find(c, find)),
        2 => (0..COLLECTIONS.len(), filter()).prop_map(|(c, filter)| Operation::Count(c, filter)),
        2 => (place(), content()).prop_map(|(place, content)| Operation::Insert(place, content)),
        1 => (place(), content()).prop_map(|(place, content)| Operation::Replace(place, content)),
        4 => (place(), content()).prop_map(|(place, content)| Operation::Put(place, content)),
        2 => place().prop_map(Operation::Delete),
        1 => (place(), option::of(0..5i64)).prop_map(|(place, n)| Operation::Merge(place, n)),
        2 => (place(), 1..3i64).prop_map(|(place, by)| Operation::Increment(place, by)),
        2 => (place(), 0..3i64).prop_map(|(place, group)| Operation::SetGroup(place, group)),
        1 => Just(Operation::Savepoint),
        1 => (0..3usize).prop_map(Operation::RollbackTo),
        1 => (0..3usize).prop_map(Operation::Release),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    (0..COLLECTIONS.len(), 0..IDS.len())
}

fn content() -> impl Strategy<Value = Content> {
    (0..3i64, option::weighted(0.8, 0..5i64)).prop_map(|(group, number)| Content { group, number })
}

fn find() -> impl Strategy<Value = Find> {
    (filter(), sort(), option::of(0..4usize), prop_oneof![3 => Just(0), 1 => 0..3usize])
        .prop_map(|(filter, sort, limit, offset)| Find { filter, sort, limit, offset })
}

fn filter() -> impl Strategy<Value = Filter> {
    prop_oneof![
        2 => Just(Filter::All),
        3 => (0..3i64).prop_map(Filter::Group),
        2 => (0..5i64).prop_map(Filter::NumberAtLeast),
        2 => (0..3i64, 0..5i64).prop_map(|(group, end)| Filter::GroupAndNumberBelow(group, end)),
        1 => (0..IDS.len()).prop_map(Filter::Id),
        2 => (0..IDS.len(), 0..3i64).prop_map(|(id, group)| Filter::IdAndGroup(id, group)),
    ]
}

fn sort() -> impl Strategy<Value = Sort> {
    prop_oneof![
        2 => Just(Sort::ById),
        2 => Just(Sort::Number),
        2 => Just(Sort::NumberDescending),
        1 => Just(Sort::GroupThenNumberDescending),
    ]
}
