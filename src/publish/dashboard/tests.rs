//! What the definition that is built in holds, and what becomes of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::nrql::ast::{Argument, BinaryOp, Expr, ExprKind, Selected};
use crate::nrql::lint::Names;
use crate::nrql::walk::{self, Part};
use crate::nrql::{self, Statement};

const ENGLISH: &str = include_str!("../../../dashboards/cspm.json");
const JAPANESE: &str = include_str!("../../../dashboards/cspm.ja.json");
const README: &str = include_str!("../../../dashboards/README.md");

/// Where the generated part of README begins and ends.
const QUESTIONS: [&str; 2] = ["<!-- questions: generated -->\n", "<!-- /questions -->"];

fn shipped() -> Definition {
    Definition::shipped().expect("a definition")
}

fn rendered(language: Language, accounts: &[u64], page: Option<&str>) -> Document {
    render(&shipped(), Request { language, accounts, page, timezone: None }).expect("a document")
}

fn object(document: &Document) -> Value {
    serde_json::to_value(document).expect("JSON")
}

#[test]
fn the_shipped_definition_has_no_findings() {
    let findings: Vec<String> = lint::lint(&shipped(), &Names::default()).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

#[test]
fn the_shipped_files_are_what_the_definition_says() {
    for (language, file, text, option) in
        [(Language::English, "cspm.json", ENGLISH, "en"), (Language::Japanese, "cspm.ja.json", JAPANESE, "ja")]
    {
        let document = rendered(language, &[PLACEHOLDER_ACCOUNT], None);
        let want = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
        assert!(
            text == want,
            "dashboards/{file} is not what dashboards/source says; to write it:\n  \
             cargo run -- dashboards render --account 0 --lang {option} > file && mv file dashboards/{file}"
        );
    }
}

#[test]
fn the_readme_has_every_question() {
    let [begin, end] = QUESTIONS;
    let part = README.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).expect("marks").0;
    assert!(
        part == format!("\n{}\n", questions(&shipped(), Language::English)),
        "dashboards/README.md does not have the questions of dashboards/source; what stands between its marks is what this prints:\n  \
         cargo run -- dashboards list --format markdown"
    );
}

/// S0-08 to S0-19: the nine pages, and nothing that nobody asked for.
#[test]
fn there_are_nine_pages_of_at_most_twelve_questions() {
    let definition = shipped();
    let pages: Vec<(&str, &str)> =
        definition.pages.iter().map(|(_, page)| (page.name.get(Language::English), page.name.get(Language::Japanese))).collect();
    let want = [
        ("Overview", "月次報告"),
        ("Detective", "発見的統制"),
        ("Preventive", "予防的統制"),
        ("Findings", "検出結果"),
        ("ATT&CK", "ATT&CK"),
        ("Frameworks", "フレームワーク"),
        ("Resources and drift", "リソースと変更"),
        ("Identity", "アイデンティティ"),
        ("Relay health", "稼働状況"),
    ];
    assert_eq!(pages, want);
    for (page, widget) in definition.widgets() {
        for language in Language::ALL {
            assert!(!widget.question.get(language).is_empty(), "{page}: {}", widget.id);
        }
    }
    let without: Vec<&str> = definition.pages.iter().filter(|(_, page)| !page.variables).map(|(name, _)| name.as_str()).collect();
    assert_eq!(without, ["overview"], "the page that prints to PDF");
}

