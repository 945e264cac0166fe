//! Which rules a record could match, without asking them all.
//!
//! In: every rule's condition over numbered predicates. Out: an [`Index`] that gives candidates for a record's `eventSource`
//! and `eventName`, and for the values of a few other fields. What always holds: a rule that matches a record is among its
//! candidates. A candidate carries its condition with everything already decided by the way it was found left out.

use aho_corasick::automaton::Automaton;
use aho_corasick::{Input, MatchKind, dfa, nfa::contiguous};

use super::expr::Expr;
use super::field::Fields;
use super::fold::Table;
use super::pattern::Pattern;
use super::predicate::{Kind, Network, Spec, Test, TextTest};

/// Most (source, name) pairs one rule is filed under; above, it is filed under its names alone.
const PAIRS: usize = 4_096;

/// Up to so many bytes of texts are searched with a table of all transitions: fastest, about 200 bytes of memory for each.
const DFA_BYTES: usize = 16_384;

/// Shortest text worth searching for: shorter ones stand in nearly every value.
const SHORTEST_TEXT: usize = 3;

/// A rule to ask, and the condition that is left to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) rule: u32,
    /// Position in [`Index::conditions`].
    pub(super) condition: u32,
}

/// Candidates by what they need.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) names: Table<ByName>,
    pub(super) sources: Table<Vec<Candidate>>,
    pub(super) gates: Vec<Gate>,
    /// Rules that nothing rules out.
    pub(super) always: Vec<Candidate>,
    /// Conditions left to check, each once.
    pub(super) conditions: Vec<Expr<u32>>,
}

/// Rules that need one `eventName`.
#[derive(Debug, Default)]
pub(super) struct ByName {
    pub(super) any_source: Vec<Candidate>,
    pub(super) by_source: Table<Vec<Candidate>>,
}

/// Rules that need a value in one field.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) field: u32,
    pub(super) exact: Table<Vec<Candidate>>,
    /// Texts that a value must hold, and the candidates of each.
    pub(super) texts: Option<(Needles, Vec<Vec<Candidate>>)>,
    /// Networks of which a value must be an address.
    pub(super) networks: Vec<(Network, Candidate)>,
    /// Rules that need any value.
    pub(super) present: Vec<Candidate>,
}

/// Many texts, searched for at once. The automata are named by type, as their common wrapper asks through a pointer for every
/// byte when matches overlap. No prefilter: values are short and hold its rare bytes often, so it costs more than it skips.
#[derive(Debug)]
pub(super) enum Needles {
    Fast(Box<dfa::DFA>),
    Small(Box<contiguous::NFA>),
}

impl Needles {
    fn new(texts: &[Box<[u8]>]) -> Option<Self> {
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        if bytes <= DFA_BYTES {
            let mut builder = dfa::DFA::builder();
            let dfa = builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true).prefilter(false).build(texts).ok()?;
            return Some(Self::Fast(Box::new(dfa)));
        }
        let mut builder = contiguous::NFA::builder();
        let nfa = builder.match_kind(MatchKind::Standard).ascii_case_insensitive(true).prefilter(false).build(texts).ok()?;
        Some(Self::Small(Box::new(nfa)))
    }

    /// Gives the number of every text found in `value`, repeated ones too.
    pub(super) fn each(&self, value: &[u8], found: impl FnMut(usize)) {
        match self {
            Self::Fast(dfa) => Self::each_of(&**dfa, value, found),
            Self::Small(nfa) => Self::each_of(&**nfa, value, found),
        }
    }

    fn each_of(automaton: &impl Automaton, value: &[u8], mut found: impl FnMut(usize)) {
        // Cannot fail: every automaton is built for unanchored, overlapping search.
        if let Ok(matches) = automaton.try_find_overlapping_iter(Input::new(value)) {
            matches.for_each(|one| found(one.pattern().as_usize()));
        }
    }
}

/// A predicate while the index is built.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) field: u32,
    pub(super) spec: Spec,
}

/// What must be so for a rule to match.
#[derive(Debug, Clone)]
enum Need {
    /// One of the event sources, one of the event names, or both. Lower case.
    Call { sources: Option<Vec<String>>, names: Option<Vec<String>> },
    /// The field has one of these values.
    Value { field: u32, values: Vec<String> },
    /// A value of the field holds one of these texts.
    Text { field: u32, texts: Vec<String> },
    /// A value of the field is an address of one of these networks.
    Network { field: u32, networks: Vec<Network> },
    /// The field has a value.
    Present { field: u32 },
}

/// The texts of one field's gate while they are gathered.
#[derive(Debug)]
struct GateTexts {
    field: u32,
    texts: Vec<(String, Vec<Candidate>)>,
}

/// Builds the index.
pub(super) struct Builder<'b> {
    pub(super) asked: &'b [Asked],
    pub(super) fields: &'b Fields,
    pub(super) source: u32,
    pub(super) name: u32,
    index: Index,
    known: std::collections::HashMap<String, u32>,
    texts: Vec<GateTexts>,
}

