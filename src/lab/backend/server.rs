//! The HTTP half: from a request to its documented answer, or to the fault it was meant to meet.
//!
//! In: requests on connections that can be cut. Out: answers. Order for each: fault before reading, body, fault, checks that
//! New Relic documents as done before the answer (path, method, key, content type, size, rate), hold, store, fault, answer.
//! What is checked after the answer is in `event_api`, `log_api` and `otlp`.

use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::connection::Connection;
use super::fault::{Api, Decision, Fault, Plans};
use super::intake::{Intake, Violation};
use super::settings::{Account, BackendSettings};
use super::store::{Ending, Origin, Retain, Store};
use super::{body, event_api, log_api, nerdgraph, otlp};
use crate::encode::limits;

/// Content types that the Log API names.
const LOG_CONTENT_TYPES: [&str; 4] = ["application/json", "json", "application/gzip", "gzip"];

/// The content type of OTLP in protobuf.
const PROTOBUF: &str = "application/x-protobuf";

/// Requests to `NerdGraph` that are worked on at once; others wait. A query may hold half a gigabyte.
const ASKING: usize = 4;

/// Everything the handlers share.
#[derive(Debug)]
pub(super) struct Shared {
    settings: BackendSettings,
    pub(super) store: Store,
    pub(super) plans: Plans,
    nerdgraph: nerdgraph::State,
    /// Whose turn it is to be answered by `NerdGraph`.
    asking: Arc<Semaphore>,
    rates: Mutex<BTreeMap<(u64, Api), Rate>>,
    /// A day, and its series.
    series: Mutex<(i64, SeriesOfDay)>,
    /// Draws request ids.
    random: Mutex<fastrand::Rng>,
}

/// Series by account and metric, as hashes.
type SeriesOfDay = BTreeMap<(u64, String), HashSet<u64>>;

/// Requests in one minute of the clock.
#[derive(Debug, Default)]
struct Rate {
    minute: i64,
    requests: u32,
}

/// An answer on its way.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, retry_after_s: None, body }
    }

    fn refusal(status: StatusCode, violation: Violation) -> Self {
        Self::new(status, json!({ "error": violation.message() }))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        // An answer of OTLP has no body.
        let mut response = match self.body {
            Value::Null => self.status.into_response(),
            body => (self.status, Json(body)).into_response(),
        };
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A request that passed every check made before the answer.
struct Passed {
    account: Account,
    body: Bytes,
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/accounts/{account}/events", post(post_events))
        .route("/log/v1", post(post_logs))
        .route("/graphql", post(post_graphql))
        .route("/v1/logs", post(post_otlp))
        .route("/v1/metrics", post(post_metrics))
        .route("/v1/traces", post(post_otlp))
        .route("/stand-in/summary", get(get_summary))
        .route("/stand-in/ids", get(get_ids))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

type Seen = ConnectInfo<Connection>;

async fn post_events(
    State(shared): State<Arc<Shared>>,
    Path(account): Path<String>,
    ConnectInfo(connection): Seen,
    request: Request,
) -> Response {
    serve(&shared, Api::Events, Some(&account), &connection, request).await
}

async fn post_logs(State(shared): State<Arc<Shared>>, ConnectInfo(connection): Seen, request: Request) -> Response {
    serve(&shared, Api::Logs, None, &connection, request).await
}

async fn post_graphql(State(shared): State<Arc<Shared>>, ConnectInfo(connection): Seen, request: Request) -> Response {
    serve(&shared, Api::NerdGraph, None, &connection, request).await
}

async fn post_metrics(State(shared): State<Arc<Shared>>, ConnectInfo(connection): Seen, request: Request) -> Response {
    serve(&shared, Api::Metrics, None, &connection, request).await
}

async fn post_otlp(State(shared): State<Arc<Shared>>) -> Answer {
    shared.store.arrived_elsewhere();
    let error =
        "of OTLP this stand-in takes metrics only; New Relic takes all. Send events to the Event API and logs to the Log API";
    Answer::new(StatusCode::NOT_IMPLEMENTED, json!({ "error": error }))
}

async fn not_found(State(shared): State<Arc<Shared>>) -> Answer {
    shared.store.arrived_elsewhere();
    Answer::new(StatusCode::NOT_FOUND, json!({ "error": "no such path" }))
}

async fn wrong_method(State(shared): State<Arc<Shared>>) -> Answer {
    shared.store.arrived_elsewhere();
    Answer::new(StatusCode::METHOD_NOT_ALLOWED, json!({ "error": "no such method here" }))
}

async fn get_summary(State(shared): State<Arc<Shared>>) -> Response {
    // A person reads it in a terminal.
    match serde_json::to_string(&shared.store.summary()) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => Answer::new(StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error.to_string() })).into_response(),
    }
}

