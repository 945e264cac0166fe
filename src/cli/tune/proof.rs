//! The cases of a condition that was edited.
//!
//! In: the text of its file. Out: the text with the times at which its incidents open and close now. What always holds: only times are
//! written; where other incidents come than the cases name the text stays as it is, and the caller is told that a person has to say
//! what is right.

use crate::cli::alerts::cases::{Told, found, is};
use crate::publish::alert::{Case, ConditionSource, Definition, ExpectedIncident, retimed};
use crate::publish::dashboard::Language;

/// Times of an incident of a case: their places, when it opens and closes.
type Times = ((usize, usize), u32, Option<u32>);

/// Writes the times of now; says whether every case then gives the incidents that it names.
pub(super) fn follow(file: &str, text: &mut String) -> bool {
    let definition = Definition::read([(file.to_owned(), text.clone())]);
    let Some((_, source)) = definition.conditions().next() else { return true };
    if !source.cases.iter().all(Case::is_bounded) {
        return false;
    }
    let Some(times) = times(source) else { return false };
    let written = times.iter().try_fold(text.clone(), |text, (at, opens, closes)| retimed(&text, *at, *opens, *closes));
    written.map(|written| *text = written).is_some()
}

/// All times that differ; none where other incidents come.
fn times(source: &ConditionSource) -> Option<Vec<Times>> {
    let condition = source.model(Language::English);
    let mut times = Vec::new();
    for (nth, case) in source.cases.iter().enumerate() {
        let found = found(&condition, case).ok()?;
        for (at, told) in paired(case, found)? {
            if !case.incidents.get(at).is_some_and(|wanted| is(wanted, &told)) {
                let closes = told.closes.map(u32::try_from).transpose().ok()?;
                times.push(((nth, at), u32::try_from(told.opens).ok()?, closes));
            }
        }
    }
    Some(times)
}

/// Each incident that a case names with the one that comes: of those that differ in times alone the first with the first.
fn paired(case: &Case, mut found: Vec<Told>) -> Option<Vec<(usize, Told)>> {
    found.sort_by_key(|told| (told.opens, told.closes));
    let mut wanted: Vec<(usize, &ExpectedIncident)> = case.incidents.iter().enumerate().collect();
    wanted.sort_by_key(|(_, wanted)| (wanted.opens, wanted.closes));
    let mut paired = Vec::new();
    for (at, wanted) in wanted {
        let same = |told: &Told| is(&ExpectedIncident { opens: None, closes: None, ..wanted.clone() }, told);
        let told = found.iter().position(same)?;
        paired.push((at, found.remove(told)));
    }
    found.is_empty().then_some(paired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::alert::{SHIPPED, edited};

    fn followed(id: &str, path: &str, value: &str) -> (String, String, bool) {
        let (name, text) = SHIPPED.iter().find(|(name, _)| name.ends_with(&format!("/{id}.yml"))).expect(id);
        let edited = edited(text, path, value, "was: tuned").expect("edited");
        let mut followed = edited.clone();
        let follows = follow(name, &mut followed);
        (edited, followed, follows)
    }

    /// S0-05: after a longer silence incidents close later, and the proof says so.
    #[test]
    fn the_times_of_a_case_follow_an_edit() {
        let (edited, followed, follows) = followed("attack-tool-used", "expiration.after", "14400");
        assert!(follows);
        let differing: Vec<&str> =
            edited.lines().zip(followed.lines()).filter(|(old, new)| old != new).map(|(_, new)| new).collect();
        assert_eq!(
            differing,
            ["      - { priority: CRITICAL, facet: { account: prod, actor: bob }, opens: 1510, closes: 14710 }"]
        );
    }

    #[test]
    fn what_opens_no_more_is_left_to_a_person() {
        let (edited, followed, follows) = followed("attack-tool-used", "terms.0.threshold", "12");
        assert!(!follows && edited == followed);
    }

    /// The shipped files as they are need nothing.
    #[test]
    fn a_proof_that_holds_stays() {
        for (name, text) in SHIPPED.iter().filter(|(name, _)| !name.ends_with("/policy.yml")) {
            let mut followed = (*text).to_owned();
            assert!(follow(name, &mut followed) && followed == *text, "{name}");
        }
    }

    /// A company's file may hold anything: what the linter refuses is not played.
    #[test]
    fn a_case_without_bounds_is_not_judged() {
        let (name, text) = SHIPPED.iter().find(|(name, _)| name.ends_with("/kms-deletion.yml")).expect("a condition");
        let endless = text.replacen("at: 30\n", "at: 30\n        times: 4294967295\n        every: 4294967295\n", 1);
        assert_ne!(endless, *text);
        let mut followed = endless.clone();
        assert!(!follow(name, &mut followed));
        assert_eq!(followed, endless);
    }
}
