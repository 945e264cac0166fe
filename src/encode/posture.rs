//! How AWS Config's state is, row by row → items for the Event API.
//!
//! In: counts, violations and requirements of one run. Out: one flat row of each: `AwsPostureSummary`, `AwsComplianceSnapshot`,
//! `AwsComplianceViolation`, `AwsFrameworkSnapshot`, `AwsConformancePackSnapshot`, and the `AwsPostureRun` that says they are all
//! there. What always holds: rows of one run share `timestamp` and `snapshot.id`; what is not known (a percent of nothing, a delta
//! without a past, since when) is left out, never 0 or 100.
//!
//! A violation says that a resource is `public` where a rule that watches just that is violated, too. Nothing in AWS Config tells how
//! sensitive the data in it is, so nothing is said of that.

use super::compliance;
use super::dictionary::{COMPLIANCE_SNAPSHOT, FRAMEWORK_SNAPSHOT, PACK_SNAPSHOT, POSTURE_RUN, POSTURE_SUMMARY, VIOLATION};
use super::event::{self, VERSION};
use super::mask;
use super::writer::EventWriter;
use crate::classify::{AccountName, ClassifiedChange, FrameworkRow, PreventiveControl};
use crate::posture::{AccountCounts, Delta, Results};
use crate::record::ComplianceState;
use crate::record::time::DAY_MS;

/// What all rows of a run share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// `snapshot.id`
    pub id: &'a str,
    /// `timestamp`, milliseconds since the epoch.
    pub now_ms: i64,
}

impl Snapshot<'_> {
    pub(super) fn begin<'o>(&self, out: &'o mut Vec<u8>, event_type: &str) -> EventWriter<'o> {
        let mut event = EventWriter::begin(out, event_type, Some(self.now_ms));
        event.text("snapshot.id", self.id);
        event
    }
}

/// What the state does not know of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beside {
    /// Rules that AWS Config fails to run; `None`: nobody asked.
    pub failing_rules: Option<u64>,
}

/// What violates, and is muted by exceptions for all that it violates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excepted {
    /// Rules, each counted once per Region.
    pub rules: u64,
    /// Resources.
    pub resources: u64,
}

/// One account.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// What is muted in it.
    pub excepted: Excepted,
    /// Its names.
    pub account: AccountName<'a>,
    /// Its counts; `None`: it could never be read.
    pub counts: Option<&'a AccountCounts>,
    /// Regions of it that are known or asked.
    pub regions: u64,
    /// Those of them that were read whole not long ago; of the others what was read last is counted, and what events told.
    pub regions_read: u64,
    /// Regions where AWS Config is not there, beside those.
    pub regions_not_enabled: u64,
    /// When the one that was not read for the longest time was read whole, milliseconds since the epoch; `None`: none ever was.
    pub observed_ms: Option<i64>,
    /// Compliant of all rules that are compliant or violated, in hundredths of a percent; `None`: there are none.
    pub percent_rules: Option<u64>,
    /// The same of resources.
    pub percent_resources: Option<u64>,
    /// Since yesterday.
    pub day: Option<Delta>,
    /// Since a week ago.
    pub week: Option<Delta>,
    /// What the state does not know.
    pub beside: Beside,
}

