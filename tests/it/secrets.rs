//! What must not leave: secrets in records, and anything of a record or a key in the agent's own log.

use cspm_relay::clock::Clock;
use cspm_relay::lab::backend::{Api, BackendSettings, Fault};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::agent::LICENSE_KEY;
use crate::support::data;
use crate::support::replay::{file_of, finish, good, replay_of, stand_in};

/// Made secrets in the places where `CloudTrail` lets them through. Each holds a word that is looked for in all output.
fn secretive(now_ms: i64) -> (Vec<Value>, Vec<&'static str>) {
    let call = |number: u64, source: &str, name: &str, request: Value, response: Value| {
        let mut record = data::alarming(number, now_ms - 60_000);
        record["eventSource"] = json!(format!("{source}.amazonaws.com"));
        record["eventName"] = json!(name);
        record["requestParameters"] = request;
        record["responseElements"] = response;
        record
    };
    let jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJob3Jhbmdl.s3cr3tJwtPart";
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIs3cr3tPemPartMIIs3cr3tPemPart\n-----END RSA PRIVATE KEY-----";
    let records = vec![
        call(
            1,
            "rds",
            "ModifyDBInstance",
            json!({"dBInstanceIdentifier": "db", "masterUserPassword": "s3cr3tMaster"}),
            Value::Null,
        ),
        call(2, "secretsmanager", "PutSecretValue", json!({"secretId": "prod/db", "secretString": "s3cr3tString"}), Value::Null),
        call(
            3,
            "lambda",
            "UpdateFunctionConfiguration20150331v2",
            json!({"functionName": "f", "environment": {"variables": {"DB_PASSWORD": "s3cr3tEnv", "API_TOKEN": jwt}}}),
            json!({"environment": {"variables": {"DB_PASSWORD": "s3cr3tEnv"}}}),
        ),
        call(
            4,
            "ecs",
            "RegisterTaskDefinition",
            json!({"containerDefinitions": [{"environment": [{"name": "DB_PASSWORD", "value": "s3cr3tEcs"}, {"name": "LEVEL", "value": "info"}]}]}),
            Value::Null,
        ),
        call(
            5,
            "cloudformation",
            "CreateStack",
            json!({"stackName": "s", "parameters": [{"parameterKey": "DbPassword", "parameterValue": "s3cr3tStack"}]}),
            Value::Null,
        ),
        call(
            6,
            "iam",
            "CreateAccessKey",
            json!({"userName": "zoe"}),
            json!({"accessKey": {"userName": "zoe", "accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "s3cr3tAccessKey"}}),
        ),
        call(
            7,
            "sts",
            "AssumeRole",
            json!({"roleArn": "arn:aws:iam::1:role/x"}),
            json!({"credentials": {"accessKeyId": "ASIAEXAMPLE", "sessionToken": "s3cr3tSession"}}),
        ),
        call(8, "acm", "ImportCertificate", json!({"privateKey": pem, "certificate": "public"}), Value::Null),
        call(
            9,
            "codebuild",
            "ImportSourceCredentials",
            json!({"token": "ghp_s3cr3tGithub0123456789012345678901234", "authType": "x"}),
            Value::Null,
        ),
        call(10, "iam", "UpdateLoginProfile", json!({"userName": "zoe", "password": "s3cr3tLogin"}), Value::Null),
        call(11, "rds", "ModifyDBInstance", json!({"deep": {"deeper": [{"MasterUserPassword": "s3cr3tDeep"}]}}), Value::Null),
    ];
    let secrets = vec![
        "s3cr3tMaster",
        "s3cr3tString",
        "s3cr3tEnv",
        "s3cr3tJwtPart",
        "s3cr3tEcs",
        "s3cr3tStack",
        "s3cr3tAccessKey",
        "s3cr3tSession",
        "s3cr3tPemPart",
        "s3cr3tGithub",
        "s3cr3tLogin",
        "s3cr3tDeep",
    ];
    (records, secrets)
}

#[tokio::test]
async fn secrets_in_records_leave_neither_in_events_nor_in_logs() {
    let (records, secrets) = secretive(1_780_000_000_000);
    let agent = || {
        let agent = replay_of::<&str>([]);
        let path = agent.file("records.json", &file_of(&records));
        agent.arg(path.to_string_lossy()).arg("--logs").arg("all")
    };
    let ended = good(agent()).await;
    let left: Vec<_> = secrets.iter().filter(|secret| ended.stdout.contains(**secret)).collect();
    assert_eq!(left, Vec::<&&str>::new(), "left the account");
    assert_eq!(ended.logs().len(), records.len());
    assert!(ended.events().len() >= 3, "detections among them: {}", ended.events().len());
    let log = &ended.logs()[3]["message"]["requestParameters"]["containerDefinitions"][0]["environment"];
    assert_eq!(*log, json!([{"name": "DB_PASSWORD", "value": "****"}, {"name": "LEVEL", "value": "info"}]), "the rest stays");
    // The switch is what does it; events never carry them, whatever it says.
    let open = good(agent().env("CSPM_RELAY_LOGS_MASK", "false")).await;
    assert!(secrets.iter().all(|secret| open.stdout.contains(*secret)));
    let events: String = open.stdout.lines().filter(|line| line.starts_with("{\"kind\":\"event\"")).collect();
    assert!(!events.is_empty() && secrets.iter().all(|secret| !events.contains(*secret)));
}

/// P30: the agent's own words at the finest level, through every kind of trouble.
#[tokio::test]
async fn the_agents_own_log_holds_no_key_no_body_and_no_principal() {
    let (records, secrets) = secretive(Clock::system().now_ms());
    let principals = [
        "mila",
        "AKIAEXAMPLE",
        "AIDAEXAMPLE",
        "arn:aws:iam::111122223333:user",
        "203.0.113.7",
        "StopLogging",
        "masterUserPassword",
    ];
    for (name, faults) in [
        ("well", vec![]),
        ("in trouble", vec![Fault::status(503), Fault::CutAfterRead, Fault::status(413), Fault::status(400), Fault::status(400)]),
        ("locked out", vec![Fault::status(403); 100]),
        ("refused", vec![Fault::status(400); 1_000]),
    ] {
        for format in ["text", "json"] {
            let backend = stand_in(BackendSettings::default()).await;
            for api in [Api::Events, Api::Logs] {
                backend.script(api, faults.clone());
            }
            let mut broken = records.clone();
            broken.push(json!({"eventID": "s3cr3tString", "userIdentity": {"arn": "arn:aws:iam::111122223333:user/mila"}}));
            let letters = TempDir::new().expect("a temporary folder");
            let agent = replay_of::<&str>([]);
            let path = agent.file("records.json", &file_of(&broken));
            let agent =
                agent.new_relic(&backend.url()).env("NEW_RELIC_LICENSE_KEY", LICENSE_KEY).env("CSPM_RELAY_LOG_LEVEL", "trace");
            let agent =
                agent.env("CSPM_RELAY_LOG_FORMAT", format).env("CSPM_RELAY_DEAD_LETTERS", letters.path().to_string_lossy());
            let ended = finish(agent.arg(path.to_string_lossy()).arg("--logs").arg("all").arg("--to").arg(backend.url())).await;
            let said = ended.stdout.clone() + &ended.stderr;
            for word in secrets.iter().chain(&principals).chain(&[LICENSE_KEY, LICENSE_KEY.split_at(20).0, "STANDNRAL"]) {
                assert!(!said.contains(word), "{name}, {format}: {word} in the agent's own output:\n{said}");
            }
            assert!(!ended.summary.is_null(), "{name}: {said}");
        }
    }
}
