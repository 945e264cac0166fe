//! The proxy alone, in front of a small upstream, and between SDK and emulator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::Uri;

use super::super::aws::{Aws, Depth, QueueSettings, emulators};
use super::super::eventually;
use super::*;

/// Answers every request with its method, path, one header and body; counts what has reached it.
async fn upstream() -> (String, Arc<AtomicU64>) {
    let reached = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&reached);
    let echo = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        count.fetch_add(1, Ordering::SeqCst);
        let key = headers.get("api-key").and_then(|value| value.to_str().ok()).unwrap_or("none").to_owned();
        let text = format!("{method} {uri} {key} {}", String::from_utf8_lossy(&body));
        (StatusCode::ACCEPTED, [("x-from", "upstream")], text)
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    (url, reached)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

fn post(proxy: &Proxy, path: &str) -> JoinHandle<reqwest::Result<(u16, String)>> {
    let request = client().post(format!("{}{path}", proxy.url())).header("api-key", "k").body("b");
    tokio::spawn(async move {
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    })
}

const EVENTS: &str = "/v1/accounts/1/events";

#[tokio::test]
async fn it_passes_on_what_it_gets() {
    let (url, _) = upstream().await;
    let proxy = Proxy::start(&url).await;
    let answer = client().put(format!("{}/b/a%20b%2Bc?x=%2F&y", proxy.url())).header("api-key", "k").body("text").send().await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["x-from"].to_str().ok()), (202, Some("upstream")));
    assert_eq!(answer.text().await.expect("a body"), "PUT /b/a%20b%2Bc?x=%2F&y k text");
    let head = client().head(format!("{}/b/c", proxy.url())).send().await.expect("an answer");
    assert_eq!(head.headers()["content-length"].to_str().ok(), Some("15"), "length of what GET would give");
    assert_eq!((proxy.answered(Call::PutObject), proxy.answered(Call::Other)), (1, 1));
}

#[tokio::test]
async fn a_refused_call_never_reaches_the_upstream() {
    let (url, reached) = upstream().await;
    let proxy = Proxy::start(&url).await;
    proxy.refuse(Call::Logs, "/log", StatusCode::SERVICE_UNAVAILABLE, "no");
    let logs = async || post(&proxy, "/log/v1").await.expect("no panic").expect("an answer");
    assert_eq!(logs().await, (503, "no".to_owned()));
    assert_eq!((reached.load(Ordering::SeqCst), proxy.answered(Call::Logs)), (0, 0));
    assert_eq!(post(&proxy, EVENTS).await.expect("no panic").expect("an answer").0, 202, "another call");
    proxy.allow();
    assert_eq!(logs().await.0, 202);
}

#[tokio::test]
async fn a_request_is_held_before_the_upstream_sees_it() {
    let (url, reached) = upstream().await;
    let proxy = Proxy::start(&url).await;
    let mut hold = proxy.hold(Call::Events, Side::Request);
    let other = post(&proxy, "/log/v1").await.expect("no panic");
    assert_eq!(other.expect("another call passes").0, 202);
    assert!(!hold.is_held());
    let exchange = post(&proxy, EVENTS);
    hold.held().await;
    assert_eq!(reached.load(Ordering::SeqCst), 1, "only the other call");
    assert!(!exchange.is_finished());
    hold.release();
    assert_eq!(exchange.await.expect("no panic").expect("an answer").1, "POST /v1/accounts/1/events k b");
    assert_eq!((reached.load(Ordering::SeqCst), proxy.answered(Call::Events)), (2, 1));
}

#[tokio::test]
async fn an_answer_is_held_after_the_upstream_gave_it() {
    let (url, reached) = upstream().await;
    let proxy = Proxy::start(&url).await;
    let mut hold = proxy.hold(Call::Events, Side::Answer);
    let exchange = post(&proxy, EVENTS);
    hold.held().await;
    assert_eq!((reached.load(Ordering::SeqCst), proxy.answered(Call::Events)), (1, 1));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!exchange.is_finished(), "the answer is held");
    hold.release();
    assert_eq!(exchange.await.expect("no panic").expect("an answer").0, 202);
}