async fn get_ids(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    match query_value(&uri, "type") {
        Some(event_type) => Json(shared.store.ids(&event_type)).into_response(),
        None => Answer::new(StatusCode::BAD_REQUEST, json!({ "error": "?type=<event type> is missing" })).into_response(),
    }
}

async fn serve(
    shared: &Arc<Shared>,
    api: Api,
    path_account: Option<&str>,
    connection: &Connection,
    request: Request,
) -> Response {
    let arrival = shared.store.arrived(api);
    let Some(answer) = shared.exchange(api, path_account, request).await else {
        arrival.ends(Ending::Cut);
        connection.cut();
        // Never sent; writing it is what makes the server notice the cut.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    arrival.ends(Ending::Status(answer.status.as_u16()));
    answer.into_response()
}

impl Shared {
    pub(super) fn new(settings: BackendSettings) -> Self {
        let plans = Plans::default();
        plans.random(settings.faults);
        let store = Store::new(settings.retain, settings.accounts.iter().map(|account| account.id));
        Self {
            settings,
            store,
            plans,
            nerdgraph: nerdgraph::State::default(),
            asking: Arc::new(Semaphore::new(ASKING)),
            rates: Mutex::default(),
            series: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(0)),
        }
    }

    /// One request; `None`: the connection is to be cut.
    async fn exchange(self: &Arc<Self>, api: Api, path_account: Option<&str>, request: Request) -> Option<Answer> {
        let fault = self.plans.next(api);
        if fault == Fault::CutBeforeRead {
            return None;
        }
        let (parts, body) = request.into_parts();
        let time_out = Duration::from_millis(limits::SERVER_TIMEOUT_MS);
        let received = match tokio::time::timeout(time_out, body::receive(body)).await {
            Ok(Some(received)) => received,
            Ok(None) => return Some(self.refuse(StatusCode::BAD_REQUEST, Violation::Body)),
            Err(_) => return Some(Answer::new(StatusCode::REQUEST_TIMEOUT, json!({ "error": "request took too long" }))),
        };
        self.store.received(api, received.length);
        match fault {
            Fault::CutAfterRead => return None,
            Fault::Delay(time) => tokio::time::sleep(time).await,
            Fault::Status { code, retry_after_s } => {
                return Some(Answer { retry_after_s, ..Answer::new(scripted_status(code), json!({ "error": "scripted" })) });
            }
            Fault::Says { code, body } => {
                return Some(Answer::new(scripted_status(code), serde_json::from_str(body).unwrap_or_else(|_| body.into())));
            }
            Fault::Normal
            | Fault::TooLarge
            | Fault::CutBeforeRead
            | Fault::AcceptThenCut
            | Fault::AcceptThenHang(_)
            | Fault::SlowQueries(_) => {}
        }
        let passed = match self.check(api, path_account, &parts, received) {
            Ok(passed) => passed,
            Err(answer) => return Some(answer),
        };
        if fault == Fault::TooLarge && rows_of(api, &passed.body, 0).rows.len() > 1 {
            return Some(Answer::new(StatusCode::PAYLOAD_TOO_LARGE, json!({ "error": "scripted" })));
        }
        if let Some(code) = self.plans.refusal(api, &passed.body) {
            return Some(Answer::new(scripted_status(code), json!({ "error": "scripted for what this body holds" })));
        }
        // Counted while it is held, too.
        let _running = match api {
            Api::NerdGraph => match self.nerdgraph.begin(&passed.account, &self.settings.nerd_graph) {
                Ok(running) => Some(running),
                Err(answer) => return Some(answer),
            },
            Api::Events | Api::Logs | Api::Metrics => None,
        };
        let decision = self.plans.pass(api, &passed.body).await;
        if decision == Decision::Cut {
            return None;
        }
        let slow = if let Fault::SlowQueries(time) = fault { time } else { Duration::ZERO };
        let (answer, rows) = match api {
            Api::NerdGraph => (self.ask(passed, slow).await, 0),
            Api::Events | Api::Logs | Api::Metrics => self.accept(api, &passed),
        };
        if decision == Decision::AcceptThenCut || matches!(fault, Fault::AcceptThenCut | Fault::AcceptThenHang(_)) {
            self.store.unanswered(api, rows);
            if let Fault::AcceptThenHang(time) = fault {
                tokio::time::sleep(time).await;
            }
            return None;
        }
        Some(answer)
    }

    fn refuse(&self, status: StatusCode, violation: Violation) -> Answer {
        self.store.refused(violation);
        Answer::refusal(status, violation)
    }

    /// What New Relic checks before it answers.
    fn check(&self, api: Api, path_account: Option<&str>, parts: &Parts, received: body::Received) -> Result<Passed, Answer> {
        let account = match api {
            Api::NerdGraph => nerdgraph::find_account(&self.settings.accounts, &parts.headers)?,
            Api::Events | Api::Logs | Api::Metrics => self.ingest_account(api, path_account, parts).ok_or_else(|| {
                // OTLP tells a missing key from a wrong one.
                let is_missing = api == Api::Metrics && header_text(&parts.headers, "api-key").is_none();
                self.refuse(if is_missing { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN }, Violation::Key)
            })?,
        };
        if !accepts_content_type(api, header_text(&parts.headers, header::CONTENT_TYPE.as_str())) {
            return Err(self.refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, Violation::ContentType));
        }
        self.check_rate(api, account.id)?;
        if received.length == 0 {
            return Err(self.refuse(StatusCode::BAD_REQUEST, Violation::Body));
        }
        if received.is_too_large() {
            return Err(self.refuse(StatusCode::PAYLOAD_TOO_LARGE, Violation::BodyTooLarge));
        }
        let body = match self.store.retain() {
            Retain::Counts if api != Api::NerdGraph => received.bytes,
            Retain::Rows | Retain::Ids | Retain::Counts => {
                let encoding = header_text(&parts.headers, header::CONTENT_ENCODING.as_str());
                body::unpack(received.bytes, encoding).map_err(|status| {
                    let violation = match status {
                        StatusCode::PAYLOAD_TOO_LARGE => Violation::BodyTooLarge,
                        StatusCode::UNSUPPORTED_MEDIA_TYPE => Violation::ContentType,
                        _ => Violation::Body,
                    };
                    self.refuse(status, violation)
                })?
            }
        };
        Ok(Passed { account: account.clone(), body })
    }

    /// The account whose licence key the request carries; a user key opens nothing here.
    fn ingest_account(&self, api: Api, path_account: Option<&str>, parts: &Parts) -> Option<&Account> {
        let in_query = || if api == Api::Logs { query_value(&parts.uri, "Api-Key") } else { None };
        let in_header = ["api-key", "x-license-key"].iter().find_map(|name| header_text(&parts.headers, name));
        let key = in_header.map(str::to_owned).or_else(in_query)?;
        let account = self.settings.accounts.iter().find(|account| account.license_key.expose() == key)?;
        path_account.is_none_or(|id| id == account.id.to_string()).then_some(account)
    }

    fn check_rate(&self, api: Api, account: u64) -> Result<(), Answer> {
        let Some(most) = self.settings.requests_per_minute.filter(|_| api != Api::NerdGraph) else { return Ok(()) };
        let now_ms = self.settings.clock.now_ms();
        let minute = now_ms.div_euclid(60_000);
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = rates.entry((account, api)).or_default();
        if rate.minute != minute {
            *rate = Rate { minute, requests: 0 };
        }
        rate.requests = rate.requests.saturating_add(1);
        if rate.requests <= most {
            return Ok(());
        }
        let rest_s = (60_000 - now_ms.rem_euclid(60_000)).div_euclid(1_000).max(1).unsigned_abs();
        let answer = Answer::new(StatusCode::TOO_MANY_REQUESTS, json!({ "error": "too many requests this minute" }));
        // Documented for the Log API, seen on OTLP.
        Err(Answer { retry_after_s: matches!(api, Api::Logs | Api::Metrics).then_some(rest_s), ..answer })
    }

    /// Answers a request to `NerdGraph`, away from the threads that take rows: a query may take long.
    async fn ask(self: &Arc<Self>, passed: Passed, slow: Duration) -> Answer {
        self.store.accept_unread(Api::NerdGraph);
        // Nobody closes it.
        let turn = Arc::clone(&self.asking).acquire_owned().await.ok();
        let shared = Arc::clone(self);
        let work = move || {
            let asked = nerdgraph::Asked {
                accounts: &shared.settings.accounts,
                user: &passed.account,
                settings: &shared.settings.nerd_graph,
                store: &shared.store,
                now_ms: shared.settings.clock.now_ms(),
                slow_ms: i64::try_from(slow.as_millis()).unwrap_or(i64::MAX),
            };
            let answer = nerdgraph::answer(asked, &shared.nerdgraph, &passed.body);
            // Kept to the end of the work, whether or not the client still waits.
            drop(turn);
            answer
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            let error = json!({ "message": error.to_string(), "extensions": { "errorClass": "INTERNAL_SERVER_ERROR" } });
            Answer::new(StatusCode::INTERNAL_SERVER_ERROR, json!({ "errors": [error] }))
        })
    }

    /// Stores a body; the documented answer, and the rows that came of it.
    fn accept(&self, api: Api, passed: &Passed) -> (Answer, u64) {
        let request_id = self.request_id();
        let now_ms = self.settings.clock.now_ms();
        let answer = match api {
            Api::Events | Api::NerdGraph => Answer::new(StatusCode::OK, json!({ "success": true, "uuid": request_id })),
            Api::Logs => Answer::new(StatusCode::ACCEPTED, json!({ "requestId": request_id })),
            Api::Metrics => Answer::new(StatusCode::OK, Value::Null),
        };
        if self.store.retain() == Retain::Counts {
            self.store.accept_unread(api);
            return (answer, 0);
        }
        let mut intake = rows_of(api, &passed.body, now_ms);
        if api == Api::Metrics {
            self.count_series(passed.account.id, now_ms, &mut intake);
        }
        self.plans.take_lost(api, &mut intake);
        let key_prefix: String = passed.account.license_key.expose().chars().take(6).collect();
        let rows = u64::try_from(intake.rows.len()).unwrap_or(u64::MAX);
        let account = passed.account.id;
        self.store.accept(
            Origin { api, account, request_id: &request_id, key_prefix: &key_prefix, now_ms },
            passed.body.len(),
            intake,
        );
        (answer, rows)
    }

    /// Notes the series of points, and those beyond what New Relic takes of a metric in a day. A time is no part of a series.
    fn count_series(&self, account: u64, now_ms: i64, intake: &mut Intake) {
        let day = now_ms.div_euclid(24 * 3_600_000);
        let mut known = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != day {
            *known = (day, SeriesOfDay::new());
        }
        let mut surplus = 0_u64;
        for row in &intake.rows {
            let mut attributes = row.attributes.clone();
            let name = attributes.remove("metricName").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
            for other in ["timestamp", "endTimestamp", name.as_str()] {
                attributes.remove(other);
            }
            let series = known.1.entry((account, name)).or_default();
            let mut hasher = std::hash::DefaultHasher::new();
            Value::Object(attributes).to_string().hash(&mut hasher);
            series.insert(hasher.finish());
            surplus += u64::from(series.len() > limits::METRIC_SERIES);
        }
        for _ in 0..surplus {
            intake.note(Violation::TooManySeries);
        }
    }

    /// A request id in the shape of a UUID, unique in one stand-in.
    fn request_id(&self) -> String {
        let digits = format!("{:032x}", self.random.lock().unwrap_or_else(PoisonError::into_inner).u128(..));
        let mut parts = Vec::with_capacity(5);
        let mut rest = digits.as_str();
        for length in [8, 4, 4, 4, 12] {
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            parts.push(part);
            rest = after;
        }
        parts.join("-")
    }
}

