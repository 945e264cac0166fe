//! What `check` says of compliance, of identities, of state and of what is remembered.
//!
//! In: a good configuration. Out: a line for each, for people and for machines, and what is allowed, but seldom meant. What
//! always holds: no external id is printed.

use std::time::Duration;

use serde_json::{Value, json};

use super::count;
use crate::config::{Config, Identity, SourceKind, StatePlace};
use crate::source::iam::sdk::{ACTIONS, SERVICE_ACTIONS};

/// What is read of AWS Config.
pub(super) fn posture(config: &Config) -> String {
    let Some(posture) = &config.posture else { return "not read".to_owned() };
    let regions = if posture.regions.is_empty() { "all its Regions".to_owned() } else { posture.regions.join(", ") };
    let accounts = match (posture.accounts.len(), &posture.aggregator) {
        (0, Some(_)) => "all its accounts".to_owned(),
        (0, None) => "its own account".to_owned(),
        (number, _) => count(number, "account"),
    };
    let how = match (&posture.aggregator, &posture.role) {
        (Some(name), _) => format!("aggregator {name} in {}: ", posture.home),
        (None, Some(role)) => format!("role {role}: "),
        (None, None) => String::new(),
    };
    format!("{how}{accounts}, {regions}, every {}", time(posture.interval))
}

/// The same for machines.
pub(super) fn posture_json(config: &Config) -> Value {
    config.posture.as_ref().map_or(Value::Null, |posture| {
        json!({
            "regions": posture.regions, "accounts": posture.accounts, "aggregator": posture.aggregator, "home": posture.home,
            "role": posture.role.as_ref().map(ToString::to_string), "intervalSeconds": posture.interval.as_secs(),
            "summaryIntervalSeconds": posture.summary_interval.as_secs(), "callsPerSecond": posture.calls_per_second,
            "concurrency": posture.concurrency,
        })
    })
}

/// What is read of IAM, and the permissions that it takes.
pub(super) fn identity(config: &Config) -> String {
    let Some(identity) = &config.identity else { return "not read".to_owned() };
    let accounts = match (identity.accounts.len(), &identity.aggregator, &identity.role) {
        (_, Some(_), None) | (0, None, _) => "its own account".to_owned(),
        (0, Some(name), Some(_)) => format!("all accounts of aggregator {name}"),
        (number, ..) => count(number, "account"),
    };
    let how = identity.role.as_ref().map(|role| format!("role {role}: ")).unwrap_or_default();
    format!("{how}{accounts}, every {}; needs {}", time(identity.interval), actions(identity).join(", "))
}

/// The actions of IAM that the role, or the agent itself, needs.
fn actions(identity: &Identity) -> Vec<&'static str> {
    let services = if identity.last_accessed { &SERVICE_ACTIONS[..] } else { &[] };
    ACTIONS.iter().chain(services).copied().collect()
}

/// The same for machines.
pub(super) fn identity_json(config: &Config) -> Value {
    config.identity.as_ref().map_or(Value::Null, |identity| {
        json!({
            "accounts": identity.accounts, "aggregator": identity.aggregator, "home": identity.home,
            "role": identity.role.as_ref().map(ToString::to_string), "intervalSeconds": identity.interval.as_secs(),
            "unusedDays": identity.unused_days, "keyMaxAgeDays": identity.key_max_age_days,
            "lastAccessed": identity.last_accessed, "callsPerSecond": identity.calls_per_second, "actions": actions(identity),
        })
    })
}

/// Where state is kept.
pub(super) fn state(config: &Config) -> String {
    match &config.state.place {
        Some(place) => format!("{place}, lease {}", time(config.state.lease)),
        None => "in memory".to_owned(),
    }
}

/// The same for machines.
pub(super) fn state_json(config: &Config) -> Value {
    json!({ "place": config.state.place.as_ref().map(ToString::to_string), "leaseSeconds": config.state.lease.as_secs() })
}

/// What is remembered of what principals did.
pub(super) fn novelty(config: &Config) -> String {
    match config.novelty.memory {
        0 => "not asked".to_owned(),
        bytes => format!("learned for {}, in {bytes} bytes of memory", time(config.novelty.learning)),
    }
}

