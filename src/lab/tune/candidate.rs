//! Changes that may help.
//!
//! In: what a condition tells now, and the rows that it reads. Out: changes worth a trial, each with its [`Tier`]. What always holds:
//! of a condition that pages nobody nothing is proposed; the list is bounded and in the same order for the same rows.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Edit, Exclusion, Muted};
use crate::lab::backtest::{Outcome, Tested};
use crate::lab::engine::{self, Engine};
use crate::lab::store::Snapshot;
use crate::lab::streaming::{Cause, Incident, Range, Settings};
use crate::nrql::ast::{Moment, Query, Source};
use crate::nrql::condition::{Expiration, Kind, Occurrences, Priority};
use crate::nrql::lint::Comparison;
use crate::nrql::{self, Statement};

/// How broad a change is: the narrow is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// One actor, of one control.
    Narrow,
    /// Whoever uses a role, of one control.
    Role,
    /// What comes again within hours joins what is open.
    JoinHours,
    /// Another threshold, or a longer look.
    Term,
    /// What comes again within days joins what is open.
    JoinDays,
    /// Whoever is in an account, comes from an address, or was given a permission set, of one control.
    Place,
    /// Told, but nobody is woken.
    Warn,
    /// A rule tells nothing any more.
    Rule,
    /// A condition is off.
    Off,
}

impl Tier {
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Exclude(exclusion) => match &exclusion.muted {
                Muted::Actor(_) => Self::Narrow,
                // People share it.
                Muted::Role(arn) if arn.contains(PERMISSION_SET) => Self::Place,
                Muted::Role(_) => Self::Role,
                Muted::Address(_) | Muted::Account(_) => Self::Place,
                Muted::Everybody => Self::Rule,
            },
            Change::Edit { edit, .. } => match edit {
                Edit::Join { to, .. } if *to <= HOURS_S => Self::JoinHours,
                Edit::Join { .. } => Self::JoinDays,
                Edit::Threshold { .. } | Edit::Duration { .. } => Self::Term,
                Edit::Warn => Self::Warn,
                Edit::Off => Self::Off,
            },
        }
    }
}

/// In the ARN of the role that IAM Identity Center makes of a permission set in an account.
const PERMISSION_SET: &str = ":role/aws-reserved/sso.amazonaws.com/";
/// Whose rows no exception may mute.
const ROOT: &str = "(actor.kind = 'root' OR actor.arn LIKE '%:root')";
/// Groups that a query gives at most, as `LIMIT MAX` says.
const GROUPS_MAX: usize = 5_000;
/// Exclusions of each sort that are tried for a condition: those of most rows.
const TRIED: usize = 8;
/// Lengths of time within which what comes again may join an incident, s; the last is New Relic's most.
const JOINS_S: [u32; 4] = [14_400, 43_200, 86_400, 172_800];
/// The longest of them that is hours, s.
const HOURS_S: u32 = 43_200;
/// Longest `thresholdDuration`, s.
const DURATION_S: u32 = 86_400;

/// Whether somebody or something can be meant by a name alone: nobody in particular is "unknown" or hidden, a pattern would mute more
/// than was seen, and root is never what is to be muted.
fn is_name(name: &str) -> bool {
    let is_nobody = ["unknown", "anonymous", "HIDDEN_DUE_TO_SECURITY_REASONS"].contains(&name) || name.trim() != name;
    !name.is_empty() && !is_nobody && !name.contains(['*', '?']) && !name.ends_with(":root")
}

/// Makes an exclusion's scope of a name.
type Sort = fn(String) -> Muted;

/// The attributes by which can be excluded.
const SORTS: [(&str, Sort); 4] = [
    ("actor.arn", Muted::Actor),
    ("actor.sessionIssuer", Muted::Role),
    ("source.ip", Muted::Address),
    ("aws.accountId", Muted::Account),
];

/// The incidents of an outcome that page.
pub(super) fn pages(outcome: &Outcome) -> impl Iterator<Item = &Incident> {
    let is_on = outcome.tested.enabled;
    let incidents = outcome.incidents().map(|(_, incident)| incident);
    incidents.filter(move |incident| is_on && incident.priority == Priority::Critical)
}

/// What is proposed for a condition.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// Edits, then exclusions.
    pub(super) changes: Vec<Change>,
    /// The controls that it reads rows of.
    controls: BTreeSet<String>,
    /// There are more than were counted.
    is_cut: bool,
}

impl Proposals {
    /// Whether the condition may read rows of a control.
    pub(super) fn concerns(&self, control: &str) -> bool {
        self.is_cut || self.controls.contains(control)
    }
}