/// Both languages ask the same, but for labels and the zone.
#[test]
fn both_languages_ask_the_same() {
    let queries = |language| -> Vec<String> {
        let pages = rendered(language, &[1], None).pages;
        let widgets = pages.iter().flat_map(|page| &page.widgets);
        let queries = widgets.filter_map(|widget| widget.raw_configuration.get("nrqlQueries")?.as_array().cloned()).flatten();
        queries.map(|query| query["query"].as_str().expect("a text").replace("Asia/Tokyo", "UTC")).collect()
    };
    let (english, japanese) = (queries(Language::English), queries(Language::Japanese));
    assert_eq!(english.len(), japanese.len());
    let bare = |query: &str| query::translated(query, |_| String::new());
    let mut translated = 0;
    for (english, japanese) in english.iter().zip(&japanese) {
        assert_eq!(bare(english), bare(japanese));
        translated += usize::from(english != japanese);
        assert!(matches!(nrql::parse(japanese), Ok(Statement::Select(_))), "{japanese}");
    }
    assert!(translated > english.len() / 2, "{translated} of {}", english.len());
}

/// Every query of every widget in English, parsed.
fn statements() -> Vec<(String, Statement)> {
    let pages = rendered(Language::English, &[1], None).pages;
    let widgets = pages.iter().flat_map(|page| &page.widgets);
    let queries = widgets.filter_map(|widget| widget.raw_configuration.get("nrqlQueries")?.as_array().cloned()).flatten();
    let texts = queries.map(|query| query["query"].as_str().expect("a text").to_owned());
    texts.map(|text| (text.clone(), nrql::parse(&text).expect("a query"))).collect()
}

fn is_number(value: &Expr, wanted: Option<f64>) -> bool {
    matches!(&value.kind, ExprKind::Number(number) if wanted.is_none_or(|wanted| wanted.to_bits() == number.to_bits()))
}

/// What is greater than 0 wherever a condition holds.
fn positive_in<'a>(condition: &'a Expr, found: &mut Vec<&'a Expr>) {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, one, other) => [one, other].into_iter().for_each(|part| positive_in(part, found)),
        ExprKind::Binary(BinaryOp::Greater, whole, least) if is_number(least, Some(0.0)) => found.push(whole),
        _ => {}
    }
}

/// What New Relic makes of a division by 0 is not documented: whatever is divided by stands before it, as `if(whole > 0, part / whole)`.
#[test]
fn no_query_divides_by_what_may_be_0() {
    let mut divisions = 0;
    for (text, statement) in statements() {
        // Those that stand where the condition holds; told apart by where they are.
        let mut safe: BTreeSet<*const Expr> = BTreeSet::new();
        let mut all: Vec<&Expr> = Vec::new();
        walk::statement(&statement, &mut |part| {
            let Part::Expr(value) = part else { return };
            if let ExprKind::Call(call) = &value.kind
                && call.name.text == "if"
                && let [Argument::Value(condition), Argument::Value(then), ..] = call.arguments.as_slice()
            {
                let mut positive = Vec::new();
                positive_in(condition, &mut positive);
                walk::within(then, &mut |inner| {
                    if let ExprKind::Binary(BinaryOp::Divide, _, divisor) = &inner.kind
                        && positive.iter().any(|whole| **whole == **divisor)
                    {
                        safe.insert(inner);
                    }
                });
            }
            if let ExprKind::Binary(BinaryOp::Divide, _, divisor) = &value.kind {
                divisions += 1;
                if !is_number(divisor, None) {
                    all.push(value);
                }
            }
        });
        assert!(all.iter().all(|division| safe.contains(&std::ptr::from_ref(*division))), "{text}");
    }
    assert!(divisions > 20, "{divisions}");
}

/// In an aggregate query every item has an aggregate, and a subquery is the aggregate of another: alone it may be refused.
#[test]
fn no_item_is_a_subquery_alone() {
    for (text, statement) in statements() {
        walk::statement(&statement, &mut |part| {
            let Part::Query(query) = part else { return };
            for item in &query.select {
                assert!(!matches!(&item.value, Selected::Value(value) if matches!(value.kind, ExprKind::Query(_))), "{text}");
            }
        });
    }
}

