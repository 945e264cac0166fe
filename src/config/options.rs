//! Every key of the file, as data.
//!
//! In: nothing. Out: [`OPTIONS`], one row per key with its type, range, default, environment variable and meaning. Reading,
//! checking, the example file and `check --options` all go by it, so that none of them can forget a key. What always holds
//! (tested): the defaults here are those of `Config`. It checks no values itself.

use super::value;

/// One key of the file.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Path, as `newrelic.accountId`; `[]` stands for the number of a list's item.
    pub path: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What holds when it is absent.
    pub default: Absent,
    /// Environment variable that replaces the file's value; empty: none.
    pub variable: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// How the example file shows it.
    pub sample: Sample,
}

/// What holds when a key is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Required,
    /// This value, as it would be written.
    Value(&'static str),
    /// What these words say.
    Words(&'static str),
}

/// How the example file shows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// With its default.
    Default,
    /// With this value.
    Value(&'static str),
    /// With this value, commented out.
    Off(&'static str),
}

/// What may stand at a key. Ranges hold both their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// New Relic account id.
    AccountId,
    /// A key, or where it is.
    Secret,
    /// `https://host`, without a path.
    BaseUrl,
    /// Name of a source.
    Name,
    /// URL of an SQS queue.
    QueueUrl,
    /// AWS Region.
    AwsRegion,
    /// List of AWS Regions.
    AwsRegions,
    /// List of AWS account ids.
    AwsAccounts,
    /// Name of an AWS Config aggregator.
    Aggregator,
    /// Name or ARN of an IAM role.
    Role,
    /// List of bucket names.
    Buckets,
    /// List of texts.
    Texts,
    /// List of account ids and paths of organizational units.
    Accounts,
    /// List of AWS Regions.
    Regions,
    /// List of paths.
    Paths,
    /// Map of names to lists of texts.
    NamedTexts,
    /// A path.
    Path,
    /// `s3://bucket/prefix`.
    S3,
    /// A whole number.
    Whole(u64, u64),
    /// A number of bytes.
    Bytes(u64, u64),
    /// A time, milliseconds.
    Time(u64, u64),
    /// A time, milliseconds, or `off`.
    TimeOrOff(u64, u64),
    /// An amount of money: `0.40 USD`.
    Price,
    /// A `tracing` filter.
    LogFilter,
    /// An IANA time zone.
    TimeZone,
}

impl Kind {
    /// Its name in the option table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Word(_) => "word",
            Self::Switch => "true or false",
            Self::AccountId => "account id",
            Self::Secret => "key",
            Self::BaseUrl => "base URL",
            Self::Name => "name",
            Self::QueueUrl => "queue URL",
            Self::AwsRegion => "AWS Region",
            Self::AwsRegions => "list of AWS Regions",
            Self::AwsAccounts => "list of AWS account ids",
            Self::Aggregator => "aggregator",
            Self::Role => "IAM role",
            Self::Buckets => "list of buckets",
            Self::Texts => "list of texts",
            Self::Accounts => "list of accounts",
            Self::Regions => "list of Regions",
            Self::Paths => "list of paths",
            Self::NamedTexts => "map of lists",
            Self::Path => "path",
            Self::S3 => "S3 URL",
            Self::Whole(..) => "number",
            Self::Bytes(..) => "bytes",
            Self::Time(..) => "time",
            Self::TimeOrOff(..) => "time or off",
            Self::Price => "price",
            Self::LogFilter => "log filter",
            Self::TimeZone => "time zone",
        }
    }

    /// What may stand there, for messages and the option table.
    #[must_use]
    pub fn allowed(self) -> String {
        match self {
            Self::Word(words) => words.join(", "),
            Self::Switch => "true, false".to_owned(),
            Self::AccountId => "a New Relic account id: 1 to 10 digits".to_owned(),
            Self::Secret => "the key itself, file:/path or env:NAME".to_owned(),
            Self::BaseUrl => "https://host[:port] without path; http:// only to this machine".to_owned(),
            Self::Name => "1 to 64 letters, digits, `.`, `_`, `-`".to_owned(),
            Self::QueueUrl => super::queue_url::ALLOWED.to_owned(),
            Self::AwsRegion => "an AWS Region, as eu-west-1".to_owned(),
            Self::AwsRegions => "[AWS Region, …], as [eu-west-1, us-east-1]".to_owned(),
            Self::AwsAccounts => "[AWS account id, …]: 12 digits each".to_owned(),
            Self::Aggregator => "1 to 256 letters, digits, `_`, `-`".to_owned(),
            Self::Role => "a role's name, or its ARN as arn:aws:iam::{account}:role/name".to_owned(),
            Self::Buckets => "[bucket, …]: 3 to 63 lower-case letters, digits, `.`, `-`".to_owned(),
            Self::Texts => "[text, …]".to_owned(),
            Self::Accounts => "[account, …]: 12 digits, or a path of organizational units, as Workloads/Prod/*".to_owned(),
            Self::Regions => "[Region, …], as [eu-west-1, us-east-1]".to_owned(),
            Self::Paths => "[path, …]".to_owned(),
            Self::NamedTexts => "{Name: [text, …], …}; names of letters, digits, `_`, `-`, `.`".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::S3 => "s3://bucket or s3://bucket/prefix".to_owned(),
            Self::Whole(least, most) => format!("{least} to {most}"),
            Self::Bytes(least, most) => format!("{} to {}", value::show_bytes(least), value::show_bytes(most)),
            Self::Time(least, most) => format!("{} to {}", value::show_time(least), value::show_time(most)),
            Self::TimeOrOff(least, most) => format!("{} to {}, or off", value::show_time(least), value::show_time(most)),
            Self::Price => "a number and a currency, as 0.40 USD".to_owned(),
            Self::LogFilter => "error, warn, info, debug, trace, off, or target=level pairs, as info,cspm_relay=debug".to_owned(),
            Self::TimeZone => "a name of the IANA time zone database, as Asia/Tokyo".to_owned(),
        }
    }

    /// Whether it is a list.
    pub(super) const fn is_list(self) -> bool {
        matches!(
            self,
            Self::AwsRegions | Self::AwsAccounts | Self::Buckets | Self::Texts | Self::Accounts | Self::Regions | Self::Paths
        )
    }
}

