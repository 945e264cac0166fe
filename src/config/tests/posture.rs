//! What switches compliance on, what it asks, and where state is kept.

use super::*;

const EVENTS: &str = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/events";

/// The configuration of the agent with these lines and variables.
fn with(lines: &str, pairs: &[(&str, &str)]) -> Result<Config, String> {
    let sources = format!("[{{kind: trailBucket, queueUrl: '{TRAIL}'}}, {{kind: eventQueue, queueUrl: '{EVENTS}'}}]");
    let text = format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\nsources: {sources}\n{lines}\n");
    load(text, pairs)
}

#[test]
fn compliance_is_read_when_regions_accounts_or_an_aggregator_are_set() {
    let tokyo = || Posture::of_region("ap-northeast-1");
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let two = texts(&["111122223333", "012345678901"]);
    let aggregator = Some("org".to_owned());
    for (name, lines, expected) in [
        ("nothing", "", None),
        ("only times", "posture: {interval: 1h, role: r}", None),
        ("empty lists", "posture: {regions: [], accounts: []}", None),
        ("regions", "posture: {regions: [eu-west-1]}", Some(Posture { regions: texts(&["eu-west-1"]), ..tokyo() })),
        ("own account", "posture: {accounts: ['111122223333']}", Some(Posture { accounts: texts(&["111122223333"]), ..tokyo() })),
        (
            "accounts by role",
            "posture: {accounts: [111122223333, 012345678901], role: 'arn:aws:iam::{account}:role/r'}",
            Some(Posture { accounts: two.clone(), role: Role::parse("arn:aws:iam::{account}:role/r"), ..tokyo() }),
        ),
        (
            "all of an aggregator",
            "posture: {aggregator: org}",
            Some(Posture { aggregator: aggregator.clone(), regions: Vec::new(), ..tokyo() }),
        ),
        (
            "some of an aggregator",
            "posture: {aggregator: org, accounts: [111122223333, 012345678901], regions: [us-east-1]}",
            Some(Posture { aggregator, accounts: two, regions: texts(&["us-east-1"]), ..tokyo() }),
        ),
        (
            "numbers",
            "posture: {regions: [ap-northeast-1], interval: 1m, summaryInterval: 10s, callsPerSecond: 20, concurrency: 512}",
            Some(Posture {
                interval: Duration::from_mins(1),
                summary_interval: Duration::from_secs(10),
                calls_per_second: 20,
                concurrency: 512,
                ..tokyo()
            }),
        ),
    ] {
        assert_eq!(with(lines, &[]).unwrap().posture, expected, "{name}");
    }
}

