//! The search for steps that bring pages within a budget.
//!
//! In: [`Tuning`]. Out: a [`Plan`]. What always holds: a step is taken only if fewer pages are over the budget after it, or fewer
//! incidents in a time that is over it; so the search ends. Of equal steps the narrower is taken, then the one whose words come first.
//! Exclusions are judged by what rows tell: the notice of a record that meets two controls counts as left out when one of them is
//! muted. Whoever has the records replays them with the plan and sees what is true.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::attack::Attack;
use super::candidate::{self, Proposals, Tier};
use super::change::{Change, Edit, Exclusion, restricted};
use super::coverage::{self, Trace};
use super::ranking::{Gain, Key, Ranking, Seen};
use crate::lab::backtest::{Backtest, Budget, Outcome, Tested, backtest};
use crate::lab::engine::Stop;
use crate::lab::store::Snapshot;
use crate::lab::streaming::issue::Preference;
use crate::lab::streaming::{Range, Settings};
use crate::nrql::condition::Priority;
use crate::nrql::muting::MutingRule;

/// Steps that are taken at most.
const STEPS_MAX: usize = 200;
/// Days on which an exclusion spares incidents, at least. What came on a day or two may be an attack that nobody labelled, and says
/// nothing of what will come: forty exceptions for forty sessions silence the past alone.
const RECURRING_DAYS: usize = 3;
/// One day, ms.
const DAY_MS: i64 = 86_400_000;

/// What is to be tuned.
#[derive(Debug, Clone, Copy)]
pub struct Tuning<'a> {
    /// The rows.
    pub snapshots: &'a [Snapshot],
    /// Which arrivals count.
    pub range: Range,
    /// How conditions are evaluated.
    pub settings: &'a Settings,
    /// What is muted already.
    pub muting: &'a [MutingRule],
    /// What can be borne.
    pub budget: Budget,
    /// What should go on being told.
    pub attacks: &'a [Attack],
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What is changed.
    pub change: Change,
    /// Pages in the whole range, before the step.
    pub before: u64,
    /// And after it.
    pub after: u64,
    /// Attacks that were told before the step and are not after it.
    pub missed: Vec<String>,
}

/// What the search found.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which they were taken.
    pub steps: Vec<Step>,
    /// The conditions with all edits; their queries leave out what exclusions would.
    pub after: Backtest,
    /// Whether the budget holds then.
    pub holds: bool,
}

/// What stands now.
struct State<'a> {
    tuning: Tuning<'a>,
    of_root: BTreeSet<Exclusion>,
    backtest: Backtest,
    /// For each condition.
    traces: Vec<Vec<Trace>>,
    proposals: Vec<Proposals>,
    /// Counts the changes of each condition.
    versions: Vec<u32>,
    feasible: &'a dyn Fn(&Change) -> bool,
    /// What it said.
    can: BTreeMap<Key, bool>,
    /// Steps that were taken.
    round: usize,
}

/// How it stands, as far as changes are judged by it.
struct Now {
    excess: Excess,
    told: BTreeSet<usize>,
    /// Critical incidents that nothing mutes, by day since the first arrival.
    days: BTreeMap<i64, usize>,
}

/// What a change would make of the conditions that it concerns.
struct Trial {
    outcomes: Vec<(usize, Outcome)>,
    traces: Vec<Vec<Trace>>,
    /// Of what it was made.
    versions: Vec<(usize, u32)>,
}

/// A change that was taken, and the conditions that it concerned.
struct Taken {
    change: Change,
    concerned: Vec<usize>,
    /// Attacks.
    missed: usize,
}

/// How far from the budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Excess {
    /// Pages over the budget, all periods together.
    pages: u64,
    /// Critical incidents in periods that are over it.
    incidents: usize,
}

