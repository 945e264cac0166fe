//! A second opinion on patterns: what ministack's `TestEventPattern` says.
//!
//! In: a pattern and an event, as texts. Out: whether it matches, or why the pattern is refused. It asks over HTTP as a client of
//! AWS does, with one connection for thousands of questions.

use serde_json::{Value, json};

use super::aws::emulator;
use super::bus::to_service;

/// An emulator that knows patterns.
#[derive(Debug)]
pub(crate) struct SecondOpinion {
    client: reqwest::Client,
    endpoint: String,
}

impl SecondOpinion {
    /// Ministack's; nothing, and a word about it, when it does not run. (moto does not know the call.)
    pub(crate) async fn new() -> Option<Self> {
        let endpoint = emulator("ministack").await?.endpoint;
        Some(Self { client: reqwest::Client::builder().no_proxy().build().expect("a client"), endpoint })
    }

    /// Whether the pattern matches the event; an error is the emulator's reason to refuse the pattern.
    pub(crate) async fn on(&self, pattern: &str, event: &Value) -> Result<bool, String> {
        let body = json!({ "EventPattern": pattern, "Event": event.to_string() });
        let request = to_service(&self.client, &self.endpoint, "events", "application/x-amz-json-1.1");
        let request = request.header("x-amz-target", "AWSEvents.TestEventPattern").body(body.to_string());
        let answer = request.send().await.expect("the emulator answers");
        let (status, text) = (answer.status(), answer.text().await.expect("an answer is text"));
        if status == reqwest::StatusCode::BAD_REQUEST && text.contains("InvalidEventPatternException") {
            return Err(text);
        }
        assert!(status.is_success(), "{status}: {text}");
        let answer: Value = serde_json::from_str(&text).expect("an answer is JSON");
        Ok(answer["Result"].as_bool().expect("an answer is yes or no"))
    }
}
