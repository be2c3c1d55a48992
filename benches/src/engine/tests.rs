//! The engines do the same work: whoever did less of it would win.

use std::{fs, path::Path, thread};

use super::*;
use crate::{
    documents::{CHANGED, DOCUMENT_BYTES, Random, samples},
    question::Topic,
};

/// Every engine that takes a workload, open in a directory of its own.
fn each(
    workload: Workload,
    test: impl Fn(&str, Box<dyn Store>, &Path) -> Result<()>,
) -> Result<()> {
    let takes = |engine: &&&'static dyn Engine| engine.takes(workload, 1);
    for engine in ALL.iter().filter(takes) {
        let directory = tempfile::tempdir()?;
        let store = engine.open(directory.path(), Safety::HandedOver)?;
        test(engine.name(), store, directory.path())
            .map_err(|error| format!("{}: {error}", engine.name()))?;
    }
    Ok(())
}

#[test]
fn engines_agree() -> Result<()> {
    let answers = |engine: &dyn Engine, topics: &[Topic]| -> Result<Vec<Answer>> {
        let engine = by_name(engine.name())?;
        let directory = tempfile::tempdir()?;
        let store = engine.open(directory.path(), Safety::HandedOver)?;
        let mut session = store.session()?;
        // Half of them before there are indexes, and half with them.
        let samples: Vec<Sample> = (0..3_000).map(of_own_length).collect();
        let (first, second) = samples.split_at(1_500);
        session.insert_all(first)?;
        store.make_indexes()?;
        session.insert_all(second)?;
        let mut random = Random::new(1);
        let questions = topics.iter().flat_map(|topic| [topic; 20]);
        questions.map(|topic| session.answer(topic.ask(&mut random))).collect()
    };
    for topic in Topic::ALL {
        let [own, peers @ ..] = &ALL;
        let own = answers(*own, &[topic])?;
        assert!(own.iter().all(|answer| answer.rows > 0), "an answer is empty: {own:?}");
        let takes = |peer: &&&dyn Engine| peer.takes(Workload::Ask(topic), 1);
        let mut asked = 0;
        for peer in peers.iter().filter(takes) {
            assert_eq!(answers(*peer, &[topic])?, own, "{} on {topic:?}", peer.name());
            asked += 1;
        }
        assert!(asked >= 2, "nobody to compare with on {topic:?}");
    }
    Ok(())
}

/// A document whose length tells it from most others: answers count bytes.
fn of_own_length(number: usize) -> Sample {
    let Sample { id, mut text } = Sample::new(number);
    text.insert_str(text.len() - "\"}".len(), &"x".repeat(number % 997));
    Sample { id, text }
}

#[test]
fn what_was_written_is_read_again_after_opening() -> Result<()> {
    each(Workload::ReopenClean, |name, store, directory| {
        let samples = samples(30);
        let mut session = store.session()?;
        let (one, many) = samples.split_first().ok_or("there are samples")?;
        session.insert(one)?;
        session.insert_all(many)?;
        drop(session);
        store.close()?;
        let store = by_name(name)?.open(directory, Safety::Synced)?;
        let mut session = store.session()?;
        for sample in &samples {
            assert_eq!(session.get(&sample.id)?, Some(sample.text.len()), "{name}");
        }
        assert_eq!(session.get("user-99999999")?, None, "{name}");
        Ok(())
    })
}

#[test]
fn a_transaction_writes_all_or_nothing() -> Result<()> {
    each(Workload::Rollback, |name, store, _| {
        let mut session = store.session()?;
        let samples = samples(10);
        session.insert_in_two(&samples, End::Rollback)?;
        for sample in &samples {
            assert_eq!(session.get(&sample.id)?, None, "{name}");
        }
        session.insert_in_two(&samples, End::Commit)?;
        // What `get` reads is the first of the two collections.
        let found = samples.iter().map(|sample| Ok(session.get(&sample.id)?.is_some()));
        let found = found.collect::<Result<Vec<bool>>>()?;
        assert_eq!(found, [true, false].repeat(5), "{name}");
        Ok(())
    })
}

