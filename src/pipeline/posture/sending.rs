//! Rows that say how things stand, and the row that says that all of them were accepted.
//!
//! In: the state. Out: the rows of one kind, all of one time and, but for controls, one `snapshot.id`; then an `AwsPostureRun` that
//! says whether New Relic accepted every one of them. What always holds: a snapshot that is not whole has no complete run: neither
//! one of which a row was refused, nor one of a state of which something could not be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::{RowKind, Rows, Written};
use super::{Lead, Reader};
use crate::classify::preventive_control_behind;
use crate::encode::posture::{Run, Snapshot, push_run};
use crate::pipeline::rollups::GaugeKey;
use crate::record::id::digest_id;
use crate::record::{ComplianceState, Severity};

/// What stands for severity and pillar of a rule that no table knows.
const UNKNOWN: &str = "unknown";

/// Sends every row of a kind.
pub(super) async fn send(lead: &Lead, kind: RowKind, now_ms: i64) {
    let emitter = Arc::new(lead.emitter());
    let id = snapshot_id(lead, kind.run().as_str(), now_ms);
    let freshness = lead.freshness(now_ms);
    let not_enabled = freshness.not_enabled();
    if kind == RowKind::Summary {
        let mut accounts = lead.stages.compliance.accounts_where(|place| lead.watches(place));
        if let Some(gauges) = &lead.gauges {
            gauges.set(now_ms, standing_of_resources(lead));
        }
        // What is missing today would be a change tomorrow.
        accounts.retain(|account, _| freshness.is_whole(account));
        lead.known().trend.note(now_ms, &accounts);
    }
    let (trend, beside, packs) = {
        let known = lead.known();
        (known.trend.clone(), known.beside.clone(), known.packs.clone())
    };
    let (places, places_failed) = match kind {
        RowKind::Packs => {
            // An aggregator lists only who has some.
            let asked = freshness.places().filter(|_| matches!(lead.posture.reader, Some(Reader::Places { .. })));
            let unasked = asked.filter(|place| !packs.contains_key(*place)).count();
            let read = packs.values().flatten().count();
            (read as u64, (packs.len() - read + unasked) as u64)
        }
        RowKind::Findings | RowKind::Controls => (lead.stages.compliance.places().len() as u64, 0),
        RowKind::Summary | RowKind::Snapshot | RowKind::Violations | RowKind::Frameworks => {
            (freshness.fresh(), freshness.missing())
        }
    };
    let writing = {
        let (stages, counts, emitter, id) =
            (Arc::clone(&lead.stages), Arc::clone(&lead.counts), Arc::clone(&emitter), id.clone());
        // The rows are made one by one, each as there is room for it: a thread may wait for that.
        move || {
            let rows = Rows {
                state: &stages.compliance,
                findings: &stages.findings,
                rules: &stages.rules,
                enricher: &stages.enricher.now(),
                watched: &stages.watched,
                freshness: &freshness,
                frameworks: &stages.frameworks,
                exceptions: &stages.exceptions,
                trend: &trend,
                beside: &beside,
                packs: &packs,
                snapshot: Snapshot { id: &id, now_ms },
                source: counts.name(),
                agent: &stages.agent,
            };
            rows.each(kind, &mut |item| emitter.row_blocking(item, now_ms))
        }
    };
    let written = tokio::task::spawn_blocking(writing).await;
    let Some(emitter) = Arc::into_inner(emitter) else { return };
    let Ok(Written { rows, cut }) = written else { return };
    emitter.cut(cut);
    let accepted = emitter.accepted().await;
    if !accepted {
        tracing::warn!(kind = kind.run().as_str(), "Not every row of a snapshot was accepted: the next one is whole again");
    }
    let run = Run {
        kind: kind.run(),
        rows,
        repairs: 0,
        places,
        places_failed,
        places_not_enabled: Some(not_enabled),
        calls: 0,
        began_ms: now_ms,
        ended_ms: lead.clock.now_ms(),
        accepted,
        complete: accepted && places_failed == 0,
        agent: &lead.stages.agent,
    };
    tell_as(lead, &run, Snapshot { id: &id, now_ms }).await;
}

/// How many resources stand how, by account, severity and pillar of the rule. Both states that a percent is made of are said, also
/// when nothing stands so: what was there an hour ago is gone then.
fn standing_of_resources(lead: &Lead) -> Vec<(GaugeKey, u64)> {
    let state = &lead.stages.compliance;
    let mut counted: BTreeMap<GaugeKey, u64> = BTreeMap::new();
    for place in state.places().iter().filter(|place| lead.watches(place)) {
        for rule in state.rules(place) {
            let control = preventive_control_behind(&rule.rule, rule.identifier.as_deref());
            let severity = control.and_then(|control| control.severity).map_or(UNKNOWN, Severity::as_str);
            let pillar = control.map_or(UNKNOWN, |control| control.pillar.as_str());
            let results = rule.results;
            for (state, count, always) in [
                (ComplianceState::Compliant, results.compliant, true),
                (ComplianceState::NonCompliant, results.violating, true),
                (ComplianceState::NotApplicable, results.not_applicable, false),
                (ComplianceState::InsufficientData, results.unknown, false),
            ] {
                if always || count > 0 {
                    let key = [&*place.account, severity, pillar, state.as_str()].map(Box::from);
                    *counted.entry(key).or_default() += count;
                }
            }
        }
    }
    counted.into_iter().collect()
}

/// Tells that a reading has ended.
pub(super) async fn tell(lead: &Lead, run: &Run<'_>) {
    let id = snapshot_id(lead, run.kind.as_str(), run.began_ms);
    tell_as(lead, run, Snapshot { id: &id, now_ms: run.ended_ms }).await;
}

/// Tells that a run with rows of its own has ended.
pub(super) async fn tell_as(lead: &Lead, run: &Run<'_>, snapshot: Snapshot<'_>) {
    let emitter = lead.emitter();
    let mut item = Vec::new();
    emitter.cut(push_run(&mut item, run, snapshot));
    emitter.row(&item, snapshot.now_ms).await;
    if !emitter.accepted().await {
        tracing::warn!(kind = run.kind.as_str(), "That a run has ended was not accepted");
    }
}

/// The same for all rows of a run, another one for each run.
pub(super) fn snapshot_id(lead: &Lead, kind: &str, began_ms: i64) -> String {
    digest_id(&[kind.as_bytes(), began_ms.to_string().as_bytes(), lead.stages.agent.as_bytes()])
}
