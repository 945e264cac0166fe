//! `health`: whether the agent lives and is ready, and what it says when it is not.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::support::agent::{Agent, LICENSE_KEY};
use super::support::{PATIENCE, eventually};

/// Something else on the agent's port is no healthy agent, and one that never answers is waited for 4 s at most.
#[tokio::test]
async fn what_is_not_the_agent_is_not_healthy() {
    for (name, answer, expected) in [
        ("another server", Some("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), "is not cspm-relay\n"),
        ("silence", None, "within 4 s\n"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port().to_string();
        let server = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Some(answer) = answer {
                    assert!(stream.read(&mut [0; 1024]).await.expect("a request") > 0);
                    stream.write_all(answer.as_bytes()).await.expect("an answer");
                } else {
                    held.push(stream);
                }
            }
        });
        let ended = Agent::new(["health", "--port", &port]).start().exited(Duration::from_secs(10)).await;
        server.abort();
        assert_eq!(ended.status.code(), Some(1), "{name}");
        assert!(ended.stdout.starts_with("not live: ") && ended.stdout.ends_with(expected), "{name}: {}", ended.stdout);
    }
}

/// P11: when New Relic refuses the key the agent is alive, not ready, and says what to do. AWS does not answer at all here.
#[tokio::test]
async fn a_refused_key_is_not_ready_but_alive() {
    let new_relic = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", new_relic.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = new_relic.accept().await {
            // The client may be gone already; then nobody waits for the answer.
            let _asked = stream.read(&mut [0; 8_192]).await.is_ok();
            let _told =
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await.is_ok();
        }
    });
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("agent.sock").to_string_lossy().into_owned();
    let mut agent = Agent::run("http://127.0.0.1:9", &url, "http://127.0.0.1:9/111122223333/trail")
        .env("CSPM_RELAY_HEARTBEAT", "1s")
        .env("CSPM_RELAY_DRAIN", "1s")
        .env("CSPM_RELAY_HEALTH_SOCKET", &*socket)
        .start();
    agent.ready().await;
    let ask = async |ready: bool| {
        let health = Agent::new(["health", "--socket", &socket]);
        let ended = if ready { health.arg("--ready") } else { health }.finish().await;
        (ended.status.code(), ended.stdout)
    };
    eventually("New Relic's refusal is noticed", async || ask(true).await.1.contains("New Relic accepts nothing")).await;
    let (code, said) = ask(true).await;
    assert_eq!(code, Some(1));
    assert!(said.contains("check newrelic.licenseKey (an ingest licence key, not a user key)"), "{said}");
    assert_eq!(ask(false).await, (Some(0), "live\n".to_owned()));
    agent.terminate();
    let ended = agent.exited(PATIENCE).await;
    server.abort();
    assert_eq!(ask(false).await.0, Some(1));
    assert!(!ended.stderr.contains(LICENSE_KEY), "{}", ended.stderr);
}

/// P11: a newcomer who forgot the AWS credentials reads one line that says so, with what to do, and the agent is not ready.
#[tokio::test]
async fn missing_aws_credentials_are_one_clear_line_and_not_ready() {
    let nobody = "http://127.0.0.1:9";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("agent.sock").to_string_lossy().into_owned();
    let mut agent = Agent::run(nobody, nobody, "http://127.0.0.1:9/111122223333/trail")
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .env("CSPM_RELAY_DRAIN", "1s")
        .env("CSPM_RELAY_HEALTH_SOCKET", &*socket)
        .start();
    agent.says("no AWS credentials").await;
    // Long enough for further tries, which are not told.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let health = Agent::new(["health", "--ready", "--socket", &socket]).finish().await;
    assert_eq!(health.status.code(), Some(1));
    let told = "source trail: reading the settings of queue trail: no AWS credentials (tried the environment, the AWS profile, a \
                web identity token, the ECS task role and the EC2 instance role: none of them is set up); missing: an IAM role of \
                the ECS task (taskRoleArn) or EC2 instance, or AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    assert_eq!(health.stdout, format!("not ready: {told}\n"));
    agent.terminate();
    let ended = agent.exited(PATIENCE).await;
    assert_eq!(ended.stderr.matches("credentials").count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("ERROR trail: reading the settings of queue trail: no AWS credentials"), "{}", ended.stderr);
}
