//! Which names exist in what the relay sends.
//!
//! In: the dictionary, the metrics, the allow-list of request parameters. Out: [`Names`] for the linter. What always holds: a name is
//! known if `cspm-relay schema` lists it, or if New Relic writes it itself into the account.

use std::collections::BTreeMap;

use crate::cli::schema::{self, LOG};
use crate::encode::dictionary::{ATTRIBUTES, Attribute};
use crate::encode::limits::{RESERVED_NAMES, RESERVED_PREFIX};
use crate::encode::metric::{METRIC, METRICS, OF_ACCOUNT, OVERFLOW};
use crate::nrql::lint::{Kind, Names};

/// Attributes of `NrIntegrationError` (Event API page, checked 2026-11); all text but the last.
const INTEGRATION_ERROR: [&str; 8] =
    ["newRelicFeature", "category", "name", "message", "requestId", "apiKeyPrefix", "eventTypeSample", "limitName"];

/// Types that New Relic fills and documents elsewhere: their attributes are not judged.
const OF_NEW_RELIC: [&str; 5] = ["NrAiIncident", "NrAiIssue", "NrAuditEvent", "NrConsumption", "NrUsage"];

/// What every point of a metric has.
const OF_POINTS: [&str; 2] = ["service.name", OVERFLOW];

/// How the text of an attribute is written, if that is said: the unit says that it is a list, the example that it is a flag.
fn form(attribute: &Attribute) -> Option<Kind> {
    match (attribute.unit, attribute.example) {
        ("list", _) => Some(Kind::List),
        ("", "true" | "false") => Some(Kind::Flag),
        _ => None,
    }
}

/// The names.
///
/// # Errors
/// None that a test has not seen: the built-in allow-list is read.
pub(in crate::cli) fn names() -> anyhow::Result<Names> {
    let mut names = Names::default();
    let forms: BTreeMap<&str, Kind> = ATTRIBUTES.iter().filter_map(|row| Some((row.name, form(row)?))).collect();
    for row in schema::rows()? {
        // The type itself is asked for by a function.
        if row.name == "eventType" {
            continue;
        }
        let kind = match row.kind {
            "text" => forms.get(row.name).copied().unwrap_or(Kind::Text),
            "number" => Kind::Number,
            _ => Kind::Any,
        };
        for event_type in row.events.names().filter(|event_type| *event_type != METRIC) {
            names.attribute(event_type, row.name, kind);
        }
    }
    // A raw record has whatever AWS wrote.
    names.open(LOG);
    for metric in METRICS {
        let of_account = if metric.attributes.contains(&"aws.accountId") { OF_ACCOUNT.as_slice() } else { &[] };
        names.metric(metric.name, metric.attributes.iter().chain(of_account).chain(&OF_POINTS).copied());
    }
    for name in INTEGRATION_ERROR {
        names.attribute("NrIntegrationError", name, Kind::Text);
    }
    names.attribute("NrIntegrationError", "limitValue", Kind::Any);
    for event_type in OF_NEW_RELIC {
        names.open(event_type);
    }
    for name in RESERVED_NAMES {
        let instead = match name {
            "accountId" => "`aws.accountId`, or `accountId()` for the account of New Relic",
            "eventType" => "`eventType()`",
            _ => "an attribute that `cspm-relay schema` lists",
        };
        names.reserve(name, instead);
    }
    names.reserve(RESERVED_PREFIX, "an attribute that `cspm-relay schema` lists");
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql::lint::{Purpose, report};

    #[test]
    fn what_is_sent_can_be_asked_for() {
        let names = names().unwrap();
        for query in [
            "SELECT count(*) FROM AwsSecurityEvent WHERE aws.accountId = '111122223333' AND control.severityScore > 70",
            "SELECT latest(run.rows) FROM AwsPostureRun WHERE run.kind = 'summary'",
            "SELECT sum(cspm.detections) FROM Metric WHERE aws.accountName LIKE 'prod%' FACET control.id LIMIT 20",
            "SELECT count(*) FROM AwsSecurityEvent WHERE attack.techniques LIKE '%|T1078%' AND event.readOnly = 'unknown'",
            "SELECT eventName, userIdentity.type FROM Log WHERE logtype = 'aws.cloudtrail'",
            "SELECT count(*) FROM NrIntegrationError FACET newRelicFeature, message LIMIT 20",
        ] {
            assert_eq!(report(query, &names, &Purpose::Widget { own_window: false }), [], "{query}");
        }
        for (query, rule) in [
            ("SELECT count(*) FROM AwsSecurityEvent WHERE accountId = 1", "reserved-name"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE eventType = 'a'", "reserved-name"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE run.kind = 'a'", "unknown-attribute"),
            ("SELECT sum(cspm.records) FROM Metric FACET control.id LIMIT 20", "unknown-attribute"),
            ("SELECT sum(cspm.rollup.maybeDouble) FROM Metric FACET aws.accountName LIMIT 20", "unknown-attribute"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE actor.mfa IS TRUE", "flag-as-boolean"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE event.readOnly = 'TRUE'", "flag-as-boolean"),
            ("SELECT count(*) FROM AwsIdentityPosture WHERE identity.overBroad = 'yes'", "flag-as-boolean"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE attack.techniques = 'T1078'", "list-as-text"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE attack.techniques IN ('T1078')", "list-as-text"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE attack.techniques LIKE 'T1078'", "list-as-text"),
            ("SELECT count(*) FROM AwsSecurityEvent WHERE contains(attack.techniques, 'T1078')", "wrong-kind"),
            ("SELECT count(*) FROM Log WHERE relay.truncated = 'message'", "list-as-text"),
        ] {
            let told: Vec<&str> =
                report(query, &names, &Purpose::Widget { own_window: false }).iter().map(|one| one.finding.rule).collect();
            assert_eq!(told, [rule], "{query}");
        }
    }
}
