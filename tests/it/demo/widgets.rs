//! Whether the dashboard in the browser has something to show.
//!
//! In: a running demo that has sent everything. Out: the queries that show nothing, each with its page and widget. What always
//! holds: the preview is asked as its page asks, with every variable at its default.

use reqwest::Client;
use serde_json::{Map, Value, json};

/// Names that say where a value belongs, not what it is.
const PLACES: [&str; 4] = ["facet", "beginTimeSeconds", "endTimeSeconds", "comparison"];

/// A preview that is asked.
struct Asking<'a> {
    client: Client,
    url: &'a str,
    variables: Value,
}

/// How many widgets there are, and what shows nothing.
pub(super) async fn empty(url: &str) -> (usize, Vec<String>) {
    let client = Client::builder().no_proxy().build().expect("a client");
    let listed = client.get(format!("{url}/api/dashboards?lang=en")).send().await.expect("an answer").text().await.expect("text");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let (mut count, mut empty) = (0, Vec::new());
    for dashboard in listed["dashboards"].as_array().expect("dashboards") {
        let dashboard: Value = serde_json::from_str(dashboard.as_str().expect("text")).expect("a dashboard");
        let asking = Asking { client: client.clone(), url, variables: defaults(&dashboard) };
        for page in dashboard["pages"].as_array().expect("pages") {
            for widget in page["widgets"].as_array().expect("widgets") {
                let Some(queries) = widget["rawConfiguration"]["nrqlQueries"].as_array() else { continue };
                count += 1;
                for (number, query) in queries.iter().enumerate() {
                    if let Err(why) = asking.shows(query["query"].as_str().expect("a query")).await {
                        empty.push(format!("{} / {}, query {}: {why}", page["name"], widget["title"], number + 1));
                    }
                }
            }
        }
    }
    (count, empty)
}

/// The variables of a dashboard, as the page sends them at first.
fn defaults(dashboard: &Value) -> Value {
    let variables = dashboard["variables"].as_array().expect("variables").iter().map(|variable| {
        let values = variable["defaultValues"].as_array().expect("defaults").iter().map(|default| &default["value"]["string"]);
        json!({ "name": variable["name"], "strategy": variable["replacementStrategy"], "values": values.collect::<Vec<_>>() })
    });
    variables.collect()
}

impl Asking<'_> {
    /// Whether a query has something to show; else what it has.
    async fn shows(&self, query: &str) -> Result<(), String> {
        let body = json!({ "query": query, "variables": self.variables }).to_string();
        let asked = self.client.post(format!("{}/api/query", self.url)).header("Content-Type", "application/json").body(body);
        let text = asked.send().await.expect("an answer").text().await.expect("text");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        match answer["results"].as_array() {
            None => Err(text),
            Some(rows) if rows.iter().any(is_filled) => Ok(()),
            Some(rows) => Err(format!("{} rows and nothing in them: {query}", rows.len())),
        }
    }
}

/// Whether a row says something. A count of 0 does, but not in a chart over time, which would be a flat line.
fn is_filled(row: &Value) -> bool {
    let is_over_time = row.get("beginTimeSeconds").is_some() && row.get("comparison").is_none();
    let says = |(name, value): (&String, &Value)| !PLACES.contains(&name.as_str()) && is_said(value, !is_over_time);
    row.as_object().is_some_and(|row: &Map<String, Value>| row.iter().any(says))
}

fn is_said(value: &Value, zero: bool) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) => true,
        Value::Number(number) => zero || number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(|item| is_said(item, zero)),
        Value::Object(fields) => fields.values().any(|field| is_said(field, zero)),
    }
}

#[test]
fn nothing_null_and_a_flat_line_show_nothing() {
    for (row, want) in [
        (json!({}), false),
        (json!({ "facet": ["a"], "n": null }), false),
        (json!({ "uniques": [] }), false),
        (json!({ "n": 0 }), true),
        (json!({ "n": 0, "comparison": "current", "beginTimeSeconds": 1, "endTimeSeconds": 2 }), true),
        (json!({ "n": 0, "beginTimeSeconds": 1, "endTimeSeconds": 2 }), false),
        (json!({ "n": 3, "beginTimeSeconds": 1, "endTimeSeconds": 2 }), true),
        (json!({ "percentile": { "95": null } }), false),
    ] {
        assert_eq!(is_filled(&row), want, "{row}");
    }
}
