//! One rule, for people.
//!
//! In: a rule. Out: a page of text; what the rule does not say is left out.

use crate::classify::Rule;

/// Width of the column of names.
const NAME: usize = 15;

/// Everything a rule says about itself.
pub(super) fn page(rule: &Rule) -> String {
    let title_ja = rule.title_ja.as_ref().map(|title| format!("{title}\n")).unwrap_or_default();
    let mut page = format!("{}\n{title_ja}\n", rule.title);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            page += &format!("{name:<NAME$}{}\n", value.trim_end().replace('\n', &format!("\n{}", " ".repeat(NAME))));
        }
    };
    let score = format!("{}, score {}", rule.severity.as_str(), rule.score);
    line("id", &rule.id);
    line("sigma id", rule.sigma_id.as_deref().unwrap_or_default());
    line("severity", &score);
    line("why so severe", rule.severity_reason.as_deref().unwrap_or_default());
    line("pillar", rule.pillar.as_str());
    line("tactics", &rule.tactics.items().join(", "));
    line("techniques", &rule.techniques.items().join(", "));
    line("frameworks", &rule.frameworks.items().join(", "));
    line("looks at", rule.correlation.as_deref().unwrap_or_default());
    line("notice", if rule.notify { "yes: each match can page someone" } else { "no" });
    line("description", &rule.description);
    line("remediation", rule.remediation.as_deref().unwrap_or_default());
    line("runbook", rule.runbook.as_deref().unwrap_or_default());
    line("good reasons", &rule.false_positives.join("\n"));
    line("tuning", rule.tuning.as_deref().unwrap_or_default());
    line("references", &rule.references.join("\n"));
    line("author", rule.author.as_deref().unwrap_or_default());
    line("file", &format!("{}:{}", rule.file, rule.line));
    let samples: Vec<String> = rule
        .samples
        .iter()
        .map(|sample| format!("{} {}", if sample.matches { "match   " } else { "no match" }, sample.name))
        .collect();
    line("samples", &samples.join("\n"));
    page
}
