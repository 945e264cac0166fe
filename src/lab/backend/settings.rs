//! Settings of the stand-in, for tests and for a command line.
//!
//! In: defaults, or arguments. Out: [`BackendSettings`]. The default account and keys are public on purpose: they open
//! nothing but a stand-in.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use super::fault::RandomFaults;
use super::nerdgraph::NerdGraphSettings;
use super::store::Retain;
use crate::clock::Clock;
use crate::secret::Secret;

/// Account of a stand-in that was told nothing else.
pub const ACCOUNT_ID: u64 = 1_234_567;
/// Ingest licence key of that account: 40 characters, as real ones.
pub const LICENSE_KEY: &str = "0000000000000000000000000000000STANDNRAL";
/// User key of that account.
pub const USER_KEY: &str = "NRAK-STANDIN00000000000000000000";

/// One New Relic account with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// In the path of the Event API.
    pub id: u64,
    /// Opens the ingest APIs.
    pub license_key: Secret,
    /// Opens `NerdGraph`.
    pub user_key: Secret,
}

impl Default for Account {
    fn default() -> Self {
        Self { id: ACCOUNT_ID, license_key: Secret::new(LICENSE_KEY), user_key: Secret::new(USER_KEY) }
    }
}

/// How a stand-in is built.
#[derive(Debug, Clone)]
pub struct BackendSettings {
    /// Address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Accounts it knows.
    pub accounts: Vec<Account>,
    /// Its time; share the agent's to move both.
    pub clock: Clock,
    /// What it keeps.
    pub retain: Retain,
    /// Requests per minute, account and ingest API before 429 for the rest of that minute of the clock; `None`: no bound.
    /// New Relic's own: 100,000 for events, 300,000 for logs.
    pub requests_per_minute: Option<u32>,
    /// Where `NerdGraph` is not documented, and its limits.
    pub nerd_graph: NerdGraphSettings,
    /// Random faults from the start.
    pub faults: Option<RandomFaults>,
}

impl Default for BackendSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            accounts: vec![Account::default()],
            clock: Clock::system(),
            retain: Retain::default(),
            requests_per_minute: None,
            nerd_graph: NerdGraphSettings::default(),
            faults: None,
        }
    }
}

/// Command-line arguments of a stand-in of its own.
#[derive(Debug, Clone, Args)]
pub struct BackendArgs {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Account id it accepts
    #[arg(long, value_name = "ID", default_value_t = ACCOUNT_ID)]
    pub account_id: u64,
    /// Ingest licence key it accepts: any text, it opens nothing else
    #[arg(long, value_name = "KEY", default_value = LICENSE_KEY)]
    pub license_key: String,
    /// User key it accepts on /graphql
    #[arg(long, value_name = "KEY", default_value = USER_KEY)]
    pub user_key: String,
    /// Share of requests that meet a fault, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub fault_share: f64,
    /// Share of the faults that store the batch and lose the answer, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    pub fault_lost_answers: f64,
    /// Seed of the faults: equal seeds give equal faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub fault_seed: u64,
    /// Most faults in a row
    #[arg(long, value_name = "N")]
    pub fault_row: Option<u32>,
    /// Requests per minute before it answers 429
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<u32>,
    /// Count requests and bytes only: nothing is read or checked
    #[arg(long)]
    pub count_only: bool,
}

impl BackendArgs {
    /// The settings these arguments ask for.
    #[must_use]
    pub fn settings(&self, clock: Clock) -> BackendSettings {
        BackendSettings {
            listen: self.listen,
            accounts: vec![Account {
                id: self.account_id,
                license_key: Secret::new(&self.license_key),
                user_key: Secret::new(&self.user_key),
            }],
            clock,
            retain: if self.count_only { Retain::Counts } else { Retain::Rows },
            requests_per_minute: self.requests_per_minute,
            nerd_graph: NerdGraphSettings::default(),
            faults: (self.fault_share > 0.0).then_some(RandomFaults {
                seed: self.fault_seed,
                share: self.fault_share,
                accept_then_cut: self.fault_lost_answers,
                max_consecutive: self.fault_row,
                retry_after_s: Some(1),
            }),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("must be a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        backend: BackendArgs,
    }

    fn parse(arguments: &[&str]) -> Result<BackendSettings, clap::Error> {
        Command::try_parse_from([&["stand-in"], arguments].concat()).map(|command| command.backend.settings(Clock::fixed(0)))
    }

    #[test]
    fn arguments_become_settings() {
        let plain = parse(&[]).unwrap();
        assert_eq!((plain.listen, plain.faults), (BackendSettings::default().listen, None));
        assert_eq!(plain.accounts, [Account::default()]);
        let settings =
            parse(&["--listen", "127.0.0.1:8181", "--fault-seed", "9", "--fault-share", "0.33", "--count-only"]).unwrap();
        assert_eq!((settings.listen.port(), settings.retain), (8181, Retain::Counts));
        let faults = settings.faults.unwrap();
        assert_eq!((faults.seed, faults.max_consecutive), (9, None));
        assert!((faults.share - 0.33).abs() < f64::EPSILON);
        for bad in ["1.1", "-0.1", "NaN", "x"] {
            let fault = parse(&["--fault-share", bad]).unwrap_err().to_string();
            assert!(fault.contains("must be a number from 0 to 1") || bad.starts_with('-'), "{bad}: {fault}");
        }
    }

    #[test]
    fn keys_look_like_real_ones_and_are_not_printed() {
        assert_eq!(LICENSE_KEY.len(), 40);
        assert!(USER_KEY.starts_with("NRAK-"));
        assert!(!format!("{:?}", Account::default()).contains("STAND"));
    }
}
