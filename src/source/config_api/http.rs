//! One HTTP client for all accounts and Regions.
//!
//! In: the SDK's configuration. Out: the same one with the HTTP client that the SDK would make, made once. What always holds:
//! nothing is sent. Without this each of some thousand clients would have connections and certificates of its own.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use aws_sdk_config::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_config::config::{ConfigBag, Intercept, RuntimeComponents, SharedHttpClient};
use aws_sdk_config::error::BoxError;

/// Looks at a request that is about to be written, keeps the HTTP client and ends the request.
#[derive(Debug, Clone, Default)]
struct Look(Arc<OnceLock<SharedHttpClient>>);

impl Intercept for Look {
    fn name(&self) -> &'static str {
        "Look"
    }

    fn read_before_serialization(
        &self,
        _request: &BeforeSerializationInterceptorContextRef<'_>,
        parts: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(client) = parts.http_client() {
            self.0.get_or_init(|| client);
        }
        Err("only a look: not to be sent".into())
    }
}

/// The configuration with an HTTP client that all who are made from it share.
pub(super) async fn shared(config: &SdkConfig) -> SdkConfig {
    if config.http_client().is_some() {
        return config.clone();
    }
    // The SDK gives its HTTP client only to those who look on while a request is made.
    let look = Look::default();
    let asked = aws_sdk_config::Client::new(config).describe_config_rules().customize().interceptor(look.clone());
    let unsent = asked.send().await;
    debug_assert!(unsent.is_err(), "the look ends the request");
    let mut shared = config.clone().into_builder();
    shared.set_http_client(look.0.get().cloned());
    shared.build()
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};

    use super::*;

    #[tokio::test]
    async fn the_http_client_is_found_without_sending_anything() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
            .build();
        let shared = shared(&config).await;
        assert!(shared.http_client().is_some(), "the SDK no longer shows it: every place would have a client of its own");
        let called = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
        assert!(called.is_err(), "something was sent");
    }
}
