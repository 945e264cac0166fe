//! Names of accounts from AWS Organizations → the enricher: as long as the agent runs, or once before a command sends what is past.
//!
//! In: stages, at work or not yet. Out: better names for the objects to come. What always holds: what the accounts file says wins;
//! nothing waits but where an exception, a severity of findings or the watch list asks for what only AWS Organizations tells, and
//! of the agent for so long as [`PATIENCE`] says; after a fault the last good names stay, and those of accounts that have left;
//! what a missing permission leaves unknown is said once, with the action to allow; until everything was read once, what is not
//! named is awaited.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::exit::Stop;
use crate::config::{self, AccountTags, Config, SourceKind};
use crate::enrich::{AccountNames, AccountRow};
use crate::pipeline::worker::Stages;
use crate::source::aws;
use crate::source::organizations::{Account, Missing, Organizations, OrganizationsError};

/// Time between two readings.
const EVERY: Duration = Duration::from_hours(1);
/// The same after a fault that time may mend.
const AGAIN: Duration = Duration::from_mins(5);
/// Who needs what only AWS Organizations tells.
const ASKING: &str = "an exception, findings.severity or the watch list";
/// How long the sources wait at most, unless there are very many accounts. Twice what an organization of 200 accounts takes with its
/// tags; a call that keeps failing is given up sooner. Longer, what must page would come late at each start; a queue keeps what waits
/// meanwhile.
const PATIENCE: Duration = Duration::from_mins(2);
/// The same for each account, once they are counted: twice the time between two calls for their tags.
const PATIENCE_OF_ACCOUNT: Duration = Duration::from_millis(500);
/// The longest of it, whatever their number: who signs in as root meanwhile is told so much later.
const PATIENCE_MOST: Duration = Duration::from_mins(10);

/// What only AWS Organizations tells, and what decides which records are muted or left out, or how grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Need {
    units: bool,
    environments: bool,
}

impl Need {
    /// What the exceptions that are valid now, the severities of findings and the watch list ask for; nothing where AWS
    /// Organizations is not asked.
    pub(super) fn of(settings: &config::Accounts, stages: &Stages) -> Self {
        if !settings.organizations {
            return Self::default();
        }
        let now_ms = stages.clock.now_ms();
        let scopes = || stages.exceptions.list().iter().filter(|one| now_ms < one.expires_ms).map(|one| &one.scope);
        Self {
            units: stages.watched.needs_units() || scopes().any(|scope| !scope.organizational_units.is_empty()),
            environments: !settings.tags.environment.is_empty()
                && (stages.findings.asks_environment() || scopes().any(|scope| !scope.environments.is_empty())),
        }
    }

    /// Whether nothing is needed.
    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// What of it is also lacking.
    fn lacking(self, lacks: Self) -> Self {
        Self { units: self.units && lacks.units, environments: self.environments && lacks.environments }
    }

    /// Why nothing is taken yet, for the log and the health check.
    pub(super) fn why(self) -> String {
        format!("nothing is taken until AWS Organizations has told {self}: {ASKING} asks for them")
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.units, self.environments) {
            (true, true) => "the organizational units and environments of accounts",
            (false, true) => "the environments of accounts",
            _ => "the organizational units of accounts",
        })
    }
}

/// Whoever waits for the first names, and what for.
#[derive(Debug)]
pub(super) struct Begin {
    need: Need,
    has_begun: watch::Sender<bool>,
    /// How long it is waited for.
    most: watch::Sender<Duration>,
}

impl Begin {
    /// Where nothing is needed it has begun.
    pub(super) fn new(need: Need) -> Self {
        Self { need, has_begun: watch::Sender::new(need.is_nothing()), most: watch::Sender::new(PATIENCE) }
    }

    /// Turns true once, when what is needed is known or is waited for no longer.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.has_begun.subscribe()
    }

    /// All that is needed is known, but for this.
    fn known_but(&self, lacks: Need) {
        let lacking = self.need.lacking(lacks);
        if lacking.is_nothing() {
            self.has_begun.send_if_modified(|begun| !std::mem::replace(begun, true));
        } else {
            self.without(lacking, "it does not tell them");
        }
    }

    /// It begins without this, if it has not yet.
    fn without(&self, lacking: Need, why: &str) {
        if self.has_begun.send_if_modified(|begun| !std::mem::replace(begun, true)) {
            tracing::warn!(
                "The sources start without {lacking} from AWS Organizations: {why}. Until it tells them, exceptions and \
                 findings.severity that ask for them hold only for what accounts.file names, and the watch list keeps what it cannot \
                 place"
            );
        }
    }

    /// So many accounts are to be read.
    fn counted(&self, accounts: usize) {
        let most = PATIENCE_OF_ACCOUNT.saturating_mul(u32::try_from(accounts).unwrap_or(u32::MAX)).clamp(PATIENCE, PATIENCE_MOST);
        let before = self.most.send_replace(most);
        if before != most && !*self.has_begun.borrow() {
            tracing::info!(accounts, most_s = most.as_secs(), "The sources wait for the names of {accounts} accounts");
        }
    }

    /// Gives up waiting in time.
    async fn patience(&self) {
        let began = tokio::time::Instant::now();
        let mut most = self.most.subscribe();
        loop {
            let wait = *most.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(began + wait) => {
                    return self.without(self.need, &format!("it has not told all of them within {} s", wait.as_secs()));
                }
                // Its sender is this one's own: it does not go before.
                changed = most.changed() => if changed.is_err() { return },
            }
        }
    }
}

