//! One object through decode, classify, enrich and encode.
//!
//! In: objects with their ledger entries. Out: items with their pieces to the outlet, letters to the dead letters, and an
//! outcome for every record. Runs on a thread of its own; borrows from the object all the way and keeps its buffers.

mod change;
mod compliance;
mod counted;
mod detections;
mod faults;
mod finding;
pub mod lateness;
#[cfg(test)]
mod novelty_tests;
pub mod sarif;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod thinned_tests;
mod timed;

use std::cell::LazyCell;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::Instant;

use super::changes::Changes;
use super::named::Named;
use super::pipe::{NamedPipe, Pipe};
use crate::ack::seen::Admission;
use crate::ack::{Counts, ObjectEntry, Outcome, RecordEntry, Rollups, Seen, Settled};
use crate::classify::{Exceptions, Frameworks, Matcher, RuleSet};
use crate::clock::Clock;
use crate::config::{LogRecords, Outputs, Watched};
use crate::decode::{Bounds, Buffer, Decoded, Decoder, ObjectFault};
use crate::deliver::letter::{Letter, LetterKind};
use crate::deliver::park::{Fate, Parking};
use crate::encode::event::Arrival;
use crate::encode::log::{LogAttributes, push_log};
use crate::encode::{Lane, Outlet};
use crate::enrich::{Enricher, SharedEnricher, region_and_service};
use crate::posture::{Compliance, Findings, NoveltyMemory};
use crate::record::finding::Around;
use crate::record::{RecordKey, RecordKind, Trail, id, text};
use crate::source::skipped::Skipped;
use crate::source::{Body, Object, Origin, Phase, Sight, key};
use counted::{From, Kind};
use lateness::Lateness;
use sarif::Scans;
use timed::Timed;

/// Bytes of a mended record's buffer that are kept for the next one.
const MENDED_KEPT: usize = 64 << 10;

/// What every worker shares.
#[derive(Debug)]
pub struct Stages {
    /// Detective controls.
    pub rules: RuleSet,
    /// Controls that are muted for someone.
    pub exceptions: Exceptions,
    /// Framework numbers of the customer's own.
    pub frameworks: Frameworks,
    /// Names and meaning.
    pub enricher: SharedEnricher,
    /// Whose records are kept.
    pub watched: Watched,
    /// Findings known.
    pub findings: Arc<Findings>,
    /// What is sent.
    pub outputs: Outputs,
    /// What is counted of what was accepted.
    pub rollups: Arc<Rollups>,
    /// Bounds of one object.
    pub bounds: Bounds,
    /// The duplicate window.
    pub seen: Arc<Seen>,
    /// How every resource stands under every rule.
    pub compliance: Arc<Compliance>,
    /// The present.
    pub clock: Clock,
    /// Which agent this is (`relay.agent`).
    pub agent: String,
    /// Records outside the ingest window are handed back instead of being filed under the present.
    pub refuse_late: bool,
    /// The (fixed) clock follows the records.
    pub follow: bool,
    /// Records come when they would have come in their time, whatever the clock shows.
    pub lateness: Option<Lateness>,
    /// Who changed what; `None`: nobody asks.
    pub changes: Option<Arc<Changes>>,
    /// What principals did before; `None`: nobody asks.
    pub novelty: Option<Arc<NoveltyMemory>>,
    /// A look at the input: faults are not worth a word, they will be met again.
    pub quiet: bool,
    /// Objects are files of scan results; `None`: they hold what AWS says.
    pub scans: Option<Scans>,
}

/// An object and its ledger entry.
#[derive(Debug)]
pub struct Work {
    /// What to read.
    pub object: Object,
    /// What it owes.
    pub entry: Arc<ObjectEntry>,
}