#[test]
fn no_change_is_lost_among_threads() -> Result<()> {
    no_change_is_lost(Workload::ModifyOne, Change::ReadWrite)?;
    no_change_is_lost(Workload::UpdateOne, Change::Operator)
}

/// Adds so often that the last addition makes the number one digit longer, and with it the text.
fn no_change_is_lost(workload: Workload, change: Change) -> Result<()> {
    const THREADS: usize = 4;
    const ROUNDS: usize = 20;
    let member = format!("\"{CHANGED}\":{},", 100 - THREADS * ROUNDS);
    let has_age = |sample: &Sample| sample.text.contains(&member);
    let sample = (0..).map(Sample::new).find(has_age).ok_or("numbers end")?;
    each(workload, |name, store, _| {
        if !by_name(name)?.takes(Workload::Get, 1) {
            // A bound, which only appends.
            return Ok(());
        }
        store.session()?.insert(&sample)?;
        let add = || -> Result<()> {
            let mut session = store.session()?;
            (0..ROUNDS).try_for_each(|_| session.change(&sample.id, change))
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (1..THREADS).map(|_| scope.spawn(add)).collect();
            let mut session = store.session()?;
            (1..ROUNDS).try_for_each(|_| session.change(&sample.id, change))?;
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "it panicked")?)
        })?;
        let mut session = store.session()?;
        assert_eq!(session.get(&sample.id)?, Some(DOCUMENT_BYTES), "{name} added too often");
        session.change(&sample.id, change)?;
        assert_eq!(session.get(&sample.id)?, Some(DOCUMENT_BYTES + 1), "{name} lost a change");
        Ok(())
    })
}

#[test]
fn the_bound_appends_records_as_long_as_the_log_has() -> Result<()> {
    const COMMITS: usize = 200;
    let directory = tempfile::tempdir()?;
    let store = monsterdb::MonsterDb.open(directory.path(), Safety::HandedOver)?;
    let mut session = store.session()?;
    let samples = samples(COMMITS + 1);
    let (first, rest) = samples.split_first().ok_or("there are samples")?;
    // The first record makes the collection too.
    session.insert(first)?;
    let before = logged_bytes(directory.path())?;
    rest.iter().try_for_each(|sample| session.insert(sample))?;
    let own = (logged_bytes(directory.path())? - before) as f64 / COMMITS as f64;
    let bound = group_append::record(std::slice::from_ref(first)).len() as f64;
    // The bound's numbers have the digits that they have after many commits.
    assert!(own <= bound && own > bound - 10.0, "{own} bytes a record, the bound has {bound}");
    Ok(())
}

#[test]
fn the_bound_writes_every_record() -> Result<()> {
    const THREADS: usize = 8;
    const ROUNDS: usize = 40;
    let directory = tempfile::tempdir()?;
    let store = group_append::GroupAppend.open(directory.path(), Safety::Synced)?;
    let samples = samples(THREADS * ROUNDS);
    thread::scope(|scope| {
        let append = |samples: &[Sample]| {
            let mut session = store.session()?;
            samples.iter().try_for_each(|sample| session.insert(sample))
        };
        let started: Vec<_> =
            samples.chunks(ROUNDS).map(|chunk| scope.spawn(move || append(chunk))).collect();
        started.into_iter().try_for_each(|thread| thread.join().map_err(|_| "it panicked")?)
    })?;
    let written = String::from_utf8(fs::read(directory.path().join("group.ndjson"))?)?;
    let lines: Vec<&str> = written.trim_end_matches('\0').lines().collect();
    assert_eq!(lines.len(), samples.len());
    for sample in &samples {
        assert!(lines.iter().any(|line| line.contains(&sample.text)), "{} is missing", sample.id);
    }
    Ok(())
}

/// Bytes of the log without the room made ahead.
fn logged_bytes(directory: &Path) -> Result<usize> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory.join("wal"))? {
        bytes += fs::read(entry?.path())?.iter().filter(|byte| **byte != 0).count();
    }
    Ok(bytes)
}
