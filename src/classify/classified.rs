//! What the encoders get: a record, what it is called and what it means, and the rules it matched.

use super::exceptions::longest;
use super::{Exception, Exceptions, Facts, List, PreventiveControl, Rule, preventive_control, preventive_control_id};
use crate::enrich::{Enriched, EnrichedChange, EnrichedItem};
use crate::record::compliance::NON_COMPLIANT;
use crate::record::{ConfigItem, Novelties, StateChange, Trail};

/// A record with its detections.
#[derive(Debug, Clone, Copy)]
pub struct Classified<'a> {
    /// The record.
    pub trail: &'a Trail<'a>,
    /// Its deterministic id.
    pub event_id: &'a str,
    /// Names and meaning.
    pub enriched: &'a Enriched<'a>,
    /// Rules it matched, most severe first.
    pub hits: &'a [&'a Rule],
    /// What is new about it; `None`: nobody was asked.
    pub novelty: Option<Novelties>,
}

/// A change of state of AWS Config with the control behind its rule.
#[derive(Debug, Clone, Copy)]
pub struct ClassifiedChange<'a> {
    /// The change.
    pub change: StateChange<'a>,
    /// Its deterministic id.
    pub event_id: &'a str,
    /// Names and meaning.
    pub enriched: &'a EnrichedChange<'a>,
    /// The managed rule behind its rule; `None`: no table knows it.
    pub control: Option<&'a PreventiveControl>,
    /// Framework numbers of the tables and of the customer's file; `None`: unmapped.
    pub frameworks: Option<&'a List>,
    /// What mutes it, if anything does.
    pub exception: Option<&'a Exception>,
}

/// The state of a violation that an exception covers.
pub const EXCEPTED: &str = "EXCEPTED";

impl ClassifiedChange<'_> {
    /// `control.id`: the managed rule's name, else the rule's own without what its deployment added.
    #[must_use]
    pub fn control_id(&self) -> &str {
        preventive_control_id(self.change.rule, self.control)
    }

    /// The exception that mutes it at `now_ms`: of the managed rule behind its rule, or of the rule as it is deployed, unless that is
    /// the name of another managed rule.
    #[must_use]
    pub fn find_exception<'e>(&self, exceptions: &'e Exceptions, now_ms: i64) -> Option<&'e Exception> {
        let own = preventive_control(self.change.rule).is_none().then(|| preventive_control_id(self.change.rule, None));
        let names = || std::iter::once(self.control_id()).chain(own);
        if !names().any(|name| exceptions.concerns(name)) {
            return None;
        }
        let facts = Facts::of_change(&self.change, self.enriched);
        longest(names().filter_map(|name| exceptions.find(name, &facts, now_ms)))
    }

    /// The exception, where there is something that it covers: only a violation is excepted.
    #[must_use]
    pub fn excepted(&self) -> Option<&Exception> {
        self.exception.filter(|_| self.change.state == NON_COMPLIANT)
    }

    /// `compliance.state`: as AWS Config says, or [`EXCEPTED`].
    #[must_use]
    pub fn state(&self) -> &str {
        if self.excepted().is_some() { EXCEPTED } else { self.change.state }
    }
}

/// A configuration item of AWS Config. Controls look at calls and at states: there is none for what changed in between.
#[derive(Debug, Clone, Copy)]
pub struct ClassifiedItem<'a> {
    /// The item.
    pub item: &'a ConfigItem<'a>,
    /// Its deterministic id.
    pub event_id: &'a str,
    /// Names and meaning.
    pub enriched: &'a EnrichedItem<'a>,
}
