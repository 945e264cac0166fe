//! The answers to "does it work?", on a local socket.
//!
//! In: what the pipeline lets others watch. Out: `GET /live`, `GET /ready` and `GET /status`, each one JSON object.
//!
//! - `/live`: 200 as long as the pipeline runs, draining included; whoever restarts the agent asks this. It does not depend on
//!   New Relic or AWS, or an outage there would restart the whole fleet.
//! - `/ready`: 200 while records flow: nothing is awaited before the sources begin, every queue that this agent asks has answered
//!   once, sources run without a fault that a person must mend, the state can be read and written, AWS Config answers for something,
//!   and New Relic accepts. Otherwise 503 with the reasons. Beside that, `notes` say what a person should know all the same: an
//!   account that cannot be read.
//! - `/status`: all counters, for people.
//!
//! What always holds: it listens on this machine only, on a socket of this user or a port of 127.0.0.1, and tells nothing but
//! counts, names of sources and what a person must mend.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::time::Instant;

use crate::ack::counts::Snapshot;
use crate::ack::{Outcome, Verdict};
use crate::config::Health;
use crate::pipeline::Watch;
use crate::source::Phase;
use crate::source::trouble::Trouble;

/// After this New Relic's silence, or its refusals that may pass, make the agent not ready.
const FAILING: Duration = Duration::from_mins(2);

/// Why the probe cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("listening for health checks on {at}: {why}")]
pub struct ProbeError {
    /// Where.
    at: String,
    /// What went wrong, and what to do where that is not plain.
    why: String,
}

/// A probe that listens, and answers once [`Probe::serve`] runs.
#[derive(Debug)]
pub struct Probe {
    listener: Listener,
}

#[derive(Debug)]
enum Listener {
    Port(TcpListener),
    Socket(UnixListener, SocketFile),
}

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The pipeline.
    pub watch: Watch,
    /// What is wrong with the sources right now, by source name; sources that are not here have nothing to tell.
    pub troubles: Vec<(String, Arc<Trouble>)>,
    /// What the sources wait for before they begin; `None`: nothing.
    pub waits: Option<Waits>,
}

/// What must come before anything is taken.
#[derive(Debug, Clone)]
pub struct Waits {
    /// Whether it has come, or is waited for no longer.
    pub begun: tokio::sync::watch::Receiver<bool>,
    /// What is awaited, and why.
    pub why: String,
}

impl Waits {
    /// Whether it is still waited for: not when whoever would tell is gone, for then the sources have begun.
    fn lasts(&self) -> bool {
        !*self.begun.borrow() && self.begun.has_changed().is_ok()
    }
}

impl From<Watch> for Watched {
    fn from(watch: Watch) -> Self {
        Self { watch, troubles: Vec::new(), waits: None }
    }
}

impl Probe {
    /// Listens where the settings say; `None` when they say nowhere.
    ///
    /// A socket that nobody listens on any more is replaced; it can be used by this user only.
    ///
    /// # Errors
    /// [`ProbeError`]: the port or socket is taken, or the folder cannot be written.
    pub async fn bind(at: &Health) -> Result<Option<Self>, ProbeError> {
        let listener = match at {
            Health::Off => return Ok(None),
            Health::Port(port) => TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, *port))
                .await
                .map(Listener::Port)
                .map_err(|error| error.to_string()),
            Health::Socket(path) => socket(path).await.map(|listener| Listener::Socket(listener, SocketFile(path.clone()))),
        };
        let listener = listener.map_err(|why| ProbeError { at: place(at), why })?;
        Ok(Some(Self { listener }))
    }

    /// Where it listens, for the log.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.listener {
            Listener::Port(listener) => listener.local_addr().map_or_else(|_| "a port".to_owned(), |address| address.to_string()),
            Listener::Socket(_, file) => file.0.display().to_string(),
        }
    }

    /// Answers for ever; dropping the future closes the listener and takes the socket file away.
    pub async fn serve(self, watched: Watched) {
        let router = router(watched, Instant::now());
        let ended = match self.listener {
            Listener::Port(listener) => axum::serve(listener, router).await,
            Listener::Socket(listener, file) => {
                let ended = axum::serve(listener, router).await;
                drop(file);
                ended
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "The health probe ended: {error}");
        }
    }
}

