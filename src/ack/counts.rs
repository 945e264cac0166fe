//! Counters of one source: what came in and how it ended.
//!
//! In: one call per record, object or byte. Out: a [`Snapshot`] that a heartbeat, a summary or a test reads. Counters only
//! grow; a snapshot taken when nothing is in flight satisfies both equations.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU64};

use super::{Outcome, Verdict};

/// Counters of one source; shared by everything that settles its records.
#[derive(Debug)]
pub struct Counts {
    name: String,
    records_received: AtomicU64,
    records: [AtomicU64; Outcome::ALL.len()],
    objects_received: AtomicU64,
    objects: [AtomicU64; Verdict::ALL.len()],
    bytes_packed: AtomicU64,
    bytes_unpacked: AtomicU64,
    detections: AtomicU64,
    truncated: AtomicU64,
    skipped: AtomicU64,
    redelivered: AtomicU64,
    refused_late: AtomicU64,
    findings_unchanged: AtomicU64,
    findings_copied: AtomicU64,
    findings_excepted: AtomicU64,
    notices_held: AtomicU64,
    newest_event_ms: AtomicI64,
    lag_ms_max: AtomicI64,
    queue_age_ms: AtomicI64,
}

/// What the counters said at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Records decoded, readable or not.
    pub records_received: u64,
    /// Records per outcome, in the order of [`Outcome::ALL`].
    pub records: [u64; Outcome::ALL.len()],
    /// Objects taken from the source.
    pub objects_received: u64,
    /// Objects per verdict, in the order of [`Verdict::ALL`].
    pub objects: [u64; Verdict::ALL.len()],
    /// Bytes fetched, as stored.
    pub bytes_packed: u64,
    /// Bytes of record JSON.
    pub bytes_unpacked: u64,
    /// Detections (record × rule) made.
    pub detections: u64,
    /// Values that were cut to fit a limit.
    pub truncated: u64,
    /// Things that hold no records and were released: test messages, digests, folder markers, deletions.
    pub skipped: u64,
    /// Messages that had been received before.
    pub redelivered: u64,
    /// Records returned because New Relic would not take them under their own time.
    pub refused_late: u64,
    /// Findings imported again without a change, which are ignored.
    pub findings_unchanged: u64,
    /// Copies of findings from another Region, account or form, which are duplicates.
    pub findings_copied: u64,
    /// Open findings that an exception covers.
    pub findings_excepted: u64,
    /// Notices of findings held back: old news, and samples.
    pub notices_held: u64,
    /// Time of the newest record, milliseconds since the epoch; 0: none yet.
    pub newest_event_ms: i64,
    /// Largest lag (arrival minus event time) since [`Counts::take_lag`] was last asked, milliseconds.
    pub lag_ms_max: i64,
    /// Age of the oldest message taken in the last poll, milliseconds.
    pub queue_age_ms: i64,
}

impl Snapshot {
    /// Records that ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.records.get(outcome as usize).copied().unwrap_or(0)
    }

    /// Records whose end is known.
    #[must_use]
    pub fn all_ended(&self) -> u64 {
        self.records.iter().sum()
    }

    /// Records taken whose end is not known yet.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.records_received.saturating_sub(self.all_ended())
    }

    /// Objects that ended so.
    #[must_use]
    pub fn objects_ended(&self, verdict: Verdict) -> u64 {
        self.objects.get(verdict as usize).copied().unwrap_or(0)
    }

    /// What was counted since `before`; times and ages are those of now.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            records_received: self.records_received.saturating_sub(before.records_received),
            records: std::array::from_fn(|at| difference(&self.records, &before.records, at)),
            objects_received: self.objects_received.saturating_sub(before.objects_received),
            objects: std::array::from_fn(|at| difference(&self.objects, &before.objects, at)),
            bytes_packed: self.bytes_packed.saturating_sub(before.bytes_packed),
            bytes_unpacked: self.bytes_unpacked.saturating_sub(before.bytes_unpacked),
            detections: self.detections.saturating_sub(before.detections),
            truncated: self.truncated.saturating_sub(before.truncated),
            skipped: self.skipped.saturating_sub(before.skipped),
            redelivered: self.redelivered.saturating_sub(before.redelivered),
            refused_late: self.refused_late.saturating_sub(before.refused_late),
            findings_unchanged: self.findings_unchanged.saturating_sub(before.findings_unchanged),
            findings_copied: self.findings_copied.saturating_sub(before.findings_copied),
            findings_excepted: self.findings_excepted.saturating_sub(before.findings_excepted),
            notices_held: self.notices_held.saturating_sub(before.notices_held),
            ..self.clone()
        }
    }

    /// Whether both equations hold: everything received has ended, once.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.records_received == self.all_ended() && self.objects_received == self.objects.iter().sum::<u64>()
    }
}

fn difference(now: &[u64], before: &[u64], at: usize) -> u64 {
    now.get(at).copied().unwrap_or(0).saturating_sub(before.get(at).copied().unwrap_or(0))
}

