//! How a replay ended, in one headline and with what belongs to it.
//!
//! In: the pipeline's summary, and what the source passed over and left. Out: text for people, JSON for machines, and the
//! faults that decide the exit code. What always holds: the headline is "complete" only if the exit code is 0.

use std::collections::BTreeMap;

use super::super::exit::Stop;
use super::super::{count, summary};
use crate::ack::{Outcome, Verdict};
use crate::classify::Thrown;
use crate::encode::limits;
use crate::pipeline::Summary;
use crate::source::replay::Reading;
use crate::source::skipped::Few;

/// A replay that has ended.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    /// Counters, faults, answers.
    pub(in crate::cli) summary: Summary,
    /// How far it came.
    pub(in crate::cli) reading: Reading,
    /// What was passed over, by reason.
    pub(in crate::cli) skipped: BTreeMap<&'static str, Few>,
    /// What correlations could not look at.
    pub(in crate::cli) thrown: Thrown,
    /// The reader of standard output went away: whatever is left was not wanted.
    pub(in crate::cli) unwanted: bool,
}

impl Report {
    fn sum(&self, of: impl Fn(&crate::ack::counts::Snapshot) -> u64) -> u64 {
        self.summary.sources.iter().map(|(_, counts)| of(counts)).sum()
    }

    /// No record was found, and nothing else went wrong that would explain it.
    fn found_nothing(&self) -> bool {
        self.sum(|counts| counts.records_received) == 0
            && self.sum(|counts| counts.objects_ended(Verdict::Parked)) == 0
            && self.reading.unread == 0
            && self.summary.faults.is_empty()
            && self.summary.blocked.is_none()
            && !self.unwanted
    }

    /// What happened, in a line.
    fn headline(&self) -> String {
        let mut parts = Vec::new();
        if self.unwanted {
            parts.push("the reader of standard output went away".to_owned());
        }
        if self.summary.blocked.is_some() {
            parts.push("New Relic accepted nothing".to_owned());
        }
        if self.found_nothing() {
            parts.push("no records found".to_owned());
        }
        let returned = self.sum(|counts| counts.ended(Outcome::Returned));
        if returned > 0 {
            parts.push(format!("{} not sent", count(returned, "record")));
        }
        if self.reading.unread > 0 {
            parts.push(format!("{} not finished", count(self.reading.unread, "object")));
        }
        if self.reading.stopped {
            parts.push("stopped before the end of the input".to_owned());
        }
        if parts.is_empty() && !self.summary.faults.is_empty() {
            parts.push("ended by a fault".to_owned());
        }
        let letters = self.letters();
        if parts.is_empty() && self.adds_up() {
            parts.push("complete".to_owned());
        }
        if letters > 0 && self.summary.dead_letters.is_some() {
            parts.push(format!("{} parked", count(letters, "broken or refused thing")));
        }
        let counts = summary::adds_up(&self.summary);
        if parts.is_empty() { counts.to_owned() } else { format!("{}; {counts}", parts.join(", ")) }
    }

    fn adds_up(&self) -> bool {
        self.summary.sources.iter().all(|(_, counts)| counts.adds_up())
    }

    /// Records and objects that are in the dead letters.
    fn letters(&self) -> u64 {
        self.sum(|counts| {
            counts.ended(Outcome::Unreadable) + counts.ended(Outcome::Rejected) + counts.objects_ended(Verdict::Parked)
        })
    }

    /// For a person.
    pub(in crate::cli) fn text(&self) -> String {
        let mut text = summary::text(&self.summary, &self.headline());
        for (reason, few) in &self.skipped {
            let more = few.count.saturating_sub(few.first.len() as u64);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            text += &format!("  passed over, {reason}: {} ({}{more})\n", few.count, few.first.join(", "));
        }
        let Thrown { records, out_of_time } = self.thrown;
        if records > 0 {
            text += &format!(
                "  correlations: {} not counted for want of room; narrow the rules that they name\n",
                count(records, "record")
            );
        }
        if out_of_time > 0 {
            text +=
                &format!("  correlations: {} not counted, too far from the time of the others\n", count(out_of_time, "record"));
        }
        if let Some(place) = self.summary.dead_letters.as_ref().filter(|_| self.letters() > 0) {
            text += &format!("  dead letters: {place} (cspm-relay dlq list --from {place})\n");
        }
        text
    }

    /// For a machine.
    pub(super) fn json(&self) -> serde_json::Value {
        let mut json = summary::json(&self.summary);
        if let Some(json) = json.as_object_mut() {
            json.insert("headline".to_owned(), self.headline().into());
            json.insert("passedOver".to_owned(), serde_json::json!(self.skipped));
            json.insert("deadLetters".to_owned(), serde_json::json!(self.summary.dead_letters));
            json.insert("objectsNotFinished".to_owned(), self.reading.unread.into());
            let Thrown { records, out_of_time } = self.thrown;
            json.insert("correlations".to_owned(), serde_json::json!({ "noRoom": records, "outOfTime": out_of_time }));
            json.insert("stopped".to_owned(), self.reading.stopped.into());
        }
        json
    }

