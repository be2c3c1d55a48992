//! Random steps: few collections and few documents, so that they meet.

use std::time::Duration;

use monsterdb::{Durability, storage::CrashKind};
use proptest::{prelude::*, sample::select};

use super::{Place, Step, Write};

/// Steps of every kind, in any order; some transactions will be refused.
pub(crate) fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..length)
}

/// One of them.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => transaction(),
        1 => catalog(),
        3 => index(),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Maintain),
        1 => Just(Step::Reopen),
    ]
}

/// Transactions alone.
pub(crate) fn transactions(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![16 => transaction(), 2 => catalog(), 2 => index()];
    proptest::collection::vec(step, 1..length)
}

/// One to four writes of documents.
pub(crate) fn transaction() -> impl Strategy<Value = Step> {
    let writes = proptest::collection::vec(write(), 1..5);
    (durability(), writes).prop_map(|(durability, writes)| Step::Commit(durability, writes))
}

pub(crate) fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![
        3 => Just(Durability::Always),
        1 => Just(Durability::Interval(Duration::ZERO)),
        2 => Just(Durability::None),
    ]
}

pub(crate) fn crash_kind() -> impl Strategy<Value = CrashKind> {
    prop_oneof![1 => Just(CrashKind::Process), 3 => Just(CrashKind::Power)]
}

/// A collection comes or goes.
fn catalog() -> impl Strategy<Value = Step> {
    let name = "[abc]";
    let change = prop_oneof![name.prop_map(Write::Create), name.prop_map(Write::Drop)];
    (durability(), change).prop_map(|(durability, change)| Step::Commit(durability, vec![change]))
}

/// An index comes or goes, on one path or on two of which one leads to arrays.
fn index() -> impl Strategy<Value = Step> {
    let definition = select(vec![("by_n", "n"), ("by_n", "n"), ("by_list", "-list,n")]);
    ("[ab]", definition, any::<bool>()).prop_map(|(collection, (name, paths), made)| {
        let write = match made {
            true => Write::Index(collection, name.to_owned(), paths.to_owned()),
            false => Write::Unindex(collection, name.to_owned()),
        };
        Step::Commit(Durability::Always, vec![write])
    })
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        4 => (place(), 0..1500_usize).prop_map(|(place, bytes)| Write::Put(place, bytes)),
        2 => place().prop_map(Write::Append),
        2 => place().prop_map(Write::Double),
        2 => place().prop_map(Write::Increment),
        1 => place().prop_map(Write::Delete),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    ("[abc]", "[1-3]").prop_map(|(collection, id)| Place { collection, id })
}
