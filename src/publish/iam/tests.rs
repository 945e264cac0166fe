//! The policy of configurations, and that the table is whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::{Identity, Need, Posture, Source, SourceKind, StatePlace};
use crate::secret::Secret;

fn empty() -> Config {
    Config::stand_in("http://127.0.0.1:1", 1, Secret::new(""))
}

fn trail(url: &str, region: &str, buckets: &[&str]) -> Source {
    let buckets = buckets.iter().map(|bucket| (*bucket).to_owned()).collect();
    let kind = SourceKind::TrailBucket { queue_url: url.to_owned(), region: Some(region.to_owned()), buckets };
    Source { name: "trail".to_owned(), kind }
}

fn documents(statements: &[Statement]) -> Vec<Value> {
    let policy = |statements| Policy { file: String::new(), who: Who::Agent, statements }.json();
    split(statements).into_iter().map(policy).collect()
}

fn role() -> Option<crate::config::Role> {
    crate::config::Role::parse("cspm-relay-read")
}

/// Every source file of this crate but tests, without white space before a dot.
fn sources() -> Vec<(PathBuf, String)> {
    fn gather(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "tests" {
                    gather(&path, found);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") && !name.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("\nmod tests {").next().unwrap();
                let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
                let joined: Vec<&str> = lines.collect();
                found.push((path, joined.join("\n").replace("\n.", ".")));
            }
        }
    }
    let mut found = Vec::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    found
}

/// The calls in a text: what stands behind a client.
fn calls(text: &str) -> Vec<String> {
    let call = regex::Regex::new(r"(?i)\bclient(?:::new\([^()]*\))?\.([a-z0-9_]+)\(\)").unwrap();
    // What a client has beside calls.
    let beside = ["clone", "config"];
    let found = call.captures_iter(text).map(|found| found[1].to_owned());
    found.filter(|name| !beside.contains(&name.as_str())).collect()
}

#[test]
fn every_call_of_an_sdk_has_a_row_and_every_row_a_call() {
    let mut found = BTreeSet::new();
    for (path, text) in sources() {
        if !text.contains("aws_sdk_") && !text.contains("SdkConfigApi") {
            continue;
        }
        let calls = calls(&text);
        if !path.ends_with("cli/doctor/mod.rs") {
            // Each call is sent once in the text: one that the search above does not see shows here.
            assert_eq!(calls.len(), text.matches(".send()").count(), "{}: {calls:?}", path.display());
        }
        found.extend(calls);
        if text.contains("AssumeRoleProvider::builder") {
            found.insert("assume_role".to_owned());
        }
    }
    let listed: BTreeSet<String> = OPERATIONS.iter().map(|operation| operation.call.to_owned()).collect();
    assert_eq!(found, listed, "src/publish/iam/table.rs lists every call: say there which action allows it");
}

#[test]
fn every_action_allows_a_call_and_every_call_is_allowed() {
    let of_rows: BTreeSet<&str> = ROWS.iter().flat_map(|row| row.actions).copied().collect();
    let of_calls: BTreeSet<&str> =
        OPERATIONS.iter().map(|operation| operation.action).filter(|action| !action.is_empty()).collect();
    let beside: BTreeSet<&str> = BESIDE_CALLS.iter().copied().collect();
    assert_eq!(of_rows, &of_calls | &beside);
    let sids: BTreeSet<&str> = ROWS.iter().map(|row| row.sid).collect();
    assert_eq!(sids.len(), ROWS.len(), "a name twice");
    assert!(sids.iter().all(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric())));
}

#[test]
fn a_configuration_that_reads_nothing_of_aws_needs_nothing() {
    for who in [Who::Agent, Who::Role, Who::Letters] {
        assert_eq!(statements(&empty(), who), [], "{who:?}");
    }
    assert_eq!(documents(&[]), Vec::<Value>::new());
}

