//! Detections, notices, gaps and heartbeats → items for the Event API.
//!
//! In: what a stage found. Out: flat JSON events. A record's detections are `AwsSecurityEvent`s, the most severe one marked
//! primary; a record that a person must see is one `AwsSecurityNotice`, which carries no timestamp of its own, so that New
//! Relic stamps it on arrival and no alert window that has closed can miss it.

use super::dictionary::{DOCTOR, GAP, HEARTBEAT, NOTICE, SECURITY_EVENT};
use super::writer::EventWriter;
use super::{limits, mask};
use crate::ack::counts::Snapshot;
use crate::ack::{Outcome, RollupTallies, Verdict};
use crate::classify::{AccountName, Classified, Day, Rule};
use crate::posture::{FindingTallies, NoveltyTallies};
use crate::record::id::digest_id;

/// Version of the agent, in every event.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// When a record came, and what New Relic files it under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// What New Relic files it under, milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Arrival minus event time, milliseconds; negative when clocks disagree.
    pub lag_ms: i64,
    /// Whether the record's own time is outside the ingest window.
    pub late: bool,
}

impl Arrival {
    /// The arrival of a record at `now_ms`. Records outside the window on either side are filed under the present.
    #[must_use]
    pub fn of(event_ms: i64, now_ms: i64) -> Self {
        let lag_ms = now_ms.saturating_sub(event_ms);
        let late = !(-limits::LATE_MS..=limits::LATE_MS).contains(&lag_ms);
        Self { timestamp_ms: if late { now_ms } else { event_ms }, lag_ms, late }
    }
}

/// Writes the `AwsSecurityEvent` of the `at`-th hit; hits are most severe first. Returns the number of values cut.
pub fn push_security_event(out: &mut Vec<u8>, classified: &Classified<'_>, at: usize, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, SECURITY_EVENT, Some(arrival.timestamp_ms));
    event.flag("relay.late", arrival.late);
    if let Some(rule) = classified.hits.get(at) {
        event.text("detection.id", &format!("{}:{}", classified.event_id, rule.id));
        control(&mut event, rule);
    }
    event.flag("detection.primary", at == 0);
    record(&mut event, classified, arrival, source);
    event.end()
}

/// Writes the `AwsSecurityNotice` of a record. Returns the number of values cut.
pub fn push_notice(out: &mut Vec<u8>, classified: &Classified<'_>, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, NOTICE, None);
    event.flag("relay.late", arrival.late);
    if let Some(rule) = classified.hits.first() {
        event.text("detection.id", &format!("{}:{}", classified.event_id, rule.id));
        control(&mut event, rule);
    }
    let ids: Vec<&str> = classified.hits.iter().map(|rule| rule.id.as_str()).collect();
    event.text("control.ids", &format!("|{}|", ids.join("|")));
    record(&mut event, classified, arrival, source);
    event.end()
}

/// Whether a record is notifiable: one of its rules says so.
#[must_use]
pub fn is_notifiable(classified: &Classified<'_>) -> bool {
    classified.hits.iter().any(|rule| rule.notify)
}

fn control(event: &mut EventWriter<'_>, rule: &Rule) {
    if rule.correlation.is_some() {
        event.flag("detection.correlated", true);
    }
    event.text("control.id", &rule.id);
    event.text("control.title", &rule.title);
    event.maybe("control.author", rule.foreign_author());
    event.text("control.kind", "detective");
    event.text("control.severity", rule.severity.as_str());
    event.number("control.severityScore", i64::from(rule.score));
    event.text("control.pillar", rule.pillar.as_str());
    event.maybe("control.frameworks", rule.frameworks.joined());
    event.maybe("control.remediation", rule.remediation.as_deref());
    event.maybe("control.runbookUrl", rule.runbook.as_deref());
    event.maybe("attack.tactic", rule.tactics.first());
    event.maybe("attack.technique", rule.techniques.first());
    event.maybe("attack.tactics", rule.tactics.joined());
    event.maybe("attack.techniques", rule.techniques.joined());
}