/// What is proposed for a condition; nothing if it pages nobody. `of_root`: see [`of_root`].
pub(super) fn proposals(
    snapshots: &[Snapshot],
    outcome: &Outcome,
    of_root: &BTreeSet<Exclusion>,
    range: Range,
    settings: &Settings,
) -> Proposals {
    let mut proposals = Proposals::default();
    if pages(outcome).next().is_some() {
        proposals.changes = edits(outcome);
        proposals.exclusions(snapshots, outcome, range, settings);
        proposals.changes.retain(|change| !matches!(change, Change::Exclude(exclusion) if of_root.contains(exclusion)));
    }
    proposals
}

/// The exclusions that would mute what root did, whichever condition tells of it.
pub(super) fn of_root(snapshots: &[Snapshot], range: Range, settings: &Settings) -> BTreeSet<Exclusion> {
    let mut found = BTreeSet::new();
    for event_type in ["AwsSecurityNotice", "AwsSecurityEvent"] {
        let Ok(Statement::Select(query)) = nrql::parse(&format!("SELECT count(*) FROM {event_type} WHERE {ROOT}")) else {
            continue;
        };
        let mut leaves = Vec::new();
        reading(&query, &mut leaves);
        for leaf in &leaves {
            for (attribute, muted) in SORTS {
                for (control, name, _) in each_control(groups(snapshots, leaf, attribute, range, settings)) {
                    found.insert(Exclusion { control, muted: muted(name) });
                }
            }
            // What has none of these is muted for everybody all the same.
            for (control, ..) in each_control(groups(snapshots, leaf, leaf.1, range, settings)) {
                found.insert(Exclusion { control, muted: Muted::Everybody });
            }
        }
    }
    found
}

fn edits(outcome: &Outcome) -> Vec<Change> {
    let tested = &outcome.tested;
    let terms = [threshold(outcome), duration(tested), Some(Edit::Warn), Some(Edit::Off)];
    let fitting = joins(tested).into_iter().chain(terms.into_iter().flatten()).filter(|edit| edit.fits(&tested.condition));
    fitting.map(|edit| Change::Edit { condition: tested.id.clone(), edit }).collect()
}

fn joins(tested: &Tested) -> Vec<Edit> {
    // A signal whose silence is told must not be allowed to be silent for longer.
    let Some(Expiration { after_s: from, opens: false, .. }) = tested.condition.expiration else { return Vec::new() };
    JOINS_S.into_iter().filter(|to| *to > from).map(|to| Edit::Join { from, to }).collect()
}

/// The least round threshold that the value of one page would not have passed. A threshold of nothing says "one is enough", and is
/// left so.
fn threshold(outcome: &Outcome) -> Option<Edit> {
    let term = outcome.tested.condition.terms.iter().find(|term| term.priority == Priority::Critical)?;
    let from = term.threshold;
    let values = pages(outcome).filter(|incident| incident.cause == Cause::Threshold).filter_map(|incident| incident.value);
    let is_whole = from.fract() == 0.0 && outcome.tested.condition.kind == Kind::Static;
    let to = match term.comparison {
        Comparison::Above | Comparison::AboveOrEquals if from > 0.0 => {
            let least = values.filter(|value| *value >= from).min_by(f64::total_cmp)?;
            let to = round_up(least, is_whole);
            // A value that equals the threshold passes `AboveOrEquals`.
            if term.comparison == Comparison::AboveOrEquals && to <= least {
                round_up(least * 1.05 + f64::EPSILON, is_whole)
            } else {
                to
            }
        }
        Comparison::Below | Comparison::BelowOrEquals if from > 0.0 => {
            let most = values.filter(|value| *value <= from).max_by(f64::total_cmp)?;
            let to = if is_whole { most.floor() } else { (most * 100.0).floor() / 100.0 };
            let to = if term.comparison == Comparison::BelowOrEquals && to >= most {
                to - if is_whole { 1.0 } else { 0.01 }
            } else {
                to
            };
            // Below nothing there is nothing: that would be the condition switched off.
            Some(to).filter(|to| *to > 0.0)?
        }
        _ => return None,
    };
    let most = if matches!(outcome.tested.condition.kind, Kind::Baseline(..)) { 1_000.0 } else { f64::MAX };
    ((to - from).abs() > f64::EPSILON && to.is_finite() && to >= 0.0 && to <= most).then_some(Edit::Threshold { from, to })
}

