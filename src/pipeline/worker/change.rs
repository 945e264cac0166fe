//! One configuration item of AWS Config through enrich and encode, and into the waiting room; and what of trail records tells who
//! changed it.
//!
//! In: an item's raw JSON text; trail records. Out: an `AwsResourceChange`, when the actor is known or not to be had; of an item in
//! a history file at once.
//! An item that is the result of a rule is ignored: it comes as a change of compliance.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::counted::{From, Kind};
use super::{Place, Processor};
use crate::ack::seen::Admission;
use crate::ack::{Outcome, RecordEntry};
use crate::classify::ClassifiedItem;
use crate::decode::{Decoded, Decoder};
use crate::encode::change::{ChangeOrigin, Draft};
use crate::encode::{Lane, Outlet};
use crate::enrich::{Enriched, EventOutcome};
use crate::pipeline::changes::{Item, Rest};
use crate::posture::{Actor, ItemFact, Name, TrailFact, Who};
use crate::record::trail::is_account_id;
use crate::record::{ConfigItem, RecordKey, RecordKind, Text, Trail, text};
use crate::source::Phase;

/// Longest text that is kept of a trail record: what an event may hold of it.
const TEXT_MAX: usize = 4_096;

/// How attributes of the request are called that name something.
const NAMING: [&str; 7] = ["Id", "Ids", "Arn", "Arns", "Name", "Names", "Identifier"];

impl Processor<'_> {
    /// One record: exactly one outcome, whatever happens.
    pub(super) fn config_record(&mut self, raw: &[u8], enveloped: Option<&str>, place: &mut Place<'_>, outlet: &mut impl Outlet) {
        let record = place.entry.record();
        let mut mended = std::mem::take(&mut self.mended);
        match ConfigItem::parse(text::without_half_pairs(raw, &mut mended)) {
            Ok(item) => self.config_item(&item, enveloped, &record, place, outlet),
            Err(error) => {
                // The envelope around it, too: account and time may stand there only.
                let message = place.message.clone();
                self.unreadable(&record, place, message.as_deref().unwrap_or(raw), &error.to_string());
            }
        }
        mended.clear();
        mended.shrink_to(super::MENDED_KEPT);
        self.mended = mended;
    }

    fn config_item(
        &mut self,
        item: &ConfigItem<'_>,
        enveloped: Option<&str>,
        record: &Arc<RecordEntry>,
        place: &mut Place<'_>,
        outlet: &mut impl Outlet,
    ) {
        let stages = self.stages;
        let account = item.account.get().filter(|id| is_account_id(id)).or(enveloped).unwrap_or("unknown");
        if !self.is_watched(account, item.region.get()) {
            record.ends_as(Outcome::Ignored);
            return;
        }
        let event_id = item.event_id(account);
        // What was fetched for a notification is a bare item too.
        let origin = if item.is_bare && !place.is_fetched { ChangeOrigin::History } else { ChangeOrigin::Stream };
        let key = RecordKey::new(account, &event_id);
        let admission = match origin {
            ChangeOrigin::Stream => stages.seen.admit(key, record),
            // It does not say what was before, nor who made it: the event behind it is no copy.
            ChangeOrigin::History => {
                stages.seen.admit_lesser(key, RecordKey::new(account, &format!("history {event_id}")), record)
            }
        };
        if admission == Admission::Copy {
            return;
        }
        let arrival = self.arrival(item.time_ms, place);
        if item.is_compliance() {
            record.ends_as(Outcome::Ignored);
            return;
        }
        if arrival.late && stages.refuse_late {
            record.refuse_late();
            return;
        }
        record.ends_as(Outcome::Delivered);
        let enriched = self.enricher.enrich_item(item, account);
        let classified = ClassifiedItem { item, event_id: &event_id, enriched: &enriched };
        let draft = Draft::of(&classified, origin, arrival, place.source);
        let fact = fact_of(item, account);
        let from = From { account, region: enriched.region, service: &enriched.service };
        let counted = stages.counts_record(from, Kind::Change);
        if let (Some(changes), ChangeOrigin::Stream) = (&stages.changes, origin) {
            let piece = record.piece().counting([counted, None]);
            let item = Item::new(draft, fact, piece, Arc::clone(place.entry.counts()));
            changes.item(item, stages.clock.now_ms());
            return self.send_decided(false, outlet);
        }
        // A history file comes hours after the records, and would push out what waits for one.
        let who = stages.changes.as_ref().map_or(Who::None, |changes| changes.who(&fact));
        let cut = draft.push(&mut self.item, &who);
        outlet.put(Lane::Events, &self.item, draft.timestamp_ms, record.piece().counting([counted, None]));
        place.entry.counts().cut(cut);
    }

    /// Sends what waits no longer; `all`: nothing does.
    fn send_decided(&mut self, all: bool, outlet: &mut impl Outlet) {
        let Some(changes) = &self.stages.changes else { return };
        for (item, who) in changes.decided(self.stages.clock.now_ms(), all) {
            let cut = item.draft.push(&mut self.item, &who);
            item.counts.cut(cut);
            outlet.put(Lane::Events, &self.item, item.draft.timestamp_ms, item.piece);
        }
    }

    /// Looks after what waits. `nothing_comes`: the input has nothing more to read, for now or for good.
    pub(super) fn look_after_changes(&mut self, nothing_comes: bool, outlet: &mut impl Outlet) {
        let Some(changes) = &self.stages.changes else { return };
        if changes.is_empty() {
            return;
        }
        let stops = self.open.as_ref().is_none_or(|(phase, _)| *phase.borrow() >= Phase::Draining);
        match changes.rest() {
            Rest::Back if stops => changes.give_back(),
            Rest::Back => self.send_decided(false, outlet),
            Rest::Sent => self.send_decided(nothing_comes || stops, outlet),
        }
    }

    /// Keeps what a trail record tells about who changed what, if it changed anything.
    pub(super) fn remember<'e>(
        &self,
        trail: &Trail<'_>,
        enriched: &impl Deref<Target = Enriched<'e>>,
        event_id: &str,
        account: &str,
    ) {
        let Some(changes) = &self.stages.changes else { return };
        if trail.read_only.get() != Some("false") || !trail.error_code.is_empty() || !trail.error_message.is_empty() {
            return;
        }
        // Data events change what is in a resource, not the resource.
        if enriched.outcome != EventOutcome::Success || enriched.category != "Management" {
            return;
        }
        let names = names_of(enriched);
        if !names.is_empty() {
            changes.trail(trail_fact(trail, enriched, event_id, account, names), self.stages.clock.now_ms());
        }
    }

    /// The text of an oversized item, if what was fetched is the item that its notification speaks of.
    pub(super) fn whole_item(&mut self, message: &Bytes, fetched: Bytes) -> Option<Bytes> {
        let bounds = self.stages.bounds;
        let whole = Decoder::held_with(fetched, bounds, std::mem::take(&mut self.buffer)).ok().and_then(|mut decoder| {
            let whole = first_item(&mut decoder);
            self.buffer = decoder.into_buffer();
            whole
        });
        let mut summary = Decoder::held(message.clone(), bounds).ok()?;
        let summary = first_item(&mut summary);
        let key =
            |text: &Bytes| ConfigItem::parse(text).ok().map(|item| (item.event_id(item.account.or_empty()), item.is_summary));
        let of_summary = summary.as_ref().and_then(key);
        let fits = match (whole.as_ref().and_then(key), &of_summary) {
            (Some((whole, false)), Some((told, _))) => whole == *told,
            _ => false,
        };
        if !fits && !self.stages.quiet {
            tracing::warn!("What was fetched for an oversized configuration item is not that item: its summary is sent");
        }
        whole.filter(|_| fits)
    }
}