fn record(event: &mut EventWriter<'_>, classified: &Classified<'_>, arrival: Arrival, source: &str) {
    let (trail, enriched) = (classified.trail, classified.enriched);
    event.text("event.id", classified.event_id);
    event.maybe("event.sharedId", trail.shared_event_id.get().filter(|id| !id.is_empty()));
    event.text("event.name", &enriched.event_name);
    event.text("event.category", enriched.category);
    event.text("event.outcome", enriched.outcome.as_str());
    event.maybe("event.errorCode", enriched.error_code);
    // AWS quotes the request in its messages, and callers write their agent's name: both pass no allow-list.
    event.maybe("event.errorMessage", enriched.error_message.map(mask::masked).as_deref());
    event.text("event.readOnly", trail.read_only.get().unwrap_or("unknown"));
    event.maybe("event.addendum", enriched.addendum.as_ref().and_then(|addendum| addendum.reason.get()));
    moment(event, trail.time_ms, &enriched.day);
    place(event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    let actor = &enriched.actor;
    event.text("actor.kind", actor.kind.as_str());
    event.text("actor.type", &actor.identity_type);
    event.text("actor.name", &actor.name);
    event.maybe("actor.arn", actor.arn.as_deref());
    event.maybe("actor.accountId", actor.account_id.as_deref());
    event.maybe("actor.sessionIssuer", actor.session_issuer.as_deref());
    event.maybe("actor.sourceIdentity", actor.source_identity.as_deref());
    if let Some(mfa) = actor.mfa {
        event.flag("actor.mfa", mfa);
    }
    event.maybe("source.ip", trail.source_ip_address.get());
    event.maybe("source.userAgent", trail.user_agent.get().map(mask::masked).as_deref());
    if let Some(novelty) = classified.novelty {
        event.text("novelty.api", novelty.api.as_str());
        event.text("novelty.address", novelty.address.as_str());
    }
    event.text("resource.type", &enriched.resource.kind);
    event.text("resource.id", &enriched.resource.id);
    event.maybe("resource.arn", enriched.resource.arn.as_deref());
    for (name, value) in &enriched.request {
        event.text(name, value);
    }
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
}

/// When it happened, and on which day of the configured zone.
pub(super) fn moment(event: &mut EventWriter<'_>, time_ms: i64, day: &Day) {
    event.number("event.time", time_ms);
    event.text("event.date", day.date());
    event.text("event.week", day.week());
    event.text("event.month", day.month());
}

/// Where it happened.
pub(super) fn place(event: &mut EventWriter<'_>, account: &AccountName<'_>, region: &str, partition: &str, service: &str) {
    names(event, account);
    event.text("aws.region", region);
    event.text("aws.partition", partition);
    event.text("aws.service", service);
}

/// Whose it is.
pub(super) fn names(event: &mut EventWriter<'_>, account: &AccountName<'_>) {
    event.text("aws.accountId", account.id);
    event.text("aws.accountName", account.name);
    event.text("aws.organizationalUnit", account.organizational_unit);
    event.text("aws.environment", account.environment_or_unknown());
    // A tag of a resource may hold anything.
    event.maybe("aws.owner", account.owner.map(mask::masked).as_deref());
}

/// What could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Gap<'a> {
    /// Its name.
    pub object: &'a str,
    /// Its S3 version, if one was named.
    pub version: Option<&'a str>,
    /// `gone`, `corrupt`, `tooLarge` or `unpacksTooLarge`.
    pub kind: &'a str,
    /// Why, in words.
    pub reason: &'a str,
    /// Records delivered before the gap.
    pub records_read: u64,
    /// Account in the object's key.
    pub account_id: Option<&'a str>,
}