#[tokio::test]
async fn a_cut_exchange_gets_no_answer() {
    let (url, reached) = upstream().await;
    let proxy = Proxy::start(&url).await;
    for (side, seen) in [(Side::Request, 0), (Side::Answer, 1)] {
        let mut hold = proxy.hold(Call::Logs, side);
        let exchange = post(&proxy, "/log/v1");
        hold.held().await;
        hold.cut();
        let error = exchange.await.expect("no panic").expect_err("no answer");
        assert!(error.is_request() && error.status().is_none(), "{side:?}: {error:?}");
        assert_eq!(reached.load(Ordering::SeqCst), seen, "{side:?}");
    }
}

#[tokio::test]
async fn points_are_passed_in_turn() {
    let (url, _) = upstream().await;
    let proxy = Proxy::start(&url).await;
    let mut third = proxy.hold_after(2, Call::Events, Side::Request);
    for _ in 0..2 {
        assert_eq!(post(&proxy, EVENTS).await.expect("no panic").expect("an answer").0, 202);
    }
    let exchange = post(&proxy, EVENTS);
    third.held().await;
    let free = post(&proxy, EVENTS).await.expect("no panic").expect("an answer");
    assert_eq!(free.0, 202, "a point holds one exchange");
    drop(third);
    assert_eq!(exchange.await.expect("no panic").expect("a dropped hold lets go").0, 202);
    drop(proxy.hold(Call::Events, Side::Request));
    assert_eq!(post(&proxy, EVENTS).await.expect("no panic").expect("a dropped point is disarmed").0, 202);
}

#[tokio::test]
async fn a_request_whose_sender_is_gone_never_reaches_the_upstream() {
    let (url, reached) = upstream().await;
    let proxy = Proxy::start(&url).await;
    let mut hold = proxy.hold(Call::Events, Side::Request);
    let exchange = post(&proxy, EVENTS);
    hold.held().await;
    exchange.abort();
    assert!(exchange.await.is_err_and(|error| error.is_cancelled()));
    eventually("the proxy notices", async || hold.verdict.is_closed()).await;
    hold.release();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_upstream_is_a_bad_gateway() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port").local_addr().expect("a bound port");
    let proxy = Proxy::start(&format!("http://{nobody}")).await;
    assert_eq!(post(&proxy, EVENTS).await.expect("no panic").expect("an answer").0, 502);
    assert_eq!(proxy.answered(Call::Events), 0);
}

#[tokio::test]
async fn aws_calls_are_held_by_name() {
    for aws in emulators().await {
        let proxy = Proxy::start(&aws.endpoint).await;
        let through = Aws::at(aws.name, &proxy.url()).await;
        let trail = aws.trail(QueueSettings::default()).await;
        let key = "AWSLogs/a b+c.json.gz";
        trail.put(key, vec![7; 100_000]).await;

        let mut hold = proxy.hold(Call::GetObject, Side::Answer);
        let (s3, bucket) = (through.s3.clone(), trail.bucket.clone());
        let got =
            tokio::spawn(async move { s3.get_object().bucket(bucket).key(key).send().await.map(|found| found.content_length) });
        hold.held().await;
        hold.release();
        assert_eq!(got.await.expect("no panic").expect("an object"), Some(100_000), "{}", aws.name);

        let queue = aws.queue(QueueSettings::default()).await;
        queue.send("one").await;
        let mut hold = proxy.hold(Call::ReceiveMessage, Side::Answer);
        let (sqs, url) = (through.sqs.clone(), queue.url.clone());
        let received = tokio::spawn(async move { sqs.receive_message().queue_url(url).wait_time_seconds(5).send().await });
        hold.held().await;
        assert_eq!(queue.depth().await, Depth { visible: 0, in_flight: 1 }, "{}: received, and nobody knows", aws.name);
        received.abort();
        assert!(received.await.is_err());
        hold.release();
        assert_eq!(queue.depth().await, Depth { visible: 0, in_flight: 1 }, "{}: hidden until it expires", aws.name);

        let sent = through.sqs.send_message().queue_url(&queue.url).message_body("two").send().await;
        assert!(sent.is_ok(), "{}: {sent:?}", aws.name);
        assert_eq!((proxy.answered(Call::GetObject), proxy.answered(Call::SendMessage)), (1, 1), "{}", aws.name);
    }
}
