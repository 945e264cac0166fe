//! `NerdGraph` on the wire.

mod alerts;
mod dashboards;
mod entities;
mod notifications;
mod queries;

use super::*;
use crate::secret::Secret;

/// Accounts 1 and 2 of one user, and account 3 of another.
fn three_accounts() -> Vec<Account> {
    let of = |id: u64, user: &str| Account {
        id,
        license_key: Secret::new(&format!("{id:0>31}STANDNRAL")),
        user_key: Secret::new(user),
    };
    vec![of(1, USER_KEY), of(2, USER_KEY), of(3, "NRAK-OTHER")]
}

/// A stand-in with these accounts, and the clock that moves it.
async fn fleet(nerd_graph: NerdGraphSettings) -> (Backend, Clock) {
    let clock = Clock::fixed(NOW);
    let settings = BackendSettings { accounts: three_accounts(), nerd_graph, clock: clock.clone(), ..Default::default() };
    (Backend::start(settings).await.unwrap(), clock)
}

/// The answer to a document, by the user of accounts 1 and 2 (of a stand-in with one account: by its user).
async fn ask(backend: &Backend, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let (status, answer) = answer(post(&client(), backend, Api::NerdGraph, body)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The value at a path of `data`; there must be no errors.
async fn good(backend: &Backend, query: &str, variables: Value, path: &str) -> Value {
    let answer = ask(backend, query, variables).await;
    assert_eq!(answer.get("errors"), None, "{query}");
    answer["data"].pointer(path).cloned().unwrap_or_else(|| panic!("nothing at {path} of {answer}"))
}

/// Class and message of the only error.
async fn refusal(backend: &Backend, query: &str, variables: Value) -> (String, String) {
    let answer = ask(backend, query, variables).await;
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{answer}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&errors[0]["extensions"]["errorClass"]), text(&errors[0]["message"]))
}

/// Sends events as an account.
async fn send_as(backend: &Backend, account: &Account, events: &Value) {
    let url = format!("{}/v1/accounts/{}/events", backend.url(), account.id);
    let sent = client().post(url).header("Api-Key", account.license_key.expose()).body(events.to_string()).send().await.unwrap();
    assert_eq!(sent.status(), 200);
}

/// A request by the user of account 3.
fn by_another(backend: &Backend, body: &Value) -> reqwest::RequestBuilder {
    client().post(backend.url() + "/graphql").header("Api-Key", "NRAK-OTHER").body(body.to_string()).timeout(PATIENCE)
}