/// Where a health setting points, for people.
#[must_use]
pub fn place(at: &Health) -> String {
    match at {
        Health::Off => "nowhere".to_owned(),
        Health::Port(port) => format!("127.0.0.1:{port}"),
        Health::Socket(path) => path.display().to_string(),
    }
}

/// A socket file, taken away when the listener goes.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another agent replaces a file that stays, so nothing is lost when it does.
        let _gone = std::fs::remove_file(&self.0).is_ok();
    }
}

/// Binds a socket under another name and moves it into place, so that it never can be used by others, not even for a moment.
async fn socket(path: &Path) -> Result<UnixListener, String> {
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err("a file that is no socket has this name; remove it or choose another path".to_owned());
        }
        if UnixStream::connect(path).await.is_ok() {
            return Err("another process answers there; give each agent a socket of its own".to_owned());
        }
    }
    let mut name = path.file_name().ok_or("not the name of a file")?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    bind_and_move(&new, path).map_err(|error| {
        // The half-made socket must not stay; that it was never made is fine.
        let _gone = std::fs::remove_file(&new).is_ok();
        error.to_string()
    })
}

fn bind_and_move(new: &Path, path: &Path) -> io::Result<UnixListener> {
    if std::fs::symlink_metadata(new).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(new)?;
    }
    let listener = UnixListener::bind(new)?;
    std::fs::set_permissions(new, Permissions::from_mode(0o600))?;
    std::fs::rename(new, path)?;
    Ok(listener)
}

#[derive(Clone)]
struct Asked {
    watched: Arc<Watched>,
    started: Instant,
}

fn router(watched: Watched, started: Instant) -> Router {
    let asked = Asked { watched: Arc::new(watched), started };
    Router::new().route("/live", get(live)).route("/ready", get(ready)).route("/status", get(status)).with_state(asked)
}

async fn live(State(asked): State<Asked>) -> (StatusCode, Json<Value>) {
    let live = asked.watched.is_live();
    let reasons: &[&str] = if live { &[] } else { &["the pipeline has ended"] };
    (code(live), Json(json!({ "live": live, "reasons": reasons })))
}

async fn ready(State(asked): State<Asked>) -> (StatusCode, Json<Value>) {
    let (reasons, notes) = (asked.watched.reasons(), asked.watched.notes());
    (code(reasons.is_empty()), Json(json!({ "ready": reasons.is_empty(), "reasons": reasons, "notes": notes })))
}

async fn status(State(asked): State<Asked>) -> Json<Value> {
    Json(asked.watched.status(asked.started))
}

