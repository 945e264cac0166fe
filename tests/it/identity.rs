//! What IAM says, as New Relic holds it: rows of users, roles and keys, runs that are whole, and accounts that are not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cspm_relay::clock::Clock;
use cspm_relay::record::AccountRegion;
use serde_json::{Map, Value, json};

use crate::support::agent::Agent;
use crate::support::aws::{Aws, emulator};
use crate::support::config_api::ConfigStandIn;
use crate::support::config_api::fleet::{Fleet, Size};
use crate::support::data::REGION;
use crate::support::iam::{Account, Fault, IamStandIn, OWN_ACCOUNT, Who};
use crate::support::replay::text;
use crate::support::scene::{Scene, stopped};
use crate::support::within;

const ONE: &str = "111122223333";
const TWO: &str = "444455556666";
const DAY_MS: i64 = 86_400_000;
/// What takes some readings, and on a busy machine some more.
const LONG: Duration = Duration::from_mins(2);
const EVENT: &str = "AwsIdentityPosture";

const ADMIN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
const NARROW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
const FOR_EC2: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
const FOR_TWO: &str =
    r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}}"#;
const FOR_ALL: &str = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service\n";

/// So many days ago, to the second, as IAM writes times.
fn ago(days: i64) -> String {
    jiff::Timestamp::from_millisecond(ago_ms(days)).expect("a time").to_string()
}

fn ago_ms(days: i64) -> i64 {
    (Clock::system().now_ms() - days * DAY_MS) / 1_000 * 1_000
}

/// An account with one of each.
fn account(id: &str) -> Account {
    let root = format!(
        "<root_account>,arn:aws:iam::{id}:root,{},not_supported,no_information,not_supported,not_supported,true",
        ago(2_000)
    );
    let none = "false,N/A,N/A,N/A,N/A";
    let ada = format!(
        "ada,arn:aws:iam::{id}:user/team/ada,{},true,{},{},N/A,false,true,{},{},eu-west-1,s3,{none}",
        ago(700),
        ago(3),
        ago(50),
        ago(91),
        ago(4)
    );
    let robot =
        format!("robot,arn:aws:iam::{id}:user/robot,{},false,N/A,N/A,N/A,false,true,{},N/A,N/A,N/A,{none}", ago(700), ago(90));
    let user = |name: &'static str| Who { name, created: ago(700), ..Who::default() };
    Account {
        report: format!("{HEADER}{root},{none},{none}\n{ada}\n{robot}\n"),
        policies: vec![("all", ADMIN), ("few", NARROW)],
        groups: vec![("admins", vec![format!("arn:aws:iam::{id}:policy/all")], vec![("few", NARROW)])],
        users: vec![
            Who { path: "/team/", groups: vec!["admins"], tags: vec![("cost", "1"), ("owner", "web-team")], ..user("ada") },
            Who { attached: vec![format!("arn:aws:iam::{id}:policy/few")], ..user("robot") },
        ],
        roles: vec![
            Who { trust: FOR_EC2, used: Some((ago(1), "eu-west-1")), inline: vec![("few", NARROW)], ..user("app") },
            Who {
                trust: FOR_TWO,
                attached: vec!["arn:aws:iam::aws:policy/PowerUserAccess".to_owned()],
                boundary: Some(format!("arn:aws:iam::{id}:policy/few")),
                ..user("partner")
            },
            Who { trust: FOR_ALL, used: Some((ago(200), "us-east-1")), ..user("open") },
        ],
        services: BTreeMap::from([(format!("arn:aws:iam::{id}:role/app"), (8, 3))]),
    }
}

