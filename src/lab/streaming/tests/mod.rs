//! Streaming evaluation against cases worked by hand and against an oracle.

mod cases;
mod issue;
mod muting;
mod oracle;

use super::{Evaluation, Incident, Point, Reason, SignalRun};
use crate::lab::streaming::Cause;
use crate::nrql::condition::{Condition, Expiration, Fill, Kind, Method, Occurrences, Priority, Signal, Term};
use crate::nrql::lint::Comparison;
use serde_json::Value as Json;

fn number(json: &Json, key: &str) -> Option<u32> {
    json[key].as_u64().and_then(|number| u32::try_from(number).ok())
}

/// A condition from `NerdGraph`'s words.
fn condition(query: &str, json: &Json) -> Condition {
    let signal = &json["signal"];
    let seconds = |key| number(signal, key).unwrap_or(0);
    let method = match signal["aggregationMethod"].as_str() {
        Some("EVENT_TIMER") => Method::EventTimer { timer_s: seconds("aggregationTimer") },
        Some("CADENCE") => Method::Cadence { delay_s: seconds("aggregationDelay") },
        _ => Method::EventFlow { delay_s: seconds("aggregationDelay") },
    };
    let fill = match signal["fillOption"].as_str() {
        Some("STATIC") => Fill::Static(signal["fillValue"].as_f64().expect("a value")),
        Some("LAST_VALUE") => Fill::LastValue,
        _ => Fill::None,
    };
    let term = |term: &Json| Term {
        priority: Priority::of_word(term["priority"].as_str().expect("a priority")).expect("a priority"),
        comparison: Comparison::of_word(term["operator"].as_str().expect("an operator")).expect("an operator"),
        threshold: term["threshold"].as_f64().expect("a threshold"),
        duration_s: number(term, "thresholdDuration").expect("a duration"),
        occurrences: Occurrences::of_word(term["thresholdOccurrences"].as_str().expect("occurrences")).expect("occurrences"),
    };
    let flag = |json: &Json, key: &str| json[key].as_bool().unwrap_or(false);
    let expiration = json["expiration"].as_object().map(|_| Expiration {
        after_s: number(&json["expiration"], "expirationDuration").expect("a duration"),
        opens: flag(&json["expiration"], "openViolationOnExpiration"),
        closes: flag(&json["expiration"], "closeViolationsOnExpiration"),
        ignores_expected: flag(&json["expiration"], "ignoreOnExpectedTermination"),
    });
    Condition {
        name: "case".to_owned(),
        query: query.to_owned(),
        kind: Kind::Static,
        signal: Signal {
            window_s: seconds("aggregationWindow"),
            slide_s: number(signal, "slideBy"),
            method,
            fill,
            evaluation_delay_s: seconds("evaluationDelay"),
        },
        terms: json["terms"].as_array().expect("terms").iter().map(term).collect(),
        expiration,
        time_limit_s: number(json, "violationTimeLimitSeconds").unwrap_or(259_200),
    }
}
