//! What is wrong with the proof of a condition.

use super::super::cases::{LONGEST, ROWS};
use super::super::render::facets;
use super::super::source::ConditionSource;
use super::super::{Case, RowSource};
use super::Lint;
use crate::nrql::ast::Source;
use crate::nrql::condition::Priority;
use crate::nrql::lint::{Purpose, report};
use crate::nrql::{self, Statement};

/// Points have a name and a value beside their attributes.
const METRIC: &str = "Metric";

impl Lint<'_> {
    pub(super) fn cases(&mut self, condition: &ConditionSource) {
        let (opens, quiet): (Vec<&Case>, Vec<&Case>) = condition.cases.iter().partition(|case| !case.incidents.is_empty());
        if opens.is_empty() || quiet.is_empty() {
            self.tell("cases", "at least one case opens an incident and one opens none");
        }
        let types = types(&condition.query);
        let facets = facets(&condition.query);
        for (at, case) in condition.cases.iter().enumerate() {
            let path = format!("cases.{at}");
            self.said(&format!("{path}.name"), &case.name);
            if condition.cases.iter().take(at).any(|other| other.name == case.name) {
                self.tell(&format!("{path}.name"), format!("a second case called `{}`", case.name));
            }
            let rows = case.number_of_rows();
            if rows > ROWS {
                self.tell(&path, format!("{rows} rows; at most {ROWS}"));
            }
            for (nth, row) in case.rows.iter().enumerate() {
                self.row(&format!("{path}.rows.{nth}"), row, &types);
            }
            for incident in &case.incidents {
                self.incident(&path, condition, incident, &facets);
            }
        }
    }

    fn incident(
        &mut self,
        path: &str,
        condition: &ConditionSource,
        incident: &super::super::ExpectedIncident,
        facets: &[String],
    ) {
        match Priority::of_word(&incident.priority) {
            Some(Priority::Critical) if incident.silence => {}
            Some(priority) if !incident.silence && condition.term(priority).is_some() => {}
            _ => {
                let priority = &incident.priority;
                self.tell(path, format!("an incident of priority `{priority}`, and no term has it; of silence it is CRITICAL"));
            }
        }
        if incident.silence && !condition.expiration.opens {
            self.tell(path, "an incident of silence, and `expiration` does not open one");
        }
        let names: Vec<&String> = incident.facet.keys().collect();
        let mut known: Vec<&String> = facets.iter().collect();
        known.sort();
        if names != known {
            let list = |names: &[&String]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            self.tell(path, format!("an incident of facets ({}); the query has ({})", list(&names), list(&known)));
        }
    }

    fn row(&mut self, path: &str, row: &RowSource, types: &[String]) {
        if !types.contains(&row.event) {
            self.tell(path, format!("a row of `{}`, which the query does not read; it reads {}", row.event, types.join(", ")));
            return;
        }
        let last = row.last_s();
        if row.times == 0 || last > u64::from(LONGEST) {
            self.tell(path, format!("{} rows until {last} s; at least one, and no longer than {LONGEST} s", row.times));
        }
        if row.event == METRIC {
            return;
        }
        for (name, value) in &row.with {
            if value.is_null() || value.is_array() || value.is_object() {
                self.tell(path, format!("`{name}` is no text, number or flag"));
            }
            // The linter knows which attributes a type has.
            let query = format!("SELECT count(*) FROM {} WHERE `{name}` IS NOT NULL", row.event);
            let purpose = Purpose::Condition { terms: Vec::new(), fills_gaps: true };
            for reported in report(&query, self.known.names, &purpose) {
                self.tell(path, reported.finding.to_string());
            }
        }
    }
}

/// The event types that a query reads, those of queries in it among them.
fn types(query: &str) -> Vec<String> {
    let Ok(statement @ Statement::Select(_)) = nrql::parse(query) else { return Vec::new() };
    let mut types = Vec::new();
    nrql::walk::statement(&statement, &mut |part| {
        if let nrql::walk::Part::Query(query) = part {
            types.extend(query.from.iter().filter_map(|source| match source {
                Source::Type(name) => Some(name.text.clone()),
                _ => None,
            }));
        }
    });
    types
}
