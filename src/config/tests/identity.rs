//! What switches the inventory of IAM on, and whom it asks.

use super::*;
use crate::config::Identity;

const EVENTS: &str = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/events";

fn with(lines: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let sources = format!("[{{kind: eventQueue, queueUrl: '{EVENTS}'}}]");
    load(format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nsources: {sources}\n{lines}\n"), pairs)
}

/// S1-18: only its own switch turns it on, and it turns on nothing else.
#[test]
fn identities_are_read_only_when_their_switch_is_on() {
    let tokyo = || Identity::of_region("ap-northeast-1");
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let two = texts(&["111122223333", "012345678901"]);
    let role = Role::parse("r");
    let aggregator = Some("org".to_owned());
    for (name, lines, reads_config, expected) in [
        ("nothing", "", false, None),
        ("all but the switch", "posture: {identity: {interval: 1h, unusedDays: 3, lastAccessed: true}}", false, None),
        ("off", "posture: {regions: [eu-west-1], identity: {enabled: false}}", true, None),
        ("alone", "posture: {identity: {enabled: true}}", false, Some(tokyo())),
        (
            "numbers",
            "posture: {callsPerSecond: 7, identity: {enabled: true, interval: 168h, unusedDays: 45, keyMaxAgeDays: 30, lastAccessed: true}}",
            false,
            Some(Identity {
                interval: Duration::from_hours(168),
                unused_days: 45,
                key_max_age_days: 30,
                last_accessed: true,
                calls_per_second: 7,
                ..tokyo()
            }),
        ),
        (
            "accounts by role",
            "posture: {accounts: [111122223333, 012345678901], role: r, identity: {enabled: true}}",
            true,
            Some(Identity { accounts: two.clone(), role: role.clone(), ..tokyo() }),
        ),
        (
            "all of an aggregator by role",
            "posture: {aggregator: org, role: r, identity: {enabled: true}}",
            true,
            Some(Identity { aggregator: aggregator.clone(), role, ..tokyo() }),
        ),
        (
            "an aggregator",
            "posture: {aggregator: org, identity: {enabled: true}}",
            true,
            Some(Identity { aggregator, ..tokyo() }),
        ),
    ] {
        let config = with(lines, &[]).expect(name);
        assert_eq!((config.posture.is_some(), config.identity), (reads_config, expected), "{name}");
        assert_eq!(
            config.posture.filter(|posture| posture.aggregator.is_some()).and_then(|posture| posture.role),
            None,
            "{name}"
        );
    }
}

#[test]
fn identities_can_be_set_by_variables_alone() {
    let pairs = [
        ("NEW_RELIC_LICENSE_KEY", LICENSE),
        ("NEW_RELIC_ACCOUNT_ID", "1"),
        ("AWS_REGION", "cn-north-1"),
        ("CSPM_RELAY_POSTURE_IDENTITY", "true"),
        ("CSPM_RELAY_POSTURE_IDENTITY_INTERVAL", "12h"),
        ("CSPM_RELAY_POSTURE_IDENTITY_UNUSED_DAYS", "30"),
        ("CSPM_RELAY_POSTURE_IDENTITY_KEY_MAX_AGE_DAYS", "60"),
        ("CSPM_RELAY_POSTURE_IDENTITY_LAST_ACCESSED", "true"),
    ];
    // Without a queue, too: there is something to do.
    let config = load("version: 1\n", &pairs).expect("a configuration");
    let expected = Identity {
        interval: Duration::from_hours(12),
        unused_days: 30,
        key_max_age_days: 60,
        last_accessed: true,
        ..Identity::of_region("cn-north-1")
    };
    assert_eq!((config.identity, config.posture, config.sources.len()), (Some(expected), None, 0));
}

#[test]
fn faults_of_identities_are_told_with_what_is_allowed() {
    let lines = "
posture:
  accounts: ['111122223333', '222233334444']
  identity: {enabled: yes please, interval: 8s, unusedDays: 0, keyMaxAgeDays: 4000, lastAcessed: true}";
    insta::assert_snapshot!(with(lines, &[]).unwrap_err(), @r#"
    config relay.yml: 6 problems
      posture.identity.lastAcessed (line 7): unknown key
        hint: did you mean `lastAccessed`?
      posture.identity.enabled (line 7): not true or false (was "yes please")
        allowed: true, false
      posture.identity.interval (line 7): out of range (was "8s")
        allowed: 10s to 168h
      posture.identity.unusedDays (line 7): out of range (was "0")
        allowed: 1 to 3650
      posture.identity.keyMaxAgeDays (line 7): out of range (was "4000")
        allowed: 1 to 3650
      posture.role: missing: 2 accounts, of which the agent can read only its own
        allowed: a role's name, or its ARN as arn:aws:iam::{account}:role/name
        hint: write posture.role, or posture.aggregator where there is one
    "#);
    let trail = load(
        format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nposture: {{identity: {{enabled: true}}}}\n"),
        &[("CSPM_RELAY_TRAIL_QUEUE_URL", "https://sqs.ap-northeast-1.amazonaws.com/111122223333/trail")],
    );
    assert_eq!(trail.unwrap().identity.unwrap().home, "ap-northeast-1", "IAM has one place, whatever Region is asked");
    let nowhere = load(
        format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nposture: {{identity: {{enabled: true}}}}\n"),
        &[],
    );
    insta::assert_snapshot!(nowhere.unwrap_err(), @"
    config relay.yml: 1 problem
      posture.regions: missing: there is no eventQueue source whose Region could be taken
        allowed: [AWS Region, …], as [eu-west-1, us-east-1]
        hint: set AWS_REGION; or name the Regions that are read, here or in CSPM_RELAY_POSTURE_REGIONS
    ");
}
