//! Which controls of AWS a finding in code speaks of, so that what fails in code and what fails in an account can be put side by
//! side.
//!
//! In: the id of a scanner's rule, and the words beside it: tags, properties. Out: that id and the controls of AWS Config and
//! Security Hub that it *is* or that a word *is*, with the framework numbers of all of them, the customer's own among them. What
//! always holds: a word is a control only when all of it is, but for a prefix that says what it is (`aws-config:`,
//! `SecurityHub/`); nothing near is taken. Between a rule of AWS Config and a control of Security Hub there is a step only where
//! the rule serves that control alone.

use super::frameworks::Frameworks;
use super::preventive::{self, PreventiveControl};
use super::rule::List;
use super::security_hub::{self, SecurityHubControl};

/// The ids, the scanner's first, and the framework numbers.
pub(super) fn related<W: AsRef<str>>(id: &str, words: &[W], own: &Frameworks) -> (Vec<String>, Vec<String>) {
    let (mut ids, mut numbers) = (vec![id.to_owned()], Vec::new());
    let mut add = |id: &str, of: Option<&List>| {
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
        numbers.extend(of.into_iter().flat_map(|list| list.items().iter().cloned()));
    };
    // The customer may have mapped the scanner's own rule.
    add(id, own.of_rule(id, preventive::control(id)).as_deref());
    for word in std::iter::once(id).chain(words.iter().map(AsRef::as_ref)) {
        let word = bare(word);
        let rule = preventive::control(word);
        let control = security_hub::control(word);
        let rules =
            control.map(|control| control.rules.as_slice()).unwrap_or_default().iter().copied().filter(|rule| alone(rule));
        let controls = rule
            .filter(|rule| alone(rule))
            .into_iter()
            .flat_map(|rule| rule.hub_controls.iter().filter_map(|id| security_hub::control(id)));
        for rule in rule.into_iter().chain(rules) {
            add(rule.id, Some(own.of_control(rule)));
        }
        for control in control.into_iter().chain(controls) {
            let control: &'static SecurityHubControl = control;
            add(&control.id, own.of_security_hub(&control.id, Some(control)));
        }
    }
    (ids, numbers)
}

/// Whether the rule serves one control only.
fn alone(rule: &PreventiveControl) -> bool {
    rule.hub_controls.len() == 1
}

/// A word without what says of which kind it is.
fn bare(word: &str) -> &str {
    let word = word.trim();
    word.rsplit_once([':', '/', '=']).map_or(word, |(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(id: &str, words: &[&str]) -> String {
        related(id, words, &Frameworks::default()).0.join(" ")
    }

    /// S2-16: a rule in code and the control in the account have an id in common.
    #[test]
    fn a_word_that_is_a_control_relates_to_it_and_a_near_one_does_not() {
        for (id, words, want) in [
            ("CKV_AWS_18", &["aws", "logging"][..], "CKV_AWS_18"),
            ("CKV_AWS_18", &["S3.9"], "CKV_AWS_18 s3-bucket-logging-enabled S3.9"),
            ("CKV_AWS_18", &["securityhub/s3.9", "S3.9"], "CKV_AWS_18 s3-bucket-logging-enabled S3.9"),
            ("CKV_AWS_18", &["aws-config:S3_BUCKET_LOGGING_ENABLED"], "CKV_AWS_18 s3-bucket-logging-enabled S3.9"),
            ("S3_BUCKET_LOGGING_ENABLED", &[], "S3_BUCKET_LOGGING_ENABLED s3-bucket-logging-enabled S3.9"),
            ("x", &["S3.99", "s3-bucket-logging", "IAM"], "x"),
            ("x", &["", ":", "s3.9 and more"], "x"),
        ] {
            assert_eq!(ids(id, words), want, "{id} {words:?}");
        }
    }

    #[test]
    fn the_frameworks_are_those_of_all_that_is_related() {
        let numbers = |words: &[&str]| related("CKV_AWS_18", words, &Frameworks::default()).1;
        assert_eq!(numbers(&["logging"]), [""; 0]);
        assert!(numbers(&["S3.9"]).contains(&"FSBP:S3.9".to_owned()));
    }
}
