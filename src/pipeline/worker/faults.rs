//! What is no record, or cannot be read: passed over, handed back, or kept where people find it.
//!
//! In: an object or a part of it, and what is wrong with it. Out: an outcome, a letter to the dead letters, a gap. What always holds:
//! nothing is dropped without a count, a name or a letter.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Place, Processor};
use crate::ack::{Outcome, RecordEntry, Settled};
use crate::decode::{Decoder, ObjectFault};
use crate::deliver::letter::{Letter, LetterKind};
use crate::deliver::park::Parking;
use crate::encode::event::{self, Gap};
use crate::encode::{Lane, Outlet};
use crate::source::{Fault, Sight, key};

impl Processor<'_> {
    /// A document that is known to hold no records for us.
    pub(super) fn pass_over(&self, place: &Place<'_>, what: key::Skip) {
        place.entry.counts().skipped();
        self.skipped.note(what.as_str(), &place.origin.name);
    }

    /// A whole object of no trail. One that nobody named is passed over, but only if there is no record in all of it.
    pub(super) fn foreign(&self, decoder: &mut Decoder, place: &Place<'_>, why: &str) {
        let object = &place.origin.name;
        let stays = match place.origin.sight {
            Sight::Beside => self.hold_against(decoder),
            Sight::Message | Sight::Named | Sight::Version(_) => Some("it stays where it is".to_owned()),
        };
        if let Some(stays) = stays {
            if !self.stages.quiet {
                tracing::error!(object, why, "Not an object of a trail: {stays}");
            }
            place.entry.give_back();
            return;
        }
        place.entry.counts().skipped();
        self.skipped.note("not an object of a trail", object);
        if !self.stages.quiet {
            tracing::warn!(object, why, "Passed over: not an object of a trail");
        }
    }

    /// Reads on in an object that begins like no trail's; what forbids to pass it over, if anything does.
    fn hold_against(&self, decoder: &mut Decoder) -> Option<String> {
        loop {
            if self.abort.load(Ordering::Relaxed) {
                return Some("stopped before its end was read".to_owned());
            }
            match decoder.next() {
                Ok(None) => return None,
                Ok(Some(found)) if found.is_meant_as_record() => {
                    return Some("but there are records in it, after too much else: none of them was sent".to_owned());
                }
                Ok(Some(_)) => {}
                Err(fault) => return Some(format!("as far as it can be read: {fault}")),
            }
        }
    }

    /// Something that is no record: its bytes go to the dead letters.
    pub(super) fn unreadable(&mut self, record: &Arc<RecordEntry>, place: &Place<'_>, raw: &[u8], why: &str) {
        record.ends_as(Outcome::Unreadable);
        if !self.stages.quiet {
            self.named.tell(&place.origin.name, place.index, why, self.fate.of_record());
        }
        let letter = place.letter(LetterKind::Record, Some(place.index), why, raw);
        self.park(letter, record);
    }

    /// A record over the limit, of which only the head is known: the rest is still in its object, or goes back with its message.
    pub(super) fn too_long(&mut self, place: &Place<'_>, head: &[u8]) {
        let record = place.entry.record();
        let limit = self.stages.bounds.record;
        if place.origin.sight == Sight::Message {
            tracing::error!(
                message = place.origin.name,
                limit,
                "A record is longer than limits.recordBytes: its message goes back to the queue"
            );
            // Stays as it began: returned.
            return;
        }
        let kept = head.len();
        let whole = if place.is_stream { "" } else { ", the whole record is in the object" };
        let why = format!("longer than limits.recordBytes ({limit}): only its first {kept} bytes are kept here{whole}");
        self.unreadable(&record, place, head, &why);
    }

    /// The object ended early: what came before is good, the rest is named in the dead letters and shown as a gap.
    pub(super) fn fault(&mut self, place: &Place<'_>, fault: &ObjectFault, outlet: &mut impl Outlet) {
        let kind = match fault {
            ObjectFault::TooLarge(_) => "unpacksTooLarge",
            ObjectFault::Corrupt(_) => "corrupt",
            ObjectFault::Unavailable(_) | ObjectFault::Stopped(_) => {
                if let ObjectFault::Unavailable(error) = fault
                    && !self.stages.quiet
                {
                    tracing::error!(object = place.origin.name, %error, "An object cannot be read: it stays where it is");
                }
                place.entry.give_back();
                place.entry.decoded();
                return;
            }
        };
        let reason = fault.to_string();
        if !self.stages.quiet {
            let rest = self.fate.of_rest();
            tracing::error!(object = place.origin.name, records = place.index, reason, "An object ended early: {rest}");
        }
        match &place.message {
            Some(message) => self.park_object(place, LetterKind::Message, &reason, message),
            None => self.park_object(place, LetterKind::Object, &reason, &[]),
        }
        self.gap(place, kind, &reason, outlet);
        place.entry.decoded();
    }

    /// There is no object to read.
    pub(super) fn missing(&mut self, place: &Place<'_>, fault: Fault, outlet: &mut impl Outlet) {
        match fault {
            Fault::Gone => self.gap(place, "gone", "the object no longer exists", outlet),
            Fault::TooLarge { bytes } => {
                let reason = format!("{bytes} bytes packed: more than the object limit");
                self.park_object(place, LetterKind::Object, &reason, &[]);
                self.gap(place, "tooLarge", &reason, outlet);
            }
            Fault::NotUnderstood { why, body } => self.park_object(place, LetterKind::Message, &why, &body),
        }
    }

    pub(super) fn park_object(&mut self, place: &Place<'_>, kind: LetterKind, reason: &str, content: &[u8]) {
        place.entry.park();
        let index = (place.index > 0).then_some(place.index);
        let letter = place.letter(kind, index, reason, content);
        self.park(letter, &place.entry.errand());
    }

    pub(super) fn gap(&mut self, place: &Place<'_>, kind: &str, reason: &str, outlet: &mut impl Outlet) {
        let gap = Gap {
            object: &place.origin.name,
            version: place.origin.version(),
            kind,
            reason,
            records_read: place.index,
            account_id: place.origin.account.as_deref(),
        };
        let cut = event::push_gap(&mut self.item, &gap, place.now_ms, place.source, &self.stages.agent);
        place.entry.counts().cut(cut);
        outlet.put(Lane::Events, &self.item, place.now_ms, place.entry.errand().piece());
    }

    pub(super) fn park(&mut self, letter: Letter, entry: &Arc<RecordEntry>) {
        let parking = Parking { letter, piece: entry.piece(), settled: Settled::Delivered };
        if self.letters.blocking_send(parking).is_err() {
            tracing::debug!("The dead letters have closed; the record goes back");
        }
    }
}