/// The first record of an object, if it is a configuration item.
fn first_item(decoder: &mut Decoder) -> Option<Bytes> {
    match decoder.next() {
        Ok(Some(Decoded::Record { kind: RecordKind::ConfigItem, raw, .. })) => Some(Bytes::copy_from_slice(raw)),
        _ => None,
    }
}

fn fact_of(item: &ConfigItem<'_>, account: &str) -> ItemFact {
    let present = |text: &Text<'_>| text.get().filter(|text| !text.is_empty()).map(str::to_owned);
    ItemFact {
        account: account.to_owned(),
        region: item.region.or_empty().to_owned(),
        resource_type: item.resource_type.or_empty().to_owned(),
        resource_id: item.resource_id.or_empty().to_owned(),
        resource_name: present(&item.resource_name),
        arn: present(&item.arn),
        time_ms: item.time_ms,
        related_events: item.related_events.iter().take(20).map(|id| id.as_ref().to_owned()).collect(),
    }
}

/// What a record names: its resource, and what of the request says so by its name.
fn names_of(enriched: &Enriched<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    let resource = &enriched.resource;
    if let Some(arn) = &resource.arn {
        names.push(Name::Arn(arn.as_ref().to_owned()));
    }
    for id in items_of(&resource.id).filter(|id| *id != "unknown") {
        names.push(Name::Typed(resource.kind.as_ref().to_owned(), id.to_owned()));
    }
    for (attribute, value) in &enriched.request {
        let attribute = attribute.trim_start_matches("request.");
        if NAMING.iter().any(|ending| attribute.ends_with(ending)) {
            names.extend(items_of(value).map(|item| {
                if item.starts_with("arn:") {
                    Name::Arn(item.to_owned())
                } else {
                    Name::Asked(attribute.to_owned(), item.to_owned())
                }
            }));
        }
    }
    names
}

/// The items of a list `|a|b|`, or the one text.
fn items_of(text: &str) -> impl Iterator<Item = &str> {
    let inside = text.strip_prefix('|').and_then(|text| text.strip_suffix('|'));
    let (list, one) = match inside {
        Some(inside) => (Some(inside.split('|')), None),
        None => (None, Some(text)),
    };
    list.into_iter().flatten().chain(one).filter(|item| !item.is_empty())
}

fn trail_fact(trail: &Trail<'_>, enriched: &Enriched<'_>, event_id: &str, account: &str, names: Vec<Name>) -> TrailFact {
    let kept = |text: &str| text.chars().take(TEXT_MAX).collect::<String>();
    let actor = &enriched.actor;
    TrailFact {
        event_id: event_id.to_owned(),
        account: account.to_owned(),
        region: enriched.region.to_owned(),
        service: enriched.service.as_ref().to_owned(),
        event_name: enriched.event_name.as_ref().to_owned(),
        time_ms: trail.time_ms,
        names,
        actor: Actor {
            kind: actor.kind,
            name: kept(&actor.name),
            arn: actor.arn.as_deref().map(kept),
            session_issuer: actor.session_issuer.as_deref().map(kept),
        },
        source_ip: trail.source_ip_address.get().map(kept),
        user_agent: trail.user_agent.get().map(kept),
    }
}
