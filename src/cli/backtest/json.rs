//! A back-test for machines.
//!
//! In: a report. Out: JSON. What always holds: everything that the other forms tell is in it, whole; times are UTC.

use serde_json::{Map, Value, json};

use super::report::{IssueLine, Line, PAGES, Report, Told};
use crate::nrql::condition::Priority;
use crate::record::time;

pub(super) fn report(report: &Report) -> Value {
    let budget = report.budget.as_ref().map(|verdict| {
        let period = |(begin, number): &(i64, u64)| json!({ "begin": time::format_ms(*begin), "pages": number });
        json!({
            "budget": verdict.budget.to_string(), "counts": PAGES, "holds": verdict.exceeded.is_empty(),
            "periods": verdict.periods.iter().map(period).collect::<Vec<_>>(),
            "exceeded": verdict.exceeded.iter().map(period).collect::<Vec<_>>(),
        })
    });
    let note = |(rule, asked): &(String, String)| json!({ "rule": rule, "blank": asked });
    json!({
        "firstArrival": time::format_ms(report.first_ms), "lastArrival": time::format_ms(report.last_ms),
        "timeZone": report.zone, "rows": report.rows, "pages": report.pages,
        "critical": report.number(Priority::Critical), "warning": report.number(Priority::Warning),
        "conditions": report.lines.iter().map(|of| line(of, report)).collect::<Vec<_>>(),
        "issues": report.issues.iter().map(issue).collect::<Vec<_>>(), "mutingNotes": report.muting_notes.iter().map(note).collect::<Vec<_>>(), "budget": budget,
    })
}

fn line(line: &Line, report: &Report) -> Value {
    let days: Map<String, Value> = line.days(&report.days).map(|(day, number)| (day.to_string(), number.into())).collect();
    json!({
        "policy": line.policy, "id": line.id, "name": line.name, "enabled": line.enabled, "refused": line.refused,
        "notTested": line.untested, "approximate": line.approximate, "signals": line.signals, "lateRows": line.late,
        "unclosedWindows": line.unclosed, "stillOpen": line.still_open(), "notes": line.notes,
        "incidents": line.incidents.iter().map(incident).collect::<Vec<_>>(), "byDay": days,
    })
}

fn incident(told: &Told) -> Value {
    json!({
        "opened": time::format_ms(told.incident.opened_ms), "priority": told.incident.priority.word(),
        "facets": facets(&told.facets), "cause": told.cause(), "closed": told.closed().map(|(ms, _)| time::format_ms(ms)),
        "closedBecause": told.closed().map(|(_, why)| why), "mutedBy": told.muted, "issue": told.issue,
    })
}

fn issue(issue: &IssueLine) -> Value {
    json!({
        "number": issue.number, "policy": issue.policy, "conditions": issue.conditions, "enabled": issue.enabled,
        "opened": time::format_ms(issue.opened_ms), "paged": issue.paged_ms.map(time::format_ms),
        "closed": issue.closed_ms.map(time::format_ms), "priority": issue.priority.word(), "mutedBy": issue.muted,
        "incidents": issue.incidents, "cause": issue.cause, "facets": facets(&issue.facets),
    })
}

fn facets(facets: &[(String, String)]) -> Map<String, Value> {
    facets.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()
}
