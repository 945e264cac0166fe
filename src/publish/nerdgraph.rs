//! One question to `NerdGraph`, New Relic's GraphQL API.
//!
//! In: a query with variables, a user key. Out: the `data` of the answer, or one of a few kinds of fault. What always holds:
//! an answer with HTTP 200 is looked into, because `NerdGraph` reports most faults beside it; the key is exposed only while
//! the header is written; an answer is read up to a bound. It does not try again: the caller knows how long it wants to.
//!
//! Facts: the error classes that pass (`TIMEOUT`, `INTERNAL_SERVER_ERROR`, `SERVER_ERROR`, `TOO_MANY_REQUESTS`), `BAD_API_KEY`
//! as the one that does not, and warnings beginning "This field is deprecated!" are those of New Relic's own Go client.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};

use crate::cause;
use crate::config::{NewRelic, Region};
use crate::secret::Secret;

/// Largest answer that is read, bytes: 5,000 rows of some kilobytes.
const ANSWER_BYTES: usize = 32 << 20;

/// `NerdGraph` of one region, with a key.
#[derive(Debug, Clone)]
pub struct NerdGraph {
    client: reqwest::Client,
    url: reqwest::Url,
    key: HeaderValue,
}

/// Why a question had no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NerdGraphError {
    /// Nothing can be asked with these settings.
    #[error("setting up NerdGraph: {0}")]
    Settings(String),
    /// No answer came.
    #[error("no answer from NerdGraph: {0}")]
    Unreachable(String),
    /// The key is no user key of this region.
    #[error("NerdGraph does not know the user key: {0}")]
    Key(String),
    /// The account must pay before it may ask.
    #[error("NerdGraph wants payment: {0}")]
    Payment(String),
    /// It may work in a moment.
    #[error("NerdGraph did not answer this time: {0}")]
    Passing(String),
    /// The answer is larger than is read.
    #[error("NerdGraph's answer is larger than {bytes} bytes")]
    TooLarge {
        /// Most that is read.
        bytes: usize,
    },
    /// It will not work: a wrong question, no such account, no right to it.
    #[error("NerdGraph refused: {message}")]
    Refused {
        /// `errorClass`, when one was given: `ACCESS_DENIED`, say.
        class: Option<String>,
        /// In New Relic's words.
        message: String,
    },
}

impl NerdGraphError {
    /// Whether asking again may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Passing(_) | Self::Unreachable(_))
    }
}

/// Base URL of `NerdGraph` in a region. [newrelic-client-go region constants, checked 2026-11]
#[must_use]
pub fn base_url(region: Region) -> &'static str {
    match region {
        Region::Us => "https://api.newrelic.com",
        Region::Eu => "https://api.eu.newrelic.com",
        Region::Jp => "https://api.jp.newrelic.com",
    }
}

