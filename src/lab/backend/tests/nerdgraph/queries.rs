//! NRQL: at once, later, over several accounts; and who may ask how much.

use std::sync::mpsc;
use std::time::Duration;

use super::*;

const ONE: &str =
    "query($id: Int!, $q: Nrql!, $t: Seconds, $a: Boolean) { actor { account(id: $id) { nrql(query: $q, timeout: $t, async: $a) {
    results queryProgress { queryId completed retryAfter retryDeadline resultExpiration } } } } }";
const PROGRESS: &str = "query($id: Int!, $query: ID!) { actor { account(id: $id) { nrqlQueryProgress(queryId: $query) {
    results queryProgress { queryId completed retryAfter retryDeadline resultExpiration } } } } }";
const SEVERAL: &str =
    "query($ids: [Int!]!, $q: Nrql!) { actor { nrql(accounts: $ids, query: $q, options: {}, timeout: 70) { results nrql } } }";
const AT: &str = "/actor/account/nrql";

fn slow(seconds: u64) -> [Fault; 1] {
    [Fault::SlowQueries(Duration::from_secs(seconds))]
}

#[tokio::test]
async fn user_accounts_and_queries_are_answered_under_the_names_asked_for() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    assert_eq!(
        ask(&backend, "{ actor { user { name } accounts { id } a: account(id: 1) { ...who } b: account(id: 2) { ...who } } } fragment who on Account { id name }", json!({})).await,
        json!({ "data": { "actor": { "user": { "name": "Stand-in user" }, "accounts": [{ "id": 1 }, { "id": 2 }],
            "a": { "id": 1, "name": "Stand-in account" }, "b": { "id": 2, "name": "Stand-in account" } } } })
    );
    let answer = good(&backend, ONE, json!({ "id": 1, "q": "SELECT count(*) FROM T" }), AT).await;
    assert_eq!(answer, json!({ "results": [{ "count": 0 }], "queryProgress": null }));
}

#[tokio::test]
async fn each_account_has_rows_of_its_own_and_several_are_told_apart_by_account_id() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let accounts = three_accounts();
    send_as(&backend, &accounts[0], &json!([event("a"), event("b")])).await;
    send_as(&backend, &accounts[1], &json!([event("c"), { "eventType": "OfTwo", "event.id": 7 }])).await;
    send_as(&backend, &accounts[2], &json!([event("d")])).await;
    for (account, count) in [(1, 2), (2, 1)] {
        let rows =
            good(&backend, ONE, json!({ "id": account, "q": "SELECT count(*), latest(accountId()) FROM AwsSecurityEvent" }), AT)
                .await;
        assert_eq!(rows["results"], json!([{ "count": count, "latest": account }]));
    }
    for (label, query, results) in [
        ("all together", "SELECT count(*) FROM AwsSecurityEvent", json!([{ "count": 3 }])),
        (
            "told apart",
            "SELECT count(*) FROM AwsSecurityEvent FACET accountId()",
            json!([{ "facet": "1", "accountId()": 1, "count": 2 }, { "facet": "2", "accountId()": 2, "count": 1 }]),
        ),
        ("chosen", "SELECT count(*) FROM AwsSecurityEvent WHERE accountId() = 2", json!([{ "count": 1 }])),
        (
            "row by row",
            "SELECT accountId() AS 'a', event.id FROM AwsSecurityEvent WHERE event.id = 'c'",
            json!([{ "timestamp": NOW, "a": 2, "event.id": "c" }]),
        ),
        ("values of all", "SELECT uniques(event.id) FROM AwsSecurityEvent", json!([{ "uniques.event.id": ["a", "b", "c"] }])),
        (
            "a type of one account",
            "SELECT count(*) FROM OfTwo FACET accountId()",
            json!([{ "facet": "2", "accountId()": 2, "count": 1 }]),
        ),
        ("types of all, each once", "SHOW EVENT TYPES", json!([{ "eventType": "AwsSecurityEvent" }, { "eventType": "OfTwo" }])),
    ] {
        let found = good(&backend, SEVERAL, json!({ "ids": [1, 2, 1], "q": query }), "/actor/nrql").await;
        assert_eq!(found, json!({ "results": results, "nrql": query }), "{label}");
    }
    let losses = json!([{ "event.id": "without a type" }]);
    send_as(&backend, &accounts[1], &losses).await;
    for (account, count) in [(1, 0), (2, 1)] {
        let rows = good(&backend, ONE, json!({ "id": account, "q": "SELECT count(*) FROM NrIntegrationError" }), AT).await;
        assert_eq!(rows["results"], json!([{ "count": count }]), "account {account}");
    }
}

