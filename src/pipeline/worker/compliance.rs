//! One change of state of AWS Config through classify, enrich and encode.
//!
//! In: its raw JSON text. Out: an `AwsComplianceChange`, for a violation that begins also a notice, and an outcome. No output
//! is optional here: every change is wanted; an exception only changes the state of a violation and keeps its notice back.

use std::sync::Arc;

use super::counted::{From, Kind};
use super::{Place, Processor, Stages};
use crate::ack::seen::Admission;
use crate::ack::{Outcome, RecordEntry};
use crate::classify::{ClassifiedChange, Facts, PreventiveControl, is_of_security_hub, preventive_control_behind};
use crate::encode::compliance::{Origin, Told, push_change, push_notice};
use crate::encode::{Lane, Outlet};
use crate::posture::{Begun, Fact, Hearing, Judgement, Story};
use crate::record::trail::is_account_id;
use crate::record::{AccountRegion, ComplianceChange, ComplianceState, RecordKey, Severity, StateChange, text};

/// A managed rule that Security Hub has no control of is graded by nobody, and AWS's are mostly as severe as this: `required-tags`
/// wakes nobody unless it is asked for.
const UNGRADED: Severity = Severity::Medium;

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
        let plain = change.plain(account);
        let event_id = plain.event_id();
        if stages.seen.admit(RecordKey::new(account, &event_id), record) == Admission::Copy {
            return;
        }
        let arrival = self.arrival(change.time_ms, place);
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        let facts = fact(&plain);
        let here = AccountRegion::as_told(account, plain.region);
        let (story, out_of_order, ticket) = match stages.compliance.judge(&here, &facts, place.now_ms) {
            Judgement::Known => return record.ends_as(Outcome::Duplicate),
            // Stays as it began: returned. The agent that leads will have it.
            Judgement::NotLeading => return,
            Judgement::Late(story) => (story, true, None),
            Judgement::Change(story, ticket) => (story, false, Some(ticket)),
        };
        record.ends_as(Outcome::Delivered);
        // The state follows what was accepted: the record owes the writing of it, after its events.
        let step = ticket.map(|ticket| {
            let (compliance, piece) = (Arc::clone(&stages.compliance), record.piece());
            record.step(move |settled| compliance.conclude(ticket, settled, piece))
        });
        let owes = step.as_ref().unwrap_or(record);
        let enriched = self.enricher.enrich_change(&plain);
        // Events do not say which managed rule it is: what AWS Config's API said does.
        let identifier = stages.compliance.identifier(&here, plain.rule);
        let control = preventive_control_behind(plain.rule, identifier.as_deref());
        let frameworks = stages.frameworks.of_rule(plain.rule, control);
        let frameworks = frameworks.as_deref();
        let mut classified =
            ClassifiedChange { change: plain, event_id: &event_id, enriched: &enriched, control, frameworks, exception: None };
        classified.exception = classified.find_exception(&stages.exceptions, place.now_ms);
        let told = Told { story, origin: Origin::Stream, out_of_order, evaluated_ms: None };
        let mut cut = push_change(&mut self.item, &classified, &told, arrival, place.source);
        let from = From { account, region: enriched.region, service: &enriched.service };
        let counted = stages.counts_record(from, Kind::Compliance);
        outlet.put(Lane::Events, &self.item, arrival.timestamp_ms, owes.piece().counting([counted, None]));
        if stages.notifies(&here, &classified, &story) {
            cut += push_notice(&mut self.item, &classified, &told, arrival, place.source);
            outlet.put(Lane::Events, &self.item, i64::MAX, owes.piece());
        }
        if cut > 0 {
            place.entry.counts().cut(cut);
        }
    }
}

impl Stages {
    /// Whether a change sends a notice: a violation begins, nothing mutes it, it is severe enough, and nobody else sends one. What
    /// Security Hub's own rules find comes as findings, too: where these are heard, each of them sends its notice.
    pub(in crate::pipeline) fn notifies(&self, place: &AccountRegion, classified: &ClassifiedChange<'_>, story: &Story) -> bool {
        self.outputs.notices
            && story.notifiable
            && classified.excepted().is_none()
            && self.compliance.notifies(classified.control.map(|control| control.severity.unwrap_or(UNGRADED)))
            && !(is_of_security_hub(classified.change.rule) && self.hub_notifies(place, classified))
    }

    /// Whether the finding about a change is the one to send a notice. Where that may be held back as old, what was compliant and is
    /// not any more has begun by AWS's own words, and nobody must miss it.
    fn hub_notifies(&self, place: &AccountRegion, classified: &ClassifiedChange<'_>) -> bool {
        let change = &classified.change;
        let facts = Facts::of_change(change, classified.enriched);
        // How Security Hub names an account.
        let of_account = format!("AWS::::Account:{}", place.account);
        let arn = facts.resource_arn.as_deref().unwrap_or(change.resource_id);
        let name = if change.resource_type == "AWS::::Account" { &of_account } else { arn };
        let controls = classified.control.map(PreventiveControl::security_hub_controls).unwrap_or_default();
        match self.findings.hears(place, Begun { controls, resource: name }, change.at_ms) {
            Hearing::Nothing => false,
            Hearing::Young => change.previous.map(ComplianceState::of) != Some(ComplianceState::Compliant),
            Hearing::Settled => true,
        }
    }
}

/// What the state is told of a change.
fn fact<'a>(change: &StateChange<'a>) -> Fact<'a> {
    Fact {
        rule: change.rule,
        rule_arn: change.rule_arn,
        resource_type: change.resource_type,
        resource_id: change.resource_id,
        state: ComplianceState::of(change.state),
        previous: change.previous.map(ComplianceState::of),
        at_ms: change.at_ms,
        annotation: change.annotation,
    }
}