/// A worker thread.
pub struct Worker {
    /// The stages.
    pub stages: Arc<Stages>,
    /// Objects to read, shared with the other workers.
    pub work: Arc<Mutex<mpsc::Receiver<Work>>>,
    /// Where dead letters go.
    pub letters: mpsc::Sender<Parking>,
    /// Set when what is held goes back: stop reading.
    pub abort: Arc<AtomicBool>,
    /// Whether to read on; an input without an end ends with [`Phase::Draining`].
    pub phase: watch::Receiver<Phase>,
    /// Oldest age of an item that waits for its batch to fill.
    pub flush_after: Duration,
    /// What is passed over.
    pub skipped: Arc<Skipped>,
    /// What becomes of what cannot be sent.
    pub fate: Fate,
}

impl Worker {
    /// Reads objects until there are no more, then flushes. Blocks: run it on a thread of its own.
    pub fn run(self, outlet: impl Outlet) {
        let Self { stages, work, letters, abort, phase, flush_after, skipped, fate } = self;
        let runtime = tokio::runtime::Handle::current();
        let mut processor = Processor::new(&stages, letters, abort).until(phase, flush_after).telling(skipped, fate);
        let mut outlet = Timed { outlet, flushed: Instant::now(), flush_after };
        loop {
            let next = runtime.block_on(async {
                tokio::time::timeout_at(outlet.flushed + flush_after, async { work.lock().await.recv().await }).await
            });
            match next {
                Ok(Some(work)) => {
                    let busy = stages.changes.as_ref().map(Changes::busy);
                    processor.object(work, &mut outlet);
                    drop(busy);
                    processor.look_after_changes(false, &mut outlet);
                }
                Ok(None) => break,
                Err(_idle) => {
                    let is_idle = stages.changes.as_ref().is_some_and(|changes| changes.is_idle());
                    processor.look_after_changes(is_idle, &mut outlet);
                }
            }
            outlet.flush_old();
        }
        processor.look_after_changes(true, &mut outlet);
        outlet.flush();
    }
}

/// The stages with the buffers of one thread.
pub struct Processor<'s> {
    stages: &'s Stages,
    matcher: Matcher<'s>,
    /// The one of this object: names do not change within it.
    enricher: Arc<Enricher>,
    letters: mpsc::Sender<Parking>,
    abort: Arc<AtomicBool>,
    /// How long a stream may be silent before what waits is flushed, and what ends it.
    open: Option<(watch::Receiver<Phase>, Duration)>,
    item: Vec<u8>,
    /// A record whose text had to be mended.
    mended: Vec<u8>,
    buffer: Buffer,
    skipped: Arc<Skipped>,
    fate: Fate,
    named: Named,
}

/// What is known of the object while its records are read.
struct Place<'o> {
    entry: &'o Arc<ObjectEntry>,
    origin: &'o Origin,
    source: &'o str,
    index: u64,
    now_ms: i64,
    /// The object, when it is a queue's message: once that is deleted nobody else has it.
    message: Option<Bytes>,
    /// Nobody can read it again.
    is_stream: bool,
    /// It was fetched for a message that names it.
    is_fetched: bool,
}

impl Place<'_> {
    /// Whether the name says that a trail wrote it: what cannot be read in it is corrupt, not of another kind.
    fn is_of_a_trail(&self) -> bool {
        self.origin.sight != Sight::Message && key::names_trail(&self.origin.name)
    }

    fn letter(&self, kind: LetterKind, index: Option<u64>, reason: &str, content: &[u8]) -> Letter {
        // The present, whatever time the records are replayed in: people ask when it was parked.
        let now_ms = Clock::system().now_ms();
        let letter = Letter::new(kind, now_ms, self.source, &self.origin.name, index, reason, content);
        letter.of_version(self.origin.version())
    }
}

