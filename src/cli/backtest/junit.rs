//! A back-test as `JUnit` XML: one case a condition, and one for the budget.
//!
//! In: a report. Out: well-formed XML 1.0. What always holds: a condition that New Relic would refuse is an error, one that was not
//! tested is skipped, a budget that was exceeded is a failure that names when.

use super::report::{Line, PAGES, Report};
use crate::cli::count;
use crate::cli::rules::junit::escaped;
use crate::record::time;

pub(super) fn report(report: &Report) -> String {
    let errors = report.lines.iter().filter(|line| line.refused.is_some()).count();
    let skipped = report.lines.iter().filter(|line| line.untested.is_some()).count();
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
        let counts = escaped(PAGES);
        cases +=
            &format!("    <testcase classname=\"budget\" name=\"{name}\">{inside}<system-out>{counts}</system-out></testcase>\n");
    }
    let sums = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cspm-relay backtest\" {sums}>\n  <testsuite name=\"conditions\" {sums}>\n{cases}  </testsuite>\n</testsuites>\n"
    )
}

fn case(line: &Line) -> String {
    let inside = match (&line.refused, &line.untested) {
        (Some(why), _) => format!("<error message=\"{}\"/>", escaped(why)),
        (None, Some(why)) => format!("<skipped message=\"not tested: {}\"/>", escaped(why)),
        (None, None) => format!("<system-out>{}</system-out>", escaped(&said(line))),
    };
    let (policy, id) = (escaped(&line.policy), escaped(&line.id));
    format!("    <testcase classname=\"{policy}\" name=\"{id}\">{inside}</testcase>\n")
}

/// What came of a condition, and what to doubt.
fn said(line: &Line) -> String {
    let mut said = vec![count(line.incidents.len(), "incident")];
    for (number, what) in [(line.muted(), "muted"), (line.still_open(), "still open")] {
        if number > 0 {
            said.push(format!("{number} {what}"));
        }
    }
    if line.late > 0 {
        said.push(format!("{} too late", count(line.late, "row")));
    }
    if line.unclosed > 0 {
        said.push(format!("{} never judged", count(line.unclosed, "window")));
    }
    if line.approximate {
        said.push("approximate".to_owned());
    }
    said.extend(line.notes.iter().cloned());
    said.join("; ")
}