impl Tuning<'_> {
    /// What the conditions tell as they are.
    #[must_use]
    pub fn backtest(&self, tested: Vec<Tested>) -> Backtest {
        backtest(self.snapshots, tested, self.range, self.settings).muted_by(self.muting)
    }

    /// Names of the attacks that these outcomes tell.
    #[must_use]
    pub fn told(&self, result: &Backtest) -> BTreeSet<String> {
        let traces: Vec<Vec<Trace>> = result.outcomes.iter().map(|outcome| trace(*self, outcome, &[])).collect();
        coverage::told(result, &traces).into_iter().filter_map(|number| self.name(number)).collect()
    }

    /// Whether whoever asked has gone: then every search ends soon, and its plan is worth nothing.
    fn is_stopped(&self) -> bool {
        self.settings.engine.stop.as_ref().is_some_and(Stop::now)
    }

    fn name(&self, attack: usize) -> Option<String> {
        self.attacks.get(attack).map(|attack| attack.name.clone())
    }

    /// Searches, until `settings.engine.stop` says so. `feasible` says which changes can be written down, `on_step` hears of every step
    /// when it is taken.
    #[must_use]
    pub fn search(&self, tested: Vec<Tested>, feasible: &dyn Fn(&Change) -> bool, on_step: &mut dyn FnMut(&Step)) -> Plan {
        let original = tested.clone();
        let mut state = State::new(*self, tested, feasible);
        let mut taken: Vec<Taken> = Vec::new();
        let mut ranking = Ranking::default();
        let mut steps = Vec::new();
        while steps.len() < STEPS_MAX && state.excess().pages > 0 && !self.is_stopped() {
            ranking.propose(state.proposals.iter().flat_map(|proposals| &proposals.changes));
            let Some((key, trial)) = state.best(&mut ranking) else { break };
            let Some(change) = ranking.change(&key).cloned() else { break };
            ranking.remove(&key);
            let concerned = trial.versions.iter().map(|(at, _)| *at).collect();
            let step = state.step(change.clone(), trial);
            taken.push(Taken { change, concerned, missed: step.missed.len() });
            on_step(&step);
            steps.push(step);
        }
        if !self.is_stopped() && state.prune(&original, &mut taken) {
            // What each step does is told as it is without those that were not needed.
            state = State::new(*self, original, feasible);
            let again = taken.into_iter().filter_map(|taken| {
                let change = state.as_it_stands(taken.change);
                let trial = state.trial(&change)?;
                Some(state.step(change, trial))
            });
            steps = again.collect();
        }
        Plan { steps, holds: state.excess().pages == 0, after: state.backtest }
    }
}

impl<'a> State<'a> {
    fn new(tuning: Tuning<'a>, tested: Vec<Tested>, feasible: &'a dyn Fn(&Change) -> bool) -> Self {
        let mut backtest = tuning.backtest(tested);
        let traces: Vec<Vec<Trace>> = backtest.outcomes.iter().map(|outcome| trace(tuning, outcome, &[])).collect();
        backtest.outcomes.iter_mut().for_each(forget);
        backtest.regroup(tuning.muting);
        let versions = vec![0; backtest.outcomes.len()];
        let of_root = candidate::of_root(tuning.snapshots, tuning.range, tuning.settings);
        let proposals = backtest.outcomes.iter().map(|outcome| proposals(tuning, outcome, &of_root)).collect();
        Self { tuning, of_root, backtest, traces, proposals, versions, feasible, can: BTreeMap::new(), round: 0 }
    }

    /// Takes a step.
    fn step(&mut self, change: Change, trial: Trial) -> Step {
        let (before, told_before) = (self.pages(), self.told_now());
        self.take(trial);
        self.round += 1;
        let missed = told_before.difference(&self.told_now()).filter_map(|number| self.tuning.name(*number)).collect();
        Step { change, before, after: self.pages(), missed }
    }

    /// Takes back every step without which no more pages are over the budget and no more attacks are missed (they would join what noise
    /// opens): first those that missed most, then the broad ones, then the first ones, which later ones may have made needless. Says
    /// whether there was one.
    fn prune(&mut self, original: &[Tested], taken: &mut Vec<Taken>) -> bool {
        let (told, pages) = (self.told_now(), self.excess().pages);
        let mut order: Vec<usize> = (0..taken.len()).collect();
        order.sort_by_key(|at| taken.get(*at).map(|taken| (Reverse(taken.missed), Reverse(Tier::of(&taken.change)))));
        let mut needless: BTreeSet<usize> = BTreeSet::new();
        let tuning = self.tuning;
        for at in order.into_iter().take_while(|_| !tuning.is_stopped()) {
            let Some(step) = taken.get(at) else { continue };
            let stays = |(other, _): &(usize, &Taken)| *other != at && !needless.contains(other);
            let others = || taken.iter().enumerate().filter(stays).map(|(_, taken)| taken);
            let mut trial = Trial { outcomes: Vec::new(), traces: Vec::new(), versions: Vec::new() };
            for place in &step.concerned {
                let Some(tested) = original.get(*place) else { continue };
                let own = others().filter(|other| other.concerned.contains(place));
                let tested = own.fold(tested.clone(), |tested, other| applied(&tested, &other.change));
                let Some(mut outcome) = self.tuning.backtest(vec![tested]).outcomes.pop() else { continue };
                trial.traces.push(trace(self.tuning, &outcome, &[]));
                forget(&mut outcome);
                trial.outcomes.push((*place, outcome));
            }
            self.swap(&mut trial);
            if self.excess().pages <= pages && told.is_subset(&self.told_now()) {
                needless.insert(at);
            } else {
                self.swap(&mut trial);
            }
        }
        let mut at = 0..;
        taken.retain(|_| at.next().is_none_or(|at| !needless.contains(&at)));
        !needless.is_empty()
    }

