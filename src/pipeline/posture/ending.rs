//! What exceptions covered, told when they are over.
//!
//! In: what is known of findings and of violations, and the exceptions of now. Out: one notice for each control in a place of which
//! open findings, or violations, are covered no more, though none of them was told again; the findings count as open from then on.
//! What always holds: what came back is told again the next time, under the same `event.id`, and alone; what was accepted, is in the
//! dead letters, or is told meanwhile by its own record is not told twice. Of a violation only the end that its exception's file
//! says is told: what is taken out of the file was somebody's wish.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use super::Lead;
use super::schedule::Clockwork;
use crate::ack::Settled;
use crate::classify::{ClassifiedChange, EXCEPTED, Exceptions, Mark, preventive_control_behind};
use crate::encode::compliance::{self, Origin, Told};
use crate::encode::event::Arrival;
use crate::encode::finding::{FindingRun, push_uncovered};
use crate::enrich::Enricher;
use crate::posture::{Cover, CoveredSite, Findings, Story, Uncovered, Violation};
use crate::record::id::digest_id;
use crate::record::time::DAY_MS;
use crate::record::{AccountRegion, ComplianceState, StateChange};

/// What the schedule calls it.
const KIND: &str = "exceptions";

/// Violations of one control in a place whose exceptions have ended.
struct Ended {
    first: Violation,
    violations: u64,
    /// What is noted when it was told: place, control and exception.
    ends: BTreeSet<String>,
}

/// Tells what no exception covers any more.
pub(super) async fn tell(lead: &Lead, clockwork: &Clockwork<'_, '_>, now_ms: i64) {
    tell_findings(lead, now_ms).await;
    let since_ms = clockwork.last_ms(KIND).filter(|since_ms| *since_ms <= now_ms).unwrap_or(now_ms);
    // Names that a scope asks for may come soon, but need not.
    let is_early = lead.stages.enricher.now().accounts().are_awaited() && now_ms.saturating_sub(since_ms) < DAY_MS;
    if since_ms == now_ms || !is_early && tell_violations(lead, clockwork, since_ms, now_ms).await {
        clockwork.told_all();
        clockwork.done(KIND, now_ms);
    }
}

/// Tells of which violations the exceptions have ended between the two moments. Whether nothing of it came back.
async fn tell_violations(lead: &Lead, clockwork: &Clockwork<'_, '_>, since_ms: i64, now_ms: i64) -> bool {
    let stages = &lead.stages;
    if stages.exceptions.expired(Some(since_ms), now_ms).next().is_none() {
        return true;
    }
    let enricher = stages.enricher.now();
    let told = clockwork.told();
    let mut all: BTreeMap<(AccountRegion, String), Ended> = BTreeMap::new();
    for place in stages.compliance.places().into_iter().filter(|place| lead.watches(place)) {
        for violation in stages.compliance.violations(&place) {
            let ended = with_classified((lead, &enricher), &place, &violation, |classified, story| {
                // What began after the end has sent its own.
                let ended = classified.find_exception(&stages.exceptions, since_ms.max(violation.since_ms))?;
                let is_over = classified.find_exception(&stages.exceptions, now_ms).is_none()
                    && stages.notifies(&place, classified, &story);
                is_over.then(|| (classified.control_id().to_owned(), ended.id.as_str()))
            });
            let Some((control, exception)) = ended else { continue };
            let end = format!("{place} {control} {exception}");
            if told.lock().unwrap_or_else(PoisonError::into_inner).contains(&end) {
                continue;
            }
            let one = all.entry((place.clone(), control));
            let one = one.or_insert_with(|| Ended { first: violation, violations: 0, ends: BTreeSet::new() });
            one.violations += 1;
            one.ends.insert(end);
        }
    }
    if all.is_empty() {
        return true;
    }
    let emitter = lead.emitter();
    for ((place, _), Ended { first, violations, ends }) in all {
        let mut item = Vec::new();
        let cut = with_classified((lead, &enricher), &place, &first, |classified, story| {
            let evaluated_ms = Some(first.evaluated_ms);
            let told = Told { story, origin: Origin::Reconcile, out_of_order: false, evaluated_ms };
            let arrival = Arrival::of(first.since_ms, now_ms);
            compliance::push_uncovered(&mut item, (classified, violations), &told, arrival, lead.counts.name())
        });
        emitter.cut(cut);
        let (record, told) = (emitter.record(), Arc::clone(&told));
        let owed = record.piece();
        let step = record.step(move |settled| {
            if settled != Settled::Returned {
                told.lock().unwrap_or_else(PoisonError::into_inner).extend(ends);
            }
            owed.settle(settled);
        });
        emitter.put(&item, i64::MAX, step.piece()).await;
    }
    let released = emitter.released().await;
    if !released {
        tracing::warn!("That exceptions of violations are over was not accepted; what came back is told again");
    }
    released
}

