//! The whole path as the agent runs it, on one thread: decode, ledger, duplicate window, match, enrich, encode, gzip.
//!
//! In: packed objects. Out: batches that a counting sink accepts at once, settling their pieces. The real `Processor` and
//! `Batcher`; no HTTP, no other threads.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use cspm_relay::ack::{Counts, ObjectEntry, Outcome, Piece, Seen, Settled, Verdict};
use cspm_relay::classify::{Exceptions, Frameworks, RuleSet};
use cspm_relay::clock::Clock;
use cspm_relay::config::{Limits, LogRecords, Logs, Novelty, Outputs, Watched};
use cspm_relay::decode::Bounds;
use cspm_relay::encode::{Batch, Batcher, Lane, Outlet};
use cspm_relay::enrich::{AccountNames, Enricher};
use cspm_relay::pipeline::outlet::batcher;
use cspm_relay::pipeline::worker::{Processor, Stages, Work};
use cspm_relay::posture::{Compliance, NoveltyMemory};
use cspm_relay::source::{Body, Object, Origin, Sight};
use tokio::sync::mpsc;

use crate::cpu::Stopwatch;
use crate::data::Objects;
use crate::report::Row;
use crate::rules::Set;

/// Accepts every batch and counts.
struct Sink {
    lanes: [Batcher; 2],
    items: [u64; 2],
    packed_bytes: u64,
}

impl Sink {
    fn new(limits: &Limits) -> Self {
        Self { lanes: Lane::OF_RECORDS.map(|lane| batcher(lane, limits)), items: [0; 2], packed_bytes: 0 }
    }

    fn accept(&mut self, batch: Batch) {
        self.packed_bytes += batch.body().len() as u64;
        for (lane, items) in Lane::OF_RECORDS.iter().zip(&mut self.items) {
            if *lane == batch.lane() {
                *items += batch.len() as u64;
            }
        }
        batch.settle(Settled::Delivered);
    }
}

impl Outlet for Sink {
    fn put(&mut self, lane: Lane, item: &[u8], time_ms: i64, piece: Piece) {
        let full =
            self.lanes.iter_mut().find(|batcher| batcher.lane() == lane).and_then(|batcher| batcher.push(item, time_ms, piece));
        if let Some(full) = full {
            self.accept(full);
        }
    }

    fn item_max(&self, lane: Lane) -> usize {
        self.lanes.iter().find(|batcher| batcher.lane() == lane).map_or(0, Batcher::item_max)
    }

    fn flush(&mut self) {
        for at in 0..self.lanes.len() {
            if let Some(batch) = self.lanes.get_mut(at).and_then(Batcher::close) {
                self.accept(batch);
            }
        }
    }
}

/// Settings of the agent with every raw record sent and the level of the floor.
pub(crate) fn limits() -> Limits {
    Limits { gzip_level: 1, ..Limits::default() }
}

/// Stages as the agent builds them, with a fresh duplicate window.
fn stages(rules: RuleSet, clock: Clock) -> Result<Stages> {
    let limits = limits();
    Ok(Stages {
        rules,
        exceptions: Exceptions::default(),
        frameworks: Frameworks::default(),
        enricher: Enricher::new(AccountNames::default(), "UTC")?.into(),
        watched: Watched::default(),
        findings: Arc::new(cspm_relay::posture::Findings::in_memory(cspm_relay::config::Findings::default())),
        // What counting costs is part of the path.
        rollups: cspm_relay::ack::Rollups::new(true),
        outputs: Outputs {
            logs: Logs { records: LogRecords::All, read_only: true, thin: false, mask: true },
            notices: true,
            metrics: true,
        },
        bounds: Bounds { inflated: limits.inflated_bytes, record: limits.record_bytes },
        seen: Seen::new(limits.seen_records),
        compliance: Arc::new(Compliance::in_memory()),
        clock,
        agent: "bench-000000".to_owned(),
        refuse_late: false,
        follow: false,
        lateness: None,
        changes: None,
        // What learning costs, too.
        novelty: NoveltyMemory::live(Novelty::default()),
        quiet: false,
        scans: None,
    })
}

/// The name of the row for so many rules.
pub(crate) fn name(rules: usize) -> String {
    format!("{rules} rules")
}

/// The whole path with one rule set.
pub(crate) struct Path {
    stages: Stages,
    /// The best run so far.
    pub(crate) best: Row,
}

impl Path {
    /// The present is far from the data's time: every record is late, as in a replay with `--restamp`.
    pub(crate) fn new(set: Set, objects: &Objects) -> Result<Self> {
        Ok(Self { best: Row::unmeasured(&name(set.rules.rules().len()), objects), stages: stages(set.rules, Clock::system())? })
    }

    /// Runs over `objects` once more.
    pub(crate) fn run(&mut self, objects: &Objects) -> Result<()> {
        self.stages.seen = Seen::new(limits().seen_records);
        let counts = Arc::new(Counts::new("bench"));
        let (letters, mut parking) = mpsc::channel(16);
        let (told, mut news) = mpsc::channel(4_096);
        let mut sink = Sink::new(&limits());
        let mut watch = Stopwatch::new()?;
        watch.time(|| {
            let mut processor = Processor::new(&self.stages, letters, Arc::new(AtomicBool::new(false)));
            for (number, packed) in (0..).zip(&objects.packed) {
                let origin = Origin {
                    name: "s3://trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/21/made.json.gz".to_owned(),
                    account: Some("111122223333".to_owned()),
                    sight: Sight::Named,
                };
                let object = Object { number, origin, body: Body::Held(packed.clone()), room: None, again: false };
                let entry = ObjectEntry::enter(Arc::clone(&counts), number, told.clone().try_reserve_owned().ok());
                processor.object(Work { object, entry }, &mut sink);
                while news.try_recv().is_ok() {}
            }
            sink.flush();
        })?;
        let ended = counts.snapshot();
        ensure!(ended.adds_up() && parking.try_recv().is_err(), "the counts do not add up: {ended:?}");
        ensure!(ended.ended(Outcome::Delivered) == objects.records, "not every record was delivered: {ended:?}");
        ensure!(
            ended.objects_ended(Verdict::Released) == objects.packed.len() as u64,
            "not every object was released: {ended:?}"
        );
        let [events, logs] = sink.items;
        let megabytes = sink.packed_bytes / 1_000_000;
        self.best.improve(&watch, || format!("{} hits, {events} events, {logs} logs, {megabytes} MB packed", ended.detections));
        Ok(())
    }
}
