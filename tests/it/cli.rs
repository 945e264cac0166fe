//! What people and scripts see of the commands that move no records: words, formats, exit codes. The whole text is held in
//! `tests/golden`; a change there is a change of the product (`INSTA_UPDATE=always` writes it, and the diff is to be read).

use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;

use super::support::agent::{self, ACCOUNT_ID, Agent, Finished, LICENSE_KEY, is_lean};
use super::support::aws::emulator;
use super::support::eventually;
use super::support::scene::{Scene, objects, stopped};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/trail";

/// A rule that matches `CreateUser`, and samples that say when.
fn rule(name: &str, call_that_matches: &str, call_that_does_not: &str) -> String {
    let record = |call: &str| {
        format!("{{eventVersion: '1.11', eventTime: '2026-11-21T20:14:31Z', eventSource: iam.amazonaws.com, eventName: {call}}}")
    };
    format!(
        "title: A user was created\nname: {name}\nlogsource: {{product: aws, service: cloudtrail}}\ndetection:\n  \
         sel: {{eventSource: iam.amazonaws.com, eventName: CreateUser}}\n  condition: sel\nlevel: low\ncspm:\n  samples:\n    \
         match:\n      - name: user <created>\n        record: {}\n    noMatch:\n      - name: other call\n        record: {}\n",
        record(call_that_matches),
        record(call_that_does_not)
    )
}

/// A rule file with two faults.
const BROKEN: &str = "title: Broken\nname: broken\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  \
                      sel: {eventName: A}\n  condition: sel and nope\nlevel: hihg\n";

fn command<const N: usize>(arguments: [&str; N]) -> Agent {
    Agent::new(arguments).env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY)
}

/// Exit code and all output, as one text.
fn shown(ended: &Finished) -> String {
    let code = ended.status.code().map_or_else(|| "none".to_owned(), |code| code.to_string());
    format!("exit code: {code}\n--- stdout\n{}--- stderr\n{}", ended.stdout, ended.stderr)
}

/// Compares with `tests/golden/<name>.snap`, without names of temporary folders.
fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"/\w\S*/\.tmp\w+/", "[folder]/");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// What these commands print with these words behind them, one after the other; all end well and say nothing else.
async fn printed(commands: &[&str], words: &[&str]) -> String {
    let mut text = String::new();
    for command in commands {
        let mut agent = Agent::new([]);
        let line = [&["cspm-relay"], command.split_whitespace().collect::<Vec<_>>().as_slice(), words].concat();
        for word in &line[1..] {
            agent = agent.arg(*word);
        }
        let ended = agent.finish().await;
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{line:?}");
        text += &format!("=== {}\n{}\n", line.join(" "), ended.stdout);
    }
    text
}

#[tokio::test]
async fn every_command_explains_itself() {
    let always = [
        "quickstart",
        "run",
        "replay",
        "ingest",
        "ingest sarif",
        "check",
        "doctor",
        "doctor newrelic",
        "rules",
        "rules catalogue",
        "rules list",
        "rules show",
        "rules test",
        "rules import",
        "rules import sigma",
        "dashboards",
        "dashboards list",
        "dashboards render",
        "dashboards lint",
        "alerts",
        "alerts list",
        "alerts show",
        "alerts lint",
        "alerts render",
        "schema",
        "dlq",
        "dlq list",
        "dlq replay",
        "iam",
        "health",
    ];
    golden("help", &printed(&always, &["--help"]).await);
    // The list of commands, those of the lab, and what takes more with it.
    if is_lean() {
        golden("help_lean", &printed(&["", "nrql"], &["--help"]).await);
    } else {
        golden("help_full", &printed(&["", "nrql", "preview", "demo", "stand-in"], &["--help"]).await);
    }
}

/// What people keep beside them while they write a configuration, a query or a rule.
#[tokio::test]
async fn every_reference_is_printed_as_it_was() {
    for (name, command) in [
        ("example", "check --example"),
        ("options", "check --options"),
        ("schema", "schema"),
        ("rules_list", "rules list"),
        ("nrql_functions", "nrql --functions"),
        ("nrql_rules", "nrql --rules"),
    ] {
        golden(name, &printed(&[command], &[]).await);
    }
}