/// A violation as a change from excepted.
fn with_classified<T>(
    (lead, enricher): (&Lead, &Enricher),
    place: &AccountRegion,
    violation: &Violation,
    then: impl FnOnce(&ClassifiedChange<'_>, Story) -> T,
) -> T {
    let change = StateChange {
        account: &place.account,
        region: &place.region,
        rule: &violation.rule,
        rule_arn: &violation.arn,
        resource_type: &violation.resource_type,
        resource_id: &violation.resource_id,
        state: ComplianceState::NonCompliant.as_str(),
        previous: Some(EXCEPTED),
        at_ms: violation.since_ms,
        annotation: violation.annotation.as_deref(),
    };
    let (event_id, enriched) = (change.event_id(), enricher.enrich_change(&change));
    let control = preventive_control_behind(&violation.rule, violation.identifier.as_deref());
    let frameworks = lead.stages.frameworks.of_rule(&violation.rule, control);
    let frameworks = frameworks.as_deref();
    let story = Story {
        previous: None,
        since_ms: Some(violation.since_ms).filter(|ms| *ms > 0),
        first_seen_ms: Some(violation.first_seen_ms).filter(|ms| *ms > 0),
        reopen_count: violation.reopen_count,
        resolved_after_ms: None,
        notifiable: true,
    };
    let classified = ClassifiedChange { change, event_id: &event_id, enriched: &enriched, control, frameworks, exception: None };
    then(&classified, story)
}

/// Tells which findings no exception covers any more.
async fn tell_findings(lead: &Lead, now_ms: i64) {
    let stages = &lead.stages;
    let enricher = stages.enricher.now();
    let all = uncovered(&stages.findings, (&stages.exceptions, &enricher), stages.outputs.notices, now_ms);
    if all.is_empty() {
        return;
    }
    let emitter = lead.emitter();
    // Each owes its answer before anything waits.
    let mut items = Vec::new();
    for one in all {
        let id = event_id(&one);
        let account = (enricher.account(&one.account), enricher.day(now_ms));
        let run = FindingRun { id: &id, now_ms, source: lead.counts.name() };
        let mut item = Vec::new();
        emitter.cut(push_uncovered(&mut item, &one, &account, &stages.frameworks, run));
        let (record, findings) = (emitter.record(), stages.findings.clone());
        let owed: Vec<_> = one.findings.into_values().map(|(_, token)| (token, record.piece())).collect();
        let step = record.step(move |settled| {
            for (token, piece) in owed {
                findings.conclude(token, settled, piece);
            }
        });
        items.push((item, step.piece()));
    }
    for (item, piece) in items {
        emitter.put(&item, i64::MAX, piece).await;
    }
    if !emitter.released().await {
        tracing::warn!("That exceptions of findings are over was not accepted; what came back is told again");
    }
}

/// What is covered no more.
fn uncovered(findings: &Findings, with: (&Exceptions, &Enricher), notices: bool, now_ms: i64) -> Vec<Uncovered> {
    let (exceptions, enricher) = with;
    findings.uncover(notices, |cover: &Cover, site: CoveredSite<'_>| {
        let mark = Mark { control: cover.control, scope: cover.scope };
        exceptions.still_covers(mark, site.control, &enricher.account(site.account), site.region, now_ms)
    })
}

/// The same for the same findings and the same ends.
fn event_id(one: &Uncovered) -> String {
    let of_each = one.findings.iter().map(|(key, (until_ms, _))| format!("{}:{until_ms}", key.text()));
    let all: Vec<String> = std::iter::once("uncovered".to_owned()).chain(of_each).collect();
    let all: Vec<&[u8]> = all.iter().map(String::as_bytes).collect();
    digest_id(&all)
}

#[cfg(test)]
#[path = "ending_tests.rs"]
mod tests;
