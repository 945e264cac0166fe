//! What an edit of a condition costs: whether its evaluation begins anew.
//!
//! In: a condition before and after. Out: the settings whose change resets it. What always holds: New Relic's page on NRQL conditions
//! names what resets; expiration time, occurrences and opening at loss of signal do not; a baseline that is reset loses what it learnt.

use crate::nrql::condition::{Comparison, Condition, Kind};

/// The settings, in `NerdGraph`'s words, whose change makes the evaluation begin anew: windows, counts and open incidents' timers.
/// Empty: it goes on.
#[must_use]
pub fn resets(before: &Condition, after: &Condition) -> Vec<&'static str> {
    let closes = |condition: &Condition| condition.expiration.is_some_and(|expiration| expiration.closes);
    let terms = |condition: &Condition| -> Vec<(Comparison, u64, u32)> {
        condition.terms.iter().map(|term| (term.comparison, term.threshold.to_bits(), term.duration_s)).collect()
    };
    let direction = |condition: &Condition| match condition.kind {
        Kind::Static => None,
        Kind::Baseline(direction, _) => Some(direction),
    };
    let changes = [
        (before.query != after.query, "nrql.query"),
        (before.signal.window_s != after.signal.window_s, "signal.aggregationWindow"),
        (before.signal.slide_s != after.signal.slide_s, "signal.slideBy"),
        (before.signal.method != after.signal.method, "signal.aggregationMethod, aggregationDelay or aggregationTimer"),
        (before.signal.fill != after.signal.fill, "signal.fillOption or fillValue"),
        (closes(before) != closes(after), "expiration.closeViolationsOnExpiration"),
        (terms(before) != terms(after), "terms: operator, threshold or thresholdDuration"),
        (direction(before) != direction(after), "baselineDirection"),
    ];
    changes.into_iter().filter(|(changed, _)| *changed).map(|(_, setting)| setting).collect()
}