impl Counts {
    /// Fresh counters for the source of this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            records_received: AtomicU64::default(),
            records: Default::default(),
            objects_received: AtomicU64::default(),
            objects: Default::default(),
            bytes_packed: AtomicU64::default(),
            bytes_unpacked: AtomicU64::default(),
            detections: AtomicU64::default(),
            truncated: AtomicU64::default(),
            skipped: AtomicU64::default(),
            redelivered: AtomicU64::default(),
            refused_late: AtomicU64::default(),
            findings_unchanged: AtomicU64::default(),
            findings_copied: AtomicU64::default(),
            findings_excepted: AtomicU64::default(),
            notices_held: AtomicU64::default(),
            newest_event_ms: AtomicI64::default(),
            lag_ms_max: AtomicI64::default(),
            queue_age_ms: AtomicI64::default(),
        }
    }

    /// The source's name (`relay.source`).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn record_received(&self) {
        self.records_received.fetch_add(1, Relaxed);
    }

    pub(super) fn record_ended(&self, outcome: Outcome) {
        if let Some(count) = self.records.get(outcome as usize) {
            count.fetch_add(1, Release);
        }
    }

    pub(super) fn object_received(&self) {
        self.objects_received.fetch_add(1, Relaxed);
    }

    pub(super) fn object_ended(&self, verdict: Verdict) {
        if let Some(count) = self.objects.get(verdict as usize) {
            count.fetch_add(1, Release);
        }
    }

    /// Counts bytes fetched (`packed`) and record JSON read (`unpacked`).
    pub fn bytes(&self, packed: u64, unpacked: u64) {
        self.bytes_packed.fetch_add(packed, Relaxed);
        self.bytes_unpacked.fetch_add(unpacked, Relaxed);
    }

    /// Counts detections made.
    pub fn detected(&self, detections: u64) {
        self.detections.fetch_add(detections, Relaxed);
    }

    /// Counts values cut to fit.
    pub fn cut(&self, values: u64) {
        self.truncated.fetch_add(values, Relaxed);
    }

    /// Counts something that holds no records and was released.
    pub fn skipped(&self) {
        self.skipped.fetch_add(1, Relaxed);
    }

    /// Counts a message that had been received before.
    pub fn redelivered(&self) {
        self.redelivered.fetch_add(1, Relaxed);
    }

    /// Counts a record returned because it is outside the ingest window.
    pub(super) fn refused_late(&self) {
        self.refused_late.fetch_add(1, Relaxed);
    }

    /// Counts a finding imported again without a change.
    pub fn finding_unchanged(&self) {
        self.findings_unchanged.fetch_add(1, Relaxed);
    }

    /// Counts a copy of a finding.
    pub fn finding_copied(&self) {
        self.findings_copied.fetch_add(1, Relaxed);
    }

    /// Counts an open finding that an exception covers.
    pub fn finding_excepted(&self) {
        self.findings_excepted.fetch_add(1, Relaxed);
    }

    /// Counts a notice that is held back.
    pub fn notice_held(&self) {
        self.notices_held.fetch_add(1, Relaxed);
    }

    /// Notes the time of a record and its lag, both in milliseconds.
    pub fn seen_at(&self, event_ms: i64, lag_ms: i64) {
        // A look first: a new maximum is rare, and a look costs a tenth.
        for (most, now) in [(&self.newest_event_ms, event_ms), (&self.lag_ms_max, lag_ms)] {
            if now > most.load(Relaxed) {
                most.fetch_max(now, Relaxed);
            }
        }
    }

    /// Notes the age of the oldest message of a poll, milliseconds.
    pub fn queue_age(&self, age_ms: i64) {
        self.queue_age_ms.store(age_ms, Relaxed);
    }

    /// The largest lag since the last time this was asked, milliseconds. Taken in one step: one noted meanwhile counts for the
    /// time that begins.
    pub fn take_lag(&self) -> i64 {
        self.lag_ms_max.swap(0, Relaxed)
    }

    /// Reads all counters.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let read = |count: &AtomicU64| count.load(Relaxed);
        // Ends are read before beginnings, and see the beginnings before them, so that a moving picture never shows more ended
        // than received.
        let ends = |count: &AtomicU64| count.load(Acquire);
        let records = std::array::from_fn(|at| self.records.get(at).map_or(0, ends));
        let objects = std::array::from_fn(|at| self.objects.get(at).map_or(0, ends));
        Snapshot {
            records,
            objects,
            records_received: read(&self.records_received),
            objects_received: read(&self.objects_received),
            bytes_packed: read(&self.bytes_packed),
            bytes_unpacked: read(&self.bytes_unpacked),
            detections: read(&self.detections),
            truncated: read(&self.truncated),
            skipped: read(&self.skipped),
            redelivered: read(&self.redelivered),
            refused_late: read(&self.refused_late),
            findings_unchanged: read(&self.findings_unchanged),
            findings_copied: read(&self.findings_copied),
            findings_excepted: read(&self.findings_excepted),
            notices_held: read(&self.notices_held),
            newest_event_ms: self.newest_event_ms.load(Relaxed),
            lag_ms_max: self.lag_ms_max.load(Relaxed),
            queue_age_ms: self.queue_age_ms.load(Relaxed),
        }
    }
}