/// Writes a `CspmRelayGap`. Returns the number of values cut.
pub fn push_gap(out: &mut Vec<u8>, gap: &Gap<'_>, now_ms: i64, source: &str, agent: &str) -> u64 {
    let mut event = EventWriter::begin(out, GAP, Some(now_ms));
    let records_read = gap.records_read.to_string();
    // The same for every telling of the same gap: a batch that is sent again repeats it.
    event.text(
        "gap.id",
        &digest_id(&[
            gap.object.as_bytes(),
            gap.version.unwrap_or_default().as_bytes(),
            gap.kind.as_bytes(),
            records_read.as_bytes(),
        ]),
    );
    event.text("gap.object", gap.object);
    event.text("gap.kind", gap.kind);
    event.text("gap.reason", gap.reason);
    event.number("gap.recordsRead", whole(gap.records_read));
    event.text("aws.accountId", gap.account_id.unwrap_or("unknown"));
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.text("relay.agent", agent);
    event.end()
}

/// Writes the `CspmRelayDoctor` of this id, the test event of `doctor newrelic`.
pub fn push_doctor(out: &mut Vec<u8>, id: &str, now_ms: i64) {
    let mut event = EventWriter::begin(out, DOCTOR, Some(now_ms));
    event.text("doctor.id", id);
    event.text("relay.version", VERSION);
    // Both values are short: nothing can be cut.
    let _cut = event.end();
}

/// What happened in one heartbeat's time. Counts are differences to the heartbeat before.
#[derive(Debug, Clone)]
pub struct Heartbeat<'a> {
    /// End of the time, milliseconds since the epoch.
    pub now_ms: i64,
    /// The source.
    pub source: &'a str,
    /// The agent.
    pub agent: &'a str,
    /// The day in the configured zone: what is "today" to queries.
    pub day: Day,
    /// Differences of the source's counters.
    pub counts: &'a Snapshot,
    /// Records whose end was not known yet as the time began. With what was received it is what ended and what waits now.
    pub waited: u64,
    /// Requests answered, all sources.
    pub requests: u64,
    /// Requests sent again, all sources.
    pub retries: u64,
    /// What became of the findings known, all sources: told with one of them.
    pub findings: Option<FindingTallies>,
    /// What became of the roll-up counts, and how many wait; all sources: told with one of them.
    pub rollups: Option<(RollupTallies, u64)>,
    /// What is remembered of what principals did, all sources: told with one of them.
    pub novelty: Option<NoveltyTallies>,
}