/// The same for machines.
pub(super) fn novelty_json(config: &Config) -> Value {
    json!({ "memoryBytes": config.novelty.memory, "learningSeconds": config.novelty.learning.as_secs() })
}

/// What is allowed, but seldom meant.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_forgotten = config.state.place.is_none();
    if config.posture.is_some() && is_forgotten {
        warnings.push(
            "compliance is read and no state is kept: a restart forgets since when a resource violates a rule, and two agents \
             both read and send everything. Set state.s3 or state.folder, or CSPM_RELAY_STATE"
                .to_owned(),
        );
    } else if config.sources.iter().any(|source| matches!(source.kind, SourceKind::EventQueue { .. })) && is_forgotten {
        warnings.push(
            "events are read and no state is kept: after a restart every finding is new, and what began within a day pages once \
             more; so does all that Security Hub tells when it is switched on. Set state.s3 or state.folder, or CSPM_RELAY_STATE"
                .to_owned(),
        );
    } else if config.identity.is_some() && is_forgotten {
        warnings.push(
            "IAM is read and no state is kept: every restart reads it anew, and two agents both read and send everything. Set \
             state.s3 or state.folder, or CSPM_RELAY_STATE"
                .to_owned(),
        );
    }
    let reads_trail = config.sources.iter().any(|source| matches!(source.kind, SourceKind::TrailBucket { .. }));
    if config.novelty.memory > 0 && reads_trail && matches!(config.state.place, Some(StatePlace::S3 { .. })) {
        warnings.push(
            "novelty.api and novelty.address are what each agent has read itself since it started: where several agents share \
             the trail's queue, what is new to one another may know. When a call was seen first by any of them: SELECT \
             min(event.time) FROM AwsSecurityEvent FACET aws.accountId, actor.sessionIssuer, event.name SINCE 30 days ago LIMIT \
             MAX"
            .to_owned(),
        );
    }
    if let Some(identity) = config.identity.as_ref().filter(|identity| identity.aggregator.is_some() && identity.role.is_none()) {
        let others = if identity.accounts.is_empty() { "" } else { ", though posture.accounts names some" };
        warnings.push(format!(
            "posture.identity reads only the agent's own account{others}: an aggregator knows nothing of IAM. Set posture.role to \
             read the others"
        ));
    }
    warnings
}