/// P33: no account but the placeholder is in what is shipped; render fills every one, one or many.
#[test]
fn every_query_asks_the_accounts_that_are_named() {
    fn accounts(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| accounts(item, found)),
            Value::Object(entries) => entries.iter().for_each(|(key, value)| match key.as_str() {
                "accountIds" => found.push(value.clone()),
                _ => accounts(value, found),
            }),
            _ => {}
        }
    }
    let queries: usize = shipped().widgets().map(|(_, widget)| widget.queries.len()).sum();
    let of_variables = shipped().shared.variables.iter().filter(|variable| variable.query.is_some()).count();
    for wanted in [json!([0]), json!([1_234_567, 7_654_321])] {
        let ids: Vec<u64> = serde_json::from_value(wanted.clone()).expect("ids");
        let mut found = Vec::new();
        accounts(&object(&rendered(Language::English, &ids, None)), &mut found);
        assert_eq!(found, vec![wanted; queries + of_variables]);
    }
}

#[test]
fn a_page_alone_names_the_dashboard_and_brings_its_variables() {
    let names = |page| {
        let document = rendered(Language::Japanese, &[1], Some(page));
        let names: Vec<String> = document.variables.iter().map(|variable| variable.name.clone()).collect();
        (document.name, document.pages.len(), names)
    };
    assert_eq!(names("overview"), ("月次報告".to_owned(), 1, vec![]));
    let identity = ["account", "ou", "environment", "region", "severity"].map(str::to_owned).to_vec();
    assert_eq!(names("identity"), ("アイデンティティ".to_owned(), 1, identity));
    let request = Request { language: Language::English, accounts: &[1], page: Some("identities"), timezone: None };
    let error = render(&shipped(), request).expect_err("no such page").to_string();
    assert_eq!(
        error,
        "no page `identities`; the pages are overview, detective, preventive, findings, attack, frameworks, resources, identity, health"
    );
}

#[test]
fn the_zone_is_the_languages_or_the_one_that_is_asked_for() {
    let zone = |language, timezone| {
        let request = Request { language, accounts: &[1], page: Some("overview"), timezone };
        let document = render(&shipped(), request).expect("a document");
        let query =
            document.pages[0].widgets[0].raw_configuration["nrqlQueries"][0]["query"].as_str().expect("a text").to_owned();
        query.rsplit_once(" WITH TIMEZONE ").expect("a zone").1.to_owned()
    };
    assert_eq!(zone(Language::English, None), "'UTC'");
    assert_eq!(zone(Language::Japanese, None), "'Asia/Tokyo'");
    assert_eq!(zone(Language::Japanese, Some("Europe/Berlin")), "'Europe/Berlin'");
}

/// S0-17: where green and red stand, a sign stands in the label, too.
#[test]
fn green_and_red_have_a_second_cue() {
    let definition = shipped();
    let compliance = &definition.shared.palettes["compliance"];
    let (green, red) = ("#11A600", "#DF2D24");
    for (series, color) in compliance.iter().filter(|(_, color)| [green, red].contains(&color.as_str())) {
        let sign = if color == green { '✔' } else { '✖' };
        // A line alone is told from another by its label.
        let is_line = series.starts_with("Compliant ");
        assert!(series.starts_with(sign) || is_line, "{series} is {color}");
        let japanese = definition.labels.get(series).expect("a label");
        assert_eq!(series.starts_with(sign), japanese.starts_with(sign), "{series}: {japanese}");
    }
    let pie = rendered(Language::Japanese, &[1], Some("preventive")).pages.remove(0).widgets.remove(2);
    assert_eq!(
        pie.raw_configuration["colors"],
        json!({ "seriesOverrides": [{ "color": green, "seriesName": "✔ 準拠" }, { "color": red, "seriesName": "✖ 違反" }] })
    );
}