impl<'b> Builder<'b> {
    pub(super) fn new(asked: &'b [Asked], fields: &'b Fields, source: u32, name: u32) -> Self {
        let index = Index::default();
        Self { asked, fields, source, name, index, known: std::collections::HashMap::new(), texts: Vec::new() }
    }

    /// Files one rule.
    pub(super) fn add(&mut self, rule: u32, condition: &Expr<u32>) {
        if *condition == Expr::Const(false) {
            return;
        }
        let Some((_, needs)) = self.needs(condition, true) else {
            let candidate = self.candidate(rule, condition.clone());
            return self.index.always.push(candidate);
        };
        for need in needs {
            self.file(rule, condition, need);
        }
    }

    /// The finished index.
    pub(super) fn finish(mut self) -> Index {
        for GateTexts { field, texts } in std::mem::take(&mut self.texts) {
            let (needles, candidates): (Vec<Box<[u8]>>, Vec<_>) =
                texts.into_iter().map(|(text, candidates)| (text.into_bytes().into_boxed_slice(), candidates)).unzip();
            let gate = self.gate(field);
            match Needles::new(&needles) {
                Some(needles) => gate.texts = Some((needles, candidates)),
                // Too large to build: every record with the field asks these rules.
                None => gate.present.extend(candidates.into_iter().flatten()),
            }
        }
        self.index
    }

    /// Needs of which at least one is met whenever the condition has the value `holds`, with a cost; `None`: nothing can be
    /// said.
    fn needs(&self, condition: &Expr<u32>, holds: bool) -> Option<(u32, Vec<Need>)> {
        match (condition, holds) {
            (Expr::Const(value), _) => (*value != holds).then(|| (0, Vec::new())),
            (Expr::Not(inner), _) => self.needs(inner, !holds),
            (Expr::Leaf(predicate), true) => self.need(*predicate).map(|need| (self.cost(&need), vec![need])),
            (Expr::Leaf(_), false) => None,
            (Expr::All(parts), true) | (Expr::Any(parts), false) => self.cheapest(parts, holds),
            (Expr::Any(parts), true) | (Expr::All(parts), false) => {
                let mut sum = 0_u32;
                let mut needs = Vec::new();
                for part in parts {
                    let (cost, more) = self.needs(part, holds)?;
                    sum = sum.saturating_add(cost);
                    needs.extend(more);
                }
                Some((sum, needs))
            }
        }
    }

    /// All parts must be met: the cheapest will do, narrowed by the source or the name that another part gives.
    fn cheapest(&self, parts: &[Expr<u32>], holds: bool) -> Option<(u32, Vec<Need>)> {
        let covers: Vec<_> = parts.iter().filter_map(|part| self.needs(part, holds)).collect();
        let (_, mut best) = covers.iter().min_by_key(|(cost, _)| *cost)?.clone();
        for (_, cover) in &covers {
            let [Need::Call { sources: more_sources, names: more_names }] = cover.as_slice() else { continue };
            for need in &mut best {
                let Need::Call { sources, names } = need else { continue };
                if sources.is_none() {
                    sources.clone_from(more_sources);
                }
                if names.is_none() {
                    names.clone_from(more_names);
                }
            }
        }
        for need in &mut best {
            if let Need::Call { sources: sources @ Some(_), names: Some(names) } = need
                && sources.as_ref().is_some_and(|sources| sources.len() * names.len() > PAIRS)
            {
                *sources = None;
            }
        }
        Some((best.iter().fold(0_u32, |sum, need| sum.saturating_add(self.cost(need))), best))
    }

    /// What a predicate that holds says about the record.
    fn need(&self, predicate: u32) -> Option<Need> {
        let Asked { field, spec } = self.asked.get(predicate as usize)?;
        let field = *field;
        let (patterns, cased) = match spec {
            Spec::Text { patterns, cased } => (patterns, cased),
            Spec::Cidr(networks) => return Some(Need::Network { field, networks: networks.clone() }),
            _ => return Some(Need::Present { field }),
        };
        // A value in lower case, letters outside ASCII too, is what such a rule compares: not what the tables hold.
        if !cased && patterns.iter().any(Pattern::has_wide_case) {
            return Some(Need::Present { field });
        }
        let literals: Option<Vec<String>> =
            patterns.iter().map(|pattern| pattern.as_literal().map(str::to_ascii_lowercase)).collect();
        if let Some(values) = literals {
            return Some(if field == self.source {
                Need::Call { sources: Some(values), names: None }
            } else if field == self.name {
                Need::Call { sources: None, names: Some(values) }
            } else {
                Need::Value { field, values }
            });
        }
        let texts: Vec<String> = patterns.iter().map(|pattern| pattern.longest_text().to_ascii_lowercase()).collect();
        if texts.iter().all(|text| text.len() >= SHORTEST_TEXT) {
            Some(Need::Text { field, texts })
        } else {
            Some(Need::Present { field })
        }
    }

