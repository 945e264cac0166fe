//! What happened, as a table people compare and as JSON.

use std::io::Write as _;

use super::count;
use super::table::table;
use crate::ack::counts::Snapshot;
use crate::ack::{Outcome, Verdict};
use crate::pipeline::Summary;

/// Both equations of a source as one line each: `received = delivered + …`, under a headline.
fn equations(name: &str, headline: &str, counts: &Snapshot) -> String {
    let records: Vec<String> =
        Outcome::ALL.iter().map(|outcome| format!("{} {}", counts.ended(*outcome), outcome.as_str())).collect();
    let objects: Vec<String> =
        Verdict::ALL.iter().map(|verdict| format!("{} {}", counts.objects_ended(*verdict), verdict.as_str())).collect();
    format!(
        "{name}: {headline}\n  records: {} received = {}\n  objects: {} received = {}\n",
        counts.records_received,
        records.join(" + "),
        counts.objects_received,
        objects.join(" + "),
    )
}

/// Whether the equations of all sources hold, in words.
#[must_use]
pub(super) fn adds_up(summary: &Summary) -> &'static str {
    let holds = summary.sources.iter().all(|(_, counts)| counts.adds_up());
    if holds { "the counts add up" } else { "the counts DO NOT ADD UP" }
}

/// The counts for a person, under a headline of the caller's, who knows what happened; faults are told by the command, once.
#[must_use]
pub(super) fn text(summary: &Summary, headline: &str) -> String {
    let sources = summary.sources.iter().map(|(name, counts)| source(name, headline, counts));
    sources.collect::<String>() + &answers(summary) + &rollups(summary).map(|what| what + "\n").unwrap_or_default()
}

/// What is missing in the roll-up metrics, if anything is.
fn rollups(summary: &Summary) -> Option<String> {
    let missing = [(summary.uncounted, "were not sent"), (summary.rollups.refused, "were refused")];
    let missing: Vec<String> =
        missing.into_iter().filter(|(lost, _)| *lost > 0).map(|(lost, how)| format!("{} {how}", count(lost, "count"))).collect();
    (!missing.is_empty())
        .then(|| format!("Roll-up metrics are too low: {}; events and logs are not concerned", missing.join(", ")))
}

fn source(name: &str, headline: &str, counts: &Snapshot) -> String {
    // A detection is counted on its way out; whether its record arrived is what the equations say.
    equations(name, headline, counts)
        + &format!(
            "  found {}; {} fetched, {} of records; {} cut; {} passed over\n",
            count(counts.detections, "detection"),
            count(counts.bytes_packed, "byte"),
            count(counts.bytes_unpacked, "byte"),
            count(counts.truncated, "value"),
            counts.skipped
        )
}

/// What New Relic answered.
fn answers(summary: &Summary) -> String {
    let mut text = String::new();
    let answers = summary.traffic.answers();
    if !answers.is_empty() {
        let rows: Vec<Vec<String>> = answers
            .iter()
            .map(|(status, count)| {
                let status = if *status == 0 { "no answer".to_owned() } else { status.to_string() };
                vec![status, count.to_string()]
            })
            .collect();
        text += &format!(
            "New Relic: {}, {} of them to be tried again, {}\n",
            count(summary.traffic.requests(), "request"),
            summary.traffic.retries(),
            count(summary.traffic.bytes(), "byte")
        );
        text += &table(&["status", "answers"], &rows);
    }
    text
}

/// The summary for a machine.
#[must_use]
pub(super) fn json(summary: &Summary) -> serde_json::Value {
    let sources: Vec<serde_json::Value> = summary
        .sources
        .iter()
        .map(|(name, counts)| {
            let records: serde_json::Map<String, serde_json::Value> =
                Outcome::ALL.iter().map(|outcome| (outcome.as_str().to_owned(), counts.ended(*outcome).into())).collect();
            let objects: serde_json::Map<String, serde_json::Value> =
                Verdict::ALL.iter().map(|verdict| (verdict.as_str().to_owned(), counts.objects_ended(*verdict).into())).collect();
            serde_json::json!({
                "name": name,
                "addsUp": counts.adds_up(),
                "recordsReceived": counts.records_received,
                "records": records,
                "objectsReceived": counts.objects_received,
                "objects": objects,
                "detections": counts.detections,
                "bytesPacked": counts.bytes_packed,
                "bytesUnpacked": counts.bytes_unpacked,
                "truncated": counts.truncated,
                "skipped": counts.skipped,
                "refusedLate": counts.refused_late,
            })
        })
        .collect();
    serde_json::json!({
        "sources": sources,
        "requests": summary.traffic.requests(),
        "retries": summary.traffic.retries(),
        "answers": summary.traffic.answers(),
        "rollups": { "sent": summary.rollups.sent, "refused": summary.rollups.refused, "unsent": summary.uncounted },
        "faults": summary.faults.iter().map(|(name, fault)| format!("{name}: {fault}")).collect::<Vec<_>>(),
    })
}

/// The summary in the agent's own log, one line per source.
pub(super) fn log(summary: &Summary) {
    for (name, counts) in &summary.sources {
        tracing::info!(
            source = name,
            received = counts.records_received,
            delivered = counts.ended(Outcome::Delivered),
            ignored = counts.ended(Outcome::Ignored),
            suppressed = counts.ended(Outcome::Suppressed),
            duplicate = counts.ended(Outcome::Duplicate),
            unreadable = counts.ended(Outcome::Unreadable),
            rejected = counts.ended(Outcome::Rejected),
            returned = counts.ended(Outcome::Returned),
            adds_up = counts.adds_up(),
            "Stopped source {name}"
        );
    }
    if let Some(what) = rollups(summary) {
        tracing::warn!("{what}");
    }
}

/// Writes to standard error; nobody is left to be told if that fails.
pub(super) fn say(text: &str) {
    let _said = std::io::stderr().write_all(text.as_bytes()).is_ok();
}
