//! The HTTP half: paths, limits, and what leaves the server.
//!
//! In: requests that passed the guard. Out: the page's files and JSON. What always holds: every answer goes through the mask when
//! there is one; a query runs on a thread that may block, at most [`AT_ONCE`] of them at a time; a refused query is no failed
//! request (200, as `NerdGraph` does), so that the browser's console stays empty.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Number, json};
use tokio::sync::Semaphore;

use super::alerts::{Desk, ListRequest, OneRequest};
use super::origin::{self, Origins};
use super::question::{self, Asked, Filter, Position, Refusal, Wanted};
use super::tree::Tree;
use super::{Answers, Arrival, Language, Mask, Settings, assets, guard};

/// Largest body of a question, bytes: a query of 4 KB, and a drop-down with everything chosen.
const BODY_BYTES: usize = 256 * 1024;

/// Queries that run at the same time.
const AT_ONCE: usize = 4;

/// Queries that wait for their turn: several windows with a page each.
const WAITING: usize = 256;

/// Everything the handlers share.
pub(super) struct Shared {
    settings: Settings,
    dashboards: Vec<(Language, Tree)>,
    answers: Arc<dyn Answers>,
    desk: Option<Desk>,
    hosts: Vec<String>,
    running: Semaphore,
    admitted: Semaphore,
}

impl Shared {
    pub(super) fn new(
        settings: Settings,
        dashboards: Vec<(Language, Tree)>,
        answers: Arc<dyn Answers>,
        address: SocketAddr,
    ) -> Self {
        Self {
            desk: settings.alerts.clone().map(Desk::new),
            settings,
            dashboards,
            answers,
            hosts: guard::hosts(address),
            running: Semaphore::new(AT_ONCE),
            admitted: Semaphore::new(AT_ONCE + WAITING),
        }
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { asset(assets::PAGE) }))
        .route("/assets/{*name}", get(|Path(name): Path<String>| async move { asset(&name) }))
        .route("/api/dashboards", get(dashboards))
        .route("/api/clock", get(clock))
        .route("/api/query", post(query).layer(DefaultBodyLimit::max(BODY_BYTES)))
        .route("/api/alerts", get(alerts).post(alerts_of_policy).layer(DefaultBodyLimit::max(BODY_BYTES)))
        .route("/api/alert", post(alert).layer(DefaultBodyLimit::max(BODY_BYTES)))
        .fallback(|| async { failed(StatusCode::NOT_FOUND, "no such path") })
        .method_not_allowed_fallback(|| async { failed(StatusCode::METHOD_NOT_ALLOWED, "no such method here") })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guarded))
        .with_state(shared)
}

/// Checks before everything, and tells the browser what it may do after everything.
async fn guarded(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match guard::check(&shared.hosts, request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((status, why)) => failed(status, why),
    };
    for (name, value) in guard::HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn asset(name: &str) -> Response {
    match assets::find(name) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.content_type)], asset.bytes).into_response(),
        None => failed(StatusCode::NOT_FOUND, "no such file"),
    }
}

fn failed(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}

async fn clock(State(shared): State<Arc<Shared>>) -> Response {
    let live = shared.settings.live.as_ref();
    // Whether all has come is asked first: the time told is then no earlier than the last of it.
    let whole = live.is_none_or(Arrival::is_whole);
    Json(json!({ "now": shared.settings.clock.now_ms(), "live": live.is_some(), "whole": whole })).into_response()
}

/// The language that is asked for in the address, or why there is none.
fn language(shared: &Shared, uri: &Uri) -> Result<Language, String> {
    let query = uri.query().unwrap_or_default();
    let asked = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").map(|(_, value)| value.into_owned());
    match asked.as_deref().map(str::parse::<Language>) {
        None => Ok(shared.settings.language),
        Some(Ok(language)) => Ok(language),
        Some(Err(error)) => Err(error.to_string()),
    }
}

