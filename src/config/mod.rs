//! The settings, valid by construction.
//!
//! In: a YAML file and the environment, which wins over the file. Out: a [`Config`] that exists only if the list of
//! [`Faults`] was empty; the list names all of them at once. Every stage imports the part it needs; nobody else reads the
//! environment. It opens no connection and no file but its own and those that hold keys.
//!
//! Two steps: as written (`tree` → `file`, `env`), then valid (`reader`, `valid`). Every key is a row of [`options`], from
//! which reading, messages, the example file and the option table are made: a new key is a row there, a field here, and a
//! line in `valid`.

mod accounts;
pub mod env;
pub mod estimate;
pub mod example;
pub mod fault;
mod file;
pub mod findings;
mod keys;
pub mod nearest;
pub mod options;
mod posture;
pub mod queue_url;
mod reader;
pub mod secret_ref;
mod tree;
mod valid;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::record::Severity;
use crate::secret::Secret;

pub use self::accounts::{AccountTags, Accountable, Accounts, Watched};
pub use self::env::Environment;
pub(crate) use self::fault::shown;
pub use self::fault::{Fault, Faults, Place};
pub use self::findings::{FindingSubject, Findings, SeverityRule};
pub use self::posture::{Identity, Posture, Role, State, StatePlace};
pub(crate) use self::valid::{is_aggregator, is_bucket};

/// What a command needs of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// At least one source, or AWS Config to read.
    pub sources: bool,
    /// New Relic's account id and licence key. Without it they are not even read: the account id is 0, the key is empty, and
    /// the region is the one written, else `us`.
    pub keys: bool,
}

impl Need {
    /// The agent: everything.
    pub const RUN: Self = Self { sources: true, keys: true };
    /// Past files or dead letters to New Relic.
    pub const SEND: Self = Self { sources: false, keys: true };
    /// Nothing is sent: standard output, listings.
    pub const LOCAL: Self = Self { sources: false, keys: false };
}

impl Config {
    /// Reads and checks the configuration of the agent.
    ///
    /// Without `file` the file named by `CSPM_RELAY_CONFIG` is read, if that is set. Variables win over the file.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load(file: Option<&Path>, env: &dyn Environment) -> Result<Self, Faults> {
        Self::load_for(Need::RUN, file, env)
    }

    /// Reads and checks the configuration for a command that needs less than the agent.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn load_for(need: Need, file: Option<&Path>, env: &dyn Environment) -> Result<Self, Faults> {
        Self::examine(need, file, env).0
    }

    /// Reads and checks the configuration once, and tells what of it names files on this machine, as far as that can be read:
    /// what is wrong with those can then be told in the same breath as the faults.
    ///
    /// The error of the result is everything that is wrong with the configuration itself, at once.
    pub fn examine(need: Need, file: Option<&Path>, env: &dyn Environment) -> (Result<Self, Faults>, Files) {
        let mut faults = Vec::new();
        let named = match file {
            Some(path) => Some(path.to_owned()),
            None => env.get("CSPM_RELAY_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from),
        };
        let written = match named.as_deref().map(read_file) {
            None => file::Written::default(),
            Some(Ok(bytes)) => {
                let (written, found) = file::Written::read(&bytes);
                faults.extend(found);
                written
            }
            Some(Err(fault)) => {
                faults.push(fault);
                let mut written = file::Written::default();
                written.broken.insert(String::new());
                written
            }
        };
        Self::judge(need, written, faults, named.as_deref(), env)
    }

    /// Reads and checks the text of a file that is not there yet.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn of_text(need: Need, text: &[u8], env: &dyn Environment) -> Result<Self, Faults> {
        let (written, faults) = file::Written::read(text);
        Self::judge(need, written, faults, None, env).0
    }

    /// What was written, with the variables over it, checked.
    fn judge(
        need: Need,
        mut written: file::Written,
        mut faults: Vec<Fault>,
        named: Option<&Path>,
        env: &dyn Environment,
    ) -> (Result<Self, Faults>, Files) {
        env::overlay(env, &mut written, &mut faults);
        let mut reader = reader::Reader { written: &written, env, faults };
        let (config, files) = valid::config(&mut reader, need);
        let config = match (config, Faults::of(named, reader.faults)) {
            (Some(config), None) => Ok(config),
            (_, Some(faults)) => Err(faults),
            (None, None) => {
                debug_assert!(false, "no configuration and no fault");
                Err(Faults::unexplained(named))
            }
        };
        (config, files)
    }

    /// Everything by default, for a New Relic stand-in at `base_url`, without sources.
    #[must_use]
    pub fn stand_in(base_url: &str, account_id: u64, license_key: Secret) -> Self {
        let host = Some(base_url.trim_end_matches('/').to_owned());
        let hosts = Hosts { events: host.clone(), logs: host.clone(), otlp: host.clone(), nerd_graph: host };
        Self {
            new_relic: NewRelic { region: Region::Us, account_id, license_key, api_key: None, hosts },
            sources: Vec::new(),
            outputs: Outputs::default(),
            rules: Rules::default(),
            exceptions: None,
            frameworks: None,
            accounts: Accounts::default(),
            dead_letters: None,
            price: None,
            state: State::default(),
            posture: None,
            compliance_notify: Severity::High,
            identity: None,
            changes: Changes::default(),
            novelty: Novelty::default(),
            findings: Findings::default(),
            limits: Limits::default(),
            health: Health::default(),
            telemetry: Telemetry::default(),
        }
    }
}

