//! Correlations, ready to be fed.
//!
//! In: the rules that run, in their final order, and the program that knows fields. Out: [`Correlations`]: children before parents,
//! names as rule numbers, fields as numbers. Immutable: threads share it.

use super::super::matcher::Program;
use super::super::read::Read;
use super::feed::Feed;
use super::spec::{Kind, Spec, Want};

/// All correlations of a rule set.
#[derive(Debug, Default)]
pub(in crate::classify) struct Correlations {
    /// Children before parents.
    pub(super) list: Vec<Correlation>,
    /// By rule number: whether a correlation names the rule.
    named: Vec<bool>,
}

/// One correlation.
#[derive(Debug)]
pub(super) struct Correlation {
    /// The number of its own rule.
    pub(super) rule: u32,
    pub(super) kind: Kind,
    pub(super) want: Want,
    pub(super) timespan_ms: i64,
    /// One for each rule it names, in their order.
    pub(super) sources: Vec<Source>,
}

/// A rule that a correlation names, and what is taken of its records.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) rule: u32,
    /// Numbers of the fields whose values must be the same.
    pub(super) group: Vec<u32>,
    /// Numbers of the fields whose values are looked at.
    pub(super) values: Vec<u32>,
}

impl Correlations {
    /// Prepares them; the position in `rules` is a rule's number.
    pub(in crate::classify) fn new(rules: &[Read], program: &mut Program) -> Self {
        let number = |name: &str| (0_u32..).zip(rules).find(|(_, read)| read.rule.is_called(name)).map(|(number, _)| number);
        let mut waiting: Vec<(u32, &Spec)> =
            (0..).zip(rules).filter_map(|(number, read)| read.correlation.as_ref().map(|spec| (number, spec))).collect();
        let mut named = vec![false; rules.len()];
        let mut list: Vec<Correlation> = Vec::new();
        while !waiting.is_empty() {
            let before = waiting.len();
            let (ready, rest): (Vec<_>, Vec<_>) = waiting.iter().partition(|(_, spec)| {
                spec.rules
                    .iter()
                    .filter_map(|(_, name)| number(name))
                    .all(|source| !waiting.iter().any(|(own, _)| *own == source))
            });
            for (rule, spec) in ready {
                let mut sources = Vec::new();
                for (_, name) in &spec.rules {
                    let Some(source) = number(name) else { continue };
                    if let Some(named) = named.get_mut(source as usize) {
                        *named = true;
                    }
                    let mut numbers = |paths: &[String]| -> Vec<u32> {
                        paths.iter().map(|path| program.field(resolved(rules, spec, name, path))).collect()
                    };
                    let (group, values) = (numbers(&spec.group_by), numbers(&spec.fields));
                    sources.push(Source { rule: source, group, values });
                }
                let Spec { kind, want, timespan_ms, .. } = spec;
                list.push(Correlation { rule, kind: *kind, want: want.clone(), timespan_ms: *timespan_ms, sources });
            }
            waiting = rest;
            if waiting.len() == before {
                // They name each other: told when they were resolved.
                break;
            }
        }
        Self { list, named }
    }

    /// Whether there is none.
    pub(in crate::classify) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The numbers of the rules of the correlations that are fed, each once.
    pub(in crate::classify) fn fed<'c>(&'c self, feeds: &'c [Feed]) -> impl Iterator<Item = u32> + 'c {
        let each = feeds.chunk_by(|a, b| a.correlation == b.correlation);
        each.filter_map(|feeds| self.list.get(feeds.first()?.correlation)).map(|correlation| correlation.rule)
    }

    /// Whether a correlation names one of these rules.
    pub(in crate::classify) fn want(&self, rules: &[u32]) -> bool {
        rules.iter().any(|rule| self.named.get(*rule as usize).copied().unwrap_or(false))
    }
}

/// The field behind a name: an alias is another field for each rule.
fn resolved<'s>(rules: &[Read], spec: &'s Spec, rule: &str, path: &'s str) -> &'s str {
    let alias = spec.aliases.iter().find(|alias| alias.name == path);
    let field = alias.and_then(|alias| alias.fields.iter().find(|(name, _)| super::resolve::is_same(rules, name, rule)));
    field.map_or(path, |(_, field)| field)
}