/// The dashboards of the language asked for, or of the first there is.
async fn dashboards(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let language = match language(&shared, &uri) {
        Ok(language) => language,
        Err(error) => return failed(StatusCode::BAD_REQUEST, &error),
    };
    let has = |wanted: Language| shared.dashboards.iter().any(|(language, _)| *language == wanted);
    let shown = if has(language) { Some(language) } else { shared.dashboards.first().map(|(language, _)| *language) };
    let of_language = shared.dashboards.iter().filter(|(language, _)| Some(*language) == shown);
    let mask = shared.settings.mask.as_deref();
    let dashboards: Vec<Tree> =
        of_language.map(|(_, dashboard)| mask.map_or_else(|| dashboard.clone(), |mask| mask.tree(dashboard))).collect();
    Json(json!({
        "lang": language.code(),
        "languages": Language::ALL.map(Language::code),
        "now": shared.settings.clock.now_ms(),
        "zone": shared.settings.zones.get(&language),
        "live": shared.settings.live.is_some(),
        "masked": mask.is_some(),
        "alerts": shared.desk.is_some(),
        "dashboards": dashboards.iter().map(text).collect::<Vec<_>>(),
    }))
    .into_response()
}

/// A dashboard as text in JSON: `json!` would sort its names.
fn text(tree: &Tree) -> String {
    serde_json::to_string(tree).unwrap_or_default()
}

/// What was sent, or why it cannot be read.
fn read<'b, T: Deserialize<'b>>(body: &'b Bytes) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("reading the question: {error}"))
}

async fn query(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let mut request: question::Request = match read(&body) {
        Ok(request) => request,
        Err(error) => return failed(StatusCode::BAD_REQUEST, &error),
    };
    if let Some(mask) = shared.settings.mask.as_deref() {
        unmask(&mut request, mask);
    }
    let now_ms = shared.settings.clock.now_ms();
    worked(shared, move |shared| shared.answer(&request, now_ms)).await
}

/// Every condition and what it says of itself.
async fn alerts(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    match language(&shared, &uri) {
        Ok(language) => of_desk(shared, move |desk, mask| Ok(desk.definitions(language, mask))).await,
        Err(error) => failed(StatusCode::BAD_REQUEST, &error),
    }
}

/// What the conditions of a policy found.
async fn alerts_of_policy(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match read::<ListRequest>(&body) {
        Ok(request) => of_desk(shared, move |desk, mask| desk.list(&request, mask)).await,
        Err(error) => failed(StatusCode::BAD_REQUEST, &error),
    }
}

/// What one condition found, window by window.
async fn alert(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    match read::<OneRequest>(&body) {
        Ok(request) => of_desk(shared, move |desk, mask| desk.one(&request, mask)).await,
        Err(error) => failed(StatusCode::BAD_REQUEST, &error),
    }
}

async fn of_desk(
    shared: Arc<Shared>,
    ask: impl FnOnce(&Desk, Option<&Mask>) -> Result<Tree, Refusal> + Send + 'static,
) -> Response {
    if shared.desk.is_none() {
        return failed(StatusCode::NOT_FOUND, "this preview shows no conditions");
    }
    worked(shared, move |shared| {
        let mask = shared.settings.mask.as_deref();
        let asked = shared.desk.as_ref().map(|desk| ask(desk, mask));
        asked.map_or(Tree::Null, |asked| asked.unwrap_or_else(|refusal| refused("", &refusal, mask)))
    })
    .await
}

/// Does something long where it may take its time, in its turn.
async fn worked(shared: Arc<Shared>, work: impl FnOnce(&Shared) -> Tree + Send + 'static) -> Response {
    let Ok(_admitted) = shared.admitted.try_acquire() else {
        return failed(StatusCode::SERVICE_UNAVAILABLE, "too many queries wait; ask again");
    };
    let Ok(_running) = shared.running.acquire().await else {
        return failed(StatusCode::SERVICE_UNAVAILABLE, "the preview ends");
    };
    let worker = Arc::clone(&shared);
    match tokio::task::spawn_blocking(move || work(&worker)).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], text(&answer)).into_response(),
        // Its message could hold data; the log does not carry any either.
        Err(_) => failed(StatusCode::INTERNAL_SERVER_ERROR, "the query ended unexpectedly"),
    }
}