/// Everything of AWS that one configuration may use.
const WHOLE: &str = "version: 1
sources:
  - {kind: trailBucket, queueUrl: 'https://sqs.ap-northeast-1.amazonaws.com/111122223333/trail', buckets: [example-trail]}
  - {kind: eventQueue, queueUrl: 'https://sqs.ap-northeast-1.amazonaws.com/111122223333/events'}
accounts: {organizations: true}
posture:
  regions: [ap-northeast-1, us-east-1]
  accounts: ['222233334444', '333344445555']
  role: cspm-relay-read
  identity: {enabled: true, lastAccessed: true}
state: {s3: s3://example-state/relay}
deadLetters: {s3: s3://example-letters/relay}
";

#[tokio::test]
async fn the_policies_of_a_configuration_are_printed_and_whose_each_is() {
    let small = format!("version: 1\nsources:\n  - {{kind: trailBucket, queueUrl: '{QUEUE}'}}\n");
    for (name, yaml) in [("iam_whole", WHOLE), ("iam_trail", &small)] {
        let ended = Agent::new(["iam"]).config(yaml).finish().await;
        golden(name, &shown(&ended));
        let json = Agent::new(["iam", "--format", "json"]).config(yaml).finish().await;
        assert_eq!((json.status.code(), &json.stderr), (Some(0), &ended.stderr));
        let policies: Value = serde_json::from_str(&json.stdout).expect("JSON");
        let policies = policies.as_array().expect("a list");
        let in_text = ended.stdout.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        let in_text: Vec<Value> =
            serde_json::Deserializer::from_str(&in_text).into_iter().collect::<Result<_, _>>().expect("JSON behind the remarks");
        assert_eq!(policies.iter().map(|policy| policy["policy"].clone()).collect::<Vec<_>>(), in_text);
        for policy in policies {
            let remark =
                format!("# {}: {}\n", policy["file"].as_str().expect("a name"), policy["about"].as_str().expect("words"));
            assert!(ended.stdout.contains(&remark), "{remark}");
        }
    }
    let nothing = Agent::new(["iam", "--format", "json"]).config("version: 1\n").finish().await;
    assert_eq!((nothing.status.code(), &*nothing.stdout, &*nothing.stderr), (Some(0), "[]\n", ""));
    let wrong = Agent::new(["iam"]).config("version: 1\nposture: {roles: reader}\n").finish().await;
    assert_eq!((wrong.status.code(), &*wrong.stdout), (Some(2), ""), "{}", wrong.stderr);
}

#[tokio::test]
async fn check_tells_all_faults_at_once_and_no_key() {
    let yaml = format!(
        "version: 1\nnewrelic: {{accountId: 111122223333, licenseKey: NRAK-ABCDEFGHIJKLMNOPQRSTUVWXYZ0}}\nsources:\n  - kind: trailbucket\n    \
         queueUrl: arn:aws:sqs:eu-west-1:111122223333:trail\n  - {{kind: eventQueue, queueUrl: '{QUEUE}'}}\nlimits: {{flushAfter: 2}}\noutput: {{}}\n"
    );
    let ended = Agent::new(["check"]).config(&yaml).finish().await;
    assert_eq!(ended.status.code(), Some(2));
    golden("check_faults", &shown(&ended));
    let json = Agent::new(["check", "--format", "json"]).config(&yaml).finish().await;
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((json.status.code(), &report["valid"]), (Some(2), &false.into()));
    let paths: Vec<&str> =
        report["faults"].as_array().expect("a list").iter().filter_map(|fault| fault["path"].as_str()).collect();
    assert_eq!(paths.len(), ended.stdout.matches("\n  ").count() - ended.stdout.matches("\n    ").count());
    assert!(paths.contains(&"newrelic.accountId") && paths.contains(&"limits.flushAfter"), "{paths:?}");
    for output in [&ended.stdout, &json.stdout] {
        assert!(!output.contains("NRAK-ABC"), "{output}");
    }
}

#[tokio::test]
async fn the_example_is_valid_and_what_it_does_is_told() {
    let example = Agent::new(["check", "--example"]).finish().await;
    assert_eq!((example.status.code(), &*example.stderr), (Some(0), ""));
    let checked = command(["check"]).config(&example.stdout).finish().await;
    assert_eq!(checked.status.code(), Some(0), "{}", checked.stdout);
    let rules = built_in_rules(&checked.stdout);
    assert!(rules > 0, "no rule: {}", checked.stdout);
    golden("check_example", &shown(&checked).replace(&format!("{rules} built in"), "N built in"));
    assert!(!checked.stdout.contains(LICENSE_KEY), "{}", checked.stdout);
}

/// The number of built-in rules in the report: it grows with every rule.
fn built_in_rules(report: &str) -> usize {
    let line = report.lines().find_map(|line| line.trim().strip_prefix("rules")).expect("a line about rules");
    line.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number")
}

#[tokio::test]
async fn check_finds_broken_rules_and_accounts() {
    let agent = command(["check", "--format", "json", "--records-per-day", "1000000"])
        .env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID)
        .env("CSPM_RELAY_TRAIL_QUEUE_URL", QUEUE);
    let broken = agent.file("broken.yml", BROKEN);
    let ended = agent.env("CSPM_RELAY_RULES_FOLDERS", broken.to_string_lossy()).finish().await;
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((ended.status.code(), &report["valid"]), (Some(1), &false.into()), "{}", ended.stdout);
    let lines: Vec<Option<u64>> =
        report["rules"]["faults"].as_array().expect("a list").iter().map(|fault| fault["line"].as_u64()).collect();
    assert_eq!(lines.len(), 2, "{}", ended.stdout);
    assert!(lines.contains(&Some(6)) && lines.contains(&Some(7)), "{lines:?}");
    assert_eq!(report["estimate"]["recordsPerDay"], 1_000_000);
    assert_eq!(report["estimate"]["assumed"], Value::Null);

    let agent = command(["check"]).env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID).env("CSPM_RELAY_TRAIL_QUEUE_URL", QUEUE);
    let ended = agent.env("CSPM_RELAY_ACCOUNTS_FILE", "none.csv").finish().await;
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stdout);
    assert!(ended.stdout.starts_with("configuration has problems\n") && ended.stdout.contains("none.csv"), "{}", ended.stdout);
}

