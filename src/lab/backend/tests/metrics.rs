//! OTLP metrics over HTTP: answers, rows, faults.

use super::*;
use crate::encode::limits;

const FOREIGN: &[u8] = include_bytes!("../../../../tests/fixtures/otlp/metrics.pb");

/// The time of the points in the fixture, milliseconds.
const AT: i64 = 1_767_225_660_123;

async fn metrics_backend(settings: BackendSettings) -> Backend {
    Backend::start(BackendSettings { clock: Clock::fixed(AT), ..settings }).await.unwrap()
}

fn post_metrics(client: &Client, backend: &Backend, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let url = backend.url() + &path(Api::Metrics);
    client.post(url).header("api-key", LICENSE_KEY).header("Content-Type", "application/x-protobuf").body(body).timeout(PATIENCE)
}

async fn status_of(request: reqwest::RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn accepted_points_are_rows_and_the_answer_is_empty() {
    let backend = metrics_backend(BackendSettings::default()).await;
    let client = client();
    let packed = post_metrics(&client, &backend, gzip(FOREIGN)).header("Content-Encoding", "gzip").send().await.unwrap();
    assert_eq!((packed.status().as_u16(), packed.bytes().await.unwrap().len()), (200, 0));
    let rows = backend.store().rows("Metric");
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0]["made.count"], json!({ "type": "count", "count": 300 }));
    assert_eq!(backend.store().counts("Metric").rows, 5);
    let errors = backend.store().integration_errors();
    let told: Vec<(&str, &str)> = errors.iter().map(|error| (error.new_relic_feature, error.message.as_str())).collect();
    assert_eq!(told, [("Metrics", "One or more OTLP data point(s) was dropped: metric of a kind that is not supported: 2")]);
}

#[tokio::test]
async fn requests_that_are_wrong_are_refused() {
    let backend = metrics_backend(BackendSettings::default()).await;
    let client = client();
    let url = backend.url() + &path(Api::Metrics);
    let bare = || client.post(&url).header("Content-Type", "application/x-protobuf").body(FOREIGN);
    let typed = |content_type| client.post(&url).header("api-key", LICENSE_KEY).header("Content-Type", content_type).body("{}");
    let large = gzip(&vec![0; limits::BODY_BYTES + 1]);
    for (name, request, expected) in [
        ("no key", bare(), 401),
        ("another key", bare().header("api-key", "0000"), 403),
        ("a user key", bare().header("api-key", USER_KEY), 403),
        ("JSON", typed("application/json"), 415),
        ("not gzip", post_metrics(&client, &backend, FOREIGN).header("Content-Encoding", "gzip"), 400),
        ("nothing", post_metrics(&client, &backend, ""), 400),
        ("too large", post_metrics(&client, &backend, large).header("Content-Encoding", "gzip"), 413),
        ("wrong method", client.get(&url), 405),
        ("logs", client.post(backend.url() + "/v1/logs").body(FOREIGN), 501),
    ] {
        assert_eq!(status_of(request).await, expected, "{name}");
    }
    assert_eq!(backend.store().counts("Metric").rows, 0);
}

#[tokio::test]
async fn faults_and_rates_meet_metrics_as_they_meet_events() {
    let settings = BackendSettings { requests_per_minute: Some(2), ..BackendSettings::default() };
    let backend = metrics_backend(settings).await;
    let client = client();
    backend.script(Api::Metrics, [Fault::status(503), Fault::AcceptThenCut]);
    assert_eq!(status_of(post_metrics(&client, &backend, FOREIGN)).await, 503);
    assert!(post_metrics(&client, &backend, FOREIGN).send().await.is_err());
    assert_eq!(backend.store().api(Api::Metrics).rows_unanswered, 5, "stored all the same");
    assert_eq!(status_of(post_metrics(&client, &backend, FOREIGN)).await, 200);
    let refused = post_metrics(&client, &backend, FOREIGN).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "59"));
}
