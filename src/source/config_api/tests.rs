//! What refusals, of AWS Config and on the way to it, mean to us; what is made of an aggregator's answers.

use std::sync::Mutex;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_config::config::Credentials;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::aggregator::{AccountRead, AggregateRule, AggregatorApi, Found, JudgedResource, account, accounts};
use super::ask::Verdict;
use super::clients::{Access, Clients};
use super::faults::judge;
use super::*;
use crate::config::Role;

const ACTION: &str = "config:DescribeConfigRules";

/// A configuration whose every service is a server that gives every request the same answer.
async fn server(answer: String) -> SdkConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 65_536];
            let _read = stream.read(&mut request).await.is_ok();
            let _written = stream.write_all(answer.as_bytes()).await.is_ok();
        }
    });
    base(&format!("http://{address}")).await
}

async fn base(endpoint: &str) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest()).region("eu-west-1").endpoint_url(endpoint);
    let credentials = Credentials::new("test", "test", None, None, "tests");
    loader.credentials_provider(credentials).retry_config(aws_config::retry::RetryConfig::disabled()).load().await
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn config(name: &str) -> String {
    answer("400 Bad Request", "application/x-amz-json-1.1", &format!(r#"{{"__type":"{name}","message":"m"}}"#))
}

fn sts(code: &str) -> String {
    let body =
        format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>");
    answer("403 Forbidden", "text/xml", &body)
}

/// What is made of the answer, when asked in the agent's own account or, with a role, in another.
async fn verdict(base: &SdkConfig, with_role: bool) -> Verdict<ConfigApiError> {
    let access = Access { own_account: "111122223333".into(), role: Role::parse("reader"), external_id: None, per_second: 100.0 };
    let clients = Clients::new(base, access).await;
    let place = AccountRegion::new(if with_role { "444455556666" } else { "111122223333" }, "eu-west-1");
    let client = clients.of(&place).await.unwrap();
    let error = client.describe_config_rules().send().await.unwrap_err();
    judge(&error, ACTION, clients.role_in(&place).as_deref())
}

/// The kind of a verdict and the words that it shows.
fn words(verdict: &Verdict<ConfigApiError>) -> (&'static str, String) {
    match verdict {
        Verdict::TooMany(why) => ("too many", why.clone()),
        Verdict::Again(why) => ("again", why.clone()),
        Verdict::Ended(error) => {
            let kind = match error {
                ConfigApiError::Denied { .. } => "denied",
                ConfigApiError::NoCredentials { .. } => "no credentials",
                ConfigApiError::NotEnabled { .. } => "not enabled",
                ConfigApiError::NoSuchRule { .. } => "no such rule",
                ConfigApiError::Refused { .. } => "refused",
                ConfigApiError::Passing { .. } => "passing",
            };
            (kind, error.to_string())
        }
    }
}

#[tokio::test]
async fn answers_of_config() {
    let html = answer("500 Internal Server Error", "text/html", "<!doctype html><title>500 Internal Server Error</title>");
    for (answer, kind, text) in [
        (config("ThrottlingException"), "too many", "ThrottlingException: m"),
        (config("Throttling"), "too many", "Throttling: m"),
        (config("TooManyRequestsException"), "too many", "TooManyRequestsException: m"),
        (config("RequestLimitExceeded"), "too many", "RequestLimitExceeded: m"),
        (config("AccessDeniedException"), "denied", "AccessDeniedException: m; missing: config:DescribeConfigRules"),
        (config("NoSuchConfigRuleException"), "no such rule", "NoSuchConfigRuleException: m"),
        (config("NoSuchConfigurationAggregatorException"), "not enabled", "there is no such aggregator"),
        (config("NoAvailableConfigurationRecorderException"), "not enabled", "set up a configuration recorder"),
        (config("UnrecognizedClientException"), "not enabled", "UnrecognizedClientException: m; the Region may not be enabled"),
        (config("AuthFailure"), "not enabled", "the Region may not be enabled"),
        (config("OptInRequired"), "not enabled", "the Region may not be enabled"),
        (config("ValidationException"), "refused", "ValidationException: m"),
        (config("InvalidLimitException"), "refused", "InvalidLimitException: m"),
        (config("InvalidNextTokenException"), "passing", "InvalidNextTokenException: m"),
        (config("ExpiredTokenException"), "again", "ExpiredTokenException: m"),
        (config("SomethingNew"), "again", "SomethingNew: m"),
        (html, "again", ""),
        (answer("502 Bad Gateway", "text/plain", "bad gateway"), "again", ""),
        ("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_owned(), "again", ""),
        (answer("200 OK", "application/x-amz-json-1.1", "not JSON"), "again", ""),
        (String::new(), "again", ""),
    ] {
        let made = words(&verdict(&server(answer.clone()).await, false).await);
        assert_eq!(made.0, kind, "{answer}: {}", made.1);
        assert!(made.1.contains(text), "{answer}: {}", made.1);
        assert!(!made.1.is_empty() && !made.1.contains("doctype"), "{answer}: {}", made.1);
    }
}

#[tokio::test]
async fn answers_of_sts_when_a_role_is_taken() {
    let denied = "missing: sts:AssumeRole on arn:aws:iam::444455556666:role/reader in the agent's role";
    for (answer, kind, text) in [
        (sts("AccessDenied"), "denied", denied),
        (sts("ValidationError"), "denied", denied),
        (sts("RegionDisabledException"), "not enabled", "the Region may not be enabled"),
        (sts("Throttling"), "again", "taking arn:aws:iam::444455556666:role/reader"),
        (sts("ExpiredTokenException"), "again", "taking arn:aws:iam::444455556666:role/reader"),
        (answer("503 Service Unavailable", "text/plain", "later"), "again", "taking arn:aws:iam::444455556666:role/reader"),
        (String::new(), "again", "taking arn:aws:iam::444455556666:role/reader"),
    ] {
        let made = words(&verdict(&server(answer.clone()).await, true).await);
        assert_eq!(made.0, kind, "{answer}: {}", made.1);
        assert!(made.1.contains(text), "{answer}: {}", made.1);
    }
}

#[tokio::test]
async fn nobody_there_may_pass_and_no_credentials_do_not() {
    for with_role in [false, true] {
        // Nothing listens on the port of a listener that is gone.
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let made = words(&verdict(&base(&format!("http://{gone}")).await, with_role).await);
        assert_eq!(made.0, "again", "{}", made.1);
        let none = aws_config::defaults(BehaviorVersion::latest()).region("eu-west-1").endpoint_url("http://127.0.0.1:9");
        let nothing = aws_config::environment::EnvironmentVariableCredentialsProvider::new();
        let none = none.credentials_provider(nothing).load().await;
        let made = words(&verdict(&none, with_role).await);
        assert_eq!(made.0, "no credentials", "{}", made.1);
        assert!(made.1.contains("no AWS credentials") && made.1.contains("taskRoleArn"), "{}", made.1);
    }
}

/// An aggregator that says what it is told to say, page by page.
#[derive(Debug, Default)]
struct Said {
    rules: Vec<Vec<AggregateRule>>,
    resources: Vec<Vec<JudgedResource>>,
    by_name: Option<ConfigApiError>,
    asked: Mutex<Vec<String>>,
}

impl AggregatorApi for Said {
    fn rules<'a>(&'a self, _: Option<&'a str>, each: Each<'a, AggregateRule>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        self.rules.iter().cloned().for_each(each);
        Box::pin(async { Ok(()) })
    }

    fn resources<'a>(&'a self, _: Option<&'a str>, each: Each<'a, JudgedResource>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        self.resources.iter().cloned().for_each(each);
        Box::pin(async { Ok(()) })
    }

    fn evaluations<'a>(
        &'a self,
        place: &'a AccountRegion,
        rule: &'a str,
        _: Each<'a, Evaluation>,
    ) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        self.asked.lock().unwrap().push(format!("{place} {rule}"));
        Box::pin(async { self.by_name.clone().map_or(Ok(()), Err) })
    }

    fn packs<'a>(&'a self, _: Each<'a, (AccountRegion, Pack)>) -> BoxFuture<'a, Result<(), ConfigApiError>> {
        Box::pin(async { Ok(()) })
    }
}