/// An agent that reads the IAM of the stand-in, and nothing of AWS Config.
fn agent(scene: &Scene, iam: &IamStandIn) -> Agent {
    scene
        .event_agent()
        .env("AWS_ENDPOINT_URL_IAM", iam.url())
        .env("AWS_ENDPOINT_URL_STS", iam.url())
        // Nobody answers here for AWS Config: its rows are not of these tests.
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", iam.url())
        .env("CSPM_RELAY_POSTURE_IDENTITY", "true")
        .env("CSPM_RELAY_POSTURE_IDENTITY_INTERVAL", "1h")
        .env("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "20")
}

/// The same for these accounts.
fn agent_of(scene: &Scene, iam: &IamStandIn, accounts: &str) -> Agent {
    agent(scene, iam).env("CSPM_RELAY_POSTURE_ACCOUNTS", accounts).env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
}

fn runs(scene: &Scene) -> Vec<Map<String, Value>> {
    let rows = scene.new_relic.store().rows("AwsPostureRun");
    rows.into_iter().filter(|row| row["run.kind"] == "identity").collect()
}

async fn ran(scene: &Scene, times: usize) {
    within(LONG, &format!("{times} inventories"), async || runs(scene).len() >= times).await;
}

/// Rows of an account by `identity.id`, each once.
fn rows(scene: &Scene, account: &str) -> BTreeMap<String, Map<String, Value>> {
    let rows = scene.new_relic.store().rows(EVENT).into_iter().filter(|row| row["aws.accountId"] == account);
    let rows: Vec<_> = rows.collect();
    let by_id: BTreeMap<_, _> = rows.iter().map(|row| (text(&row["identity.id"]), row.clone())).collect();
    assert_eq!(by_id.len(), rows.len(), "a row stands twice");
    by_id
}

/// A row without what differs from run to run and from account to account.
fn core(row: &Map<String, Value>) -> Value {
    let dropped = ["timestamp", "eventType", "snapshot.id", "relay.version"];
    let kept = row.iter().filter(|(name, _)| !dropped.contains(&name.as_str()) && !name.starts_with("aws."));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// S1-18, S2-35, S2-36, S4-16: the rows say what IAM says, through pages, haste and a report that takes time.
#[tokio::test]
async fn everybody_of_an_account_has_a_row() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let iam = IamStandIn::of([(ONE, account(ONE)), (TWO, account(TWO))]).await;
    iam.fail(ONE, "GenerateCredentialReport", Fault::NotReady("STARTED"), Some(1));
    iam.fail(ONE, "GetCredentialReport", Fault::NotReady("ReportExpired"), Some(1));
    iam.fail(TWO, "GetCredentialReport", Fault::NotReady("ReportInProgress"), Some(1));
    iam.fail(TWO, "GetAccountAuthorizationDetails", Fault::Throttled, Some(2));
    let agent = agent_of(&scene, &iam, &format!("{ONE},{TWO}"));
    let names = agent
        .file("accounts.csv", &format!("accountId,name,organizationalUnit,environment\n{ONE},prod-web,Workloads/Prod,prod\n"));
    let agent = agent.env("CSPM_RELAY_ACCOUNTS_FILE", names.to_string_lossy()).start();
    ran(&scene, 1).await;
    let ended = stopped(agent).await;

    let found = rows(&scene, ONE);
    let arn = |rest: &str| format!("arn:aws:iam::{ONE}:{rest}");
    let ids: Vec<&str> = found.keys().map(String::as_str).collect();
    let want = [
        "role/app",
        "role/open",
        "role/partner",
        "root",
        "user/robot",
        "user/robot/accessKey/1",
        "user/team/ada",
        "user/team/ada/accessKey/1",
    ];
    assert_eq!(ids, want.map(arn));
    assert_people(&found);
    assert_others(&found);
    for row in found.values() {
        assert_eq!(
            (&row["aws.accountName"], &row["aws.organizationalUnit"], &row["aws.environment"], &row["aws.partition"]),
            (&json!("prod-web"), &json!("Workloads/Prod"), &json!("prod"), &json!("aws"))
        );
    }
    let others = rows(&scene, TWO);
    assert_eq!(others.len(), found.len());
    let all: Vec<_> = found.values().chain(others.values()).collect();
    let [run] = &runs(&scene)[..] else { panic!("one run") };
    for row in &all {
        assert_eq!((&row["snapshot.id"], &row["timestamp"]), (&run["snapshot.id"], &run["timestamp"]));
    }
    assert_eq!(
        (&run["run.complete"], &run["run.places"], &run["run.placesFailed"], &run["run.rows"]),
        (&json!("true"), &json!(2), &json!(0), &json!(all.len()))
    );
    assert_eq!(run["run.calls"], json!(iam.calls().len()));
    // IAM has one place for a partition, whatever the agent's Region.
    assert!(iam.calls().iter().all(|(_, region, _)| region == "us-east-1"), "{:?}", iam.calls());
    assert_eq!(iam.count(ONE, "GenerateServiceLastAccessedDetails"), 0, "it costs a job for each, and is an option of its own");
    assert!(!ended.stderr.contains("IAM of account"), "{}", ended.stderr);
    scene.no_violations();
}

/// Root, a user and a key of the account's, exactly.
fn assert_people(found: &BTreeMap<String, Map<String, Value>>) {
    let arn = |rest: &str| format!("arn:aws:iam::{ONE}:{rest}");
    let row = |rest: &str| core(&found[&arn(rest)]);
    assert_eq!(
        row("root"),
        json!({
            "identity.id": arn("root"), "identity.kind": "root", "identity.name": "root", "identity.arn": arn("root"),
            "identity.createdAt": ago_of(found, "root"), "identity.ageDays": 2_000, "actor.kind": "root",
            "identity.passwordEnabled": "unknown", "identity.mfaActive": "true", "identity.activeKeys": 0,
            "identity.overBroad": "true", "identity.overBroadReasons": "|root|", "identity.unused": "true",
            "identity.unusedReason": "neverUsed", "identity.idleDays": 2_000, "identity.risk": "none",
        })
    );
    assert_eq!(
        row("user/team/ada"),
        json!({
            "identity.id": arn("user/team/ada"), "identity.kind": "user", "identity.name": "ada", "identity.arn": arn("user/team/ada"),
            "identity.path": "/team/", "identity.owner": "web-team", "identity.createdAt": ago_of(found, "user/team/ada"),
            "identity.ageDays": 700, "actor.kind": "human", "identity.passwordEnabled": "true",
            "identity.passwordLastUsed": found[&arn("user/team/ada")]["identity.lastUsed"], "identity.passwordAgeDays": 50,
            "identity.mfaActive": "false", "identity.activeKeys": 1, "identity.overBroad": "true",
            "identity.overBroadReasons": "|allActions|", "identity.unused": "false",
            "identity.lastUsed": found[&arn("user/team/ada")]["identity.passwordLastUsed"], "identity.idleDays": 3,
            "identity.risk": "critical",
            "identity.riskReasons": "|overBroadWithoutMfa|overBroad|consoleWithoutMfa|keyAndPassword|",
        })
    );
    let key = &found[&arn("user/team/ada/accessKey/1")];
    assert_eq!(
        core(key),
        json!({
            "identity.id": arn("user/team/ada/accessKey/1"), "identity.kind": "accessKey", "identity.name": "ada",
            "identity.arn": arn("user/team/ada"), "identity.path": "/team/", "identity.owner": "web-team",
            "identity.createdAt": key["identity.createdAt"], "identity.ageDays": 91, "actor.kind": "human", "identity.keySlot": 1,
            "identity.keyActive": "true", "identity.keyAgeDays": 91, "identity.keyLastUsed": key["identity.lastUsed"],
            "identity.keyLastUsedService": "s3", "identity.keyLastUsedRegion": "eu-west-1", "identity.keyRotationDue": "true",
            "identity.overBroad": "true", "identity.overBroadReasons": "|allActions|", "identity.unused": "false",
            "identity.lastUsed": key["identity.keyLastUsed"], "identity.idleDays": 4, "identity.risk": "high",
            "identity.riskReasons": "|keyOfOverBroad|keyTooOld|",
        })
    );
}

/// What matters of the program's user and the roles.
fn assert_others(found: &BTreeMap<String, Map<String, Value>>) {
    let arn = |rest: &str| format!("arn:aws:iam::{ONE}:{rest}");
    let robot = &found[&arn("user/robot")];
    assert_eq!(
        (&robot["actor.kind"], &robot["identity.unused"], &robot["identity.unusedReason"], &robot["identity.idleDays"]),
        (&json!("workload"), &json!("true"), &json!("neverUsed"), &json!(90))
    );
    assert_eq!((&robot["identity.overBroad"], robot.get("identity.passwordLastUsed")), (&json!("false"), None));
    let partner = &found[&arn("role/partner")];
    for (name, want) in [
        ("identity.kind", "role"),
        ("actor.kind", "unknown"),
        ("identity.trust", "otherAccount"),
        ("identity.trustedAccounts", "|444455556666|"),
        ("identity.overBroadReasons", "|powerUserAccess|"),
        ("identity.boundaryLimits", "true"),
        ("identity.unusedReason", "notUsedWhileTracked"),
        ("identity.riskReasons", "|unused|overBroadLimited|trustsOtherAccount|"),
        ("identity.risk", "high"),
        ("identity.isServiceLinked", "false"),
    ] {
        assert_eq!(partner[name], want, "{name}");
    }
    assert_eq!(found[&arn("role/open")]["identity.riskReasons"], "|trustsAnyone|unused|");
    let app = &found[&arn("role/app")];
    assert_eq!((&app["identity.risk"], &app["actor.kind"]), (&json!("none"), &json!("workload")));
    assert_eq!((&app["identity.roleLastUsedRegion"], app.get("identity.grantedServices")), (&json!("eu-west-1"), None));
}

/// When an identity was made, as its own row says: to the second of the test's beginning.
fn ago_of(found: &BTreeMap<String, Map<String, Value>>, rest: &str) -> Value {
    let row = &found[&format!("arn:aws:iam::{ONE}:{rest}")];
    let days = row["identity.ageDays"].as_i64().expect("a number");
    let made = row["identity.createdAt"].as_i64().expect("a time");
    assert!((ago_ms(days) - made).abs() < 300_000, "{made}");
    json!(made)
}

/// An account that may not be read is told, with what is missing; one whose answers are not whole sends no half of them; the others
/// go on.
#[tokio::test]
async fn an_account_that_cannot_be_read_does_not_stop_the_others() {
    let Some(aws) = emulator("ministack").await else { return };
    let denied = ["222222222222", "333333333333", "555555555555"];
    let scene = Scene::new(aws).await;
    let iam = IamStandIn::of(denied.into_iter().chain([ONE]).map(|id| (id, account(id)))).await;
    iam.fail(denied[0], "GetCredentialReport", Fault::Denied, None);
    iam.fail(denied[1], "GetAccountAuthorizationDetails", Fault::DeniedLater, None);
    iam.untrusting(denied[2]);
    let mut agent = agent_of(&scene, &iam, &format!("{},{ONE}", denied.join(","))).start();
    ran(&scene, 1).await;
    for (id, missing) in [
        (denied[0], "missing: iam:GetCredentialReport"),
        (denied[1], "missing: iam:GetAccountAuthorizationDetails"),
        (denied[2], "missing: sts:AssumeRole on arn:aws:iam::555555555555:role/cspm-relay-read"),
    ] {
        agent.says(&format!("IAM of account {id} could not be read: ")).await;
        agent.says(missing).await;
        assert_eq!(rows(&scene, id).len(), 0, "{id}");
    }
    stopped(agent).await;
    assert_eq!(rows(&scene, ONE).len(), 8);
    let run = &runs(&scene)[0];
    // Who may not be read is no reason to call the others' rows old.
    assert_eq!(
        (&run["run.complete"], &run["run.places"], &run["run.placesFailed"], &run["run.rows"]),
        (&json!("true"), &json!(1), &json!(3), &json!(8))
    );
    scene.no_violations();
}

#[tokio::test]
async fn an_account_whose_answers_are_not_whole_sends_nothing() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let cut = Account { report: account(TWO).report.trim_end_matches(",N/A,N/A\n").to_owned(), ..account(TWO) };
    let iam = IamStandIn::of([(ONE, account(ONE)), (TWO, cut), ("777788889999", account("777788889999"))]).await;
    iam.fail("777788889999", "GetAccountAuthorizationDetails", Fault::Circle, None);
    let mut agent = agent_of(&scene, &iam, &format!("{TWO},{ONE},777788889999")).start();
    agent.says("the credential report is cut short: line 4 has 16 of 18 cells").await;
    agent.says("the next page has the marker of this one").await;
    ran(&scene, 1).await;
    stopped(agent).await;
    assert_eq!((rows(&scene, ONE).len(), rows(&scene, TWO).len(), rows(&scene, "777788889999").len()), (8, 0, 0));
    let run = &runs(&scene)[0];
    assert_eq!(
        (&run["run.complete"], &run["run.places"], &run["run.placesFailed"]),
        (&json!("false"), &json!(1), &json!(2)),
        "they could be read, and were not"
    );
    assert_eq!(iam.count(TWO, "GetCredentialReport"), 2, "tried once more at the end of the run");
    assert_eq!(iam.count(ONE, "GetCredentialReport"), 1);
    scene.no_violations();
}

