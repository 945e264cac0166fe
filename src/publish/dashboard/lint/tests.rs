//! One definition without a finding, and what is told of it after one change.

use super::super::source::Definition;
use super::lint;
use crate::nrql::lint::{Kind, Names};

const DASHBOARD: &str = "\
name: { en: Security, ja: セキュリティ }
description: { en: All of it, ja: すべて }
timezone: { en: UTC, ja: Asia/Tokyo }
pages: [one]
variables:
  - name: account
    title: { en: Account, ja: アカウント }
    type: STRING
    default: [\"%\"]
  - name: severity
    title: { en: Severity, ja: 重大度 }
    type: ENUM
    multiple: true
    items: [CRITICAL, HIGH]
    default: [CRITICAL, HIGH]
  - name: region
    title: { en: Region, ja: リージョン }
    type: NRQL
    query: SELECT uniques(aws.region) FROM AwsSecurityEvent SINCE 1 day ago
    default: [\"%\"]
words:
  place: aws.accountName LIKE {{account}} AND aws.region LIKE {{region}}
  circle: \"[[circle]]\"
palettes:
  traffic:
    ✔ Good: \"#11A600\"
";

const LABELS: &str = "\
✔ Good: ✔ 良好
Count: 件数
Account: アカウント
Ratio: 割合
";

const PAGE: &str = "\
name: { en: One, ja: 一 }
description: { en: A page, ja: ページ }
widgets:
  - id: first
    title: { en: First, ja: 第一 }
    question: { en: How many?, ja: 何件か。 }
    answers: [S0-08]
    visualization: viz.table
    layout: { column: 1, row: 1, width: 6, height: 3 }
    window: own
    queries:
      - >-
        SELECT count(*) AS 'Count' FROM AwsSecurityEvent WHERE [[place]] FACET aws.accountName AS 'Account' LIMIT 10 SINCE 30 days ago
    options:
      initialSorting: { direction: desc, name: Count }
      thresholds: [{ from: 1, to: 9, columnName: Count, severity: critical }]
  - id: second
    title: { en: Second, ja: 第二 }
    question: { en: Which share?, ja: 割合は。 }
    answers: [S0-11]
    visualization: viz.billboard
    layout: { column: 7, row: 1, width: 6, height: 3 }
    queries:
      - >-
        SELECT uniqueCount(event.id, precision: 50000) AS 'Ratio' FROM AwsSecurityEvent WHERE control.severity IN ({{severity}}) SINCE 1 day ago
    options:
      thresholds: [{ alertSeverity: WARNING, value: 5 }]
  - id: third
    title: { en: Third, ja: 第三 }
    question: { en: How good?, ja: 良好か。 }
    answers: [S0-17]
    visualization: viz.pie
    layout: { column: 1, row: 4, width: 12, height: 3 }
    queries:
      - >-
        SELECT count(*) FROM AwsSecurityEvent FACET CASES(WHERE a = 'b' AS '✔ Good') LIMIT 1 SINCE 1 day ago
    palette: traffic
";

/// The names that the definition asks for.
fn names() -> Names {
    let mut names = Names::default();
    for name in ["a", "aws.accountName", "aws.region", "control.severity", "event.id"] {
        names.attribute("AwsSecurityEvent", name, Kind::Text);
    }
    names.open("Log");
    names.metric("cspm.records", ["a", "aws.accountName", "aws.region"]);
    names
}

/// What is told of the definition with this changed; the first thing alone.
fn told(from: &str, to: &str) -> Vec<String> {
    let texts = [("dashboard.yml", DASHBOARD), ("labels.yml", LABELS), ("one.yml", PAGE)];
    let found: usize = texts.iter().map(|(_, text)| text.matches(from).count()).sum();
    assert!(from.is_empty() || found == 1, "{found} places with `{from}`");
    let changed = |text: &str| if from.is_empty() { text.to_owned() } else { text.replacen(from, to, 1) };
    let definition = Definition::read(texts.map(|(name, text)| (name.to_owned(), changed(text)))).expect("readable");
    lint(&definition, &names()).iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_told_of_a_sound_definition() {
    assert_eq!(told("", ""), Vec::<String>::new());
}

/// Each fault alone, at its place.
#[test]
fn every_fault_is_told_at_its_place() {
    #[rustfmt::skip]
    let cases = [
        ("two widgets on the same cells", "column: 7, row: 1", "column: 6, row: 3",
            "one.yml:17: second: stands on `first`: both take cells of columns 6 to 11 from row 3 on"),
        ("a thirteenth column", "column: 7, row: 1, width: 6", "column: 7, row: 1, width: 7",
            "one.yml:17: second: columns 7 to 13; a page has columns 1 to 12"),
        ("a column before the first", "column: 1, row: 1, width: 6", "column: 0, row: 1, width: 6",
            "one.yml:4: first: columns 0 to 5; a page has columns 1 to 12"),
        ("higher than allowed", "row: 4, width: 12, height: 3", "row: 4, width: 12, height: 13",
            "one.yml:28: third: row 4, height 13; rows count from 1 and the height is 1 to 12"),
        ("no such visualization", "viz.pie", "viz.donut",
            "one.yml:28: third: no visualization `viz.donut`; there are viz.area, viz.bar, viz.billboard, viz.funnel, viz.heatmap, viz.histogram, viz.json, viz.line, viz.markdown, viz.pie, viz.stacked-bar, viz.table, logger.log-table-widget"),
        ("thresholds of another shape", "{ alertSeverity: WARNING, value: 5 }", "{ from: 1, to: 5, columnName: Ratio, severity: warning }",
            "one.yml:17: second: wrong thresholds; `viz.billboard` has [{alertSeverity: NOT_ALERTING | WARNING | CRITICAL, value}]: no green"),
        ("a green billboard", "alertSeverity: WARNING", "alertSeverity: SUCCESS",
            "one.yml:17: second: wrong thresholds; `viz.billboard` has [{alertSeverity: NOT_ALERTING | WARNING | CRITICAL, value}]: no green"),
        ("a range that ends before it begins", "from: 1, to: 9", "from: 9, to: 1",
            "one.yml:4: first: wrong thresholds; `viz.table` has [{from, to, columnName, severity: success | warning | unavailable | severe | critical}], from < to"),
        ("thresholds of a pie", "    palette: traffic", "    palette: traffic\n    options: { thresholds: [{ alertSeverity: WARNING, value: 1 }] }",
            "one.yml:28: third: wrong thresholds; `viz.pie` draws no thresholds"),
        ("a column nobody gives", "direction: desc, name: Count", "direction: desc, name: Ratio",
            "one.yml:4: first: no column `Ratio`; the queries give Count, Account, timestamp"),
        ("an option nobody knows", "      initialSorting:", "      sorting:",
            "one.yml:4: first: no option `sorting`; there are facet, legend, thresholds, colors, units, nullValues, yAxisLeft, yAxisRight, refreshRate, initialSorting, dataFormatters, tooltip, chartStyles, billboardSettings"),
        ("a palette nobody made", "palette: traffic", "palette: rainbow",
            "one.yml:28: third: no palette `rainbow` in dashboard.yml"),
        ("a colour that is none", "#11A600", "green",
            "dashboard.yml:26: traffic: `green` is no colour; write #RRGGBB"),
        ("a variable nobody made", "({{severity}})", "({{severities}})",
            "one.yml:17: second: query 1, byte 107, at `{{severities}}) SINCE 1 `: no variable `severities` in dashboard.yml; there are account, severity, region"),
        ("one of several values asked with =", "control.severity IN ({{severity}})", "control.severity = {{severity}}",
            "one.yml:17: second: query 1, byte 105, at `{{severity}} SINCE 1 day`: `{{severity}}` is asked with `IN ({{severity}})`"),
        ("a pattern asked with =", "aws.accountName LIKE {{account}}", "aws.accountName = {{account}}",
            "one.yml:4: first: query 1, byte 73, at `{{account}} AND aws.regi`: `{{account}}` is asked with `LIKE {{account}}`"),
        ("variables on a page without", "description: { en: A page, ja: ページ }", "description: { en: A page, ja: ページ }\nvariables: false",
            "one.yml:5: first: query 1, byte 76, at `{{account}} AND aws.regi`: no variables here: the page prints to PDF, or a list would change itself"),
        ("a word nobody explained", "[[place]]", "[[places]]",
            "one.yml:4: first: query 1, byte 55, at `[[places]] FACET aws.acc`: no word `places`; the words are circle, place, timezone"),
        ("a word that stands for itself", "[[place]]", "[[circle]]",
            "one.yml:4: first: query 1, byte 55, at `[[circle]] FACET aws.acc`: the word `circle` stands for itself"),
        ("a word without an end", "[[place]] FACET", "[[place FACET",
            "one.yml:4: first: query 1, byte 55, at `[[place FACET aws.accoun`: `[[` without `]]`"),
        ("no NRQL", "SELECT count(*) AS 'Count' FROM", "SELECT count(* AS 'Count' FROM",
            "one.yml:4: first: query 1, byte 15, at `AS 'Count' FROM AwsSecur`: found `AS`, expected `,` or `)`"),
        ("events from before the retention", "LIMIT 10 SINCE 30 days ago", "LIMIT 10 SINCE 31 days ago",
            "one.yml:4: first: query 1, byte 163, at `SINCE 31 days ago`: error[beyond-retention]: looks 31 days back; New Relic keeps AwsSecurityEvent 30 days"),
        ("a comparison with before the retention", "SINCE 30 days ago", "SINCE 1 week ago COMPARE WITH 4 weeks ago",
            "one.yml:4: first: query 1, byte 180, at `COMPARE WITH 4 weeks ago`: error[beyond-retention]: looks 35 days back; New Relic keeps AwsSecurityEvent 30 days"),
        ("a whole month of events", "SINCE 30 days ago", "SINCE this month",
            "one.yml:4: first: query 1, byte 163, at `SINCE this month`: warning[nearly-beyond-retention]: looks up to 31 days back; New Relic keeps AwsSecurityEvent 30 days; say `30 days ago`"),
        ("metrics from before the retention", "FROM AwsSecurityEvent WHERE [[place]] FACET aws.accountName AS 'Account' LIMIT 10 SINCE 30 days ago", "FROM Metric WHERE [[place]] FACET aws.accountName AS 'Account' LIMIT 10 SINCE 14 months ago",
            "one.yml:4: first: query 1, byte 153, at `SINCE 14 months ago`: error[beyond-retention]: looks 420 days back; New Relic keeps metrics 395 days"),
        ("a subquery that inherits too long a window", "FROM AwsSecurityEvent WHERE [[place]] FACET aws.accountName AS 'Account' LIMIT 10 SINCE 30 days ago", "FROM Metric WHERE a IN (SELECT uniques(a) FROM AwsSecurityEvent) AND [[place]] FACET aws.accountName AS 'Account' LIMIT 10 SINCE 13 months ago",
            "one.yml:4: first: query 1, byte 51, at `SELECT uniques(a) FROM A`: error[beyond-retention]: looks 390 days back; New Relic keeps AwsSecurityEvent 30 days"),
        ("a fixed day", "SINCE 30 days ago", "SINCE '2026-11-01'",
            "one.yml:4: first: query 1, byte 163, at `SINCE '2026-11-01'`: warning[fixed-window]: a fixed date in a widget, which shows less every day; say `… ago`"),
        ("a window of its own that is missing", " LIMIT 10 SINCE 30 days ago", " LIMIT 10",
            "one.yml:4: first: query 1, byte 0, at `SELECT count(*) AS 'Coun`: error[no-window]: the window is the query's own, and it has no SINCE; say SINCE, or let the time picker choose"),
        ("groups that are cut unseen", " LIMIT 10", "",
            "one.yml:4: first: query 1, byte 119, at `FACET aws.accountName AS`: warning[facet-without-limit]: FACET without LIMIT shows 10 groups and hides the rest; say how many"),
        ("a count that is about right", ", precision: 50000", "",
            "one.yml:17: second: query 1, byte 7, at `uniqueCount(event.id) AS`: error[unique-count-precision]: `uniqueCount` is exact to 256 values only; say `precision: 50000`, or count rows"),
        ("a list that is none", "SELECT uniques(aws.region)", "SELECT latest(aws.region)",
            "dashboard.yml:16: region: query 1, byte 0, at `SELECT latest(aws.region`: the query of a variable selects uniques(…)"),
        ("a default that is no item", "default: [CRITICAL, HIGH]", "default: [LOW]",
            "dashboard.yml:10: severity: the default `LOW` is none of the items"),
        ("a drop-down without values", "    type: STRING", "    type: ENUM",
            "dashboard.yml:6: account: a variable of type NRQL has a query, one of type ENUM has items, one of type STRING neither"),
        ("a title without Japanese", "title: { en: First, ja: 第一 }", "title: { en: First }",
            "one.yml:4: first: `title` has no `ja`"),
        ("no question", "    question: { en: Which share?, ja: 割合は。 }\n", "",
            "one.yml:17: second: `question` has no `en`"),
        ("a label without Japanese", "AS 'Ratio'", "AS 'Share'",
            "one.yml:17: second: the label `Share` has no Japanese in labels.yml"),
        ("a label nobody uses", "Ratio: 割合", "Ratio: 割合\nShare: 比率",
            "labels.yml:5: Share: no query uses it"),
        ("no requirement", "answers: [S0-11]", "answers: []",
            "one.yml:17: second: `answers` names no requirement; name the rows that ask for this widget"),
        ("two widgets of one id", "id: second", "id: first",
            "one.yml:4: first: a second widget of this id"),
    ];
    let mut wrong = Vec::new();
    for (name, from, to, want) in cases {
        let first = told(from, to).into_iter().next().unwrap_or_default();
        if first != want {
            wrong.push(format!("{name}:\n  {first}\n  {want}"));
        }
    }
    assert!(wrong.is_empty(), "told, and what was to be told:\n{}", wrong.join("\n"));
}

#[test]
fn a_page_is_not_crowded_and_a_query_fits() {
    let widget = |place: usize| {
        format!(
            "  - id: more-{place}\n    title: {{ en: More, ja: 他 }}\n    question: {{ en: More?, ja: 他は。 }}\n    answers: [S0-08]\n    \
             visualization: viz.table\n    layout: {{ column: 1, row: {}, width: 12, height: 1 }}\n    queries: [SELECT count(*) FROM Log SINCE 1 day ago]\n",
            place + 10
        )
    };
    let more: String = (0..10).map(widget).collect();
    assert_eq!(
        told("    palette: traffic\n", &format!("    palette: traffic\n{more}")),
        ["one.yml:1: page: 13 widgets; 1 to 12 are allowed"]
    );

    let long = format!("SINCE 30 days ago -- {}", "x".repeat(4_000));
    assert_eq!(
        told("SINCE 30 days ago", &long),
        [
            "one.yml:4: first: query 1, byte 0, at `SELECT count(*) AS 'Coun`: error[too-long]: 4184 bytes; New Relic takes less than 4096"
        ]
    );

    // Short enough as it is written, too long with the values that a variable begins with.
    let padded = format!("control.severity IN ({{{{severity}}}}) /* {}*/", "x".repeat(3948));
    assert_eq!(
        told("control.severity IN ({{severity}})", &padded),
        [
            "one.yml:17: second: query 1, byte 0, at `SELECT uniqueCount(event`: 4098 bytes with the default values put in; New Relic takes less than 4096"
        ]
    );
}

/// What is asked of queries alone is told with the place of the widget; warnings, too.
#[test]
fn what_a_query_asks_for_exists() {
    assert_eq!(
        told(
            "FROM AwsSecurityEvent WHERE control.severity IN ({{severity}})",
            "FROM AwsSecurityEvent WHERE control.sevrity IN ({{severity}})"
        ),
        [
            "one.yml:17: second: query 1, byte 86, at `control.sevrity IN ({{se`: error[unknown-attribute]: `control.sevrity` is no attribute of AwsSecurityEvent; did you mean `control.severity`?"
        ]
    );
    assert_eq!(
        told("WHERE a = 'b'", "WHERE a != 'b'"),
        [
            "one.yml:28: third: query 1, byte 56, at `a != 'b' AS '✔ Good') LI`: warning[negated-null]: whether rows without `a` pass a negation is not documented; add `AND a IS NOT NULL`, or `OR a IS NULL`"
        ]
    );
}
