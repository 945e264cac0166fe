//! Matching one record against all rules.
//!
//! In: a trail record. Out: the rules that match, most severe first. Each path is read at most once and each predicate asked
//! at most once per record, whoever asks; nothing is allocated once the lists have grown. Holds no record after the call and
//! never fails: an odd record matches what it matches.

use crate::record::trail::Trail;

use super::correlation::{Correlations, Correlator, Mute, Offer, feeds};
use super::expr::Expr;
use super::field::{Fields, Values};
use super::fold;
use super::index::{Asked, Builder, Candidate, Index};
use super::predicate::{self, Kind, Spec, Test, TextTest};
use super::rule::Rule;
use super::sigma::Item;

/// All conditions of a rule set, ready to match.
#[derive(Debug, Default)]
pub(super) struct Program {
    fields: Fields,
    predicates: Vec<Predicate>,
    index: Index,
    /// How many rules there are.
    rules: usize,
}

#[derive(Debug)]
struct Predicate {
    field: u32,
    test: Test,
}

impl Program {
    /// Prepares the conditions; the position in `conditions` is the rule's number.
    pub(super) fn new(conditions: &[Expr<Item>]) -> Self {
        let mut fields = Fields::default();
        let (source, name) = (fields.number("eventSource"), fields.number("eventName"));
        let mut known = std::collections::HashMap::new();
        let mut asked = Vec::new();
        let numbered: Vec<Expr<u32>> = conditions
            .iter()
            .map(|condition| {
                condition.replace(&mut |item: &Item| {
                    let new = u32::try_from(asked.len()).unwrap_or(u32::MAX);
                    let number = *known.entry(format!("{item:?}")).or_insert(new);
                    if number == new {
                        asked.push(Asked { field: fields.number(&item.field), spec: item.spec.clone() });
                    }
                    Expr::Leaf(number)
                })
            })
            .collect();
        let mut predicates = Vec::with_capacity(asked.len());
        for Asked { field, spec } in &asked {
            let test = match spec {
                Spec::Present => Test::Present,
                Spec::Text { patterns, cased } => Test::Text(Box::new(TextTest::new(patterns, *cased))),
                Spec::Regex(regex) => Test::Regex(regex.clone()),
                Spec::Cidr(networks) => Test::Cidr(networks.clone()),
                Spec::Number(compare, limit) => Test::Number(*compare, *limit),
                Spec::Date(unit, compare, limit) => Test::Date(*unit, *compare, *limit),
                Spec::Field { other, relation, cased } => {
                    Test::Field { other: fields.number(other), relation: *relation, cased: *cased }
                }
            };
            predicates.push(Predicate { field: *field, test });
        }
        let mut builder = Builder::new(&asked, &fields, source, name);
        for (rule, condition) in (0..).zip(&numbered) {
            builder.add(rule, condition);
        }
        let index = builder.finish();
        Self { fields, predicates, index, rules: conditions.len() }
    }

    /// The number of one more field that is read, for who asks for its values.
    pub(super) fn field(&mut self, path: &str) -> u32 {
        self.fields.number(path)
    }
}

/// Matches records, one after the other, on one thread.
#[derive(Debug)]
pub struct Matcher<'s> {
    rules: &'s [Rule],
    program: &'s Program,
    /// Numbers the records, so that nothing below must be cleared.
    round: u32,
    values: Values,
    /// Round and answer of each predicate: twice the round, plus one if it holds.
    answers: Vec<u64>,
    /// The last round in which a rule was a candidate.
    seen: Vec<u32>,
    candidates: Vec<Candidate>,
    matched: Vec<u32>,
    hits: Vec<&'s Rule>,
    scratch: Scratch,
    correlated: Option<(&'s Correlations, &'s Correlator)>,
}

/// Buffers for a text in lower case, a composite value, and the other side of `fieldref`.
#[derive(Debug, Default)]
struct Scratch {
    lower: Vec<u8>,
    compact: Vec<u8>,
    other: Vec<u8>,
}