#[tokio::test]
async fn accounts_that_the_key_does_not_open_and_too_many_are_refused() {
    let (backend, _) = fleet(NerdGraphSettings { accounts_per_query: 2, ..Default::default() }).await;
    let denied = ("ACCESS_DENIED".to_owned(), "Access denied: no such account, or no right to it".to_owned());
    let count = "SELECT count(*) FROM T";
    for account in [3, 8] {
        assert_eq!(refusal(&backend, ONE, json!({ "id": account, "q": count })).await, denied);
        assert_eq!(refusal(&backend, SEVERAL, json!({ "ids": [1, account], "q": count })).await, denied);
    }
    for (ids, found) in [(json!([]), 0), (json!([1, 2, 1]), 3)] {
        let message = format!("accounts names {found} accounts, expected 1 to 2");
        assert_eq!(refusal(&backend, SEVERAL, json!({ "ids": ids, "q": count })).await, ("VALIDATION_ERROR".to_owned(), message));
    }
}

#[tokio::test]
async fn more_queries_a_minute_than_an_account_has_are_refused() {
    let bounds = NerdGraphSettings { queries_per_minute: Some(3), same_query_per_minute: Some(2), ..Default::default() };
    let (backend, clock) = fleet(bounds).await;
    let refused = |what: &str, account: u64| {
        let message = format!("Too many requests: more than {what} in account {account} this minute");
        ("TOO_MANY_REQUESTS".to_owned(), message)
    };
    let one = |account: u64, query: &str| json!({ "id": account, "q": query });
    let (count, other) = ("SELECT count(*) FROM T", "SELECT count(*) FROM Other");
    for _ in 0..2 {
        good(&backend, ONE, one(1, count), AT).await;
    }
    assert_eq!(refusal(&backend, ONE, one(1, count)).await, refused("2 times the same query", 1));
    assert_eq!(refusal(&backend, ONE, one(1, other)).await, refused("3 queries", 1), "the refused one counts");
    good(&backend, ONE, one(2, other), AT).await;
    assert_eq!(refusal(&backend, SEVERAL, json!({ "ids": [2, 1], "q": other })).await, refused("3 queries", 1), "one of them");
    clock.advance_to(NOW + 60_000);
    good(&backend, ONE, one(1, count), AT).await;
}

#[tokio::test]
async fn a_document_asks_a_hundred_queries_and_no_more() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let field = |at: usize| format!("q{at}: nrql(query: \"SELECT count(*) FROM T\") {{ results }} ");
    let fields = |queries: usize| (0..queries).map(field).collect::<Vec<_>>().concat();
    let asked = |queries: usize| format!("{{ actor {{ account(id: 1) {{ {} }} }} }}", fields(queries));
    let all = good(&backend, &asked(100), json!({}), "/actor/account").await;
    assert_eq!((all.as_object().unwrap().len(), &all["q99"]["results"]), (100, &json!([{ "count": 0 }])));
    let message = "the document asks more than 100 NRQL queries: ask the others in another document".to_owned();
    assert_eq!(refusal(&backend, &asked(101), json!({})).await, ("VALIDATION_ERROR".to_owned(), message));
}

/// A query waits for what is being written to its account; who writes to another waits for nobody.
#[tokio::test]
async fn rows_are_taken_while_queries_are_worked_on() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let (accounts, columns) = (three_accounts(), backend.store().columns());
    let ((begins, begun), (release, released)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
    let writer = std::thread::spawn(move || {
        columns.append("T", |_| {
            begins.send(()).unwrap();
            released.recv_timeout(PATIENCE).is_ok()
        })
    });
    begun.recv_timeout(PATIENCE).unwrap();
    let asked = |query: &str, variables: Value| {
        let body = json!({ "query": query, "variables": variables }).to_string();
        tokio::spawn(post(&client(), &backend, Api::NerdGraph, body).send())
    };
    let count = "SELECT count(*) FROM T";
    let waiting = [asked(ONE, json!({ "id": 1, "q": count })), asked(SEVERAL, json!({ "ids": [1, 2], "q": count }))];
    backend.store().wait_until(|store| store.api(Api::NerdGraph).accepted == 2).await;
    send_as(&backend, &accounts[1], &json!([event("b")])).await;
    assert!(waiting.iter().all(|query| !query.is_finished()));
    release.send(()).unwrap();
    assert!(writer.join().unwrap(), "the event was taken only when nothing was written any more");
    for query in waiting {
        assert_eq!(query.await.unwrap().unwrap().status(), 200);
    }
}

