//! What `check` says of compliance and of state.
//!
//! In: a good configuration. Out: a line for each, for people and for machines, and what is allowed, but seldom meant. What
//! always holds: no external id is printed.

use std::time::Duration;

use serde_json::{Value, json};

use super::count;
use crate::config::Config;

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

/// What is allowed, but seldom meant.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let forgetful = config.posture.is_some() && config.state.place.is_none();
    let text = "compliance is read and no state is kept: a restart forgets since when a resource violates a rule, and two agents \
                both read and send everything. Set state.s3 or state.folder, or CSPM_RELAY_STATE";
    forgetful.then(|| text.to_owned()).into_iter().collect()
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
    use crate::config::{Posture, Role, StatePlace};
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
}