const fn key(
    path: &'static str,
    kind: Kind,
    default: Absent,
    variable: &'static str,
    sample: Sample,
    meaning: &'static str,
) -> Key {
    Key { path, kind, default, variable, meaning, sample }
}

const REQUIRED: Absent = Absent::Required;
const NONE: Absent = Absent::Words("none");
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const S: u64 = 1_000;
const MIN: u64 = 60 * S;
const HOUR: u64 = 60 * MIN;

const fn is(value: &'static str) -> Absent {
    Absent::Value(value)
}
const fn on(value: &'static str) -> Sample {
    Sample::Value(value)
}
const fn off(value: &'static str) -> Sample {
    Sample::Off(value)
}
const SHOWN: Sample = Sample::Default;

/// What a source may read, in this version.
pub(super) const SOURCE_KINDS: &[&str] = &["trailBucket", "eventQueue"];

/// Every key of the file, in its order.
#[rustfmt::skip]
pub const OPTIONS: &[Key] = &[
    key("version", Kind::Word(&["1"]), Absent::Words("none: a file must have it"), "", on("1"), "Version of this file's format."),
    key("newrelic.region", Kind::Word(&["us", "eu", "jp"]), Absent::Words("from the licence key"), "NEW_RELIC_REGION", off("eu"), "New Relic data centre. Without it: the part of the licence key before its first `x`, else `us`."),
    key("newrelic.accountId", Kind::AccountId, REQUIRED, "NEW_RELIC_ACCOUNT_ID", on("1234567"), "New Relic account that receives the data."),
    key("newrelic.licenseKey", Kind::Secret, REQUIRED, "NEW_RELIC_LICENSE_KEY", on("env:NEW_RELIC_LICENSE_KEY"), "Ingest licence key."),
    key("newrelic.apiKey", Kind::Secret, NONE, "NEW_RELIC_API_KEY", off("file:/run/secrets/new-relic-user-key"), "User key (NRAK-…), for `doctor` and `nrql --on newrelic` alone."),
    key("newrelic.hosts.events", Kind::BaseUrl, Absent::Words("by region"), "NEW_RELIC_INSIGHTS_BASE_URL", off("https://gov-insights-collector.newrelic.com"), "Event API behind a proxy or PrivateLink, or of FedRAMP."),
    key("newrelic.hosts.logs", Kind::BaseUrl, Absent::Words("by region"), "NEW_RELIC_LOGS_BASE_URL", off("https://gov-log-api.newrelic.com"), "Log API."),
    key("newrelic.hosts.otlp", Kind::BaseUrl, Absent::Words("by region"), "NEW_RELIC_OTLP_BASE_URL", off("https://gov-otlp.nr-data.net"), "OTLP, for metrics. Who writes `events` or `logs` mostly needs this one, too."),
    key("newrelic.hosts.nerdGraph", Kind::BaseUrl, Absent::Words("by region"), "NEW_RELIC_NERDGRAPH_BASE_URL", off("https://gov-api.newrelic.com"), "NerdGraph."),
    key("sources[].name", Kind::Name, Absent::Words("the queue's name"), "", on("trail"), "`relay.source` in every event; unique."),
    key("sources[].kind", Kind::Word(SOURCE_KINDS), REQUIRED, "", on("trailBucket"), "`trailBucket`: a trail's bucket, told by notifications on a queue. `eventQueue`: EventBridge events on a queue."),
    key("sources[].queueUrl", Kind::QueueUrl, REQUIRED, "", on("https://sqs.eu-west-1.amazonaws.com/111122223333/cloudtrail"), "The SQS queue."),
    key("sources[].region", Kind::AwsRegion, Absent::Words("from the queue's URL"), "", off("eu-west-1"), "Region of the queue."),
    key("sources[].buckets", Kind::Buckets, Absent::Words("any"), "", off("[example-trail-bucket]"), "`trailBucket` only: buckets whose objects may be read. Without it any bucket that a message names. In the file only."),
    key("outputs.logs.records", Kind::Word(&["matched", "all", "none"]), is("matched"), "CSPM_RELAY_LOGS_RECORDS", SHOWN, "Raw records sent as logs: those with a detection, all, or none."),
    key("outputs.logs.readOnly", Kind::Switch, is("true"), "CSPM_RELAY_LOGS_READ_ONLY", SHOWN, "Whether records that changed nothing are sent as logs too."),
    key("outputs.logs.thin", Kind::Switch, is("false"), "CSPM_RELAY_LOGS_THIN", SHOWN, "With `records: all`: records that changed nothing and met no rule are counted in the metric `cspm.records`, to the one, instead of being sent as logs."),
    key("outputs.logs.mask", Kind::Switch, is("true"), "CSPM_RELAY_LOGS_MASK", SHOWN, "Whether well-known secrets in raw records are masked."),
    key("outputs.notices", Kind::Switch, is("true"), "CSPM_RELAY_NOTICES", SHOWN, "Whether each notifiable record also sends a notice, stamped with the time of sending, for alert conditions."),
    key("outputs.metrics", Kind::Switch, is("true"), "CSPM_RELAY_METRICS", SHOWN, "Whether what was accepted is counted, every minute, in the metrics `cspm.*`, which New Relic keeps for 13 months."),
    key("rules.folders", Kind::Paths, is("[]"), "CSPM_RELAY_RULES_FOLDERS", SHOWN, "Folders with further Sigma rules. In the variable, with commas: `/a,/b`."),
    key("rules.disable", Kind::Texts, is("[]"), "CSPM_RELAY_RULES_DISABLE", SHOWN, "Ids of rules that do not run. In the variable, with commas: `one,two`."),
    key("rules.placeholders", Kind::NamedTexts, is("{}"), "", off("{Legitimate_IP_Ranges: [192.0.2.0/24, 198.51.100.7]}"), "What stands for `%Name%` in rules with the modifier `expand`; an empty list matches nothing. A name that a rule uses must be here. In the file only."),
    key("exceptions", Kind::Path, NONE, "CSPM_RELAY_EXCEPTIONS", off("/etc/cspm-relay/exceptions.yml"), "Controls muted for someone, a YAML list of maps: `control`, `owner`, `reason`, `expires`, and `scope` with `accounts`, `organizationalUnits`, `environments`, `regions`, `resources`, `actors`, `addresses`."),
    key("frameworks.file", Kind::Path, NONE, "CSPM_RELAY_FRAMEWORKS_FILE", off("/etc/cspm-relay/frameworks.csv"), "Framework numbers of your own, a CSV file under the header `control,framework,requirement`; a control is the name of a rule of AWS Config, managed or your own, or the id of a Security Hub control. What no rule judges has more columns: `automation` (manual or inherited), `reason`, `responsibility` (aws, customer or shared), `attestedBy` and `attestedOn`."),
    key("accounts.file", Kind::Path, NONE, "CSPM_RELAY_ACCOUNTS_FILE", off("/etc/cspm-relay/accounts.csv"), "Names of AWS accounts, a CSV file under the header `accountId,name,organizationalUnit,environment,owner`; the last two columns are optional."),
    key("accounts.organizations", Kind::Switch, is("false"), "CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", SHOWN, "Whether AWS Organizations is asked every hour for names, units and tags of accounts; what the file says wins."),
    key("accounts.tags.owner", Kind::Texts, is("[owner, Owner]"), "CSPM_RELAY_ACCOUNTS_OWNER_TAGS", SHOWN, "Keys of tags, of an account or a resource, that say who owns it; the first that is there counts. In the variable, with commas."),
    key("accounts.tags.environment", Kind::Texts, is("[environment, Environment, env, Env]"), "CSPM_RELAY_ACCOUNTS_ENVIRONMENT_TAGS", SHOWN, "Keys of an account's tags that say which environment it is; the first that is there counts. In the variable, with commas."),
    key("accounts.include", Kind::Accounts, is("[]"), "CSPM_RELAY_ACCOUNTS_INCLUDE", SHOWN, "Accounts whose records are kept; without any, all. An account whose unit is not known is kept where units are named. In the variable, with commas."),
    key("accounts.exclude", Kind::Accounts, is("[]"), "CSPM_RELAY_ACCOUNTS_EXCLUDE", SHOWN, "Accounts whose records are counted as ignored and not sent; wins over `include`. In the variable, with commas."),
    key("accounts.regions", Kind::Regions, is("[]"), "CSPM_RELAY_ACCOUNTS_REGIONS", SHOWN, "Regions whose records are kept; without any, all. Global services (IAM, Organizations, most sign-ins) record in us-east-1. In the variable, with commas."),
    key("findings.products", Kind::Texts, is("[]"), "CSPM_RELAY_FINDINGS_PRODUCTS", SHOWN, "Products whose findings are read, as `[GuardDuty, Security Hub]`; without it all."),
    key("findings.notify", Kind::Word(&["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]), is("HIGH"), "CSPM_RELAY_FINDINGS_NOTIFY", SHOWN, "Least severity at which a finding that is new, worse or open again sends a notice."),
    key("findings.severity", Kind::Texts, is("[]"), "CSPM_RELAY_FINDINGS_SEVERITY", SHOWN, "Severities in place of the products' own, one text each, as `LOW product=Inspector environment=sandbox`; names are product, control, account and environment; the first that fits holds."),
    key("findings.known", Kind::Whole(1_000, 5_000_000), is("150000"), "CSPM_RELAY_FINDINGS_KNOWN", SHOWN, "Findings known at once, each about 250 bytes of memory. When there are more, the oldest resolved ones are let go first."),
    key("deadLetters.folder", Kind::Path, NONE, "", off("/var/lib/cspm-relay/dead-letters"), "Folder for what cannot be read and what New Relic refuses. One of `folder`, `s3`, `queue`; with none, it goes back to its source."),
    key("deadLetters.s3", Kind::S3, NONE, "", off("s3://example-dead-letters/cspm-relay"), "S3 prefix for what cannot be read and what New Relic refuses."),
    key("deadLetters.queue", Kind::QueueUrl, NONE, "", off("https://sqs.eu-west-1.amazonaws.com/111122223333/dead-letters"), "Standard SQS queue, not a FIFO queue, for what cannot be read and what New Relic refuses."),
    key("state.folder", Kind::Path, NONE, "", off("/var/lib/cspm-relay/state"), "Folder for what is known between two records, for the agents of one machine. One of `folder`, `s3`; with none, a restart forgets it."),
    key("state.s3", Kind::S3, NONE, "", off("s3://example-state/cspm-relay"), "S3 prefix for what is known between two records, for any number of agents."),
    key("state.lease", Kind::Time(5 * S, 5 * MIN), is("30s"), "CSPM_RELAY_STATE_LEASE", SHOWN, "Of several agents one leads. How long after it fell silent another takes over."),
    key("posture.regions", Kind::AwsRegions, Absent::Words("off; with `accounts` the event queue's Region, else AWS_REGION; with `aggregator` all of its own"), "CSPM_RELAY_POSTURE_REGIONS", off("[eu-west-1, us-east-1]"), "Regions whose compliance is read from AWS Config. It is read when one of `regions`, `accounts`, `aggregator` is set. In the variable, with commas."),
    key("posture.accounts", Kind::AwsAccounts, Absent::Words("the agent's own; with `aggregator` all of its own"), "CSPM_RELAY_POSTURE_ACCOUNTS", off("[111122223333]"), "Accounts whose compliance is read; several need `role` or `aggregator`. In the variable, with commas."),
    key("posture.aggregator", Kind::Aggregator, NONE, "CSPM_RELAY_POSTURE_AGGREGATOR", off("organization"), "AWS Config aggregator that is asked in place of each account. Together with `role` only where `identity` is on, which reads IAM with it."),
    key("posture.aggregatorRegion", Kind::AwsRegion, Absent::Words("the event queue's, else AWS_REGION"), "CSPM_RELAY_POSTURE_AGGREGATOR_REGION", off("eu-west-1"), "Region where the aggregator is."),
    key("posture.role", Kind::Role, NONE, "CSPM_RELAY_POSTURE_ROLE", off("cspm-relay-read"), "Role that the agent takes in each account to read AWS Config and IAM."),
    key("posture.externalId", Kind::Secret, NONE, "CSPM_RELAY_POSTURE_EXTERNAL_ID", off("file:/run/secrets/external-id"), "External id that the role's trust policy asks for."),
    key("posture.interval", Kind::Time(10 * S, 24 * HOUR), is("6h"), "CSPM_RELAY_POSTURE_INTERVAL", SHOWN, "Time between two readings of everything, which repair what the stream of changes missed."),
    key("posture.summaryInterval", Kind::Time(10 * S, 24 * HOUR), is("1h"), "CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", SHOWN, "Time between two summaries."),
    key("posture.callsPerSecond", Kind::Whole(1, 20), is("2"), "CSPM_RELAY_POSTURE_CALLS_PER_SECOND", SHOWN, "Calls to AWS Config in a second, for each account and Region."),
    key("posture.concurrency", Kind::Whole(1, 512), is("16"), "CSPM_RELAY_POSTURE_CONCURRENCY", SHOWN, "Accounts and Regions that are read at once."),
    key("posture.notify", Kind::Word(&["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]), is("HIGH"), "CSPM_RELAY_POSTURE_NOTIFY", SHOWN, "Least severity of the rule at which a violation that begins sends a notice; a rule of unknown severity, as one of your own, always does. A rule that Security Hub deployed sends none where its findings are heard: they do."),
    key("posture.identity.enabled", Kind::Switch, is("false"), "CSPM_RELAY_POSTURE_IDENTITY", SHOWN, "Whether IAM users, roles and access keys are listed and judged, in `accounts`, with `role`. AWS Config need not be read."),
    key("posture.identity.interval", Kind::Time(10 * S, 7 * 24 * HOUR), is("24h"), "CSPM_RELAY_POSTURE_IDENTITY_INTERVAL", SHOWN, "Time between two inventories. IAM makes its credential report anew every four hours at most."),
    key("posture.identity.unusedDays", Kind::Whole(1, 3_650), is("90"), "CSPM_RELAY_POSTURE_IDENTITY_UNUSED_DAYS", SHOWN, "Days without a use after which an identity or key is unused. Above 400 a role that IAM has no use of is unknown: it keeps no more."),
    key("posture.identity.keyMaxAgeDays", Kind::Whole(1, 3_650), is("90"), "CSPM_RELAY_POSTURE_IDENTITY_KEY_MAX_AGE_DAYS", SHOWN, "Days after which an access key is to be changed."),
    key("posture.identity.lastAccessed", Kind::Switch, is("false"), "CSPM_RELAY_POSTURE_IDENTITY_LAST_ACCESSED", SHOWN, "Whether the services are counted that users and roles may use and did: a job of IAM's for each, so some 2,000 in one run and 100 in each account at most, over-broad ones first."),
    key("changes.wait", Kind::TimeOrOff(0, HOUR), is("10m"), "CSPM_RELAY_CHANGES_WAIT", SHOWN, "How long a configuration item of AWS Config waits for the trail record of who made the change; 0s: it never waits. `off`: nobody is looked for."),
    key("novelty.learning", Kind::Time(HOUR, 365 * 24 * HOUR), is("168h"), "CSPM_RELAY_NOVELTY_LEARNING", SHOWN, "How long an account is watched, by the times of its records, before what a principal calls or where it comes from is called new (`novelty.api`, `novelty.address`): until then 'unknown'. A restart begins anew."),
    key("novelty.memory", Kind::Bytes(0, GIB), is("8MiB"), "CSPM_RELAY_NOVELTY_MEMORY", SHOWN, "Memory for what principals called and where they came from: 8MiB are 500,000 such pairs. Where it is too small the answer is 'unknown', and the heartbeat says so. 0: neither is asked."),
    key("limits.bytesInFlight", Kind::Bytes(MIB, 16 * GIB), is("16MiB"), "CSPM_RELAY_BYTES_IN_FLIGHT", SHOWN, "Packed bytes of objects held at once."),
    key("limits.objectBytes", Kind::Bytes(64_000, GIB), is("64MB"), "CSPM_RELAY_OBJECT_BYTES", SHOWN, "Largest packed object."),
    key("limits.inflatedBytes", Kind::Bytes(MIB, 64 * GIB), is("2GB"), "CSPM_RELAY_INFLATED_BYTES", SHOWN, "Largest unpacked object."),
    key("limits.recordBytes", Kind::Bytes(16_000, 16 * MIB), is("1MiB"), "CSPM_RELAY_RECORD_BYTES", SHOWN, "Largest single record, as JSON."),
    key("limits.bodyBytes", Kind::Bytes(10_000, 1_000_000), is("950kB"), "CSPM_RELAY_BODY_BYTES", SHOWN, "Largest request body before packing."),
    key("limits.packedBodyBytes", Kind::Bytes(1_000, 1_000_000), is("950kB"), "CSPM_RELAY_PACKED_BODY_BYTES", SHOWN, "Largest request body after packing."),
    key("limits.gzipLevel", Kind::Whole(1, 9), is("4"), "CSPM_RELAY_GZIP_LEVEL", SHOWN, "gzip level of request bodies."),
    key("limits.flushAfter", Kind::Time(10, MIN), is("500ms"), "CSPM_RELAY_FLUSH_AFTER", SHOWN, "Oldest age of an unsent batch."),
    key("limits.requestsInFlight", Kind::Whole(1, 64), is("4"), "CSPM_RELAY_REQUESTS_IN_FLIGHT", SHOWN, "Requests under way at once, for each API."),
    key("limits.requestTimeout", Kind::Time(S, 2 * MIN), is("15s"), "CSPM_RELAY_REQUEST_TIMEOUT", SHOWN, "Time for one request; New Relic itself allows 10 s."),
    key("limits.workers", Kind::Whole(1, 64), is("1"), "CSPM_RELAY_WORKERS", SHOWN, "Threads that decode and encode."),
    key("limits.seenRecords", Kind::Whole(0, 10_000_000), is("200000"), "CSPM_RELAY_SEEN_RECORDS", SHOWN, "Settled record ids remembered to recognise copies."),
    key("limits.drain", Kind::Time(S, 2 * MIN), is("15s"), "CSPM_RELAY_DRAIN", SHOWN, "Time to settle what is in flight after a stop signal; handing back the rest takes up to 5 s more. Keep both below the task's stop timeout (ECS: 30 s)."),
    key("health.port", Kind::Whole(1, 65_535), is("8465"), "CSPM_RELAY_HEALTH_PORT", SHOWN, "Port on 127.0.0.1 that `cspm-relay health` asks. One of `port`, `socket`, `off`."),
    key("health.socket", Kind::Path, NONE, "CSPM_RELAY_HEALTH_SOCKET", off("/run/cspm-relay/health.sock"), "Unix socket in place of the port."),
    key("health.off", Kind::Switch, is("false"), "CSPM_RELAY_HEALTH_OFF", off("true"), "No listener at all."),
    key("cost.pricePerGb", Kind::Price, NONE, "CSPM_RELAY_PRICE_PER_GB", off("0.40 USD"), "What New Relic takes for a GB, for `cost`: it depends on the contract."),
    key("telemetry.logFormat", Kind::Word(&["text", "json"]), is("text"), "CSPM_RELAY_LOG_FORMAT", SHOWN, "The agent's own log lines: for people or for machines."),
    key("telemetry.logLevel", Kind::LogFilter, is("info"), "CSPM_RELAY_LOG_LEVEL", SHOWN, "What the agent logs."),
    key("telemetry.heartbeat", Kind::TimeOrOff(S, HOUR), is("1m"), "CSPM_RELAY_HEARTBEAT", SHOWN, "Time between heartbeat events."),
    key("telemetry.timeZone", Kind::TimeZone, Absent::Words("`TZ`, else UTC"), "CSPM_RELAY_TIME_ZONE", off("Asia/Tokyo"), "Time zone of `event.date`, `event.week` and `event.month`."),
];

/// A variable that sets more than one key, or none.
#[derive(Debug, Clone, Copy)]
pub struct SpecialVariable {
    /// Its name.
    pub name: &'static str,
    /// The keys it may set, by its value or by their source's kind.
    pub keys: &'static [&'static str],
    /// What it does.
    pub meaning: &'static str,
}

const fn special(name: &'static str, keys: &'static [&'static str], meaning: &'static str) -> SpecialVariable {
    SpecialVariable { name, keys, meaning }
}

/// Variables that set more than one key, or none.
#[rustfmt::skip]
pub const SPECIAL_VARIABLES: &[SpecialVariable] = &[
    special("CSPM_RELAY_CONFIG", &[], "Path of the file."),
    special("CSPM_RELAY_TRAIL_QUEUE_URL", &["sources[].queueUrl"], "Queue of the `trailBucket` source; adds one when the file has none."),
    special("CSPM_RELAY_EVENT_QUEUE_URL", &["sources[].queueUrl"], "Queue of the `eventQueue` source; adds one when the file has none."),
    special("CSPM_RELAY_DEAD_LETTERS", &["deadLetters.folder", "deadLetters.s3", "deadLetters.queue"], "A folder, s3://bucket/prefix or a queue's URL; replaces all of `deadLetters`."),
    special("CSPM_RELAY_STATE", &["state.folder", "state.s3"], "A folder or s3://bucket/prefix; replaces `state.folder` and `state.s3`."),
];

impl Key {
    /// The variables that set it: its own, and those that set others too.
    pub(super) fn variables(&self) -> impl Iterator<Item = &'static str> {
        let own = Some(self.variable).filter(|name| !name.is_empty());
        let path = self.path;
        own.into_iter()
            .chain(SPECIAL_VARIABLES.iter().filter(move |special| special.keys.contains(&path)).map(|special| special.name))
    }
}

/// Keys that a later version brings, and what they are for. A file that has them is refused, but not as a typing mistake.
pub(super) const LATER_KEYS: &[(&str, &str)] = &[
    ("outputs.events", "events over OTLP"),
    ("sources[].bucket", "listing a bucket without a queue (`buckets` are those that may be read)"),
    ("sources[].logGroups", "reading CloudWatch Logs"),
    ("sources[].listen", "listening for Firehose"),
];

/// Source kinds that a later version brings.
pub(super) const LATER_SOURCE_KINDS: &[&str] = &["bucket", "logGroups", "listen", "configQueue", "findingQueue"];

/// What stands at a schema path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// A value.
    Leaf(&'static Key),
    /// A map of further keys.
    Group,
    /// A list of maps.
    Groups,
    /// A key of a later version: what it is for.
    Later(&'static str),
    /// Nothing.
    Unknown,
}

/// What stands at a schema path, as `sources[].kind`.
pub(super) fn shape(path: &str) -> Shape {
    let below = |next: &str| OPTIONS.iter().any(|key| key.path.strip_prefix(path).is_some_and(|rest| rest.starts_with(next)));
    if let Some(key) = find(path) {
        Shape::Leaf(key)
    } else if below(".") {
        Shape::Group
    } else if below("[]") {
        Shape::Groups
    } else if let Some((_, what)) = LATER_KEYS.iter().find(|(later, _)| *later == path) {
        Shape::Later(what)
    } else {
        Shape::Unknown
    }
}

/// The row of a schema path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    OPTIONS.iter().find(|key| key.path == path)
}

/// The last part of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

/// The keys directly below a schema path (empty: the top), in order, once each.
pub(super) fn children(path: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for key in OPTIONS {
        let rest =
            if path.is_empty() { Some(key.path) } else { key.path.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) };
        if let Some(child) = rest.and_then(|rest| rest.split(['.', '[']).next())
            && !found.contains(&child)
        {
            found.push(child);
        }
    }
    found
}

/// Every variable this program reads.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let of_keys = OPTIONS.iter().map(|key| key.variable).filter(|name| !name.is_empty());
    of_keys.chain(SPECIAL_VARIABLES.iter().map(|special| special.name))
}

/// The option table, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut lines = vec![
        "| key | type | allowed | default | variable | meaning |".to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for key @ Key { path, kind, default, meaning, .. } in OPTIONS {
        let default = match default {
            Absent::Required => "required".to_owned(),
            Absent::Value(value) => format!("`{value}`"),
            Absent::Words(words) => (*words).to_owned(),
        };
        let variables: Vec<String> = key.variables().map(|name| format!("`{name}`")).collect();
        let variable = variables.join(", ");
        // GitHub would take `<region>` for an HTML tag.
        let (kind, allowed) = (kind.name(), kind.allowed().replace('<', "&lt;"));
        lines.push(format!("| `{path}` | {kind} | {allowed} | {default} | {variable} | {meaning} |"));
    }
    lines.extend([String::new(), "| variable | meaning |".to_owned(), "| --- | --- |".to_owned()]);
    lines.extend(SPECIAL_VARIABLES.iter().map(|special| format!("| `{}` | {} |", special.name, special.meaning)));
    lines.join("\n") + "\n"
}
