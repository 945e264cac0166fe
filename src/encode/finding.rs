//! Transitions of findings, counts of open ones and results of insights → items for the Event API.
//!
//! In: a finding with its names, the control behind it and the transition it makes. Out: an `AwsSecurityFinding`, for one that a
//! person must see an `AwsSecurityNotice`, which New Relic stamps on arrival; an `AwsFindingSnapshot` per count; an
//! `AwsFindingInsight` per result. What always holds: severity and status are those of the state after the transition, in the same
//! words for every product; a control that no table knows is `|unmapped|`, never left out.

use std::borrow::Cow;

use super::dictionary::{FINDING, FINDING_INSIGHT, FINDING_SNAPSHOT, NOTICE};
use super::event::{self, Arrival, VERSION};
use super::mask;
use super::writer::EventWriter;
use crate::classify::{AccountName, ClassifiedFinding, Day, EXCEPTED, Frameworks};
use crate::posture::{OpenFindings, Tell, Transition, Uncovered};
use crate::record::{FindingStatus, InsightResults};

/// `event.category` of what products hold against resources.
const CATEGORY: &str = "Finding";

/// `control.kind` of a finding's control or type.
const KIND: &str = "finding";

const UNMAPPED: &str = "|unmapped|";

/// What dashboards ask for and a scan does not say.
const UNKNOWN: &str = "unknown";

/// Writes the `AwsSecurityFinding`. Returns the number of values cut.
pub fn push_finding(out: &mut Vec<u8>, classified: &ClassifiedFinding<'_>, tell: &Tell, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, FINDING, Some(arrival.timestamp_ms));
    write(&mut event, classified, tell, arrival, source);
    event.end()
}

/// Writes the `AwsSecurityNotice`. Returns the number of values cut.
pub fn push_notice(out: &mut Vec<u8>, classified: &ClassifiedFinding<'_>, tell: &Tell, arrival: Arrival, source: &str) -> u64 {
    let mut event = EventWriter::begin(out, NOTICE, None);
    write(&mut event, classified, tell, arrival, source);
    event.end()
}

