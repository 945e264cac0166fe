//! Whose accounts they are: names from AWS Organizations while the agent runs, and records of accounts that nobody watches.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cspm_relay::deliver::Letter;
use cspm_relay::deliver::letter::LetterKind;
use cspm_relay::lab::backend::{Backend, Retain};
use serde_json::{Map, Value, json};

use crate::support::agent::{Agent, Running};
use crate::support::aws::emulator;
use crate::support::data;
use crate::support::eventually;
use crate::support::organizations::{Member, Organization};
use crate::support::replay::{file_of, good, replay_of};
use crate::support::scene::{Scene, new_relic, recently, stopped};

const LINE: &str = "New names of accounts";

fn member(id: &'static str, name: &'static str, unit: &'static str) -> Member {
    Member { id, name, unit, is_new: true, state: "ACTIVE", tags: &[] }
}

/// Five accounts in four units, one of them above all units, one closed.
fn members() -> Vec<Member> {
    vec![
        member("000000000001", "management", ""),
        Member {
            tags: &[("cost", "1"), ("stage", "x"), ("Owner", "payments-team"), ("env", "prod")],
            is_new: false,
            ..member(data::ACCOUNT, "prod-payments", "Workloads/Prod")
        },
        member("222222222222", "prod-web", "Workloads/Prod"),
        Member { tags: &[("owner", "ada")], ..member("333333333333", "sandbox-ada", "Sandbox") },
        Member { state: "SUSPENDED", tags: &[("owner", "gone")], ..member("444444444444", "old", "Sandbox") },
    ]
}

/// An agent that asks this organization.
fn asking(scene: &Scene, organization: &Organization) -> Agent {
    scene.agent().env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").env("AWS_ENDPOINT_URL_ORGANIZATIONS", organization.url())
}

async fn named(agent: &Running, times: usize) {
    eventually(&format!("{times} times new names"), async || agent.log().matches(LINE).count() >= times).await;
}

/// Delivers one alarming record; the event that New Relic has of it.
async fn event_of(scene: &Scene, number: u64) -> Map<String, Value> {
    let time = recently();
    scene.deliver(&[data::object(number, time, &[data::alarming(number, time)])]).await;
    let store = scene.new_relic.store();
    let of = |rows: Vec<Map<String, Value>>| rows.into_iter().find(|row| row["event.id"] == data::id(number));
    eventually("the record's event", async || of(store.rows("AwsSecurityEvent")).is_some()).await;
    of(store.rows("AwsSecurityEvent")).expect("just seen")
}

fn says(event: &Map<String, Value>, wanted: &[(&str, Option<&str>)], case: &str) {
    for (name, want) in wanted {
        assert_eq!(event.get(*name).and_then(Value::as_str), *want, "{case}: {name}");
    }
}

/// S0-07: names, units, environments and owners come from AWS Organizations, through short and empty pages and refusals of haste;
/// what the file says wins.
#[tokio::test]
async fn accounts_are_named_by_their_organization() {
    let Some(aws) = emulator("ministack").await else { return };
    let (scene, organization) = (Scene::new(aws).await, Organization::of(members()).await);
    organization.throttle("ListAccounts", 2);
    organization.throttle("ListAccountsForParent", 1);
    let agent = asking(&scene, &organization);
    let file = agent.file("accounts.csv", &format!("accountId,name,organizationalUnit\n{},ours,\n", data::ACCOUNT));
    let agent = agent.env("CSPM_RELAY_ACCOUNTS_FILE", file.to_string_lossy()).start();
    named(&agent, 2).await;
    let event = event_of(&scene, 1).await;
    says(
        &event,
        &[
            ("aws.accountId", Some(data::ACCOUNT)),
            ("aws.accountName", Some("ours")),
            ("aws.organizationalUnit", Some("Workloads/Prod")),
            ("aws.environment", Some("prod")),
            ("aws.owner", Some("payments-team")),
        ],
        "all",
    );
    // One empty page and three of two, and the two that were refused; nothing is asked of an account that is over.
    assert_eq!((organization.asked("ListAccounts"), organization.asked("ListTagsForResource")), (4 + 2, 4 + 1));
    assert_eq!(organization.asked("ListRoots"), 1);
    let ended = stopped(agent).await;
    assert!(!ended.stderr.contains("refuses"), "{}", ended.stderr);
    scene.no_violations();
}