impl<'s> Matcher<'s> {
    pub(super) fn new(rules: &'s [Rule], program: &'s Program) -> Self {
        Self {
            rules,
            program,
            round: 0,
            values: Values::new(program.fields.len()),
            answers: vec![0; program.predicates.len()],
            seen: vec![0; program.rules],
            candidates: Vec::new(),
            matched: Vec::new(),
            hits: Vec::new(),
            scratch: Scratch::default(),
            correlated: None,
        }
    }

    /// Asks these correlations, too, in [`detections`](Self::detections).
    pub(super) fn correlating(self, correlations: &'s Correlations, correlator: &'s Correlator) -> Self {
        Self { correlated: (!correlations.is_empty()).then_some((correlations, correlator)), ..self }
    }

    /// The rules that match, most severe first (severity, score, then id).
    pub fn matches(&mut self, trail: &Trail<'_>) -> &[&'s Rule] {
        self.find(trail);
        self.hits()
    }

    /// The same, with the correlations that the record completes. `account` and `event_id` name it: a record that comes again gets
    /// the answer it got. `now_ms`: the present, which no record may be far ahead of.
    pub fn detections(&mut self, trail: &Trail<'_>, account: &str, event_id: &str, now_ms: i64) -> &[&'s Rule] {
        self.detections_but(trail, account, event_id, now_ms, &|_| None)
    }

    /// The same where exceptions mute controls. `muted_until`: the end of the exception that mutes a control for this record, if there
    /// is one: its detection is found, too, and keeps nobody else from being told. Asked about correlations only.
    pub fn detections_but(
        &mut self,
        trail: &Trail<'_>,
        account: &str,
        event_id: &str,
        now_ms: i64,
        muted_until: &dyn Fn(&str) -> Option<i64>,
    ) -> &[&'s Rule] {
        self.find(trail);
        self.complete(trail, account, event_id, now_ms, muted_until);
        self.hits()
    }

    fn hits(&mut self) -> &[&'s Rule] {
        self.hits.clear();
        // Rules that only feed correlations have the numbers behind the others.
        self.hits.extend(self.matched.iter().filter_map(|rule| self.rules.get(*rule as usize)));
        &self.hits
    }

    /// Adds the correlations that the record completes to the rules that it matched.
    pub(super) fn complete(
        &mut self,
        trail: &Trail<'_>,
        account: &str,
        event_id: &str,
        now_ms: i64,
        muted_until: &dyn Fn(&str) -> Option<i64>,
    ) -> &[u32] {
        if let Some((correlations, correlator)) = self.correlated.filter(|(correlations, _)| correlations.want(&self.matched)) {
            let mut matched = std::mem::take(&mut self.matched);
            let feeds = feeds(correlations, self, trail, &matched);
            if !feeds.is_empty() {
                let id = format!("{account}\n{event_id}");
                // What only feeds others tells nothing that could be muted.
                let mute = |rule: u32| {
                    let until_ms = muted_until(&self.rules.get(rule as usize)?.id)?;
                    Some(Mute { rule, until_ms })
                };
                let muted = correlations.fed(&feeds).filter_map(mute).collect();
                let offer = Offer { time_ms: trail.time_ms, id, feeds, muted };
                matched.extend(correlator.offer(correlations, offer, now_ms));
                matched.sort_unstable();
            }
            self.matched = matched;
        }
        &self.matched
    }

    /// Gives the values of a field of the record that was read last, until `take` has enough.
    pub(super) fn each_value(&mut self, field: u32, trail: &Trail<'_>, take: impl FnMut(Kind, &[u8]) -> bool) {
        let fields = &self.program.fields;
        self.values.read(fields, field, trail);
        let _enough = self.values.any(fields, field, trail, &mut self.scratch.compact, take);
    }

    /// Leaves the numbers of the rules that match in `matched`, in order.
    pub(super) fn find(&mut self, trail: &Trail<'_>) -> &[u32] {
        self.round = self.round.wrapping_add(1);
        if self.round == 0 {
            self.seen.fill(0);
            self.answers.fill(0);
            self.round = 1;
        }
        self.values.start();
        self.candidates.clear();
        self.matched.clear();
        self.gather(trail);
        if self.candidates.is_empty() {
            return &self.matched;
        }
        let mut asking = Asking {
            program: self.program,
            trail,
            round: self.round,
            values: &mut self.values,
            answers: &mut self.answers,
            scratch: &mut self.scratch,
        };
        for candidate in &self.candidates {
            if asking.holds(candidate.condition) {
                self.matched.push(candidate.rule);
            }
        }
        self.matched.sort_unstable();
        &self.matched
    }