/// P47: what is estimated is what the configuration does, and what was assumed is said.
#[tokio::test]
async fn check_estimates_what_the_configuration_does() {
    let agent = |settings: &[(&str, &str)], more: &[&str]| {
        let agent = command(["check", "--format", "json"]).env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID);
        let agent = more.iter().fold(agent, |agent, one| agent.arg(*one));
        settings.iter().fold(agent, |agent, (name, value)| agent.env(name, *value))
    };
    let aggregator = [("CSPM_RELAY_EVENT_QUEUE_URL", QUEUE), ("CSPM_RELAY_POSTURE_AGGREGATOR", "org")];
    let ended = agent(&aggregator, &[]).finish().await;
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let estimate = &report["estimate"];
    assert_eq!(estimate["recordsPerDay"], 0, "no trail is read: {}", ended.stdout);
    assert!(estimate["assumed"].as_str().is_some_and(|text| text.contains("without a trail")), "{estimate}");
    assert_eq!(estimate["posture"], serde_json::json!({ "accounts": 1, "regions": 1 }));
    // Two that beat: the queue, and what reads AWS Config.
    assert_eq!(estimate["bytesPerMonth"]["heartbeats"], 2 * 43_200 * 1_000, "{estimate}");
    let ended = agent(&aggregator, &["--records-per-day", "100000000"]).finish().await;
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["estimate"]["posture"]["accounts"], 200, "as many as have so many records");
}

