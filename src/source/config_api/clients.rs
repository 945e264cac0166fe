//! Clients of AWS Config, one for each account and Region that is being read.
//!
//! In: an account and Region. Out: a client with the agent's own credentials or those of a role in that account. What always
//! holds: all share one HTTP client; the Regions of an account share its credentials; who was not asked for a while is dropped, and
//! there are never more than [`MOST`] of either. The SDK tries once: to try again is the caller's, who counts.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_sdk_config::Client;
use aws_sdk_config::config::SharedCredentialsProvider;
use tokio::time::Instant;

use super::ConfigApiError;
use crate::config::Role;
use crate::record::AccountRegion;
use crate::record::trail::is_account_id;
use crate::secret::Secret;

/// Most clients, and most accounts with credentials, that are held at once.
const MOST: usize = 512;
/// Who was not asked for this long is dropped.
const IDLE: Duration = Duration::from_mins(10);
/// Credentials are fetched anew so long before they expire, less a part by chance: many accounts do not ask in one second.
const AHEAD: Duration = Duration::from_mins(5);
/// What the accounts' own trails call the agent's sessions.
const SESSION: &str = "cspm-relay";

/// What the agent may do where, and how fast.
#[derive(Debug, Clone)]
pub struct Access {
    /// The account that the agent's own credentials are of.
    pub own_account: Box<str>,
    /// The role that it takes in every other account.
    pub role: Option<Role>,
    /// What those who trust the role ask for.
    pub external_id: Option<Secret>,
    /// Requests a second to one account and Region.
    pub per_second: f64,
}

/// The clients.
#[derive(Debug)]
pub(in crate::source) struct Clients {
    base: SdkConfig,
    access: Access,
    places: Mutex<HashMap<AccountRegion, Held<Client>>>,
    accounts: Mutex<HashMap<Box<str>, Held<SdkConfig>>>,
}

#[derive(Debug)]
struct Held<T> {
    it: T,
    asked: Instant,
}

impl Clients {
    /// `base`: the agent's own credentials and its endpoints, as AWS tools take them; its Region is where roles are taken.
    pub(in crate::source) async fn new(base: &SdkConfig, access: Access) -> Self {
        Self { base: super::http::shared(base).await, access, places: Mutex::default(), accounts: Mutex::default() }
    }

    /// The client of a place. Touches no network.
    pub(super) async fn of(&self, place: &AccountRegion) -> Result<Client, ConfigApiError> {
        let account = self.account(place).await?;
        if let Some(client) = held(&self.places, place) {
            return Ok(client);
        }
        let here = account.into_builder().region(Region::new(place.region.to_string())).build();
        let once = aws_sdk_config::config::Builder::from(&here).retry_config(RetryConfig::disabled()).build();
        Ok(hold(&self.places, place, Client::from_conf(once)))
    }

    /// The role taken in a place; `None`: it is the agent's own account.
    pub(in crate::source) fn role_in(&self, place: &AccountRegion) -> Option<String> {
        let role = self.access.role.as_ref().filter(|_| place.account != self.access.own_account)?;
        Some(role.arn(&place.account, &place.region))
    }

    /// The configuration of an account: its credentials, kept once for all its Regions.
    pub(in crate::source) async fn account(&self, place: &AccountRegion) -> Result<SdkConfig, ConfigApiError> {
        if let Some(config) = held(&self.accounts, &place.account) {
            return Ok(config);
        }
        let own = place.account == self.access.own_account;
        if !is_account_id(&place.account) {
            return Err(ConfigApiError::Refused { why: format!("`{}` is no account id: twelve digits", place.account) });
        }
        let cache = IdentityCache::lazy().buffer_time(AHEAD).build();
        let config = self.base.clone().into_builder().identity_cache(cache);
        let config = match (&self.access.role, self.role_in(place)) {
            (Some(_), Some(arn)) => {
                // Where the base is: the Regional endpoint of STS, whose tokens every Region takes that is enabled.
                let mut taking = AssumeRoleProvider::builder(arn).session_name(SESSION).configure(&self.base);
                if let Some(id) = &self.access.external_id {
                    taking = taking.external_id(id.expose());
                }
                config.credentials_provider(SharedCredentialsProvider::new(taking.build().await))
            }
            _ if own => config,
            _ => {
                return Err(ConfigApiError::Denied {
                    why: format!("account {} is not the agent's own ({})", place.account, self.access.own_account),
                    missing: "a role that the agent takes there".to_owned(),
                });
            }
        };
        Ok(hold(&self.accounts, &place.account, config.build()))
    }
}

