//! One file of scan results through judge, classify and encode.
//!
//! In: an object that is SARIF. Out: an `AwsSecurityFinding` for each result that fails, and an outcome for every result:
//! delivered, suppressed (accepted in code or in the tool, which is not sent; muted by an exception, which is, as `EXCEPTED`),
//! ignored (it does not fail, or is as it was), duplicate, unreadable. What always holds: no notice, whatever the settings say:
//! nobody is woken by a scan; nothing goes to the dead letters for what cannot be read, the file is whoever gave it. A file is read
//! twice; what can be read only once is held, within a limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::counted::{From, Kind};
use super::{MENDED_KEPT, NamedPipe, Pipe, Place, Processor};
use crate::ack::seen::Admission;
use crate::ack::{Counts, Outcome, RecordEntry};
use crate::classify::ClassifiedFinding;
use crate::decode::sarif::{self, Content, Told};
use crate::decode::{ObjectFault, Stopped};
use crate::encode::finding::push_finding;
use crate::encode::{Lane, Outlet};
use crate::posture::{Tell, Transition};
use crate::record::finding::sarif::{Baseline, SarifResult, SarifRun, Scan};
use crate::record::{Finding, FindingStatus, RecordKey, text};
use crate::source::Body;

/// Bytes of a file read at a time.
const CHUNK: usize = 64 << 10;

/// What is known of the scans that are read, and what was wrong with their files.
#[derive(Debug)]
pub struct Scans {
    scan: Scan,
    /// Most bytes held of what can be read only once.
    stream_bytes: u64,
    faults: Mutex<Vec<Unread>>,
}

/// A file that was not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub file: String,
    /// Why, and from where on.
    pub why: String,
    /// Results of it that were read.
    pub results: u64,
}

impl Scans {
    /// Scans of which the caller says this.
    #[must_use]
    pub fn new(scan: Scan, stream_bytes: u64) -> Self {
        Self { scan, stream_bytes, faults: Mutex::default() }
    }

    /// The files that were not read to their end, in order of their names.
    #[must_use]
    pub fn unread(&self) -> Vec<Unread> {
        let mut unread = self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        unread.sort_by(|one, other| one.file.cmp(&other.file));
        unread
    }
}

/// What a result is read with.
#[derive(Clone, Copy)]
struct Of<'s> {
    scans: &'s Scans,
    runs: &'s [SarifRun],
}

