//! Every fault as a client sees it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// What a client sees of a cut connection: an error that is neither an answer nor a time-out.
fn assert_cut(result: reqwest::Result<reqwest::Response>) {
    let error = result.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && !error.is_connect(), "{error:?}");
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
    for code in [0, 100, 1_000] {
        backend.script(Api::Events, [Fault::status(code)]);
        assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), 500, "{code}");
    }
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
        assert_eq!(api.rows_unanswered, accepted, "{label}");
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
async fn a_client_that_gives_up_was_stored_or_not_as_scripted() {
    let backend = backend().await;
    let client = client();
    let hour = Duration::from_hours(1);
    let body = json!([event("a")]).to_string();
    let store = backend.store();
    for (fault, requests, stored) in [(Fault::Delay(hour), 1, 0), (Fault::AcceptThenHang(hour), 2, 1)] {
        backend.script(Api::Events, [fault]);
        let waiting = tokio::spawn(post(&client, &backend, Api::Events, body.clone()).send());
        let read = store.wait_until(|store| {
            let api = store.api(Api::Events);
            (api.packed_bytes, api.accepted) == (requests * body.len() as u64, stored)
        });
        timeout(PATIENCE, read).await.unwrap();
        assert!(!waiting.is_finished(), "{fault:?}: no answer");
        waiting.abort();
        let seen = store.wait_until(|store| store.api(Api::Events).ended(Ending::Abandoned) == requests);
        timeout(PATIENCE, seen).await.expect("the stand-in sees that the client left");
        assert_eq!(store.counts("AwsSecurityEvent").rows, stored, "{fault:?}");
    }
    backend.script(Api::Events, [Fault::Delay(Duration::from_millis(20))]);
    assert_eq!(send_events(&client, &backend, &json!([event("a")])).await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn held_requests_wait_unanswered_until_told() {
    let backend = backend().await;
    let client = client();
    let mut gate = backend.hold(Api::Events);
    let post_event = |id: &'static str| {
        let request = post(&client, &backend, Api::Events, json!([event(id)]).to_string());
        tokio::spawn(request.send())
    };
    let store = backend.store();
    for (label, kept, answered) in
        [("release", true, true), ("cut", false, false), ("accept_then_cut", true, false), ("drop", true, true)]
    {
        let sent = post_event(label);
        let held = timeout(PATIENCE, gate.next()).await.unwrap().unwrap();
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
    let sent = post_event("left");
    let mut held = timeout(PATIENCE, gate.next()).await.unwrap().unwrap();
    sent.abort();
    timeout(PATIENCE, held.abandoned()).await.expect("an aborted client is noticed");
    assert!(!held.release());
    let sent = post_event("after");
    drop(gate);
    assert_eq!(sent.await.unwrap().unwrap().status(), 200, "dropping the hold releases");
    assert!(!store.ids("AwsSecurityEvent").contains_key("left"));
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
async fn a_poisoned_body_is_refused_until_the_marker_is_lifted() {
    let backend = backend().await;
    let client = client();
    let send = async |api: Api, id: &str| {
        let body = if api == Api::Logs { json!([{ "logs": [{ "message": id }] }]) } else { json!([event(id)]) };
        status(post(&client, &backend, api, body.to_string())).await
    };
    backend.poison(Api::Events, "bad", 400);
    assert_eq!(
        (send(Api::Events, "bad-1").await, send(Api::Events, "good").await, send(Api::Logs, "bad-1").await),
        (400, 200, 202)
    );
    assert_eq!(backend.store().ids("AwsSecurityEvent").into_keys().collect::<Vec<_>>(), ["good"]);
    backend.poison(Api::Events, "", 400);
    assert_eq!(send(Api::Events, "bad-1").await, 200);
}

#[tokio::test]
async fn an_answer_can_say_anything_and_stores_nothing() {
    let backend = backend().await;
    let client = client();
    backend.script(
        Api::Events,
        [Fault::Says { code: 200, body: r#"{"success":false}"# }, Fault::Says { code: 502, body: "<html>" }],
    );
    for want in [(200, json!({ "success": false })), (502, json!("<html>"))] {
        assert_eq!(answer(post(&client, &backend, Api::Events, json!([event("a")]).to_string())).await, want);
    }
    assert_eq!(backend.store().api(Api::Events).accepted, 0);
}

#[tokio::test]
async fn stopping_cuts_what_waits_and_frees_the_port() {
    let backend = backend().await;
    let (address, store) = (backend.address, backend.store());
    let client = client();
    let mut gate = backend.hold(Api::Events);
    let sent = tokio::spawn(post(&client, &backend, Api::Events, json!([event("a")]).to_string()).send());
    let held = timeout(PATIENCE, gate.next()).await.unwrap().unwrap();
    timeout(PATIENCE, backend.stop()).await.expect("stopping waits for nobody");
    assert_cut(sent.await.unwrap());
    assert!(!held.is_waiting());
    assert_eq!(store.api(Api::Events).ended(Ending::Abandoned), 1);

    let again = Backend::start(BackendSettings { listen: address, ..Default::default() }).await.unwrap();
    let taken = Backend::start(BackendSettings { listen: address, ..Default::default() }).await.unwrap_err();
    assert!(taken.to_string().starts_with(&format!("listening on {address}: Address already in use")), "{taken}");
    drop(again);
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("dropping frees the port");
}
