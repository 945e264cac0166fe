//! The stand-in on the wire: every documented answer, every fault, two clients at once.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::clock::Clock;
use crate::encode::limits;
use crate::secret::Secret;

const NOW: i64 = 1_767_225_600_000;
/// Long enough on a busy machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn backend() -> Backend {
    backend_with(BackendSettings::default()).await
}

async fn backend_with(settings: BackendSettings) -> Backend {
    Backend::start(BackendSettings { clock: Clock::fixed(NOW), ..settings }).await.unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn event(id: &str) -> Value {
    json!({ "eventType": "AwsSecurityEvent", "event.id": id })
}

fn path(api: Api) -> String {
    match api {
        Api::Events => format!("/v1/accounts/{ACCOUNT_ID}/events"),
        Api::Logs => "/log/v1".to_owned(),
        Api::NerdGraph => "/graphql".to_owned(),
    }
}

/// A well-formed request; a test then spoils one thing.
fn post(client: &Client, backend: &Backend, api: Api, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let key = if api == Api::NerdGraph { USER_KEY } else { LICENSE_KEY };
    client
        .post(backend.url() + &path(api))
        .header("Api-Key", key)
        .header("Content-Type", "application/json")
        .body(body)
        .timeout(PATIENCE)
}

async fn send_events(client: &Client, backend: &Backend, events: &Value) -> reqwest::Result<reqwest::Response> {
    post(client, backend, Api::Events, events.to_string()).send().await
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    answer(request).await.0
}

/// What a client sees of a cut connection: an error that is neither an answer nor a time-out.
fn assert_cut(result: reqwest::Result<reqwest::Response>) {
    let error = result.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
}

#[tokio::test]
async fn accepted_events_are_stored_and_answered_200_with_a_uuid() {
    let backend = backend().await;
    let body = json!([event("a"), event("b")]).to_string();
    let client = client();
    let (code, plain) = answer(post(&client, &backend, Api::Events, body.clone())).await;
    let packed = post(&client, &backend, Api::Events, gzip(body.as_bytes())).header("Content-Encoding", "gzip");
    let (_, other) = answer(packed).await;
    let uuid = plain["uuid"].as_str().unwrap();
    assert_eq!((code, &plain["success"], uuid.len()), (200, &json!(true), 36));
    assert_ne!(plain["uuid"], other["uuid"]);

    let store = backend.store();
    assert_eq!(store.ids("AwsSecurityEvent"), [("a".to_owned(), 2), ("b".to_owned(), 2)].into());
    let counts = store.counts("AwsSecurityEvent");
    assert_eq!(counts, TypeCounts { rows: 4, distinct_ids: 2, repeated: 2, without_id: 0 });
    let api = store.api(Api::Events);
    assert_eq!((api.requests, api.accepted, api.ended(Ending::Status(200))), (2, 2, 2));
    assert_eq!(api.unpacked_bytes, 2 * body.len() as u64);
    assert_eq!(api.packed_bytes, (body.len() + gzip(body.as_bytes()).len()) as u64);
}

#[tokio::test]
async fn one_row_per_rule_is_no_repetition() {
    let backend = backend().await;
    let client = client();
    let row = |rule: &str| json!({ "eventType": "AwsSecurityEvent", "event.id": "a", "detection.id": format!("a:{rule}") });
    send_events(&client, &backend, &json!([row("one"), row("two")])).await.unwrap();
    assert_eq!(backend.store().counts("AwsSecurityEvent").repeated, 0);
    send_events(&client, &backend, &json!([row("two")])).await.unwrap();
    assert_eq!(backend.store().counts("AwsSecurityEvent").repeated, 1);
    assert_eq!(backend.store().detection_ids("AwsSecurityEvent"), [("a:one".to_owned(), 1), ("a:two".to_owned(), 2)].into());
}

#[tokio::test]
async fn accepted_logs_are_stored_and_answered_202_with_a_request_id() {
    let backend = backend().await;
    let body = json!([{ "common": { "attributes": { "logtype": "aws.cloudtrail" } },
        "logs": [{ "timestamp": NOW, "attributes": { "event.id": "a" }, "message": { "trail": { "eventType": "AwsApiCall" } } }] }]);
    let client = client();
    let (code, body) = answer(post(&client, &backend, Api::Logs, body.to_string())).await;
    assert_eq!((code, body["requestId"].as_str().unwrap().len()), (202, 36));
    let row = json!({ "timestamp": NOW, "logtype": "aws.cloudtrail", "event.id": "a", "trail.eventType": "AwsApiCall",
        "message": r#"{"trail":{"eventType":"AwsApiCall"}}"# });
    assert_eq!(Value::from(backend.store().rows("Log").remove(0)), row);
    assert_eq!(backend.store().ids("Log"), [("a".to_owned(), 1)].into());
    assert_eq!(backend.store().violations(), [].into());
}

#[tokio::test]
async fn keys_decide_who_may_send() {
    let second = Account { id: 7, license_key: Secret::new("second"), user_key: Secret::new("NRAK-2") };
    let backend = backend_with(BackendSettings { accounts: vec![Account::default(), second], ..Default::default() }).await;
    let client = client();
    let events = |name: &'static str, key: &str| {
        client.post(backend.url() + &path(Api::Events)).header(name, key).body(json!([event("a")]).to_string())
    };
    let logs = |query: &str| {
        let url = format!("{}/log/v1{query}", backend.url());
        client.post(url).header("Content-Type", "json").body(json!({ "message": "m" }).to_string())
    };
    for (label, request, expected) in [
        ("Api-Key", events("Api-Key", LICENSE_KEY), 200),
        ("X-License-Key", events("X-License-Key", LICENSE_KEY), 200),
        ("no key", events("X-Other", LICENSE_KEY), 403),
        ("unknown key", events("Api-Key", "0000"), 403),
        ("user key", events("Api-Key", USER_KEY), 403),
        ("key of another account", events("Api-Key", "second"), 403),
        ("logs: X-License-Key", logs("").header("X-License-Key", "second"), 202),
        ("logs: query", logs(&format!("?Api-Key={LICENSE_KEY}")), 202),
        ("logs: unknown key in query", logs("?Api-Key=0000"), 403),
        ("logs: user key", logs("").header("Api-Key", USER_KEY), 403),
        ("logs: no key", logs(""), 403),
    ] {
        assert_eq!(status(request).await, expected, "{label} (P11)");
    }
    let in_query = client.post(format!("{}{}?Api-Key={LICENSE_KEY}", backend.url(), path(Api::Events))).body("[]");
    assert_eq!(status(in_query).await, 403, "the Event API documents no key in the query");
    assert_eq!(backend.store().violations(), [(Violation::Key, 8)].into());
    assert_eq!(backend.store().counts("AwsSecurityEvent").rows, 2);
}

#[tokio::test]
async fn requests_that_are_wrong_before_parsing_are_refused() {
    let backend = backend().await;
    let client = client();
    let url = backend.url();
    let typed = |api, content_type: &str| {
        let key = client.post(url.clone() + &path(api)).header("Api-Key", LICENSE_KEY).body(json!([]).to_string());
        if content_type.is_empty() { key } else { key.header("Content-Type", content_type) }
    };
    for (label, request, expected) in [
        ("no such path", client.post(format!("{url}/v2/events")).body("[]"), 404),
        ("wrong method", client.get(url.clone() + &path(Api::Events)), 405),
        ("logs: wrong method", client.put(url.clone() + &path(Api::Logs)).body("[]"), 405),
        ("OTLP", client.post(format!("{url}/v1/logs")).body("{}"), 501),
        ("empty body", post(&client, &backend, Api::Events, ""), 400),
        ("logs: empty body", post(&client, &backend, Api::Logs, ""), 400),
        ("not gzip", post(&client, &backend, Api::Events, "[]").header("Content-Encoding", "gzip"), 400),
        ("encoding", post(&client, &backend, Api::Events, "[]").header("Content-Encoding", "br"), 415),
        ("multipart", typed(Api::Events, "multipart/related"), 415),
        ("no type", typed(Api::Events, ""), 200),
        ("text", typed(Api::Events, "text/plain"), 200),
        ("logs: charset", typed(Api::Logs, "Application/JSON; charset=utf-8"), 202),
        ("logs: text", typed(Api::Logs, "text/plain"), 415),
        ("logs: no type", typed(Api::Logs, ""), 415),
    ] {
        assert_eq!(status(request).await, expected, "{label}");
    }
    let summary = backend.store().summary();
    assert_eq!(summary.elsewhere, 4);
    assert_eq!(summary.violations, [(Violation::Body, 3), (Violation::ContentType, 4)].into());
}

#[tokio::test]
async fn bodies_are_limited_packed_and_unpacked() {
    let backend = backend().await;
    let client = client();
    let padded = |length: usize| {
        let mut body = json!([event("a")]).to_string();
        body.extend(std::iter::repeat_n(' ', length - body.len()));
        body
    };
    for (label, api, accepted) in [("events", Api::Events, 200), ("logs", Api::Logs, 202)] {
        for (size, expected) in [(limits::BODY_BYTES, accepted), (limits::BODY_BYTES + 1, 413), (9 * limits::BODY_BYTES, 413)] {
            assert_eq!(status(post(&client, &backend, api, padded(size))).await, expected, "{label}: {size} bytes (P12)");
        }
        for (size, expected) in [(limits::BODY_BYTES, accepted), (limits::BODY_BYTES + 1, 413)] {
            let packed = post(&client, &backend, api, gzip(padded(size).as_bytes())).header("Content-Encoding", "gzip");
            assert_eq!(status(packed).await, expected, "{label}: {size} bytes unpacked (P12)");
        }
    }
    assert_eq!(backend.store().violations()[&Violation::BodyTooLarge], 6);
    assert_eq!(backend.store().counts("AwsSecurityEvent").rows, 2);
}

#[tokio::test]
async fn bad_content_is_answered_200_and_told_by_an_integration_error() {
    let backend = backend().await;
    let client = client();
    let long = "x".repeat(limits::EVENT_VALUE_CHARS + 1);
    let mixed = json!([event("good"), { "eventType": "T", "v": long }, { "eventType": "T", "v": long }]).to_string();
    let (code, answered) = answer(post(&client, &backend, Api::Events, mixed)).await;
    assert_eq!((code, &answered["success"]), (200, &json!(true)), "P14: only the integration error tells");
    assert_eq!(answer(post(&client, &backend, Api::Events, "[{")).await.0, 200);
    let (code, logs) = answer(post(&client, &backend, Api::Logs, "[{")).await;
    assert_eq!(code, 202);

    let errors = backend.store().integration_errors();
    assert_eq!(
        errors[0],
        IntegrationError {
            timestamp: NOW,
            new_relic_feature: "Event API",
            category: "ApiLimit",
            name: "EventValidationException",
            message: "attribute value is too long: 2 event(s) lost".to_owned(),
            request_id: answered["uuid"].as_str().unwrap().to_owned(),
            api_key_prefix: "000000".to_owned(),
            event_type_sample: Some("T".to_owned()),
            limit_name: Some("AttributeValueLength"),
            limit_value: Some(limits::EVENT_VALUE_CHARS as u64),
        }
    );
    assert_eq!(
        (errors[1].category, errors[1].message.as_str()),
        ("EventApiException", "error parsing JSON payload: 1 event(s) lost")
    );
    assert_eq!((errors[2].new_relic_feature, errors[2].request_id.as_str()), ("Logs", logs["requestId"].as_str().unwrap()));
    assert_eq!(errors.len(), 3);
    assert_eq!(backend.store().ids("AwsSecurityEvent"), [("good".to_owned(), 1)].into());
    let query = json!({ "query": "{ actor { account(id: 1234567) { nrql(query: \"SELECT count(*) FROM NrIntegrationError\") { results } } } }" });
    let (code, found) = answer(post(&client, &backend, Api::NerdGraph, query.to_string())).await;
    assert_eq!((code, &found["data"]["actor"]["account"]["nrql"]["results"]), (200, &json!([{ "count": 3 }])));
}

#[tokio::test]
async fn graphql_wants_a_user_key() {
    let backend = backend().await;
    let client = client();
    let ask = |key: &'static str| {
        let body = json!({ "query": "{ actor { user { name } } }" }).to_string();
        client.post(backend.url() + "/graphql").header("Api-Key", key).header("Content-Type", "application/json").body(body)
    };
    assert_eq!(answer(ask(USER_KEY)).await, (200, json!({ "data": { "actor": { "user": { "name": "Stand-in user" } } } })));
    let (code, refused) = answer(ask(LICENSE_KEY)).await;
    assert_eq!((code, &refused["errors"][0]["extensions"]["error_code"]), (401, &json!("BAD_API_KEY")));
    assert_eq!(status(post(&client, &backend, Api::NerdGraph, "{")).await, 400);
}

#[tokio::test]
async fn scripted_answers_come_in_order_then_the_documented_one() {
    let backend = backend().await;
    let client = client();
    let codes = [400, 401, 403, 404, 408, 413, 415, 429, 500, 502, 503, 504];
    backend.script(Api::Events, codes.map(Fault::status));
    backend.script(Api::Events, [Fault::Status { code: 429, retry_after_s: Some(7) }]);
    backend.script(Api::Logs, [Fault::status(503)]);
    for code in codes {
        assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), code, "X1");
    }
    let limited = send_events(&client, &backend, &json!([event("a")])).await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!((backend.script_left(Api::Events), backend.script_left(Api::Logs)), (0, 1));
    assert_eq!(backend.store().summary().types, [].into(), "nothing is stored under a scripted status");
    assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), 200);
    assert_eq!(backend.store().api(Api::Events).ended(Ending::Status(503)), 1);
}