/// S3-07: nothing needs AWS Organizations. What is refused is said once, with the action; the rest is used.
#[tokio::test]
async fn what_may_not_be_read_is_left_out_and_said() {
    let Some(aws) = emulator("ministack").await else { return };
    let all = &["ListAccounts", "ListRoots", "ListOrganizationalUnitsForParent", "ListAccountsForParent", "ListTagsForResource"];
    let id = Some(data::ACCOUNT);
    for (number, denied, names, name, unit, owner) in [
        (1, &all[..], 0, id, Some("unknown"), None),
        (2, &["ListRoots"], 2, Some("prod-payments"), Some("unknown"), Some("payments-team")),
        (3, &["ListAccountsForParent"], 2, Some("prod-payments"), Some("unknown"), Some("payments-team")),
        (4, &["ListTagsForResource"], 1, Some("prod-payments"), Some("Workloads/Prod"), None),
        (5, &["ListAccounts"], 2, Some("prod-payments"), Some("Workloads/Prod"), Some("payments-team")),
    ] {
        let case = denied.join(", ");
        let (scene, organization) = (Scene::new(aws.clone()).await, Organization::of(members()).await);
        for action in denied {
            organization.deny(action);
        }
        let mut agent = asking(&scene, &organization).start();
        named(&agent, names).await;
        let action = denied.first().expect("an action");
        agent.says(&format!("AWS Organizations refuses organizations:{action}, so ")).await;
        let event = event_of(&scene, number).await;
        let wanted = [("aws.accountName", name), ("aws.organizationalUnit", unit), ("aws.owner", owner)];
        says(&event, &wanted, &case);
        let ended = stopped(agent).await;
        assert_eq!(ended.stderr.matches("AWS Organizations refuses").count(), 1, "{case}: {}", ended.stderr);
        assert_eq!(scene.counted("recordsDelivered"), 1, "{case}");
        scene.no_violations();
    }
}

/// An organization that does not answer keeps nobody waiting, and what it cannot say is no reason to stop.
#[tokio::test]
async fn nothing_waits_for_an_organization_that_does_not_answer() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let agent = scene.agent().env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").env("AWS_ENDPOINT_URL_ORGANIZATIONS", url).start();
    let event = event_of(&scene, 1).await;
    says(&event, &[("aws.accountName", Some(data::ACCOUNT)), ("aws.organizationalUnit", Some("unknown"))], "silent");
    stopped(agent).await;
}

/// S0-07: an emulator that is not ours says the same.
#[tokio::test]
async fn an_organization_of_motos_is_read() {
    let Some(aws) = emulator("moto").await else { return };
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(data::REGION)
        .endpoint_url(&aws.endpoint)
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests"))
        .load()
        .await;
    let client = aws_sdk_organizations::Client::new(&config);
    // Another test, or another run, may have made it.
    let _there = client.create_organization().send().await.is_ok();
    let roots = client.list_roots().send().await.expect("roots").roots.unwrap_or_default();
    let root = roots.first().and_then(|root| root.id()).expect("a root").to_owned();
    let unit = client.create_organizational_unit().parent_id(&root).name("Workloads").send().await.expect("a unit");
    let unit = unit.organizational_unit.and_then(|unit| unit.id).expect("a unit has an id");
    let tag = aws_sdk_organizations::types::Tag::builder().key("Owner").value("web-team").build().expect("a tag");
    let made = client.create_account().account_name("web").email("web@example.com").tags(tag).send().await.expect("an account");
    let id = made.create_account_status.and_then(|status| status.account_id).expect("an account has an id");
    let moved = client.move_account().account_id(&id).source_parent_id(&root).destination_parent_id(&unit).send().await;
    moved.expect("moving an account");

    let scene = Scene::new(aws).await;
    let agent = scene.agent().env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").start();
    named(&agent, 2).await;
    let time = recently();
    let mut record = data::alarming(1, time);
    record["recipientAccountId"] = json!(id);
    scene.deliver(&[data::object(1, time, &[record])]).await;
    let store = scene.new_relic.store();
    eventually("the record's event", async || !store.rows("AwsSecurityEvent").is_empty()).await;
    let wanted =
        [("aws.accountName", Some("web")), ("aws.organizationalUnit", Some("Workloads")), ("aws.owner", Some("web-team"))];
    says(&store.rows("AwsSecurityEvent")[0], &wanted, "moto");
    stopped(agent).await;
}

