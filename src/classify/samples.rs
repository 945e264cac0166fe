//! Every rule carries its proof: running the samples in the rule files.
//!
//! In: a rule set. Out: one result per sample, and one for each kind of sample a rule lacks. A built-in rule must have both
//! kinds; a company rule should.

use crate::record::trail::Trail;

use super::correlation::Correlator;
use super::{Matcher, RuleSet};

/// How one sample ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleResult {
    /// The rule's id.
    pub rule: String,
    /// The rule's file.
    pub file: String,
    /// Line of the sample, or of the rule when a sample is missing; from 1.
    pub line: u64,
    /// The sample's name; empty when it is missing.
    pub sample: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// How a sample ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As the file says.
    Passed,
    /// The rule should have matched.
    ShouldMatch,
    /// The rule should not have matched.
    ShouldNotMatch,
    /// The record cannot be read.
    Unreadable(String),
    /// Without this part of the rule's condition all samples end as they should.
    Unproven(String),
    /// The rule has no sample of this kind.
    Missing {
        /// `match` or `noMatch`.
        kind: &'static str,
        /// Whether that is a failure: for built-in rules.
        required: bool,
    },
}

impl SampleResult {
    /// Whether `rules test` fails because of it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self.verdict, Verdict::Passed | Verdict::Missing { required: false, .. })
    }
}

/// Runs every sample of every rule against the whole set, in the order of the rules.
#[must_use]
pub fn test_rules(set: &RuleSet) -> Vec<SampleResult> {
    let mut matcher = set.matcher();
    let mut results = Vec::new();
    for (number, rule) in (0_u32..).zip(set.rules().iter().chain(set.silent())) {
        let mut result = |line, sample: &str, verdict| {
            let (rule, file) = (rule.id.clone(), rule.file.clone());
            results.push(SampleResult { rule, file, line, sample: sample.to_owned(), verdict });
        };
        for sample in &rule.samples {
            let found = if rule.correlation.is_some() {
                // Nothing is remembered of the sample before.
                let correlator = Correlator::live();
                let mut matcher = Matcher::new(&set.rules, &set.program).correlating(&set.correlations, &correlator);
                has_hit(&mut matcher, number, &sample.records)
            } else {
                has_hit(&mut matcher, number, &sample.records)
            };
            let verdict = match (sample.matches, found) {
                (_, Err(why)) => Verdict::Unreadable(why),
                (true, Ok(false)) => Verdict::ShouldMatch,
                (false, Ok(true)) => Verdict::ShouldNotMatch,
                (_, Ok(_)) => Verdict::Passed,
            };
            result(sample.line, &sample.name, verdict);
        }
        for (kind, matches) in [("match", true), ("noMatch", false)] {
            if !rule.samples.iter().any(|sample| sample.matches == matches) {
                result(rule.line, "", Verdict::Missing { kind, required: rule.builtin });
            }
        }
    }
    results
}

/// Whether one of the records, as they come, is a hit of the rule of this number.
fn has_hit(matcher: &mut Matcher<'_>, number: u32, records: &[String]) -> Result<bool, String> {
    let mut found = false;
    for record in records {
        let trail = Trail::parse(record.as_bytes()).map_err(|error| error.to_string())?;
        matcher.find(&trail);
        let account = trail.account().unwrap_or_default();
        found |= matcher.complete(&trail, account, trail.event_id.or_empty(), trail.time_ms, &|_| None).contains(&number);
    }
    Ok(found)
}