/// Every file that is named is looked into, whatever else is wrong; what stops `run` is 2, what it would leave out is 1.
#[tokio::test]
async fn check_tells_what_is_wrong_with_files_in_the_same_run() {
    let agent = |format: &str| {
        command(["check", "--format"])
            .arg(format)
            .env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID)
            .env("CSPM_RELAY_TRAIL_QUEUE_URL", QUEUE)
            .env("CSPM_RELAY_RULES_FOLDERS", "/nope")
            .env("CSPM_RELAY_RULES_DISABLE", "no-such-rule")
    };
    let left_out = agent("text").finish().await;
    assert_eq!(left_out.status.code(), Some(1), "{}", left_out.stdout);
    for text in
        ["\n2 problems with rules; the other rules run\n", "\n  /nope: reading the folder: ", "\"no-such-rule\" is no rule's"]
    {
        assert!(left_out.stdout.contains(text), "{text:?} in {}", left_out.stdout);
    }
    let all = |format| agent(format).env("CSPM_RELAY_ACCOUNTS_FILE", "/nope.csv").env("CSPM_RELAY_DEAD_LETTERS", "/proc/nope");
    let stopping = all("text").finish().await;
    let faulty = all("text").env("CSPM_RELAY_WORKERS", "x").finish().await;
    assert!(faulty.stdout.starts_with("config from the environment: 1 problem\n  limits.workers "), "{}", faulty.stdout);
    for ended in [&stopping, &faulty] {
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stdout);
        for text in
            ["\n2 problems with rules", "/nope.csv", "\nwriting dead letters to /proc/nope: ", "\n  hint: make it writable"]
        {
            assert!(ended.stdout.contains(text), "{text:?} in {}", ended.stdout);
        }
    }
    for (workers, paths) in
        [("1", &["accounts.file", "deadLetters.folder"][..]), ("x", &["limits.workers", "accounts.file", "deadLetters.folder"])]
    {
        let ended = all("json").env("CSPM_RELAY_WORKERS", workers).finish().await;
        let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let found = report["faults"].as_array().expect("a list").iter().filter_map(|fault| fault["path"].as_str());
        assert_eq!(found.collect::<Vec<_>>(), paths, "{}", ended.stdout);
        assert_eq!((ended.status.code(), report["rules"]["faults"].as_array().map(Vec::len)), (Some(2), Some(2)));
    }
}

/// What `check` says, `run` says too, before it takes anything: dead letters that cannot be written, a key of another region.
#[tokio::test]
async fn run_finds_out_at_start() {
    let agent =
        |first: &str| command([]).arg(first).env("NEW_RELIC_ACCOUNT_ID", ACCOUNT_ID).env("CSPM_RELAY_TRAIL_QUEUE_URL", QUEUE);
    let ended = agent("run").env("CSPM_RELAY_DEAD_LETTERS", "/proc/nope").finish().await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{}", ended.stderr);
    assert!(ended.stderr.starts_with("error: writing dead letters to /proc/nope: ") && ended.stderr.contains("\n  hint: "));

    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let eu = |first: &str| {
        agent(first).env("NEW_RELIC_LICENSE_KEY", "eu01xx0123456789abcdef0123456789abcdNRAL").env("NEW_RELIC_REGION", "JP")
    };
    let ended = eu("run").env("CSPM_RELAY_HEALTH_SOCKET", "").env("CSPM_RELAY_HEALTH_PORT", &port).finish().await;
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    let told = format!("error: listening for health checks on 127.0.0.1:{port}: Address already in use");
    for text in
        [&*told, "\n  hint: ", "health.port or CSPM_RELAY_HEALTH_PORT", "newrelic.region is JP, but the licence key is of EU"]
    {
        assert!(ended.stderr.contains(text), "{text:?} in {}", ended.stderr);
    }
    let checked = eu("check").finish().await;
    assert_eq!(checked.status.code(), Some(0), "{}", checked.stdout);
    assert!(checked.stdout.contains("\nwarning: newrelic.region is JP, but the licence key is of EU"), "{}", checked.stdout);
    if !is_lean() {
        let ended = Agent::new(["stand-in", "--listen"]).arg(format!("127.0.0.1:{port}")).finish().await;
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.starts_with(&format!("error: listening on 127.0.0.1:{port}: Address already in use")),
            "{}",
            ended.stderr
        );
    }
}