impl<'s> Processor<'s> {
    /// A processor over shared stages.
    #[must_use]
    pub fn new(stages: &'s Stages, letters: mpsc::Sender<Parking>, abort: Arc<AtomicBool>) -> Self {
        Self {
            stages,
            matcher: stages.rules.matcher(),
            enricher: stages.enricher.now(),
            letters,
            abort,
            open: None,
            item: Vec::new(),
            mended: Vec::new(),
            buffer: Buffer::default(),
            skipped: Arc::default(),
            fate: Fate::Unkept,
            named: Named::new(),
        }
    }

    /// Notes what it passes over in `skipped`; `fate`: what becomes of what cannot be sent.
    #[must_use]
    fn telling(self, skipped: Arc<Skipped>, fate: Fate) -> Self {
        Self { skipped, fate, ..self }
    }

    /// With a phase that ends a stream, and the time it may be silent before what waits is flushed.
    #[must_use]
    fn until(mut self, phase: watch::Receiver<Phase>, flush_after: Duration) -> Self {
        self.open = Some((phase, flush_after));
        self
    }

    /// Reads one object to its end.
    pub fn object(&mut self, work: Work, outlet: &mut impl Outlet) {
        let Work { object: Object { origin, body, room, .. }, entry } = work;
        let counts = Arc::clone(entry.counts());
        self.enricher = self.stages.enricher.now();
        let now_ms = self.stages.clock.now_ms();
        let message = match &body {
            Body::Held(bytes) | Body::Record { bytes, .. } if origin.sight == Sight::Message => Some(bytes.clone()),
            Body::Fetched { message, .. } => Some(message.clone()),
            _ => None,
        };
        let (is_stream, index) = (body.is_stream(), body.first());
        let is_fetched = matches!(body, Body::Fetched { .. });
        let source = counts.name();
        let mut place = Place { entry: &entry, origin: &origin, source, index, now_ms, message, is_stream, is_fetched };
        if let Some(scans) = &self.stages.scans {
            self.scan_file(scans, body, &mut place, outlet);
            // The bytes are no longer held, as below.
            drop(room);
            return;
        }
        let mut packed = 0;
        let bounds = self.stages.bounds;
        let decoder = match body {
            Body::Held(bytes) | Body::Record { bytes, .. } => {
                packed = bytes.len() as u64;
                Decoder::held_with(bytes, bounds, std::mem::take(&mut self.buffer))
            }
            Body::Fetched { message, bytes } => {
                packed = bytes.len() as u64;
                let whole = self.whole_item(&message, bytes).unwrap_or(message);
                Decoder::held_with(whole, bounds, std::mem::take(&mut self.buffer))
            }
            Body::File(path) => {
                packed = std::fs::metadata(&path).map_or(0, |file| file.len());
                Decoder::file(&path, bounds)
            }
            Body::Stdin => Ok(self.stream(std::io::stdin(), &counts)),
            Body::Pipe(path) => Ok(self.stream(NamedPipe::new(path), &counts)),
            Body::Missing(fault) => {
                self.missing(&place, fault, outlet);
                entry.decoded();
                return;
            }
        };
        match decoder {
            Ok(mut decoder) => {
                self.records(&mut decoder, &mut place, outlet);
                counts.bytes(packed, decoder.unpacked());
                self.buffer = decoder.into_buffer();
            }
            Err(fault) => self.fault(&place, &fault, outlet),
        }
        // The bytes are no longer held: others may have the room.
        drop(room);
    }

    /// Standard input or a pipe. Whoever gave no phase reads it to its end.
    fn stream(&self, input: impl Read + Send + 'static, counts: &Arc<Counts>) -> Decoder {
        let bounds = self.stages.bounds;
        match &self.open {
            Some((phase, patience)) => Decoder::reader(Pipe::open(input, phase.clone(), *patience, Arc::clone(counts)), bounds),
            None => Decoder::reader(std::io::BufReader::new(input), bounds),
        }
    }