/// Records of accounts, units and Regions that nobody watches are counted, and not sent.
#[tokio::test]
async fn what_is_not_watched_is_counted_and_not_sent() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("records.json");
    let record = |number: u64, account: &str, region: &str| {
        let mut record = data::alarming(number, 1_780_000_000_000);
        (record["recipientAccountId"], record["awsRegion"]) = (json!(account), json!(region));
        record
    };
    let (one, other) = (data::ACCOUNT, "333333333333");
    let records =
        [record(1, one, "us-east-1"), record(2, one, "eu-west-1"), record(3, other, "us-east-1"), record(4, other, "eu-west-1")];
    std::fs::write(&path, json!({ "Records": records }).to_string()).expect("a temporary file");
    let names = format!("accountId,name,organizationalUnit\n{one},prod,Workloads/Prod\n{other},ada,Sandbox\n");
    for (variable, value, kept) in [
        ("CSPM_RELAY_ACCOUNTS_INCLUDE", "Workloads/*", &[1, 2][..]),
        ("CSPM_RELAY_ACCOUNTS_EXCLUDE", one, &[3, 4]),
        ("CSPM_RELAY_ACCOUNTS_EXCLUDE", "Sandbox", &[1, 2]),
        ("CSPM_RELAY_ACCOUNTS_REGIONS", "us-east-1,ap-northeast-1", &[1, 3]),
    ] {
        let agent = replay_of([&path]).env(variable, value);
        let file = agent.file("accounts.csv", &names);
        let ended = good(agent.env("CSPM_RELAY_ACCOUNTS_FILE", file.to_string_lossy())).await;
        let sent: BTreeSet<String> =
            ended.logs().iter().map(|log| log["attributes"]["event.id"].as_str().unwrap_or_default().to_owned()).collect();
        assert_eq!(sent, kept.iter().map(|number| data::id(*number)).collect(), "{variable}={value}");
        assert_eq!(ended.count("records.ignored"), 4 - kept.len() as u64, "{variable}={value}");
    }
}

/// The account in `Sandbox`.
const ADA: &str = "333333333333";

/// Mutes whatever `data::alarming` meets in the sandbox.
fn sandbox_is_muted() -> String {
    let line = |control| {
        format!("- {{control: {control}, owner: o, reason: r, expires: 2999-01-31, scope: {{organizationalUnits: Sandbox/*}}}}\n")
    };
    ["trail-logging-stopped", "cloudtrail-changed"].map(line).concat()
}

/// What a rule is for, done in the sandbox.
fn of_ada(number: u64) -> Value {
    let mut record = data::alarming(number, recently());
    record["recipientAccountId"] = json!(ADA);
    record
}

fn muting(agent: Agent) -> Agent {
    let file = agent.file("exceptions.yml", &sandbox_is_muted());
    agent.env("CSPM_RELAY_EXCEPTIONS", file.to_string_lossy())
}