/// Writes a `CspmRelayHeartbeat`. Returns the number of values cut.
pub fn push_heartbeat(out: &mut Vec<u8>, beat: &Heartbeat<'_>) -> u64 {
    let counts = beat.counts;
    let mut event = EventWriter::begin(out, HEARTBEAT, Some(beat.now_ms));
    event.text("heartbeat.id", &format!("{}:{}:{}", beat.agent, beat.source, beat.now_ms));
    event.text("relay.version", VERSION);
    event.text("relay.source", beat.source);
    event.text("relay.agent", beat.agent);
    event.text("heartbeat.date", beat.day.date());
    event.text("heartbeat.week", beat.day.week());
    event.text("heartbeat.month", beat.day.month());
    event.number("heartbeat.recordsWaitingBefore", whole(beat.waited));
    event.number("heartbeat.recordsReceived", whole(counts.records_received));
    for (name, outcome) in [
        ("heartbeat.recordsDelivered", Outcome::Delivered),
        ("heartbeat.recordsIgnored", Outcome::Ignored),
        ("heartbeat.recordsSuppressed", Outcome::Suppressed),
        ("heartbeat.recordsDuplicate", Outcome::Duplicate),
        ("heartbeat.recordsUnreadable", Outcome::Unreadable),
        ("heartbeat.recordsRejected", Outcome::Rejected),
        ("heartbeat.recordsReturned", Outcome::Returned),
    ] {
        event.number(name, whole(counts.ended(outcome)));
    }
    event.number("heartbeat.recordsWaiting", whole((beat.waited + counts.records_received).saturating_sub(counts.all_ended())));
    event.number("heartbeat.objectsReceived", whole(counts.objects_received));
    for (name, verdict) in [
        ("heartbeat.objectsReleased", Verdict::Released),
        ("heartbeat.objectsParked", Verdict::Parked),
        ("heartbeat.objectsReturned", Verdict::Returned),
    ] {
        event.number(name, whole(counts.objects_ended(verdict)));
    }
    for (name, value) in [
        ("heartbeat.bytesPacked", counts.bytes_packed),
        ("heartbeat.bytesUnpacked", counts.bytes_unpacked),
        ("heartbeat.detections", counts.detections),
        ("heartbeat.truncated", counts.truncated),
        ("heartbeat.skipped", counts.skipped),
        ("heartbeat.redelivered", counts.redelivered),
        ("heartbeat.findingsUnchanged", counts.findings_unchanged),
        ("heartbeat.findingsCopied", counts.findings_copied),
        ("heartbeat.findingsExcepted", counts.findings_excepted),
        ("heartbeat.noticesHeld", counts.notices_held),
        ("heartbeat.requests", beat.requests),
        ("heartbeat.retries", beat.retries),
    ] {
        event.number(name, whole(value));
    }
    if let Some(findings) = beat.findings {
        for (name, value) in [
            ("heartbeat.findingsKnown", findings.known),
            ("heartbeat.findingsForgotten", findings.forgotten),
            ("heartbeat.findingsUnheard", findings.unheard),
            ("heartbeat.findingsEvicted", findings.evicted),
            ("heartbeat.findingsEvictedOpen", findings.evicted_open),
        ] {
            event.number(name, whole(value));
        }
    }
    if let Some((rollups, waiting)) = beat.rollups {
        for (name, value) in [
            ("heartbeat.rollupSeries", rollups.series),
            ("heartbeat.rollupOverflow", rollups.overflowed),
            ("heartbeat.rollupRefused", rollups.refused),
            ("heartbeat.rollupWaiting", waiting),
        ] {
            event.number(name, whole(value));
        }
    }
    if let Some(novelty) = beat.novelty {
        event.number("heartbeat.noveltyPairs", whole(novelty.pairs));
        event.number("heartbeat.noveltyForgotten", whole(novelty.pushed));
    }
    event.number("heartbeat.lagMsMax", counts.lag_ms_max);
    event.number("heartbeat.queueAgeMs", counts.queue_age_ms);
    if counts.newest_event_ms > 0 {
        event.number("heartbeat.newestEventTime", counts.newest_event_ms);
    }
    event.end()
}

/// A count as it is sent.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S3-06: what is counted of findings is in the row of one source; an agent without findings says nothing of them.
    #[test]
    fn a_heartbeat_tells_what_became_of_findings() {
        let counts = Snapshot { findings_excepted: 1, notices_held: 2, ..Snapshot::default() };
        let before =
            FindingTallies { known: 9, evicted: 3, evicted_open: 1, unheard: 4, forgotten: 5, ..FindingTallies::default() };
        let now = FindingTallies { known: 7, evicted: 5, evicted_open: 2, unheard: 8, forgotten: 5, ..before };
        let row = |findings| {
            let mut out = Vec::new();
            let (now_ms, day) = (1_795_292_071_000, Day::utc(1_795_292_071_000));
            let (rollups, novelty) = (None, None);
            let beat = Heartbeat {
                now_ms,
                source: "events",
                agent: "a",
                day,
                counts: &counts,
                waited: 0,
                requests: 0,
                retries: 0,
                findings,
                rollups,
                novelty,
            };
            assert_eq!(push_heartbeat(&mut out, &beat), 0);
            serde_json::from_slice::<serde_json::Value>(&out).expect("JSON")
        };
        let names = ["Known", "Evicted", "EvictedOpen", "Unheard", "Forgotten"].map(|name| format!("heartbeat.findings{name}"));
        let told = row(Some(now.since(&before)));
        assert_eq!(names.each_ref().map(|name| told[name].as_i64()), [Some(7), Some(2), Some(1), Some(4), Some(0)]);
        assert_eq!((&told["heartbeat.findingsExcepted"], &told["heartbeat.noticesHeld"]), (&1.into(), &2.into()));
        let day = ["date", "week", "month"].map(|name| told[format!("heartbeat.{name}")].clone());
        assert_eq!(day, ["2026-11-21", "2026-W47", "2026-11"]);
        let silent = row(None);
        assert!(names.iter().all(|name| silent.get(name).is_none()), "{silent}");
    }
}
