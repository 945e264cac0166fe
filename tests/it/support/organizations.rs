//! A stand-in for AWS Organizations (JSON 1.1), with what the emulators do not do: short and empty pages, throttling, refusals.
//!
//! In: units and accounts. Out: answers of the calls that read them, and how often each was asked. Tokens are checked: a page is
//! asked for only with the token of the page before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Entries on a page: fewer than asked for, as AWS may answer.
const PAGE: usize = 2;

/// One account of the organization.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// Path of its unit; empty: below the root.
    pub(crate) unit: &'static str,
    /// In `State` (true) or only in `Status` (false), as older endpoints.
    pub(crate) is_new: bool,
    pub(crate) state: &'static str,
    pub(crate) tags: &'static [(&'static str, &'static str)],
}

/// What is asked and how it is answered.
#[derive(Debug, Default)]
struct Answers {
    members: Vec<Member>,
    denied: BTreeSet<&'static str>,
    /// Calls of an action that are refused as too many, before one is answered.
    throttled: BTreeMap<&'static str, usize>,
    asked: BTreeMap<String, usize>,
}

/// The stand-in at work.
#[derive(Debug)]
pub(crate) struct Organization {
    answers: Arc<Mutex<Answers>>,
    url: String,
    serving: JoinHandle<()>,
}

impl Organization {
    /// An organization of these accounts.
    pub(crate) async fn of(members: Vec<Member>) -> Self {
        let answers = Arc::new(Mutex::new(Answers { members, ..Answers::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let app = Router::new().fallback(answer).with_state(Arc::clone(&answers));
        let serving = tokio::spawn(async move { axum::serve(listener, app).await.expect("serving") });
        Self { answers, url, serving }
    }

    /// Its endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().expect("no test panics here")
    }

    /// Refuses an action from now on.
    pub(crate) fn deny(&self, action: &'static str) {
        self.answers().denied.insert(action);
    }

    /// Refuses the next calls of an action as too many.
    pub(crate) fn throttle(&self, action: &'static str, calls: usize) {
        self.answers().throttled.insert(action, calls);
    }

    /// How often an action was asked for.
    pub(crate) fn asked(&self, action: &str) -> usize {
        self.answers().asked.get(action).copied().unwrap_or_default()
    }
}

impl Drop for Organization {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(answers): State<Arc<Mutex<Answers>>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix("AWSOrganizationsV20161128.").unwrap_or_default().to_owned();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut answers = answers.lock().expect("no test panics here");
    *answers.asked.entry(action.clone()).or_default() += 1;
    if answers.denied.contains(action.as_str()) {
        return refusal("AccessDeniedException", "You don't have permissions to access this resource.");
    }
    if let Some(left) = answers.throttled.get_mut(action.as_str()).filter(|left| **left > 0) {
        *left -= 1;
        return refusal("TooManyRequestsException", "AWS Organizations can't respond now.");
    }
    let parent = asked["ParentId"].as_str().unwrap_or_default();
    let page = match action.as_str() {
        "ListRoots" => page("Roots", vec![json!({ "Id": "r-ab12", "Name": "Root" })], &asked, 0),
        // The first page is empty, and has a next one.
        "ListAccounts" => page("Accounts", answers.members.iter().map(described).collect(), &asked, 1),
        "ListAccountsForParent" => {
            let inside = answers.members.iter().filter(|member| unit_id(member.unit) == parent);
            page("Accounts", inside.map(described).collect(), &asked, 1)
        }
        "ListOrganizationalUnitsForParent" => {
            let units = answers.members.iter().flat_map(|member| prefixes(member.unit)).collect::<BTreeSet<_>>();
            let inside = units.iter().filter(|unit| unit_id(unit.rsplit_once('/').map_or("", |(above, _)| above)) == parent);
            let name = |unit: &str| unit.rsplit_once('/').map_or(unit, |(_, name)| name).to_owned();
            page(
                "OrganizationalUnits",
                inside.map(|unit| json!({ "Id": unit_id(unit), "Name": name(unit) })).collect(),
                &asked,
                0,
            )
        }
        "ListTagsForResource" => {
            let member = answers.members.iter().find(|member| asked["ResourceId"] == member.id);
            let tags = member.map_or(&[][..], |member| member.tags);
            page("Tags", tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect(), &asked, 0)
        }
        _ => return refusal("InvalidInputException", &format!("no such action here: {target}")),
    };
    match page {
        Some(page) => reply(StatusCode::OK, &page),
        None => refusal("InvalidInputException", "INVALID_PAGINATION_TOKEN"),
    }
}

/// A page of a list; `empty`: empty pages before the first entry. `None`: a token that no page gave.
fn page(name: &str, all: Vec<Value>, asked: &Value, empty: usize) -> Option<Value> {
    let number = match asked["NextToken"].as_str() {
        None => 0,
        Some(token) => token.strip_prefix("page-")?.parse::<usize>().ok()?,
    };
    let first = number.saturating_sub(empty) * PAGE;
    let count = if number < empty { 0 } else { PAGE };
    let entries: Vec<&Value> = all.iter().skip(first).take(count).collect();
    let more = number < empty || first + count < all.len();
    let mut page = json!({ name: entries });
    if more {
        page["NextToken"] = json!(format!("page-{}", number + 1));
    }
    Some(page)
}

fn described(member: &Member) -> Value {
    let state = if member.is_new { "State" } else { "Status" };
    json!({ "Id": member.id, "Name": member.name, "Email": "a@example.com", state: member.state })
}

fn unit_id(path: &str) -> String {
    if path.is_empty() { "r-ab12".to_owned() } else { format!("ou-ab12-{}", path.replace('/', "-").to_lowercase()) }
}

/// `A` and `A/B` of `A/B`.
fn prefixes(path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter(|end| *end > 0).filter_map(|end| path.get(..end)).map(str::to_owned).collect()
}

fn refusal(code: &str, message: &str) -> Response {
    reply(StatusCode::BAD_REQUEST, &json!({ "__type": code, "Message": message }))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.1")], body.to_string()).into_response()
}