/// The configuration is named in the same way wherever it is all there is to name.
#[tokio::test]
async fn the_file_may_stand_alone() {
    for first in ["run", "check"] {
        let agent = Agent::new([first]);
        let path = agent.file("relay.yml", "version: 2\n").to_string_lossy().into_owned();
        let ended = agent.arg(&path).finish().await;
        assert_eq!(ended.status.code(), Some(2), "{first}: {}", ended.stderr);
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert!(told.contains(&format!("config {path}: ")) && told.contains("version (line 1): "), "{first}: {told}");
        let both = Agent::new([first, "a.yml", "--config", "b.yml"]).finish().await;
        assert!(both.stderr.contains("cannot be used with"), "{first}: {}", both.stderr);
    }
}

/// Without a Region nothing can be looked at: that is said, and what to do, and never that there is nothing.
#[tokio::test]
async fn a_missing_region_has_a_hint() {
    for arguments in [&["dlq", "list", "--from", "s3://bucket"][..], &["replay", "s3://bucket/prefix"]] {
        let agent = Agent::new(["-u", "AWS_REGION"]).program("/usr/bin/env").arg(agent::binary().to_string_lossy());
        let ended = arguments.iter().fold(agent, |agent, word| agent.arg(*word)).finish().await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(3), ""), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("  hint: no AWS Region is known: set AWS_REGION "), "{arguments:?}: {}", ended.stderr);
    }
    let nowhere = Agent::new(["dlq", "list"]).finish().await;
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(nowhere.stderr.contains("hint: name the place with --from or CSPM_RELAY_DEAD_LETTERS"), "{}", nowhere.stderr);
}

/// Nobody should have to guess what a stop left behind.
#[tokio::test]
async fn what_a_stop_sends_back_is_counted() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    scene.deliver(&objects(1, 3, 4)).await;
    let agent = scene.agent_through(&scene.aws.endpoint, &format!("http://{closed}")).env("CSPM_RELAY_DRAIN", "1s");
    let mut agent = agent.start();
    agent.says("sending it again").await;
    eventually("all is taken", async || scene.trail.queue.depth().await.in_flight == 3).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended = stopped(agent).await;
    let told = "Stopped before everything was sent: 12 records in 3 objects went back to source ";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    assert_eq!(scene.trail.queue.depth().await.visible, 3);
}

#[tokio::test]
async fn rules_are_listed_and_shown() {
    let list = Agent::new(["rules", "list", "--format", "json"]).finish().await;
    let rules: Value = serde_json::from_str(&list.stdout).expect("JSON");
    let rules = rules.as_array().expect("a list");
    let table = Agent::new(["rules", "list"]).finish().await;
    assert_eq!(table.stdout.lines().count(), rules.len() + 1);
    assert!(rules.len() > 50 && rules.iter().all(|rule| rule["builtin"] == true && rule["samples"].as_u64() > Some(1)));
    let shown_rule = Agent::new(["rules", "show", "IAM-User-Created"]).finish().await;
    golden("rules_show", &shown(&shown_rule));
    // What is wrong is told in the order of the files and lines.
    let broken = Agent::new(["rules", "list", "--folder"]);
    let path = broken.file("broken.yml", BROKEN).to_string_lossy().into_owned();
    let listed = broken.arg(&path).finish().await;
    assert_eq!((listed.status.code(), &listed.stdout), (Some(0), &table.stdout));
    let places: Vec<&str> =
        listed.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")?.strip_prefix(&path)).collect();
    let places: Vec<&str> = places.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(places, [":6:", ":7:"], "{}", listed.stderr);
    let near = Agent::new(["rules", "show", "iam-user"]).finish().await;
    assert_eq!(near.status.code(), Some(2));
    assert_eq!(
        near.stderr,
        "error: showing rule \"iam-user\": no rule that runs has this id\n  hint: did you mean one of: iam-user-created?\n"
    );
}

#[tokio::test]
async fn the_built_in_rules_prove_themselves() {
    let ended = Agent::new(["rules", "test"]).finish().await;
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{}", ended.stdout);
    assert!(ended.stdout.ends_with(" 0 failed; 0 problems with files\n"), "{}", ended.stdout);
}

