//! Tests of the page Alerts: what the desk finds, what it keeps, and what leaves.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::desk::{Brief, Found};
use super::*;
use crate::lab::preview::Mask;
use crate::lab::streaming::issue::Preference;
use crate::nrql::condition::{Comparison, Condition, Expiration, Fill, Kind, Method, Occurrences, Signal, Term};

const BEGIN_MS: i64 = 1_700_000_040_000;
const FACETED: &str = "SELECT count(*) FROM T FACET aws.accountName AS account";

pub(super) fn condition(query: &str) -> Condition {
    Condition {
        name: "Too many".to_owned(),
        query: query.to_owned(),
        kind: Kind::Static,
        signal: Signal {
            window_s: 60,
            slide_s: None,
            method: Method::EventTimer { timer_s: 60 },
            fill: Fill::None,
            evaluation_delay_s: 0,
        },
        terms: vec![Term {
            priority: Priority::Critical,
            comparison: Comparison::Above,
            threshold: 2.0,
            duration_s: 60,
            occurrences: Occurrences::AtLeastOnce,
        }],
        expiration: None,
        time_limit_s: 86_400,
    }
}

fn shown(id: &str, query: &str) -> Shown {
    Shown {
        tested: Tested {
            policy: "own".to_owned(),
            policy_name: "Own".to_owned(),
            preference: Preference::Policy,
            id: id.to_owned(),
            enabled: true,
            runbook: "https://example.com".to_owned(),
            condition: condition(query),
        },
        because: "Because.".to_owned(),
        question: "Too many?".to_owned(),
        value: "rows".to_owned(),
        opens: vec!["CRITICAL when rows in 1 minute: more than 2.".to_owned()],
        closes: "Closes.".to_owned(),
        reasons: vec![(Priority::Critical, "Two are fine.".to_owned())],
        silence: String::new(),
        title: "{{tag.account}} has too many, {{priority}} {{tag.other}}".to_owned(),
        description: String::new(),
        response: String::new(),
        tuning: String::new(),
        remark: None,
    }
}

/// A store with rows of an account: minutes after the begin, and how many in each.
fn put(store: &Store, account: &str, minutes: &[(i64, usize)]) {
    for (minute, number) in minutes {
        for at in 0..*number {
            let time = BEGIN_MS + minute * 60_000 + i64::try_from(at).unwrap();
            let row = json!({ "timestamp": time, "aws.accountName": account });
            store.append_json("T", row.as_object().unwrap(), time);
        }
    }
}

/// One condition with an incident, and one without rows.
pub(in crate::lab::preview) fn made_up() -> Alerts {
    let store = Store::in_memory();
    put(&store, "payroll-production", &[(0, 3), (1, 1)]);
    alerts(&store, vec![shown("own-one", FACETED), shown("own-two", "SELECT count(*) FROM U")])
}

fn desk(store: &Store, conditions: Vec<Shown>) -> Desk {
    Desk::new(alerts(store, conditions))
}

fn alerts(store: &Store, conditions: Vec<Shown>) -> Alerts {
    let policy = Policy { key: "own".to_owned(), name: "Own".to_owned(), preference: "PER_POLICY".to_owned(), conditions };
    Alerts {
        policies: vec![(Language::English, vec![policy])],
        rows: store.clone(),
        arrival: Arrived::AsStored,
        engine: engine::Settings::default(),
    }
}

fn one(desk: &Desk, id: &str, mask: Option<&Mask>) -> Value {
    let request =
        OneRequest { id: id.to_owned(), lang: Some("ja".to_owned()), since: BEGIN_MS - 1, until: BEGIN_MS + 86_400_000 };
    serde_json::to_value(desk.one(&request, mask).unwrap()).unwrap()
}

fn list(desk: &Desk, since: i64, until: i64) -> Value {
    let request = ListRequest { policy: "own".to_owned(), since, until };
    serde_json::to_value(desk.list(&request, None).unwrap()).unwrap()["conditions"].clone()
}