/// Accounts that New Relic was told something of, by name and unit.
fn told(rows: &[Map<String, Value>]) -> BTreeSet<(&str, &str)> {
    rows.iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            (text("aws.accountName"), text("aws.organizationalUnit"))
        })
        .collect()
}

/// S2-20, S1-11: what waits in the queue when the agent starts is muted, or not watched, as what comes later.
#[tokio::test]
async fn what_waited_before_the_start_is_judged_by_its_unit() {
    let Some(aws) = emulator("ministack").await else { return };
    for (case, count) in [("an exception", "recordsSuppressed"), ("an excluded unit", "recordsIgnored")] {
        let (scene, organization) = (Scene::new(aws.clone()).await, Organization::of(members()).await);
        organization.throttle("ListAccounts", 3);
        let time = recently();
        scene.deliver(&[data::object(1, time, &[of_ada(1)]), data::object(2, time, &[data::alarming(2, time)])]).await;
        let agent = asking(&scene, &organization);
        let agent = if count == "recordsIgnored" { agent.env("CSPM_RELAY_ACCOUNTS_EXCLUDE", "Sandbox") } else { muting(agent) };
        let mut agent = agent.start();
        agent.says("Nothing is taken until AWS Organizations has told the organizational units of accounts").await;
        scene.counts("recordsDelivered", 1).await;
        scene.counts(count, 1).await;
        let ended = stopped(agent).await;
        assert!(!ended.stderr.contains("start without"), "{case}: {}", ended.stderr);
        let store = scene.new_relic.store();
        for kind in ["AwsSecurityEvent", "AwsSecurityNotice"] {
            let rows = store.rows(kind);
            assert_eq!(told(&rows), [("prod-payments", "Workloads/Prod")].into(), "{case}: {kind}");
        }
        scene.no_violations();
    }
}

/// S2-20: while it waits for units the agent says so, is not ready, sends heartbeats, takes nothing, and stops at once.
#[tokio::test]
async fn an_agent_that_waits_for_units_says_so_and_stops_at_once() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    scene.deliver(&[data::object(1, recently(), &[of_ada(1)])]).await;
    let waiting = scene.left().await;
    let agent = scene.agent().env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").env("AWS_ENDPOINT_URL_ORGANIZATIONS", url);
    let mut agent = muting(agent).start();
    agent.ready().await;
    let store = scene.new_relic.store();
    eventually("heartbeats", async || store.rows("CspmRelayHeartbeat").len() >= 3).await;
    let readiness = agent.readiness();
    let waits = "not ready: nothing is taken until AWS Organizations has told the organizational units of accounts";
    assert!(readiness.starts_with(waits), "{readiness}");
    assert_eq!((scene.left().await, scene.counted("recordsReceived")), (waiting, 0));
    let began = tokio::time::Instant::now();
    let ended = stopped(agent).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}\n{}", began.elapsed(), ended.stderr);
    assert_eq!((scene.left().await, store.rows("AwsSecurityEvent").len()), (waiting, 0));
}

/// S3-07: what may not be read is not waited for, and that it decides something is said.
#[tokio::test]
async fn units_that_may_not_be_read_are_not_waited_for() {
    let Some(aws) = emulator("ministack").await else { return };
    for denied in [&["ListRoots"][..], &["ListAccounts", "ListRoots"]] {
        let (scene, organization) = (Scene::new(aws.clone()).await, Organization::of(members()).await);
        for action in denied {
            organization.deny(action);
        }
        scene.deliver(&[data::object(1, recently(), &[of_ada(1)])]).await;
        let mut agent = muting(asking(&scene, &organization)).start();
        agent.says("The sources start without the organizational units of accounts").await;
        scene.counts("recordsDelivered", 1).await;
        stopped(agent).await;
        assert_eq!(scene.new_relic.store().rows("AwsSecurityNotice").len(), 1, "{denied:?}: it is not muted");
    }
}

/// A letter of a record.
fn letter(record: &Value) -> Letter {
    let origin = format!("s3://bucket/AWSLogs/{ADA}/CloudTrail/x.json.gz");
    Letter::new(LetterKind::Record, recently(), "trail", &origin, Some(1), "a reason", record.to_string().as_bytes())
}