/// A good rule, one whose samples fail, and a broken file: each is told, none stops the others.
#[tokio::test]
async fn a_failing_sample_and_a_broken_file_are_found_in_every_format() {
    let run = async |format: &str| {
        let agent = Agent::new(["rules", "test", "--format", format]);
        let mut paths = Vec::new();
        for (name, text) in [
            ("good.yml", rule("good", "CreateUser", "DeleteUser")),
            ("wrong.yml", rule("wrong", "DeleteUser", "CreateUser")),
            ("broken.yml", BROKEN.to_owned()),
        ] {
            paths.push(agent.file(name, &text).to_string_lossy().into_owned());
        }
        paths.into_iter().fold(agent, Agent::arg).finish().await
    };
    let text = run("text").await;
    assert_eq!(text.status.code(), Some(1));
    golden("rules_test", &shown(&text));

    let json: Value = serde_json::from_str(&run("json").await.stdout).expect("JSON");
    assert_eq!(json["summary"], serde_json::json!({"rules": 2, "passed": 2, "failed": 2, "faults": 2}));
    golden("rules_test_junit", &shown(&run("junit").await));
    golden("rules_test_sarif", &shown(&run("sarif").await));

    // Alone: the name of a built-in rule is free.
    let alone = Agent::new(["rules", "test"]);
    let path = alone.file("good.yml", &rule("iam-user-created", "CreateUser", "DeleteUser"));
    let ended = alone.arg(path.to_string_lossy()).finish().await;
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), "1 rule: 2 samples passed, 0 failed; 0 problems with files\n"));
}

/// Rules of others: what runs, what does not and why, and copies that nothing is lost by.
#[tokio::test]
async fn rules_of_others_are_imported() {
    let agent = Agent::new(["rules", "import", "sigma"]);
    let path = agent.file("theirs.yml", "title: Theirs\nid: 11111111-2222-4333-8444-555555555555\nauthor: Ada\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {eventName|expand: '%Calls%'}\n  condition: s\n---\ntitle: Windows\nlogsource: {product: windows, service: security}\nlevel: low\ndetection: {s: {EventID: 1}, condition: s}\n");
    let ended = agent.arg(path.to_string_lossy()).arg("--format").arg("json").finish().await;
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let file = path.to_string_lossy();
    assert_eq!(
        told,
        serde_json::json!({
            "imported": [{
                "file": file, "id": "11111111-2222-4333-8444-555555555555", "title": "Theirs", "level": "LOW", "author": "Ada",
                "notes": ["placeholder %Calls% has no values and matches nothing"],
            }],
            "unsupported": [
                { "file": file, "line": 11, "why": "logsource.product is \"windows\"; allowed: aws" },
                { "file": file, "line": 11, "why": "logsource.service is \"security\"; allowed: cloudtrail" },
            ],
        })
    );
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

/// S1-06: a company's rules get their pages beside their files, and nothing that somebody else wrote is replaced.
#[tokio::test]
async fn the_catalogue_of_company_rules_lies_beside_their_files() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, page) = (root.path().to_string_lossy().into_owned(), root.path().join("good.md"));
    std::fs::write(root.path().join("good.yml"), rule("good", "CreateUser", "DeleteUser")).expect("a file");
    let run = || Agent::new(["rules", "catalogue", "--folder", &*folder, "--out", &*folder]).finish();
    let ended = run().await;
    let said = format!("1 page, CATALOGUE.md and CATALOGUE.ja.md in {folder}\n");
    assert_eq!((ended.status.code(), ended.stdout, &*ended.stderr), (Some(0), said, ""));
    let text = std::fs::read_to_string(&page).expect("a page");
    assert!(text.contains("\n```yaml\ndetection:\n") && text.contains("WHERE control.id = 'good' SINCE 1 day ago"), "{text}");
    assert_eq!(std::fs::read_dir(root.path()).expect("a folder").count(), 4);
    std::fs::write(&page, "# Ours\n").expect("a file");
    let ended = run().await;
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("good.md: not written by this command, and so not replaced\n  hint: "), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&page).expect("a page"), "# Ours\n");
}