/// An aggregator knows the accounts, and the role is taken in each; without a role only the agent's own is read.
#[tokio::test]
async fn an_aggregator_names_the_accounts_and_a_role_reads_them() {
    let Some(aws) = emulator("ministack").await else { return };
    for (role, want) in [(Some("cspm-relay-read"), 2), (None, 1)] {
        let scene = Scene::new(aws.clone()).await;
        let config = ConfigStandIn::start(Size::default()).await;
        let accounts = [Fleet::account(0), Fleet::account(1)];
        config.aggregate("all", &AccountRegion::new(&accounts[0], "eu-west-1"));
        let iam = IamStandIn::of(accounts.iter().map(|id| (&*id.clone().leak(), account(id)))).await;
        let mut agent = Agent::new(["run"])
            .new_relic(&scene.new_relic.url())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", config.url())
            .env("AWS_ENDPOINT_URL_STS", config.url())
            .env("AWS_ENDPOINT_URL_IAM", iam.url())
            .env("CSPM_RELAY_POSTURE_IDENTITY", "true")
            .env("CSPM_RELAY_POSTURE_AGGREGATOR", "all")
            .env("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "20");
        if let Some(role) = role {
            agent = agent.env("CSPM_RELAY_POSTURE_ROLE", role);
        }
        let agent = agent.start();
        ran(&scene, 1).await;
        stopped(agent).await;
        let read: BTreeSet<_> = iam.calls().into_iter().map(|(account, ..)| account).collect();
        assert_eq!(read, accounts.into_iter().take(want).collect());
        assert_eq!((&runs(&scene)[0]["run.places"], &runs(&scene)[0]["run.complete"]), (&json!(want), &json!("true")));
        // The role is for IAM: AWS Config is asked through the aggregator, by the agent itself.
        assert_eq!(config.taken().len(), want - 1, "{:?}", config.taken());
        scene.no_violations();
    }
}

/// Two runs have the same identities under ids of their own. The agent's own account needs no role.
#[tokio::test]
async fn runs_share_nothing_but_the_identities() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let iam = IamStandIn::of([(OWN_ACCOUNT, account(OWN_ACCOUNT))]).await;
    iam.fail(OWN_ACCOUNT, "GetCredentialReport", Fault::NotReady("ReportNotPresent"), Some(1));
    let agent = agent(&scene, &iam).env("CSPM_RELAY_POSTURE_IDENTITY_INTERVAL", "10s").start();
    ran(&scene, 2).await;
    stopped(agent).await;
    let all = scene.new_relic.store().rows(EVENT);
    let of = |run: &Map<String, Value>| -> BTreeSet<String> {
        all.iter().filter(|row| row["snapshot.id"] == run["snapshot.id"]).map(|row| text(&row["identity.id"])).collect()
    };
    let runs = runs(&scene);
    assert_eq!((of(&runs[0]).len(), of(&runs[0]) == of(&runs[1])), (8, true));
    assert_ne!(runs[0]["snapshot.id"], runs[1]["snapshot.id"]);
    assert_ne!(runs[0]["timestamp"], runs[1]["timestamp"]);
    scene.no_violations();
}