#[test]
fn a_trail_needs_its_queue_its_bucket_and_no_more() {
    let mut config = empty();
    config.sources = vec![trail("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", "eu-west-1", &["example-trail"])];
    let told = documents(&statements(&config, Who::Agent));
    assert_eq!(
        told,
        [json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "TrailQueue", "Effect": "Allow",
                    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
                    "Resource": ["arn:aws:sqs:eu-west-1:111122223333:trail"],
                },
                {
                    "Sid": "TrailObjects", "Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                    "Resource": ["arn:aws:s3:::example-trail/*AWSLogs/*"],
                },
                { "Sid": "TrailBucket", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::example-trail"] },
                {
                    "Sid": "TrailQueueKey", "Effect": "Allow", "Action": ["kms:Decrypt"],
                    "Resource": ["arn:aws:kms:eu-west-1:*:key/*"],
                    "Condition": { "StringLike": { "kms:ViaService": ["sqs.eu-west-1.*"] } },
                },
                {
                    "Sid": "TrailObjectKey", "Effect": "Allow", "Action": ["kms:Decrypt"],
                    "Resource": ["arn:aws:kms:eu-west-1:*:key/*"],
                    "Condition": { "StringLike": { "kms:ViaService": ["s3.eu-west-1.*"] } },
                },
            ],
        })]
    );
}

fn arns(config: &Config, who: Who) -> Vec<(String, Vec<String>)> {
    statements(config, who).into_iter().map(|statement| (statement.sid, statement.resources)).collect()
}

#[test]
fn arns_are_of_the_partition_of_the_queue() {
    let mut config = empty();
    config.sources = vec![trail("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail", "cn-north-1", &[])];
    config.state.place = Some(StatePlace::S3 { bucket: "state".to_owned(), prefix: "a/".to_owned() });
    let all = arns(&config, Who::Agent);
    assert!(all.iter().flat_map(|(_, arns)| arns).all(|arn| arn.starts_with("arn:aws-cn:")), "{all:?}");
    let of = |sid: &str| all.iter().find(|(found, _)| found == sid).map(|(_, arns)| arns.join(" ")).unwrap_or_default();
    assert_eq!(of("TrailObjects"), "arn:aws-cn:s3:::*/AWSLogs/*");
    assert_eq!((of("StateObjects"), of("StateBucket")), ("arn:aws-cn:s3:::state/a/*".into(), "arn:aws-cn:s3:::state".into()));
}

#[test]
fn other_accounts_are_read_with_the_role_and_its_policy_is_told() {
    let mut config = empty();
    let accounts = vec!["111122223333".to_owned(), "222233334444".to_owned()];
    config.posture = Some(Posture { accounts: accounts.clone(), role: role(), ..Posture::of_region("eu-west-1") });
    config.identity = Some(Identity { accounts, role: role(), ..Identity::of_region("eu-west-1") });
    let sids = |who| statements(&config, who).into_iter().map(|statement| statement.sid).collect::<Vec<_>>();
    assert_eq!(sids(Who::Agent), ["ConfigRules", "ConformancePacks", "ReaderRole", "IdentityInventory"]);
    assert_eq!(sids(Who::Role), ["ConfigRules", "ConformancePacks", "IdentityInventory"]);
    let role = &arns(&config, Who::Agent)[2].1;
    assert_eq!(role, &["arn:aws:iam::111122223333:role/cspm-relay-read", "arn:aws:iam::222233334444:role/cspm-relay-read"]);
    let condition = statements(&config, Who::Role)[0].condition.clone();
    assert_eq!(condition, Some(("StringEquals", "aws:RequestedRegion", vec!["eu-west-1".to_owned()])));
}

#[test]
fn an_aggregator_is_asked_alone() {
    let mut config = empty();
    config.posture = Some(Posture { aggregator: Some("org".into()), regions: vec![], ..Posture::of_region("eu-west-1") });
    let told = statements(&config, Who::Agent);
    let sids: Vec<&str> = told.iter().map(|statement| statement.sid.as_str()).collect();
    assert_eq!(sids, ["ConfigAggregator"]);
    assert_eq!(statements(&config, Who::Role), []);
}

#[test]
fn dead_letters_are_written_by_the_agent_and_read_by_others() {
    let mut config = empty();
    config.dead_letters =
        Some(crate::config::DeadLetters::Queue { url: "https://sqs.eu-west-1.amazonaws.com/111122223333/dead".to_owned() });
    let actions = |who| statements(&config, who).into_iter().flat_map(|statement| statement.actions).collect::<Vec<_>>();
    assert_eq!(actions(Who::Agent), ["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"]);
    assert_eq!(actions(Who::Letters), ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "kms:Decrypt"]);
}

#[test]
fn who_replays_dead_letters_reads_the_objects_again_that_they_name() {
    let mut config = empty();
    config.sources = vec![trail("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", "eu-west-1", &["example-trail"])];
    assert_eq!(statements(&config, Who::Letters), [], "there are no dead letters");
    config.dead_letters = Some(crate::config::DeadLetters::S3 { bucket: "dead".to_owned(), prefix: "relay/".to_owned() });
    let told: Vec<(String, String, String)> = statements(&config, Who::Letters)
        .into_iter()
        .map(|statement| (statement.sid, statement.actions.join(" "), statement.resources.join(" ")))
        .collect();
    let told: Vec<(&str, &str, &str)> = told.iter().map(|(sid, actions, on)| (&**sid, &**actions, &**on)).collect();
    assert_eq!(
        told,
        [
            ("LetterBucketRead", "s3:ListBucket", "arn:aws:s3:::dead"),
            ("LetterObjectsRead", "s3:GetObject s3:PutObject s3:DeleteObject", "arn:aws:s3:::dead/relay/*"),
            ("LetterObjectKeyRead", "kms:Decrypt kms:GenerateDataKey", "arn:aws:kms:*:*:key/*"),
            ("TrailObjectsRead", "s3:GetObject s3:GetObjectVersion", "arn:aws:s3:::example-trail/*AWSLogs/*"),
            ("TrailBucketRead", "s3:ListBucket", "arn:aws:s3:::example-trail"),
            ("TrailObjectKeyRead", "kms:Decrypt", "arn:aws:kms:eu-west-1:*:key/*"),
        ]
    );
    config.accounts.organizations = true;
    let sids: Vec<String> = statements(&config, Who::Letters).into_iter().skip(6).map(|statement| statement.sid).collect();
    assert_eq!(sids, ["AccountNamesRead", "AccountTagsRead"], "what is replayed is named first");
}

#[test]
fn what_is_too_long_for_one_policy_becomes_several_that_say_the_same() {
    let mut config = empty();
    let accounts: Vec<String> = (0..300_u64).map(|number| format!("{:012}", 100_000_000_000 + number)).collect();
    config.posture = Some(Posture { accounts: accounts.clone(), role: role(), ..Posture::of_region("eu-west-1") });
    let all = statements(&config, Who::Agent);
    let documents = documents(&all);
    assert!(documents.len() > 1);
    let mut roles = Vec::new();
    let mut sids = BTreeSet::new();
    for document in &documents {
        assert!(document.to_string().chars().count() <= POLICY_CHARS);
        for statement in document["Statement"].as_array().unwrap() {
            assert!(sids.insert(statement["Sid"].as_str().unwrap().to_owned()), "a name twice");
            if statement["Action"] == json!(["sts:AssumeRole"]) {
                roles.extend(statement["Resource"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()));
            }
        }
    }
    let wanted: Vec<String> = accounts.iter().map(|account| format!("arn:aws:iam::{account}:role/cspm-relay-read")).collect();
    assert_eq!(roles, wanted);
}

/// As they are written, each with what no other has.
const CONFIGURATIONS: [&str; 4] = [
    "sources:
- {kind: trailBucket, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/trail', buckets: [example-trail]}
- {kind: eventQueue, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/events'}
accounts: {organizations: true}
posture: {regions: [eu-west-1], accounts: ['222233334444'], role: cspm-relay-read, identity: {enabled: true, lastAccessed: true}}
state: {s3: s3://example-state/relay}
deadLetters: {s3: s3://example-letters/relay}
",
    "posture: {aggregator: organization, aggregatorRegion: eu-west-1}",
    "deadLetters: {queue: 'https://sqs.eu-west-1.amazonaws.com/111122223333/letters'}",
    "posture: {identity: {enabled: true}}
sources:
- {kind: eventQueue, queueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/events'}
",
];

fn written(text: &str) -> Config {
    let nothing = std::collections::BTreeMap::<String, String>::new();
    let text = format!("version: 1\n{text}");
    Config::of_text(Need::LOCAL, text.as_bytes(), &nothing).unwrap_or_else(|faults| panic!("{text}\n{faults}"))
}

#[test]
fn every_row_is_printed_for_some_configuration() {
    let policies: Vec<Policy> = CONFIGURATIONS.iter().flat_map(|text| policies(&written(text))).collect();
    for row in ROWS {
        let printed = policies.iter().filter(|policy| policy.who == row.who).flat_map(|policy| &policy.statements);
        let mut found = printed.filter(|statement| statement.sid == row.sid).map(|statement| &statement.actions);
        assert_eq!(found.next().map(Vec::as_slice), Some(row.actions), "{}", row.sid);
        if row.who == Who::Agent && row.topic.is_taken_with_role() {
            let role = policies.iter().filter(|policy| policy.who == Who::Role).flat_map(|policy| &policy.statements);
            assert!(role.into_iter().any(|statement| statement.sid == row.sid), "{} with the role", row.sid);
        }
    }
}

#[test]
fn parts_of_a_policy_are_numbered_and_each_is_told_whose_it_is() {
    let mut config = written(CONFIGURATIONS[0]);
    let files = |config: &Config| policies(config).into_iter().map(|policy| (policy.file, policy.who)).collect::<Vec<_>>();
    let named = |files: &[(&str, Who)]| files.iter().map(|(file, who)| ((*file).to_owned(), *who)).collect::<Vec<_>>();
    let [agent, role, letters] =
        [("iam-policy.json", Who::Agent), ("iam-role-policy.json", Who::Role), ("iam-letters-policy.json", Who::Letters)];
    assert_eq!(files(&config), named(&[agent, role, letters]));
    let many = (0..100_u64).map(|number| format!("{:012}", 100_000_000_000 + number)).collect();
    config.posture.as_mut().unwrap().accounts = many;
    assert_eq!(
        files(&config),
        named(&[agent, ("iam-policy-2.json", Who::Agent), ("iam-policy-3.json", Who::Agent), role, letters])
    );
}
