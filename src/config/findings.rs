//! Settings of findings: whose are read, how severe each is, which are worth a notice.
//!
//! In: the words of the file. Out: [`Findings`]. A rule about severity is one line, `LOW product=Inspector environment=sandbox`: a
//! severity and what it is for; a finding gets that of the first line that is for it.

use super::reader::Reader;
use crate::record::Severity;
use crate::record::trail::is_account_id;

/// What is done with findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Products whose findings are read; empty: all.
    pub products: Vec<String>,
    /// Least severity of a notice.
    pub notify: Severity,
    /// Severities in place of the products' own; the first that fits holds.
    pub severity: Vec<SeverityRule>,
    /// Most findings known at once.
    pub known: usize,
}

impl Default for Findings {
    fn default() -> Self {
        Self { products: Vec::new(), notify: Severity::High, severity: Vec::new(), known: 150_000 }
    }
}

/// A severity, and what it is for: everything that is named must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityRule {
    severity: Severity,
    product: Option<String>,
    control: Option<String>,
    account: Option<String>,
    environment: Option<String>,
}

/// What a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub struct FindingSubject<'a> {
    /// Name of the product.
    pub product: &'a str,
    /// Control or type.
    pub control: &'a str,
    /// Twelve digits.
    pub account: &'a str,
    /// Environment of the account, if it is known.
    pub environment: Option<&'a str>,
}

impl Findings {
    /// Whether findings of this product are read.
    #[must_use]
    pub fn reads(&self, product: &str) -> bool {
        self.products.is_empty() || self.products.iter().any(|wanted| wanted.eq_ignore_ascii_case(product))
    }

    /// Findings of which these lines set severities.
    #[cfg(test)]
    pub(crate) fn of(lines: &[&str]) -> Self {
        let severity = lines.iter().map(|line| SeverityRule::read(line).unwrap_or_else(|| panic!("{line}"))).collect();
        Self { severity, ..Self::default() }
    }

    /// Whether a severity depends on the environment of an account.
    #[must_use]
    pub fn asks_environment(&self) -> bool {
        self.severity.iter().any(|rule| rule.environment.is_some())
    }

    /// The severity that the settings give; `None`: the finding's own.
    #[must_use]
    pub fn severity_of(&self, subject: FindingSubject<'_>) -> Option<Severity> {
        self.severity.iter().find(|rule| rule.is_for(subject)).map(|rule| rule.severity)
    }
}

impl SeverityRule {
    /// Reads one line; `None`: it is none.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let severity = words.next()?.parse().ok()?;
        let mut rule = Self { severity, product: None, control: None, account: None, environment: None };
        let mut last: Option<&mut Option<String>> = None;
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                let place = match name {
                    "product" => &mut rule.product,
                    "control" => &mut rule.control,
                    "account" => &mut rule.account,
                    "environment" => &mut rule.environment,
                    _ => return None,
                };
                if value.is_empty() || place.is_some() {
                    return None;
                }
                *place = Some(value.to_owned());
                last = Some(place);
            } else {
                // A name of several words.
                let value = last.as_deref_mut()?.as_mut()?;
                value.push(' ');
                value.push_str(word);
            }
        }
        let names_any = [&rule.product, &rule.control, &rule.account, &rule.environment].iter().any(|part| part.is_some());
        (names_any && rule.account.as_deref().is_none_or(is_account_id)).then_some(rule)
    }

    fn is_for(&self, subject: FindingSubject<'_>) -> bool {
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
        };
        fits(&self.product, Some(subject.product))
            && fits(&self.control, Some(subject.control))
            && fits(&self.account, Some(subject.account))
            && fits(&self.environment, subject.environment)
    }
}

/// Reads them.
pub(super) fn read(reader: &mut Reader<'_>) -> Findings {
    let default = Findings::default();
    let what = "not a severity and what it is for, as `LOW product=Inspector environment=sandbox`; the names are product, control, \
                account (12 digits) and environment";
    let severity = reader.list("findings.severity", what, SeverityRule::read);
    let products = reader.list("findings.products", "empty", |text| (!text.is_empty()).then(|| text.to_owned()));
    let notify = reader.word("findings.notify").and_then(|word| word.parse().ok()).unwrap_or(default.notify);
    let known = reader.whole("findings.known", default.known as u64);
    Findings { products, notify, severity, known: usize::try_from(known).unwrap_or(default.known) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S1-07: a severity per product, control, account and environment; the first line that fits holds.
    #[test]
    fn the_first_line_that_fits_gives_the_severity() {
        let findings = Findings::of(&[
            "INFORMATIONAL product=Security Hub control=S3.8 environment=sandbox",
            "low environment=sandbox",
            "CRITICAL account=111122223333 product=guardduty",
        ]);
        let subject = |product, control, account, environment| FindingSubject { product, control, account, environment };
        for (subject, want) in [
            (subject("Security Hub", "S3.8", "1", Some("sandbox")), Some(Severity::Informational)),
            (subject("Security Hub", "S3.9", "1", Some("Sandbox")), Some(Severity::Low)),
            (subject("GuardDuty", "x", "111122223333", None), Some(Severity::Critical)),
            (subject("GuardDuty", "x", "111122223333", Some("sandbox")), Some(Severity::Low)),
            (subject("GuardDuty", "x", "444455556666", Some("prod")), None),
        ] {
            assert_eq!(findings.severity_of(subject), want, "{subject:?}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for line in [
            "",
            "LOW",
            "HUGE product=x",
            "product=x LOW",
            "LOW product=",
            "LOW sandbox",
            "LOW colour=red",
            "LOW account=12",
            "LOW product=a product=b",
        ] {
            assert_eq!(SeverityRule::read(line), None, "{line}");
        }
    }

    #[test]
    fn without_a_list_every_product_is_read() {
        assert!(Findings::default().reads("Anything"));
        let findings = Findings { products: vec!["GuardDuty".to_owned()], ..Findings::default() };
        assert!(findings.reads("guardduty") && !findings.reads("Inspector"));
    }
}
