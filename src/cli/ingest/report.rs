//! How an ingest ended, in one headline and with what belongs to it.
//!
//! In: the pipeline's summary, and the files that were not read to their end. Out: text for people, JSON for machines, and the
//! faults that decide the exit code. What always holds: the headline is "complete" only if the exit code is 0; a scan without a
//! result is complete.

use super::super::exit::Stop;
use super::super::replay::report::Report;
use super::super::{count, summary};
use super::NAME;
use crate::ack::Outcome;
use crate::ack::counts::Snapshot;
use crate::pipeline::worker::sarif::Unread;

/// An ingest that has ended.
#[derive(Debug)]
pub(super) struct Ingested {
    /// Counters, faults, answers.
    pub(super) gone: Report,
    /// Files that were not read to their end.
    pub(super) unread: Vec<Unread>,
}

impl Ingested {
    fn sum(&self, of: impl Fn(&Snapshot) -> u64) -> u64 {
        self.gone.summary.sources.iter().map(|(_, counts)| of(counts)).sum()
    }

    fn ended(&self, outcome: Outcome) -> u64 {
        self.sum(|counts| counts.ended(outcome))
    }

    fn adds_up(&self) -> bool {
        self.gone.summary.sources.iter().all(|(_, counts)| counts.adds_up())
    }

    /// What happened, in a line.
    fn headline(&self) -> String {
        let mut parts = Vec::new();
        if self.gone.unwanted {
            parts.push("the reader of standard output went away".to_owned());
        }
        if self.gone.summary.blocked.is_some() {
            parts.push("New Relic accepted nothing".to_owned());
        }
        for (outcome, what) in
            [(Outcome::Unreadable, "not readable"), (Outcome::Rejected, "refused"), (Outcome::Returned, "not sent")]
        {
            let results = self.ended(outcome);
            if results > 0 {
                parts.push(format!("{} {what}", count(results, "result")));
            }
        }
        if !self.unread.is_empty() {
            parts.push(format!("{} not read to the end", count(self.unread.len() as u64, "file")));
        }
        if self.gone.reading.stopped {
            parts.push("stopped before the end of the input".to_owned());
        }
        if parts.is_empty() && !self.stops().is_empty() {
            parts.push("ended by a fault".to_owned());
        }
        if parts.is_empty() {
            parts.push("complete".to_owned());
        }
        format!("{}; {}", parts.join(", "), summary::adds_up(&self.gone.summary))
    }

    /// For a person.
    pub(super) fn text(&self) -> String {
        let mut text = summary::text(&self.gone.summary, &self.headline());
        let kept = self.gone.summary.dead_letters.as_ref().filter(|_| self.ended(Outcome::Rejected) > 0);
        if let Some(place) = kept {
            text += &format!("  dead letters: {place} (cspm-relay dlq list --from {place})\n");
        }
        text
    }