    fn records(&mut self, decoder: &mut Decoder, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        loop {
            if self.abort.load(Ordering::Relaxed) {
                // Not marked as decoded: the object goes back.
                return;
            }
            let next = decoder.next();
            if place.is_stream {
                // It may last for days.
                place.now_ms = self.stages.clock.now_ms();
                self.enricher = self.stages.enricher.now();
            }
            match next {
                Ok(None) => break,
                Ok(Some(Decoded::Waiting)) => {
                    self.look_after_changes(true, outlet);
                    outlet.flush();
                    continue;
                }
                Ok(Some(Decoded::Record { kind, raw, account, region, time })) => match kind {
                    RecordKind::Trail => self.record(raw, account, place, outlet),
                    RecordKind::ComplianceChange => self.compliance_record(raw, account, place, outlet),
                    RecordKind::ConfigItem => self.config_record(raw, account, place, outlet),
                    RecordKind::Finding(form) => self.one_finding(form, raw, Around { account, region, time }, place, outlet),
                    RecordKind::Insight => self.insight_record(raw, place, outlet),
                },
                Ok(Some(Decoded::Findings { form, raws, account, region, time })) => {
                    self.finding_records(form, &raws, Around { account, region, time }, place, outlet);
                }
                Ok(Some(Decoded::Broken { raw, why })) => self.unreadable(&place.entry.record(), place, raw, &why),
                Ok(Some(Decoded::TooLong { head, alone })) => {
                    if alone && place.origin.sight != Sight::Message && !place.is_of_a_trail() {
                        let limit = self.stages.bounds.record;
                        self.foreign(
                            decoder,
                            place,
                            &format!("a document longer than limits.recordBytes ({limit}) without records"),
                        );
                        break;
                    }
                    self.too_long(place, head);
                }
                Ok(Some(Decoded::Empty)) => self.pass_over(place, key::Skip::Digest),
                Ok(Some(Decoded::Snapshot)) => self.pass_over(place, key::Skip::Snapshot),
                Ok(Some(Decoded::Foreign { raw, why })) => {
                    if place.index == 0 && place.is_of_a_trail() {
                        self.fault(place, &ObjectFault::Corrupt(why), outlet);
                        return;
                    }
                    if place.index == 0 && place.origin.sight != Sight::Message {
                        self.foreign(decoder, place, &why);
                        break;
                    }
                    self.unreadable(&place.entry.record(), place, raw, &why);
                }
                Err(fault) => {
                    self.fault(place, &fault, outlet);
                    return;
                }
            }
            place.index += 1;
        }
        if decoder.unpacked() == 0 && place.is_of_a_trail() {
            // A trail with nothing to say writes no object.
            return self.fault(place, &ObjectFault::Corrupt("it is empty".to_owned()), outlet);
        }
        place.entry.decoded();
    }

    /// One record: exactly one outcome, whatever happens.
    fn record(&mut self, raw: &[u8], enveloped: Option<&str>, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let record = place.entry.record();
        let mut mended = std::mem::take(&mut self.mended);
        match Trail::parse(text::without_half_pairs(raw, &mut mended)) {
            Ok(trail) => self.trail(&trail, enveloped, &record, place, outlet),
            Err(error) => self.unreadable(&record, place, raw, &error.to_string()),
        }
        // One huge record must not hold its memory for ever.
        mended.clear();
        mended.shrink_to(MENDED_KEPT);
        self.mended = mended;
    }

    /// Whether records of this account and Region are kept: of every kind, asked before anything is done with one.
    fn is_watched(&self, account: &str, region: Option<&str>) -> bool {
        let watched = &self.stages.watched;
        if watched.is_everything() {
            return true;
        }
        let unit = self.enricher.accounts().unit(account);
        watched.holds(account, unit, region.filter(|region| !region.is_empty()))
    }