/// A time with the largest unit that leaves no rest.
fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds >= 3600 && seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} m", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Posture, Role, Source};
    use crate::secret::Secret;

    #[test]
    fn compliance_and_state_are_told() {
        let mut config = Config::stand_in("http://127.0.0.1:1", 1, Secret::new(""));
        assert_eq!((posture(&config), state(&config), warnings(&config).len()), ("not read".into(), "in memory".into(), 0));
        assert_eq!(posture_json(&config), Value::Null);
        let base = Posture { external_id: Some(Secret::new("hidden-id")), ..Posture::of_region("eu-west-1") };
        let accounts = vec!["111122223333".to_owned(), "222233334444".to_owned()];
        let role = Role::parse("read");
        let all = Posture { regions: Vec::new(), aggregator: Some("org".to_owned()), ..base.clone() };
        for (set, told) in [
            (base.clone(), "its own account, eu-west-1, every 6 h"),
            (Posture { accounts, role, ..base.clone() }, "role read: 2 accounts, eu-west-1, every 6 h"),
            (all, "aggregator org in eu-west-1: all its accounts, all its Regions, every 6 h"),
            (Posture { interval: Duration::from_secs(90), ..base }, "its own account, eu-west-1, every 90 s"),
        ] {
            config.posture = Some(set);
            assert_eq!(posture(&config), told);
            assert!(!posture_json(&config).to_string().contains("hidden-id"));
        }
        assert!(matches!(&*warnings(&config), [warning] if warning.contains("CSPM_RELAY_STATE")));
        config.state.place = Some(StatePlace::S3 { bucket: "b".to_owned(), prefix: "p".to_owned() });
        assert_eq!((state(&config), warnings(&config).len()), ("s3://b/p, lease 30 s".into(), 0));
        assert_eq!(state_json(&config), json!({ "place": "s3://b/p", "leaseSeconds": 30 }));
    }

    /// S0-04: what is remembered of findings is lost at a restart, where nothing but their events is read, too.
    #[test]
    fn findings_without_a_state_are_warned_of() {
        let mut config = Config::stand_in("http://127.0.0.1:1", 1, Secret::new(""));
        let url = || "https://sqs.eu-west-1.amazonaws.com/111122223333/queue".to_owned();
        let trail = SourceKind::TrailBucket { queue_url: url(), region: None, buckets: Vec::new() };
        config.sources = vec![Source { name: "trail".to_owned(), kind: trail }];
        assert_eq!(warnings(&config), Vec::<String>::new());
        let events = SourceKind::EventQueue { queue_url: url(), region: None };
        config.sources.push(Source { name: "events".to_owned(), kind: events });
        assert!(matches!(&*warnings(&config), [warning] if warning.starts_with("events are read and no state is kept")));
        config.identity = Some(Identity::of_region("eu-west-1"));
        assert_eq!(warnings(&config).len(), 1, "one is enough");
        config.state.place = Some(StatePlace::Folder("/state".into()));
        assert_eq!(warnings(&config), Vec::<String>::new());
    }

    /// S1-23: of several agents each knows what it has read; those of one machine share a folder, and may be one.
    #[test]
    fn novelty_of_several_agents_is_warned_of() {
        let mut config = Config::stand_in("http://127.0.0.1:1", 1, Secret::new(""));
        assert_eq!(novelty(&config), "learned for 168 h, in 8388608 bytes of memory");
        assert_eq!(novelty_json(&config), json!({ "memoryBytes": 8 << 20, "learningSeconds": 604_800 }));
        let s3 = || Some(StatePlace::S3 { bucket: "b".to_owned(), prefix: "p".to_owned() });
        config.state.place = s3();
        assert_eq!(warnings(&config), Vec::<String>::new(), "nothing is read");
        let queue_url = "https://sqs.eu-west-1.amazonaws.com/111122223333/queue".to_owned();
        let kind = SourceKind::TrailBucket { queue_url, region: None, buckets: Vec::new() };
        config.sources = vec![Source { name: "trail".to_owned(), kind }];
        assert!(matches!(&*warnings(&config), [warning] if warning.starts_with("novelty.api and novelty.address")));
        config.state.place = Some(StatePlace::Folder("/state".into()));
        assert_eq!(warnings(&config), Vec::<String>::new());
        config.state.place = s3();
        config.novelty.memory = 0;
        assert_eq!((warnings(&config), novelty(&config)), (Vec::new(), "not asked".to_owned()));
    }

    /// S1-18: whom IAM is asked about, and what it takes.
    #[test]
    fn the_inventory_of_iam_is_told_with_its_permissions() {
        let mut config = Config::stand_in("http://127.0.0.1:1", 1, Secret::new(""));
        assert_eq!((identity(&config), identity_json(&config)), ("not read".into(), Value::Null));
        let base = Identity { external_id: Some(Secret::new("hidden-id")), ..Identity::of_region("eu-west-1") };
        let role = Role::parse("read");
        let two = vec!["111122223333".to_owned(), "222233334444".to_owned()];
        let aggregator = Some("org".to_owned());
        let needs = "every 24 h; needs iam:GenerateCredentialReport, iam:GetCredentialReport, iam:GetAccountAuthorizationDetails";
        for (set, told, warned) in [
            (base.clone(), "its own account, ", 1),
            (Identity { accounts: two.clone(), role: role.clone(), ..base.clone() }, "role read: 2 accounts, ", 1),
            (Identity { aggregator: aggregator.clone(), ..base.clone() }, "its own account, ", 2),
            (Identity { aggregator: aggregator.clone(), accounts: two, ..base.clone() }, "its own account, ", 2),
            (Identity { aggregator, role, ..base.clone() }, "role read: all accounts of aggregator org, ", 1),
        ] {
            config.identity = Some(set);
            assert_eq!(identity(&config), format!("{told}{needs}"));
            assert_eq!(warnings(&config).len(), warned, "{told}");
            assert!(!identity_json(&config).to_string().contains("hidden-id"));
        }
        config.identity = Some(Identity { last_accessed: true, ..base });
        assert!(identity(&config).ends_with("iam:GenerateServiceLastAccessedDetails, iam:GetServiceLastAccessedDetails"));
        assert_eq!(identity_json(&config)["actions"].as_array().map(Vec::len), Some(5));
    }
}
