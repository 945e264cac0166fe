//! The stand-in on the wire: every documented answer, every fault, two clients at once.

mod answers;
mod faults;
mod metrics;
mod nerdgraph;

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;

const NOW: i64 = 1_767_225_600_000;
/// Long enough on a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_mins(1);

async fn backend() -> Backend {
    backend_with(BackendSettings::default()).await
}

async fn backend_with(settings: BackendSettings) -> Backend {
    Backend::start(BackendSettings { clock: Clock::fixed(NOW), ..settings }).await.unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn event(id: &str) -> Value {
    json!({ "eventType": "AwsSecurityEvent", "event.id": id })
}

fn path(api: Api) -> String {
    match api {
        Api::Events => format!("/v1/accounts/{ACCOUNT_ID}/events"),
        Api::Logs => "/log/v1".to_owned(),
        Api::Metrics => "/v1/metrics".to_owned(),
        Api::NerdGraph => "/graphql".to_owned(),
    }
}

/// A well-formed request; a test then spoils one thing.
fn post(client: &Client, backend: &Backend, api: Api, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let key = if api == Api::NerdGraph { USER_KEY } else { LICENSE_KEY };
    client
        .post(backend.url() + &path(api))
        .header("Api-Key", key)
        .header("Content-Type", "application/json")
        .body(body)
        .timeout(PATIENCE)
}

async fn send_events(client: &Client, backend: &Backend, events: &Value) -> reqwest::Result<reqwest::Response> {
    post(client, backend, Api::Events, events.to_string()).send().await
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    answer(request).await.0
}