/// Writes the `AwsPostureSummary` of an account. Returns the number of values cut.
pub fn push_summary(out: &mut Vec<u8>, row: &Summary<'_>, snapshot: Snapshot<'_>) -> u64 {
    let mut event = snapshot.begin(out, POSTURE_SUMMARY);
    event::names(&mut event, &row.account);
    if let Some(AccountCounts { rules, resources, .. }) = row.counts {
        counts(
            &mut event,
            ["posture.compliantRules", "posture.violatingRules", "posture.notApplicableRules", "posture.unknownRules"],
            rules,
        );
        counts(
            &mut event,
            [
                "posture.compliantResources",
                "posture.violatingResources",
                "posture.notApplicableResources",
                "posture.unknownResources",
            ],
            resources,
        );
    }
    for (name, percent) in [("posture.percentRules", row.percent_rules), ("posture.percentResources", row.percent_resources)] {
        if let Some(percent) = percent {
            event.hundredths(name, event::whole(percent));
        }
    }
    for (delta, [percent_rules, percent_resources, violating_rules, violating_resources]) in [
        (
            row.day,
            [
                "posture.percentRulesDelta1d",
                "posture.percentResourcesDelta1d",
                "posture.violatingRulesDelta1d",
                "posture.violatingResourcesDelta1d",
            ],
        ),
        (
            row.week,
            [
                "posture.percentRulesDelta7d",
                "posture.percentResourcesDelta7d",
                "posture.violatingRulesDelta7d",
                "posture.violatingResourcesDelta7d",
            ],
        ),
    ] {
        let Some(delta) = delta else { continue };
        for (name, value) in [(percent_rules, delta.percent_rules), (percent_resources, delta.percent_resources)] {
            if let Some(value) = value {
                event.hundredths(name, value);
            }
        }
        event.number(violating_rules, delta.violating_rules);
        event.number(violating_resources, delta.violating_resources);
    }
    if row.counts.is_some() {
        event.number("posture.exceptedRules", event::whole(row.excepted.rules));
        event.number("posture.exceptedResources", event::whole(row.excepted.resources));
    }
    if let Some(failing) = row.beside.failing_rules {
        event.number("posture.failingRules", event::whole(failing));
    }
    event.number("posture.regions", event::whole(row.regions));
    event.number("posture.regionsRead", event::whole(row.regions_read));
    event.number("posture.regionsNotEnabled", event::whole(row.regions_not_enabled));
    observed(&mut event, row.observed_ms);
    event.text("relay.version", VERSION);
    event.end()
}

/// One rule in one account and Region: ids and counts only, there are many.
#[derive(Debug, Clone, Copy)]
pub struct RuleRow<'a> {
    /// Twelve digits.
    pub account: &'a str,
    /// As `eu-west-1`.
    pub region: &'a str,
    /// Deployed name.
    pub rule: &'a str,
    /// `control.id`
    pub control_id: &'a str,
    /// The managed rule behind it; `None`: no table knows it.
    pub control: Option<&'a PreventiveControl>,
    /// Its results.
    pub results: Results,
    /// When its place was read whole last, milliseconds since the epoch; `None`: never.
    pub observed_ms: Option<i64>,
}

/// Writes the `AwsComplianceSnapshot` of a rule. Returns the number of values cut.
pub fn push_rule(out: &mut Vec<u8>, row: &RuleRow<'_>, snapshot: Snapshot<'_>) -> u64 {
    let mut event = snapshot.begin(out, COMPLIANCE_SNAPSHOT);
    event.text("aws.accountId", row.account);
    event.text("aws.region", row.region);
    event.text("control.id", row.control_id);
    compliance::severity(&mut event, row.control);
    event.text("compliance.ruleName", row.rule);
    event.text("compliance.state", row.results.state().as_str());
    counts(
        &mut event,
        [
            "compliance.compliantResources",
            "compliance.violatingResources",
            "compliance.notApplicableResources",
            "compliance.unknownResources",
        ],
        &row.results,
    );
    observed(&mut event, row.observed_ms);
    event.end()
}

/// One resource that violates one rule.
#[derive(Debug, Clone, Copy)]
pub struct ViolationRow<'a> {
    /// The violation as the change that began it, with names and the control behind its rule; `at_ms` is since when, 0: unknown.
    pub violation: ClassifiedChange<'a>,
    /// Whether it, or another violation of the same resource, means that the internet or every AWS account reaches the resource.
    pub is_exposed: bool,
    /// When it was first seen to violate this rule; 0: unknown.
    pub first_seen_ms: i64,
    /// How often it violated again after it was mended.
    pub reopen_count: u32,
    /// When AWS judged it so; 0: unknown.
    pub evaluated_ms: i64,
    /// When it was last known to be so; 0: unknown.
    pub observed_ms: i64,
}