impl Processor<'_> {
    /// Reads one file to its end.
    pub(super) fn scan_file(&mut self, scans: &Scans, body: Body, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let counts = Arc::clone(place.entry.counts());
        let read = match body {
            Body::File(path) => {
                let packed = std::fs::metadata(&path).map_or(0, |file| file.len());
                let read = self.scanned(scans, || opened(&path), place, outlet);
                counts.bytes(packed, *read.as_ref().unwrap_or(&0));
                read
            }
            Body::Held(bytes) | Body::Record { bytes, .. } | Body::Fetched { bytes, .. } => {
                let read = self.scanned(scans, || Ok(Cursor::new(bytes.clone())), place, outlet);
                counts.bytes(bytes.len() as u64, *read.as_ref().unwrap_or(&0));
                read
            }
            Body::Stdin => self.held(io::stdin(), scans.stream_bytes, &counts).and_then(|bytes| {
                self.scanned(scans, || Ok(Cursor::new(bytes.clone())), place, outlet)
                    .inspect(|unpacked| counts.bytes(0, *unpacked))
            }),
            Body::Pipe(path) => self.held(NamedPipe::new(path), scans.stream_bytes, &counts).and_then(|bytes| {
                self.scanned(scans, || Ok(Cursor::new(bytes.clone())), place, outlet)
                    .inspect(|unpacked| counts.bytes(0, *unpacked))
            }),
            Body::Missing(fault) => Err(format!("{fault:?}")),
        };
        if self.abort.load(Ordering::Relaxed) {
            // Not marked as decoded: the object goes back.
            return;
        }
        if let Err(why) = read {
            let unread = Unread { file: place.origin.name.clone(), why, results: place.index };
            scans.faults.lock().unwrap_or_else(PoisonError::into_inner).push(unread);
            place.entry.give_back();
        }
        place.entry.decoded();
    }

    /// Reads what `open` gives, twice. Gives the bytes of JSON.
    fn scanned<R: BufRead>(
        &mut self,
        scans: &Scans,
        open: impl Fn() -> io::Result<R>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) -> Result<u64, String> {
        let bounds = self.stages.bounds;
        let opened = || open().map_err(|error| ObjectFault::Unavailable(error).to_string());
        let survey = sarif::survey(opened()?, bounds).map_err(|error| error.to_string())?;
        let of = Of { scans, runs: &survey.runs };
        let mut hear = |told: Told<'_>| {
            if self.abort.load(Ordering::Relaxed) {
                return false;
            }
            self.scan_result(told, of, place, outlet);
            place.index += 1;
            true
        };
        sarif::results(opened()?, bounds, &survey, &mut hear).map_err(|fault| fault.to_string())
    }

    /// All of an input that can be read only once.
    fn held(&self, input: impl Read + Send + 'static, most: u64, counts: &Arc<Counts>) -> Result<Bytes, String> {
        let mut input: Box<dyn Read> = match &self.open {
            Some((phase, patience)) => Box::new(Pipe::open(input, phase.clone(), *patience, Arc::clone(counts))),
            None => Box::new(input),
        };
        let mut held = Vec::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match input.read(&mut chunk) {
                Ok(0) => return Ok(held.into()),
                Ok(count) => held.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(error) if Stopped::is_in(&error) => return Err(Stopped.to_string()),
                Err(error) => return Err(ObjectFault::Unavailable(error).to_string()),
            }
            if held.len() as u64 > most {
                return Err(format!(
                    "more than limits.objectBytes ({most}) through a pipe, which is held whole; name the file instead, which is not"
                ));
            }
        }
    }

    /// One result: exactly one outcome, whatever happens.
    fn scan_result(&mut self, told: Told<'_>, of: Of<'_>, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let record = place.entry.record();
        let raw = match told.content {
            Content::Whole(raw) => raw,
            Content::TooLong => {
                let limit = self.stages.bounds.record;
                return self.broken(&record, told, place, &format!("longer than limits.recordBytes ({limit})"));
            }
            Content::NoList | Content::NoRun => return self.broken(&record, told, place, ""),
        };
        let mut mended = std::mem::take(&mut self.mended);
        let run = of.runs.get(told.run);
        let empty = SarifRun::default();
        let raw = text::without_half_pairs(raw, &mut mended);
        match SarifResult::parse(raw, run.unwrap_or(&empty), &of.scans.scan, place.now_ms) {
            Ok(SarifResult::Failing(finding, baseline)) => {
                self.scan_finding(&finding, baseline, &of.scans.scan, &record, place, outlet);
            }
            Ok(SarifResult::NotFailing) => record.ends_as(Outcome::Ignored),
            Ok(SarifResult::Unchanged) => {
                place.entry.counts().finding_unchanged();
                record.ends_as(Outcome::Ignored);
            }
            Ok(SarifResult::Suppressed) => record.ends_as(Outcome::Suppressed),
            Err(error) => self.broken(&record, told, place, &error.to_string()),
        }
        // One huge result must not hold its memory for ever.
        mended.clear();
        mended.shrink_to(MENDED_KEPT);
        self.mended = mended;
    }

    fn scan_finding(
        &mut self,
        finding: &Finding<'_>,
        baseline: Baseline,
        scan: &Scan,
        record: &Arc<RecordEntry>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let stages = self.stages;
        let event_id = finding.event_id();
        if stages.seen.admit(RecordKey::new(&finding.account, &event_id), record) == Admission::Copy {
            place.entry.counts().finding_copied();
            return;
        }
        let arrival = self.arrival(finding.updated_ms, place);
        let mut enriched = self.enricher.enrich_finding(finding);
        enriched.account.environment = scan.environment.as_deref().or(enriched.account.environment);
        let severity = stages.findings.severity(finding, enriched.account.environment);
        let transition = match baseline {
            Baseline::New => Transition::New,
            Baseline::Updated => Transition::Updated,
            Baseline::Absent => Transition::Resolved,
        };
        let mut tell = Tell::of_scan(finding, transition, severity);
        let mut classified = ClassifiedFinding::in_code(finding, &event_id, &enriched, &stages.frameworks);
        let related = classified.related.items().get(1..).unwrap_or_default();
        classified.exception =
            ClassifiedFinding::find_exception(finding, &enriched, None, related, &stages.exceptions, place.now_ms);
        // Only what stands open is excepted.
        tell.excepted = classified.exception.is_some() && tell.status == FindingStatus::Open;
        if tell.excepted {
            place.entry.counts().finding_excepted();
            record.ends_as(Outcome::Suppressed);
        } else {
            record.ends_as(Outcome::Delivered);
        }
        let cut = push_finding(&mut self.item, &classified, &tell, arrival, place.source);
        let from = From { account: &finding.account, region: enriched.region, service: &enriched.service };
        let of_finding = stages.counts_finding(from, tell.severity, finding.control(), tell.transition.as_str());
        let counted = [stages.counts_record(from, Kind::Finding), of_finding];
        outlet.put(Lane::Events, &self.item, arrival.timestamp_ms, record.piece().counting(counted));
        if cut > 0 {
            place.entry.counts().cut(cut);
        }
    }

    /// Something that is no result: counted, and named with its place.
    fn broken(&mut self, record: &Arc<RecordEntry>, told: Told<'_>, place: &Place<'_>, why: &str) {
        record.ends_as(Outcome::Unreadable);
        let Told { run, index, content } = told;
        let why = match content {
            Content::NoRun => format!("runs[{run}] is no object"),
            Content::NoList => format!("runs[{run}].results is no list"),
            Content::Whole(_) | Content::TooLong => format!("runs[{run}].results[{index}]: {why}"),
        };
        if !self.stages.quiet {
            self.named.tell(&place.origin.name, place.index, &why, "it is not sent");
        }
    }
}

fn opened(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(CHUNK, File::open(path)?))
}

#[cfg(test)]
#[path = "sarif_tests.rs"]
mod tests;