fn write(event: &mut EventWriter<'_>, classified: &ClassifiedFinding<'_>, tell: &Tell, arrival: Arrival, source: &str) {
    let ClassifiedFinding { finding, enriched, .. } = *classified;
    event.flag("relay.late", arrival.late);
    event.text("control.id", finding.control());
    let rules = || list(std::iter::once(finding.control()).chain(classified.config_rules.iter().copied()));
    event.text("control.ids", &classified.related.joined().map_or_else(|| Cow::Owned(rules()), Cow::Borrowed));
    if let [rule] = classified.config_rules.as_slice() {
        event.text("control.configRule", rule);
    }
    event.maybe("compliance.ruleName", finding.more.config_rule.as_deref());
    event.text("control.title", &mask::masked(classified.title));
    event.text("control.kind", KIND);
    event.text("control.severity", tell.severity.as_str());
    event.number("control.severityScore", i64::from(tell.severity.default_score()));
    event.text("control.pillar", classified.pillar.as_str());
    event.text("control.frameworks", classified.frameworks.joined().unwrap_or(UNMAPPED));
    event.maybe("attack.tactic", classified.tactics.first());
    event.maybe("attack.technique", classified.techniques.first());
    event.maybe("attack.tactics", classified.tactics.joined());
    event.maybe("attack.techniques", classified.techniques.joined());
    stand(event, classified, tell);
    event.text("event.id", classified.event_id);
    event.text("event.category", CATEGORY);
    event::moment(event, finding.updated_ms, &enriched.day);
    event::place(event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    event.text("resource.type", &enriched.resource_type);
    event.text("resource.id", enriched.resource_id);
    event.maybe("resource.arn", enriched.resource_arn);
    more(event, classified);
    code(event, classified);
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
}

/// Where in code it is.
fn code(event: &mut EventWriter<'_>, classified: &ClassifiedFinding<'_>) {
    let Some(code) = &classified.finding.more.code else { return };
    // Scanners of secrets quote what they find.
    event.text("control.remediation", &mask::masked(&code.remediation));
    event.text("control.runbookUrl", code.help_uri);
    event.text("code.message", &mask::masked(&code.message));
    event.text("code.file", &code.file);
    for (name, number) in [("code.line", code.line), ("code.endLine", code.end_line), ("code.column", code.column)] {
        if let Some(number) = number {
            event.number(name, number);
        }
    }
    event.text("code.logicalLocation", &code.logical);
    event.text("code.repository", code.repository.unwrap_or(UNKNOWN));
    event.text("code.branch", code.branch.unwrap_or(UNKNOWN));
    event.maybe("code.revision", code.revision);
    event.text("code.scan", code.scan);
    event.text("code.toolVersion", code.tool_version);
    event.maybe("code.baselineState", code.baseline.as_deref());
}

/// What it is, where it stands and where it stood.
fn stand(event: &mut EventWriter<'_>, classified: &ClassifiedFinding<'_>, tell: &Tell) {
    let finding = classified.finding;
    event.text("finding.transition", tell.transition.as_str());
    // As it is remembered, so that rows and counts say the same.
    event.text("finding.status", if tell.excepted { EXCEPTED } else { tell.status.as_str() });
    if let Some(exception) = classified.exception.filter(|_| tell.excepted) {
        event.text("compliance.exception.owner", &exception.owner);
        event.text("compliance.exception.reason", &exception.reason);
        event.text("compliance.exception.expires", &exception.expires);
    }
    if let Some((status, severity)) = tell.before {
        event.text("finding.previousStatus", if tell.was_excepted { EXCEPTED } else { status.as_str() });
        event.text("finding.previousSeverity", severity.as_str());
    }
    event.text("finding.key", &finding.key().text());
    event.text("finding.id", &finding.id);
    event.text("finding.product", &finding.product);
    event.text("finding.form", finding.form.as_str());
    event.text("finding.title", &mask::masked(&finding.title));
    event.text("finding.types", &list(finding.types.iter().map(AsRef::as_ref)));
    event.text("finding.severityOriginal", &finding.severity_original);
    event.maybe("finding.workflow", finding.workflow.as_deref());
    event.maybe("finding.recordState", finding.record_state.as_deref());
    event.maybe("finding.complianceStatus", finding.compliance.as_deref());
    event.number("finding.firstSeen", tell.first_seen_ms);
    event.number("finding.openMs", finding.updated_ms.saturating_sub(tell.first_seen_ms).max(0));
    event.number("finding.reopened", i64::from(tell.reopened));
    event.text("finding.standards", &list(tell.standards.iter().map(String::as_str)));
    event.number("finding.resources", i64::try_from(finding.resources.len()).unwrap_or(i64::MAX));
    if finding.resources.len() > 1 {
        event.text("finding.resourceIds", &list(finding.resources.iter().map(|resource| &*resource.id)));
    }
    event.maybe("finding.toldIn", finding.told_in.as_deref());
}

/// What only some products say.
fn more(event: &mut EventWriter<'_>, classified: &ClassifiedFinding<'_>) {
    let more = &classified.finding.more;
    if let Some(count) = more.count {
        event.number("finding.count", count);
    }
    event.maybe("finding.attackSequence", more.attack_sequence.as_deref());
    event.maybe("finding.feature", more.feature.as_deref());
    event.maybe("finding.cve", more.cve.as_deref());
    if let Some(score) = more.cvss {
        event.decimal("finding.cvss", score);
    }
    if let Some(score) = more.epss {
        event.decimal("finding.epss", score);
    }
    event.maybe("finding.fixAvailable", more.fix_available.as_deref());
    event.maybe("finding.exploitAvailable", more.exploit_available.as_deref());
    event.text("finding.packages", &list(more.packages.iter().map(String::as_str)));
    event.maybe("finding.fixedIn", more.fixed_in.as_deref());
    event.maybe("finding.repository", more.repository.as_deref());
    event.maybe("finding.imageDigest", more.image_digest.as_deref());
    event.maybe("finding.category", more.category.as_deref());
    event.maybe("finding.bucket", more.bucket.as_deref());
    event.maybe("finding.objectKey", more.object_key.as_deref());
    event.text("finding.dataTypes", &list(more.data_types.iter().map(|(kind, _)| &**kind)));
    if !more.data_types.is_empty() {
        event.number("finding.dataCount", more.data_types.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count)));
    }
    if let Some(public) = more.public {
        event.flag("finding.public", public);
    }
    event.maybe("finding.principal", more.principal.as_deref());
    event.maybe("finding.accessType", more.access_type.as_deref());
    event.text("finding.userFields", &mask::masked(&list(more.user_fields.iter().map(String::as_str))));
    if more.deleted {
        event.flag("finding.deleted", true);
    }
    if more.sample {
        event.flag("finding.sample", true);
    }
}