fn listed(region: &str, rule: &str, state: ComplianceState) -> AggregateRule {
    AggregateRule { place: AccountRegion::new("111122223333", region), rule: rule.into(), state }
}

fn judged(region: &str, rules: &[&str]) -> JudgedResource {
    JudgedResource {
        place: AccountRegion::new("111122223333", region),
        resource_type: "AWS::S3::Bucket".into(),
        resource_id: "ledger".into(),
        captured_ms: 7,
        rules: rules.iter().map(|rule| ((*rule).into(), ComplianceState::Compliant)).collect(),
    }
}

#[tokio::test]
async fn rules_named_twice_or_no_more_or_unknown_to_the_query() {
    use ComplianceState::{Compliant, InsufficientData, NonCompliant};
    let mut said = Said {
        rules: vec![
            vec![listed("r1", "both", Compliant), listed("r1", "listed", NonCompliant)],
            vec![listed("r1", "both", NonCompliant), listed("r2", "idle", InsufficientData)],
        ],
        resources: vec![vec![judged("r1", &["both", "deleted"])], vec![judged("r3", &["both"])]],
        ..Said::default()
    };
    assert_eq!(accounts(&said).await.unwrap(), [Box::from("111122223333")]);
    let mut found = Vec::new();
    let read = account(&said, "111122223333", &mut |one| found.push(one)).await.unwrap();
    assert_eq!(read, AccountRead { rules: 3, evaluations: 1, by_name: 1, unlisted: 2 });
    assert_eq!(*said.asked.lock().unwrap(), ["111122223333/r1 listed"], "not the one without results");
    let told: Vec<_> = found
        .iter()
        .map(|one| match one {
            Found::Rule(rule) => format!("rule {}", rule.rule),
            Found::Evaluation { place, rule, captured_ms, .. } => format!("{place} {rule} {captured_ms}"),
        })
        .collect();
    assert_eq!(told, ["rule both", "rule listed", "rule idle", "111122223333/r1 both 7"]);
    said.by_name = Some(ConfigApiError::NoSuchRule { why: "gone".to_owned() });
    account(&said, "111122223333", &mut |_| {}).await.expect("deleted meanwhile is no fault");
    said.by_name = Some(ConfigApiError::Passing { why: "later".to_owned() });
    account(&said, "111122223333", &mut |_| {}).await.expect_err("not whole");
}
