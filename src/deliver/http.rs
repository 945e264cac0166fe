//! One POST to New Relic.
//!
//! In: a packed body. Out: an [`Answer`]; a connection fault is a [`Answer::Retry`] like a 503. The key is exposed only while
//! the header is written. HTTP/1.1 with keep-alive, as the Event API page advises: a cut connection then concerns one batch.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::answer::{self, Answer};
use crate::cause;
use crate::config::{NewRelic, Region};
use crate::encode::Lane;

/// Beginning of an answer that is read, bytes: room for a collector's whole answer with all that it says in it.
const ANSWER_BYTES: usize = 64 << 10;

/// New Relic's ingest addresses.
#[derive(Debug, Clone)]
pub struct Endpoint {
    client: reqwest::Client,
    events: reqwest::Url,
    logs: reqwest::Url,
    metrics: reqwest::Url,
    key: HeaderValue,
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// A base URL that is none.
    #[error("New Relic address \"{url}\" is not a URL: {why}")]
    Url {
        /// As configured.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// A key with characters no header may hold.
    #[error("the licence key holds characters that no HTTP header may hold")]
    Key,
    /// TLS set-up failed, usually because there are no CA certificates.
    #[error("setting up TLS: {0} (an image without CA certificates? copy ca-certificates.crt to /etc/ssl/certs)")]
    Client(#[source] reqwest::Error),
}

/// Base URL of an API in a region. [newrelic-client-go region constants; the networks page, checked 2026-11]
#[must_use]
pub fn base_url(region: Region, lane: Lane) -> &'static str {
    match (region, lane) {
        (Region::Us, Lane::Events) => "https://insights-collector.newrelic.com",
        (Region::Us, Lane::Logs) => "https://log-api.newrelic.com",
        (Region::Eu, Lane::Events) => "https://insights-collector.eu01.nr-data.net",
        (Region::Eu, Lane::Logs) => "https://log-api.eu.newrelic.com",
        (Region::Jp, Lane::Events) => "https://insights-collector.jp.nr-data.net",
        // X6: New Relic's two Lambdas disagree; its Go client and most others use this one.
        (Region::Jp, Lane::Logs) => "https://log-api.jp.nr-data.net",
        (Region::Us, Lane::Metrics) => "https://otlp.nr-data.net",
        (Region::Eu, Lane::Metrics) => "https://otlp.eu01.nr-data.net",
        (Region::Jp, Lane::Metrics) => "https://otlp.jp.nr-data.net",
    }
}

impl Endpoint {
    /// A client for the configured account.
    ///
    /// # Errors
    /// [`EndpointError`] when the settings cannot work at all.
    pub fn new(settings: &NewRelic, request_timeout: Duration) -> Result<Self, EndpointError> {
        let url = |base: Option<&String>, lane: Lane, path: String| {
            let base = base.map_or(base_url(settings.region, lane), String::as_str).trim_end_matches('/');
            let url = format!("{base}{path}");
            reqwest::Url::parse(&url).map_err(|why| EndpointError::Url { url, why: why.to_string() })
        };
        let mut key = HeaderValue::from_str(settings.license_key.expose()).map_err(|_| EndpointError::Key)?;
        key.set_sensitive(true);
        let client = reqwest::Client::builder()
            .http1_only()
            .timeout(request_timeout)
            .connect_timeout(Duration::from_secs(5).min(request_timeout))
            .pool_idle_timeout(Duration::from_secs(50))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("cspm-relay/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self {
            client,
            events: url(settings.hosts.events.as_ref(), Lane::Events, format!("/v1/accounts/{}/events", settings.account_id))?,
            logs: url(settings.hosts.logs.as_ref(), Lane::Logs, "/log/v1".to_owned())?,
            metrics: url(settings.hosts.otlp.as_ref(), Lane::Metrics, "/v1/metrics".to_owned())?,
            key,
        })
    }

    /// Sends one body.
    pub async fn post(&self, lane: Lane, body: Bytes) -> Reply {
        let url = match lane {
            Lane::Events => &self.events,
            Lane::Logs => &self.logs,
            Lane::Metrics => &self.metrics,
        };
        let request = self
            .client
            .post(url.clone())
            .header("Api-Key", self.key.clone())
            .header(CONTENT_TYPE, lane.content_type())
            .header(CONTENT_ENCODING, "gzip")
            .body(body);
        match request.send().await {
            Err(error) => self.unheard(&error, None),
            Ok(mut response) => {
                let status = response.status().as_u16();
                let after = retry_after(response.headers());
                let mut head = Vec::new();
                // The answer counts only whole: a cut body is a cut connection.
                loop {
                    match response.chunk().await {
                        Ok(Some(chunk)) if head.len() < ANSWER_BYTES => head.extend_from_slice(&chunk),
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(error) => return self.unheard(&error, Some(status)),
                    }
                }
                head.truncate(ANSWER_BYTES);
                let answer = answer::read(lane, status, after, &head);
                let is_in_doubt = answer::is_in_doubt(&answer, Some(status));
                Reply { answer, status: Some(status), said: self.said(&head), is_too_slow: status == 408, is_in_doubt }
            }
        }
    }

    /// The beginning of an answer, for a person. A proxy may send back what it was sent, the key included.
    fn said(&self, head: &[u8]) -> String {
        let said = String::from_utf8_lossy(head);
        let said = match self.key.to_str() {
            Ok(key) if !key.is_empty() => said.replace(key, "****"),
            _ => said.into_owned(),
        };
        said.chars().take(200).collect()
    }