/// What the rows of one run share.
#[derive(Debug, Clone, Copy)]
pub struct FindingRun<'a> {
    /// `snapshot.id` of rows, `event.id` of a notice.
    pub id: &'a str,
    /// When the run began, milliseconds since the epoch.
    pub now_ms: i64,
    /// `relay.source`
    pub source: &'a str,
}

/// Writes the `AwsFindingSnapshot` of one count. Returns the number of values cut.
pub fn push_open(out: &mut Vec<u8>, open: &OpenFindings, account: &AccountName<'_>, run: FindingRun<'_>) -> u64 {
    let mut event = EventWriter::begin(out, FINDING_SNAPSHOT, Some(run.now_ms));
    event.text("snapshot.id", run.id);
    event.text("control.id", &open.control);
    event.text("control.kind", KIND);
    event.text("control.severity", open.severity.as_str());
    event.number("control.severityScore", i64::from(open.severity.default_score()));
    event.text("control.pillar", ClassifiedFinding::pillar_of(&open.product, &open.control).as_str());
    if ClassifiedFinding::means_public(&open.control) {
        event.text("compliance.exposure", "public");
    }
    event.text("finding.product", &open.product);
    event.number("finding.open", i64::try_from(open.open).unwrap_or(i64::MAX));
    event.number("finding.excepted", i64::try_from(open.excepted).unwrap_or(i64::MAX));
    event.number("finding.suppressed", i64::try_from(open.suppressed).unwrap_or(i64::MAX));
    event::names(&mut event, account);
    event.text("aws.region", &open.region);
    event.text("relay.version", VERSION);
    event.text("relay.source", run.source);
    event.end()
}

