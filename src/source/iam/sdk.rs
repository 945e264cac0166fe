//! The AWS SDK behind [`IamApi`].
//!
//! In: the SDK's configuration, a role, a rate. Out: answers, whole or an error. What always holds: each request waits for its
//! turn, the repeated ones too; passing faults are tried again with growing delays; a report or job that does not become
//! ready is given up after a bounded time; a marker that comes back unchanged is a fault and no endless loop. Credentials, rate and
//! its halving are those of AWS Config's reader; the SDK itself tries once.
//!
//! Of memory it takes one page: 100 entries with their documents, below 1 MB as a rule and 10 MB where every quota is used up; and
//! once an account the text of the report, some 350 bytes for each user.

use std::error::Error;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_iam::Client;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::types::{EntityType, JobStatusType, ReportStateType};
use futures_util::future::BoxFuture;

use super::faults::judge;
use super::{Each, IamApi, IamError, Which, facts, report};
use crate::record::AccountRegion;
use crate::record::identity::{Credentials, Detail, ServiceUse};
use crate::source::config_api::ask::ask;
use crate::source::config_api::clients::{Access, Clients};
use crate::source::config_api::rate::Rates;

/// Most pages of one answer: more than any quota of AWS's lets there be, and an end for markers that go round.
const PAGES: usize = 10_000;
/// Entries on a page: each brings its documents, and up to a thousand of them would be too many to hold.
const PAGE: i32 = 100;
/// Services on a page of an answer that holds no documents: the largest allowed.
const SERVICES_PAGE: i32 = 1_000;
/// Time between two looks at a report or a job that is being made.
const LOOK: Duration = Duration::from_secs(2);
/// Looks before it is given up: two minutes. AWS makes the report of some thousand users in seconds.
const LOOKS: usize = 60;

const GENERATE_REPORT: &str = "iam:GenerateCredentialReport";
const GET_REPORT: &str = "iam:GetCredentialReport";
const GET_DETAILS: &str = "iam:GetAccountAuthorizationDetails";
const GENERATE_SERVICES: &str = "iam:GenerateServiceLastAccessedDetails";
const GET_SERVICES: &str = "iam:GetServiceLastAccessedDetails";

/// What every inventory asks.
pub const ACTIONS: [&str; 3] = [GENERATE_REPORT, GET_REPORT, GET_DETAILS];
/// What it asks beside that for services that were used.
pub const SERVICE_ACTIONS: [&str; 2] = [GENERATE_SERVICES, GET_SERVICES];

/// Where the IAM of a partition is, by the beginning of its Regions' names. [AWS SDK endpoint rules, checked 2026-11]
const HOMES: [(&str, &str); 2] = [("cn-", "cn-north-1"), ("us-gov-", "us-gov-west-1")];
/// Partitions whose IAM the SDK finds from any of their Regions.
const OTHERS: [&str; 3] = ["us-iso", "eu-isoe-", "eusc-"];

/// IAM, asked through the SDK.
#[derive(Debug)]
pub struct SdkIam {
    clients: Clients,
    rates: Rates,
    region: Box<str>,
}

impl SdkIam {
    /// IAM with these credentials and endpoints, in the accounts and at the rate of `access`; its partition is that of `home`.
    pub async fn new(base: &SdkConfig, access: Access, home: &str) -> Self {
        let rates = Rates::new(access.per_second);
        Self { clients: Clients::new(base, access).await, rates, region: region_of(home).into() }
    }

    fn place(&self, account: &str) -> AccountRegion {
        AccountRegion::new(account, &self.region)
    }

    /// A client of an account. It fetches its credentials anew by itself.
    async fn client(&self, place: &AccountRegion) -> Result<Client, IamError> {
        let account = self.clients.account(place).await?;
        let here = account.into_builder().region(Region::new(place.region.to_string())).build();
        let once = aws_sdk_iam::config::Builder::from(&here).retry_config(RetryConfig::disabled()).build();
        Ok(Client::from_conf(once))
    }