/// As many as New Relic takes, and one more; the same account counts each time.
#[tokio::test]
async fn a_query_over_more_than_thirty_accounts_is_refused() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let asked = |accounts: usize| json!({ "ids": vec![1; accounts], "q": "SELECT count(*) FROM T" });
    assert_eq!(good(&backend, SEVERAL, asked(30), "/actor/nrql/results").await, json!([{ "count": 0 }]));
    for accounts in [31, 100] {
        let message = format!("accounts names {accounts} accounts, expected 1 to 30");
        assert_eq!(refusal(&backend, SEVERAL, asked(accounts)).await, ("VALIDATION_ERROR".to_owned(), message));
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_read_or_a_time_out_beyond_the_range_is_refused() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    for asynchronous in [false, true] {
        let (class, message) = refusal(&backend, ONE, json!({ "id": 1, "q": "SELECT 1", "a": asynchronous })).await;
        assert!(class == "NRQL_SYNTAX_ERROR" && message.starts_with("NRQL Syntax Error"), "{class}: {message}");
    }
    let long = format!("SELECT count(*) FROM T WHERE a IN ({})", vec!["'0123456789'"; 400].join(", "));
    let (class, message) = refusal(&backend, ONE, json!({ "id": 1, "q": long })).await;
    let want = format!("NRQL Syntax Error: the query has {} bytes, and less than 4096 are taken", long.len());
    assert_eq!((&*class, message), ("NRQL_SYNTAX_ERROR", want));
    for (seconds, fits) in [(4, false), (5, true), (120, true), (121, false)] {
        let answer = ask(&backend, ONE, json!({ "id": 1, "q": "SELECT count(*) FROM T", "t": seconds })).await;
        let message = format!("timeout is {seconds} seconds, expected 5 to 120");
        assert_eq!(answer["errors"][0]["message"], if fits { Value::Null } else { message.into() }, "{seconds}");
    }
}

#[tokio::test]
async fn a_slow_query_is_given_up_after_its_time_out() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    let count = json!("SELECT count(*) FROM T");
    for (takes, timeout, given_up) in [(5, None, None), (6, None, Some(5)), (70, Some(70), None), (71, Some(70), Some(70))] {
        backend.script(Api::NerdGraph, slow(takes));
        let answer = ask(&backend, ONE, json!({ "id": 1, "q": count, "t": timeout })).await;
        let message = given_up.map(|seconds| format!("NRDB:1106 - Query timed out after {seconds} seconds"));
        assert_eq!(answer["errors"][0]["message"].as_str(), message.as_deref(), "{takes} s");
        assert_eq!(answer["errors"][0]["extensions"]["errorClass"], message.map_or(Value::Null, |_| "TIMEOUT".into()));
    }
}

#[tokio::test]
async fn an_asynchronous_query_is_answered_at_once_or_asked_for_again_until_it_is_there() {
    let (backend, clock) = fleet(NerdGraphSettings { retry_after_s: 3, result_expiration_s: 100, ..Default::default() }).await;
    let accounts = three_accounts();
    send_as(&backend, &accounts[0], &json!([event("a")])).await;
    let count = json!("SELECT count(*) FROM AwsSecurityEvent");
    let asked = json!({ "id": 1, "q": count, "a": true });
    backend.script(Api::NerdGraph, slow(5));
    assert_eq!(
        good(&backend, ONE, asked.clone(), AT).await,
        json!({ "results": [{ "count": 1 }], "queryProgress": { "queryId": "stand-in-query-1", "completed": true,
            "retryAfter": null, "retryDeadline": null, "resultExpiration": 100 } })
    );
    backend.script(Api::NerdGraph, slow(60));
    assert_eq!(
        good(&backend, ONE, asked, AT).await,
        json!({ "results": null, "queryProgress": { "queryId": "stand-in-query-2", "completed": false,
            "retryAfter": 3, "retryDeadline": 160, "resultExpiration": 160 } })
    );
    // What comes meanwhile is not in the answer.
    send_as(&backend, &accounts[0], &json!([event("b")])).await;
    let again = json!({ "id": 1, "query": "stand-in-query-2" });
    let at = "/actor/account/nrqlQueryProgress";
    clock.advance_to(NOW + 59_999);
    assert_eq!(good(&backend, PROGRESS, again.clone(), at).await["queryProgress"]["completed"], false);
    clock.advance_to(NOW + 60_000);
    let answer = good(&backend, PROGRESS, again.clone(), at).await;
    assert_eq!((&answer["results"], &answer["queryProgress"]["completed"]), (&json!([{ "count": 1 }]), &json!(true)));
    let lost = ("NOT_FOUND".to_owned(), "no query \"stand-in-query-2\" of these accounts, or its result has expired".to_owned());
    assert_eq!(refusal(&backend, PROGRESS, json!({ "id": 2, "query": "stand-in-query-2" })).await, lost, "another account");
    clock.advance_to(NOW + 160_000);
    assert_eq!(refusal(&backend, PROGRESS, again).await, lost, "expired");
    backend.script(Api::NerdGraph, slow(601));
    assert_eq!(refusal(&backend, ONE, json!({ "id": 1, "q": count, "a": true })).await.0, "TIMEOUT", "longer than ten minutes");
}