/// Writes the `AwsComplianceViolation`. Returns the number of values cut.
pub fn push_violation(out: &mut Vec<u8>, row: &ViolationRow<'_>, snapshot: Snapshot<'_>) -> u64 {
    let ClassifiedChange { change, enriched, control, .. } = row.violation;
    let mut event = snapshot.begin(out, VIOLATION);
    compliance::control(&mut event, row.violation.control_id(), control);
    event.text("control.frameworks", compliance::frameworks(&row.violation));
    event.maybe("control.runbookUrl", control.and_then(PreventiveControl::runbook_url).as_deref());
    event.text("compliance.state", row.violation.state());
    compliance::exception(&mut event, &row.violation);
    event.maybe("compliance.annotation", change.annotation.map(mask::masked).as_deref());
    event.text("compliance.ruleName", change.rule);
    event.text("compliance.ruleArn", change.rule_arn);
    if change.at_ms > 0 {
        event.number("compliance.since", change.at_ms);
        // Clocks disagree: what has just begun is not younger than nothing.
        event.number("compliance.ageDays", snapshot.now_ms.saturating_sub(change.at_ms).max(0) / DAY_MS);
    }
    if row.first_seen_ms > 0 {
        event.number("compliance.firstSeen", row.first_seen_ms);
    }
    event.number("compliance.reopenCount", i64::from(row.reopen_count));
    compliance::freshness(&mut event, row.evaluated_ms, row.observed_ms);
    if row.is_exposed {
        event.text("compliance.exposure", "public");
    }
    event::place(&mut event, &enriched.account, enriched.region, enriched.partition, &enriched.service);
    compliance::resource(&mut event, &change);
    event.text("relay.version", VERSION);
    event.end()
}

/// Writes the `AwsFrameworkSnapshot` of a requirement in an account. Returns the number of values cut.
pub fn push_framework(out: &mut Vec<u8>, account: &AccountName<'_>, row: &FrameworkRow<'_>, snapshot: Snapshot<'_>) -> u64 {
    let mut event = snapshot.begin(out, FRAMEWORK_SNAPSHOT);
    event::names(&mut event, account);
    event.text("framework.name", row.framework);
    event.text("framework.requirement", row.requirement);
    event.text("framework.id", &format!("{}:{}", row.framework, row.requirement));
    event.text("framework.state", row.state().as_str());
    for (name, count) in [
        ("framework.passedRules", row.passed),
        ("framework.failedRules", row.failed),
        ("framework.unknownRules", row.unknown),
        ("framework.notApplicableRules", row.not_applicable),
        ("framework.notDeployedRules", row.not_deployed),
    ] {
        event.number(name, event::whole(count));
    }
    // Most requirements have none, and there are many requirements.
    for (counts, [items, attested]) in [
        (row.manual, ["framework.manualItems", "framework.manualAttested"]),
        (row.inherited, ["framework.inheritedItems", "framework.inheritedAttested"]),
    ] {
        if counts.items > 0 {
            event.number(items, event::whole(counts.items));
            event.number(attested, event::whole(counts.attested));
        }
    }
    event.end()
}

/// One conformance pack in one account and Region.
#[derive(Debug, Clone, Copy)]
pub struct PackRow<'a> {
    /// Names of the account.
    pub account: AccountName<'a>,
    /// As `eu-west-1`.
    pub region: &'a str,
    /// Its name.
    pub name: &'a str,
    /// As AWS Config sums it up.
    pub state: ComplianceState,
    /// Its rules that are compliant, violated, and without a result; `None`: not known.
    pub rules: Option<[u64; 3]>,
    /// Compliant of all rules that are compliant or violated, in hundredths of a percent; `None`: there are none.
    pub percent: Option<u64>,
}