/// S2-38: how many of the services that it may use an identity did use, on demand.
#[tokio::test]
async fn used_services_are_counted_on_demand() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let iam = IamStandIn::of([(ONE, account(ONE)), (TWO, account(TWO))]).await;
    iam.fail(TWO, "GenerateServiceLastAccessedDetails", Fault::Denied, None);
    let agent = agent_of(&scene, &iam, &format!("{ONE},{TWO}")).env("CSPM_RELAY_POSTURE_IDENTITY_LAST_ACCESSED", "true");
    let mut agent = agent.start();
    ran(&scene, 1).await;
    agent.says(&format!("Which services the identities of account {TWO} use is not known: ")).await;
    agent.says("missing: iam:GenerateServiceLastAccessedDetails").await;
    stopped(agent).await;
    let found = rows(&scene, ONE);
    let services = |rest: &str| {
        let row = &found[&format!("arn:aws:iam::{ONE}:{rest}")];
        ["identity.grantedServices", "identity.usedServices", "identity.usedServicesPercent"].map(|name| row.get(name).cloned())
    };
    assert_eq!(services("role/app"), [Some(json!(8)), Some(json!(3)), Some(json!(37.5))]);
    assert_eq!(services("role/open"), [Some(json!(0)), Some(json!(0)), None], "of nothing there is no share");
    assert_eq!(services("root"), [None, None, None]);
    assert_eq!(services("user/robot/accessKey/1"), [None, None, None]);
    // Without them the rows are whole.
    assert_eq!((rows(&scene, TWO).len(), iam.count(TWO, "GenerateServiceLastAccessedDetails")), (8, 1));
    assert_eq!((iam.count(ONE, "GenerateServiceLastAccessedDetails"), &runs(&scene)[0]["run.complete"]), (5, &json!("true")));
    scene.no_violations();
}