/// Records as letters and as a file, and the commands that send them once more.
struct Past {
    folder: tempfile::TempDir,
    new_relic: Backend,
}

impl Past {
    async fn new() -> Self {
        let past = Self { folder: tempfile::tempdir().expect("a temporary folder"), new_relic: new_relic(Retain::Rows).await };
        let records = [of_ada(1), data::alarming(2, recently())];
        let lines: String = records.iter().map(|record| letter(record).line() + "\n").collect();
        std::fs::create_dir(past.letters()).expect("a folder of letters");
        std::fs::write(past.letters().join("letters.ndjson"), lines).expect("a file of letters");
        std::fs::write(past.folder.path().join("records.json"), json!({ "Records": records }).to_string()).expect("a file");
        past
    }

    fn letters(&self) -> PathBuf {
        self.folder.path().join("letters")
    }

    /// One of the [`COMMANDS`], asking this organization.
    fn again(&self, command: &str, organization: &Organization) -> Agent {
        let records = self.folder.path().join("records.json").to_string_lossy().into_owned();
        let agent = if command == "replay" {
            Agent::new(["replay"]).arg(records)
        } else {
            Agent::new(["dlq", "replay", "--from"]).arg(self.letters().to_string_lossy())
        };
        let agent = agent.env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").new_relic(&self.new_relic.url());
        muting(agent.env("AWS_ENDPOINT_URL_ORGANIZATIONS", organization.url()))
    }

    fn left(&self) -> usize {
        let files = std::fs::read_dir(self.letters()).expect("the folder of letters");
        files.map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("letters").lines().count()).sum()
    }
}

/// What sends once more, and how many it pages of two records of which one is muted: a replay pages nobody.
const COMMANDS: [(&str, usize); 2] = [("dlq replay", 1), ("replay", 0)];

/// S2-20, S0-07: what is sent once more is named and muted as the agent would have done.
#[tokio::test]
async fn what_is_replayed_is_named_by_its_organization_first() {
    for (command, pages) in COMMANDS {
        let (past, organization) = (Past::new().await, Organization::of(members()).await);
        let mut agent = past.again(command, &organization);
        if command == "replay" {
            agent = agent.arg("--to").arg("newrelic");
        }
        let ended = agent.finish().await;
        assert_eq!(ended.status.code(), Some(0), "{command}: {}{}", ended.stdout, ended.stderr);
        let store = past.new_relic.store();
        let rows = store.rows("AwsSecurityEvent");
        assert_eq!(told(&rows), [("prod-payments", "Workloads/Prod")].into(), "{command}");
        assert_eq!(store.rows("AwsSecurityNotice").len(), pages, "{command}");
        assert_eq!(past.left(), if command == "replay" { 2 } else { 0 }, "{command}");
    }
}

