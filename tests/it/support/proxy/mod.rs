//! A proxy in front of AWS or New Relic that can stop time on the wire.
//!
//! In: requests, passed on unchanged. Out: the upstream's answers, unchanged. A test arms a point (a call, and which side of the
//! upstream); the next exchange that comes there is held until the test lets it go or cuts the connection. Calls can also be
//! refused: answered here, without the upstream. What always holds: an
//! exchange held before it is passed on has not reached the upstream, one held after it has been answered by it. Bodies are read
//! whole; nothing is retried.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::PATIENCE;

/// Largest body passed on, bytes.
const BODY_BYTES: usize = 256 << 20;

/// A call the proxy knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    ReceiveMessage,
    DeleteMessage,
    DeleteMessageBatch,
    ChangeMessageVisibility,
    ChangeMessageVisibilityBatch,
    SendMessage,
    GetObject,
    PutObject,
    /// New Relic's Event API.
    Events,
    /// New Relic's Log API.
    Logs,
    Other,
}

impl Call {
    fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match target.strip_prefix("AmazonSQS.") {
            Some("ReceiveMessage") => Self::ReceiveMessage,
            Some("DeleteMessage") => Self::DeleteMessage,
            Some("DeleteMessageBatch") => Self::DeleteMessageBatch,
            Some("ChangeMessageVisibility") => Self::ChangeMessageVisibility,
            Some("ChangeMessageVisibilityBatch") => Self::ChangeMessageVisibilityBatch,
            Some("SendMessage") => Self::SendMessage,
            Some(_) => Self::Other,
            None if !target.is_empty() => Self::Other,
            None if *method == Method::POST && path.starts_with("/v1/accounts/") && path.ends_with("/events") => Self::Events,
            None if *method == Method::POST && path == "/log/v1" => Self::Logs,
            // `/bucket/key`: a path of one part is the bucket itself.
            None if *method == Method::GET && is_object(path) => Self::GetObject,
            None if *method == Method::PUT && is_object(path) => Self::PutObject,
            None => Self::Other,
        }
    }
}

fn is_object(path: &str) -> bool {
    path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty())
}

/// Which side of the upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The request has come and is not yet passed on.
    Request,
    /// The upstream has answered and the answer is not yet passed back.
    Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Pass,
    Cut,
}

struct Armed {
    call: Call,
    side: Side,
    skip: usize,
    held: watch::Sender<bool>,
    verdict: watch::Receiver<Option<Verdict>>,
}

/// Calls that the upstream never hears of.
struct Refused {
    call: Call,
    part: String,
    status: StatusCode,
    body: String,
}

#[derive(Default)]
struct Points {
    armed: Vec<Armed>,
    refused: Vec<Refused>,
    answered: BTreeMap<Call, u64>,
}

#[derive(Clone)]
struct Wire {
    upstream: String,
    client: reqwest::Client,
    points: Arc<Mutex<Points>>,
}

