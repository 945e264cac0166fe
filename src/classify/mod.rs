//! Record in, the detective controls that it meets out.
//!
//! In: Sigma rules, built in and from folders, read once at start; then trail records. Out: for each record the rules that
//! match, most severe first. Always so: a bad rule is a [`RuleFault`] with file and line and never stops the others; a rule
//! set never changes once built, so every thread shares it, each with a [`Matcher`] of its own; matching allocates nothing in
//! the steady state and never fails. Only [`Correlator`] remembers anything of a record. Does not write
//! events.
//!
//! The cost of a record does not grow with the number of rules: `index` finds the few candidates, `field` reads every needed
//! path at most once without building a tree, `matcher` asks every predicate at most once. Why, and how fast: `DESIGN.md`.

mod attack;
mod attack_names;
mod builtin;
mod catalogue;
mod classified;
mod code;
mod collection;
mod condition;
mod correlation;
mod duty;
mod exceptions;
mod expr;
mod fault;
mod field;
mod file_error;
mod filter;
mod finding;
mod fold;
mod frameworks;
mod import;
mod index;
mod load;
mod matcher;
mod mutation;
mod pattern;
mod predicate;
mod preventive;
mod read;
mod requirements;
mod rule;
mod samples;
mod security_hub;
mod sigma;
mod to_nrql;
mod written;
mod yaml;

#[cfg(test)]
mod tests;

// Those who write what is classified name the types of what it carries, too.
pub use crate::enrich::{AccountName, Day};
pub use attack_names::{technique_name, technique_url};
pub use catalogue::{CatalogueKind, CatalogueRow};
pub use classified::{Classified, ClassifiedChange, ClassifiedItem, EXCEPTED};
pub use correlation::{Correlator, Thrown};
pub use duty::{Attestation, Automation, Duty, Responsibility};
pub use exceptions::{Address, Exception, Exceptions, Facts, Mark, Scope};
pub use fault::RuleFault;
pub use file_error::{FileError, FileFault};
pub use finding::ClassifiedFinding;
pub use frameworks::Frameworks;
pub use import::{Import, ImportedRule};
pub use matcher::Matcher;
pub use mutation::Unproven;
pub use predicate::Network;
pub use preventive::{
    PreventiveControl, all as preventive_controls, behind as preventive_control_behind, control as preventive_control,
    control_id as preventive_control_id, is_of_security_hub,
};
pub use requirements::{Attested, DeployedState, FrameworkRow, FrameworkState, Requirements};
pub use rule::{List, Pillar, Rule, Sample};
pub use samples::{SampleResult, Verdict, test_rules};
pub use security_hub::{SecurityHubControl, all as security_hub_controls, control as security_hub_control};
pub use to_nrql::NrqlCondition;
pub use written::written_detection;

use correlation::Correlations;
use matcher::Program;
use sigma::Placeholders;

/// All rules that run, ready to match. Immutable, but for what correlations remember: threads share it.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// They feed correlations and detect nothing of their own; numbered behind `rules`, and those that were lent behind these.
    silent: Vec<Rule>,
    disabled: Vec<Rule>,
    program: Program,
    correlations: Correlations,
    correlator: Correlator,
}

impl RuleSet {
    /// The built-in rules. Their faults, of which a test allows none, are left out.
    #[must_use]
    pub fn builtin() -> Self {
        Self::new(load::builtin(&Placeholders::new())).0
    }

    /// The built-in rules and those of the folders, without the disabled ones, and everything that is wrong with them.
    #[must_use]
    pub fn load(settings: &crate::config::Rules) -> (Self, Vec<RuleFault>) {
        Self::new(load::load(settings, &Placeholders::from(&settings.placeholders)))
    }

    /// Only the rules of these files and folders, with the placeholders of the settings, and everything that is wrong with them. Their
    /// correlations may name built-in rules, which then feed them and are no rules of the set.
    #[must_use]
    pub fn alone(paths: &[std::path::PathBuf], settings: &crate::config::Rules) -> (Self, Vec<RuleFault>) {
        Self::new(load::alone(paths, &Placeholders::from(&settings.placeholders)))
    }