    /// How much a need costs when it is looked up for every record: fields that must be scanned weigh most.
    fn cost(&self, need: &Need) -> u32 {
        match need {
            Need::Call { sources: Some(_), names: Some(_) } => 1,
            Need::Call { names: Some(_), .. } => 2,
            Need::Call { .. } => 20,
            Need::Value { field, .. } => 30 + self.fields.cost(*field) + self.fields.sameness(*field),
            Need::Text { field, .. } => 60 + self.fields.cost(*field) + self.fields.sameness(*field),
            Need::Network { field, .. } => 40 + self.fields.cost(*field),
            Need::Present { field } => 100 + self.fields.cost(*field),
        }
    }

    fn file(&mut self, rule: u32, condition: &Expr<u32>, need: Need) {
        match need {
            Need::Call { sources, names: Some(names) } => {
                for name in &names {
                    for source in sources.iter().flatten() {
                        let candidate = self.decided(rule, condition, Some(source), Some(name));
                        if let Some(by_name) = self.index.names.entry(name.as_bytes(), ByName::default)
                            && let Some(list) = by_name.by_source.entry(source.as_bytes(), Vec::new)
                        {
                            list.extend(candidate);
                        }
                    }
                    if sources.is_none() {
                        let candidate = self.decided(rule, condition, None, Some(name));
                        if let Some(by_name) = self.index.names.entry(name.as_bytes(), ByName::default) {
                            by_name.any_source.extend(candidate);
                        }
                    }
                }
            }
            Need::Call { sources, names: None } => {
                for source in sources.iter().flatten() {
                    let candidate = self.decided(rule, condition, Some(source), None);
                    if let Some(list) = self.index.sources.entry(source.as_bytes(), Vec::new) {
                        list.extend(candidate);
                    }
                }
            }
            Need::Value { field, values } => {
                let candidate = self.candidate(rule, condition.clone());
                let gate = self.gate(field);
                for value in &values {
                    if let Some(list) = gate.exact.entry(value.as_bytes(), Vec::new) {
                        list.push(candidate);
                    }
                }
            }
            Need::Text { field, texts } => {
                let candidate = self.candidate(rule, condition.clone());
                self.gate(field);
                let at = self.texts.iter().position(|known| known.field == field).unwrap_or_else(|| {
                    self.texts.push(GateTexts { field, texts: Vec::new() });
                    self.texts.len() - 1
                });
                let Some(GateTexts { texts: lists, .. }) = self.texts.get_mut(at) else { return };
                for text in texts {
                    match lists.iter_mut().find(|(known, _)| *known == text) {
                        Some((_, list)) => list.push(candidate),
                        None => lists.push((text, vec![candidate])),
                    }
                }
            }
            Need::Network { field, networks } => {
                let candidate = self.candidate(rule, condition.clone());
                let gate = self.gate(field);
                gate.networks.extend(networks.into_iter().map(|network| (network, candidate)));
            }
            Need::Present { field } => {
                let candidate = self.candidate(rule, condition.clone());
                self.gate(field).present.push(candidate);
            }
        }
    }

    fn gate(&mut self, field: u32) -> &mut Gate {
        let gates = &mut self.index.gates;
        let at = gates.iter().position(|gate| gate.field == field).unwrap_or(gates.len());
        if at == gates.len() {
            gates.push(Gate { field, exact: Table::default(), texts: None, networks: Vec::new(), present: Vec::new() });
        }
        #[expect(clippy::indexing_slicing, reason = "found or pushed just now")]
        &mut gates[at]
    }

    /// The candidate for records with this source and this name, whose predicates are thereby decided. `None`: it cannot
    /// match them.
    fn decided(&mut self, rule: u32, condition: &Expr<u32>, source: Option<&str>, name: Option<&str>) -> Option<Candidate> {
        let left = condition.replace(&mut |predicate: &u32| {
            let value = self.asked.get(*predicate as usize).and_then(|asked| {
                let text = if asked.field == self.source {
                    source?
                } else if asked.field == self.name {
                    name?
                } else {
                    return None;
                };
                decide(&asked.spec, text)
            });
            value.map_or(Expr::Leaf(*predicate), Expr::Const)
        });
        (left != Expr::Const(false)).then(|| self.candidate(rule, left))
    }

    fn candidate(&mut self, rule: u32, mut condition: Expr<u32>) -> Candidate {
        condition.sort_by_cost(&|predicate: &u32| {
            self.asked.get(*predicate as usize).map_or(0, |asked| {
                self.fields.cost(asked.field) + if matches!(asked.spec, Spec::Regex(_) | Spec::Date(..)) { 100 } else { 1 }
            })
        });
        let new = u32::try_from(self.index.conditions.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(format!("{condition:?}")).or_insert(new);
        if number == new {
            self.index.conditions.push(condition);
        }
        Candidate { rule, condition: number }
    }
}

/// What a predicate says of a value known but for its case; `None`: the case, or another field, decides.
fn decide(spec: &Spec, value: &str) -> Option<bool> {
    match spec {
        Spec::Present => Some(true),
        Spec::Text { patterns, cased: false } if !patterns.iter().any(Pattern::has_wide_case) => {
            let test = Test::Text(Box::new(TextTest::new(patterns, false)));
            Some(test.holds(Kind::Text, value.as_bytes(), &mut Vec::new()))
        }
        _ => None,
    }
}