/// The bytes of a file, one more than is allowed at most, so that the reader sees that it is too large.
fn read_file(path: &Path) -> Result<Vec<u8>, Fault> {
    let fault = |error: std::io::Error| Fault::new("", Place::Nowhere, format!("reading the file: {error}"));
    let mut bytes = Vec::new();
    let most = u64::try_from(tree::FILE_BYTES).unwrap_or(u64::MAX);
    std::fs::File::open(path).map_err(fault)?.take(most + 1).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where events go.
    pub new_relic: NewRelic,
    /// Where records come from; names are unique.
    pub sources: Vec<Source>,
    /// What is sent.
    pub outputs: Outputs,
    /// Which detective controls run.
    pub rules: Rules,
    /// File of controls that are muted for someone.
    pub exceptions: Option<PathBuf>,
    /// File of the customer's own framework numbers.
    pub frameworks: Option<PathBuf>,
    /// Names of accounts.
    pub accounts: Accounts,
    /// Where what cannot be sent goes; `None`: back to the source.
    pub dead_letters: Option<DeadLetters>,
    /// Where state is kept, and the lease.
    pub state: State,
    /// What is read of AWS Config; `None`: nothing.
    pub posture: Option<Posture>,
    /// Least severity of a notice of a violation, whether AWS Config is read or only its events are.
    pub compliance_notify: Severity,
    /// What is read of IAM; `None`: nothing.
    pub identity: Option<Identity>,
    /// Who made the changes that AWS Config shows.
    pub changes: Changes,
    /// What is remembered of what principals did.
    pub novelty: Novelty,
    /// What is done with findings.
    pub findings: Findings,
    /// Bounds on memory, time and size.
    pub limits: Limits,
    /// Where `cspm-relay health` asks.
    pub health: Health,
    /// What New Relic takes for a GB.
    pub price: Option<Price>,
    /// The agent's own logs and heartbeats.
    pub telemetry: Telemetry,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq)]
pub struct Price {
    /// How much, at least 0.
    pub amount: f64,
    /// ISO 4217 code.
    pub currency: String,
}

/// A time as the configuration writes it: `90s`, `5m`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    value::time(text)
}

