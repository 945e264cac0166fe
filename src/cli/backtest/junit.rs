//! A back-test as `JUnit` XML: one case a condition, and one for the budget.
//!
//! In: a report. Out: well-formed XML 1.0. What always holds: a condition that New Relic would refuse is an error, a budget that was
//! exceeded a failure that names when.

use super::report::{Line, Report};
use crate::cli::rules::junit::escaped;
use crate::record::time;

pub(super) fn report(report: &Report) -> String {
    let errors = report.lines.iter().filter(|line| line.refused.is_some()).count();
    let failures = usize::from(report.budget.as_ref().is_some_and(|verdict| !verdict.exceeded.is_empty()));
    let tests = report.lines.len() + usize::from(report.budget.is_some());
    let mut cases: String = report.lines.iter().map(case).collect();
    if let Some(verdict) = &report.budget {
        let name = escaped(&format!("at most {}", verdict.budget));
        let times: Vec<String> =
            verdict.exceeded.iter().map(|(begin, number)| format!("{number} from {}", time::format_ms(*begin))).collect();
        let inside = match times.as_slice() {
            [] => String::new(),
            times => format!("<failure message=\"{}\"/>", escaped(&times.join("; "))),
        };
        cases += &format!("    <testcase classname=\"budget\" name=\"{name}\">{inside}</testcase>\n");
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cspm-relay backtest\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n  <testsuite name=\"conditions\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(line: &Line) -> String {
    let inside = match &line.refused {
        Some(why) => format!("<error message=\"{}\"/>", escaped(why)),
        None => format!("<system-out>{}</system-out>", escaped(&format!("{} incidents", line.incidents.len()))),
    };
    let (policy, id) = (escaped(&line.policy), escaped(&line.id));
    format!("    <testcase classname=\"{policy}\" name=\"{id}\">{inside}</testcase>\n")
}