/// Writes the `AwsSecurityNotice` of findings that no exception covers any more. Returns the number of values cut.
pub fn push_uncovered(
    out: &mut Vec<u8>,
    uncovered: &Uncovered,
    (account, day): &(AccountName<'_>, Day),
    numbers: &Frameworks,
    run: FindingRun<'_>,
) -> u64 {
    let count = uncovered.findings.len();
    let mut event = EventWriter::begin(out, NOTICE, None);
    event.flag("relay.late", false);
    event.text("control.id", &uncovered.control);
    event.text("control.ids", &list([uncovered.control.as_str()]));
    event.text("control.title", &uncovered.control);
    event.text("control.kind", KIND);
    event.text("control.severity", uncovered.severity.as_str());
    event.number("control.severityScore", i64::from(uncovered.severity.default_score()));
    event.text("control.pillar", ClassifiedFinding::pillar_of(&uncovered.product, &uncovered.control).as_str());
    let frameworks = ClassifiedFinding::frameworks_of(&uncovered.control, numbers);
    event.text("control.frameworks", frameworks.joined().unwrap_or(UNMAPPED));
    event.text("finding.transition", Transition::Updated.as_str());
    event.text("finding.status", FindingStatus::Open.as_str());
    event.text("finding.previousStatus", EXCEPTED);
    if let (1, Some((key, _))) = (count, uncovered.findings.first_key_value()) {
        event.text("finding.key", &key.text());
    }
    event.text("finding.product", &uncovered.product);
    let noun = if count == 1 { "finding" } else { "findings" };
    event.text("finding.title", &format!("{count} {noun} no exception covers any more"));
    event.number("finding.firstSeen", uncovered.first_seen_ms);
    event.number("exception.uncovered", i64::try_from(count).unwrap_or(i64::MAX));
    event.text("event.id", run.id);
    event.text("event.category", CATEGORY);
    event::moment(&mut event, run.now_ms, day);
    event::names(&mut event, account);
    event.text("aws.region", &uncovered.region);
    event.text("relay.version", VERSION);
    event.text("relay.source", run.source);
    event.number("relay.lagMs", 0);
    event.end()
}

/// Writes the `AwsFindingInsight` of the `at`-th result. Returns the number of values cut.
pub fn push_insight(
    out: &mut Vec<u8>,
    insight: &InsightResults<'_>,
    at: usize,
    (account, day): &(AccountName<'_>, Day),
    arrival: Arrival,
    source: &str,
) -> u64 {
    let mut event = EventWriter::begin(out, FINDING_INSIGHT, Some(arrival.timestamp_ms));
    event.flag("relay.late", arrival.late);
    event.text("event.id", &insight.event_id);
    event.text("event.category", CATEGORY);
    event::moment(&mut event, insight.time_ms, day);
    event::names(&mut event, account);
    event.text("aws.region", insight.region.as_deref().unwrap_or("unknown"));
    event.text("insight.arn", &insight.arn);
    event.text("insight.name", &mask::masked(&insight.name));
    event.text("insight.resultType", &insight.result_type);
    if let Some((value, count)) = insight.results.get(at) {
        event.text("insight.result", value);
        event.number("insight.count", *count);
    }
    event.text("relay.version", VERSION);
    event.text("relay.source", source);
    event.number("relay.lagMs", arrival.lag_ms);
    event.end()
}

/// `|a|b|`; empty for none. A bar inside an item would end it.
fn list<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    let mut joined = String::new();
    for item in items {
        if joined.is_empty() {
            joined.push('|');
        }
        joined.push_str(&item.replace('|', "/"));
        joined.push('|');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Severity;

    /// S1-11: a row of counts has its place, control and pillar, and nothing that one finding has.
    #[test]
    fn a_count_of_open_findings_is_one_lean_row() {
        let open = OpenFindings {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            product: "Security Hub".to_owned(),
            control: "IAM.3".to_owned(),
            severity: Severity::High,
            open: 7,
            excepted: 1,
            suppressed: 2,
        };
        let account = AccountName {
            id: "111122223333",
            name: "prod",
            organizational_unit: "Workloads",
            environment: None,
            owner: None,
            is_awaited: false,
        };
        let mut out = Vec::new();
        let cut = push_open(&mut out, &open, &account, FindingRun { id: "run-1", now_ms: 5, source: "findings" });
        assert_eq!(cut, 0);
        let mut row: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        row.as_object_mut().expect("an event").remove("relay.version");
        let want = serde_json::json!({
            "eventType": "AwsFindingSnapshot", "timestamp": 5, "snapshot.id": "run-1", "control.id": "IAM.3",
            "control.kind": "finding", "control.severity": "HIGH", "control.severityScore": 75, "control.pillar": "CIEM",
            "finding.product": "Security Hub", "finding.open": 7, "finding.excepted": 1, "finding.suppressed": 2, "aws.accountId": "111122223333",
            "aws.accountName": "prod", "aws.organizationalUnit": "Workloads", "aws.environment": "unknown",
            "aws.region": "eu-west-1", "relay.source": "findings",
        });
        assert_eq!(row, want);
        // S3-03: where to start depends on what the internet reaches.
        let public = OpenFindings { control: "S3.2".to_owned(), ..open };
        push_open(&mut out, &public, &account, FindingRun { id: "run-1", now_ms: 5, source: "findings" });
        let row: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!((&row["compliance.exposure"], &row["control.id"]), (&"public".into(), &"S3.2".into()));
    }

    #[test]
    fn a_bar_inside_an_item_ends_no_list() {
        assert_eq!(list(["a", "b|c"]), "|a|b/c|");
        assert_eq!(list([]), "");
    }
}