#[test]
fn a_condition_tells_its_signals_and_incidents_with_the_titles_that_people_read() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 1), (1, 3), (2, 1), (20, 1)]);
    put(&store, "dev", &[(1, 2)]);
    let desk = desk(&store, vec![shown("own-one", FACETED)]);
    let told = one(&desk, "own-one", None);
    let of_minute = |minute: i64| BEGIN_MS + minute * 60_000;
    let incidents = told["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1, "{told:#}");
    let incident = &incidents[0];
    assert_eq!(incident["title"], "prod has too many, CRITICAL {{tag.other}}");
    assert_eq!((&incident["cause"], &incident["value"]), (&json!("threshold"), &json!(3.0)));
    assert_eq!((&incident["windowEnd"], &incident["signal"]), (&json!(of_minute(2)), &json!(0)));
    assert_eq!(incident["closedBecause"], "recovered");
    assert!(incident["opened"].as_i64().unwrap() >= of_minute(2), "{incident}");
    // The one with an incident is first.
    let facets: Vec<&Value> = told["signals"].as_array().unwrap().iter().map(|signal| &signal["facets"]).collect();
    assert_eq!(facets, [&json!({ "account": "prod" }), &json!({ "account": "dev" })]);
    let values: Vec<(&Value, &Value)> =
        told["signals"][0]["points"].as_array().unwrap().iter().map(|point| (&point[1], &point[2])).collect();
    let expected = [(1, 1.0), (2, 3.0), (3, 1.0), (21, 1.0)].map(|(minute, value)| (json!(of_minute(minute)), json!(value)));
    assert_eq!(values, expected.iter().map(|(end, value)| (end, value)).collect::<Vec<_>>());
    let listed = list(&desk, BEGIN_MS, BEGIN_MS + 86_400_000);
    assert_eq!((&listed[0]["critical"], &listed[0]["warning"], &listed[0]["open"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!(listed[0]["spans"], json!([[incident["opened"], incident["closed"], "CRITICAL"]]));
    assert_eq!(list(&desk, of_minute(60), of_minute(120))[0]["critical"], 0);
}

#[test]
fn a_lost_signal_has_the_name_of_its_condition() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 1), (600, 1)]);
    let mut silent = shown("silent", FACETED);
    silent.tested.condition.expiration = Some(Expiration { after_s: 600, opens: true, closes: false, ignores_expected: false });
    let told = one(&desk(&store, vec![silent]), "silent", None);
    assert_eq!(told["incidents"][0]["title"], "Too many");
    assert_eq!((&told["incidents"][0]["cause"], &told["incidents"][0]["value"]), (&json!("signalLost"), &Value::Null));
}

/// Nothing to judge is not the same as nothing found.
#[test]
fn what_cannot_be_judged_says_why_and_has_no_count() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 1)]);
    let nested = "SELECT max(n) FROM (SELECT count(*) AS n FROM U FACET a)";
    let conditions = vec![
        shown("absent", "SELECT count(*) FROM U, V"),
        shown("nested", nested),
        shown("one-of-two", "SELECT count(*) FROM T, V"),
        shown("refused", "SELECT account FROM T"),
    ];
    let listed = list(&desk(&store, conditions), BEGIN_MS, BEGIN_MS + 60_000);
    assert_eq!(listed[0], json!({ "id": "absent", "noRows": ["U", "V"] }));
    assert_eq!(listed[1], json!({ "id": "nested", "noRows": ["U"] }));
    assert_eq!(listed[2]["critical"], 0);
    assert!(listed[3]["error"].as_str().is_some_and(|error| error.contains("aggregate")), "{listed}");
    assert!(listed[3].get("critical").is_none(), "{listed}");
}

