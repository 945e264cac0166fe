//! The shipped conditions and New Relic's stand-in: it takes each.

use serde_json::Value as Json;

use super::*;
use crate::clock::Clock;
use crate::lab::backend::{Backend, BackendSettings, USER_KEY};

/// 2026-01-01T00:00:00Z.
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
