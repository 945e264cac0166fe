//! Accounts of an organization, as AWS Organizations names them.
//!
//! In: a client. Out: a plain row for each account: name, state, path of its organizational unit, tags. What always holds: calls
//! come no faster than four a second in the long run, a refused one waits longer and is tried again; what one permission does not
//! allow is left out and told by its action, the rest is read; an answer that is cut short is never taken for the whole.
//!
//! The units are walked from the top down: one call for every 20 accounts, one for the root, two for each unit. Asking upwards
//! would take one call or more for each account. Tags take one call for each account: nothing gives them together. An
//! organization of 200 accounts in 15 units is 10 + 1 + 32 + 200 calls, about a minute.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::Tag;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::aws::{self, credentials};
use super::backoff::Backoff;
use crate::config::AccountTags;

/// Time between two calls in the long run. The API counts the calls of all the customer's tools together, and nothing here is in
/// a hurry.
const EVERY: Duration = Duration::from_millis(250);
/// Calls that may come at once after a rest.
const BURST: u32 = 4;
/// Tries of one call, with a growing delay between them.
const TRIES: u32 = 7;
/// Accounts and units on a page.
const PAGE: i32 = 20;
/// Most pages of one list: an organization of 10,000 accounts has 500.
const PAGES: usize = 2_000;

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// As AWS says: `ACTIVE`, `SUSPENDED`, …; empty when it does not.
    pub state: String,
    /// Names of its units from the top, `Workloads/Prod`; `Root` above all units; `None`: not known.
    pub organizational_unit: Option<String>,
    /// From its tags.
    pub environment: Option<String>,
    /// From its tags.
    pub owner: Option<String>,
}

impl Account {
    /// Whether it is closed, or about to be: nothing is asked about it.
    fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "SUSPENDED" | "PENDING_CLOSURE" | "CLOSED")
    }
}

/// Accounts, and what may not be read of them.
#[derive(Debug, Default)]
pub struct Found {
    /// By id.
    pub accounts: Vec<Account>,
    /// What is left out.
    pub missing: Vec<Missing>,
}

/// Something that the agent's role may not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The action, as `organizations:ListRoots`.
    pub action: &'static str,
    /// What is not known without it.
    pub without: &'static str,
    /// What AWS said.
    pub why: String,
}

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationsError {
    /// A person must mend it: a permission, the account of the role, credentials.
    #[error("{action} is refused: {why}")]
    Denied {
        /// The action, as `organizations:ListAccounts`.
        action: &'static str,
        /// What AWS said.
        why: String,
    },
    /// Time may mend it.
    #[error("{action} failed: {why}")]
    Passing {
        /// The action.
        action: &'static str,
        /// What AWS said, or what happened on the way.
        why: String,
    },
}

const LIST_ACCOUNTS: &str = "organizations:ListAccounts";
const LIST_ROOTS: &str = "organizations:ListRoots";
const LIST_UNITS: &str = "organizations:ListOrganizationalUnitsForParent";
const LIST_CHILDREN: &str = "organizations:ListAccountsForParent";
const LIST_TAGS: &str = "organizations:ListTagsForResource";

/// Reads an organization.
#[derive(Debug)]
pub struct Organizations {
    client: Client,
    /// When the next call is due.
    due: Mutex<Instant>,
}