    /// No answer, or half of one.
    fn unheard(&self, error: &reqwest::Error, status: Option<u16>) -> Reply {
        let is_too_slow = error.is_timeout() && !error.is_connect();
        let said = self.said(fault(error).as_bytes());
        // Who was never connected to cannot have taken anything.
        Reply { answer: Answer::Retry { after: None }, status, said, is_too_slow, is_in_doubt: !error.is_connect() }
    }
}

/// A way to send one body and hear the answer. Two implementations: [`Endpoint`], and the scripted one of the sender's tests.
pub trait Post: Sync {
    /// Sends one body.
    fn post(&self, lane: Lane, body: Bytes) -> impl Future<Output = Reply> + Send;
}

impl Post for Endpoint {
    async fn post(&self, lane: Lane, body: Bytes) -> Reply {
        Self::post(self, lane, body).await
    }
}

/// An answer, and what to write into the agent's log about it.
#[derive(Debug)]
pub struct Reply {
    /// What to do.
    pub answer: Answer,
    /// HTTP status; `None`: no answer came.
    pub status: Option<u16>,
    /// The beginning of the answer's body, or what went wrong on the way. Never the key.
    pub said: String,
    /// Time ran out, there or here, once they were connected: a smaller body may do.
    pub is_too_slow: bool,
    /// It may have been taken, though the answer does not say so, or none came.
    pub is_in_doubt: bool,
}

/// What went wrong with a connection.
fn fault(error: &reqwest::Error) -> String {
    if error.is_timeout() { "no answer in time".to_owned() } else { cause::innermost(error) }
}

/// `Retry-After` in seconds, or as a date (not seen from New Relic, so a date means: use our own back-off). So does "at once":
/// whoever says that for ever is not asked without end.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Hosts;
    use crate::secret::Secret;

    fn settings(region: Region, hosts: Hosts) -> NewRelic {
        NewRelic { region, account_id: 7, license_key: Secret::new("k"), api_key: None, hosts }
    }

    #[test]
    fn every_region_and_override_has_its_address() {
        for (region, hosts, events, logs, metrics) in [
            (
                Region::Us,
                Hosts::default(),
                "https://insights-collector.newrelic.com/v1/accounts/7/events",
                "https://log-api.newrelic.com/log/v1",
                "https://otlp.nr-data.net/v1/metrics",
            ),
            (
                Region::Eu,
                Hosts::default(),
                "https://insights-collector.eu01.nr-data.net/v1/accounts/7/events",
                "https://log-api.eu.newrelic.com/log/v1",
                "https://otlp.eu01.nr-data.net/v1/metrics",
            ),
            (
                Region::Jp,
                Hosts::default(),
                "https://insights-collector.jp.nr-data.net/v1/accounts/7/events",
                "https://log-api.jp.nr-data.net/log/v1",
                "https://otlp.jp.nr-data.net/v1/metrics",
            ),
            (
                Region::Jp,
                Hosts {
                    events: Some("http://127.0.0.1:1/".into()),
                    logs: Some("http://127.0.0.1:2".into()),
                    otlp: Some("http://127.0.0.1:3".into()),
                    nerd_graph: None,
                },
                "http://127.0.0.1:1/v1/accounts/7/events",
                "http://127.0.0.1:2/log/v1",
                "http://127.0.0.1:3/v1/metrics",
            ),
        ] {
            let endpoint = Endpoint::new(&settings(region, hosts), Duration::from_secs(1)).unwrap();
            let urls = [&endpoint.events, &endpoint.logs, &endpoint.metrics].map(reqwest::Url::as_str);
            assert_eq!(urls, [events, logs, metrics]);
        }
    }

    /// A proxy that sends back what it was sent must not put the key into a log or a letter.
    #[test]
    fn what_an_answer_says_never_holds_the_key() {
        let mut secret = settings(Region::Us, Hosts::default());
        secret.license_key = Secret::new("0123456789abcdef0123456789abcdef0123NRAL");
        let endpoint = Endpoint::new(&secret, Duration::from_secs(1)).unwrap();
        let echo = format!("{}Api-Key: 0123456789abcdef0123456789abcdef0123NRAL\r\n{}", "x".repeat(180), "y".repeat(500));
        let said = endpoint.said(echo.as_bytes());
        assert!(said.len() <= 200 && said.contains("Api-Key: ****"), "{said}");
    }

    #[test]
    fn a_delay_is_a_number_of_seconds_above_zero() {
        for (says, want) in [
            ("29", Some(29)),
            (" 1 ", Some(1)),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(says))]);
            assert_eq!(retry_after(&headers), want.map(Duration::from_secs), "{says}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn what_cannot_work_is_said_at_start_and_the_key_never() {
        let bad = Hosts { events: Some("nonsense".into()), ..Hosts::default() };
        let error = Endpoint::new(&settings(Region::Us, bad), Duration::from_secs(1)).unwrap_err();
        assert!(error.to_string().contains("nonsense/v1/accounts/7/events"), "{error}");
        let mut secret = settings(Region::Us, Hosts::default());
        secret.license_key = Secret::new("abc\u{7f}def");
        assert!(!format!("{}", Endpoint::new(&secret, Duration::from_secs(1)).unwrap_err()).contains("abc"));
        let endpoint = Endpoint::new(&settings(Region::Us, Hosts::default()), Duration::from_secs(1)).unwrap();
        assert!(!format!("{endpoint:?}").contains("\"k\""));
    }
}
