//! A back-test for machines.
//!
//! In: a report. Out: JSON. What always holds: everything that the other forms tell is in it, whole; times are UTC; incidents are
//! written one by one, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::report::{IssueLine, Line, PAGES, Report, Told, Verdict};
use crate::nrql::condition::Priority;
use crate::record::time;

/// The text.
///
/// # Errors
/// None: everything has text keys.
pub(super) fn text(report: &Report) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(&whole(report))? + "\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'r> {
    first_arrival: String,
    last_arrival: String,
    time_zone: &'r str,
    rows: usize,
    pages: usize,
    critical: usize,
    warning: usize,
    conditions: Each<'r, Line, Condition<'r>>,
    issues: Each<'r, IssueLine, Issue<'r>>,
    muting_notes: Vec<MutingNote<'r>>,
    budget: Option<Judged>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition<'r> {
    policy: &'r str,
    id: &'r str,
    name: &'r str,
    enabled: bool,
    refused: Option<&'r str>,
    not_tested: Option<&'r str>,
    approximate: bool,
    signals: usize,
    late_rows: u64,
    unclosed_windows: u64,
    still_open: usize,
    notes: &'r [String],
    by_day: BTreeMap<String, u64>,
    incidents: Each<'r, Told, Incident<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Incident<'r> {
    opened: String,
    priority: &'static str,
    facets: BTreeMap<&'r str, &'r str>,
    cause: String,
    closed: Option<String>,
    closed_because: Option<&'static str>,
    muted_by: Option<&'r str>,
    issue: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Issue<'r> {
    number: usize,
    policy: &'r str,
    conditions: &'r BTreeSet<String>,
    enabled: bool,
    opened: String,
    paged: Option<String>,
    closed: Option<String>,
    priority: &'static str,
    muted_by: Option<&'r str>,
    incidents: usize,
    cause: &'r str,
    facets: BTreeMap<&'r str, &'r str>,
}

#[derive(Serialize)]
struct MutingNote<'r> {
    rule: &'r str,
    blank: &'r str,
}

#[derive(Serialize)]
struct Judged {
    budget: String,
    counts: &'static str,
    holds: bool,
    periods: Vec<Period>,
    exceeded: Vec<Period>,
}

#[derive(Serialize)]
struct Period {
    begin: String,
    pages: u64,
}

/// A list whose items are made as they are written.
struct Each<'r, T, U> {
    items: &'r [T],
    of: fn(&'r T) -> U,
}

impl<T, U: Serialize> Serialize for Each<'_, T, U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(self.of))
    }
}

fn whole(report: &Report) -> Whole<'_> {
    Whole {
        first_arrival: time::format_ms(report.first_ms),
        last_arrival: time::format_ms(report.last_ms),
        time_zone: &report.zone,
        rows: report.rows,
        pages: report.pages,
        critical: report.number(Priority::Critical),
        warning: report.number(Priority::Warning),
        conditions: Each { items: &report.lines, of: condition },
        issues: Each { items: &report.issues, of: issue },
        muting_notes: report.muting_notes.iter().map(|(rule, blank)| MutingNote { rule, blank }).collect(),
        budget: report.budget.as_ref().map(budget),
    }
}

fn condition(line: &Line) -> Condition<'_> {
    Condition {
        policy: &line.policy,
        id: &line.id,
        name: &line.name,
        enabled: line.enabled,
        refused: line.refused.as_deref(),
        not_tested: line.untested.as_deref(),
        approximate: line.approximate,
        signals: line.signals,
        late_rows: line.late,
        unclosed_windows: line.unclosed,
        still_open: line.still_open(),
        notes: &line.notes,
        by_day: line.days().map(|(day, number)| (day.to_string(), number)).collect(),
        incidents: Each { items: &line.incidents, of: incident },
    }
}

fn incident(told: &Told) -> Incident<'_> {
    let closed = told.closed();
    Incident {
        opened: time::format_ms(told.incident.opened_ms),
        priority: told.incident.priority.word(),
        facets: facets(&told.facets),
        cause: told.cause(),
        closed: closed.map(|(ms, _)| time::format_ms(ms)),
        closed_because: closed.map(|(_, why)| why),
        muted_by: told.muted.as_deref(),
        issue: told.issue,
    }
}

fn issue(issue: &IssueLine) -> Issue<'_> {
    Issue {
        number: issue.number,
        policy: &issue.policy,
        conditions: &issue.conditions,
        enabled: issue.enabled,
        opened: time::format_ms(issue.opened_ms),
        paged: issue.paged_ms.map(time::format_ms),
        closed: issue.closed_ms.map(time::format_ms),
        priority: issue.priority.word(),
        muted_by: issue.muted.as_deref(),
        incidents: issue.incidents,
        cause: &issue.cause,
        facets: facets(&issue.facets),
    }
}

fn budget(verdict: &Verdict) -> Judged {
    let period = |(begin, pages): &(i64, u64)| Period { begin: time::format_ms(*begin), pages: *pages };
    Judged {
        budget: verdict.budget.to_string(),
        counts: PAGES,
        holds: verdict.exceeded.is_empty(),
        periods: verdict.periods.iter().map(period).collect(),
        exceeded: verdict.exceeded.iter().map(period).collect(),
    }
}

fn facets(facets: &[(String, String)]) -> BTreeMap<&str, &str> {
    facets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
