//! One change of state of AWS Config through classify, enrich and encode.
//!
//! In: its raw JSON text. Out: an `AwsComplianceChange`, for a violation that begins also a notice, and an outcome. No output
//! is optional here: every change is wanted; an exception only changes the state of a violation and keeps its notice back.

use std::sync::Arc;

use super::{Place, Processor};
use crate::ack::seen::Admission;
use crate::ack::{Outcome, RecordEntry};
use crate::classify::{ClassifiedChange, Facts, preventive_control};
use crate::encode::compliance::{push_change, push_notice};
use crate::encode::{Lane, Outlet};
use crate::record::trail::is_account_id;
use crate::record::{ComplianceChange, RecordKey, text};

impl Processor<'_> {
    /// One record: exactly one outcome, whatever happens.
    pub(super) fn compliance_record(
        &mut self,
        raw: &[u8],
        enveloped: Option<&str>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let record = place.entry.record();
        let mut mended = std::mem::take(&mut self.mended);
        match ComplianceChange::parse(text::without_half_pairs(raw, &mut mended)) {
            Ok(change) => self.compliance_change(&change, enveloped, &record, place, outlet),
            Err(error) => {
                // The envelope around it, too: account and time may stand there only.
                let message = place.message.clone();
                self.unreadable(&record, place, message.as_deref().unwrap_or(raw), &error.to_string());
            }
        }
        self.mended = mended;
    }

    fn compliance_change(
        &mut self,
        change: &ComplianceChange<'_>,
        enveloped: Option<&str>,
        record: &Arc<RecordEntry>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let stages = self.stages;
        let account = change.aws_account_id.get().filter(|id| is_account_id(id)).or(enveloped).unwrap_or("unknown");
        if !self.is_watched(account, change.aws_region.get()) {
            record.ends_as(Outcome::Ignored);
            return;
        }
        let event_id = change.event_id(account);
        if stages.seen.admit(RecordKey::new(account, &event_id), record) == Admission::Copy {
            return;
        }
        let arrival = self.arrival(change.time_ms, place);
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        record.ends_as(Outcome::Delivered);
        let enriched = self.enricher.enrich_change(change, account);
        let deployed = change.config_rule_name.or_empty();
        let control = preventive_control(deployed);
        let frameworks = stages.frameworks.of_rule(deployed, control);
        let mut classified =
            ClassifiedChange { change, event_id: &event_id, enriched: &enriched, control, frameworks, exception: None };
        if stages.exceptions.concerns(classified.control_id()) {
            let facts = Facts::of_change(change, &enriched);
            classified.exception = stages.exceptions.find(classified.control_id(), &facts, place.now_ms);
        }
        let mut cut = push_change(&mut self.item, &classified, arrival, place.source);
        outlet.put(Lane::Events, &self.item, arrival.timestamp_ms, record.piece());
        if stages.outputs.notices && change.begins_violation() && classified.excepted().is_none() {
            cut += push_notice(&mut self.item, &classified, arrival, place.source);
            outlet.put(Lane::Events, &self.item, i64::MAX, record.piece());
        }
        if cut > 0 {
            place.entry.counts().cut(cut);
        }
    }
}
