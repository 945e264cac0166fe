//! What rules find in the records that come with the program.
//!
//! In: rules. Out: figures by rule. What always holds: the records are counted anew at each run, with the rules as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::backtest::Figures;
use crate::classify::{Rule, RuleSet};
use crate::cli::demo::bundled_records;
use crate::enrich::{AccountNames, Enricher};
use crate::record::Trail;
use crate::record::time::DAY_MS;

/// What they are; the README beside them names their sources.
pub(super) const BUNDLED: &str =
    "the bundled records (`tests/fixtures/cloudtrail`): real ones, most of public attack simulations, 26 of an ordinary account";

/// The figures of every rule of a set on the bundled records.
///
/// # Errors
/// None that a test has not seen: what is built in is read.
pub(super) fn figures(set: &RuleSet) -> anyhow::Result<BTreeMap<String, Figures>> {
    let records = bundled_records()?;
    count(set, records.iter().map(Vec::as_slice), BUNDLED)
}

/// The figures of every rule of a set on records. An actor is a name in an account; a day is one of UTC.
fn count<'r>(
    set: &RuleSet,
    records: impl IntoIterator<Item = &'r [u8]>,
    source: &str,
) -> anyhow::Result<BTreeMap<String, Figures>> {
    let enricher = Enricher::new(AccountNames::default(), "UTC")?;
    let mut matcher = set.matcher();
    let (mut number, mut days) = (0, BTreeSet::new());
    let mut found: BTreeMap<String, (u64, BTreeSet<(String, String)>)> = BTreeMap::new();
    for raw in records {
        let Ok(trail) = Trail::parse(raw) else { continue };
        number += 1;
        days.insert(trail.time_ms.div_euclid(DAY_MS));
        for rule in matcher.matches(&trail) {
            let (matches, actors) = found.entry(rule.id.clone()).or_default();
            *matches += 1;
            let account = trail.account().unwrap_or_default();
            actors.insert((account.to_owned(), enricher.enrich(&trail, account).actor.name.into_owned()));
        }
    }
    let days = days.len() as u64;
    let figures = |rule: &Rule| {
        let (matches, actors) = found.get(&rule.id).map_or((0, 0), |(matches, actors)| (*matches, actors.len() as u64));
        (rule.id.clone(), Figures { records: number, matches, actors, days, source: source.to_owned() })
    };
    Ok(set.rules().iter().map(figures).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_matches_actors_and_days_are_counted() {
        let set = RuleSet::builtin();
        let rule = set.rules().iter().find(|rule| rule.id == "iam-user-created").expect("a rule");
        let matching = rule.samples.iter().find(|sample| sample.matches).expect("a sample").records.concat();
        let (other, not_a_record) = (matching.replace("/ada", "/bob"), matching.replace('T', "U"));
        assert_ne!(other, matching, "the sample names its actor otherwise");
        let no_match = rule.samples.iter().find(|sample| !sample.matches).expect("a sample").records.concat();
        let records = [&matching, &matching, &other, &no_match, &not_a_record].map(String::as_bytes);
        let figures = count(&set, records, "here").expect("figures");
        assert_eq!(figures.len(), set.rules().len());
        let want = Figures { records: 4, matches: 3, actors: 2, days: 1, source: "here".to_owned() };
        assert_eq!(figures["iam-user-created"], want, "what is no record is not counted");
        assert_eq!(figures["trail-deleted"], Figures { matches: 0, actors: 0, ..want });
    }
}
