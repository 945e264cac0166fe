//! The preventive half of the summary: what is out of policy, which findings are open, what was changed by whom.
//!
//! In: the rows that the stand-in accepted, and the agent's own state of compliance. Out: text. What always holds: numbers are
//! those of the rows, the last one of each rule and resource and of each finding; they are held against the state, and a difference
//! is said.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::table::table;
use super::view::{TOP, number, text};
use crate::encode::dictionary::{COMPLIANCE_CHANGE, FINDING, RESOURCE_CHANGE};
use crate::lab::backend::Store;
use crate::posture::Compliance;
use crate::posture::compliance::counts::percent;
use crate::record::time::DAY_MS;

/// Columns of open findings.
const SEVERITIES: [&str; 5] = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"];

/// How many comply, and how many do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) compliant: u64,
    pub(super) violating: u64,
}

impl Tally {
    /// One more, unless it is neither.
    fn add(&mut self, state: &str) {
        match state {
            "COMPLIANT" => self.compliant += 1,
            "NON_COMPLIANT" => self.violating += 1,
            _ => {}
        }
    }

    /// The whole of many: one that violates makes it violate.
    fn whole(&self) -> &'static str {
        match self {
            Self { violating: 1.., .. } => "NON_COMPLIANT",
            Self { compliant: 1.., .. } => "COMPLIANT",
            _ => "",
        }
    }

    fn percent(self) -> String {
        percent(self.compliant, self.violating)
            .map_or_else(|| "-".to_owned(), |parts| format!("{}.{:02}%", parts / 100, parts % 100))
    }

    fn line(self, name: &str) -> Vec<String> {
        vec![name.to_owned(), self.compliant.to_string(), self.violating.to_string(), self.percent()]
    }
}

/// How everything stands by the rows of changes.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) rules: Tally,
    pub(super) resources: Tally,
    /// By managed rule, over all accounts and Regions: severity, resources.
    pub(super) by_rule: BTreeMap<String, (String, Tally)>,
}

type Row = Map<String, Value>;

impl Standing {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut last: BTreeMap<[&str; 5], &Row> = BTreeMap::new();
        for row in rows {
            let key = ["aws.accountId", "aws.region", "compliance.ruleName", "resource.type", "resource.id"]
                .map(|name| text(row, name));
            let held = last.entry(key).or_insert(row);
            if number(held, "event.time") <= number(row, "event.time") {
                *held = row;
            }
        }
        let (mut rules, mut resources) = (BTreeMap::<_, Tally>::new(), BTreeMap::<_, Tally>::new());
        let mut standing = Self::default();
        for ([account, region, rule, kind, id], row) in last {
            let state = text(row, "compliance.state");
            rules.entry([account, region, rule]).or_default().add(state);
            resources.entry([account, region, kind, id]).or_default().add(state);
            let severity = || (text(row, "control.severity").to_owned(), Tally::default());
            standing.by_rule.entry(text(row, "control.id").to_owned()).or_insert_with(severity).1.add(state);
        }
        for tally in rules.values() {
            standing.rules.add(tally.whole());
        }
        for tally in resources.values() {
            standing.resources.add(tally.whole());
        }
        standing
    }
}

/// The half as text.
pub(super) fn summary(store: &Store, state: &Compliance) -> String {
    let standing = Standing::of(&store.rows(COMPLIANCE_CHANGE));
    let mut out = String::from("\nCompliance by AWS Config, after five weeks\n");
    out += &table(
        &["", "compliant", "violating", "percent compliant"],
        &[standing.rules.line("rules, per account and Region"), standing.resources.line("resources")],
    );
    let verdict = if (standing.rules, standing.resources) == of_state(state) { "the same" } else { "NOT THE SAME" };
    out += &format!("The agent's own state says {verdict}\n");
    out += "\nTop violating rules\n";
    let mut rules: Vec<_> = standing.by_rule.into_iter().filter(|(_, (_, tally))| tally.violating > 0).collect();
    rules.sort_by(|a, b| b.1.1.violating.cmp(&a.1.1.violating).then(a.0.cmp(&b.0)));
    let lines: Vec<Vec<String>> = rules
        .into_iter()
        .take(TOP)
        .map(|(rule, (severity, tally))| {
            vec![rule, severity, tally.violating.to_string(), tally.compliant.to_string(), tally.percent()]
        })
        .collect();
    out += &table(&["rule", "severity", "violating", "compliant", "percent compliant"], &lines);
    out + &findings(&store.rows(FINDING)) + &changes(&store.rows(RESOURCE_CHANGE))
}

/// Rules and resources as the agent knows them.
fn of_state(state: &Compliance) -> (Tally, Tally) {
    let mut sums = (Tally::default(), Tally::default());
    for counts in state.accounts().values() {
        for (sum, results) in [(&mut sums.0, counts.rules), (&mut sums.1, counts.resources)] {
            sum.compliant += results.compliant;
            sum.violating += results.violating;
        }
    }
    sums
}