impl Organizations {
    /// A reader with these credentials. Retries are its own: the SDK's would not know the pace.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let config = aws_sdk_organizations::config::Builder::from(config).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), due: Mutex::new(Instant::now()) }
    }

    /// Names, states and units of all accounts.
    ///
    /// # Errors
    /// [`OrganizationsError`], when not even the names can be read, or not all of what may be read.
    pub async fn accounts(&self) -> Result<Found, OrganizationsError> {
        let mut found = Found::default();
        let mut accounts: HashMap<String, Account> = HashMap::new();
        let listed = match self.list_accounts().await {
            Ok(listed) => {
                accounts.extend(listed.into_iter().map(|account| (account.id.clone(), account)));
                Ok(())
            }
            Err(OrganizationsError::Denied { action, why }) => Err((action, why)),
            Err(passing) => return Err(passing),
        };
        let units = match self.walk(&mut accounts).await {
            Ok(()) => Ok(()),
            Err(OrganizationsError::Denied { action, why }) => Err((action, why)),
            Err(passing) => return Err(passing),
        };
        if let Err((action, why)) = listed {
            if units.is_err() {
                return Err(OrganizationsError::Denied { action, why });
            }
            found.missing.push(Missing { action, without: "accounts that join meanwhile", why });
        }
        if let Err((action, why)) = units {
            // Half a walk would name the units of some and leave the others looking as if they had none.
            for account in accounts.values_mut() {
                account.organizational_unit = None;
            }
            found.missing.push(Missing { action, without: "organizational units of accounts", why });
        }
        found.accounts = accounts.into_values().collect();
        found.accounts.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// Fills in owners and environments from tags; an account that is over keeps what it has.
    ///
    /// # Errors
    /// [`OrganizationsError`]; what was filled in until then stays.
    pub async fn tags(&self, accounts: &mut [Account], keys: &AccountTags) -> Result<(), OrganizationsError> {
        for account in accounts.iter_mut().filter(|account| !account.is_over()) {
            let tags = self.tags_of(&account.id).await?;
            let first = |keys: &[String]| keys.iter().find_map(|key| tags.iter().find(|tag| tag.key == *key)).map(value_of);
            account.owner = first(&keys.owner);
            account.environment = first(&keys.environment);
        }
        Ok(())
    }

    async fn list_accounts(&self) -> Result<Vec<Account>, OrganizationsError> {
        let mut listed = Vec::new();
        let mut pages = Pages::new(LIST_ACCOUNTS);
        while pages.more()? {
            let asked = || self.client.list_accounts().max_results(PAGE).set_next_token(pages.token.clone()).send();
            let page = self.call(LIST_ACCOUNTS, asked).await?;
            listed.extend(page.accounts.unwrap_or_default().into_iter().filter_map(account));
            pages.after(page.next_token);
        }
        Ok(listed)
    }

    /// Notes the unit of every account, and accounts that were not known yet.
    async fn walk(&self, accounts: &mut HashMap<String, Account>) -> Result<(), OrganizationsError> {
        let mut open: Vec<(String, String)> = Vec::new();
        let mut pages = Pages::new(LIST_ROOTS);
        while pages.more()? {
            let page = self.call(LIST_ROOTS, || self.client.list_roots().set_next_token(pages.token.clone()).send()).await?;
            open.extend(page.roots.unwrap_or_default().into_iter().filter_map(|root| Some((root.id?, String::new()))));
            pages.after(page.next_token);
        }
        let mut met: HashSet<String> = HashSet::new();
        while let Some((parent, path)) = open.pop() {
            if !met.insert(parent.clone()) {
                continue;
            }
            for unit in self.units_of(&parent).await? {
                let (Some(id), Some(name)) = (unit.id, unit.name) else { continue };
                open.push((id, if path.is_empty() { name } else { format!("{path}/{name}") }));
            }
            let path = if path.is_empty() { "Root".to_owned() } else { path };
            for child in self.accounts_of(&parent).await? {
                let known = accounts.entry(child.id.clone()).or_insert(child);
                known.organizational_unit = Some(path.clone());
            }
        }
        Ok(())
    }

    async fn units_of(&self, parent: &str) -> Result<Vec<aws_sdk_organizations::types::OrganizationalUnit>, OrganizationsError> {
        let mut units = Vec::new();
        let mut pages = Pages::new(LIST_UNITS);
        while pages.more()? {
            let asked = || {
                let asked = self.client.list_organizational_units_for_parent().parent_id(parent);
                asked.max_results(PAGE).set_next_token(pages.token.clone()).send()
            };
            let page = self.call(LIST_UNITS, asked).await?;
            units.extend(page.organizational_units.unwrap_or_default());
            pages.after(page.next_token);
        }
        Ok(units)
    }

    async fn accounts_of(&self, parent: &str) -> Result<Vec<Account>, OrganizationsError> {
        let mut accounts = Vec::new();
        let mut pages = Pages::new(LIST_CHILDREN);
        while pages.more()? {
            let asked = || {
                let asked = self.client.list_accounts_for_parent().parent_id(parent);
                asked.max_results(PAGE).set_next_token(pages.token.clone()).send()
            };
            let page = self.call(LIST_CHILDREN, asked).await?;
            accounts.extend(page.accounts.unwrap_or_default().into_iter().filter_map(account));
            pages.after(page.next_token);
        }
        Ok(accounts)
    }

    async fn tags_of(&self, account: &str) -> Result<Vec<Tag>, OrganizationsError> {
        let mut tags = Vec::new();
        let mut pages = Pages::new(LIST_TAGS);
        while pages.more()? {
            let asked = || self.client.list_tags_for_resource().resource_id(account).set_next_token(pages.token.clone()).send();
            let page = self.call(LIST_TAGS, asked).await?;
            tags.extend(page.tags.unwrap_or_default());
            pages.after(page.next_token);
        }
        Ok(tags)
    }

    /// One call, in its turn, tried again while time may mend what is wrong.
    async fn call<T, E, F>(&self, action: &'static str, asked: impl Fn() -> F) -> Result<T, OrganizationsError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut backoff = Backoff::new();
        loop {
            self.turn().await;
            let error = match asked().await {
                Ok(answer) => return Ok(answer),
                Err(error) => fault(&error, action),
            };
            let may_mend = matches!(error, OrganizationsError::Passing { .. });
            if !may_mend || backoff.failures() + 1 >= TRIES {
                return Err(error);
            }
            sleep(backoff.next()).await;
        }
    }

    /// Waits until the pace allows another call.
    async fn turn(&self) {
        let at = {
            let mut due = self.due.lock().await;
            let now = Instant::now();
            let earliest = now.checked_sub(EVERY * (BURST - 1)).unwrap_or(now);
            let at = (*due).max(earliest);
            *due = at + EVERY;
            at
        };
        sleep_until(at).await;
    }
}