/// Writes the `AwsConformancePackSnapshot` of a pack. Returns the number of values cut.
pub fn push_pack(out: &mut Vec<u8>, row: &PackRow<'_>, snapshot: Snapshot<'_>) -> u64 {
    let mut event = snapshot.begin(out, PACK_SNAPSHOT);
    event::names(&mut event, &row.account);
    event.text("aws.region", row.region);
    event.text("pack.name", row.name);
    event.text("pack.state", row.state.as_str());
    if let Some(rules) = row.rules {
        for (name, count) in ["pack.compliantRules", "pack.violatingRules", "pack.unknownRules"].into_iter().zip(rules) {
            event.number(name, event::whole(count));
        }
    }
    if let Some(percent) = row.percent {
        event.hundredths("pack.percentRules", event::whole(percent));
    }
    event.end()
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunKind {
    /// Reads everything for the first time.
    Baseline,
    /// Reads everything again, and repairs.
    Reconcile,
    /// Reads what could not be read before.
    Retry,
    /// Sends a row per account.
    Summary,
    /// Sends a row per account, Region and rule.
    Snapshot,
    /// Sends a row per violation.
    Violations,
    /// Sends a row per account, framework and requirement.
    Frameworks,
    /// Sends a row per account, Region and conformance pack.
    Packs,
    /// Sends counts of open findings.
    Findings,
    /// Sends a row per control.
    Controls,
    /// Reads IAM and sends a row per identity.
    Identity,
}

impl RunKind {
    /// The word in events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Reconcile => "reconcile",
            Self::Retry => "retry",
            Self::Summary => "summary",
            Self::Snapshot => "snapshot",
            Self::Violations => "violations",
            Self::Frameworks => "frameworks",
            Self::Packs => "packs",
            Self::Findings => "findings",
            Self::Controls => "controls",
            Self::Identity => "identity",
        }
    }
}

/// A run that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// What it did.
    pub kind: RunKind,
    /// Rows that were sent.
    pub rows: u64,
    /// Changes that no event told and it found.
    pub repairs: u64,
    /// Accounts in a Region that were read.
    pub places: u64,
    /// Accounts and Regions that could not be read, or not lately.
    pub places_failed: u64,
    /// Places where AWS Config is not there; `None`: it was not asked.
    pub places_not_enabled: Option<u64>,
    /// Calls of AWS's API.
    pub calls: u64,
    /// When it began, milliseconds since the epoch.
    pub began_ms: i64,
    /// When it ended, milliseconds since the epoch.
    pub ended_ms: i64,
    /// Every row was accepted.
    pub accepted: bool,
    /// That, and every place was read.
    pub complete: bool,
    /// The agent.
    pub agent: &'a str,
}

/// Writes the `AwsPostureRun`. Returns the number of values cut.
pub fn push_run(out: &mut Vec<u8>, run: &Run<'_>, snapshot: Snapshot<'_>) -> u64 {
    let mut event = snapshot.begin(out, POSTURE_RUN);
    event.text("run.kind", run.kind.as_str());
    for (name, count) in [
        ("run.rows", run.rows),
        ("run.repairs", run.repairs),
        ("run.places", run.places),
        ("run.placesFailed", run.places_failed),
        ("run.calls", run.calls),
    ] {
        event.number(name, event::whole(count));
    }
    if let Some(not_enabled) = run.places_not_enabled {
        event.number("run.placesNotEnabled", event::whole(not_enabled));
    }
    event.number("run.began", run.began_ms);
    event.number("run.ended", run.ended_ms);
    event.flag("run.accepted", run.accepted);
    event.flag("run.complete", run.complete);
    event.text("relay.version", VERSION);
    event.text("relay.agent", run.agent);
    event.end()
}

fn observed(event: &mut EventWriter<'_>, observed_ms: Option<i64>) {
    if let Some(observed_ms) = observed_ms {
        event.number("posture.observedAt", observed_ms);
    }
}

fn counts(event: &mut EventWriter<'_>, names: [&'static str; 4], results: &Results) {
    let all = [results.compliant, results.violating, results.not_applicable, results.unknown];
    for (name, count) in names.into_iter().zip(all) {
        event.number(name, event::whole(count));
    }
}