/// A path on the command line that is not there is wrong usage; one in the settings costs its own rules only.
#[tokio::test]
async fn a_rule_path_that_is_not_there_is_wrong_usage() {
    for words in [
        &["test", "nosuch"][..],
        &["test", "--folder", "nosuch"],
        &["list", "--folder", "nosuch"],
        &["catalogue", "--backtest", "nosuch"],
    ] {
        let ended = words.iter().fold(Agent::new(["rules"]), |agent, word| agent.arg(*word)).finish().await;
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(2), ""), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("nosuch: no such file or folder"), "{words:?}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_dictionary_is_the_same_in_every_format() {
    let json = Agent::new(["schema", "--format", "json"]).finish().await;
    let rows: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    let table = Agent::new(["schema"]).finish().await;
    let markdown = Agent::new(["schema", "--format", "markdown"]).finish().await;
    let of_table: Vec<&str> = table.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    let of_markdown: Vec<&str> = markdown.stdout.lines().skip(2).filter_map(|line| line.split('`').nth(1)).collect();
    assert_eq!((&of_table, &of_markdown), (&names, &names));
    assert_eq!(names.get(..3), Some(&["eventType", "timestamp", "event.id"][..]));
    assert!(names.contains(&"request.cidr"), "{names:?}");
    let number = rows.iter().find(|row| row["name"] == "control.severityScore").expect("a row");
    assert_eq!((&number["type"], &number["example"]), (&"number".into(), &95.into()));
    // A bar inside a cell would end it.
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in markdown.stdout.lines() {
        assert_eq!(cells(line), 7, "{line}");
    }
}

#[tokio::test]
async fn without_an_agent_health_fails_and_needs_no_key() {
    let ended = Agent::new(["health"]).finish().await;
    golden("health_no_agent", &shown(&ended));
    let off = Agent::new(["health"]).env("CSPM_RELAY_HEALTH_SOCKET", "").env("CSPM_RELAY_HEALTH_OFF", "true").finish().await;
    assert_eq!(off.status.code(), Some(1));
    assert_eq!(off.stdout, "unhealthy: health.off is set, so the agent listens nowhere; remove it\n");
}

/// Whatever is sent stands in the dictionary, with the type that carries it.
#[tokio::test]
async fn everything_that_is_sent_is_in_the_dictionary() {
    let json = Agent::new(["schema", "--format", "json"]).finish().await;
    let rows: Vec<Value> = serde_json::from_str(&json.stdout).expect("JSON");
    let carries = |name: &str, kind: &str| {
        rows.iter()
            .any(|row| row["name"] == name && row["eventTypes"].as_array().is_some_and(|types| types.contains(&kind.into())))
    };
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cloudtrail/AWSLogs");
    let sent = Agent::new(["replay", "--logs", "matched", fixtures]).finish().await;
    assert_eq!(sent.status.code(), Some(0), "{}", sent.stderr);
    let (mut events, mut logs) = (0, 0);
    for line in sent.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let (data, kind) = (line["data"].as_object().expect("an object"), line["data"]["eventType"].as_str().unwrap_or("Log"));
        let (mut names, message) = (data.keys().collect::<Vec<_>>(), data.get("message").and_then(Value::as_object));
        if let Some(message) = message {
            logs += 1;
            names.retain(|name| *name != "attributes");
            names.extend(data["attributes"].as_object().expect("an object").keys());
            names.extend(message.keys().filter(|name| name.starts_with("trail.")));
        } else {
            events += 1;
        }
        for name in names {
            assert!(carries(name, kind), "{kind}.{name}");
        }
    }
    assert!(events > 300 && logs > 300, "{events} events, {logs} logs");
    for (name, kind) in
        [("doctor.id", "CspmRelayDoctor"), ("logtype", "Log"), ("timestamp", "CspmRelayDoctor"), ("relay.version", "Log")]
    {
        assert!(carries(name, kind), "{kind}.{name}");
    }
}