#[tokio::test]
async fn cuts_reach_the_wire_and_only_the_accepting_ones_store() {
    for (label, fault, stored) in [
        ("before reading", Fault::CutBeforeRead, false),
        ("after reading", Fault::CutAfterRead, false),
        ("accepted", Fault::AcceptThenCut, true),
        ("accepted and silent", Fault::AcceptThenHang(Duration::from_millis(20)), true),
    ] {
        let backend = backend().await;
        let client = client();
        backend.script(Api::Events, [fault]);
        assert_cut(send_events(&client, &backend, &json!([event("a")])).await);
        let api = backend.store().api(Api::Events);
        assert_eq!((api.requests, api.ended(Ending::Cut)), (1, 1), "{label}");
        let (accepted, rows) = (u64::from(stored), backend.store().counts("AwsSecurityEvent").rows);
        assert_eq!((api.accepted, api.accepted_unanswered, rows), (accepted, accepted, accepted), "{label}");
        assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), 200, "{label}: next");
        assert_eq!(backend.store().counts("AwsSecurityEvent").repeated, accepted, "{label}");
    }
}

#[tokio::test]
async fn a_cut_sends_no_byte_of_an_answer() {
    let backend = backend().await;
    for fault in [Fault::CutBeforeRead, Fault::CutAfterRead, Fault::AcceptThenCut] {
        backend.script(Api::Events, [fault]);
        let mut stream = TcpStream::connect(backend.url().trim_start_matches("http://")).await.unwrap();
        let body = json!([event("a")]).to_string();
        let (path, length) = (path(Api::Events), body.len());
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nApi-Key: {LICENSE_KEY}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answered = Vec::new();
        // A reset and an orderly end are both a lost connection.
        drop(timeout(PATIENCE, stream.read_to_end(&mut answered)).await.expect("the connection is closed"));
        assert_eq!(answered, b"", "{fault:?}");
    }
}