    /// What went wrong, the most telling last; empty when the exit code is 0.
    pub(in crate::cli) fn stops(&self) -> Vec<Stop> {
        if self.unwanted {
            return Vec::new();
        }
        if let Some(hint) = self.summary.blocked {
            return vec![Stop::failed("New Relic accepted nothing", Some(hint.to_owned()))];
        }
        // What went back is a fault of the source: each object has its own line in the log.
        let faults = self.summary.faults.iter();
        let mut stops: Vec<Stop> =
            faults.map(|(name, fault)| Stop::failed(format!("source {name}: {fault}"), fault.hint.clone())).collect();
        let late = self.sum(|counts| counts.refused_late);
        if late > 0 {
            let (what, hint) = too_old(late);
            stops.push(Stop::failed(what, Some(hint)));
        }
        if !self.adds_up() {
            stops.push(Stop::failed("the counts do not add up: something received has no end", None));
        }
        if self.found_nothing() {
            let objects = self.sum(|counts| counts.objects_received);
            let skipped: u64 = self.skipped.values().map(|few| few.count).sum();
            let what = format!("no records found: {} read, {skipped} passed over", count(objects, "object"));
            let hint = "records are CloudTrail files, records one a line, or EventBridge events; of a pipe, see what its \
                        first command said";
            stops.push(Stop::failed(what, Some(hint.to_owned())));
        }
        stops
    }
}

/// Why records were not sent, and what to do about it.
fn too_old(records: u64) -> (String, String) {
    let (ours, theirs) = (limits::LATE_MS / 3_600_000, limits::EVENT_WINDOW_MS / 3_600_000);
    let records = count(records, "record");
    (
        format!(
            "{records} not sent: more than {ours} hours old, or ahead; New Relic takes a record under its own time within \
             {theirs} hours, and one hour is kept for the way"
        ),
        "--restamp sends them under the present time, marked late".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ack::counts::Snapshot;
    use crate::source::SourceError;

    fn report(counts: Snapshot) -> Report {
        let summary = Summary {
            rollups: crate::ack::RollupTallies::default(),
            uncounted: 0,
            sources: vec![("replay".to_owned(), counts)],
            faults: Vec::new(),
            traffic: Arc::default(),
            blocked: None,
            skipped: BTreeMap::new(),
            dead_letters: None,
        };
        Report { summary, reading: Reading::default(), skipped: BTreeMap::new(), thrown: Thrown::default(), unwanted: false }
    }

    fn counts(ends: &[(Outcome, u64)]) -> Snapshot {
        let mut counts = Snapshot { records_received: ends.iter().map(|(_, count)| count).sum(), ..Snapshot::default() };
        for (outcome, count) in ends {
            counts.records[*outcome as usize] = *count;
        }
        counts
    }

    /// The headline says what happened, and only a run that ends with 0 is complete.
    #[test]
    fn the_headline_says_what_happened() {
        let good = || report(counts(&[(Outcome::Delivered, 3)]));
        let fault = || ("replay".to_owned(), SourceError { what: "replaying x: gone".to_owned(), hint: None });
        let mut stopped = report(counts(&[(Outcome::Delivered, 3), (Outcome::Returned, 1)]));
        stopped.reading = Reading { unread: 2, stopped: true, ..Reading::default() };
        stopped.summary.faults.push(fault());
        let mut broken = report(counts(&[(Outcome::Delivered, 3), (Outcome::Unreadable, 2)]));
        broken.summary.dead_letters = Some("dead".to_owned());
        let mut unwanted = report(counts(&[(Outcome::Returned, 5)]));
        unwanted.unwanted = true;
        let mut blocked = report(counts(&[(Outcome::Returned, 5)]));
        blocked.summary.blocked = Some("mend the key");
        let mut fallen = good();
        fallen.summary.faults.push(fault());
        let mut wrong = good();
        wrong.summary.sources[0].1.records_received = 4;
        for (name, report, want, stops) in [
            ("good", good(), "complete; the counts add up", 0),
            (
                "stopped",
                stopped,
                "1 record not sent, 2 objects not finished, stopped before the end of the input; the counts add up",
                1,
            ),
            ("broken", broken, "complete, 2 broken or refused things parked; the counts add up", 0),
            ("unwanted", unwanted, "the reader of standard output went away, 5 records not sent; the counts add up", 0),
            ("blocked", blocked, "New Relic accepted nothing, 5 records not sent; the counts add up", 1),
            ("a fault", fallen, "ended by a fault; the counts add up", 1),
            ("nothing", report(Snapshot::default()), "no records found; the counts add up", 1),
            ("wrong", wrong, "the counts DO NOT ADD UP", 1),
        ] {
            assert_eq!((report.headline().as_str(), report.stops().len()), (want, stops), "{name}");
            assert!(report.text().starts_with(&format!("replay: {want}\n")), "{name}: {}", report.text());
            assert_eq!(report.json()["headline"], want, "{name}");
        }
    }

    #[test]
    fn what_was_passed_over_and_where_letters_are_is_said() {
        let mut report = report(counts(&[(Outcome::Unreadable, 1)]));
        report.summary.dead_letters = Some("/dead".to_owned());
        let first = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        report.skipped.insert("digest file", Few { count: 5, first });
        let text = report.text();
        assert!(text.contains("  passed over, digest file: 5 (a, b, c and 2 more)\n"), "{text}");
        assert!(text.contains("  dead letters: /dead (cspm-relay dlq list --from /dead)\n"), "{text}");
        let json = report.json();
        assert_eq!((&json["passedOver"]["digest file"]["count"], &json["deadLetters"]), (&5.into(), &"/dead".into()));
    }

    #[test]
    fn too_old_says_both_hours() {
        let (what, hint) = too_old(2);
        assert!(what.starts_with("2 records not sent: more than 23 hours old") && what.contains("within 24 hours"), "{what}");
        assert!(hint.contains("--restamp"));
        assert!(too_old(1).0.starts_with("1 record not sent"));
    }
}