/// The rows of a body.
fn rows_of(api: Api, body: &[u8], now_ms: i64) -> Intake {
    match api {
        Api::Logs => log_api::read(body, now_ms),
        Api::Metrics => otlp::read(body, now_ms),
        Api::Events | Api::NerdGraph => event_api::read(body, now_ms),
    }
}

/// The status that a script asks for; one that no answer can have becomes 500.
fn scripted_status(code: u16) -> StatusCode {
    let status = StatusCode::from_u16(code).ok().filter(|status| !status.is_informational());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The Event API takes any type but multipart; the Log API names four.
fn accepts_content_type(api: Api, content_type: Option<&str>) -> bool {
    let media_type = content_type.map(|text| text.split(';').next().unwrap_or(text).trim().to_ascii_lowercase());
    match (api, media_type) {
        (Api::Logs, Some(media_type)) => LOG_CONTENT_TYPES.contains(&media_type.as_str()),
        (Api::Logs, None) => false,
        (Api::Metrics, media_type) => media_type.as_deref() == Some(PROTOBUF),
        (Api::Events | Api::NerdGraph, media_type) => media_type.is_none_or(|media_type| !media_type.starts_with("multipart/")),
    }
}

pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn query_value(uri: &Uri, name: &str) -> Option<String> {
    form_urlencoded::parse(uri.query()?.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
