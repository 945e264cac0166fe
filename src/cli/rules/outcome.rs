//! How a test of rules ended, in words, for every way to print it.
//!
//! In: a rule set and the faults of its files. Out: [`Tested`]: results and faults in the order of their files and lines, so
//! that a report can be compared with an older one.

use serde_json::{Value, json};

use super::super::count;
use crate::classify::{RuleFault, RuleSet, SampleResult, Unproven, Verdict, test_rules};

/// A test of rules.
pub(super) struct Tested {
    /// One per sample, and one per kind of sample that a rule lacks.
    pub(super) results: Vec<SampleResult>,
    /// What is wrong with rule files.
    pub(super) faults: Vec<RuleFault>,
    /// Rules that were tested.
    rules: usize,
}

/// How much a result matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// As the file says.
    Passed,
    /// Should be mended: a company rule without one kind of sample.
    Warning,
    /// Fails the test.
    Failed,
}

impl Tested {
    /// Runs the samples of all rules; `unproven`: what is known of the parts of their conditions.
    pub(super) fn run(set: &RuleSet, faults: Vec<RuleFault>, unproven: Vec<Unproven>) -> Self {
        let mut results = test_rules(set);
        results.extend(unproven.into_iter().map(|Unproven { rule, file, line, condition }| SampleResult {
            rule,
            file,
            line,
            sample: String::new(),
            verdict: Verdict::Unproven(condition),
        }));
        results.sort_by(|a, b| a.file.cmp(&b.file).then(a.line.cmp(&b.line)));
        Self { results, faults, rules: set.rules().len() + set.silent().len() }
    }

    /// Whether something was tested, nothing failed and no file is broken.
    pub(super) fn is_good(&self) -> bool {
        self.rules > 0 && self.faults.is_empty() && !self.results.iter().any(SampleResult::is_failure)
    }

    /// Samples that passed, and results that failed.
    pub(super) fn counts(&self) -> (usize, usize) {
        let of = |weight| self.results.iter().filter(|result| weigh(result) == weight).count();
        (of(Weight::Passed), of(Weight::Failed))
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for fault in &self.faults {
            text += &format!("BROKEN   {fault}\n");
            text += &fault.hint.map(|hint| format!("         hint: {hint}\n")).unwrap_or_default();
        }
        for result in &self.results {
            let word = match weigh(result) {
                Weight::Passed => continue,
                Weight::Warning => "WARNING",
                Weight::Failed => "FAILED",
            };
            text += &format!("{word:<9}{}:{}: {}\n", result.file, result.line, sentence(result));
        }
        let (passed, failed) = self.counts();
        let (rules, faults) = (self.rules, self.faults.len());
        text + &format!(
            "{}: {} passed, {failed} failed; {} with files\n",
            count(rules, "rule"),
            count(passed, "sample"),
            count(faults, "problem")
        )
    }

    pub(super) fn json(&self) -> Value {
        let results: Vec<Value> = self
            .results
            .iter()
            .map(|result| {
                let (expected, got) = expected_and_got(&result.verdict).unzip();
                json!({
                    "rule": result.rule, "file": result.file, "line": result.line, "sample": result.sample,
                    "result": match weigh(result) { Weight::Passed => "passed", Weight::Warning => "warning", Weight::Failed => "failed" },
                    "expected": expected, "got": got,
                })
            })
            .collect();
        let faults: Vec<Value> = self
            .faults
            .iter()
            .map(|fault| json!({ "file": fault.file, "line": fault.line, "what": fault.problem, "hint": fault.hint }))
            .collect();
        let (passed, failed) = self.counts();
        let summary = json!({ "rules": self.rules, "passed": passed, "failed": failed, "faults": self.faults.len() });
        json!({ "good": self.is_good(), "summary": summary, "faults": faults, "results": results })
    }
}

pub(super) fn weigh(result: &SampleResult) -> Weight {
    match result.verdict {
        Verdict::Passed => Weight::Passed,
        _ if result.is_failure() => Weight::Failed,
        _ => Weight::Warning,
    }
}

/// What a result says, without its place.
pub(super) fn sentence(result: &SampleResult) -> String {
    let rule = &result.rule;
    match expected_and_got(&result.verdict) {
        None => format!("rule {rule}, sample {:?}: passed", result.sample),
        Some((expected, got)) if result.sample.is_empty() => format!("rule {rule}: expected {expected}, got {got}"),
        Some((expected, got)) => format!("rule {rule}, sample {:?}: expected {expected}, got {got}", result.sample),
    }
}

/// What the file asks for and what happened, where they differ.
fn expected_and_got(verdict: &Verdict) -> Option<(String, String)> {
    let words = |expected: &str, got: &str| Some((expected.to_owned(), got.to_owned()));
    match verdict {
        Verdict::Passed => None,
        Verdict::ShouldMatch => words("a match", "none"),
        Verdict::ShouldNotMatch => words("no match", "one"),
        Verdict::Unreadable(why) => Some(("a record".to_owned(), format!("what cannot be read: {why}"))),
        Verdict::Unproven(part) => Some((format!("a sample that needs `{part}`"), "none".to_owned())),
        Verdict::Missing { kind, .. } => Some((format!("a sample under `{kind}`"), "none".to_owned())),
    }
}
