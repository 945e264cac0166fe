//! What AWS's answers, and answers that are none, mean to us.

use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

#[test]
fn the_region_of_a_queue_is_in_its_url() {
    for (url, expected) in [
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", Some("eu-west-1")),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail", Some("cn-north-1")),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/111122223333/trail", Some("us-gov-west-1")),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/trail", Some("eu-west-1")),
        ("https://queue.amazonaws.com/111122223333/trail", None),
        ("http://127.0.0.1:4666/000000000000/trail", None),
        ("http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/trail", None),
        ("trail", None),
    ] {
        assert_eq!(region_of(url), expected, "{url}");
    }
}

#[test]
fn a_redrive_policy_names_its_count() {
    for (policy, expected) in [
        (r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:d","maxReceiveCount":10}"#, Some(10)),
        (r#"{"maxReceiveCount":"5"}"#, Some(5)),
        (r#"{"maxReceiveCount":-1}"#, None),
        ("", None),
    ] {
        assert_eq!(max_receive_count(policy), expected, "{policy}");
    }
}

#[test]
fn a_body_cut_short_is_not_the_object() {
    let held = Bytes::from_static(b"12345");
    assert_eq!(whole(held.clone(), Some(5)), Ok(held.clone()));
    assert_eq!(whole(held.clone(), None), Ok(held.clone()));
    let error = whole(held, Some(9)).unwrap_err();
    assert_eq!(error, ReadError::Passing { why: "the body ended after 5 of 9 bytes".to_owned() });
}

/// A server that gives every request the same answer, and a client configuration that points at it and tries once.
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
    let credentials = Credentials::builder().access_key_id("test").secret_access_key("test").provider_name("test").build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("http://{address}"))
        .retry_config(RetryConfig::disabled())
        .build()
}

fn answer(status: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

const HTML: &str = "<!doctype html><title>500 Internal Server Error</title>";

/// Throttles, HTML and broken connections pass; AWS's own refusals do not.
#[tokio::test]
async fn answers_of_sqs() {
    let json = |status, name| answer(status, "application/x-amz-json-1.0", &format!(r#"{{"__type":"{name}","message":"m"}}"#));
    for (name, answer, expected) in [
        ("denied", json("403 Forbidden", "AccessDenied"), "AccessDenied: m; missing: sqs:ReceiveMessage"),
        ("denied, JSON name", json("400 Bad Request", "AccessDeniedException"), "AccessDeniedException: m; missing: sqs:Re"),
        ("key", json("400 Bad Request", "KmsAccessDenied"), "KmsAccessDenied: m; missing: kms:Decrypt"),
        ("throttled key", json("400 Bad Request", "KmsThrottled"), "passing KmsThrottled: m"),
        ("gone", json("400 Bad Request", "com.amazonaws.sqs#QueueDoesNotExist"), "gone QueueDoesNotExist: m"),
        ("throttled", json("400 Bad Request", "RequestThrottled"), "passing RequestThrottled: m"),
        ("expired", json("400 Bad Request", "ExpiredToken"), "passing ExpiredToken: m"),
        ("in flight limit", json("400 Bad Request", "OverLimit"), "passing OverLimit: m"),
        ("HTML error", answer("500 Internal Server Error", "text/html", HTML), "passing "),
        ("HTML success", answer("200 OK", "text/html", HTML), "passing "),
        ("nothing", String::new(), "passing "),
    ] {
        let queue = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&server(answer).await), "http://x/1/q"));
        let found = match queue.receive().await.expect_err(name) {
            QueueError::Missing { why } => format!("gone {why}"),
            QueueError::Passing { why } => format!("passing {why}"),
            denied @ (QueueError::Denied { .. } | QueueError::NoCredentials { .. }) => denied.to_string(),
        };
        assert!(found.starts_with(expected), "{name}: {found}");
        assert!(!found.contains("x-amz") && !found.contains("AKIA") && found.len() < 400, "{name}: {found}");
    }
}

#[tokio::test]
async fn answers_of_s3() {
    let xml =
        |status, code| answer(status, "application/xml", &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"));
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nshort".to_owned();
    for (name, answer, expected) in [
        ("no key", xml("404 Not Found", "NoSuchKey"), "gone"),
        ("no version", xml("404 Not Found", "NoSuchVersion"), "gone"),
        ("no bucket", xml("404 Not Found", "NoSuchBucket"), "denied NoSuchBucket: m; the bucket: check the endpoint"),
        ("not found", xml("404 Not Found", "NotFound"), "denied NotFound: m; the bucket: check the endpoint"),
        ("denied", xml("403 Forbidden", "AccessDenied"), "denied AccessDenied: m; s3:GetObject"),
        ("key", xml("400 Bad Request", "KMS.DisabledException"), "denied KMS.DisabledException: m; s3:GetObject"),
        ("key of a wrong state", xml("400 Bad Request", "KMS.KMSInvalidStateException"), "denied KMS.KMSInvalidStateException"),
        ("throttled key", xml("400 Bad Request", "KMS.ThrottlingException"), "passing KMS.ThrottlingException: m"),
        (
            "slow key",
            xml("503 Service Unavailable", "KMS.DependencyTimeoutException"),
            "passing KMS.DependencyTimeoutException: m",
        ),
        ("fault of KMS", xml("500 Internal Server Error", "KMS.KMSInternalException"), "passing KMS.KMSInternalException: m"),
        ("archived", xml("403 Forbidden", "InvalidObjectState"), "denied InvalidObjectState: m; a restored copy"),
        ("other Region", xml("301 Moved Permanently", "PermanentRedirect"), "denied PermanentRedirect: m; the bucket's Region"),
        ("slow down", xml("503 Slow Down", "SlowDown"), "passing SlowDown: m"),
        ("HTML", answer("502 Bad Gateway", "text/html", HTML), "passing"),
        ("cut short", cut, "passing end of file before message length reached"),
        ("good", answer("200 OK", "application/x-gzip", "bytes"), "read 5"),
    ] {
        let bucket = S3::new(&server(answer).await);
        let place = Place { bucket: "b".to_owned(), key: "k +%".to_owned(), version: None, bytes: None };
        let read = match bucket.open(&place).await {
            Ok(opened) => opened.body.await,
            Err(error) => Err(error),
        };
        let found = match read {
            Ok(bytes) => format!("read {}", bytes.len()),
            Err(ReadError::Gone) => "gone".to_owned(),
            Err(ReadError::Denied { why, missing }) => format!("denied {why}; {missing}"),
            Err(ReadError::Passing { why }) => format!("passing {why}"),
            Err(other) => other.to_string(),
        };
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}

/// "dispatch failure: io error: client error" is the same for a wrong name, a closed port and a proxy that is not there.
#[tokio::test]
async fn nobody_who_answers_is_told_by_the_innermost_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config = server(String::new()).await;
    for (name, url, expected) in [
        ("closed port", closed.as_str(), "Connection refused"),
        ("no such name", "http://aws.invalid", "failed to lookup address information: "),
    ] {
        let config = config.clone().into_builder().endpoint_url(url).build();
        let queue = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&config), "http://x/1/q"));
        let Err(QueueError::Passing { why }) = queue.receive().await else { panic!("{name}: not passing") };
        assert!(why.starts_with(expected) && why.ends_with(WAY), "{name}: {why}");
        let Err(ReadError::Passing { why }) = S3::new(&config).list("b", "", None).await else { panic!("{name}: not passing") };
        assert!(why.starts_with(expected) && why.ends_with(WAY), "{name}: {why}");
    }
}

