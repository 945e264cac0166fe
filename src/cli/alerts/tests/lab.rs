//! The shipped conditions in the lab: the stand-in takes each, and the rows of each case give the values that it needs.
//!
//! The cases are judged here window by window, as if every row came in time: that a query and its threshold tell one case from the
//! other. When windows close, and what a late row does, is the business of the evaluator of streams.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::*;
use crate::clock::Clock;
use crate::lab::backend::{Backend, BackendSettings, USER_KEY};
use crate::lab::engine::{Engine, Settings};
use crate::lab::store::Store;
use crate::nrql::condition::{Comparison, Occurrences, Priority};
use crate::publish::alert::{Case, RowSource};

/// 2026-01-01T00:00:00Z: a multiple of every window.
const BEGIN_MS: i64 = 1_767_225_600_000;

const ACCOUNT: u64 = 1_234_567;

async fn ask(backend: &Backend, query: &Json, variables: Json) -> Json {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = client.post(backend.url() + "/graphql").header("Api-Key", USER_KEY).header("Content-Type", "application/json");
    let body = json!({ "query": query, "variables": variables }).to_string();
    let bytes = request.body(body).send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// S2-31: what `alerts render` prints is what New Relic's API takes, in both languages: policies, conditions and tags.
#[tokio::test]
async fn the_stand_in_takes_every_condition() {
    for language in Language::ALL {
        let settings = BackendSettings { clock: Clock::fixed(BEGIN_MS), ..Default::default() };
        let backend = Backend::start(settings).await.expect("a stand-in");
        let request = Request { account: ACCOUNT, policy: None, language, dashboard_url: Some("https://one.newrelic.com/d/1") };
        let text = alert::nerdgraph(&Definition::shipped(), request).expect("JSON");
        let document: Json = serde_json::from_str(&text).expect("JSON");
        let (account, mutations) = (&document["account"], &document["mutations"]);
        let mut made = 0;
        for policy in document["policies"].as_array().expect("policies") {
            let answer = ask(&backend, &mutations["policy"], json!({ "account": account, "policy": policy["policy"] })).await;
            let id = &answer["data"]["alertsPolicyCreate"]["id"];
            assert!(id.is_string(), "{}: {answer}", policy["key"]);
            for entry in policy["conditions"].as_array().expect("conditions") {
                let kind = entry["mutation"].as_str().expect("a kind");
                let variables = json!({ "account": account, "policy": id, "condition": entry["condition"] });
                let answer = ask(&backend, &mutations[kind], variables).await;
                let guid =
                    answer["data"].as_object().and_then(|data| data.values().next()).map(|made| made["entityGuid"].clone());
                assert!(guid.as_ref().is_some_and(Json::is_string), "{}: {answer}", entry["key"]);
                let answer = ask(&backend, &mutations["tags"], json!({ "guid": guid, "tags": entry["tags"] })).await;
                assert_eq!(answer["data"]["taggingAddTagsToEntity"]["errors"], json!([]), "{}: {answer}", entry["key"]);
                made += 1;
            }
        }
        assert_eq!(made, Definition::shipped().conditions().count());
    }
}

/// Times of the copies of a row, ms after the begin.
fn times(row: &RowSource) -> impl Iterator<Item = i64> {
    let (at, every) = (i64::from(row.at), i64::from(row.every));
    (0..i64::from(row.times)).map(move |nth| (at + nth * every) * 1_000)
}

fn store(case: &Case) -> Store {
    let store = Store::in_memory();
    for row in &case.rows {
        for time in times(row) {
            let mut attributes: Map<String, Json> = row.with.clone();
            attributes.insert("timestamp".to_owned(), (BEGIN_MS + time).into());
            store.append_json(&row.event, &attributes, BEGIN_MS + time + i64::from(row.late) * 1_000);
        }
    }
    store
}

type Group = BTreeMap<String, String>;

/// Values by group and number of the window.
fn values(condition: &ConditionSource, case: &Case) -> BTreeMap<Group, BTreeMap<i64, f64>> {
    let width = i64::from(condition.signal.window) * 1_000;
    let engine = Engine::new(store(case).snapshot(), Settings::default());
    let windows: BTreeSet<i64> = case.rows.iter().flat_map(times).map(|time| time.div_euclid(width)).collect();
    let mut values: BTreeMap<Group, BTreeMap<i64, f64>> = BTreeMap::new();
    for window in windows {
        let (from, until) = (BEGIN_MS + window * width, BEGIN_MS + (window + 1) * width);
        // A condition has every group.
        let limit = if condition.query.contains(" FACET ") { " LIMIT MAX" } else { "" };
        let query = format!("{} SINCE {from} UNTIL {until}{limit}", condition.query);
        let statement = crate::nrql::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let answer = engine.run(&statement, until).unwrap_or_else(|error| panic!("{query}: {error}"));
        for row in &answer.results {
            let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let json = row.json();
            let group = row.facets.iter().map(|(name, _)| (name.to_string(), text(&json[&**name]))).collect();
            if let Some(value) = row.values.first().and_then(|(_, value)| value.as_number()) {
                values.entry(group).or_default().insert(window, value);
            }
        }
    }
    values
}

fn breaches(operator: Comparison, threshold: f64, value: f64) -> bool {
    match operator {
        Comparison::Above => value > threshold,
        Comparison::AboveOrEquals => value >= threshold,
        Comparison::Below => value < threshold,
        Comparison::BelowOrEquals => value <= threshold,
        Comparison::Equals => (value - threshold).abs() < f64::EPSILON,
        Comparison::NotEquals => (value - threshold).abs() >= f64::EPSILON,
    }
}

/// Groups and the highest priority that their values reach, and groups that fell silent.
fn found(condition: &ConditionSource, case: &Case) -> BTreeSet<(Group, String, bool)> {
    let width = condition.signal.window;
    let mut found = BTreeSet::new();
    let values = values(condition, case);
    for (group, windows) in &values {
        let reached = [Priority::Critical, Priority::Warning].into_iter().find(|priority| {
            let Some(term) = condition.term(*priority) else { return false };
            let needed = match term.occurrences {
                Occurrences::All => i64::from(term.duration / width),
                Occurrences::AtLeastOnce => 1,
            };
            let mut row = 0;
            let mut last = i64::MIN;
            windows.iter().any(|(window, value)| {
                let follows = last == i64::MIN || *window == last + 1;
                row = if breaches(term.operator, term.threshold, *value) { if follows { row + 1 } else { 1 } } else { 0 };
                last = *window;
                row >= needed
            })
        });
        if let Some(priority) = reached {
            found.insert((group.clone(), priority.word().to_owned(), false));
        }
    }
    let Some(after) = condition.expiration.after.filter(|_| condition.expiration.opens) else { return found };
    for group in values.keys() {
        let of_group = |row: &&RowSource| {
            // The facets of these conditions are attributes as they stand.
            group.values().all(|value| row.with.values().any(|known| known == value.as_str()))
        };
        let mut moments: Vec<i64> = case.rows.iter().filter(of_group).flat_map(times).collect();
        moments.push(i64::from(case.until) * 1_000);
        moments.sort_unstable();
        let longest = moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        if longest > i64::from(after) * 1_000 {
            found.insert((group.clone(), "CRITICAL".to_owned(), true));
        }
    }
    found
}

/// P37, S3-14: what must wake somebody reaches a threshold, what must not stays below.
#[test]
fn the_rows_of_every_case_give_what_it_says() {
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (policy, condition) in Definition::shipped().conditions() {
        if condition.baseline.is_some() {
            continue; // What was to be expected is the evaluator's to say.
        }
        for case in &condition.cases {
            let want: BTreeSet<(Group, String, bool)> = case
                .incidents
                .iter()
                .map(|incident| (incident.facet.clone(), incident.priority.clone(), incident.silence))
                .collect();
            let found = found(condition, case);
            judged += 1;
            if want != found {
                wrong.push(format!("{}/{}, {}: want {want:?}, found {found:?}", policy.key, condition.id, case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 150, "{judged} cases");
}
