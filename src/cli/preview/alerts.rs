//! The conditions for the page Alerts.
//!
//! In: the conditions that are built in, or files of some in a folder. Out: what the page shows of them, in both languages. What always
//! holds: texts have their words put in, so a number in a text is the number that decides.

use std::path::Path;

use super::super::alerts;
use super::super::backtest::tested;
use super::super::exit::Stop;
use super::LANGUAGES;
use crate::lab::backtest::Tested;
use crate::lab::engine;
use crate::lab::preview::Language;
use crate::lab::preview::alerts::{Alerts, Arrived, Policy, Shown};
use crate::lab::store::Store;
use crate::publish::alert::{ConditionSource, Definition, closing, opening, written};
use crate::publish::dashboard::{self, Both};

/// The page Alerts on these rows.
///
/// # Errors
/// A file that cannot be read, a word of a text that stands for nothing.
pub(in crate::cli) fn shown(
    path: Option<&Path>,
    rows: Store,
    arrival: Arrived,
    engine: engine::Settings,
) -> anyhow::Result<Alerts> {
    let definition = alerts::definition(path)?;
    let hint = || Some("`cspm-relay alerts lint PATH` tells everything that is wrong".to_owned());
    if let Some(fault) = definition.unreadable.first() {
        return Err(Stop::usage(fault.to_string(), hint()).into());
    }
    let mut policies: Vec<(Language, Vec<Policy>)> = Vec::new();
    for (language, of_definition) in LANGUAGES {
        let of_language = of_language(&definition, of_definition).map_err(|fault| Stop::usage(fault, hint()))?;
        policies.push((language, of_language));
    }
    Ok(Alerts { policies, rows, arrival, engine })
}

fn of_language(definition: &Definition, language: dashboard::Language) -> Result<Vec<Policy>, String> {
    let mut policies = Vec::new();
    // In the order of the policies and their conditions.
    let mut all = tested(definition, language).into_iter();
    for policy in &definition.policies {
        let Some(source) = &policy.source else { continue };
        let mut conditions = Vec::new();
        for (condition, tested) in policy.conditions.values().zip(&mut all) {
            conditions
                .push(one(condition, tested, language).map_err(|fault| format!("{}/{}: {fault}", policy.key, condition.id))?);
        }
        policies.push(Policy {
            key: policy.key.clone(),
            name: source.name.get(language).to_owned(),
            preference: source.incident_preference.clone(),
            conditions,
        });
    }
    Ok(policies)
}

fn one(source: &ConditionSource, tested: Tested, language: dashboard::Language) -> Result<Shown, String> {
    let put = |both: &Both| written(both.get(language), source, language).map_err(|fault| fault.to_string());
    Ok(Shown {
        tested,
        because: source.because.clone(),
        question: put(&source.question)?,
        value: put(&source.value)?,
        opens: opening(source, language),
        closes: closing(source, language),
        reasons: source.terms.iter().map(|term| (term.priority, term.reason.clone())).collect(),
        silence: source.expiration.reason.clone(),
        // What tells silence alone has no title of its own: New Relic says the condition's name.
        title: put(source.title_template.as_ref().unwrap_or(&source.name))?,
        description: put(&source.description)?,
        response: put(&source.response)?,
        tuning: put(&source.tuning)?,
        remark: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_condition_in_both_languages() {
        let alerts = shown(None, Store::in_memory(), Arrived::AsTold, engine::Settings::default()).unwrap();
        let ids = |at: usize| -> Vec<&str> {
            alerts.policies[at].1.iter().flat_map(|policy| &policy.conditions).map(|shown| &*shown.tested.id).collect()
        };
        assert_eq!(ids(0).len(), Definition::shipped().conditions().count());
        assert_eq!(ids(0), ids(1));
        let texts = |at: usize| {
            let shown = &alerts.policies[at].1[0].conditions[0];
            [shown.question.clone(), shown.title.clone(), shown.closes.clone()]
        };
        assert_ne!(texts(0), texts(1));
        let all = alerts.policies.iter().flat_map(|(_, policies)| policies).flat_map(|policy| &policy.conditions);
        for shown in all {
            assert!(
                ![&shown.description, &shown.response, &shown.tuning].iter().any(|text| text.contains("[[")),
                "{}",
                shown.tested.id
            );
        }
    }

    #[test]
    fn a_folder_with_a_fault_is_refused_with_the_command_that_tells_more() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("own")).unwrap();
        std::fs::write(folder.path().join("own/policy.yml"), "name: { en: Own, ja: 自社 }\nwrong: key\n").unwrap();
        let refused = shown(Some(folder.path()), Store::in_memory(), Arrived::AsTold, engine::Settings::default()).unwrap_err();
        assert!(refused.to_string().contains("own/policy.yml"), "{refused:#}");
    }
}