    /// The parts of the conditions of [`load`](Self::load)'s rules that no sample proves.
    #[must_use]
    pub fn unproven(settings: &crate::config::Rules) -> Vec<Unproven> {
        mutation::unproven(&load::load(settings, &Placeholders::from(&settings.placeholders)))
    }

    /// The parts of the conditions of [`alone`](Self::alone)'s rules that no sample proves.
    #[must_use]
    pub fn unproven_alone(paths: &[std::path::PathBuf], settings: &crate::config::Rules) -> Vec<Unproven> {
        mutation::unproven(&load::alone(paths, &Placeholders::from(&settings.placeholders)))
    }

    /// The rules of [`load`](Self::load) as conditions of NRQL over raw trail records, in their order; where a rule cannot be said
    /// in NRQL, why.
    #[must_use]
    pub fn to_nrql(settings: &crate::config::Rules) -> Vec<(Rule, Result<NrqlCondition, Vec<String>>)> {
        let loaded = load::load(settings, &Placeholders::from(&settings.placeholders));
        loaded.rules.into_iter().map(|read| (read.rule.clone(), to_nrql::condition(&read))).collect()
    }

    fn new(loaded: load::Loaded) -> (Self, Vec<RuleFault>) {
        let load::Loaded { rules, disabled, faults, .. } = loaded;
        let (lent, own): (Vec<_>, Vec<_>) = rules.into_iter().partition(|read| read.lent);
        let (silent, mut reads): (Vec<_>, Vec<_>) = own.into_iter().partition(|read| read.silent);
        let (loud, feeding) = (reads.len(), silent.len());
        reads.extend(silent.into_iter().chain(lent));
        let conditions: Vec<_> = reads.iter().map(|read| read.condition.clone()).collect();
        let mut program = Program::new(&conditions);
        let correlations = Correlations::new(&reads, &mut program);
        let mut rules: Vec<Rule> = reads.into_iter().map(|read| read.rule).collect();
        let mut silent = rules.split_off(loud);
        silent.truncate(feeding);
        let disabled = disabled.into_iter().map(|read| read.rule).collect();
        (Self { rules, silent, disabled, program, correlations, correlator: Correlator::default() }, faults)
    }

    /// The same without its samples, which nobody needs who only matches: they are a good part of a rule's memory.
    #[must_use]
    pub fn without_samples(mut self) -> Self {
        for rule in self.rules.iter_mut().chain(&mut self.silent).chain(&mut self.disabled) {
            rule.samples = Vec::new();
        }
        self
    }

    /// The same, for a first look at past records: correlations take note and answer nothing.
    #[must_use]
    pub fn gathering(self) -> Self {
        Self { correlator: Correlator::gathering(), ..self }
    }

    /// From now on, records of the past that are read once: correlations answer as they come, and none is ahead of the clock.
    pub fn answer_past(&self) {
        self.correlator.become_past();
    }

    /// From now on, the answers that a set of the same rules gathered: those of records in the order of their time. `moment_ms`: when
    /// exceptions are looked at; `None`: as each record came.
    pub fn answer_from(&self, gathered: &Self, moment_ms: Option<i64>) {
        self.correlator.answer_from(&gathered.correlator, &self.correlations, moment_ms);
    }

    /// Whether a rule asks for several records.
    #[must_use]
    pub fn correlates(&self) -> bool {
        !self.correlations.is_empty()
    }

    /// What correlations did not look at, since the start.
    #[must_use]
    pub fn thrown(&self) -> Thrown {
        self.correlator.thrown()
    }

    /// The rules, most severe first (severity, score, then id).
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that only feed correlations of their file.
    #[must_use]
    pub fn silent(&self) -> &[Rule] {
        &self.silent
    }

    /// The rules that are switched off.
    #[must_use]
    pub fn disabled(&self) -> &[Rule] {
        &self.disabled
    }

    /// A matcher for one thread.
    #[must_use]
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher::new(&self.rules, &self.program).correlating(&self.correlations, &self.correlator)
    }
}
