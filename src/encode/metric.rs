//! The metrics that are ever sent: names, forms, attributes.
//!
//! In: nothing. Out: one table that the roll-ups, `cspm-relay schema` and every check of a query read. What always holds: a
//! counter has the attributes that the counting ledger counts by, and the names of its account beside them; no attribute here is
//! unknown to the dictionary or to [`ATTRIBUTES`]; no name is reserved by New Relic.

use crate::ack::Counter;

/// New Relic's type of every point, the FROM of a query.
pub const METRIC: &str = "Metric";

/// Name of the gauge of compliance.
pub const COMPLIANCE: &str = "cspm.compliance";

/// Attribute that tells the series that takes what is too much from all others; it is `true` there and absent elsewhere.
pub const OVERFLOW: &str = "rollup.overflow";

/// How a metric's points are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Add them up: `sum(…)`.
    Count,
    /// Each says how it was then: `latest(…)`.
    Gauge,
}

impl Form {
    /// As New Relic calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Gauge => "gauge",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How its points are to be read.
    pub form: Form,
    /// Names of its points' attributes, those of the account not among them.
    pub attributes: &'static [&'static str],
    /// What it says.
    pub meaning: &'static str,
}

/// What a point of an account says beside its own attributes: the names it has now.
pub const OF_ACCOUNT: [&str; 3] = ["aws.accountName", "aws.organizationalUnit", "aws.environment"];

const fn counter(counter: Counter, meaning: &'static str) -> Metric {
    Metric { name: counter.name(), form: Form::Count, attributes: counter.attributes(), meaning }
}

/// All of them.
pub const METRICS: [Metric; 5] = [
    counter(Counter::Records, "AWS records of which New Relic accepted an event or a log, every minute."),
    counter(Counter::Detections, "Detections that New Relic accepted, every minute."),
    counter(Counter::Findings, "Transitions of findings that New Relic accepted, every minute."),
    counter(
        Counter::MaybeDouble,
        "By how much the sum of the metric in rollup.metric may be too high, after answers that were lost, objects and records that came again, and replays.",
    ),
    Metric {
        name: COMPLIANCE,
        form: Form::Gauge,
        attributes: &["aws.accountId", "control.severity", "control.pillar", "compliance.state"],
        meaning: "Resources under rules of AWS Config, each as often as rules judge it, with every summary.",
    },
];

/// An attribute that only metrics have.
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// An example.
    pub example: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// Attributes that only metrics have; all are text.
pub const ATTRIBUTES: [Attribute; 3] = [
    Attribute {
        name: "record.kind",
        example: "trail",
        meaning: "trail, compliance, change, finding or insight: what kind of record was counted.",
    },
    Attribute { name: "rollup.metric", example: "cspm.records", meaning: "Which metric may be too high." },
    Attribute {
        name: OVERFLOW,
        example: "true",
        meaning: "true where every other attribute is overflow: the series of what came after 50,000 series of a day; absent elsewhere.",
    },
];

#[cfg(test)]
mod tests {
    use super::super::{dictionary, limits};
    use super::*;

    #[test]
    fn every_attribute_is_known_and_no_name_is_reserved() {
        let own = |name: &str| ATTRIBUTES.iter().any(|attribute| attribute.name == name);
        for metric in METRICS {
            for name in metric.attributes.iter().chain(&OF_ACCOUNT) {
                assert!(own(name) != dictionary::knows(name), "{name} of {}", metric.name);
            }
            assert!(metric.attributes.len() + OF_ACCOUNT.len() + 3 < limits::METRIC_ATTRIBUTES, "{}", metric.name);
        }
        for name in METRICS.iter().map(|metric| metric.name).chain(ATTRIBUTES.iter().map(|attribute| attribute.name)) {
            assert!(!limits::RESERVED_NAMES.contains(&name) && !name.starts_with(limits::RESERVED_PREFIX), "{name}");
            assert!(!dictionary::knows(name), "{name}");
        }
        let counters = Counter::ALL.map(Counter::name);
        assert!(counters.iter().all(|name| METRICS.iter().any(|metric| metric.name == *name && metric.form == Form::Count)));
    }
}