/// Reads names again and again; never ends.
pub(super) async fn follow(stages: Arc<Stages>, settings: config::Accounts, region: Option<String>, begin: Begin) {
    if !begin.need.is_nothing() {
        tracing::info!(most_s = PATIENCE.as_secs(), "{}", upper(&begin.need.why()));
    }
    tokio::join!(begin.patience(), async {
        let reader = Organizations::new(&aws::load(region.as_deref()).await);
        let mut names = Names::new(stages, settings.tags);
        loop {
            let wait = match names.read(&reader, Some(&begin)).await {
                Ok(()) => EVERY,
                Err(error) => {
                    let wait = names.failed(&error);
                    begin.without(begin.need.lacking(names.lacks), "it could not be read");
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    });
}

/// Reads names once, if they are to be asked for, before a command sends what is past. `stop`: the person has waited long enough.
///
/// # Errors
/// A [`Stop`]: nothing could be read, or not all that an exception, a severity or the watch list asks for. What is sent would have
/// other names, for good, than what the agent sends, and would page where it is muted.
pub(super) async fn once(stages: &Arc<Stages>, config: &Config, stop: impl Future<Output = ()>) -> Result<(), Stop> {
    if !config.accounts.organizations {
        return Ok(());
    }
    let read = async {
        let reader = Organizations::new(&aws::load(region(config).as_deref()).await);
        let mut names = Names::new(Arc::clone(stages), config.accounts.tags.clone());
        names.read(&reader, None).await.map(|()| names.lacks)
    };
    let read = tokio::select! {
        read = read => read,
        () = stop => return Err(Stop::failed("stopped before accounts had their names: nothing was sent", None)),
    };
    let why = match read.map(|lacks| Need::of(&config.accounts, stages).lacking(lacks)) {
        Ok(lacking) if lacking.is_nothing() => return Ok(()),
        Ok(lacking) => format!("it does not tell {lacking}, and {ASKING} asks for them"),
        Err(error) => error.to_string(),
    };
    Err(Stop::failed(
        format!("AWS Organizations has to name accounts first (accounts.organizations), and nothing was sent: {why}"),
        Some(
            "whoever runs this needs the same permissions for AWS Organizations as the agent; or do without: \
             CSPM_RELAY_ACCOUNTS_ORGANIZATIONS=false, with names and units in accounts.file"
                .to_owned(),
        ),
    ))
}

/// As a sentence begins.
fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
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
    /// What the last reading did not tell.
    lacks: Need,
    /// Actions whose absence was told.
    told: HashSet<&'static str>,
}

impl Names {
    fn new(stages: Arc<Stages>, tags: AccountTags) -> Self {
        let file = stages.enricher.now().accounts().clone();
        Self {
            stages,
            tags,
            file,
            known: HashMap::new(),
            is_whole: false,
            lacks: Need { units: true, environments: true },
            told: HashSet::new(),
        }
    }

    /// One reading. Names are used as soon as they are known: tags take a call for each account. `begin`: whoever waits for the first
    /// ones.
    async fn read(&mut self, reader: &Organizations, begin: Option<&Begin>) -> Result<(), OrganizationsError> {
        let mut found = reader.accounts().await?;
        keep_known(&self.known, &mut found.accounts);
        self.publish(&found.accounts);
        if let Some(begin) = begin {
            begin.counted(found.accounts.len());
        }
        let units = found.accounts.iter().all(|account| account.organizational_unit.is_none());
        self.lacks = Need { units, environments: !self.tags.is_empty() };
        if let Some(begin) = begin.filter(|begin| !begin.need.environments) {
            begin.known_but(self.lacks);
        }
        let mut passing = None;
        if !self.tags.is_empty() {
            match reader.tags(&mut found.accounts, &self.tags).await {
                Ok(()) => self.lacks.environments = false,
                Err(OrganizationsError::Denied { action, why }) => {
                    found.missing.push(Missing { action, without: "owners and environments from tags", why });
                }
                Err(error) => passing = Some(error),
            }
        }
        self.is_whole |= passing.is_none() && found.missing.is_empty();
        self.publish(&found.accounts);
        self.tell(&found.missing);
        if let Some(begin) = begin.filter(|_| passing.is_none()) {
            begin.known_but(self.lacks);
        }
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
    use crate::classify::Exceptions;
    use crate::cli::assemble::{self, Manner};
    use crate::clock::Clock;
    use crate::config::{Accountable, Watched};
    use crate::record::Glob;
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

    fn need(units: bool, environments: bool) -> Need {
        Need { units, environments }
    }

    /// S2-20: only what AWS Organizations alone tells, and what is valid now, is waited for.
    #[test]
    fn what_decides_and_only_aws_organizations_tells_is_needed() {
        let config = Config::stand_in("http://127.0.0.1:9", 1, Secret::new("key"));
        let mut stages = assemble::stages(&config, Clock::fixed(1_795_292_071_000), Manner::default()).expect("stages");
        let mut needed = |scope: &str, expires: &str, exclude: &str, is_asked: bool, tags: &[&str]| {
            let text = format!("- {{control: restricted-ssh, owner: o, reason: r, expires: {expires}, scope: {scope}}}\n");
            let path = std::path::Path::new("exceptions.yml");
            (stages.exceptions, _) = Exceptions::from_text(&text, path, "UTC", &stages.rules).expect("an exception");
            let exclude = match exclude {
                "" => Vec::new(),
                "unit" => vec![Accountable::Unit(Glob::new("Sandbox"))],
                id => vec![Accountable::Id(id.to_owned())],
            };
            stages.watched = Watched { exclude, ..Watched::default() };
            let environment = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let tags = AccountTags { environment, ..AccountTags::default() };
            Need::of(&config::Accounts { organizations: is_asked, tags, ..config::Accounts::default() }, &stages)
        };
        let (unit, environment) = ("{organizationalUnits: Sandbox}", "{environments: dev}");
        for (name, got, want) in [
            ("a unit", needed(unit, "2027-01-31", "", true, &["env"]), need(true, false)),
            ("a unit until yesterday", needed(unit, "2026-01-31", "", true, &["env"]), need(false, false)),
            ("nobody is asked", needed(unit, "2027-01-31", "unit", false, &["env"]), need(false, false)),
            ("an environment", needed(environment, "2027-01-31", "", true, &["env"]), need(false, true)),
            ("one that no tag tells", needed(environment, "2027-01-31", "", true, &[]), need(false, false)),
            ("neither", needed("{regions: eu-west-1}", "2027-01-31", "111122223333", true, &["env"]), need(false, false)),
            ("a unit that is not watched", needed("{}", "2027-01-31", "unit", true, &["env"]), need(true, false)),
        ] {
            assert_eq!(got, want, "{name}");
        }
        for (line, want) in [("LOW environment=sandbox", need(false, true)), ("LOW product=Inspector", need(false, false))] {
            let config = Config { findings: config::Findings::of(&[line]), ..config.clone() };
            let stages = assemble::stages(&config, Clock::fixed(1_795_292_071_000), Manner::default()).expect("stages");
            let accounts = config::Accounts { organizations: true, ..config::Accounts::default() };
            assert_eq!(Need::of(&accounts, &stages), want, "{line}");
        }
    }

    /// S2-20: the sources begin when what is needed is known, or is not to be had, and at the latest after a while.
    #[tokio::test(start_paused = true)]
    async fn the_sources_begin_with_what_they_need_or_after_a_while() {
        let of = |need| {
            let begin = Begin::new(need);
            let begun = begin.watch();
            (begin, move || *begun.borrow())
        };
        let (_, begun) = of(need(false, false));
        assert!(begun(), "nothing is needed");
        for lacks in [need(false, false), need(false, true), need(true, false)] {
            let (begin, begun) = of(need(true, false));
            assert!(!begun(), "not yet");
            begin.known_but(lacks);
            assert!(begun(), "{lacks:?}: what may not be read is not told later");
        }
        let (begin, begun) = of(need(true, true));
        let mut patience = std::pin::pin!(begin.patience());
        assert!(tokio::time::timeout(PATIENCE.saturating_sub(Duration::from_secs(1)), &mut patience).await.is_err() && !begun());
        patience.await;
        assert!(begun());
        // Whose tags take longer to read is waited for longer.
        let (begin, begun) = of(need(true, true));
        begin.counted(1_000);
        let mut patience = std::pin::pin!(begin.patience());
        assert!(tokio::time::timeout(Duration::from_secs(499), &mut patience).await.is_err() && !begun());
        patience.await;
        assert!(begun());
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