impl Price {
    /// Reads `0.40 USD` or `60 JPY`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, currency) = text.trim().split_once(char::is_whitespace)?;
        let currency = currency.trim();
        let is_currency = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let amount = amount.parse().ok().filter(|amount: &f64| is_number && is_currency && amount.is_finite())?;
        Some(Self { amount, currency: currency.to_owned() })
    }
}

/// What of a configuration names files and folders on this machine. None of them has been opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Folders of rules, and ids that must be those of rules.
    pub rules: Rules,
    /// Controls that are muted for someone.
    pub exceptions: Option<PathBuf>,
    /// Framework numbers of the customer's own.
    pub frameworks: Option<PathBuf>,
    /// Names of accounts.
    pub accounts: Accounts,
    /// Where dead letters go, if they are configured.
    pub dead_letters: Option<DeadLetters>,
    /// Where state is kept, if it is configured.
    pub state: Option<StatePlace>,
}

/// New Relic's side.
#[derive(Debug, Clone)]
pub struct NewRelic {
    /// Decides the hosts.
    pub region: Region,
    /// The account events are posted to.
    pub account_id: u64,
    /// Ingest licence key.
    pub license_key: Secret,
    /// User key, for `doctor` only.
    pub api_key: Option<Secret>,
    /// Base URLs that replace the region's (proxy, `PrivateLink`, `FedRAMP`, tests).
    pub hosts: Hosts,
}

impl NewRelic {
    /// What makes the licence key doubtful, for warnings: never any part of it.
    #[must_use]
    pub fn key_doubts(&self) -> Vec<String> {
        let shape = keys::doubt(&self.license_key);
        // Where all hosts are written, the region decides nothing that the key is sent to.
        let by_region = [&self.hosts.events, &self.hosts.logs, &self.hosts.otlp].into_iter().any(Option::is_none);
        // A key of another shape says nothing about its region by what it lacks.
        let region = by_region.then(|| keys::region_doubt(&self.license_key, self.region, shape.is_none())).flatten();
        shape.into_iter().chain(region).collect()
    }
}

/// New Relic data centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// United States.
    Us,
    /// European Union.
    Eu,
    /// Japan.
    Jp,
}

impl Region {
    /// As New Relic's own tools write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Eu => "EU",
            Self::Jp => "JP",
        }
    }
}

/// Base URLs, without path, that replace the region's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// Event API.
    pub events: Option<String>,
    /// Log API.
    pub logs: Option<String>,
    /// OTLP.
    pub otlp: Option<String>,
    /// `NerdGraph`.
    pub nerd_graph: Option<String>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `relay.source` in every event; unique.
    pub name: String,
    /// What it reads.
    pub kind: SourceKind,
}

/// What a source reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceKind {
    /// A trail's bucket, told by notifications on an SQS queue.
    TrailBucket {
        /// The queue's URL.
        queue_url: String,
        /// Region of the queue; a loaded configuration always has it.
        region: Option<String>,
        /// Buckets whose objects may be read; empty: any bucket that a message names.
        buckets: Vec<String>,
    },
    /// `EventBridge` events on an SQS queue.
    EventQueue {
        /// The queue's URL.
        queue_url: String,
        /// Region of the queue; a loaded configuration always has it.
        region: Option<String>,
    },
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// Raw trail records as logs.
    pub logs: Logs,
    /// Notices (one per notifiable record), stamped with the time of sending.
    pub notices: bool,
    /// Roll-up metrics: counts of what was accepted.
    pub metrics: bool,
}

/// Raw trail records as logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logs {
    /// Which records.
    pub records: LogRecords,
    /// Whether records that changed nothing are sent too.
    pub read_only: bool,
    /// Whether records that changed nothing and met no rule are counted in `cspm.records` instead of being sent; for
    /// [`LogRecords::All`].
    pub thin: bool,
    /// Whether well-known secrets are masked.
    pub mask: bool,
}

/// Which raw records go out as logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRecords {
    /// Those with a detection.
    Matched,
    /// All.
    All,
    /// None.
    None,
}