/// The pages of one list. A page may be empty and still have a next one.
struct Pages {
    action: &'static str,
    /// What the next page is asked for with; the first one with nothing.
    token: Option<String>,
    is_over: bool,
    asked: usize,
}

impl Pages {
    fn new(action: &'static str) -> Self {
        Self { action, token: None, is_over: false, asked: 0 }
    }

    /// Whether there is another page to ask for.
    fn more(&mut self) -> Result<bool, OrganizationsError> {
        if !self.is_over && self.asked >= PAGES {
            let why = format!("more than {PAGES} pages: the list does not end");
            return Err(OrganizationsError::Passing { action: self.action, why });
        }
        self.asked += 1;
        Ok(!self.is_over)
    }

    fn after(&mut self, token: Option<String>) {
        self.token = token.filter(|token| !token.is_empty());
        self.is_over = self.token.is_none();
    }
}

fn account(account: aws_sdk_organizations::types::Account) -> Option<Account> {
    // `Status` is being retired; older endpoints say nothing else.
    let state = account.state().map(|state| state.as_str().to_owned());
    let status = account.status().map(|status| status.as_str().to_owned());
    Some(Account { state: state.or(status).unwrap_or_default(), name: account.name, id: account.id?, ..Account::default() })
}

fn value_of(tag: &Tag) -> String {
    tag.value.clone()
}

fn fault<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>, action: &'static str) -> OrganizationsError {
    let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) else {
        return match credentials::none_found(error) {
            Some(why) => OrganizationsError::Denied { action, why },
            None => OrganizationsError::Passing { action, why: aws::root(error) },
        };
    };
    match code {
        code if aws::throttled(code) || code == "TooManyRequestsException" => {
            OrganizationsError::Passing { action, why: aws::said(error) }
        }
        // This account is in no organization, or not its management account or a delegated administrator.
        "AWSOrganizationsNotInUseException" => OrganizationsError::Denied { action, why: aws::said(error) },
        code if aws::denied(code) => OrganizationsError::Denied { action, why: aws::said(error) },
        _ => OrganizationsError::Passing { action, why: aws::said(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_come_in_their_pace() {
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("us-east-1"))
            .build();
        let reader = Organizations::new(&config);
        let began = Instant::now();
        for _ in 0..BURST {
            reader.turn().await;
        }
        assert!(began.elapsed() <= EVERY * BURST, "{:?}", began.elapsed());
        for _ in 0..40 {
            reader.turn().await;
        }
        assert!(began.elapsed() >= EVERY * 40, "{:?}", began.elapsed());
        sleep(Duration::from_mins(10)).await;
        let rested = Instant::now();
        for _ in 0..BURST {
            reader.turn().await;
        }
        assert_eq!(rested.elapsed(), Duration::ZERO, "a burst after a rest");
        reader.turn().await;
        assert!(rested.elapsed() >= EVERY, "and no more than that");
    }

    #[test]
    fn a_list_that_never_ends_is_given_up() {
        let mut pages = Pages::new(LIST_ACCOUNTS);
        let mut asked = 0;
        let error = loop {
            match pages.more() {
                Ok(true) => asked += 1,
                Ok(false) => panic!("it has more pages"),
                Err(error) => break error,
            }
            pages.after(Some("again".to_owned()));
        };
        assert_eq!(asked, PAGES);
        assert!(matches!(error, OrganizationsError::Passing { .. }), "{error}");
    }
}