/// A rule on several records: what an exception of a unit mutes is muted in the look ahead, too, and leaves the others theirs.
#[tokio::test]
async fn a_replay_looks_at_records_once_accounts_have_their_names() {
    let (backend, organization) = (new_relic(Retain::Rows).await, Organization::of(members()).await);
    let agent = replay_of::<&str>([]);
    let refused = |number: u64, account: &str, seconds: i64| {
        let mut record = data::alarming(number, recently() + seconds * 1_000);
        record["recipientAccountId"] = account.into();
        record["errorCode"] = "OurRefusal".into();
        record
    };
    let rules = "title: Refused\nname: refused\nlogsource: {product: aws, service: cloudtrail}\nlevel: low\ndetection:\n  s: {errorCode: OurRefusal}\n  condition: s\n---\n\
                 title: Many\nname: many-refused\nlevel: high\ncorrelation: {type: event_count, rules: [refused], timespan: 5m, condition: {gte: 2}}\n";
    let rules = agent.file("many.yml", rules);
    let exceptions =
        "- {control: many-refused, owner: o, reason: r, expires: 2099-01-31, scope: {organizationalUnits: [Sandbox]}}\n";
    let exceptions = agent.file("exceptions.yml", exceptions);
    let records = [refused(1, ADA, 0), refused(2, ADA, 1), refused(3, data::ACCOUNT, 2)];
    let records = agent.file("records.json", &file_of(&records));
    let agent = agent.arg(records.to_string_lossy()).arg("--to").arg("newrelic").new_relic(&backend.url());
    let agent =
        agent.env("CSPM_RELAY_RULES_FOLDERS", rules.to_string_lossy()).env("CSPM_RELAY_EXCEPTIONS", exceptions.to_string_lossy());
    let agent = agent.env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true").env("AWS_ENDPOINT_URL_ORGANIZATIONS", organization.url());
    good(agent).await;
    let rows = backend.store().rows("AwsSecurityEvent");
    let found: Vec<_> =
        rows.iter().filter(|row| row["control.id"] == "many-refused").map(|row| row["event.id"].clone()).collect();
    assert_eq!(found, [data::id(3)]);
}

/// What cannot be named is not sent: its rows would be wrong for good. What only looks asks nobody.
#[tokio::test]
async fn what_cannot_be_named_is_not_replayed() {
    for denied in [&["ListAccounts", "ListRoots"][..], &["ListRoots"]] {
        for (command, _) in COMMANDS {
            let (past, organization) = (Past::new().await, Organization::of(members()).await);
            for action in denied {
                organization.deny(action);
            }
            let mut agent = past.again(command, &organization);
            if command == "replay" {
                agent = agent.arg("--to").arg("newrelic");
            }
            let ended = agent.finish().await;
            assert_eq!(ended.status.code(), Some(3), "{command}: {}{}", ended.stdout, ended.stderr);
            for want in ["nothing was sent", "hint: ", "CSPM_RELAY_ACCOUNTS_ORGANIZATIONS=false"] {
                assert!(ended.stderr.contains(want), "{command} {denied:?}: {want}: {}", ended.stderr);
            }
            assert_eq!((past.new_relic.store().rows("AwsSecurityEvent").len(), past.left()), (0, 2), "{command}");
        }
    }
    let (past, organization) = (Past::new().await, Organization::of(members()).await);
    for agent in [past.again("dlq replay", &organization).arg("--dry-run"), past.again("replay", &organization)] {
        let ended = agent.finish().await;
        assert_eq!((ended.status.code(), organization.asked("ListAccounts")), (Some(0), 0), "{}", ended.stderr);
    }
}

/// S1-20: a scan of what an account runs is named as the account's other rows; a scan of code alone asks nobody.
#[tokio::test]
async fn a_scan_is_named_by_its_organization() {
    let (new_relic, organization) = (new_relic(Retain::Rows).await, Organization::of(members()).await);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif/trivy.sarif");
    let ingest = || {
        let agent = Agent::new(["ingest", "sarif"]).arg(file.to_string_lossy()).new_relic(&new_relic.url());
        let agent = agent.env("AWS_ENDPOINT_URL_ORGANIZATIONS", organization.url());
        agent.env("CSPM_RELAY_ACCOUNTS_ORGANIZATIONS", "true")
    };
    for (agent, asked) in [(ingest(), false), (ingest().arg("--account").arg(ADA), true)] {
        let ended = agent.finish().await;
        assert_eq!(ended.status.code(), Some(0), "{}{}", ended.stdout, ended.stderr);
        assert_eq!(organization.asked("ListAccounts") > 0, asked);
    }
    let rows = new_relic.store().rows("AwsSecurityFinding");
    let named: Vec<_> = rows.iter().filter(|row| row["aws.accountId"] == ADA).cloned().collect();
    assert_eq!((rows.len(), told(&named)), (2 * named.len(), [("sandbox-ada", "Sandbox")].into()));
}