impl NerdGraph {
    /// A client for the configured region.
    ///
    /// # Errors
    /// [`NerdGraphError::Settings`] when the settings cannot work at all.
    pub fn new(settings: &NewRelic, key: &Secret, timeout: Duration) -> Result<Self, NerdGraphError> {
        let base = settings.hosts.nerd_graph.as_deref().unwrap_or(base_url(settings.region)).trim_end_matches('/');
        let url = reqwest::Url::parse(&format!("{base}/graphql"))
            .map_err(|why| NerdGraphError::Settings(format!("\"{base}\" is not a URL: {why}")))?;
        let no_header = |_| NerdGraphError::Settings("the user key holds characters that no HTTP header may hold".to_owned());
        let mut key = HeaderValue::from_str(key.expose()).map_err(no_header)?;
        key.set_sensitive(true);
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(Duration::from_secs(5).min(timeout))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cspm-relay/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| NerdGraphError::Settings(fault(&error)))?;
        Ok(Self { client, url, key })
    }

    /// Asks, and gives the `data` of the answer.
    ///
    /// # Errors
    /// Every kind of [`NerdGraphError`] but `Settings`.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value, NerdGraphError> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let asked = self.client.post(self.url.clone()).header("Api-Key", self.key.clone());
        let asked = asked.header(CONTENT_TYPE, "application/json").body(body);
        let unreachable = |error: &reqwest::Error| NerdGraphError::Unreachable(fault(error));
        let mut response = asked.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if answer.len() + chunk.len() > ANSWER_BYTES {
                return Err(NerdGraphError::TooLarge { bytes: ANSWER_BYTES });
            }
            answer.extend_from_slice(&chunk);
        }
        read(status, &answer)
    }

    /// Runs NRQL on an account and gives the rows.
    ///
    /// # Errors
    /// As [`NerdGraph::ask`].
    pub async fn nrql(&self, account_id: u64, nrql: &str) -> Result<Vec<Map<String, Value>>, NerdGraphError> {
        let query = "query($id: Int!, $q: Nrql!) { actor { account(id: $id) { nrql(query: $q) { results } } } }";
        rows(&self.ask(query, json!({ "id": account_id, "q": nrql })).await?)
    }

    /// The same for a query that may take longer than the 5 s that New Relic gives it by default.
    ///
    /// # Errors
    /// As [`NerdGraph::ask`].
    pub async fn nrql_within(
        &self,
        account_id: u64,
        nrql: &str,
        seconds: u32,
    ) -> Result<Vec<Map<String, Value>>, NerdGraphError> {
        let query = "query($id: Int!, $q: Nrql!, $t: Seconds) { actor { account(id: $id) { nrql(query: $q, timeout: $t) { results } } } }";
        rows(&self.ask(query, json!({ "id": account_id, "q": nrql, "t": seconds })).await?)
    }
}

/// The rows in the answer to a query.
fn rows(data: &Value) -> Result<Vec<Map<String, Value>>, NerdGraphError> {
    let rows = data.pointer("/actor/account/nrql/results").and_then(Value::as_array);
    let none = || NerdGraphError::Refused { class: None, message: "the answer holds no results".to_owned() };
    Ok(rows.ok_or_else(none)?.iter().filter_map(|row| row.as_object().cloned()).collect())
}

/// A text in NRQL, in quotes.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Reads an answer: one table.
fn read(status: u16, body: &[u8]) -> Result<Value, NerdGraphError> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let errors = answer.as_ref().and_then(|answer| answer.get("errors")).and_then(Value::as_array);
    let errors = errors.into_iter().flatten().map(Fault::of).filter(|fault| !fault.is_warning());
    // The worst one decides: a key that is wrong is wrong again.
    let fault = errors.max_by_key(|fault| (fault.is_key(), !fault.passes()));
    let says = || fault.as_ref().map_or_else(|| format!("status {status}"), |fault| fault.message.clone());
    match (status, &fault) {
        (_, Some(fault)) if fault.is_key() => Err(NerdGraphError::Key(says())),
        (401 | 403, _) => Err(NerdGraphError::Key(says())),
        (402, _) => Err(NerdGraphError::Payment(says())),
        (408 | 429 | 500..=599, _) => Err(NerdGraphError::Passing(says())),
        (200, Some(fault)) if fault.passes() => Err(NerdGraphError::Passing(says())),
        (200, None) => match answer.and_then(|mut answer| answer.get_mut("data").map(Value::take)) {
            Some(data) if !data.is_null() => Ok(data),
            // A proxy's page, say.
            _ => Err(NerdGraphError::Refused { class: None, message: "the answer is not one of NerdGraph".to_owned() }),
        },
        (_, fault) => {
            let class = fault.as_ref().and_then(|fault| fault.class.clone());
            Err(NerdGraphError::Refused { class, message: says() })
        }
    }
}

/// One entry of `errors`.
struct Fault {
    message: String,
    class: Option<String>,
}

impl Fault {
    fn of(error: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let extensions = error.get("extensions");
        let class = text(extensions.and_then(|found| found.get("errorClass")));
        let code = text(extensions.and_then(|found| found.get("error_code")));
        let message = text(error.get("message")).unwrap_or_else(|| "a fault without a message".to_owned());
        Self { message: message.chars().take(300).collect(), class: code.or(class) }
    }

    fn is_warning(&self) -> bool {
        self.message.starts_with("This field is deprecated!")
    }

    fn is_key(&self) -> bool {
        self.class.as_deref() == Some("BAD_API_KEY")
    }

