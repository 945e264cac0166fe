//! Names of accounts from AWS Organizations → the enricher, as long as the agent runs.
//!
//! In: stages that are already at work. Out: better names for the objects to come. What always holds: nothing waits for it; what
//! the accounts file says wins; after a fault the last good names stay, and those of accounts that have left; what a missing
//! permission leaves unknown is said once, with the action to allow; until everything was read once, what is not named is awaited.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{self, AccountTags, Config, SourceKind};
use crate::enrich::{AccountNames, AccountRow};
use crate::pipeline::worker::Stages;
use crate::source::aws;
use crate::source::organizations::{Account, Missing, Organizations, OrganizationsError};

/// Time between two readings.
const EVERY: Duration = Duration::from_hours(1);
/// The same after a fault that time may mend.
const AGAIN: Duration = Duration::from_mins(5);

/// Reads names again and again; never ends.
pub(super) async fn follow(stages: Arc<Stages>, settings: config::Accounts, region: Option<String>) {
    let reader = Organizations::new(&aws::load(region.as_deref()).await);
    let mut names = Names::new(stages, settings.tags);
    loop {
        let wait = match names.read(&reader).await {
            Ok(()) => EVERY,
            Err(error) => names.failed(&error),
        };
        tokio::time::sleep(wait).await;
    }
}

/// A Region of the partition that the agent works in: that of its first source. AWS Organizations is one for a partition.
pub(super) fn region(config: &Config) -> Option<String> {
    let source = config.sources.first()?;
    match &source.kind {
        SourceKind::TrailBucket { region, .. } | SourceKind::EventQueue { region, .. } => region.clone(),
    }
}

/// What is known, and what was said about it.
struct Names {
    stages: Arc<Stages>,
    tags: AccountTags,
    /// What the file says.
    file: AccountNames,
    /// The last good reading.
    known: HashMap<String, Account>,
    /// Everything was read once, to its end.
    is_whole: bool,
    /// Actions whose absence was told.
    told: HashSet<&'static str>,
}

impl Names {
    fn new(stages: Arc<Stages>, tags: AccountTags) -> Self {
        let file = stages.enricher.now().accounts().clone();
        Self { stages, tags, file, known: HashMap::new(), is_whole: false, told: HashSet::new() }
    }

    /// One reading. Names are used as soon as they are known: tags take a call for each account.
    async fn read(&mut self, reader: &Organizations) -> Result<(), OrganizationsError> {
        let mut found = reader.accounts().await?;
        keep_known(&self.known, &mut found.accounts);
        self.publish(&found.accounts);
        let mut passing = None;
        if !self.tags.is_empty() {
            match reader.tags(&mut found.accounts, &self.tags).await {
                Ok(()) => {}
                Err(OrganizationsError::Denied { action, why }) => {
                    found.missing.push(Missing { action, without: "owners and environments from tags", why });
                }
                Err(error) => passing = Some(error),
            }
        }
        self.is_whole |= passing.is_none() && found.missing.is_empty();
        self.publish(&found.accounts);
        self.tell(&found.missing);
        passing.map_or(Ok(()), Err)
    }

    /// Exchanges the names that the stages use, if there are others.
    fn publish(&mut self, accounts: &[Account]) {
        self.known.extend(accounts.iter().map(|account| (account.id.clone(), account.clone())));
        let names = self.file.with(self.known.values().cloned().map(row).collect()).awaited(!self.is_whole);
        if names != *self.stages.enricher.now().accounts() {
            let count = names.len();
            self.stages.enricher.rename(names);
            tracing::info!(accounts = count, "New names of accounts, with those of AWS Organizations: {count} in all");
        }
    }

    /// Says what may not be read, once for each action until it may.
    fn tell(&mut self, missing: &[Missing]) {
        self.told.retain(|action| missing.iter().any(|missing| missing.action == *action));
        for Missing { action, without, why } in missing {
            if self.told.insert(action) {
                tracing::warn!(
                    action,
                    error = why,
                    "AWS Organizations refuses {action}, so {without} are not known: allow it to the agent's role, in the \
                     management account or a delegated administrator's, or name them in accounts.file"
                );
            }
        }
    }

    /// Says that nothing could be read, and when to try again.
    fn failed(&mut self, error: &OrganizationsError) -> Duration {
        match error {
            OrganizationsError::Denied { action, why } => {
                self.tell(&[Missing { action, without: "names of accounts", why: why.clone() }]);
                EVERY
            }
            OrganizationsError::Passing { .. } => {
                tracing::warn!(%error, "AWS Organizations was not read to its end; the names known so far stay");
                AGAIN
            }
        }
    }
}

/// What was known of accounts and is not said this time, or not yet.
fn keep_known(known: &HashMap<String, Account>, accounts: &mut [Account]) {
    for account in accounts {
        let Some(before) = known.get(&account.id) else { continue };
        for (part, before) in [
            (&mut account.owner, &before.owner),
            (&mut account.environment, &before.environment),
            (&mut account.organizational_unit, &before.organizational_unit),
        ] {
            if part.is_none() {
                part.clone_from(before);
            }
        }
    }
}

fn row(account: Account) -> AccountRow {
    let Account { id, name, organizational_unit, environment, owner, .. } = account;
    AccountRow { id, name, organizational_unit, environment, owner }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::assemble::{self, Manner};
    use crate::clock::Clock;
    use crate::secret::Secret;

    /// S2-20: until everything was read once, what is not named may still be told; afterwards nothing more is awaited.
    #[test]
    fn names_are_awaited_until_everything_was_read_once() {
        let config = Config::stand_in("http://127.0.0.1:9", 1, Secret::new("key"));
        let stages = assemble::stages(&config, Clock::fixed(0), Manner::default()).expect("stages");
        stages.enricher.rename(AccountNames::default().awaited(true));
        let mut names = Names::new(Arc::new(stages), AccountTags::default());
        let accounts = [Account { id: "111122223333".to_owned(), name: Some("prod".to_owned()), ..Account::default() }];
        let now = |names: &Names| {
            let enricher = names.stages.enricher.now();
            (enricher.account("111122223333").name.to_owned(), enricher.accounts().are_awaited())
        };
        names.publish(&accounts);
        assert_eq!(now(&names), ("prod".to_owned(), true), "the tags are missing");
        names.is_whole = true;
        names.publish(&accounts);
        assert_eq!(now(&names), ("prod".to_owned(), false));
    }

    #[test]
    fn what_was_known_stays_until_something_else_is_said() {
        let account = |unit: Option<&str>, owner: Option<&str>| Account {
            id: "111122223333".to_owned(),
            organizational_unit: unit.map(str::to_owned),
            owner: owner.map(str::to_owned),
            ..Account::default()
        };
        let known = HashMap::from([("111122223333".to_owned(), account(Some("Workloads"), Some("web")))]);
        for (found, unit, owner) in [
            (account(None, None), "Workloads", "web"),
            (account(Some("Sandbox"), None), "Sandbox", "web"),
            (account(Some("Sandbox"), Some("ada")), "Sandbox", "ada"),
        ] {
            let mut accounts = [found];
            keep_known(&known, &mut accounts);
            assert_eq!(accounts, [account(Some(unit), Some(owner))]);
        }
    }
}