fn code(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

impl Watched {
    /// Whether the pipeline runs: it holds the other end of the phase until everything has settled.
    fn is_live(&self) -> bool {
        self.watch.phase.has_changed().is_ok()
    }

    fn phase(&self) -> &'static str {
        if !self.is_live() {
            return "stopped";
        }
        match *self.watch.phase.borrow() {
            Phase::Running => "running",
            Phase::Paused => "paused",
            Phase::Draining => "draining",
            Phase::Returning => "returning",
        }
    }

    /// What a person must mend before New Relic accepts anything.
    fn blocked(&self) -> Option<&'static str> {
        self.watch.blocked()
    }

    fn trouble(&self, source: &str) -> Vec<String> {
        let of_source = self.troubles.iter().filter(|(name, _)| name == source);
        of_source.flat_map(|(_, trouble)| trouble.now()).collect()
    }

    /// Why records do not flow; empty: they do.
    fn reasons(&self) -> Vec<String> {
        let troubles = self.troubles.iter().map(|(source, trouble)| (source.as_str(), trouble.now()));
        let waits = self.waits.iter().filter(|waits| waits.lasts()).map(|waits| waits.why.clone());
        let mut all: Vec<String> = waits.collect();
        all.extend(reasons(self.phase(), self.blocked(), self.watch.gate.failing(), troubles));
        all.extend(self.watch.standing.iter().flat_map(|standing| standing.faults()));
        all
    }

    /// What a person should know though records flow.
    fn notes(&self) -> Vec<String> {
        self.watch.standing.iter().flat_map(|standing| standing.notes()).collect()
    }

    fn status(&self, started: Instant) -> Value {
        let sources: Vec<Value> = self
            .watch
            .counts
            .iter()
            .map(|counts| source(counts.name(), &counts.snapshot(), &self.trouble(counts.name())))
            .collect();
        let traffic = &self.watch.traffic;
        let answers: Map<String, Value> = traffic
            .answers()
            .into_iter()
            .map(|(status, count)| (if status == 0 { "none".to_owned() } else { status.to_string() }, count.into()))
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptimeMs": u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "phase": self.phase(),
            "live": self.is_live(),
            "ready": self.reasons().is_empty(),
            "reasons": self.reasons(),
            "notes": self.notes(),
            "blocked": self.blocked(),
            "sources": sources,
            "newRelic": {
                "requests": traffic.requests(),
                "retries": traffic.retries(),
                "bytes": traffic.bytes(),
                "answers": answers,
            },
        })
    }
}

/// Why records do not flow, in this phase, with this hint about New Relic, with these troubles of sources.
pub(super) fn reasons<'a>(
    phase: &str,
    blocked: Option<&str>,
    failing: Option<Duration>,
    troubles: impl IntoIterator<Item = (&'a str, Vec<String>)>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    match phase {
        // Paused is what New Relic's refusal makes of a running agent; that has a reason of its own.
        "running" | "paused" => {}
        "stopped" => reasons.push("the pipeline has ended".to_owned()),
        phase => reasons.push(format!("stopping: {phase}")),
    }
    reasons.extend(blocked.map(|hint| format!("New Relic accepts nothing: {hint}")));
    if let Some(failing) = failing.filter(|failing| *failing >= FAILING) {
        reasons.push(format!("New Relic has taken nothing for {} minutes, though asked", failing.as_secs() / 60));
    }
    for (source, now) in troubles {
        reasons.extend(now.into_iter().map(|what| format!("source {source}: {what}")));
    }
    reasons
}

/// One source: both equations, `received` = every way to end + `open`, and the other counters.
fn source(name: &str, counts: &Snapshot, trouble: &[String]) -> Value {
    let records = Outcome::ALL.map(|outcome| (outcome.as_str(), counts.ended(outcome)));
    let objects = Verdict::ALL.map(|verdict| (verdict.as_str(), counts.objects_ended(verdict)));
    json!({
        "name": name,
        "records": equation(counts.records_received, &records),
        "objects": equation(counts.objects_received, &objects),
        "bytesPacked": counts.bytes_packed,
        "bytesUnpacked": counts.bytes_unpacked,
        "detections": counts.detections,
        "truncated": counts.truncated,
        "skipped": counts.skipped,
        "redelivered": counts.redelivered,
        "newestEventMs": counts.newest_event_ms,
        "lagMsMax": counts.lag_ms_max,
        "queueAgeMs": counts.queue_age_ms,
        "trouble": trouble,
    })
}

fn equation(received: u64, ended: &[(&str, u64)]) -> Map<String, Value> {
    let sum: u64 = ended.iter().map(|(_, count)| count).sum();
    let all = [("received", received)].into_iter().chain(ended.iter().copied()).chain([("open", received.saturating_sub(sum))]);
    all.map(|(name, count)| (name.to_owned(), count.into())).collect()
}