/// The page knows pseudonyms only; the data know none.
fn unmask(request: &mut question::Request, mask: &Mask) {
    request.query = mask.original(&request.query);
    for value in request.variables.iter_mut().flat_map(|variable| &mut variable.values) {
        *value = mask.original(value);
    }
    for Filter { value, .. } in &mut request.filters {
        if let Wanted::Text(text) = value {
            *text = mask.original(text);
        }
    }
}

impl Shared {
    /// The answer as it leaves the server.
    fn answer(&self, request: &question::Request, now_ms: i64) -> Tree {
        let mask = self.settings.mask.as_deref();
        let asked = match request.asked(now_ms, &|event_type, attribute| self.answers.knows(event_type, attribute)) {
            Ok(asked) => asked,
            Err((query, refusal)) => return refused(&query, &refusal, mask),
        };
        let answer = self.answers.answer(&asked).and_then(|text| {
            let unreadable = |error| Refusal { message: format!("reading the answer: {error}"), position: None };
            serde_json::from_str::<Tree>(&text).map_err(unreadable)
        });
        match answer {
            Ok(answer) => answered(&asked, answer, mask),
            Err(refusal) => refused(&asked.text, &refusal, mask),
        }
    }
}

/// Rows, and beside them what the page needs to know of the query.
fn answered(asked: &Asked, answer: Tree, mask: Option<&Mask>) -> Tree {
    let origins = if mask.is_some() { origin::of(&asked.statement) } else { Origins::new() };
    let mut answer = mask.map_or_else(|| answer.clone(), |mask| mask.answer(&answer, &origins));
    let query = mask.map_or_else(|| asked.text.clone(), |mask| mask.text(&asked.text));
    let texts =
        |list: Vec<Option<String>>| Tree::List(list.into_iter().map(|text| text.map_or(Tree::Null, Tree::Text)).collect());
    let about = [
        ("query", Tree::Text(query)),
        ("facetAttributes", texts(origin::facets(&asked.statement))),
        ("steps", texts(origin::steps(&asked.statement))),
        (
            "buckets",
            origin::buckets(&asked.statement).map_or(Tree::Null, |(start, size)| Tree::List([start, size].map(number).to_vec())),
        ),
    ];
    answer.push("preview", Tree::Object(about.map(|(name, value)| (name.to_owned(), value)).to_vec()));
    answer
}

fn number(number: f64) -> Tree {
    Number::from_f64(number).map_or(Tree::Null, Tree::Number)
}

/// Why there are no rows, with the query cut where the fault is.
fn refused(query: &str, refusal: &Refusal, mask: Option<&Mask>) -> Tree {
    let shown = |text: &str| mask.map_or_else(|| text.to_owned(), |mask| mask.text(text));
    let mut fields = vec![("error", Tree::Text(shown(&refusal.message))), ("query", Tree::Text(shown(query)))];
    if let Some(Position { start, end }) = refusal.position
        && let (Some(before), Some(at), Some(after)) = (query.get(..start), query.get(start..end), query.get(end..))
    {
        let parts = [before, at, after].map(shown);
        // A cut through an id would show its halves: then there is no cut.
        if parts.concat() == shown(query) {
            let position = [("start", start), ("end", end)].map(|(name, at)| (name.to_owned(), Tree::Number(at.into())));
            fields.push(("position", Tree::Object(position.to_vec())));
            fields.push(("parts", Tree::List(parts.into_iter().map(Tree::Text).collect())));
        }
    }
    Tree::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
