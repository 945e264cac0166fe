//! One security finding, or the results of one insight, through judge, classify and encode.
//!
//! In: its raw JSON text. Out: an `AwsSecurityFinding` for each transition, for those that a person must see also a notice, and an
//! outcome. An import that changes nothing is ignored, a copy is a duplicate: both by design, both counted. What always holds: the
//! state of the finding moves when its events were accepted, and the record settles after that.

use std::sync::Arc;

use super::counted::{From, Kind};
use super::{Place, Processor};
use crate::ack::seen::Admission;
use crate::ack::{Outcome, RecordEntry};
use crate::classify::{ClassifiedFinding, Exception};
use crate::encode::finding::{push_finding, push_insight, push_notice};
use crate::encode::{Lane, Outlet};
use crate::posture::{Cover, Covered, Verdict, Weight};
use crate::record::finding::Around;
use crate::record::{AccountRegion, Finding, FindingForm, InsightResults, RecordKey, text};

/// The service that has insights.
const INSIGHTS: &str = "securityhub";

impl Processor<'_> {
    /// The findings of one event: each is a record.
    pub(super) fn finding_records(
        &mut self,
        form: FindingForm,
        raws: &[&[u8]],
        around: Around<'_>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        for (nth, raw) in raws.iter().enumerate() {
            if nth > 0 {
                place.index += 1;
            }
            // What cannot be read is kept without the envelope, which the others came in, too.
            self.finding(form, raw, around, raw, place, outlet);
        }
    }

    /// One record: exactly one outcome, whatever happens.
    pub(super) fn one_finding(
        &mut self,
        form: FindingForm,
        raw: &[u8],
        around: Around<'_>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        // The envelope around it, too: account and Region may stand there only.
        let message = place.message.clone();
        self.finding(form, raw, around, message.as_deref().unwrap_or(raw), place, outlet);
    }

    fn finding(
        &mut self,
        form: FindingForm,
        raw: &[u8],
        around: Around<'_>,
        kept: &[u8],
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let record = place.entry.record();
        let mut mended = std::mem::take(&mut self.mended);
        match Finding::parse(form, text::without_half_pairs(raw, &mut mended), around) {
            Ok(finding) => self.judged(&finding, &record, place, outlet),
            Err(error) => self.unreadable(&record, place, kept, &error.to_string()),
        }
        self.mended = mended;
    }

    fn judged(&mut self, finding: &Finding<'_>, record: &Arc<RecordEntry>, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let stages = self.stages;
        if !stages.findings.reads(&finding.product) || !self.is_watched(&finding.account, finding.shown_region()) {
            record.ends_as(Outcome::Ignored);
            return;
        }
        let event_id = finding.event_id();
        // Only a redelivery is a copy without asking the state: the same version may hold once more.
        let again_id = finding.again_id(&event_id);
        let key = RecordKey::new(&finding.account, again_id.as_deref().unwrap_or(&event_id));
        if stages.seen.admit(key, record) == Admission::Copy {
            place.entry.counts().finding_copied();
            return;
        }
        let arrival = self.arrival(finding.updated_ms, place);
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        let enriched = self.enricher.enrich_finding(finding);
        let severity = stages.findings.severity(finding, enriched.account.environment);
        // A rule of another name: what AWS Config's API said of it.
        let here = || AccountRegion::as_told(&finding.account, finding.region.as_deref().unwrap_or_default());
        let deployed = finding.more.config_rule.as_deref();
        let identifier = deployed.and_then(|rule| stages.compliance.identifier(&here(), rule));
        let identifier = identifier.as_deref();
        // Asked before it is judged: that an exception ended, or begins to cover it, is a change.
        let (exceptions, now_ms) = (&stages.exceptions, place.now_ms);
        let exception = ClassifiedFinding::find_exception(finding, &enriched, identifier, &[], exceptions, now_ms);
        // Names of accounts are read beside the work: what was excepted before a restart stays so until they are there.
        let may = || ClassifiedFinding::may_find_exception(finding, &enriched, identifier, &[], exceptions, now_ms);
        let (exception, covered) = match exception {
            Some(exception) => (Some(exception), Covered::By(cover(exception))),
            None => may().map_or((None, Covered::No), |exception| (Some(exception), Covered::Unknown)),
        };
        let weight = Weight { severity, covered };
        let tell = match stages.findings.judge(finding, weight, &event_id, place.now_ms, || record.piece()) {
            Verdict::Tell(tell) => tell,
            // Stays as it began: returned. The agent that leads will have it.
            Verdict::NotLeading => return,
            Verdict::Unchanged => {
                place.entry.counts().finding_unchanged();
                record.ends_as(Outcome::Ignored);
                return;
            }
            Verdict::Copy => {
                place.entry.counts().finding_copied();
                record.ends_as(Outcome::Duplicate);
                return;
            }
        };
        record.ends_as(Outcome::Delivered);
        let (findings, token, owed) = (Arc::clone(&stages.findings), tell.token, record.piece());
        let step = record.step(move |settled| findings.conclude(token, settled, owed));
        let event_id = again_id.filter(|_| tell.again).unwrap_or(event_id);
        let classified = ClassifiedFinding::new(finding, &event_id, &enriched, &stages.frameworks);
        let classified = ClassifiedFinding { exception, ..classified.of_managed_rule(identifier) };
        let mut cut = push_finding(&mut self.item, &classified, &tell, arrival, place.source);
        let from = From { account: &finding.account, region: enriched.region, service: &enriched.service };
        let of_finding = stages.counts_finding(from, tell.severity, finding.control(), tell.transition.as_str());
        let counted = [stages.counts_record(from, Kind::Finding), of_finding];
        outlet.put(Lane::Events, &self.item, arrival.timestamp_ms, step.piece().counting(counted));
        if tell.excepted {
            place.entry.counts().finding_excepted();
        } else if tell.held {
            place.entry.counts().notice_held();
        }
        if stages.outputs.notices && tell.notify {
            cut += push_notice(&mut self.item, &classified, &tell, arrival, place.source);
            outlet.put(Lane::Events, &self.item, i64::MAX, step.piece());
        }
        if cut > 0 {
            place.entry.counts().cut(cut);
        }
    }

    /// The results of an insight: one record, one event per result.
    pub(super) fn insight_record(&mut self, raw: &[u8], place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let record = place.entry.record();
        let mut mended = std::mem::take(&mut self.mended);
        match InsightResults::parse(text::without_half_pairs(raw, &mut mended)) {
            Ok(insight) => self.insight(&insight, &record, place, outlet),
            Err(error) => self.unreadable(&record, place, raw, &error.to_string()),
        }
        self.mended = mended;
    }

    fn insight(
        &mut self,
        insight: &InsightResults<'_>,
        record: &Arc<RecordEntry>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let stages = self.stages;
        if stages.seen.admit(RecordKey::new(&insight.account, &insight.event_id), record) == Admission::Copy {
            return;
        }
        let arrival = self.arrival(insight.time_ms, place);
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        if insight.results.is_empty() {
            record.ends_as(Outcome::Ignored);
            return;
        }
        record.ends_as(Outcome::Delivered);
        let enriched = self.enricher.enrich_insight(insight);
        let mut cut = 0;
        for at in 0..insight.results.len() {
            cut += push_insight(&mut self.item, insight, at, &enriched, arrival, place.source);
            let counted = if at == 0 {
                let region = insight.region.as_deref().unwrap_or_default();
                stages.counts_record(From { account: &insight.account, region, service: INSIGHTS }, Kind::Insight)
            } else {
                None
            };
            outlet.put(Lane::Events, &self.item, arrival.timestamp_ms, record.piece().counting([counted, None]));
        }
        if cut > 0 {
            place.entry.counts().cut(cut);
        }
    }
}

/// An exception as the state remembers it.
fn cover(exception: &Exception) -> Cover {
    let mark = exception.mark();
    Cover { control: mark.control, scope: mark.scope, until_ms: exception.expires_ms, is_over: false }
}

#[cfg(test)]
#[path = "excepted_tests.rs"]
mod tests;