fn held<K: Hash + Eq, T: Clone>(all: &Mutex<HashMap<K, Held<T>>>, key: &K) -> Option<T> {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    let held = all.get_mut(key)?;
    held.asked = Instant::now();
    Some(held.it.clone())
}

/// Keeps one more, after dropping those that nobody asks any more. Who came first with the same key stays.
fn hold<K: Hash + Eq + Clone, T: Clone>(all: &Mutex<HashMap<K, Held<T>>>, key: &K, it: T) -> T {
    let now = Instant::now();
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|_, held| now.duration_since(held.asked) < IDLE);
    if all.len() >= MOST
        && let Some(oldest) = all.iter().min_by_key(|(_, held)| held.asked).map(|(key, _)| key.clone())
    {
        all.remove(&oldest);
    }
    all.entry(key.clone()).or_insert(Held { it, asked: now }).it.clone()
}

#[cfg(test)]
mod tests {
    use aws_config::BehaviorVersion;

    use super::*;

    async fn clients(role: Option<Role>) -> Clients {
        let credentials = aws_sdk_config::config::Credentials::new("test", "test", None, None, "tests");
        let loader = aws_config::defaults(BehaviorVersion::latest()).region("eu-west-1").credentials_provider(credentials);
        let base = loader.load().await;
        let access = Access { own_account: "111122223333".into(), role, external_id: None, per_second: 2.0 };
        Clients::new(&base, access).await
    }

    fn counts(clients: &Clients) -> (usize, usize) {
        (clients.places.lock().unwrap().len(), clients.accounts.lock().unwrap().len())
    }

    #[tokio::test(start_paused = true)]
    async fn regions_of_an_account_share_its_credentials_and_the_idle_are_dropped() {
        let clients = clients(Role::parse("reader")).await;
        for (account, region) in [("444455556666", "eu-west-1"), ("444455556666", "us-east-1"), ("111122223333", "eu-west-1")] {
            let client = clients.of(&AccountRegion::new(account, region)).await.unwrap();
            assert_eq!(client.config().region().map(AsRef::as_ref), Some(region));
            assert_eq!(client.config().retry_config().map(RetryConfig::max_attempts), Some(1), "tries are counted elsewhere");
        }
        assert_eq!(counts(&clients), (3, 2));
        tokio::time::sleep(IDLE).await;
        let kept = AccountRegion::new("777788889999", "eu-west-1");
        clients.of(&kept).await.unwrap();
        assert_eq!(counts(&clients), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_than_so_many() {
        let clients = clients(Role::parse("reader")).await;
        for account in 0..MOST + 20 {
            clients.of(&AccountRegion::new(&format!("{account:012}"), "eu-west-1")).await.unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(counts(&clients), (MOST, MOST));
        assert!(
            clients.places.lock().unwrap().contains_key(&AccountRegion::new("000000000531", "eu-west-1")),
            "the newest stays"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn another_account_needs_a_role() {
        let clients = clients(None).await;
        let error = clients.of(&AccountRegion::new("444455556666", "eu-west-1")).await.unwrap_err();
        let expected = "account 444455556666 is not the agent's own (111122223333); missing: a role that the agent takes there";
        assert_eq!(error.to_string(), expected);
        let error = clients.of(&AccountRegion::new("4444", "eu-west-1")).await.unwrap_err();
        assert_eq!(error, ConfigApiError::Refused { why: "`4444` is no account id: twelve digits".to_owned() });
    }
}