/// The next number of two digits at or above a value.
fn round_up(value: f64, is_whole: bool) -> f64 {
    let magnitude = 10_f64.powf(value.abs().max(f64::MIN_POSITIVE).log10().floor() - 1.0);
    let step = if is_whole { magnitude.max(1.0) } else { magnitude };
    let rounded = (value / step).ceil() * step;
    // Digits that only the division made.
    (rounded * 1e6).round() / 1e6
}

fn duration(tested: &Tested) -> Option<Edit> {
    let term = tested.condition.terms.iter().find(|term| term.priority == Priority::Critical)?;
    let from = term.duration_s;
    let to = from.checked_mul(2).filter(|to| *to <= DURATION_S && term.occurrences == Occurrences::All)?;
    Some(Edit::Duration { from, to })
}

impl Proposals {
    fn exclusions(&mut self, snapshots: &[Snapshot], outcome: &Outcome, range: Range, settings: &Settings) {
        let Ok(Statement::Select(query)) = nrql::parse(&outcome.tested.condition.query) else { return };
        let mut leaves = Vec::new();
        reading(&query, &mut leaves);
        let mut found = BTreeSet::new();
        for (attribute, muted) in SORTS {
            let mut rows: BTreeMap<Exclusion, f64> = BTreeMap::new();
            for leaf in &leaves {
                let groups = groups(snapshots, leaf, attribute, range, settings);
                self.is_cut |= groups.len() >= GROUPS_MAX;
                for (control, name, count) in each_control(groups) {
                    self.controls.insert(control.clone());
                    if is_name(&name) {
                        *rows.entry(Exclusion { control, muted: muted(name) }).or_insert(0.0) += count;
                    }
                }
            }
            let mut most: Vec<(Exclusion, f64)> = rows.into_iter().collect();
            most.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            found.extend(most.into_iter().take(TRIED).map(|(exclusion, _)| exclusion));
        }
        let rules: Vec<Exclusion> =
            found.iter().map(|one| Exclusion { control: one.control.clone(), muted: Muted::Everybody }).collect();
        found.extend(rules);
        self.changes.extend(found.into_iter().map(Change::Exclude));
    }
}

/// Groups by single controls: control, name, rows.
fn each_control(groups: Vec<(String, String, f64)>) -> impl Iterator<Item = (String, String, f64)> {
    groups.into_iter().flat_map(|(controls, name, count)| {
        let each: Vec<String> = controls.split('|').filter(|control| !control.is_empty()).map(str::to_owned).collect();
        each.into_iter().map(move |control| (control, name.clone(), count))
    })
}

/// The queries within a query that read detections or notices, each as if it read one of them alone.
fn reading(query: &Query, leaves: &mut Vec<(Query, &'static str)>) {
    for source in &query.from {
        match source {
            Source::Query(inner) => reading(inner, leaves),
            Source::Type(name) => {
                let controls = match name.text.as_str() {
                    "AwsSecurityNotice" => "control.ids",
                    "AwsSecurityEvent" => "control.id",
                    _ => continue,
                };
                leaves.push((Query { from: vec![source.clone()], ..query.clone() }, controls));
            }
            _ => {}
        }
    }
}

/// How many rows of each control and name a query reads.
fn groups(
    snapshots: &[Snapshot],
    (leaf, controls): &(Query, &'static str),
    attribute: &str,
    range: Range,
    settings: &Settings,
) -> Vec<(String, String, f64)> {
    let text = format!("SELECT count(*) FROM AwsSecurityNotice FACET {controls}, {attribute} LIMIT MAX");
    let Ok(Statement::Select(asked)) = nrql::parse(&text) else { return Vec::new() };
    // Rows count by arrival, and say that they happened before or at it.
    let (since, until) = (Some(Moment::Epoch(1)), Some(Moment::Epoch(range.end_ms)));
    let query = Query { from: leaf.from.clone(), conditions: leaf.conditions.clone(), since, until, ..*asked };
    let settings = engine::Settings { event_retention_days: u32::MAX, ..settings.engine.clone() };
    let engine = Engine::together(snapshots.to_vec(), settings);
    let Ok(answer) = engine.run(&Statement::Select(Box::new(query)), range.end_ms) else { return Vec::new() };
    let group = |row: &engine::ResultRow| {
        let [(_, controls), (_, name)] = row.facets.as_slice() else { return None };
        let count = row.values.first().and_then(|(_, value)| value.as_number())?;
        let text = |value: &engine::value::Value| value.as_text().map_or_else(|| engine::json(value).to_string(), str::to_owned);
        Some((text(controls), text(name), count))
    };
    answer.results.iter().filter_map(group).collect()
}
