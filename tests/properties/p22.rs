//! Property 22, WAL entry completeness: each record has every field of section 5 in its order and
//! a correct checksum, and replays alone to the same change.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use monsterdb::{snapshot::WriteSet, storage::MemoryStorage, wal::Record};
use proptest::prelude::*;

use crate::{
    met::{Case, Met},
    support::{
        record_lines, steps,
        workload::{Run, is_refusal},
    },
};

static MET: Met = Met::new();

#[test]
fn p22_wal_entry_completeness() {
    p22_wal_entry_completeness_cases();
    MET.report(
        "p22_wal_entry_completeness",
        &[
            "put",
            "delete",
            "create_collection",
            "drop_collection",
            "create_index",
            "drop_index",
            "several operations",
            "behind what is synced",
        ],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    fn p22_wal_entry_completeness_cases(steps in steps(40)) {
        let case = MET.case();
        let mut run = Run::open(&MemoryStorage::new()).unwrap();
        for step in &steps {
            let before = run.snapshot();
            match run.step(step) {
                Ok(false) => continue,
                Ok(true) => {}
                Err(error) => {
                    prop_assert!(is_refusal(&error), "{}", error);
                    continue;
                }
            }
            let line = record_lines(&run.storage).pop().unwrap();
            let fields = Fields::read(std::str::from_utf8(&line).unwrap()).unwrap();
            let after = run.snapshot();
            prop_assert_eq!(fields.crc, format!("{:08x}", crc32fast::hash(&line[18..])));
            prop_assert_eq!(fields.seq, after.version().get());
            prop_assert!(fields.synced < fields.seq);
            case.note("behind what is synced", fields.synced + 1 < fields.seq);
            humantime::parse_rfc3339(fields.time).unwrap();
            uuid::Uuid::parse_str(fields.tx).unwrap();

            let writes = WriteSet::decode(fields.ops).unwrap();
            prop_assert!(!writes.is_empty());
            prop_assert_eq!(&before.apply(&writes, after.version()).unwrap(), &*after);
            prop_assert_eq!(Record::parse(&line).unwrap().ops, fields.ops);
            check_operations(fields.ops, &case)?;
        }
    }
}

/// The members of a record, as they stand in it.
#[derive(Debug)]
struct Fields<'a> {
    crc: &'a str,
    seq: u64,
    synced: u64,
    time: &'a str,
    tx: &'a str,
    ops: &'a str,
}

impl<'a> Fields<'a> {
    /// Takes a line apart member by member; none when one is missing or out of place.
    fn read(line: &'a str) -> Option<Fields<'a>> {
        let rest = line.strip_prefix(r#"{"crc":""#)?;
        let (crc, rest) = rest.split_once(r#"","seq":"#)?;
        let (seq, rest) = rest.split_once(r#","synced":"#)?;
        let (synced, rest) = rest.split_once(r#","time":""#)?;
        let (time, rest) = rest.split_once(r#"","tx":""#)?;
        let (tx, rest) = rest.split_once(r#"","ops":"#)?;
        let ops = rest.strip_suffix('}')?;
        Some(Fields { crc, seq: seq.parse().ok()?, synced: synced.parse().ok()?, time, tx, ops })
    }
}

/// Each operation says what it is, of which collection, and what it needs besides.
fn check_operations(ops: &str, case: &Case<'_>) -> Result<(), TestCaseError> {
    let operations: Vec<serde_json::Value> = serde_json::from_str(ops).unwrap();
    case.note("several operations", operations.len() > 1);
    for operation in operations {
        let members: Vec<&str> =
            operation.as_object().unwrap().keys().map(String::as_str).collect();
        let expected: &[&str] = match operation["op"].as_str().unwrap() {
            "put" => &["collection", "doc", "id", "op"],
            "delete" => &["collection", "id", "op"],
            "create_collection" => &["collection", "op", "options"],
            "drop_collection" => &["collection", "op"],
            "create_index" => &["collection", "definition", "index", "op"],
            "drop_index" => &["collection", "index", "op"],
            other => return Err(TestCaseError::fail(format!("operation {other}"))),
        };
        prop_assert_eq!(members, expected);
        case.note(operation["op"].as_str().unwrap(), true);
    }
    Ok(())
}