    /// When a record of this time came.
    fn arrival(&self, time_ms: i64, place: &mut Place<'_>) -> Arrival {
        if self.stages.follow {
            self.stages.clock.advance_to(time_ms);
            place.now_ms = self.stages.clock.now_ms();
        }
        if let Some(lateness) = self.stages.lateness {
            place.now_ms = lateness.arrival_ms(time_ms, &place.origin.name);
        }
        let arrival = Arrival::of(time_ms, place.now_ms);
        place.entry.counts().seen_at(time_ms, arrival.lag_ms);
        arrival
    }

    fn trail(
        &mut self,
        trail: &Trail<'_>,
        enveloped: Option<&str>,
        record: &Arc<RecordEntry>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let stages = self.stages;
        let account = trail.account().or(place.origin.account.as_deref()).or(enveloped).unwrap_or("unknown");
        if !self.is_watched(account, trail.aws_region.get()) {
            record.ends_as(Outcome::Ignored);
            return;
        }
        let event_id = id::event_id(trail, account);
        let key = RecordKey::new(account, &event_id);
        if stages.seen.admit(key, record) == Admission::Copy {
            return;
        }
        let arrival = self.arrival(trail.time_ms, place);
        // Once, and only for who wants it: a record that changed something, or one that a rule meets.
        let enriched = LazyCell::new(|| self.enricher.enrich(trail, account));
        self.remember(trail, &enriched, &event_id, account);
        // What no rule meets is learned, too: without it everything would be new.
        let novelty = stages.novelty.as_ref().map(|memory| memory.meet(trail, key));
        let counts = place.entry.counts();
        let address = trail.source_ip_address.get();
        let muted_until = |control: &str| detections::muted_until(&stages.exceptions, control, &enriched, address);
        let hits = self.matcher.detections_but(trail, account, &event_id, place.now_ms, &muted_until);
        let log = match stages.outputs.logs.records {
            LogRecords::All => {
                !hits.is_empty() || !trail.is_read_only() || stages.outputs.logs.read_only && !stages.outputs.logs.thin
            }
            LogRecords::Matched => !hits.is_empty(),
            LogRecords::None => false,
        };
        let is_wanted = !hits.is_empty() || log;
        let is_thinned = stages.outputs.logs.thin && stages.outputs.logs.records == LogRecords::All && stages.rollups.counts();
        if !is_wanted && !is_thinned {
            record.ends_as(Outcome::Ignored);
            return;
        }
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        if !is_wanted {
            let (region, service) = region_and_service(trail);
            let counted = stages.counts_record(From { account, region, service: &service }, Kind::Trail);
            record.piece().counting([counted, None]).settle(Settled::Delivered);
            record.ends_as(Outcome::Ignored);
            return;
        }
        let mut cut = 0;
        let mut sent = 0;
        if !hits.is_empty() {
            let (item, now_ms, source) = (&mut self.item, place.now_ms, place.source);
            (sent, cut) = detections::push(
                stages,
                item,
                trail,
                &event_id,
                &enriched,
                (hits, novelty),
                (arrival, now_ms),
                source,
                record,
                outlet,
            );
            counts.detected(sent);
        }
        // What is muted may still go out as a log.
        let is_muted = sent == 0 && !hits.is_empty();
        record.ends_as(if is_muted { Outcome::Suppressed } else { Outcome::Delivered });
        if log {
            let attributes = LogAttributes {
                timestamp_ms: arrival.timestamp_ms,
                late: arrival.late,
                event_id: &event_id,
                account_id: account,
                account_name: self.enricher.account(account).name,
                source: place.source,
            };
            let item_max = outlet.item_max(Lane::Logs);
            cut += push_log(&mut self.item, trail, &attributes, stages.outputs.logs.mask, item_max);
            let counted = if sent == 0 && stages.rollups.counts() {
                let (region, service) = region_and_service(trail);
                stages.counts_record(From { account, region, service: &service }, Kind::Trail)
            } else {
                None
            };
            outlet.put(Lane::Logs, &self.item, arrival.timestamp_ms, record.piece().counting([counted, None]));
        }
        if cut > 0 {
            counts.cut(cut);
        }
    }
}