    fn passes(&self) -> bool {
        matches!(self.class.as_deref(), Some("TIMEOUT" | "INTERNAL_SERVER_ERROR" | "SERVER_ERROR" | "TOO_MANY_REQUESTS"))
    }
}

/// What went wrong with a connection. Never the URL, never a header.
fn fault(error: &reqwest::Error) -> String {
    if error.is_timeout() { "no answer in time".to_owned() } else { cause::innermost(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Hosts;

    #[test]
    fn every_answer_has_its_kind() {
        let error = |class: &str, name: &str| json!({ "message": "m", "extensions": { name: class } });
        let body = |errors: Vec<Value>| json!({ "data": { "x": 1 }, "errors": errors }).to_string();
        let refused = |class: Option<&str>, message: &str| {
            Err(NerdGraphError::Refused { class: class.map(str::to_owned), message: message.to_owned() })
        };
        let deprecated = json!({ "message": "This field is deprecated! Use another." });
        for (name, status, body, want) in [
            ("good", 200, json!({ "data": { "x": 1 } }).to_string(), Ok(json!({ "x": 1 }))),
            ("a warning", 200, body(vec![deprecated]), Ok(json!({ "x": 1 }))),
            ("a refusal under a 200", 200, body(vec![error("ACCESS_DENIED", "errorClass")]), refused(Some("ACCESS_DENIED"), "m")),
            ("time out under a 200", 200, body(vec![error("TIMEOUT", "errorClass")]), Err(NerdGraphError::Passing("m".into()))),
            (
                "too many under a 200",
                200,
                body(vec![error("TOO_MANY_REQUESTS", "errorClass")]),
                Err(NerdGraphError::Passing("m".into())),
            ),
            ("key under a 200", 200, body(vec![error("BAD_API_KEY", "error_code")]), Err(NerdGraphError::Key("m".into()))),
            (
                "a key and a time-out",
                200,
                body(vec![error("TIMEOUT", "errorClass"), error("BAD_API_KEY", "error_code")]),
                Err(NerdGraphError::Key("m".into())),
            ),
            ("key", 401, body(vec![error("BAD_API_KEY", "error_code")]), Err(NerdGraphError::Key("m".into()))),
            ("forbidden", 403, String::new(), Err(NerdGraphError::Key("status 403".into()))),
            ("payment", 402, String::new(), Err(NerdGraphError::Payment("status 402".into()))),
            ("too many", 429, String::new(), Err(NerdGraphError::Passing("status 429".into()))),
            ("down", 503, "<html>".into(), Err(NerdGraphError::Passing("status 503".into()))),
            ("a page", 200, "<html>".into(), refused(None, "the answer is not one of NerdGraph")),
            ("no data", 200, r#"{"data":null}"#.into(), refused(None, "the answer is not one of NerdGraph")),
            ("moved", 301, String::new(), refused(None, "status 301")),
        ] {
            assert_eq!(read(status, body.as_bytes()), want, "{name}");
        }
    }

    #[test]
    fn every_region_and_override_has_its_address_and_the_key_is_not_shown() {
        let secret = Secret::new("NRAK-KEY");
        for (region, host, want) in [
            (Region::Us, None, "https://api.newrelic.com/graphql"),
            (Region::Eu, None, "https://api.eu.newrelic.com/graphql"),
            (Region::Jp, None, "https://api.jp.newrelic.com/graphql"),
            (Region::Us, Some("http://127.0.0.1:1/"), "http://127.0.0.1:1/graphql"),
        ] {
            let hosts = Hosts { nerd_graph: host.map(str::to_owned), ..Hosts::default() };
            let settings = NewRelic { region, account_id: 7, license_key: Secret::new("k"), api_key: None, hosts };
            let made = NerdGraph::new(&settings, &secret, Duration::from_secs(1)).unwrap();
            assert_eq!(made.url.as_str(), want);
            assert!(!format!("{made:?}").contains("NRAK"));
        }
    }

    #[test]
    fn texts_cannot_leave_their_quotes() {
        assert_eq!(quoted(r"it's \"), r"'it\'s \\'");
    }
}
