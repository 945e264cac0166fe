//! What findings say, word by word.

use super::For::{self, Alert, Own, Picked, Saved, Term};
use super::told;
use crate::nrql::lint::{Comparison, Names, Purpose, report};

/// What the query is for, the query, what is said of it.
const SAID: &[(For, &str, &str)] = &[
    (Picked, "SELECT count(*) FROM event", "error[unknown-event-type]: there is no event type `event`; did you mean `Event`?"),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE accountID = '1'",
        "error[unknown-attribute]: `accountID` is no attribute of Event; did you mean `aws.accountId`?",
    ),
    (
        Picked,
        "SELECT sum(finding.open) FROM Event",
        "error[unknown-attribute]: `finding.open` is no attribute of Event; it is one of Other",
    ),
    (
        Picked,
        "SELECT sum(cspm.records) FROM Metric WHERE compliance.state = 'a'",
        "error[unknown-attribute]: `compliance.state` is no attribute of cspm.records; it is one of cspm.compliance",
    ),
    (Picked, "SELECT nothing FROM Event, Other", "error[unknown-attribute]: `nothing` is no attribute of Event, Other"),
    (
        Picked,
        "SELECT control.id AS c FROM Event WHERE c = 'a'",
        "error[name-too-early]: `c` is a name given by AS, which stands for nothing here; say `WITH … AS c`, or ask in a query around this one",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event FACET accountId LIMIT 1",
        "error[reserved-name]: `accountId` is a name that New Relic reserves: no event of ours has it; write `aws.accountId`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE flag LIKE {{region}}",
        "error[unknown-variable]: no variable `region`; there are account, severity",
    ),
    (
        Picked,
        "SELECT avrage(score) FROM Event",
        "error[unknown-function]: there is no function `avrage`; did you mean `average`?",
    ),
    (Picked, "SELECT log(score) FROM Event", "error[wrong-arguments]: `log` takes 2 arguments, not 1"),
    (Picked, "SELECT sum(score, score) FROM Event", "error[wrong-arguments]: `sum` takes 1 argument, not 2"),
    (Picked, "SELECT apdex(score, s: 1) FROM Event", "error[unknown-argument]: `apdex` has no argument `s:`; it has `t:`"),
    (
        Picked,
        "SELECT uniqueCount(flag) FROM Event",
        "error[unique-count-precision]: `uniqueCount` is exact to 256 values only; say `precision: 50000`, or count rows",
    ),
    (
        Picked,
        "SELECT uniqueCount(flag, precision: 60000) FROM Event",
        "error[over-limit]: precision 60000; 256 to 50000 are allowed",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE aws.accountId = 1",
        "error[text-and-number]: `aws.accountId` is a text, `1` is a number: they never match; say `numeric(aws.accountId)`, or put the number in quotes",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE score = '1'",
        "error[text-and-number]: `score` is a number, `'1'` is a text: they never match; say `1`, without quotes",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE flag = true",
        "error[flag-as-boolean]: `flag` is a text, which never is TRUE; say `'true'`",
    ),
    (
        Picked,
        "SELECT sum(flag) FROM Event",
        "error[wrong-kind]: `sum` takes numbers; `flag` is a text; if it holds numbers, say `numeric(…)`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE flag = 'a' OR flag = 'b' AND score > 1",
        "warning[mixed-and-or]: AND beside OR without parentheses: AND binds tighter; put `(flag = 'b' AND score > 1)` in parentheses, or the OR",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE flag != 'a'",
        "warning[negated-null]: whether rows without `flag` pass a negation is not documented; add `AND flag IS NOT NULL`, or `OR flag IS NULL`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event FACET flag",
        "warning[facet-without-limit]: FACET without LIMIT shows 10 groups and hides the rest; say how many",
    ),
    (
        Own,
        "SELECT count(*) FROM Event SINCE 1 week ago COMPARE WITH 1 month ago",
        "error[beyond-retention]: looks 37 days back; New Relic keeps Event 30 days",
    ),
    (
        Own,
        "SELECT count(*) FROM Event SINCE 30 days ago TIMESERIES 1 hour",
        "error[too-many-buckets]: 720 buckets; at most 366 are allowed; say wider buckets, or a shorter window",
    ),
    (
        Saved,
        "SELECT count(*) FROM Event SINCE '2026-11-20' UNTIL '2026-11-21' TIMESERIES 1 minute",
        "error[too-many-buckets]: 1440 buckets; at most 366 are allowed; say wider buckets, or a shorter window",
    ),
    (
        Own,
        "SELECT count(*) FROM Event SINCE last week UNTIL now TIMESERIES 10 minutes",
        "error[too-many-buckets]: at least 1008 buckets; at most 366 are allowed; say wider buckets, or a shorter window",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE items LIKE 'T1078%'",
        "error[list-as-text]: `items` is a list, written `|a|b|`, which never is `'T1078%'`; say `items LIKE '%|T1078%'`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE items NOT IN ('T1078') AND items IS NOT NULL",
        "error[list-as-text]: `items` is a list, written `|a|b|`, which never is `'T1078'`; say `items NOT LIKE '%|T1078|%'`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE contains(items, 'T1078')",
        "error[wrong-kind]: `contains` takes lists; `items` is a text; a list of ours is one text, `|a|b|`: say `items LIKE '%|T1078|%'`",
    ),
    (
        Picked,
        "SELECT count(*) FROM Event WHERE mfa = 'TRUE'",
        "error[flag-as-boolean]: `mfa` is a flag, which never is `'TRUE'`; say `'true'`",
    ),
    (
        Picked,
        "WITH m + 1 AS n, numeric(flag) AS m SELECT n FROM Event",
        "error[name-too-early]: `m` is a name of WITH, known only behind the value that it names; put that value before this one",
    ),
    (Picked, "SELECT avg(score) FROM Event", "warning[undocumented]: `avg` is in no page of New Relic's; say `average`"),
    (Saved, "SHOW EVENT TYPES SINCE 40 days ago", "error[beyond-retention]: looks 40 days back; New Relic keeps events 30 days"),
    (
        Alert,
        "SELECT count(*) FROM Event FACET aws.accountId",
        "error[condition-facet]: `aws.accountId` is no plain name; say `AS awsAccountId`",
    ),
    (
        Term(Comparison::Below, 1.0),
        "SELECT count(*) FROM Event",
        "error[count-never-zero]: `count` is never below 1: where no row passes WHERE there is no value, not 0; widen WHERE and say `filter(count(*), WHERE …)`, fill gaps with 0, or open an incident at loss of signal",
    ),
];

#[test]
fn a_finding_says_what_was_found_what_is_allowed_and_what_was_meant() {
    for (purpose, query, want) in SAID {
        let said: Vec<String> = told(query, *purpose).iter().map(ToString::to_string).collect();
        assert_eq!(said, [*want], "{query}");
    }
}

#[test]
fn a_report_counts_lines_and_characters() {
    let text = "SELECT count(*) -- äöü\nFROM Event\n  WHERE 'ä' = flag OR nix = 1\nSINCE 1 day ago";
    let reported = report(text, &super::names(), &Purpose::Saved);
    let places: Vec<_> = reported.iter().map(|one| (one.line, one.column, one.finding.rule)).collect();
    assert_eq!(places, [(3, 23, "unknown-attribute")]);

    let broken = report("SELECT\n  FROM E", &Names::default(), &Purpose::Saved);
    let said: Vec<_> = broken.iter().map(|one| (one.line, one.column, one.finding.to_string())).collect();
    assert_eq!(said, [(2, 3, "error[syntax]: found `FROM`, expected a value".to_owned())]);
}