/// Open findings by product and severity, by the last row of each.
pub(super) fn open_findings(rows: &[Row]) -> BTreeMap<String, [u64; SEVERITIES.len()]> {
    let mut last: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        let held = last.entry(text(row, "finding.key")).or_insert(row);
        if number(held, "event.time") <= number(row, "event.time") {
            *held = row;
        }
    }
    let mut open: BTreeMap<String, [u64; SEVERITIES.len()]> = BTreeMap::new();
    for row in last.into_values().filter(|row| text(row, "finding.status") == "OPEN") {
        let severity = text(row, "control.severity");
        let counts = open.entry(text(row, "finding.product").to_owned()).or_default();
        for (count, _) in counts.iter_mut().zip(SEVERITIES).filter(|(_, name)| *name == severity) {
            *count += 1;
        }
    }
    open
}

fn findings(rows: &[Row]) -> String {
    let open = open_findings(rows);
    let mut all = [0; SEVERITIES.len()];
    let mut lines: Vec<Vec<String>> = Vec::new();
    for (product, counts) in &open {
        all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        lines.push(counted(product, counts));
    }
    lines.push(counted("all", &all));
    let header: Vec<&str> = ["product"].into_iter().chain(SEVERITIES).collect();
    "\nOpen findings by severity\n".to_owned() + &table(&header, &lines)
}

fn counted(name: &str, counts: &[u64]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(counts.iter().map(u64::to_string)).collect()
}

/// What was changed on the last day, and by whom.
fn changes(rows: &[Row]) -> String {
    let newest_ms = rows.iter().map(|row| number(row, "event.time")).max().unwrap_or(0);
    let mut today: Vec<&Row> = rows.iter().filter(|row| number(row, "event.time") > newest_ms - DAY_MS).collect();
    today.sort_by_key(|row| number(row, "event.time"));
    let lines: Vec<Vec<String>> = today
        .into_iter()
        .map(|row| {
            let name = Some(text(row, "resource.name")).filter(|name| *name != "-").unwrap_or_else(|| text(row, "resource.id"));
            let who = match text(row, "change.actorConfidence") {
                "certain" | "likely" => format!("{} ({})", text(row, "actor.name"), text(row, "actor.kind")),
                // No record of the trail fits, or several by different people do: nobody is named.
                confidence => confidence.to_owned(),
            };
            vec![
                name.to_owned(),
                text(row, "resource.type").to_owned(),
                format!("{} {}", text(row, "change.type"), text(row, "change.paths").trim_matches('|')),
                text(row, "change.eventName").to_owned(),
                who,
                text(row, "aws.accountName").to_owned(),
            ]
        })
        .collect();
    "\nResources changed in the last 24 hours, and by whom\n".to_owned()
        + &table(&["resource", "type", "what", "call", "who", "account"], &lines)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(resource: &str, rule: &str, time: i64, state: &str) -> Row {
        let row = json!({
            "aws.accountId": "111122223333", "aws.region": "eu-west-1", "compliance.ruleName": rule, "control.id": rule,
            "control.severity": "HIGH", "resource.type": "AWS::S3::Bucket", "resource.id": resource, "event.time": time,
            "compliance.state": state,
        });
        row.as_object().cloned().unwrap()
    }

    fn counted(rows: &[Row]) -> [(u64, u64); 2] {
        let standing = Standing::of(rows);
        [standing.rules, standing.resources].map(|tally| (tally.compliant, tally.violating))
    }

    #[test]
    fn the_last_row_counts_whatever_the_order_they_came_in() {
        let mut rows = vec![row("a", "r", 2, "COMPLIANT"), row("a", "r", 1, "NON_COMPLIANT")];
        assert_eq!(counted(&rows), [(1, 0), (1, 0)]);
        rows.push(row("a", "r", 3, "NON_COMPLIANT"));
        assert_eq!(counted(&rows), [(0, 1), (0, 1)]);
    }

    #[test]
    fn one_violation_makes_a_rule_and_a_resource_violate_and_what_is_gone_counts_as_nothing() {
        let rows = [
            row("a", "r", 1, "COMPLIANT"),
            row("b", "r", 1, "NON_COMPLIANT"),
            row("b", "s", 1, "COMPLIANT"),
            row("c", "s", 1, "NON_COMPLIANT"),
            row("c", "s", 2, "NOT_APPLICABLE"),
        ];
        assert_eq!(counted(&rows), [(1, 1), (1, 1)]);
        assert_eq!(Tally::default().percent(), "-");
        assert_eq!(Tally { compliant: 2, violating: 1 }.percent(), "66.66%");
    }

    #[test]
    fn a_state_that_differs_from_the_rows_is_named() {
        let state = Compliance::in_memory();
        assert_eq!(of_state(&state), (Tally::default(), Tally::default()));
        assert_ne!(of_state(&state), (Standing::of(&[row("a", "r", 1, "COMPLIANT")]).rules, Tally::default()));
    }
}