#[tokio::test]
async fn an_asynchronous_query_over_several_accounts_is_fetched_with_the_same_accounts() {
    let (backend, clock) = fleet(NerdGraphSettings::default()).await;
    backend.script(Api::NerdGraph, slow(10));
    let query =
        "{ actor { nrql(accounts: [1, 2], query: \"SELECT count(*) FROM T\", async: true) { queryProgress { queryId } } } }";
    assert_eq!(good(&backend, query, json!({}), "/actor/nrql/queryProgress/queryId").await, "stand-in-query-1");
    clock.advance_to(NOW + 10_000);
    let fetch = |accounts: &str| {
        format!("{{ actor {{ nrqlQueryProgress(accounts: {accounts}, queryId: \"stand-in-query-1\") {{ results }} }} }}")
    };
    assert_eq!(good(&backend, &fetch("[1, 2]"), json!({}), "/actor/nrqlQueryProgress/results").await, json!([{ "count": 0 }]));
    assert_eq!(refusal(&backend, &fetch("[1]"), json!({})).await.0, "NOT_FOUND");
    assert_eq!(refusal(&backend, &fetch("[1, 3]"), json!({})).await.0, "ACCESS_DENIED");
}

#[tokio::test]
async fn more_requests_at_once_than_a_user_has_are_refused_and_others_are_not() {
    for (too_many, status) in [(TooMany::Status, 429), (TooMany::Body, 200)] {
        let (backend, _) = fleet(NerdGraphSettings { concurrent_requests: 2, too_many, ..Default::default() }).await;
        let client = client();
        let query = || post(&client, &backend, Api::NerdGraph, json!({ "query": "{ actor { user { name } } }" }).to_string());
        let mut gate = backend.hold(Api::NerdGraph);
        let (one, two) = (tokio::spawn(query().send()), tokio::spawn(query().send()));
        let (first, second) = (gate.next().await.unwrap(), gate.next().await.unwrap());
        let error = json!({ "message": "Too many requests: more than 2 at once by one user", "extensions": { "errorClass": "TOO_MANY_REQUESTS" } });
        assert_eq!(answer(query()).await, (status, json!({ "errors": [error] })));
        let other = tokio::spawn(by_another(&backend, &json!({ "query": "{ actor { user { name } } }" })).send());
        assert!(gate.next().await.unwrap().release());
        assert_eq!(other.await.unwrap().unwrap().status(), 200);
        assert!(first.release() && second.release());
        for waited in [one, two] {
            assert_eq!(waited.await.unwrap().unwrap().status(), 200);
        }
        drop(gate);
        assert_eq!(answer(query()).await.0, 200, "they have ended");
    }
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_with_400_and_no_key_with_401() {
    let (backend, _) = fleet(NerdGraphSettings::default()).await;
    for body in ["[]", "{", "{\"variables\":{}}", "{\"query\":7}"] {
        assert_eq!(status(post(&client(), &backend, Api::NerdGraph, body)).await, 400, "{body}");
    }
    let no_key = client().post(backend.url() + "/graphql").body("{}");
    assert_eq!(
        answer(no_key).await,
        (
            401,
            json!({ "errors": [{ "message": "The API key provided is invalid", "extensions": { "error_code": "BAD_API_KEY" } }] })
        )
    );
    assert_eq!(
        ask(&backend, "{ actor { account(id: \"1\") { id } } }", json!({})).await,
        json!({ "errors": [{ "message": "Argument \"id\" has invalid value \"1\".", "locations": [{ "line": 1, "column": 19 }] }] })
    );
}
