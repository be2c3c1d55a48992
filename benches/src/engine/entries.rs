//! The indexes that whoever knows a key-value store well keeps by hand: tables of keys alone, made
//! of a value and of the id of the document that has it.
//!
//! Invariant: keys compare as bytes as their values do, and of equal values as their ids do.

use serde::Deserialize;

use crate::{Result, Workload, question::Topic};

/// Bytes of the value in a key.
const VALUE_BYTES: usize = size_of::<u64>();

/// The members of a document that have an index.
#[derive(Debug, Deserialize)]
pub(super) struct Indexed {
    age: u64,
    balance: f64,
}

impl Indexed {
    /// Of a document's text.
    pub(super) fn of(text: &str) -> Result<Indexed> {
        Ok(serde_json::from_str(text)?)
    }

    pub(super) fn age_key(&self, id: &str) -> Vec<u8> {
        key(self.age, id)
    }

    /// Balances have two decimals and are not negative: in hundredths they are whole numbers.
    pub(super) fn balance_key(&self, id: &str) -> Vec<u8> {
        key((self.balance * 100.0).round() as u64, id)
    }
}

/// Where the keys of an age begin.
pub(super) fn age_from(age: i64) -> Result<[u8; VALUE_BYTES]> {
    Ok(u64::try_from(age)?.to_be_bytes())
}

/// Where the keys of a balance begin.
pub(super) fn balance_from(balance: i64) -> Result<[u8; VALUE_BYTES]> {
    Ok((u64::try_from(balance)? * 100).to_be_bytes())
}

/// The id that a key ends with.
pub(super) fn id(key: &[u8]) -> Result<&str> {
    Ok(std::str::from_utf8(key.get(VALUE_BYTES..).ok_or("a key of an index is too short")?)?)
}

fn key(value: u64, id: &str) -> Vec<u8> {
    [&value.to_be_bytes(), id.as_bytes()].concat()
}

/// What a key-value store can be given to do: all but questions that take more than an index kept by
/// hand, and what belongs to an operator that it does not have.
pub(super) fn takes(workload: Workload) -> bool {
    match workload {
        Workload::Ask(topic) => matches!(topic, Topic::Equality | Topic::Range),
        Workload::AskBare(_) | Workload::Checkpoint(_) => false,
        Workload::Update | Workload::UpdateOne => false,
        Workload::Insert
        | Workload::Batch
        | Workload::Transaction
        | Workload::Rollback
        | Workload::Get
        | Workload::GetTyped
        | Workload::Mix
        | Workload::ReadsBesideWriter
        | Workload::Modify
        | Workload::ModifyOne
        | Workload::IndexBuild
        | Workload::ReopenClean
        | Workload::ReopenKilled
        | Workload::MemoryWritten
        | Workload::MemoryIndexed
        | Workload::MemoryReopened
        | Workload::Disk => true,
    }
}