/// The shape that New Relic imports, on one widget and the variables.
#[test]
fn a_widget_is_what_new_relic_imports() {
    let document = object(&rendered(Language::English, &[7], Some("health")));
    let widget = &document["pages"][0]["widgets"][1];
    let mut query = widget["rawConfiguration"]["nrqlQueries"][0].clone();
    let text = query["query"].take();
    assert!(
        text.as_str().is_some_and(|text| text.ends_with(" FROM CspmRelayHeartbeat, CspmRelayGap SINCE 7 days ago")),
        "{text}"
    );
    assert_eq!(query, json!({ "accountIds": [7], "query": null }));
    let mut rest = widget.clone();
    rest["rawConfiguration"]["nrqlQueries"].take();
    assert_eq!(
        rest,
        json!({
            "title": "Dead letters and gaps, 7 days",
            "layout": { "column": 1, "row": 5, "width": 4, "height": 3 },
            "linkedEntityGuids": null,
            "visualization": { "id": "viz.billboard" },
            "rawConfiguration": {
                "nrqlQueries": null,
                "platformOptions": { "ignoreTimeRange": true },
                "thresholds": [{ "alertSeverity": "CRITICAL", "value": 0 }],
            },
        })
    );
    let variables = object(&rendered(Language::English, &[7], None))["variables"].clone();
    assert_eq!(
        variables[0],
        json!({
            "name": "account", "title": "Account (name or id; % = any text)", "type": "STRING", "isMultiSelection": false,
            "replacementStrategy": "STRING", "defaultValues": [{ "value": { "string": "%" } }], "items": null, "nrqlQuery": null,
            "options": null,
        })
    );
    assert_eq!(variables[3]["options"], json!({ "ignoreTimeRange": true }));
    assert_eq!(variables[5]["defaultValues"], json!([{ "value": { "string": "CRITICAL" } }, { "value": { "string": "HIGH" } }]));
}

/// A matrix grows redder with the count, in every column that is named.
#[test]
fn heat_is_a_range_for_each_column() {
    let widget = rendered(Language::English, &[1], Some("attack")).pages.remove(0).widgets.remove(2);
    let ranges = widget.raw_configuration["thresholds"].as_array().expect("ranges").clone();
    assert_eq!(ranges.len(), 36);
    assert_eq!(
        ranges[0],
        json!({ "from": 1, "to": 10, "columnName": "Reconnaissance and resource development", "severity": "warning" })
    );
    assert_eq!(
        ranges[2],
        json!({ "from": 100, "to": 1_000_000_000, "columnName": "Reconnaissance and resource development", "severity": "critical" })
    );
}

#[test]
fn a_definition_that_cannot_be_read_is_told_with_its_line() {
    let read = |change: &dyn Fn(&str, &str) -> Option<String>| {
        let files = SHIPPED.iter().filter_map(|(name, text)| Some(((*name).to_owned(), change(name, text)?)));
        Definition::read(files).expect_err("not readable").to_string()
    };
    let gone = read(&|name, text| (name != "health.yml").then(|| text.to_owned()));
    assert_eq!(gone, "health.yml: no such file among those of the definition");
    let strange = read(&|_, text| Some(text.replace("    window: own\n", "    windows: own\n")));
    assert!(strange.starts_with("overview.yml:") && strange.contains("windows"), "{strange}");
}

/// Every event type that a page asks for is one the relay sends, or New Relic's own.
#[test]
fn no_page_asks_for_a_type_that_nobody_sends() {
    let mut types = BTreeSet::new();
    for text in SHIPPED.iter().filter(|(name, _)| *name != "labels.yml").map(|(_, text)| *text) {
        for after in text.split("FROM ").skip(1) {
            let list: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == ',' || c.is_whitespace()).collect();
            let names = list.split(',').filter_map(|name| name.split_whitespace().next());
            types.extend(names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned));
        }
    }
    let foreign: Vec<&String> = types.iter().filter(|name| !name.starts_with("Aws") && !name.starts_with("CspmRelay")).collect();
    assert_eq!(foreign, ["Log", "Metric", "NrIntegrationError"]);
}