/// Which detective controls run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Folders of further rule files.
    pub folders: Vec<PathBuf>,
    /// Rule ids that do not run.
    pub disable: Vec<String>,
    /// What stands for `%name%` in rules with the modifier `expand`; an empty list matches nothing.
    pub placeholders: BTreeMap<String, Vec<String>>,
}

/// Where dead letters go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeadLetters {
    /// A folder.
    Folder(PathBuf),
    /// A bucket and a key prefix.
    S3 {
        /// Bucket name.
        bucket: String,
        /// Key prefix, without a leading slash.
        prefix: String,
    },
    /// An SQS queue.
    Queue {
        /// The queue's URL.
        url: String,
    },
}

/// Who made the changes that AWS Config shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// How long an item waits for its trail record; `None`: nobody is looked for.
    pub wait: Option<Duration>,
}

/// What is remembered of what principals did: `novelty.api`, `novelty.address`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Novelty {
    /// Bytes for what is remembered; 0: nothing is, and nothing is said of it.
    pub memory: usize,
    /// How long an account is watched before anything in it is called new, and how long at least what was seen must be remembered.
    pub learning: Duration,
}

/// Bounds on memory, time and size. Every field has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Packed bytes of objects held at once.
    pub bytes_in_flight: u64,
    /// Largest packed object, bytes.
    pub object_bytes: u64,
    /// Largest unpacked object, bytes.
    pub inflated_bytes: u64,
    /// Largest single record, bytes of JSON.
    pub record_bytes: usize,
    /// Largest request body before packing, bytes.
    pub body_bytes: usize,
    /// Largest request body after packing, bytes.
    pub packed_body_bytes: usize,
    /// gzip level of request bodies, 1 to 9.
    pub gzip_level: u32,
    /// Oldest age of an unsent batch.
    pub flush_after: Duration,
    /// Requests under way at once, per API.
    pub requests_in_flight: usize,
    /// Time for one request.
    pub request_timeout: Duration,
    /// Threads that decode and encode.
    pub workers: usize,
    /// Settled record ids remembered to recognise copies.
    pub seen_records: usize,
    /// Time to settle what is in flight after a stop signal.
    pub drain: Duration,
}

/// Where the health check asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Nowhere: no listener.
    Off,
    /// Unix socket.
    Socket(PathBuf),
    /// Port on 127.0.0.1.
    Port(u16),
}

/// The agent's own logs and heartbeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// How log lines look.
    pub log_format: LogFormat,
    /// A `tracing` filter, `info` by default.
    pub log_level: String,
    /// Time between heartbeats; `None`: none are sent.
    pub heartbeat: Option<Duration>,
    /// IANA time zone of the calendar attributes, `event.date` and the like.
    pub time_zone: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_in_flight: 16 << 20,
            object_bytes: 64_000_000,
            inflated_bytes: 2_000_000_000,
            record_bytes: 1 << 20,
            body_bytes: 950_000,
            packed_body_bytes: 950_000,
            gzip_level: 4,
            flush_after: Duration::from_millis(500),
            requests_in_flight: 4,
            request_timeout: Duration::from_secs(15),
            workers: 1,
            seen_records: 200_000,
            drain: Duration::from_secs(15),
        }
    }
}

impl Default for Changes {
    fn default() -> Self {
        Self { wait: Some(Duration::from_mins(10)) }
    }
}

impl Default for Novelty {
    fn default() -> Self {
        Self { memory: 8 << 20, learning: Duration::from_hours(7 * 24) }
    }
}

impl Default for Outputs {
    fn default() -> Self {
        Self {
            logs: Logs { records: LogRecords::Matched, read_only: true, thin: false, mask: true },
            notices: true,
            metrics: true,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::Port(8465)
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_level: "info".to_owned(),
            heartbeat: Some(Duration::from_mins(1)),
            time_zone: "UTC".to_owned(),
        }
    }
}