    /// One request, when its turn comes, and again while its fault may pass.
    async fn ask<T, E, F>(&self, place: &AccountRegion, action: &'static str, send: impl Fn() -> F + Sync) -> Result<T, IamError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
        T: Send,
    {
        let role = self.clients.role_in(place);
        let judge = |error: &SdkError<E, HttpResponse>| judge(error, action, role.as_deref());
        ask(&self.rates.of(place), (place, action), send, judge, |why| IamError::Passing { why }).await
    }

    async fn read_report(&self, account: &str) -> Result<Vec<Credentials>, IamError> {
        let place = self.place(account);
        let client = self.client(&place).await?;
        let mut state = "not made".to_owned();
        for _ in 0..LOOKS {
            let made = self.ask(&place, GENERATE_REPORT, || client.generate_credential_report().send()).await?;
            if made.state == Some(ReportStateType::Complete) {
                match self.ask(&place, GET_REPORT, || client.get_credential_report().send()).await {
                    Ok(answer) => {
                        let content = answer.content.map(aws_sdk_iam::primitives::Blob::into_inner).unwrap_or_default();
                        return report::read(&content).map_err(|why| IamError::Refused { why });
                    }
                    // Not there, being made or too old by now: it is made anew.
                    Err(IamError::Gone { why }) => state = why,
                    Err(error) => return Err(error),
                }
            } else {
                state = made.state.map_or_else(|| "without a state".to_owned(), |state| state.as_str().to_owned());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(IamError::Passing { why: format!("{GENERATE_REPORT}: the report is not there after {LOOKS} looks: {state}") })
    }

    async fn read_details(&self, account: &str, which: Which, each: Each<'_, Detail>) -> Result<(), IamError> {
        let place = self.place(account);
        let client = self.client(&place).await?;
        let filter = match which {
            Which::Policies => vec![EntityType::LocalManagedPolicy, EntityType::Group],
            Which::Principals => vec![EntityType::User, EntityType::Role],
        };
        let mut marker = Marker::default();
        while marker.more(GET_DETAILS)? {
            let page = self
                .ask(&place, GET_DETAILS, || {
                    let asked = client.get_account_authorization_details().set_filter(Some(filter.clone()));
                    asked.max_items(PAGE).set_marker(marker.next.clone()).send()
                })
                .await?;
            marker.after(GET_DETAILS, page.is_truncated, page.marker)?;
            let policies = page.policies.unwrap_or_default().into_iter().filter_map(facts::policy);
            let groups = page.group_detail_list.unwrap_or_default().into_iter().filter_map(facts::group);
            let users = page.user_detail_list.unwrap_or_default().into_iter().filter_map(facts::user);
            let roles = page.role_detail_list.unwrap_or_default().into_iter().filter_map(facts::role);
            let found: Vec<Detail> = match which {
                Which::Policies => policies.chain(groups).collect(),
                Which::Principals => users.chain(roles).collect(),
            };
            if !found.is_empty() {
                each(found);
            }
        }
        Ok(())
    }

    async fn read_services(&self, account: &str, arn: &str) -> Result<ServiceUse, IamError> {
        let place = self.place(account);
        let client = self.client(&place).await?;
        let job = self
            .ask(&place, GENERATE_SERVICES, || client.generate_service_last_accessed_details().arn(arn).send())
            .await?
            .job_id
            .ok_or_else(|| IamError::Refused { why: format!("{GENERATE_SERVICES}: an answer without a job") })?;
        let mut marker = Marker::default();
        let mut found = ServiceUse { granted: 0, used: 0 };
        let mut looks = 0;
        while marker.more(GET_SERVICES)? {
            let page = self
                .ask(&place, GET_SERVICES, || {
                    let asked = client.get_service_last_accessed_details().job_id(&job).max_items(SERVICES_PAGE);
                    asked.set_marker(marker.next.clone()).send()
                })
                .await?;
            match page.job_status {
                JobStatusType::Completed => {}
                JobStatusType::InProgress if looks < LOOKS => {
                    looks += 1;
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                status => {
                    let why = page.error.map_or_else(String::new, |error| format!(": {}: {}", error.code, error.message));
                    return Err(IamError::Refused { why: format!("{GET_SERVICES}: the job is {}{why}", status.as_str()) });
                }
            }
            found.granted += page.services_last_accessed.len() as u64;
            let used = page.services_last_accessed.iter().filter(|service| service.last_authenticated.is_some());
            found.used += used.count() as u64;
            marker.after(GET_SERVICES, page.is_truncated, page.marker)?;
        }
        Ok(found)
    }
}

/// The pages of one answer.
#[derive(Debug, Default)]
struct Marker {
    next: Option<String>,
    is_over: bool,
    pages: usize,
}

impl Marker {
    /// Whether there is another page to ask for.
    fn more(&self, action: &str) -> Result<bool, IamError> {
        if !self.is_over && self.pages >= PAGES {
            return Err(IamError::Passing { why: format!("{action}: no end after {PAGES} pages") });
        }
        Ok(!self.is_over)
    }

    /// A page was read.
    fn after(&mut self, action: &str, is_truncated: bool, next: Option<String>) -> Result<(), IamError> {
        self.pages += 1;
        let next = next.filter(|next| !next.is_empty());
        match (is_truncated, next) {
            (false, _) => self.is_over = true,
            (true, None) => {
                return Err(IamError::Passing { why: format!("{action}: there is more, and no marker to ask for it") });
            }
            (true, next) if next == self.next => {
                return Err(IamError::Passing { why: format!("{action}: the next page has the marker of this one") });
            }
            (true, next) => self.next = next,
        }
        Ok(())
    }
}

/// The Region that stands for the IAM of a partition, from any of its Regions.
fn region_of(home: &str) -> &str {
    if OTHERS.iter().any(|prefix| home.starts_with(prefix)) {
        return home;
    }
    HOMES.iter().find(|(prefix, _)| home.starts_with(prefix)).map_or("us-east-1", |(_, region)| region)
}

impl IamApi for SdkIam {
    fn report<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Vec<Credentials>, IamError>> {
        Box::pin(self.read_report(account))
    }

    fn details<'a>(&'a self, account: &'a str, which: Which, each: Each<'a, Detail>) -> BoxFuture<'a, Result<(), IamError>> {
        Box::pin(self.read_details(account, which, each))
    }

    fn services<'a>(&'a self, account: &'a str, arn: &'a str) -> BoxFuture<'a, Result<ServiceUse, IamError>> {
        Box::pin(self.read_services(account, arn))
    }