    /// For a machine.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut json = summary::json(&self.gone.summary);
        if let Some(json) = json.as_object_mut() {
            let unread = self.unread.iter();
            let unread =
                unread.map(|file| serde_json::json!({ "file": file.file, "why": file.why, "resultsRead": file.results }));
            json.insert("headline".to_owned(), self.headline().into());
            json.insert("filesNotRead".to_owned(), unread.collect());
            json.insert("deadLetters".to_owned(), serde_json::json!(self.gone.summary.dead_letters));
            json.insert("stopped".to_owned(), self.gone.reading.stopped.into());
        }
        json
    }

    /// What went wrong, the most telling last; empty when the exit code is 0.
    pub(super) fn stops(&self) -> Vec<Stop> {
        let Report { summary, reading, unwanted, .. } = &self.gone;
        if *unwanted {
            return Vec::new();
        }
        if let Some(hint) = summary.blocked {
            return vec![Stop::failed("New Relic accepted nothing", Some(hint.to_owned()))];
        }
        let mut stops = Vec::new();
        let failed = |outcome, what: &str, hint: &str| {
            let results = self.ended(outcome);
            (results > 0).then(|| Stop::failed(format!("{} {what}", count(results, "result")), Some(hint.to_owned())))
        };
        stops.extend(failed(
            Outcome::Returned,
            "not sent: no answer, or refused and no deadLetters configured",
            "ingest the same file again: what arrives twice has the same event.id",
        ));
        stops.extend(failed(Outcome::Rejected, "refused by New Relic", "the log says why; they are in the dead letters"));
        stops.extend(failed(
            Outcome::Unreadable,
            "could not be read and are not sent, the others are",
            "the log names the place of each, from 0: runs[0].results[0] is the first",
        ));
        // What the source says of a file is said better here.
        let told = !self.unread.is_empty() || !stops.is_empty();
        for (name, fault) in summary.faults.iter().filter(|(name, _)| name != NAME || !told) {
            stops.push(Stop::failed(format!("source {name}: {fault}"), fault.hint.clone()));
        }
        if reading.stopped {
            stops.push(Stop::failed("stopped before everything was read", None));
        }
        if !self.adds_up() {
            stops.push(Stop::failed("the counts do not add up: something received has no end", None));
        }
        for Unread { file, why, results } in &self.unread {
            let before =
                if *results > 0 { format!("; {} before that were read", count(*results, "result")) } else { String::new() };
            stops.push(Stop::failed(format!("{file}: {why}{before}"), None));
        }
        stops
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::classify::Thrown;
    use crate::pipeline::Summary;
    use crate::source::SourceError;
    use crate::source::replay::Reading;

    fn ingested(ends: &[(Outcome, u64)], unread: Vec<Unread>) -> Ingested {
        let mut counts = Snapshot { records_received: ends.iter().map(|(_, count)| count).sum(), ..Snapshot::default() };
        for (outcome, count) in ends {
            counts.records[*outcome as usize] = *count;
        }
        let summary = Summary {
            rollups: crate::ack::RollupTallies::default(),
            uncounted: 0,
            sources: vec![(NAME.to_owned(), counts)],
            faults: Vec::new(),
            traffic: Arc::default(),
            blocked: None,
            skipped: BTreeMap::new(),
            dead_letters: None,
        };
        Ingested {
            gone: Report {
                summary,
                reading: Reading::default(),
                skipped: BTreeMap::new(),
                thrown: Thrown::default(),
                unwanted: false,
            },
            unread,
        }
    }

    /// Only what is whole is complete and ends with 0; a scan that found nothing is.
    #[test]
    fn the_headline_says_what_happened() {
        let cut = || vec![Unread { file: "a.sarif".to_owned(), why: "truncated".to_owned(), results: 2 }];
        let mut source = ingested(&[(Outcome::Delivered, 2)], cut());
        source.gone.summary.faults.push((NAME.to_owned(), SourceError { what: "replaying a.sarif".to_owned(), hint: None }));
        let mut unexplained = ingested(&[(Outcome::Delivered, 2)], Vec::new());
        unexplained.gone.summary.faults.push((NAME.to_owned(), SourceError { what: "gone".to_owned(), hint: None }));
        let mut blocked = ingested(&[(Outcome::Returned, 5)], Vec::new());
        blocked.gone.summary.blocked = Some("mend the key");
        let mut stopped = ingested(&[(Outcome::Delivered, 2), (Outcome::Returned, 1)], Vec::new());
        stopped.gone.reading.stopped = true;
        let mut unwanted = ingested(&[(Outcome::Returned, 1)], Vec::new());
        unwanted.gone.unwanted = true;
        for (name, ended, want, stops) in [
            (
                "good",
                ingested(&[(Outcome::Delivered, 2), (Outcome::Suppressed, 1)], Vec::new()),
                "complete; the counts add up",
                0,
            ),
            ("nothing found", ingested(&[], Vec::new()), "complete; the counts add up", 0),
            ("a broken result", ingested(&[(Outcome::Unreadable, 1)], Vec::new()), "1 result not readable; the counts add up", 1),
            ("refused", ingested(&[(Outcome::Rejected, 2)], Vec::new()), "2 results refused; the counts add up", 1),
            ("a cut file", source, "1 file not read to the end; the counts add up", 1),
            ("a fault of the source", unexplained, "ended by a fault; the counts add up", 1),
            ("blocked", blocked, "New Relic accepted nothing, 5 results not sent; the counts add up", 1),
            ("stopped", stopped, "1 result not sent, stopped before the end of the input; the counts add up", 2),
            ("unwanted", unwanted, "the reader of standard output went away, 1 result not sent; the counts add up", 0),
        ] {
            assert_eq!(ended.headline(), want, "{name}");
            assert_eq!(ended.stops().len(), stops, "{name}: {:?}", ended.stops());
            assert!(want.starts_with("complete") == ended.stops().is_empty() || ended.gone.unwanted, "{name}");
        }
        let stop = ingested(&[(Outcome::Delivered, 2)], cut()).stops().pop().expect("a stop");
        assert_eq!(stop.to_string(), "a.sarif: truncated; 2 results before that were read");
    }
}
