//! What exceptions covered, told when they are over.
//!
//! In: what is known of findings, and the exceptions of now. Out: one notice for each control in a place of which open findings are
//! covered no more, though none of them was told again; they count as open from then on. What always holds: what was not accepted
//! is told again the next time, under the same `event.id`; what is told meanwhile by its own record is not told twice.

use super::Lead;
use crate::classify::{Exceptions, Mark};
use crate::encode::finding::{FindingRun, push_uncovered};
use crate::enrich::Enricher;
use crate::posture::{Cover, CoveredSite, Findings, Uncovered};
use crate::record::id::digest_id;

/// Tells what no exception covers any more.
pub(super) async fn tell(lead: &Lead, now_ms: i64) {
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
        let (record, refused, findings) = (emitter.record(), emitter.refused(), stages.findings.clone());
        let owed: Vec<_> = one.findings.into_values().map(|(_, token)| (token, record.piece())).collect();
        let step = record.step(move |settled| {
            refused.note(settled);
            for (token, piece) in owed {
                findings.conclude(token, settled, piece);
            }
        });
        items.push((item, step.piece()));
    }
    for (item, piece) in items {
        emitter.put(&item, i64::MAX, piece).await;
    }
    if !emitter.accepted().await {
        tracing::warn!("That exceptions of findings are over was not accepted");
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
