//! What the engine, the sessions and the process say of themselves, as metrics.
//!
//! Everything is looked up when it is asked for, once, so that one page is of one moment as far as
//! that goes without stopping anybody.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::process::Process;
use crate::{
    commit::{CommitCounts, ConflictCounts, Logged},
    database::{Health, Status},
    histogram::Distribution,
    limits::COLLECTION_SERIES_MAX,
    server::{Service, health::durability, sessions::SessionCounts},
    snapshot::Snapshot,
};

/// The label of all collections beyond the bound. No collection can have this name.
const OTHERS: &str = "(other)";

/// Microseconds of a second.
const MICROSECONDS: f64 = 1e6;

/// The bounds shown of a time in microseconds: from 16 µs to 17 s.
const TIMES: std::ops::Range<u64> = 1 << 4..1 << 25;

/// The bounds shown of the commits of one write.
const COMMITS: std::ops::Range<u64> = 1..1 << 13;

/// See the module's document.
#[derive(Debug)]
pub(super) struct Figures {
    status: Status,
    sessions: SessionCounts,
    collections: Vec<Collection>,
    collection_count: u64,
    process: Process,
}

/// What a collection holds, or all of those that are not named.
#[derive(Debug, PartialEq, Eq)]
struct Collection {
    name: String,
    documents: u64,
    bytes: u64,
}

/// One page being written.
struct Page<'a>(DescriptorEncoder<'a>);

impl Figures {
    pub(super) fn of(service: &Service) -> Figures {
        let snapshot = service.database.snapshot();
        let (collection_count, collections) = collections(&snapshot);
        Figures {
            status: service.database.status(),
            sessions: service.sessions.counts(),
            collections,
            collection_count,
            process: Process::look(),
        }
    }

    fn encode_state(&self, page: &mut Page<'_>) -> fmt::Result {
        let status = &self.status;
        let info = [("version", env!("CARGO_PKG_VERSION"))];
        page.info("monsterdb_build", "The version of the program", &info)?;
        let info = [("durability", durability(status.durability))];
        page.info("monsterdb_durability", "When commits are acknowledged", &info)?;
        let ready = u64::from(status.health == Health::Ready);
        page.gauge("monsterdb_ready", "1 while it takes reads and writes", ready)?;
        let uptime = status.uptime.as_secs_f64();
        page.gauge("monsterdb_uptime_seconds", "Time since the database was opened", uptime)?;
        let version = status.version.get();
        page.gauge("monsterdb_version", "The latest committed version", version)?;
        let synced = status.synced.get();
        page.gauge("monsterdb_synced_version", "The highest version safe on the device", synced)?;
        let limit = status.memory_limit;
        page.gauge("monsterdb_memory_limit_bytes", "Bytes that documents may take", limit)?;
        let help =
            "Records at the end of the log that were never acknowledged and cut at the start";
        let cut = status.recovery.cut.as_ref().map_or(0, |cut| cut.bytes);
        page.gauge("monsterdb_recovery_cut_bytes", help, cut)
    }

    fn encode_commits(&self, page: &mut Page<'_>) -> fmt::Result {
        let CommitCounts { committed, conflicts, retries, locked_runs } = self.status.commits;
        let help = "Transactions that wrote something and took effect";
        page.counter("monsterdb_commits", help, committed)?;
        let help = "Commits refused since something that they had read was overtaken";
        page.counter("monsterdb_commits_refused", help, conflicts)?;
        let help = "Runs of a transaction after its first, in the server itself";
        page.counter("monsterdb_transaction_retries", help, retries)?;
        let help = "Runs of a transaction under locks, after too many losses";
        page.counter("monsterdb_transaction_locked_runs", help, locked_runs)?;
        let help = "Refused commits by the collection and the kind of what was overtaken; one that \
                    was refused for several counts for each";
        let kinds = |counts: &ConflictCounts| {
            let ConflictCounts { collection, documents, predicates, collections } = counts;
            let name = collection.as_ref().map_or(OTHERS, |name| name.as_str()).to_owned();
            [("document", documents), ("predicate", predicates), ("collection", collections)].map(
                |(kind, count)| ([("collection", name.clone()), ("kind", kind.into())], *count),
            )
        };
        let counts = self.status.conflicts.iter().flat_map(kinds);
        page.counters("monsterdb_conflicts", help, counts)
    }

    fn encode_log(&self, page: &mut Page<'_>) -> fmt::Result {
        let status = &self.status;
        let Logged { operations, bytes } = status.logged;
        page.counter("monsterdb_log_bytes", "Bytes written to the log", bytes)?;
        page.counter("monsterdb_log_operations", "Operations written to the log", operations)?;
        let help = "Commits that went into one write of the log";
        page.histogram("monsterdb_log_write_commits", help, &status.writes, COMMITS, 1.0)?;
        let help = "Time that a sync of the log took";
        let name = "monsterdb_log_sync_duration_seconds";
        page.histogram(name, help, &status.syncs, TIMES, MICROSECONDS)?;
        let name = "monsterdb_checkpoint_duration_seconds";
        let help = "Time that a checkpoint took, of those written";
        page.histogram(name, help, &status.checkpoints, TIMES, MICROSECONDS)?;
        let help = "Checkpoints that could not be written";
        page.counter("monsterdb_checkpoints_failed", help, status.checkpoints_failed)?;
        let help = "The version of the checkpoint on disk";
        page.gauge("monsterdb_checkpoint_version", help, status.checkpoint.get())
    }