/// S1-18: nobody asks IAM who was not told to.
#[tokio::test]
async fn without_its_switch_nobody_asks_iam() {
    let Some(aws) = emulator("ministack").await else { return };
    let scene = Scene::new(aws).await;
    let iam = IamStandIn::of([(OWN_ACCOUNT, account(OWN_ACCOUNT))]).await;
    let agent = agent(&scene, &iam)
        .env("CSPM_RELAY_POSTURE_IDENTITY", "false")
        .env("CSPM_RELAY_POSTURE_IDENTITY_LAST_ACCESSED", "true")
        .start();
    // The catalogue of controls is sent by whoever leads.
    within(LONG, "a run", async || !scene.new_relic.store().rows("AwsPostureRun").is_empty()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    stopped(agent).await;
    assert_eq!((iam.calls(), scene.new_relic.store().rows(EVENT).len(), runs(&scene).len()), (Vec::new(), 0, 0));
    scene.no_violations();
}

/// Clients of moto in an account of its own.
async fn moto(aws: &Aws, account: &str) -> aws_sdk_iam::Client {
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(REGION)
        .endpoint_url(&aws.endpoint)
        .credentials_provider(aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "tests"))
        .load()
        .await;
    let role = format!("arn:aws:iam::{account}:role/tests");
    let taking = aws_config::sts::AssumeRoleProvider::builder(role).session_name("tests").configure(&config).build().await;
    let config = config.into_builder().credentials_provider(aws_sdk_sqs::config::SharedCredentialsProvider::new(taking)).build();
    aws_sdk_iam::Client::new(&config)
}