    /// Collects the candidates, each once.
    fn gather(&mut self, trail: &Trail<'_>) {
        let index = &self.program.index;
        let (seen, candidates, round) = (&mut self.seen, &mut self.candidates, self.round);
        let mut add = |list: &[Candidate]| {
            for candidate in list {
                if let Some(last) = seen.get_mut(candidate.rule as usize)
                    && *last != round
                {
                    *last = round;
                    candidates.push(*candidate);
                }
            }
        };
        add(&index.always);
        // An absent source or name is no key: only a rule that asks for the empty text needs one.
        let source = trail.event_source.get().map(|source| (fold::hash(source.as_bytes()), source.as_bytes()));
        if let Some(name) = trail.event_name.get()
            && let Some(by_name) = index.names.get(name.as_bytes())
        {
            add(&by_name.any_source);
            if let Some((hash, source)) = source
                && let Some(list) = by_name.by_source.get_hashed(hash, source)
            {
                add(list);
            }
        }
        if let Some((hash, source)) = source
            && let Some(list) = index.sources.get_hashed(hash, source)
        {
            add(list);
        }
        let (fields, values, compact) = (&self.program.fields, &mut self.values, &mut self.scratch.compact);
        for gate in &index.gates {
            values.read(fields, gate.field, trail);
            if !values.is_present(fields, gate.field, trail) {
                continue;
            }
            add(&gate.present);
            if gate.exact.is_empty() && gate.texts.is_none() && gate.networks.is_empty() {
                continue;
            }
            values.any(fields, gate.field, trail, compact, |kind, value| {
                if let Some(list) = gate.exact.get(value) {
                    add(list);
                }
                if let Some((needles, lists)) = &gate.texts {
                    needles.each(value, |number| add(lists.get(number).map_or(&[], Vec::as_slice)));
                }
                if !gate.networks.is_empty()
                    && kind == Kind::Text
                    && let Some(ip) = predicate::address(value)
                {
                    for (network, candidate) in &gate.networks {
                        if network.holds(ip) {
                            add(std::slice::from_ref(candidate));
                        }
                    }
                }
                false
            });
        }
    }
}

/// Asks conditions about one record.
struct Asking<'m, 't> {
    program: &'m Program,
    trail: &'m Trail<'t>,
    round: u32,
    values: &'m mut Values,
    answers: &'m mut [u64],
    scratch: &'m mut Scratch,
}

impl Asking<'_, '_> {
    fn holds(&mut self, condition: u32) -> bool {
        let conditions = &self.program.index.conditions;
        conditions.get(condition as usize).is_some_and(|condition| condition.holds(&mut |predicate| self.answer(*predicate)))
    }

    /// A predicate's answer, found once.
    fn answer(&mut self, number: u32) -> bool {
        let round = u64::from(self.round) << 1;
        if let Some(known) = self.answers.get(number as usize)
            && known & !1 == round
        {
            return known & 1 == 1;
        }
        let answer = self.program.predicates.get(number as usize).is_some_and(|predicate| self.ask(predicate));
        if let Some(known) = self.answers.get_mut(number as usize) {
            *known = round | u64::from(answer);
        }
        answer
    }

    fn ask(&mut self, predicate: &Predicate) -> bool {
        let (fields, field, trail) = (&self.program.fields, predicate.field, self.trail);
        self.values.read(fields, field, trail);
        let Scratch { lower, compact, other: other_compact } = &mut *self.scratch;
        match &predicate.test {
            Test::Present => self.values.is_present(fields, field, trail),
            Test::Field { other, relation, cased } => {
                self.values.read(fields, *other, trail);
                let values = &*self.values;
                values.any(fields, field, trail, compact, |kind, value| {
                    kind != Kind::Composite
                        && values.any(fields, *other, trail, other_compact, |kind, other| {
                            kind != Kind::Composite && relation.holds(value, other, *cased)
                        })
                })
            }
            test => self.values.any(fields, field, trail, compact, |kind, value| test.holds(kind, value, lower)),
        }
    }
}