#[tokio::test]
async fn a_client_with_a_shorter_time_out_sees_silence() {
    let backend = backend().await;
    let client = client();
    let hour = Duration::from_secs(3_600);
    for (fault, ending, stored) in
        [(Fault::Delay(hour), Ending::Abandoned, 0), (Fault::AcceptThenHang(hour), Ending::Abandoned, 1)]
    {
        backend.script(Api::Events, [fault]);
        let request = post(&client, &backend, Api::Events, json!([event("a")]).to_string());
        let error = request.timeout(Duration::from_millis(100)).send().await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        let store = backend.store();
        let ended = store.api(Api::Events).ended(ending) + 1;
        let seen = store.wait_until(|store| store.api(Api::Events).ended(ending) >= ended.min(stored + 1));
        timeout(PATIENCE, seen).await.expect("the stand-in sees that the client left");
        assert_eq!(store.counts("AwsSecurityEvent").rows, stored, "{fault:?}");
    }
    backend.script(Api::Events, [Fault::Delay(Duration::from_millis(20))]);
    assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_slow_body_is_answered_408() {
    let backend = backend().await;
    let mut stream = TcpStream::connect(backend.url().trim_start_matches("http://")).await.unwrap();
    let path = path(Api::Events);
    let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nApi-Key: {LICENSE_KEY}\r\nContent-Length: 10\r\n\r\n[");
    stream.write_all(request.as_bytes()).await.unwrap();
    backend.store().wait_until(|store| store.api(Api::Events).requests == 1).await;
    tokio::time::pause();
    let mut answered = vec![0; 12];
    stream.read_exact(&mut answered).await.unwrap();
    assert_eq!(answered, b"HTTP/1.1 408");
}

#[tokio::test]
async fn held_requests_wait_unanswered_until_told() {
    let backend = backend().await;
    let client = client();
    let mut hold = backend.hold(Api::Events);
    let send = |id: &'static str| {
        let request = post(&client, &backend, Api::Events, json!([event(id)]).to_string());
        tokio::spawn(request.send())
    };
    let store = backend.store();
    for (label, kept, answered) in
        [("release", true, true), ("cut", false, false), ("accept_then_cut", true, false), ("drop", true, true)]
    {
        let sent = send(label);
        let held = timeout(PATIENCE, hold.next()).await.unwrap().unwrap();
        assert!(held.is_waiting() && !sent.is_finished(), "{label}");
        assert_eq!((held.api(), held.body()), (Api::Events, json!([event(label)]).to_string().as_bytes()));
        assert!(!store.ids("AwsSecurityEvent").contains_key(label), "{label}: not stored while held");
        match label {
            "release" => assert!(held.release()),
            "cut" => assert!(held.cut()),
            "accept_then_cut" => assert!(held.accept_then_cut()),
            _ => drop(held),
        }
        match sent.await.unwrap() {
            Ok(response) => assert!(answered && response.status() == 200, "{label}"),
            Err(error) => assert!(!answered && error.is_request(), "{label}: {error:?}"),
        }
        assert_eq!(store.ids("AwsSecurityEvent").contains_key(label), kept, "{label}");
    }
    let sent = send("left");
    let mut held = timeout(PATIENCE, hold.next()).await.unwrap().unwrap();
    sent.abort();
    timeout(PATIENCE, held.abandoned()).await.expect("an aborted client is noticed");
    assert!(!held.release());
    let sent = send("after");
    drop(hold);
    assert_eq!(sent.await.unwrap().unwrap().status(), 200, "dropping the hold releases");
    assert!(!store.ids("AwsSecurityEvent").contains_key("left"));
}

#[tokio::test]
async fn the_rate_limit_lasts_for_the_minute_of_the_clock() {
    let clock = Clock::fixed(NOW + 20_000);
    let settings = BackendSettings { requests_per_minute: Some(2), clock: clock.clone(), ..Default::default() };
    let backend = Backend::start(settings).await.unwrap();
    let client = client();
    let log = || post(&client, &backend, Api::Logs, json!({ "message": "m" }).to_string());
    for expected in [202, 202, 429] {
        assert_eq!(status(log()).await, expected);
    }
    assert_eq!(log().send().await.unwrap().headers()["retry-after"], "40");
    for (events, expected) in [(1, 200), (2, 200), (3, 429)] {
        let response = send_events(&client, &backend, &json!([event("a")])).await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{events}: events have a count of their own");
        assert!(response.headers().get("retry-after").is_none(), "documented for logs only");
    }
    clock.advance_to(NOW + 60_000);
    assert_eq!(status(log()).await, 202);
}

#[tokio::test]
async fn the_window_follows_the_clock() {
    let clock = Clock::fixed(NOW);
    let backend = Backend::start(BackendSettings { clock: clock.clone(), ..Default::default() }).await.unwrap();
    let client = client();
    let old = json!([{ "eventType": "T", "timestamp": NOW }]);
    send_events(&client, &backend, &old).await.unwrap();
    clock.advance_to(NOW + limits::EVENT_WINDOW_MS + 1);
    send_events(&client, &backend, &old).await.unwrap();
    assert_eq!(backend.store().counts("T").rows, 1);
    assert_eq!(backend.store().violations(), [(Violation::TimestampWindow, 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_with_random_faults_lose_nothing_when_they_retry() {
    let faults = RandomFaults { seed: 1, share: 0.4, accept_then_cut: 0.5, max_consecutive: None, retry_after_s: None };
    let backend = backend_with(BackendSettings { faults: Some(faults), ..Default::default() }).await;
    let one = |client: Client, name: char| {
        let backend = &backend;
        async move {
            for index in 0..50 {
                let body = json!([event(&format!("{name}{index}"))]);
                while !send_events(&client, backend, &body).await.is_ok_and(|response| response.status() == 200) {}
            }
        }
    };
    let both = async { tokio::join!(one(client(), 'a'), one(client(), 'b')) };
    timeout(PATIENCE, both).await.unwrap();
    let store = backend.store();
    let (counts, api) = (store.counts("AwsSecurityEvent"), store.api(Api::Events));
    assert_eq!(counts.distinct_ids, 100);
    assert_eq!(counts.repeated, api.accepted_unanswered, "each lost answer makes one repetition");
    assert!(api.accepted_unanswered > 0);
    assert_eq!(api.requests, api.endings.values().sum::<u64>());
    assert_eq!(api.accepted, api.ended(Ending::Status(200)) + api.accepted_unanswered);
}

#[tokio::test]
async fn ten_thousand_events_stay_cheap() {
    let backend = backend().await;
    let client = client();
    for batch in 0..10 {
        let events: Vec<_> = (0..1_000).map(|index| event(&format!("{batch}-{index}"))).collect();
        send_events(&client, &backend, &events.into()).await.unwrap();
    }
    let store = backend.store();
    assert_eq!(store.counts("AwsSecurityEvent"), TypeCounts { rows: 10_000, distinct_ids: 10_000, repeated: 0, without_id: 0 });
    assert_eq!(store.rows("AwsSecurityEvent").len(), 10_000);
}

#[tokio::test]
async fn what_is_retained_can_be_less() {
    for (retain, rows, ids, body) in [
        (Retain::Rows, 1, 1, Bytes::from("[]")),
        (Retain::Ids, 0, 1, Bytes::from("[]")),
        (Retain::Counts, 0, 0, Bytes::from("\u{0}")),
    ] {
        let backend = backend_with(BackendSettings { retain, ..Default::default() }).await;
        let client = client();
        send_events(&client, &backend, &json!([event("a")])).await.unwrap();
        let store = backend.store();
        assert_eq!((store.rows("AwsSecurityEvent").len(), store.ids("AwsSecurityEvent").len()), (rows, ids), "{retain:?}");
        assert_eq!(status(post(&client, &backend, Api::Events, body)).await, 200, "{retain:?}");
        let api = store.api(Api::Events);
        assert_eq!((api.requests, api.accepted, store.violations().len()), (2, 2, 0), "{retain:?}");
    }
}

#[tokio::test]
async fn the_summary_page_tells_what_it_holds() {
    let backend = backend().await;
    let client = client();
    backend.script(Api::Events, [Fault::AcceptThenCut]);
    drop(send_events(&client, &backend, &json!([event("a"), { "eventType": "T", "accountId": 1 }])).await);
    send_events(&client, &backend, &json!([event("a")])).await.unwrap();
    let (code, summary) = answer(client.get(backend.url() + "/stand-in/summary")).await;
    let api = backend.store().api(Api::Events);
    assert_eq!(
        (code, summary),
        (
            200,
            json!({
                "types": {
                    "AwsSecurityEvent": { "rows": 2, "distinctIds": 1, "repeated": 1, "withoutId": 0 },
                    "T": { "rows": 1, "distinctIds": 0, "repeated": 0, "withoutId": 1 },
                },
                "apis": { "events": {
                    "requests": 2, "packedBytes": api.packed_bytes, "unpackedBytes": api.unpacked_bytes, "accepted": 2,
                    "acceptedUnanswered": 1, "endings": { "200": 1, "cut": 1 },
                } },
                "elsewhere": 0,
                "violations": { "reservedName": 1 },
                "integrationErrors": 0,
            })
        )
    );
    let ids = client.get(backend.url() + "/stand-in/ids?type=AwsSecurityEvent");
    assert_eq!(answer(ids).await, (200, json!({ "a": 2 })));
    assert_eq!(status(client.get(backend.url() + "/stand-in/ids")).await, 400);
}

#[tokio::test]
async fn stopping_cuts_what_waits_and_frees_the_port() {
    let backend = backend().await;
    let (address, store) = (backend.address, backend.store());
    let client = client();
    let mut hold = backend.hold(Api::Events);
    let sent = tokio::spawn(post(&client, &backend, Api::Events, json!([event("a")]).to_string()).send());
    let held = timeout(PATIENCE, hold.next()).await.unwrap().unwrap();
    timeout(PATIENCE, backend.stop()).await.expect("stopping waits for nobody");
    assert_cut(sent.await.unwrap());
    assert!(!held.is_waiting());
    assert_eq!(store.api(Api::Events).ended(Ending::Abandoned), 1);

    let again = Backend::start(BackendSettings { listen: address, ..Default::default() }).await.unwrap();
    let taken = Backend::start(BackendSettings { listen: address, ..Default::default() }).await.unwrap_err();
    assert_eq!(taken.to_string(), format!("listening on {address}"));
    drop(again);
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("dropping frees the port");
}