    fn opened(&self) -> Vec<i64> {
        self.backtest.opened(Priority::Critical)
    }

    fn pages(&self) -> u64 {
        self.opened().len() as u64
    }

    fn told_now(&self) -> BTreeSet<usize> {
        coverage::told(&self.backtest, &self.traces)
    }

    fn excess(&self) -> Excess {
        let budget = self.tuning.budget;
        let over = budget.exceeded(&self.opened(), self.backtest.range);
        let pages_over = over.iter().map(|(_, number)| number.saturating_sub(budget.most)).sum();
        let is_over = |ms: i64| over.iter().any(|(begin, _)| (*begin..begin.saturating_add(budget.period.ms())).contains(&ms));
        let incidents = self.loud().filter(|ms| is_over(*ms)).count();
        Excess { pages: pages_over, incidents }
    }

    /// When critical incidents opened that nothing mutes, of conditions that are on.
    fn loud(&self) -> impl Iterator<Item = i64> {
        let on = self.backtest.issues.iter().filter(|issue| issue.enabled).flat_map(|issue| &issue.origins);
        let loud = on.filter(|origin| origin.muted.is_none() && origin.incident.priority == Priority::Critical);
        loud.map(|origin| origin.incident.opened_ms)
    }

    /// The step to take: of the narrowest sort that helps and misses nothing; when none is left, the one that misses least.
    ///
    /// What a step spares seldom grows while others are taken. So what was seen earlier is a promise: only the change that promises
    /// most is looked at again, and taken if it still spares more than the next one promises.
    fn best(&mut self, ranking: &mut Ranking) -> Option<(Key, Trial)> {
        let now = self.now();
        for tier in ranking.tiers() {
            for key in ranking.unseen(tier) {
                self.look(ranking, &key, &now);
            }
            loop {
                if let Some((key, round)) = ranking.top(tier) {
                    let trial = self.look(ranking, &key, &now);
                    if round == self.round || ranking.top(tier).is_some_and(|(top, _)| top == key) {
                        return trial.map(|trial| (key, trial));
                    }
                    continue;
                }
                let doubtful = ranking.doubtful(tier, &self.versions, self.round);
                if doubtful.is_empty() {
                    break;
                }
                for key in doubtful {
                    self.look(ranking, &key, &now);
                }
            }
        }
        while let Some((key, round)) = ranking.least_missing() {
            let trial = self.look(ranking, &key, &now);
            if round == self.round || ranking.least_missing().is_some_and(|(least, _)| least == key) {
                return trial.map(|trial| (key, trial));
            }
        }
        None
    }

    /// Looks at what a change would do, and takes note of it.
    fn look(&mut self, ranking: &mut Ranking, key: &Key, now: &Now) -> Option<Trial> {
        let change = ranking.change(key)?.clone();
        if self.tuning.is_stopped() {
            ranking.remove(key);
            return None;
        }
        let is_feasible = *self.can.entry(key.clone()).or_insert_with(|| (self.feasible)(&change));
        let mut seen = Seen { gain: None, missed: 0, round: self.round, versions: Vec::new() };
        let mut trial = is_feasible.then(|| self.trial(&change)).flatten();
        if let Some(trial) = &mut trial {
            self.swap(trial);
            let then = self.now();
            self.swap(trial);
            let recurs = now.days.iter().filter(|(day, loud)| then.days.get(*day).is_none_or(|left| left < *loud)).count();
            let gain = Gain::between((now.excess.pages, now.excess.incidents), (then.excess.pages, then.excess.incidents));
            seen.gain = gain.filter(|_| recurs >= RECURRING_DAYS || matches!(change, Change::Edit { .. }));
            seen.missed = now.told.difference(&then.told).count();
            seen.versions.clone_from(&trial.versions);
        }
        ranking.saw(key, seen);
        trial
    }

    /// How it stands.
    fn now(&self) -> Now {
        let mut days = BTreeMap::new();
        for opened_ms in self.loud() {
            *days.entry((opened_ms - self.backtest.range.begin_ms).div_euclid(DAY_MS)).or_insert(0) += 1;
        }
        Now { excess: self.excess(), told: self.told_now(), days }
    }

    /// A change, said of what stands now.
    fn as_it_stands(&self, change: Change) -> Change {
        let Change::Edit { condition, edit } = change else { return change };
        let stands = self.backtest.outcomes.iter().find(|outcome| outcome.tested.id == condition);
        let edit = stands.map_or(edit, |outcome| edit.of(&outcome.tested.condition));
        Change::Edit { condition, edit }
    }

