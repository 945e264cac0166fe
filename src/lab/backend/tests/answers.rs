//! Every documented answer, and what is stored.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::encode::limits;
use crate::secret::Secret;

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
    assert_eq!(TypeCounts { bytes: 0, ..counts }, TypeCounts { rows: 4, distinct_ids: 2, repeated: 2, without_id: 0, bytes: 0 });
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
            rows: 2,
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

/// Whoever sends must be able to see what New Relic lost though every rule was kept.
#[tokio::test]
async fn a_row_that_is_to_be_lost_is_lost_once_under_a_yes_and_told() {
    let backend = backend().await;
    let client = client();
    backend.lose(Api::Events, "b");
    let sent = json!([event("a"), event("b"), event("c")]);
    for _ in 0..2 {
        assert_eq!(status(post(&client, &backend, Api::Events, sent.to_string())).await, 200);
    }
    let store = backend.store();
    let times = [("a".to_owned(), 2), ("b".to_owned(), 1), ("c".to_owned(), 2)];
    assert_eq!((store.ids("AwsSecurityEvent"), store.violations()), (times.into(), [].into()));
    let [error] = store.integration_errors().try_into().unwrap();
    assert_eq!(
        (error.category, error.message.as_str(), error.rows, error.event_type_sample.as_deref()),
        ("EventApiException", "scripted by the stand-in: 1 event(s) lost", 1, Some("AwsSecurityEvent"))
    );
    assert!(!store.rows("NrIntegrationError")[0].contains_key("rows"), "New Relic has no such attribute");
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

#[tokio::test]
async fn ten_thousand_events_stay_cheap() {
    let backend = backend().await;
    let client = client();
    for batch in 0..10 {
        let events: Vec<_> = (0..1_000).map(|index| event(&format!("{batch}-{index}"))).collect();
        send_events(&client, &backend, &events.into()).await.unwrap();
    }
    let store = backend.store();
    let counts = store.counts("AwsSecurityEvent");
    assert_eq!((counts.rows, counts.distinct_ids, counts.repeated, counts.without_id), (10_000, 10_000, 0, 0));
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
                    "AwsSecurityEvent": { "rows": 2, "bytes": 146, "distinctIds": 1, "repeated": 1, "withoutId": 0, "bytes": 146 },
                    "T": { "rows": 1, "bytes": 43, "distinctIds": 0, "repeated": 0, "withoutId": 1, "bytes": 43 },
                },
                "apis": { "events": {
                    "requests": 2, "rowsUnanswered": 2, "packedBytes": api.packed_bytes, "unpackedBytes": api.unpacked_bytes, "accepted": 2,
                    "acceptedUnanswered": 1, "endings": { "200": 1, "cut": 1 },
                } },
                "elsewhere": 0,
                "violations": { "reservedName": 1 },
                "integrationErrors": 0,
            })
        )
    );
    let page = client.get(backend.url() + "/stand-in/summary").send().await.unwrap();
    assert!(page.text().await.unwrap().ends_with("}\n"), "a line of its own in a terminal");
    let ids = client.get(backend.url() + "/stand-in/ids?type=AwsSecurityEvent");
    assert_eq!(answer(ids).await, (200, json!({ "a": 2 })));
    assert_eq!(status(client.get(backend.url() + "/stand-in/ids")).await, 400);
}