/// An emulator that is not ours says the same: users, groups, roles, keys, a report.
#[tokio::test]
async fn an_account_of_motos_is_read() {
    let Some(aws) = emulator("moto").await else { return };
    let account = format!("{:012}", fastrand::u64(200_000_000_000..900_000_000_000));
    let client = moto(&aws, &account).await;
    let tag = aws_sdk_iam::types::Tag::builder().key("Owner").value("web-team").build().expect("a tag");
    client.create_user().user_name("ada").path("/team/").tags(tag).send().await.expect("a user");
    client.create_login_profile().user_name("ada").password("Not-a-secret-1").send().await.expect("a password");
    client.create_user().user_name("robot").send().await.expect("a user");
    client.create_access_key().user_name("robot").send().await.expect("a key");
    let policy = client.create_policy().policy_name("all").policy_document(ADMIN).send().await.expect("a policy");
    let policy = policy.policy.and_then(|policy| policy.arn).expect("an ARN");
    client.create_group().group_name("admins").send().await.expect("a group");
    client.attach_group_policy().group_name("admins").policy_arn(&policy).send().await.expect("attaching");
    client.add_user_to_group().group_name("admins").user_name("ada").send().await.expect("a member");
    client.create_role().role_name("app").assume_role_policy_document(FOR_EC2).send().await.expect("a role");
    client.put_role_policy().role_name("app").policy_name("few").policy_document(NARROW).send().await.expect("inline");

    let scene = Scene::new(aws).await;
    let agent = scene
        .event_agent()
        .env("CSPM_RELAY_POSTURE_IDENTITY", "true")
        .env("CSPM_RELAY_POSTURE_ACCOUNTS", &account)
        .env("CSPM_RELAY_POSTURE_ROLE", "cspm-relay-read")
        .env("CSPM_RELAY_POSTURE_CALLS_PER_SECOND", "20")
        .start();
    ran(&scene, 1).await;
    let ended = stopped(agent).await;
    let found = rows(&scene, &account);
    let row = |rest: &str| {
        found.get(&format!("arn:aws:iam::{account}:{rest}")).unwrap_or_else(|| panic!("{rest}: {found:?}\n{}", ended.stderr))
    };
    for (rest, name, want) in [
        ("user/team/ada", "identity.overBroadReasons", "|allActions|"),
        ("user/team/ada", "identity.passwordEnabled", "true"),
        ("user/team/ada", "identity.owner", "web-team"),
        ("user/team/ada", "identity.unused", "false"),
        ("user/robot", "actor.kind", "workload"),
        ("user/robot", "identity.overBroad", "false"),
        ("user/robot/accessKey/1", "identity.keyActive", "true"),
        ("role/app", "identity.overBroad", "false"),
        ("role/app", "identity.trusts", "|awsService|"),
        ("role/app", "actor.kind", "workload"),
    ] {
        assert_eq!(row(rest)[name], want, "{rest} {name}");
    }
    assert_eq!((found.len(), &runs(&scene)[0]["run.complete"]), (4, &json!("true")));
    scene.no_violations();
}