    fn encode_retained(&self, page: &mut Page<'_>) -> fmt::Result {
        let retained = &self.status.retained;
        let help = "Versions kept to be read besides the latest";
        page.gauge("monsterdb_retained_versions", help, retained.versions)?;
        let help = "Bytes that kept versions take, by estimate";
        page.gauge("monsterdb_retained_bytes", help, retained.bytes)?;
        let help = "Time since the oldest version was kept that is kept";
        let age = retained.oldest.as_secs_f64();
        page.gauge("monsterdb_retained_oldest_age_seconds", help, age)
    }

    fn encode_sessions(&self, page: &mut Page<'_>) -> fmt::Result {
        let SessionCounts { open, oldest_s, begun, committed, conflicts, expired } = self.sessions;
        page.gauge("monsterdb_sessions_open", "Interactive transactions that are open", open)?;
        let help = "Time since the oldest one began that is open: it keeps its version in memory";
        page.gauge("monsterdb_sessions_oldest_age_seconds", help, oldest_s)?;
        page.counter("monsterdb_sessions_begun", "Those begun", begun)?;
        page.counter("monsterdb_sessions_committed", "Those committed", committed)?;
        page.counter("monsterdb_sessions_conflicts", "Those that were overtaken", conflicts)?;
        page.counter("monsterdb_sessions_expired", "Those that took too long", expired)
    }

    fn encode_collections(&self, page: &mut Page<'_>) -> fmt::Result {
        let help = "Documents in all collections";
        page.gauge("monsterdb_documents", help, self.status.documents)?;
        let help = "Bytes of memory that documents and indexes take, by estimate";
        page.gauge("monsterdb_document_bytes", help, self.status.bytes)?;
        page.gauge("monsterdb_collections", "Collections", self.collection_count)?;
        let each = |value: fn(&Collection) -> u64| {
            let all = self.collections.iter();
            all.map(move |one| ([("collection", one.name.as_str())], value(one)))
        };
        let help = "Documents of the largest collections, and of all others together";
        page.gauges("monsterdb_collection_documents", help, each(|c| c.documents))?;
        let help = "Bytes of the largest collections, and of all others together";
        page.gauges("monsterdb_collection_bytes", help, each(|c| c.bytes))
    }

    fn encode_process(&self, page: &mut Page<'_>) -> fmt::Result {
        if let Some(bytes) = self.process.resident_bytes {
            page.gauge("process_resident_memory_bytes", "Memory that the process has", bytes)?;
        }
        match self.process.open_files {
            Some(count) => page.gauge("process_open_fds", "Files and sockets open", count),
            None => Ok(()),
        }
    }
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.encode_state(&mut page)?;
        self.encode_commits(&mut page)?;
        self.encode_log(&mut page)?;
        self.encode_retained(&mut page)?;
        self.encode_sessions(&mut page)?;
        self.encode_collections(&mut page)?;
        self.encode_process(&mut page)
    }
}

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (impl EncodeLabelSet, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        encoder.encode_gauge(&value)
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (impl EncodeLabelSet, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn info(&mut self, name: &str, help: &str, labels: &impl EncodeLabelSet) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Info)?;
        encoder.encode_info(labels)
    }

    /// A distribution of which the buckets with bounds in `shown` are told apart, in another unit.
    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        values: &Distribution,
        shown: std::ops::Range<u64>,
        divisor: f64,
    ) -> fmt::Result {
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        let (mut below, mut all) = (0, 0);
        for (bound, count) in values.buckets() {
            all += count;
            below += count;
            if let Some(bound) = bound.filter(|bound| shown.contains(bound)) {
                buckets.push((bound as f64 / divisor, std::mem::take(&mut below)));
            }
        }
        let sum = values.sum() as f64 / divisor;
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(sum, all, &buckets, None)
    }
}

/// How many ordinary collections there are, and what the largest hold and all others together.
fn collections(snapshot: &Snapshot) -> (u64, Vec<Collection>) {
    let ordinary = snapshot.collections().filter(|(name, _)| !name.is_reserved());
    let mut collections: Vec<Collection> = ordinary
        .map(|(name, collection)| Collection {
            name: name.to_string(),
            documents: collection.count() as u64,
            bytes: collection.bytes(),
        })
        .collect();
    let count = collections.len() as u64;
    collections.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    let others = collections.split_off(collections.len().min(COLLECTION_SERIES_MAX));
    if !others.is_empty() {
        collections.push(Collection {
            name: OTHERS.to_owned(),
            documents: others.iter().map(|other| other.documents).sum(),
            bytes: others.iter().map(|other| other.bytes).sum(),
        });
    }
    (count, collections)
}