#[test]
fn lists_are_bounded_and_the_rest_is_counted() {
    let store = Store::in_memory();
    for account in 0..20 {
        // Far enough apart for an incident each.
        let minutes: Vec<(i64, usize)> = (0..15).flat_map(|nth| [(nth * 10, 3), (nth * 10 + 1, 1)]).collect();
        put(&store, &format!("account-{account}"), &minutes);
    }
    let told = one(&desk(&store, vec![shown("many", FACETED)]), "many", None);
    assert_eq!((told["signals"].as_array().unwrap().len(), &told["moreSignals"]), (8, &json!(12)));
    assert_eq!((told["incidents"].as_array().unwrap().len(), &told["moreIncidents"]), (200, &json!(100)));
    let opened: Vec<i64> =
        told["incidents"].as_array().unwrap().iter().map(|incident| incident["opened"].as_i64().unwrap()).collect();
    assert!(opened.is_sorted_by(|a, b| a >= b), "the last come first");
}

#[test]
fn the_same_rows_are_judged_once() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 3)]);
    let shown = shown("own-one", FACETED);
    let desk = desk(&store, vec![shown.clone()]);
    let first = desk.brief(&shown, &desk.past());
    assert!(Arc::ptr_eq(&first, &desk.brief(&shown, &desk.past())));
    let (whole, evaluation) = desk.whole(&shown, &desk.past());
    let (again, same) = desk.whole(&shown, &desk.past());
    assert!(Arc::ptr_eq(&whole, &again) && Arc::ptr_eq(&evaluation.unwrap(), &same.unwrap()));
}

/// While rows come, judging takes a small part of the time.
#[tokio::test(start_paused = true)]
async fn new_rows_are_judged_when_the_last_time_is_far_enough_back() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 3)]);
    let desk = desk(&store, vec![shown("own-one", FACETED)]);
    let brief = Brief::new(&desk.past(), tokio::time::Instant::now(), Duration::from_secs(1), Found::NoRows(Vec::new()));
    put(&store, "prod", &[(1, 3)]);
    let past = desk.past();
    assert!(brief.is_fresh(&past));
    tokio::time::advance(Duration::from_secs(21)).await;
    assert!(!brief.is_fresh(&past));
}

/// S0-22: names in titles are those of the facets.
#[test]
fn a_mask_leaves_no_name_in_facets_and_titles() {
    let store = Store::in_memory();
    put(&store, "payroll-production", &[(0, 3), (1, 1)]);
    let mask = Mask::new();
    let told = one(&desk(&store, vec![shown("own-one", FACETED)]), "own-one", Some(&mask));
    assert!(!told.to_string().contains("payroll"), "{told:#}");
    let name = told["incidents"][0]["facets"]["account"].as_str().unwrap();
    assert_eq!(told["incidents"][0]["title"], format!("{name} has too many, CRITICAL {{{{tag.other}}}}"));
    assert_eq!(told["signals"][0]["facets"]["account"], name);
}

#[test]
fn definitions_have_every_setting_and_reason() {
    let store = Store::in_memory();
    put(&store, "prod", &[(0, 1), (5, 1)]);
    let desk = desk(&store, vec![shown("own-one", FACETED)]);
    let told = serde_json::to_value(desk.definitions(Language::Japanese, None)).unwrap();
    assert_eq!(told["arrivals"], json!([BEGIN_MS, BEGIN_MS + 300_000]));
    let definition = &told["policies"][0]["conditions"][0];
    assert_eq!(definition["terms"][0]["reason"], "Two are fine.");
    assert_eq!(
        definition["signal"],
        json!({
            "window": 60, "slide": null, "method": "EVENT_TIMER", "wait": 60, "fill": "NONE", "fillValue": null, "evaluationDelay": 0,
        })
    );
    for (since, until) in [(5, 5), (6, 5), (i64::MIN, i64::MAX), (0, i64::MAX)] {
        let wrong = OneRequest { id: "own-one".to_owned(), lang: None, since, until };
        assert!(desk.one(&wrong, None).unwrap_err().message.starts_with("since must lie before until"), "{since} {until}");
    }
    let unknown = OneRequest { id: "none".to_owned(), lang: None, since: 0, until: 1 };
    assert_eq!(desk.one(&unknown, None).unwrap_err().message, "no condition \"none\"");
}
