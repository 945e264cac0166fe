//! What S3's answers, and answers that are none, mean to a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A server that gives every request the same answer and counts them, and a store that asks it. The client tries again, as the
/// agent's own does.
async fn server(answer: String) -> (S3, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let mut request = vec![0; 65_536];
            let _read = stream.read(&mut request).await.is_ok();
            let _written = stream.write_all(answer.as_bytes()).await.is_ok();
        }
    });
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(
            Credentials::builder().access_key_id("test").secret_access_key("test").provider_name("test").build(),
        )
        .endpoint_url(format!("http://{address}"))
        .force_path_style(true);
    (S3::new(aws_sdk_s3::Client::from_conf(config.build()), "bucket", "cspm"), asked)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn error(status: &str, code: &str) -> String {
    answer(status, "content-type: application/xml\r\n", &format!("<Error><Code>{code}</Code><Message>m</Message></Error>"))
}

#[tokio::test]
async fn a_put_that_expects_something_is_asked_once_whatever_comes_back() {
    let put = "s3:PutObject on arn:aws:s3:::bucket/cspm/*";
    for (name, answer, expected) in [
        ("precondition", error("412 Precondition Failed", "PreconditionFailed"), "a/b is not as it was expected"),
        ("precondition without a body", answer("412 Precondition Failed", "", ""), "a/b is not as it was expected"),
        ("at the same time", error("409 Conflict", "ConditionalRequestConflict"), "a/b is not as it was expected"),
        ("gone", error("404 Not Found", "NoSuchKey"), "a/b is not as it was expected"),
        ("denied", error("403 Forbidden", "AccessDenied"), put),
        ("key", error("400 Bad Request", "KMS.DisabledException"), "missing: the use of the key of the bucket bucket"),
        ("no bucket", error("404 Not Found", "NoSuchBucket"), "missing: the bucket bucket: check its name"),
        ("other Region", error("301 Moved Permanently", "PermanentRedirect"), "missing: the Region of the bucket bucket"),
        ("slow down", error("503 Slow Down", "SlowDown"), "SlowDown: m"),
        ("internal", error("500 Internal Server Error", "InternalError"), "InternalError: m"),
        ("no version", answer("200 OK", "", ""), "the answer has no ETag"),
        ("connection closed", String::new(), ""),
    ] {
        let (store, asked) = server(answer).await;
        let version = Version("\"1\"".into());
        let error = store.put("a/b", Bytes::from_static(b"x"), Expected::Version(version)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{name}");
        let passing = ["slow down", "internal", "no version", "connection closed"].contains(&name);
        assert_eq!(matches!(error, StoreError::Passing { .. }), passing, "{name}: {error:?}");
    }
    let (store, _) = server(answer("200 OK", "etag: \"7\"\r\n", "")).await;
    let version = store.put("a/b", Bytes::new(), Expected::Absent).await.unwrap();
    assert_eq!(version.as_str(), "\"7\"");
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let huge = format!("HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\nx", MOST_BYTES + 1);
    let cut = "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 9\r\nconnection: close\r\n\r\n12345".to_owned();
    for (name, answer, expected) in [
        ("too large", huge, "a/b has 67108865 bytes; at most"),
        ("cut short", cut, ""),
        ("no version", answer("200 OK", "", "x"), "the answer has no ETag"),
        (
            "denied",
            error("403 Forbidden", "AccessDenied"),
            "s3:GetObject on arn:aws:s3:::bucket/cspm/*, and kms:Decrypt where the bucket has a key of its own; s3:ListBucket on arn:aws:s3:::bucket",
        ),
    ] {
        let (store, _) = server(answer).await;
        let error = store.get("a/b").await.unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
    let (store, _) = server(error("404 Not Found", "NoSuchKey")).await;
    assert_eq!(store.get("a/b").await.unwrap(), None);
    let (store, _) = server(error("403 Forbidden", "AccessDenied")).await;
    let error = store.list("a").await.unwrap_err().to_string();
    assert!(error.ends_with("missing: s3:ListBucket on arn:aws:s3:::bucket"), "{error}");
}
