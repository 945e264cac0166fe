//! What the stand-in holds, as lines while it arrives and as tables at the end.
//!
//! In: the stand-in's store, and how long its answers took. Out: text. Counts come from the events that were accepted, never from
//! the agent's own counters. `preventive` has the half of AWS Config and of findings.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::table::table;
use super::super::{count, print};
use super::{SOURCE, preventive, trouble};
use crate::encode::dictionary::{
    COMPLIANCE_CHANGE, FINDING, FINDING_INSIGHT, HEARTBEAT, NOTICE, RESOURCE_CHANGE, SECURITY_EVENT,
};
use crate::lab::backend::Store;
use crate::posture::Compliance;
use crate::record::time;

/// Rows of the tables that have no natural end.
pub(super) const TOP: usize = 10;

/// Time between two looks into the store.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Detections worth a look, as they are accepted.
pub(super) struct Feed {
    store: Store,
    colour: bool,
    /// Rows looked at.
    seen: usize,
}

impl Feed {
    pub(super) fn new(store: Store, colour: bool) -> Self {
        Self { store, colour, seen: 0 }
    }

    /// Prints them for ever. May be dropped at any time: what was not printed is in [`Self::news`].
    ///
    /// # Errors
    /// When nothing can be printed.
    pub(super) async fn run(&mut self) -> anyhow::Result<Infallible> {
        loop {
            let news = self.news();
            if !news.is_empty() {
                print(&news)?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// One line for each that was accepted since the last call.
    pub(super) fn news(&mut self) -> String {
        let rows = self.store.rows(SECURITY_EVENT);
        let news = rows.iter().skip(self.seen).map(|row| line(row, self.colour)).collect();
        self.seen = rows.len();
        news
    }
}

/// A detection as a line; empty when it is not severe.
fn line(row: &Map<String, Value>, colour: bool) -> String {
    let severity = text(row, "control.severity");
    let (on, off) = match (severity, colour) {
        ("CRITICAL" | "HIGH", false) => ("", ""),
        ("CRITICAL", true) => ("\x1b[1;31m", "\x1b[0m"),
        ("HIGH", true) => ("\x1b[33m", "\x1b[0m"),
        _ => return String::new(),
    };
    format!(
        "  {}  {on}{severity:<8}{off}  {:<34} {:<12} {} ({})\n",
        time::format_ms(number(row, "event.time")),
        text(row, "control.id"),
        text(row, "aws.accountId"),
        text(row, "actor.name"),
        text(row, "actor.kind"),
    )
}

/// Detections per control and severity, top actors, the preventive half, what arrived, how late it came and what went wrong; `delays`
/// of the files, shortest first; `state` is what the preventive half is held against.
pub(super) fn summary(store: &Store, state: &Compliance, delays: &[Duration]) -> String {
    let rows = store.rows(SECURITY_EVENT);
    let mut out = String::from("\nDetections per control\n");
    let mut controls: BTreeMap<(i64, String), (u64, &str, &str)> = BTreeMap::new();
    let mut severities: BTreeMap<i64, (u64, &str)> = BTreeMap::new();
    let mut actors: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for row in &rows {
        let score = number(row, "control.severityScore");
        let control = text(row, "control.id");
        let entry = controls.entry((-score, control.to_owned())).or_insert((
            0,
            text(row, "control.severity"),
            text(row, "attack.technique"),
        ));
        entry.0 += 1;
        if text(row, "detection.primary") == "true" {
            *actors.entry((text(row, "actor.name"), text(row, "actor.type"), text(row, "actor.kind"))).or_default() += 1;
        }
        let rank =
            ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"].iter().position(|word| *word == text(row, "control.severity"));
        let entry = severities
            .entry(rank.map_or(9, |rank| i64::try_from(rank).unwrap_or(9)))
            .or_insert((0, text(row, "control.severity")));
        entry.0 += 1;
    }
    let lines: Vec<Vec<String>> = controls
        .iter()
        .map(|((_, control), (count, severity, technique))| {
            vec![(*severity).to_owned(), control.clone(), (*technique).to_owned(), count.to_string()]
        })
        .collect();
    out += &table(&["severity", "control", "technique", "detections"], &lines);
    out += "\nDetections per severity\n";
    let most = severities.values().map(|(count, _)| *count).max().unwrap_or(1);
    for (count, severity) in severities.values() {
        let bar = "█".repeat(usize::try_from(count * 40 / most.max(1)).unwrap_or(40).max(1));
        out += &format!("  {severity:<14} {count:>6}  {bar}\n");
    }
    out += "\nTop actors by records with a detection\n";
    let mut actors: Vec<_> = actors.into_iter().collect();
    actors.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let lines: Vec<Vec<String>> = actors
        .iter()
        .take(TOP)
        .map(|((name, of, kind), count)| vec![(*name).to_owned(), (*of).to_owned(), (*kind).to_owned(), count.to_string()])
        .collect();
    out += &table(&["actor", "type", "kind", "records"], &lines);
    if actors.iter().take(TOP).any(|((_, _, kind), _)| *kind == "unknown") {
        out += "  unknown: these records do not tell a person from a program, as with a user's key in the AWS CLI; the same user\n  \
                at the console is human. `cspm-relay schema` explains actor.kind\n";
    }
    out + &preventive::summary(store, state) + &arrived(store) + &lag(store, delays) + &trouble::summary(store)
}

/// What New Relic would hold.
fn arrived(store: &Store) -> String {
    // Each record is a log or one event of these types, so their ids are the records.
    let types = ["Log", COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE, FINDING_INSIGHT];
    // An insight has several rows, which repeat nothing.
    let records = types.into_iter().filter(|name| *name != FINDING_INSIGHT).map(|name| (name, store.counts(name)));
    let records: Vec<_> = records.collect();
    let beside = [SECURITY_EVENT, NOTICE].map(|name| (name, store.counts(name)));
    let beats = store.rows(HEARTBEAT);
    // What readings of AWS Config and IAM add is not in the records that came in.
    let came_in = |row: &&Map<String, Value>| text(row, "relay.source") == SOURCE;
    let received: i64 = beats.iter().filter(came_in).map(|row| number(row, "heartbeat.recordsReceived")).sum();
    let ids = types.map(|name| {
        let rows = store.rows(name);
        let ids: BTreeSet<&str> = rows.iter().filter(came_in).map(|row| text(row, "event.id")).collect();
        (name, ids.len())
    });
    let sent: usize = ids.iter().map(|(_, ids)| ids).sum();
    let parts: Vec<String> = ids.iter().map(|(name, ids)| format!("{ids} {name}")).collect();
    let mut out = String::from("\nHeld by the stand-in\n");
    let late = |name: &str| store.rows(name).iter().filter(|row| text(row, "relay.late") == "true").count().to_string();
    let lines: Vec<Vec<String>> = records
        .iter()
        .chain(&beside)
        .map(|(name, counts)| {
            vec![
                (*name).to_owned(),
                counts.rows.to_string(),
                counts.distinct_ids.to_string(),
                counts.repeated.to_string(),
                late(name),
            ]
        })
        .collect();
    out += &table(&["type", "rows", "distinct records", "repeated", "late"], &lines);
    out += &notices(&store.rows(NOTICE));
    let lost = trouble::lost(store, &types);
    let ended = u64::try_from(sent).unwrap_or(u64::MAX).saturating_add(lost);
    let verdict = if u64::try_from(received) == Ok(ended) { "in = out" } else { "IN IS NOT OUT" };
    let lost = if lost == 0 { String::new() } else { format!(", and {lost} that New Relic lost after its yes") };
    out += &format!("\nRecords in, by heartbeats: {received}; records out: {} = {sent}{lost}: {verdict}\n", parts.join(" + "));
    out
}

/// What people would be told in these weeks, by what it is about.
fn notices(rows: &[Map<String, Value>]) -> String {
    let about = |name: &str| rows.iter().filter(|row| row.contains_key(name)).count();
    let findings = about("finding.key");
    let violations = rows.iter().filter(|row| row.contains_key("compliance.state") && !row.contains_key("finding.key")).count();
    let trail = rows.len() - findings - violations;
    format!("Notices of these weeks: {trail} of the trail, {violations} of violations that began, {findings} of findings\n")
}

/// How late it came. A record's own lag is by the demo's clock, so what the agent adds is said first.
fn lag(store: &Store, delays: &[Duration]) -> String {
    let (Some(median), Some(longest)) = (delays.get(delays.len() / 2), delays.last()) else { return String::new() };
    let beats = store.rows(HEARTBEAT);
    let minutes = beats.iter().map(|row| number(row, "heartbeat.lagMsMax")).max().unwrap_or(0) / 60_000;
    format!(
        "Lag, from the agent's taking a file to the yes to the last of it: median {:.2} s, at most {:.2} s ({})\n\
         Lag by the records' own times (relay.lagMs): at most {} h {} min on a clock that follows the records\n",
        median.as_secs_f64(),
        longest.as_secs_f64(),
        count(delays.len() as u64, "file"),
        minutes / 60,
        minutes % 60,
    )
}

pub(super) fn text<'r>(row: &'r Map<String, Value>, name: &str) -> &'r str {
    row.get(name).and_then(Value::as_str).unwrap_or("-")
}

pub(super) fn number(row: &Map<String, Value>, name: &str) -> i64 {
    row.get(name).and_then(Value::as_i64).unwrap_or(0)
}