/// Whoever may read objects may not read their versions yet: another action, and a bucket with versions always names one.
#[tokio::test]
async fn a_denied_version_says_which_action_is_missing() {
    let body = "<Error><Code>AccessDenied</Code><Message>m</Message></Error>";
    let bucket = S3::new(&server(answer("403 Forbidden", "application/xml", body)).await);
    for (version, expected) in
        [(None, "s3:GetObject on the object"), (Some("v1".to_owned()), "s3:GetObjectVersion on the object")]
    {
        let place = Place { bucket: "b".to_owned(), key: "k".to_owned(), version, bytes: None };
        let Err(ReadError::Denied { missing, .. }) = bucket.open(&place).await else { panic!("{place:?}: not denied") };
        assert!(missing.starts_with(expected), "{place:?}: {missing}");
    }
}

/// A fault of the SDK's own providers, not one of ours: its words are what `credentials` goes by.
#[tokio::test]
async fn failures_to_get_credentials_are_told_in_one_line() {
    let refused = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>m</Message></Error><More>nobody's business</More></ErrorResponse>";
    let sts = server(answer("403 Forbidden", "text/xml", refused)).await;
    let region = Region::new("eu-west-1");
    let config = aws_config::defaults(BehaviorVersion::latest()).region(region).retry_config(RetryConfig::disabled());
    let config = config.endpoint_url(sts.endpoint_url().unwrap_or_default()).load().await;
    let role = aws_config::sts::AssumeRoleProvider::builder("arn:aws:iam::111122223333:role/reader").configure(&config);
    let role = role.build_from_provider(Credentials::new("AKIAX", "s", None, None, "test")).await;
    let profile = aws_config::profile::ProfileFileCredentialsProvider::builder().profile_name("of-no-file").build();
    let chain = aws_config::meta::credentials::CredentialsProviderChain::first_try("Profile", profile);
    for (name, provider, expected) in [
        ("nothing set up", SharedCredentialsProvider::new(chain), "role: none of them is set up)"),
        (
            "role refused",
            SharedCredentialsProvider::new(role),
            "role: an error occurred while loading credentials: service error: unhandled error (AccessDenied)",
        ),
    ] {
        let config = server(String::new()).await.into_builder().credentials_provider(provider).build();
        let queue = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&config), "http://x/1/q"));
        let error = queue.receive().await.expect_err(name);
        assert!(matches!(error, QueueError::NoCredentials { .. }), "{name}: {error:?}");
        let text = error.to_string();
        assert!(text.starts_with("no AWS credentials (tried the environment") && text.contains(expected), "{name}: {text}");
        assert!(text.ends_with(credentials::MISSING) && !text.contains('\n') && !text.contains("nobody's"), "{name}: {text}");
        let place = Place { bucket: "b".to_owned(), key: "k".to_owned(), version: None, bytes: None };
        let Err(ReadError::Denied { why, missing }) = S3::new(&config).open(&place).await else { panic!("{name}: not denied") };
        assert_eq!(format!("{why}; missing: {missing}"), text, "{name}");
    }
}