    fn calls(&self) -> u64 {
        self.rates.calls().iter().map(|(_, calls)| calls.calls).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_has_one_place_for_iam() {
        for (home, region) in [
            ("eu-west-1", "us-east-1"),
            ("us-east-1", "us-east-1"),
            ("cn-northwest-1", "cn-north-1"),
            ("us-gov-east-1", "us-gov-west-1"),
            ("us-iso-west-1", "us-iso-west-1"),
            ("us-isob-east-1", "us-isob-east-1"),
            ("eusc-de-east-1", "eusc-de-east-1"),
        ] {
            assert_eq!(region_of(home), region, "{home}");
        }
    }

    #[test]
    fn pages_end_or_are_given_up() {
        let mut marker = Marker::default();
        assert_eq!(marker.after("a", true, Some("x".to_owned())), Ok(()));
        assert!(marker.more("a").is_ok_and(|more| more));
        assert!(marker.after("a", true, Some("x".to_owned())).is_err(), "the same again");
        assert!(marker.after("a", true, None).is_err() && marker.after("a", true, Some(String::new())).is_err());
        // A marker of the last page is not asked for.
        assert_eq!(marker.after("a", false, Some("y".to_owned())), Ok(()));
        assert_eq!(marker.more("a"), Ok(false));
        let mut endless = Marker::default();
        for page in 0..PAGES {
            assert_eq!(endless.after("a", true, Some(page.to_string())), Ok(()));
        }
        assert!(endless.more("a").is_err());
    }
}
