//! Objects that end early, or are not there: what becomes of them.
//!
//! In: a fault and how far the object was read. Out: its letter to the dead letters, and a `CspmRelayGap` where something of AWS
//! could not be read. What always holds: what can be had again is given back, and is no gap.

use std::sync::Arc;

use super::{Place, Processor};
use crate::ack::{RecordEntry, Settled};
use crate::decode::ObjectFault;
use crate::deliver::letter::{Letter, LetterKind};
use crate::deliver::park::Parking;
use crate::encode::event::{self, Gap};
use crate::encode::{Lane, Outlet};
use crate::source::Fault;

impl Processor<'_> {
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

    fn park_object(&mut self, place: &Place<'_>, kind: LetterKind, reason: &str, content: &[u8]) {
        place.entry.park();
        let index = (place.index > 0).then_some(place.index);
        let letter = place.letter(kind, index, reason, content);
        self.park(letter, &place.entry.errand());
    }

    fn gap(&mut self, place: &Place<'_>, kind: &str, reason: &str, outlet: &mut impl Outlet) {
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
