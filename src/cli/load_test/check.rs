//! The end of a run: everything that is there is held against everything that must be.
//!
//! What the server counts and what it exports are asked for apart, and each document is looked at by
//! its id, its version and its content.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    super::{Failure, remote::Client},
    content::{Content, Stored},
    counters::Counters,
    finding::{Finding, Findings, Kind},
    model::Documents,
};
use crate::names::CollectionName;

/// What was found.
#[derive(Default)]
pub(super) struct Checked {
    /// Documents that must be there.
    pub(super) expected: u64,
    /// Documents that may be there or not: the outcome of a write is unknown.
    pub(super) uncertain: u64,
    /// Documents that are there.
    pub(super) found: u64,
    pub(super) findings: Findings,
    /// Why the server could not be asked.
    pub(super) unasked: Option<String>,
}

/// Everything that is there, by its id.
#[derive(Default)]
struct Found {
    stored: BTreeMap<String, Stored>,
    lines: u64,
}

/// Reads everything and compares it.
///
/// # Errors
///
/// When the server cannot be asked, which says nothing of the documents.
pub(super) fn check(
    client: &Client,
    collection: &CollectionName,
    users: &[Documents],
    counters: &Counters,
) -> Result<Checked, Failure> {
    let mut findings = Findings::default();
    let mut found = export(client, collection, &mut findings)?;
    let (mut expected, mut uncertain) = (counters.len(), 0);
    for documents in users {
        let (certain, either) = documents.counts();
        (expected, uncertain) = (expected + certain, uncertain + either);
    }
    let counted = count(client, collection)?;
    // A write that nobody waits for any more may take effect between the two questions.
    if counted.abs_diff(found.lines) > uncertain {
        let kind = if counted < found.lines { Kind::Duplicated } else { Kind::Lost };
        let detail = format!("{counted} documents are counted, and {} exported", found.lines);
        findings.add(Finding::new(kind, collection.as_str(), detail));
    }
    let of_counter = |id: &str| found.stored.get(id).map(|stored| stored.rest.clone());
    counters.differences(of_counter).into_iter().for_each(|finding| findings.add(finding));
    found.stored.retain(|id, _| !counters.has(id));
    for documents in users {
        for number in documents.numbers() {
            let stored = found.stored.remove(&super::content::id(documents.user, number));
            if let Some(finding) = documents.difference(number, stored.as_ref()) {
                findings.add(finding);
            }
        }
    }
    // What nobody asked for is left.
    found.stored.values().for_each(|stored| findings.add(stranger(stored)));
    Ok(Checked { expected, uncertain, found: found.lines, findings, unasked: None })
}

fn export(
    client: &Client,
    collection: &CollectionName,
    findings: &mut Findings,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    let exported = client.export(collection, true, |line| {
        found.lines += 1;
        match Stored::read(line) {
            None => {
                findings.add(Finding::new(Kind::Changed, "", format!("not understood: {line}")))
            }
            Some(stored) => {
                let (id, again) = (stored.id.clone(), found.stored.contains_key(&stored.id));
                // The first one is compared, wherever the other comes from.
                found.stored.entry(id.clone()).or_insert(stored);
                if again {
                    let detail = "it is exported twice".to_owned();
                    findings.add(Finding::new(Kind::Duplicated, &id, detail));
                }
            }
        }
        Ok(())
    });
    none_if_absent(exported)?;
    Ok(found)
}

fn count(client: &Client, collection: &CollectionName) -> Result<u64, Failure> {
    let reply = client.query(collection, r#"{"count":true}"#.to_owned());
    let count = none_if_absent(reply)?.and_then(|reply| reply.lines.first()?.parse().ok());
    Ok(count.unwrap_or_default())
}

/// A collection that is gone holds nothing: all that must be there is lost.
fn none_if_absent<T>(asked: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match asked {
        Err(Failure::Refused { slug, .. }) if slug == "collection-not-found" => Ok(None),
        asked => asked.map(Some),
    }
}

/// A document under an id that no user gave away: often a copy, which says of what.
fn stranger(stored: &Stored) -> Finding {
    match Content::of(stored) {
        Some(content) => {
            let detail = format!("it is a copy of {}: {stored}", content.id());
            Finding::new(Kind::Duplicated, &stored.id, detail)
        }
        None => {
            let rest: &Value = &stored.rest;
            Finding::new(Kind::Unexpected, &stored.id, format!("nobody inserted it: {rest}"))
        }
    }
}
