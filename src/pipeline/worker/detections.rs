//! The detections of one trail record through exceptions and encode.
//!
//! In: a record and the rules that it met, at least one. Out: an `AwsSecurityEvent` for each that is not muted, and if one of them
//! says so an `AwsSecurityNotice`. What always holds: without an exception for one of the rules nothing is asked and nothing
//! allocated for them.

use std::ops::Deref;
use std::sync::Arc;

use super::Stages;
use super::counted::{From, Kind};
use crate::ack::RecordEntry;
use crate::classify::{Classified, Exceptions, Facts, Rule};
use crate::encode::event::{self, Arrival};
use crate::encode::{Lane, Outlet};
use crate::enrich::Enriched;
use crate::record::{Novelties, Trail};

/// The detections and the notice of a record, but for what is muted now. Returns how many detections there were, and the number
/// of values cut.
#[expect(clippy::too_many_arguments, reason = "borrows parts of the processor one by one")]
pub(super) fn push(
    stages: &Stages,
    item: &mut Vec<u8>,
    trail: &Trail<'_>,
    event_id: &str,
    enriched: &Enriched<'_>,
    (hits, novelty): (&[&Rule], Option<Novelties>),
    (arrival, now_ms): (Arrival, i64),
    source: &str,
    record: &Arc<RecordEntry>,
    outlet: &mut impl Outlet,
) -> (u64, u64) {
    let loud: Vec<&Rule>;
    let mut hits = hits;
    if hits.iter().any(|rule| stages.exceptions.concerns(&rule.id)) {
        let facts = Facts::of_trail(enriched, trail.source_ip_address.get());
        let is_loud = |rule: &&&Rule| stages.exceptions.find(&rule.id, &facts, now_ms).is_none();
        loud = hits.iter().filter(is_loud).copied().collect();
        hits = &loud;
    }
    let classified = Classified { trail, event_id, enriched, hits, novelty };
    let mut cut = 0;
    let from = From { account: enriched.account.id, region: enriched.region, service: &enriched.service };
    for (at, rule) in hits.iter().enumerate() {
        cut += event::push_security_event(item, &classified, at, arrival, source);
        let first = if at == 0 { stages.counts_record(from, Kind::Trail) } else { None };
        let counted = [first, stages.counts_detection(from, rule.severity, &rule.id)];
        outlet.put(Lane::Events, item, arrival.timestamp_ms, record.piece().counting(counted));
    }
    if stages.outputs.notices && event::is_notifiable(&classified) {
        cut += event::push_notice(item, &classified, arrival, source);
        outlet.put(Lane::Events, item, i64::MAX, record.piece());
    }
    (hits.len() as u64, cut)
}

/// When the exception ends that mutes the control for this record, if one does and whatever the time is.
pub(super) fn muted_until<'e>(
    exceptions: &Exceptions,
    control: &str,
    enriched: &impl Deref<Target = Enriched<'e>>,
    address: Option<&str>,
) -> Option<i64> {
    if !exceptions.concerns(control) {
        return None;
    }
    exceptions.find(control, &Facts::of_trail(enriched, address), i64::MIN).map(|exception| exception.expires_ms)
}

#[cfg(test)]
#[path = "correlated_tests.rs"]
mod tests;