#[test]
fn compliance_and_state_can_be_set_by_variables_alone() {
    let pairs = [
        ("CSPM_RELAY_POSTURE_REGIONS", "eu-west-1, us-east-1"),
        ("CSPM_RELAY_POSTURE_ACCOUNTS", "111122223333,222233334444"),
        ("CSPM_RELAY_POSTURE_ROLE", "read"),
        ("CSPM_RELAY_POSTURE_EXTERNAL_ID", "env:EXTERNAL"),
        ("EXTERNAL", "shared-words"),
        ("CSPM_RELAY_POSTURE_INTERVAL", "2h"),
        ("CSPM_RELAY_POSTURE_SUMMARY_INTERVAL", "30m"),
        ("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "1"),
        ("CSPM_RELAY_POSTURE_CONCURRENCY", "2"),
        ("CSPM_RELAY_STATE", "s3://example-state/relay/"),
        ("CSPM_RELAY_STATE_LEASE", "5s"),
    ];
    // What the variable names replaces the file's place, and leaves the lease.
    let config = with("state: {folder: /a, lease: 1m}", &pairs).unwrap();
    let s3 = StatePlace::S3 { bucket: "example-state".to_owned(), prefix: "relay/".to_owned() };
    assert_eq!(config.state, State { place: Some(s3), lease: Duration::from_secs(5) });
    let posture = config.posture.unwrap();
    assert_eq!(posture.external_id.as_ref().map(Secret::expose), Some("shared-words"));
    assert!(!format!("{posture:?}").contains("shared-words"));
    let expected = Posture {
        regions: vec!["eu-west-1".to_owned(), "us-east-1".to_owned()],
        accounts: vec!["111122223333".to_owned(), "222233334444".to_owned()],
        role: Role::parse("read"),
        external_id: Some(Secret::new("shared-words")),
        interval: Duration::from_hours(2),
        summary_interval: Duration::from_mins(30),
        calls_per_second: 1,
        concurrency: 2,
        ..Posture::of_region("ap-northeast-1")
    };
    assert_eq!(posture, expected);
    let folder = with("state: {s3: 's3://abc', lease: 1m}", &[("CSPM_RELAY_STATE", "/var/state")]).unwrap().state;
    assert_eq!(folder, State { place: Some(StatePlace::Folder("/var/state".into())), lease: Duration::from_mins(1) });
}

/// A Region is there: that of the event queue, else the one of AWS tools, else the first that is named.
#[test]
fn the_region_that_is_asked_is_found_or_missed() {
    let load = |lines: &str, region: &str| {
        let pairs = [("AWS_REGION", region), ("CSPM_RELAY_TRAIL_QUEUE_URL", TRAIL)];
        load(format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\n{lines}\n"), &pairs)
    };
    let home = |lines: &str, region: &str| load(lines, region).unwrap().posture.unwrap().home;
    assert_eq!(home("posture: {aggregator: org}", "eu-north-1"), "eu-north-1");
    assert_eq!(home("posture: {regions: [us-east-1, us-east-2]}", ""), "us-east-1");
    // What is written wins: another machine has another AWS_REGION.
    assert_eq!(home("posture: {aggregator: org, aggregatorRegion: eu-west-3}", "eu-north-1"), "eu-west-3");
    insta::assert_snapshot!(load("posture: {regions: [us-east-1], aggregatorRegion: eu-west-3}", "").unwrap_err(), @"
    config relay.yml: 1 problem
      posture.aggregatorRegion (line 3): there is no posture.aggregator that has it
        hint: write posture.aggregator, or remove it
    ");
    insta::assert_snapshot!(load("posture: {aggregator: org}", "").unwrap_err(), @"
    config relay.yml: 1 problem
      posture.regions: missing: there is no eventQueue source whose Region could be taken
        allowed: [AWS Region, …], as [eu-west-1, us-east-1]
        hint: set AWS_REGION; or name the Regions that are read, here or in CSPM_RELAY_POSTURE_REGIONS
    ");
}

#[test]
fn all_faults_of_compliance_and_state_are_told_at_once() {
    let lines = "
posture:
  regions: [eu-west-1, Ireland, eu-west-1]
  accounts: [11112222333, organization, '111122223333', '222233334444']
  aggregator: my org
  externalId: 'bad id'
  interval: 25h
  summaryInterval: 9s
  callsPerSecond: 21
  concurrency: 0
  intervall: 1h
state: {folder: S3://bucket/x, s3: nowhere, lease: 4s}";
    let text = with(lines, &[]).unwrap_err();
    assert!(!text.contains("bad id"), "{text}");
    insta::assert_snapshot!(text, @r#"
    config relay.yml: 15 problems
      posture.regions[1] (line 6): not an AWS Region (was "Ireland")
        allowed: [AWS Region, …], as [eu-west-1, us-east-1]
      posture.regions (line 6): the same twice (was "eu-west-1")
        hint: write it once
      posture.accounts[0] (line 7): not an AWS account id (was "11112222333")
        allowed: [AWS account id, …]: 12 digits each
      posture.accounts[1] (line 7): not an AWS account id (was "organization")
        allowed: [AWS account id, …]: 12 digits each
      posture.aggregator (line 8): not an aggregator's name (was "my org")
        allowed: 1 to 256 letters, digits, `_`, `-`
      posture.externalId (line 9): not an external id (was ****)
        allowed: the key itself, file:/path or env:NAME
        hint: AWS allows 2 to 1224 letters, digits and `_+=,.@:/-`
      posture.externalId (line 9): there is no posture.role to take with it
        hint: write posture.role, or remove it
      posture.interval (line 10): out of range (was "25h")
        allowed: 10s to 24h
      posture.summaryInterval (line 11): out of range (was "9s")
        allowed: 10s to 24h
      posture.callsPerSecond (line 12): out of range (was "21")
        allowed: 1 to 20
      posture.concurrency (line 13): out of range (was "0")
        allowed: 1 to 512
      posture.intervall (line 14): unknown key
        hint: did you mean `interval`?
      state.lease (line 15): out of range (was "4s")
        allowed: 5s to 5m
      state.s3 (line 15): state.folder is written too
        allowed: one of state.folder, state.s3
        hint: remove the others
      state.folder (line 15): an address, not a folder (was "S3://bucket/x")
        allowed: a folder's path, or s3://bucket/prefix
        hint: did you mean s3://…? in a file they are state.folder and state.s3
    "#);
}

#[test]
fn what_cannot_stand_together_is_told() {
    for (name, lines, expected) in [
        ("aggregator and role", "posture: {aggregator: a, role: r}", "posture.role (line 4): posture.aggregator is written too"),
        ("id without role", "posture: {regions: [eu-west-1], externalId: abc}", "there is no posture.role to take with it"),
        (
            "accounts without role",
            "posture: {accounts: ['111122223333', '222233334444']}",
            "posture.role: missing: 2 accounts, of which the agent can read only its own",
        ),
        ("role of one account", "posture: {role: 'arn:aws:iam::111122223333:role/r'}", "or an ARN for every account (was"),
        ("two places", "state: {folder: /a, s3: 's3://abc'}", "state.s3 (line 4): state.folder is written too"),
        (
            "mistyped address",
            "state: {folder: 'S3://abc/d'}",
            "hint: did you mean s3://…? in a file they are state.folder and state.s3",
        ),
        ("a queue", "state: {folder: 'https://sqs.eu-west-1.amazonaws.com/111122223333/q'}", "an address, not a folder"),
        (
            "state among letters",
            "state: {folder: /var/x/state}\ndeadLetters: {folder: /var/x}",
            "state.folder (line 4): inside the place of deadLetters (was \"/var/x/state\")",
        ),
        (
            "state where letters are",
            "state: {s3: 's3://abc/x'}\ndeadLetters: {s3: 's3://abc/x/'}",
            "inside the place of deadLetters",
        ),
        ("lease too short", "state: {lease: 4s}", "out of range (was \"4s\")\n    allowed: 5s to 5m"),
        ("later word", "posture: {accounts: [all]}", "posture.accounts[0] (line 4): not an AWS account id (was \"all\")"),
    ] {
        let text = with(lines, &[]).unwrap_err();
        assert!(text.starts_with("config relay.yml: 1 problem\n"), "{name}: {text}");
        assert!(text.contains(expected), "{name}: {text}");
    }
    with("state: {s3: 's3://abc/xy'}\ndeadLetters: {s3: 's3://abc/x'}", &[]).unwrap();
}

#[test]
fn aws_config_alone_is_something_to_read_and_its_settings_alone_are_not() {
    let only = |lines: &str, pairs: &[(&str, &str)]| {
        load(format!("version: 1\nnewrelic: {{accountId: 1, licenseKey: {LICENSE}}}\n{lines}\n"), pairs)
    };
    for (lines, pairs) in [
        ("posture: {regions: [eu-west-1]}", &[][..]),
        ("posture: {accounts: ['111122223333']}", &[("AWS_REGION", "eu-west-1")]),
        ("posture: {aggregator: org}", &[("AWS_REGION", "eu-west-1")]),
        ("", &[("CSPM_RELAY_POSTURE_REGIONS", "eu-west-1")]),
    ] {
        let config = only(lines, pairs).unwrap();
        assert!(config.sources.is_empty() && config.posture.is_some(), "{lines} {pairs:?}");
    }
    for lines in ["posture: {interval: 1h, role: r}", "posture: {regions: []}", ""] {
        let text = only(lines, &[("AWS_REGION", "eu-west-1")]).unwrap_err();
        assert!(text.contains("1 problem\n  sources: missing: nothing to read from\n"), "{lines}: {text}");
    }
    // One fault, not two: it is plain what was meant.
    for lines in ["posture: {regions: [Ireland]}", "posture: {aggregator: org}", "posture: {regions: {}}"] {
        let text = only(lines, &[]).unwrap_err();
        assert!(text.contains("1 problem\n  posture.regions"), "{lines}: {text}");
    }
}

/// Only the agent takes roles.
#[test]
fn a_replay_needs_no_external_id() {
    let pairs = [("CSPM_RELAY_POSTURE_EXTERNAL_ID", "file:/nowhere"), ("CSPM_RELAY_POSTURE_ROLE", "r")];
    assert!(Config::load_for(Need::LOCAL, None, &env(&pairs)).is_ok());
}