/// A running proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    wire: Wire,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port in front of `upstream` (`http://host:port`).
    pub(crate) async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        // A connection of its own for each exchange: none can die of old age under a request.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).redirect(reqwest::redirect::Policy::none());
        let client = client.build().expect("a client");
        let wire = Wire { upstream: upstream.trim_end_matches('/').to_owned(), client, points: Arc::default() };
        let app = Router::new().fallback(exchange).with_state(wire.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("serving") });
        Self { address, wire, server }
    }

    /// What to use in the upstream's place.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Holds the next exchange that comes to this point.
    pub(crate) fn hold(&self, call: Call, side: Side) -> Hold {
        self.hold_after(0, call, side)
    }

    /// Lets `skip` exchanges pass this point and holds the one after.
    pub(crate) fn hold_after(&self, skip: usize, call: Call, side: Side) -> Hold {
        let (to_held, held) = watch::channel(false);
        let (verdict, to_verdict) = watch::channel(None);
        self.wire.points().armed.push(Armed { call, side, skip, held: to_held, verdict: to_verdict });
        Hold { call, side, held, verdict }
    }

    /// Answers these calls itself from now on, where the path holds `part`.
    pub(crate) fn refuse(&self, call: Call, part: &str, status: StatusCode, body: &str) {
        self.wire.points().refused.push(Refused { call, part: part.to_owned(), status, body: body.to_owned() });
    }

    /// Passes everything on again.
    pub(crate) fn allow(&self) {
        self.wire.points().refused.clear();
    }

    /// How many of these calls the upstream has answered with success.
    pub(crate) fn answered(&self, call: Call) -> u64 {
        self.wire.points().answered.get(&call).copied().unwrap_or(0)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An armed point. Dropping it disarms the point, or lets the held exchange go.
pub(crate) struct Hold {
    call: Call,
    side: Side,
    held: watch::Receiver<bool>,
    verdict: watch::Sender<Option<Verdict>>,
}

impl Hold {
    /// Waits until an exchange is held here.
    pub(crate) async fn held(&mut self) {
        let waiting = tokio::time::timeout(PATIENCE, self.held.wait_for(|held| *held)).await;
        assert!(waiting.is_ok_and(|held| held.is_ok()), "waited {PATIENCE:?} in vain for {:?} at its {:?}", self.call, self.side);
    }

    /// Whether an exchange is held here.
    pub(crate) fn is_held(&self) -> bool {
        *self.held.borrow()
    }

    /// Lets the exchange go on.
    pub(crate) fn release(self) {
        self.verdict.send_replace(Some(Verdict::Pass));
    }

    /// Cuts the connection of the exchange.
    pub(crate) fn cut(self) {
        self.verdict.send_replace(Some(Verdict::Cut));
    }
}

impl Wire {
    fn points(&self) -> MutexGuard<'_, Points> {
        self.points.lock().expect("nothing panics while it is held")
    }

    fn refusal(&self, call: Call, path: &str) -> Option<Response> {
        let points = self.points();
        let refused = points.refused.iter().find(|refused| refused.call == call && path.contains(&refused.part))?;
        let mut response = Response::new(Body::from(refused.body.clone()));
        *response.status_mut() = refused.status;
        Some(response)
    }

    /// Stops here for as long as a test wants.
    async fn gate(&self, call: Call, side: Side) -> Verdict {
        let Some(mut armed) = self.arrive(call, side) else { return Verdict::Pass };
        armed.held.send_replace(true);
        // The sender is gone: the test let go of its hold.
        armed.verdict.wait_for(Option::is_some).await.ok().and_then(|verdict| *verdict).unwrap_or(Verdict::Pass)
    }

    /// The armed point that this exchange has come to, if it is its turn. The first that was armed has it first.
    fn arrive(&self, call: Call, side: Side) -> Option<Armed> {
        let mut points = self.points();
        points.armed.retain(|armed| armed.verdict.has_changed().is_ok());
        let at = points.armed.iter().position(|armed| armed.call == call && armed.side == side)?;
        let armed = points.armed.get_mut(at)?;
        if armed.skip > 0 {
            armed.skip -= 1;
            return None;
        }
        Some(points.armed.remove(at))
    }

    async fn pass_on(&self, method: Method, path: &str, headers: HeaderMap, body: Bytes) -> reqwest::Result<Response> {
        let is_head = method == Method::HEAD;
        let request = self.client.request(method, format!("{}{path}", self.upstream));
        let answer = request.headers(end_to_end(headers, false)).body(body).send().await?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers().clone(), is_head));
        let mut response = Response::new(Body::from(answer.bytes().await?));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}

async fn exchange(State(wire): State<Wire>, request: Request) -> Result<Response, Infallible> {
    let (head, body) = request.into_parts();
    let call = Call::of(&head.method, head.uri.path(), &head.headers);
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let Ok(body) = to_bytes(body, BODY_BYTES).await else { return Ok(cut()) };
    if wire.gate(call, Side::Request).await == Verdict::Cut {
        return Ok(cut());
    }
    if let Some(response) = wire.refusal(call, &path) {
        return Ok(response);
    }
    let answer = wire.pass_on(head.method, &path, head.headers, body).await;
    *wire.points().answered.entry(call).or_default() +=
        u64::from(answer.as_ref().is_ok_and(|answer| answer.status().is_success()));
    if wire.gate(call, Side::Answer).await == Verdict::Cut {
        return Ok(cut());
    }
    Ok(answer.unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(format!("the upstream did not answer: {error}")));
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    }))
}

/// An answer that fails before its first byte: the server closes the connection.
fn cut() -> Response {
    let broken = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut by the test")) });
    Response::new(Body::from_stream(broken))
}

/// What belongs to the message and not to one connection. The length of an answer to HEAD tells of a body that does not come.
fn end_to_end(mut headers: HeaderMap, keep_length: bool) -> HeaderMap {
    const HOP: [HeaderName; 7] = [
        header::CONNECTION,
        header::HOST,
        header::EXPECT,
        header::TE,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    for name in HOP {
        headers.remove(name);
    }
    if !keep_length {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers
}

#[cfg(test)]
mod tests;