    /// What a change would make; none if it concerns nothing that pages.
    fn trial(&self, change: &Change) -> Option<Trial> {
        let mut trial = Trial { outcomes: Vec::new(), traces: Vec::new(), versions: Vec::new() };
        for (at, outcome) in self.backtest.outcomes.iter().enumerate() {
            let Some(edited) = self.edited(at, outcome, change) else { continue };
            let mut tried = self.tuning.backtest(vec![edited]).outcomes.pop()?;
            // A query that has become too long tells nothing: that is no silence.
            if tried.result.is_err() && outcome.result.is_ok() {
                return None;
            }
            // Windows and signals of an edited condition are the old ones.
            let before = self.traces.get(at).map(Vec::as_slice).unwrap_or_default();
            let traces = match change {
                Change::Exclude(_) => trace(self.tuning, &tried, before),
                Change::Edit { .. } => before.to_vec(),
            };
            trial.traces.push(traces);
            forget(&mut tried);
            trial.outcomes.push((at, tried));
            trial.versions.push((at, self.versions.get(at).copied().unwrap_or_default()));
        }
        (!trial.outcomes.is_empty()).then_some(trial)
    }

    /// A condition as a change would have it; none if the change does not concern it, or it pages nobody anyhow.
    fn edited(&self, at: usize, outcome: &Outcome, change: &Change) -> Option<Tested> {
        let tested = &outcome.tested;
        match change {
            Change::Edit { condition, .. } if *condition != tested.id => None,
            Change::Exclude(exclusion) if !self.proposals.get(at)?.concerns(&exclusion.control) => None,
            Change::Edit { .. } | Change::Exclude(_) => Some(applied(tested, change)),
        }
    }

    /// Puts what was tried in the place of what stands, and the other way round.
    fn swap(&mut self, trial: &mut Trial) {
        for ((at, outcome), traces) in trial.outcomes.iter_mut().zip(&mut trial.traces) {
            let own = (self.backtest.outcomes.get_mut(*at), self.traces.get_mut(*at));
            if let (Some(own_outcome), Some(own_traces)) = own {
                std::mem::swap(own_outcome, outcome);
                std::mem::swap(own_traces, traces);
            }
        }
        let swapped = trial.outcomes.iter().filter_map(|(at, _)| self.backtest.outcomes.get(*at));
        let policies: BTreeSet<String> = swapped.map(|outcome| outcome.tested.policy.clone()).collect();
        self.backtest.regroup_of(&policies, self.tuning.muting);
    }

    fn take(&mut self, mut trial: Trial) {
        self.swap(&mut trial);
        // Conditions of a policy with one issue for all change what each of them tells.
        let outcomes = &self.backtest.outcomes;
        let taken = trial.versions.iter().filter_map(|(at, _)| outcomes.get(*at)).map(|outcome| &outcome.tested);
        let shared: BTreeSet<&str> =
            taken.filter(|tested| tested.preference == Preference::Policy).map(|tested| &*tested.policy).collect();
        for (version, outcome) in self.versions.iter_mut().zip(outcomes) {
            *version += u32::from(shared.contains(&*outcome.tested.policy));
        }
        for (at, _) in &trial.versions {
            let own = (self.versions.get_mut(*at), self.proposals.get_mut(*at), self.backtest.outcomes.get(*at));
            if let (Some(version), Some(own), Some(outcome)) = own {
                *version += 1;
                *own = proposals(self.tuning, outcome, &self.of_root);
            }
        }
    }
}

/// A condition as a change that concerns it has it.
fn applied(tested: &Tested, change: &Change) -> Tested {
    let mut edited = tested.clone();
    match change {
        Change::Edit { edit, .. } => {
            edited.enabled &= *edit != Edit::Off;
            edited.condition = edit.apply(&tested.condition);
        }
        Change::Exclude(exclusion) => edited.condition.query = restricted(&tested.condition.query, exclusion),
    }
    edited
}

fn proposals(tuning: Tuning<'_>, outcome: &Outcome, of_root: &BTreeSet<Exclusion>) -> Proposals {
    candidate::proposals(tuning.snapshots, outcome, of_root, tuning.range, tuning.settings)
}

fn trace(tuning: Tuning<'_>, outcome: &Outcome, before: &[Trace]) -> Vec<Trace> {
    if !outcome.tested.enabled {
        return Vec::new();
    }
    coverage::traces(tuning.attacks, before, &outcome.tested.condition, tuning.range, tuning.settings)
}

/// Only signals with incidents are needed, and no windows: those of a month are many.
fn forget(outcome: &mut Outcome) {
    if let Ok(evaluation) = &mut outcome.result {
        evaluation.signals.retain(|signal| !signal.incidents.is_empty());
        evaluation.signals.iter_mut().for_each(|signal| signal.points = Vec::new());
    }
}
